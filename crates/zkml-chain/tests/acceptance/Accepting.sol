// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAcceptance} from "@zkml-chain/contracts/src/ZKMLAcceptance.sol";
import {ZKMLAttestors} from "@zkml-chain/contracts/src/ZKMLAttestors.sol";
import {ZKMLConsumer} from "@zkml-chain/contracts/src/ZKMLConsumer.sol";
import {ZKMLRandaoBeacon} from "@zkml-chain/contracts/src/ZKMLRandaoBeacon.sol";
import {IZKMLBeacon} from "@zkml-chain/contracts/src/interfaces/IZKMLBeacon.sol";
import {IZKMLVerifier} from "@zkml-chain/contracts/src/interfaces/IZKMLVerifier.sol";

/// @title A contract that takes results under any policy
contract Accepting is ZKMLAcceptance {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_) ZKMLConsumer(verifier, modelId_, 0, owner_) {}

    function postResult(bytes32 action, Posting calldata posting, AcceptancePolicy calldata policy) external payable {
        _postResult(msg.sender, action, posting, policy);
    }

    function _checkProvenance(address, bytes32, bytes32, bytes calldata) internal override {}

    function _validateOutput(address, bytes calldata) internal override {}
}

/// @title A beacon whose rounds say what a test has them say
contract Scripted is IZKMLBeacon {
    uint64 public nextRound = 7;
    mapping(uint64 round => bytes32 value) public values;

    function say(uint64 round, bytes32 value) external {
        values[round] = value;
        nextRound = round + 1;
    }

    function randomnessOf(uint64 round) external view returns (RoundState state, bytes32 value) {
        value = values[round];
        state = value == 0 ? RoundState.Waiting : RoundState.Known;
    }
}

/// @title The beacon whose rounds are blocks
contract Blocks is ZKMLRandaoBeacon {}

/// @title Keys
contract Keys is ZKMLAttestors {
    constructor(address owner_) ZKMLAttestors(owner_) {}
}
