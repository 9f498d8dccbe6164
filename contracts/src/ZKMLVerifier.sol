// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";

import {IERCZKMLInference, IERCZKMLVerifier} from "./interfaces/IERCZKMLVerifier.sol";
import {IModelVerifier} from "./interfaces/IModelVerifier.sol";
import {IZKMLRegistry} from "./interfaces/IZKMLRegistry.sol";
import {IZKMLRouter} from "./interfaces/IZKMLRouter.sol";
import {IZKMLVerifier} from "./interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "./libraries/ZKMLAddress.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title ERC-7992 verifier of zkml-chain's proofs
/// @notice Takes what identifies the model from the registry, finds the verifier by the router, lays out the statement and
/// has the proof checked. Without state, owner or upgrade. A deprecated model never verifies.
/// @dev `output` is the words of the output section, 32 bytes each: field elements, which {ZKMLCodec} decodes. A generated
/// verifier's typed errors pass through; {InvalidProof} says that a verifier answered false.
contract ZKMLVerifier is IZKMLVerifier, ERC165 {
    /// @dev What a call claims, and what was found out about it.
    struct Claim {
        bytes4 selector;
        bytes32 dataCommitment;
        bytes32 context;
        bytes32 modelHash;
        IModelVerifier verifier;
        IModelVerifier.Shape shape;
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
    /// @return supported True for ERC-165 and for ERC-7992's verifier with its views (0x5df65472) and without (0x80b171ef).
    function supportsInterface(bytes4 interfaceId) public view override returns (bool supported) {
        bytes4 required = type(IERCZKMLInference).interfaceId;
        return interfaceId == required || interfaceId == required ^ type(IERCZKMLVerifier).interfaceId
            || super.supportsInterface(interfaceId);
    }

    /// @dev Reverts unless the model, on the input behind the commitment, gave the output.
    function _check(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        private
        view
    {
        Claim memory claim;
        (claim.selector, claim.dataCommitment, claim.context) = ZKMLStatement.header(proof);
        if (ZKMLStatement.inputCommitment(claim.dataCommitment, claim.context) != inputCommitment) {
            revert InputCommitmentMismatch();
        }
        _findModel(modelId, claim);
        IModelVerifier.Shape memory shape = claim.shape;
        if (output.length != 32 * shape.outputs) revert OutputMismatch();
        uint256 end = ZKMLStatement.BLOB_HEADER + shape.proofLength;
        uint256 length = shape.inputIsCommitment ? end : end + 32 * shape.inputs;
        if (proof.length != length) revert WrongBlobLength(proof.length, length);
        uint256[] memory instances = _instances(claim, proof[end:], output);
        if (!claim.verifier.verifyProof(proof[ZKMLStatement.BLOB_HEADER:end], instances)) revert InvalidProof();
    }

    /// @dev Finds the verifier of a model, and checks that it is the model's. A model's id is a hash of its registrant and of all
    /// that identifies it, so a registry that answers anything else than was registered is found out.
    function _findModel(uint256 modelId, Claim memory claim) private view {
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
        IModelVerifier verifier = ROUTER.verifierOf(claim.selector);
        IModelVerifier.Shape memory shape = verifier.statementShape();
        bool same = shape.vkDigest == identity.vkHash && shape.modelCommitment == identity.circuitHash;
        // With private weights the hash is the commitment to them, which becomes an instance.
        if (!same || (!shape.weightsAreCommitted && shape.modelHash != identity.modelHash)) revert ModelMismatch();
        (claim.verifier, claim.shape, claim.modelHash) = (verifier, shape, identity.modelHash);
    }

    /// @dev The statement: `context ‖ inputs ‖ model ‖ outputs`. Whether each is a field element is for the verifier.
    function _instances(Claim memory claim, bytes calldata inputs, bytes calldata output)
        private
        pure
        returns (uint256[] memory instances)
    {
        IModelVerifier.Shape memory shape = claim.shape;
        uint256 model = 1 + shape.inputs;
        uint256 outputs = shape.weightsAreCommitted ? model + 1 : model;
        instances = new uint256[](outputs + shape.outputs);
        instances[0] = uint256(claim.context);
        if (shape.inputIsCommitment) {
            instances[1] = uint256(claim.dataCommitment);
        } else {
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
