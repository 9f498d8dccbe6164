// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";

import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "../libraries/ZKMLAddress.sol";
import {ZKMLStatement} from "../libraries/ZKMLStatement.sol";
import {Refusal} from "./Refusal.sol";
import {IProofVerifier} from "./interfaces/IERC8274.sol";

/// @title ERC-8274 proof verifier for zkml-chain's proofs
/// @notice Follows the draft in pull request 1771 of ethereum/ERCs, revision 10ed575.
///
/// - `inputHash` is the input commitment of {ZKMLStatement-inputCommitment}: the data, and the context.
/// - `outputHash` is the Keccak-256 of the output words.
/// - `metadata` is `abi.encode(uint256 modelId)`.
/// - `proof` is `abi.encode(bytes output, bytes blob)`, see {ZKMLStatement} for the blob.
///
/// It keeps no state, so the same proof passes as often as it is shown: the draft leaves replay to the application. What
/// binds a proof to one use is the context inside `inputHash`. An application must build the context itself, with its own
/// address, its task and whom it is about, and compare `inputHash` with it; an `inputHash` that a caller just hands in
/// says nothing about who made the proof, or what for.
/// @dev A refused proof gives false, as the draft wants it, and {check} says why. Two things revert instead: metadata that
/// names no model is an error of the application, and too little gas is no verdict, see {Refusal}.
contract ERC8274ProofVerifier is IProofVerifier, ERC165 {
    /// @notice Checks the proofs.
    IZKMLVerifier public immutable ZKML_VERIFIER;
    /// @notice What only this deployment has: the hash of chain, verifier and proof system, by which {proofProfile} can be
    /// recomputed.
    bytes32 public immutable DEPLOYMENT_SALT;

    /// @notice Metadata is a model id, 32 bytes.
    /// @param length Bytes that were given.
    error MetadataIsNotAModelId(uint256 length);
    /// @notice The output is not the one that was claimed.
    /// @param found Its hash.
    /// @param expected The hash that was claimed.
    error OutputHashMismatch(bytes32 found, bytes32 expected);

    /// @notice Fixes the verifier.
    /// @param verifier Checks the proofs; it brings registry and router along, for good.
    constructor(IZKMLVerifier verifier) {
        ZKMLAddress.check(address(verifier));
        ZKML_VERIFIER = verifier;
        DEPLOYMENT_SALT = keccak256(abi.encode(block.chainid, verifier, ZKMLStatement.PROOF_SYSTEM_ID));
    }

    /// @inheritdoc IProofVerifier
    function verify(bytes32 inputHash, bytes32 outputHash, bytes calldata metadata, bytes calldata proof)
        external
        view
        returns (bool valid)
    {
        if (metadata.length != 32) revert MetadataIsNotAModelId(metadata.length);
        uint256 before = gasleft();
        try this.check(inputHash, outputHash, uint256(bytes32(metadata)), proof) {
            return true;
        } catch {
            Refusal.check(before);
            return false;
        }
    }

    /// @notice As {verify}, but reverts with the reason.
    /// @param inputHash See {verify}.
    /// @param outputHash See {verify}.
    /// @param modelId The model.
    /// @param proof See {verify}.
    function check(bytes32 inputHash, bytes32 outputHash, uint256 modelId, bytes calldata proof) external view {
        (bytes memory output, bytes memory blob) = abi.decode(proof, (bytes, bytes));
        if (keccak256(output) != outputHash) revert OutputHashMismatch(keccak256(output), outputHash);
        ZKML_VERIFIER.checkInference(modelId, inputHash, output, blob);
    }

    /// @inheritdoc IProofVerifier
    function proofProfile() external view returns (bytes32 profile) {
        return keccak256(abi.encodePacked(proofSystem(), DEPLOYMENT_SALT));
    }

    /// @inheritdoc IProofVerifier
    function proofSystem() public pure returns (string memory name) {
        return "zk/zkml-chain-halo2-kzg-bn254";
    }

    /// @notice ERC-165.
    /// @param interfaceId The interface that is asked for.
    /// @return supported True for ERC-165 and ERC-8274's proof verifier.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool supported) {
        return interfaceId == type(IProofVerifier).interfaceId || super.supportsInterface(interfaceId);
    }
}
