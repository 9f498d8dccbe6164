// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {ZKMLPausable} from "../../src/ZKMLPausable.sol";
import {ZKMLRewards} from "../../src/ZKMLRewards.sol";
import {IZKMLVerifier} from "../../src/interfaces/IZKMLVerifier.sol";
import {HookedConsumer} from "./HookedConsumer.sol";

/// @title A hooked consumer that takes requests, too
contract HookedRequests is HookedConsumer, ZKMLRewards {
    /// @dev How many requests went all the way.
    uint256 public fulfilled;

    constructor(IZKMLVerifier verifier, uint256 modelId_, uint256 modelDelay, address owner_)
        HookedConsumer(verifier, modelId_, modelDelay, owner_)
    {}

    function ask(
        address subject,
        bytes32 action,
        uint256 deadline,
        bytes32 dataCommitment,
        bytes calldata input,
        bytes calldata provenance
    ) external returns (uint256 requestId) {
        return _requestInference(subject, action, deadline, dataCommitment, input, provenance);
    }

    function askRewarded(
        address subject,
        bytes32 action,
        uint256 deadline,
        bytes32 dataCommitment,
        Reward calldata reward,
        bytes calldata input,
        bytes calldata provenance
    ) external payable returns (uint256 requestId) {
        return _requestRewarded(subject, action, deadline, dataCommitment, reward, input, provenance);
    }

    function _beforeInference() internal view virtual override(ZKMLConsumer, ZKMLPausable) {
        super._beforeInference();
    }

    function _onInference(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata output)
        internal
        override(HookedConsumer, ZKMLConsumer)
    {
        HookedConsumer._onInference(subject, action, dataCommitment, output);
    }

    function _onFulfilled(uint256 requestId, Request calldata request, bytes calldata output) internal override {
        emit HookCalled(Hook.Fulfilled, request.subject, abi.encode(requestId, output));
        ++fulfilled;
        _run(Hook.Fulfilled);
    }
}
