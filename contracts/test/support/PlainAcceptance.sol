// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAcceptance} from "../../src/ZKMLAcceptance.sol";
import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {IZKMLVerifier} from "../../src/interfaces/IZKMLVerifier.sol";

/// @title A consumer of results under policies with nothing but its bookkeeping
contract PlainAcceptance is ZKMLAcceptance {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_) ZKMLConsumer(verifier, modelId_, 0, owner_) {}

    function post(address subject, bytes32 action, Posting calldata posting, AcceptancePolicy memory policy)
        external
        payable
    {
        _postResult(subject, action, posting, policy);
    }

    function _checkProvenance(address, bytes32, bytes32, bytes calldata) internal override {}

    function _validateOutput(address, bytes calldata) internal override {}
}
