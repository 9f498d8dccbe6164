// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAcceptance} from "../../src/ZKMLAcceptance.sol";
import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {IZKMLVerifier} from "../../src/interfaces/IZKMLVerifier.sol";
import {HookedConsumer} from "./HookedConsumer.sol";

/// @title A hooked consumer that takes results under any policy, too
contract HookedAcceptance is HookedConsumer, ZKMLAcceptance {
    bool public closed;

    error Closed();

    constructor(IZKMLVerifier verifier, uint256 modelId_, uint256 modelDelay, address owner_)
        HookedConsumer(verifier, modelId_, modelDelay, owner_)
    {}

    function close(bool whether) external {
        closed = whether;
    }

    function post(address subject, bytes32 action, Posting calldata posting, AcceptancePolicy memory policy)
        external
        payable
        returns (bytes32 resultId)
    {
        return _postResult(subject, action, posting, policy);
    }

    /// @dev Two results with the coins of one.
    function postTwice(address subject, bytes32 action, Posting calldata posting, AcceptancePolicy memory policy)
        external
        payable
    {
        _postResult(subject, action, posting, policy);
        _postResult(subject, action, posting, policy);
    }

    /// @dev An application may leave anything behind the end of memory in use.
    function _beforeInference() internal view override {
        if (closed) revert Closed();
        assembly ("memory-safe") {
            let free := mload(0x40)
            for { let i := 0 } lt(i, 0x1000) { i := add(i, 0x20) } { mstore(add(free, i), not(0)) }
        }
    }

    function _onInference(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata output)
        internal
        override(HookedConsumer, ZKMLConsumer)
    {
        HookedConsumer._onInference(subject, action, dataCommitment, output);
    }
}
