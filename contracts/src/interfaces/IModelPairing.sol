// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title A verifier that leaves its pairing to the caller
/// @notice Every generated verifier ends in one pairing product; several of them can be decided together. Whatever stands in
/// front of a verifier and refuses proofs has to refuse them here as well.
interface IModelPairing {
    /// @notice The pairing that decides about a proof. THE ANSWER SAYS NOTHING: wrong proofs get one, too.
    /// @dev Everything else is checked as {IModelVerifier-verifyProof} does, with the same errors. The proof is valid if and
    /// only if the precompile 8 answers 1 to these words. Of one verifier, the points of the second group are always the same.
    /// @param proof As of {IModelVerifier-verifyProof}.
    /// @param instances As of {IModelVerifier-verifyProof}.
    /// @return pairs Six words for each pair of points, as the precompile takes them.
    function pairingInput(bytes calldata proof, uint256[] calldata instances)
        external
        view
        returns (uint256[] memory pairs);
}
