// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";

import {IERCZKMLInference, IERCZKMLVerifier} from "./interfaces/IERCZKMLVerifier.sol";
import {IModelPairing} from "./interfaces/IModelPairing.sol";
import {IModelVerifier} from "./interfaces/IModelVerifier.sol";
import {IZKMLBatchVerifier} from "./interfaces/IZKMLBatchVerifier.sol";
import {IZKMLRegistry} from "./interfaces/IZKMLRegistry.sol";
import {IZKMLRouter} from "./interfaces/IZKMLRouter.sol";
import {IZKMLVerifier} from "./interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "./libraries/ZKMLAddress.sol";
import {ZKMLPairing} from "./libraries/ZKMLPairing.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title ERC-7992 verifier of zkml-chain's proofs
/// @notice Takes what identifies the model from the registry, finds the verifier by the router, lays out the statement and
/// has the proof checked. Without state, owner or upgrade. A deprecated model never verifies.
/// @dev `output` is the words of the output section, 32 bytes each: field elements, which {ZKMLCodec} decodes. A generated
/// verifier's typed errors pass through; {InvalidProof} says that a verifier answered false. A batch of inferences of one model goes the
/// same way up to the pairing, of which there is one for all of them, see {ZKMLPairing}.
contract ZKMLVerifier is IZKMLVerifier, IZKMLBatchVerifier, ERC165 {
    /// @dev What a call claims, and what the registry says about it.
    struct Claim {
        bytes4 selector;
        bytes32 dataCommitment;
        bytes32 context;
        bytes32 modelHash;
        bytes32 circuitHash;
        bytes32 vkHash;
        IModelVerifier verifier;
    }

    /// @dev Where models are registered.
    IZKMLRegistry private immutable _REGISTRY;
    /// @notice Finds the verifier of a proof.
    IZKMLRouter public immutable ROUTER;

    /// @notice The blob is not as long as this model's blobs are.
    /// @param actual Its length in bytes.
    /// @param expected The length that it must have.
    error WrongBlobLength(uint256 actual, uint256 expected);

    /// @notice Ties a registry and a router together.
    /// @param registry_ Where models are registered.
    /// @param router_ Finds the verifier of a proof.
    constructor(IZKMLRegistry registry_, IZKMLRouter router_) {
        ZKMLAddress.check(address(registry_));
        ZKMLAddress.check(address(router_));
        _REGISTRY = registry_;
        ROUTER = router_;
    }

    /// @inheritdoc IERCZKMLInference
    function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external
    {
        _check(modelId, inputCommitment, output, proof);
        emit InferenceVerified(modelId, inputCommitment, output, msg.sender);
    }

    /// @inheritdoc IZKMLVerifier
    function checkInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external
        view
    {
        _check(modelId, inputCommitment, output, proof);
    }

    /// @inheritdoc IZKMLBatchVerifier
    function verifyBatch(uint256 modelId, Inference[] calldata inferences) external {
        _checkBatch(modelId, inferences);
        for (uint256 i = 0; i < inferences.length; ++i) {
            Inference calldata each = inferences[i];
            emit InferenceVerified(modelId, each.inputCommitment, each.output, msg.sender);
        }
    }

    /// @inheritdoc IZKMLBatchVerifier
    function checkBatch(uint256 modelId, Inference[] calldata inferences) external view {
        _checkBatch(modelId, inferences);
    }

    /// @inheritdoc IZKMLBatchVerifier
    function firstRefused(uint256 modelId, Inference[] calldata inferences)
        external
        view
        returns (uint256 index, bytes memory reason)
    {
        for (; index < inferences.length; ++index) {
            Inference calldata each = inferences[index];
            try this.checkInference(modelId, each.inputCommitment, each.output, each.proof) {}
            catch (bytes memory why) {
                return (index, why);
            }
        }
    }

    /// @inheritdoc IERCZKMLVerifier
    function proofSystemOf(uint256 modelId) external view returns (bytes4 proofSystemId) {
        (IZKMLRegistry.Identity memory identity,,) = _REGISTRY.identityOf(modelId);
        return identity.proofSystemId;
    }

    /// @inheritdoc IERCZKMLVerifier
    function registry() external view returns (address registryAddress) {
        return address(_REGISTRY);
    }

    /// @notice ERC-165.
    /// @param interfaceId The interface that is asked for.
    /// @return supported True for ERC-165 and for ERC-7992's verifier with its views (0x5df65472) and without (0x80b171ef), and for {IZKMLBatchVerifier}.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool supported) {
        bytes4 required = type(IERCZKMLInference).interfaceId;
        return interfaceId == required || interfaceId == required ^ type(IERCZKMLVerifier).interfaceId
            || interfaceId == type(IZKMLBatchVerifier).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev Reverts unless the model, on the input behind the commitment, gave the output.
    function _check(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        private
        view
    {
        Claim memory claim;
        _readHeader(claim, inputCommitment, proof);
        _findVerifier(modelId, claim);
        // Not what a function returns: that would be made room for twice.
        IModelVerifier.Shape memory shape = claim.verifier.statementShape();
        _checkModel(claim, shape);
        (bytes calldata bare, uint256[] memory instances) = _statement(claim, shape, output, proof);
        if (!claim.verifier.verifyProof(bare, instances)) revert InvalidProof();
    }

    /// @dev Reverts unless the model gave every output, on the input behind its commitment.
    function _checkBatch(uint256 modelId, Inference[] calldata inferences) private view {
        uint256[][] memory pairings = new uint256[][](inferences.length);
        if (pairings.length == 0) revert EmptyBatch();
        Claim memory claim;
        (claim.selector,,) = ZKMLStatement.header(inferences[0].proof);
        _findVerifier(modelId, claim);
        IModelVerifier.Shape memory shape = claim.verifier.statementShape();
        _checkModel(claim, shape);
        address verifier = address(claim.verifier);
        bytes32 seen = ZKMLPairing.start(verifier, modelId, claim.vkHash, pairings.length);
        for (uint256 i = 0; i < pairings.length; ++i) {
            Inference calldata each = inferences[i];
            _readHeader(claim, each.inputCommitment, each.proof);
            if (claim.selector != bytes4(claim.vkHash)) revert ModelMismatch();
            (bytes calldata bare, uint256[] memory instances) = _statement(claim, shape, each.output, each.proof);
            pairings[i] = _pairingInput(verifier, bare, instances);
            seen = ZKMLPairing.absorb(seen, instances, pairings[i]);
        }
        if (!ZKMLPairing.hold(pairings, seen)) revert BatchRejected();
    }

    /// @dev The pairing of a proof that a verifier finds well formed. Its errors pass through; one without an error has no such function, and
    /// neither has whatever answers with something else than pairs.
    function _pairingInput(address verifier, bytes calldata proof, uint256[] memory instances)
        private
        view
        returns (uint256[] memory pairs)
    {
        try IModelPairing(verifier).pairingInput(proof, instances) returns (uint256[] memory words) {
            pairs = words;
        } catch (bytes memory reason) {
            if (reason.length != 0) {
                assembly ("memory-safe") {
                    // The reason's bytes, behind its length.
                    revert(add(reason, 0x20), mload(reason))
                }
            }
        }
        if (!ZKMLPairing.isInput(pairs)) revert NotBatchable(verifier);
    }

    /// @dev Reads what a blob says about itself, and compares it with the commitment.
    function _readHeader(Claim memory claim, bytes32 inputCommitment, bytes calldata proof) private pure {
        (claim.selector, claim.dataCommitment, claim.context) = ZKMLStatement.header(proof);
        if (ZKMLStatement.inputCommitment(claim.dataCommitment, claim.context) != inputCommitment) {
            revert InputCommitmentMismatch();
        }
    }

    /// @dev Finds the verifier of a model. A model's id is a hash of its registrant and of all that identifies it, so a registry that
    /// answers anything else than was registered is found out.
    function _findVerifier(uint256 modelId, Claim memory claim) private view {
        (IZKMLRegistry.Identity memory identity, address registrant, bool deprecated) = _REGISTRY.identityOf(modelId);
        if (ZKMLStatement.modelIdOf(registrant, ZKMLStatement.identityHash(identity)) != modelId) {
            revert ModelMismatch();
        }
        if (deprecated) revert VerificationRefused_ModelDeprecated(modelId);
        if (!ZKMLStatement.isProofSystem(identity.proofSystemId)) {
            revert UnsupportedProofSystem(identity.proofSystemId);
        }
        // A model has one route, named by its own key. What a verifier says of itself under another selector counts for
        // nothing: else a later route could speak for a model whose own route is pinned or stopped.
        if (claim.selector != bytes4(identity.vkHash)) revert ModelMismatch();
        claim.verifier = ROUTER.verifierOf(claim.selector);
        (claim.modelHash, claim.circuitHash, claim.vkHash) = (identity.modelHash, identity.circuitHash, identity.vkHash);
    }

    /// @dev Checks that a verifier is the model's.
    function _checkModel(Claim memory claim, IModelVerifier.Shape memory shape) private pure {
        bool same = shape.vkDigest == claim.vkHash && shape.modelCommitment == claim.circuitHash;
        // With private weights the hash is the commitment to them, which becomes an instance.
        if (!same || (!shape.weightsAreCommitted && shape.modelHash != claim.modelHash)) revert ModelMismatch();
    }

    /// @dev The bare proof, and the statement that it has to prove: `context ‖ inputs ‖ model ‖ outputs`. Whether each is a field
    /// element is for the verifier.
    function _statement(
        Claim memory claim,
        IModelVerifier.Shape memory shape,
        bytes calldata output,
        bytes calldata proof
    ) private pure returns (bytes calldata bare, uint256[] memory instances) {
        if (output.length != 32 * shape.outputs) revert OutputMismatch();
        uint256 end = ZKMLStatement.BLOB_HEADER + shape.proofLength;
        uint256 length = shape.inputIsCommitment ? end : end + 32 * shape.inputs;
        if (proof.length != length) revert WrongBlobLength(proof.length, length);
        bare = proof[ZKMLStatement.BLOB_HEADER:end];
        uint256 model = 1 + shape.inputs;
        uint256 outputs = shape.weightsAreCommitted ? model + 1 : model;
        instances = new uint256[](outputs + shape.outputs);
        instances[0] = uint256(claim.context);
        if (shape.inputIsCommitment) {
            instances[1] = uint256(claim.dataCommitment);
        } else {
            bytes calldata inputs = proof[end:];
            if (keccak256(inputs) != claim.dataCommitment) revert InputCommitmentMismatch();
            _copy(instances, 1, inputs);
        }
        if (shape.weightsAreCommitted) instances[model] = uint256(claim.modelHash);
        _copy(instances, outputs, output);
    }

    /// @dev Copies words into the array from `start` on; the caller has made room for them.
    function _copy(uint256[] memory to, uint256 start, bytes calldata words) private pure {
        assembly ("memory-safe") {
            // Past the array's length word, `start` words on.
            calldatacopy(add(add(to, 0x20), shl(5, start)), words.offset, words.length)
        }
    }
}
