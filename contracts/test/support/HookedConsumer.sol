// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {IZKMLVerifier} from "../../src/interfaces/IZKMLVerifier.sol";

/// @title A consumer whose hooks do what the test tells them to, once
contract HookedConsumer is ZKMLConsumer {
    enum Hook {
        None,
        Provenance,
        Validate,
        Act,
        Fulfilled
    }

    /// @dev In which hook to call whom with what; or, without anybody to call, to revert with the data.
    struct Plan {
        Hook hook;
        address target;
        bytes data;
    }

    /// @dev What the hooks were told, in order.
    event HookCalled(Hook hook, address subject, bytes data);

    Plan private _plan;

    /// @dev What the planned call gave.
    bool public called;
    bool public succeeded;
    bytes public answer;
    /// @dev How many inferences went all the way.
    uint256 public accepted;

    constructor(IZKMLVerifier verifier, uint256 modelId_, uint256 modelDelay, address owner_)
        ZKMLConsumer(verifier, modelId_, modelDelay, owner_)
    {}

    function plan(Hook hook, address target, bytes calldata data) external {
        _plan = Plan(hook, target, data);
        (called, succeeded, answer) = (false, false, "");
    }

    function initialize(address owner_) external {
        _initializeConsumer(owner_);
    }

    function take(address subject, bytes32 action, Inference calldata inference) external {
        _verifyInference(subject, action, inference);
    }

    function look(bytes calldata output, bytes calldata proof) external view {
        _checkInference(output, proof);
    }

    function _checkProvenance(address subject, bytes32, bytes32 dataCommitment, bytes calldata provenance)
        internal
        override
    {
        emit HookCalled(Hook.Provenance, subject, abi.encode(dataCommitment, provenance));
        _run(Hook.Provenance);
    }

    function _validateOutput(address subject, bytes calldata output) internal override {
        emit HookCalled(Hook.Validate, subject, output);
        _run(Hook.Validate);
    }

    function _onInference(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata output)
        internal
        virtual
        override
    {
        emit HookCalled(Hook.Act, subject, abi.encode(action, dataCommitment, output));
        ++accepted;
        _run(Hook.Act);
    }

    function _run(Hook hook) internal {
        Plan memory todo = _plan;
        if (todo.hook != hook) return;
        delete _plan;
        if (todo.target == address(0)) revert(string(todo.data));
        called = true;
        (succeeded, answer) = todo.target.call(todo.data);
    }
}

/// @title An owner that does what it is told by anybody
contract Relay {
    /// @dev Calls, and passes on what a refused call says.
    function pass(address target, bytes calldata data) external {
        (bool done, bytes memory answer) = target.call(data);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }
}
