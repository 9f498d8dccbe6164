// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLBatchConsumer} from "../../src/ZKMLBatchConsumer.sol";
import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {ZKMLPausable} from "../../src/ZKMLPausable.sol";
import {IZKMLVerifier} from "../../src/interfaces/IZKMLVerifier.sol";
import {HookedConsumer} from "./HookedConsumer.sol";

/// @title A consumer with hooks that takes batches, and can be paused
contract HookedBatchConsumer is HookedConsumer, ZKMLBatchConsumer, ZKMLPausable {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        HookedConsumer(verifier, modelId_, 0, owner_)
    {}

    function takeAll(Claim[] calldata claims) external {
        _verifyInferences(claims);
    }

    function _onInference(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata output)
        internal
        override(ZKMLConsumer, HookedConsumer)
    {
        super._onInference(subject, action, dataCommitment, output);
    }

    function _beforeInference() internal view override(ZKMLConsumer, ZKMLPausable) {
        super._beforeInference();
    }
}
