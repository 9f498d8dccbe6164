// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelPairing} from "../../src/interfaces/IModelPairing.sol";
import {FakeVerifier} from "./FakeVerifier.sol";

/// @title A verifier whose proofs are their pairings, word for word: whoever proves chooses every point
/// @notice A last pair of zeros is none: proofs of one length may have different numbers of pairs.
contract PairingVerifier is FakeVerifier, IModelPairing {
    constructor(Shape memory shape) FakeVerifier(shape) {}

    function pairingInput(bytes calldata proof, uint256[] calldata instances) external view returns (uint256[] memory) {
        if (answer == Answer.Tell) revert Asked(proof, instances);
        return words(proof);
    }

    function words(bytes calldata proof) public pure returns (uint256[] memory all) {
        uint256 length = proof.length;
        if (length > 192 && keccak256(proof[length - 192:]) == keccak256(new bytes(192))) length -= 192;
        all = new uint256[](length / 32);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = uint256(bytes32(proof[32 * i:32 * i + 32]));
        }
    }
}
