// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLStatement} from "../libraries/ZKMLStatement.sol";
import {PinnedModel} from "./PinnedModel.sol";
import {Attestation, ISchemaResolver} from "./interfaces/IEAS.sol";

/// @title Resolver for attestations that carry a proven inference
/// @notice Made for version 1.4.0 of the Ethereum Attestation Service (its repository as of 2026-05-18). Under the schema
/// {SCHEMA} with this resolver there are only attestations whose data holds a valid inference of one model, about the
/// recipient.
///
/// The proof is bound to recipient, attester, expiry, revocability and reference of its attestation by {contextOf}, and is
/// taken once, so nobody can attest with somebody else's proof. The attester may revoke the attestation, if it says so;
/// the proof stays used.
///
/// The resolver vouches for the computation. For the input nobody but the attester does: whoever relies on attestations
/// looks at who made them, as always with EAS.
contract EASInferenceResolver is PinnedModel, ISchemaResolver {
    /// @notice An attestation's data, decoded.
    /// @param modelId The model; the pinned one.
    /// @param dataCommitment The commitment to the input.
    /// @param nonce Anything; the same attester may attest the same thing again with another one.
    /// @param deadline Last acceptable block time, in seconds since 1970.
    /// @param output The words of the output section, 32 bytes each.
    /// @param proof The proof blob, see {ZKMLStatement}.
    struct Claim {
        uint256 modelId;
        bytes32 dataCommitment;
        uint256 nonce;
        uint256 deadline;
        bytes output;
        bytes proof;
    }

    /// @notice The fields of an attestation's data, to be registered with this resolver, as revocable.
    string public constant SCHEMA =
        "uint256 modelId,bytes32 dataCommitment,uint256 nonce,uint256 deadline,bytes output,bytes proof";
    /// @notice Type of what a proof's action covers.
    bytes32 public constant ATTESTATION_TYPEHASH =
        keccak256("ZKMLAttestation(address attester,uint64 expirationTime,bool revocable,bytes32 refUID)");

    /// @notice The attestation service; nobody else may ask.
    address public immutable EAS;
    /// @notice The id of {SCHEMA} with this resolver.
    bytes32 public immutable SCHEMA_UID;

    /// @notice Contexts of proofs that were taken.
    mapping(bytes32 context => bool used) public isUsed;

    /// @notice Somebody else than the attestation service called.
    /// @param caller Who it was.
    error NotEAS(address caller);
    /// @notice The address of the attestation service is zero.
    error NoEAS();
    /// @notice The attestation has another schema than {SCHEMA}, or the schema is registered as irrevocable.
    /// @param found Its id.
    /// @param expected The id of {SCHEMA} with this resolver.
    error WrongSchema(bytes32 found, bytes32 expected);
    /// @notice The attestation is about nobody.
    error NoRecipient();
    /// @notice The inference was valid until this time.
    /// @param deadline Seconds since 1970.
    error InferenceExpired(uint256 deadline);
    /// @notice This proof, or another one for the same attestation, was taken before.
    /// @param context What it is bound to.
    error InferenceUsed(bytes32 context);

    /// @notice Pins a model and the attestation service.
    /// @param verifier See {PinnedModel}.
    /// @param modelId See {PinnedModel}.
    /// @param eas The attestation service.
    constructor(IZKMLVerifier verifier, uint256 modelId, address eas) PinnedModel(verifier, modelId) {
        if (eas == address(0)) revert NoEAS();
        EAS = eas;
        SCHEMA_UID = keccak256(abi.encodePacked(SCHEMA, address(this), true));
    }

    /// @dev Nobody else than the attestation service gets further.
    modifier onlyEAS() {
        _onlyEAS();
        _;
    }

    /// @inheritdoc ISchemaResolver
    function attest(Attestation calldata attestation) external onlyEAS returns (bool valid) {
        _accept(attestation);
        return true;
    }

    /// @inheritdoc ISchemaResolver
    function multiAttest(Attestation[] calldata attestations, uint256[] calldata)
        external
        onlyEAS
        returns (bool valid)
    {
        for (uint256 i = 0; i < attestations.length; ++i) {
            _accept(attestations[i]);
        }
        return true;
    }

    /// @inheritdoc ISchemaResolver
    /// @dev EAS has checked that the attester asks, and that the attestation is revocable.
    function revoke(Attestation calldata) external view onlyEAS returns (bool valid) {
        return true;
    }

    /// @inheritdoc ISchemaResolver
    function multiRevoke(Attestation[] calldata, uint256[] calldata) external view onlyEAS returns (bool valid) {
        return true;
    }

    /// @inheritdoc ISchemaResolver
    function version() external pure returns (string memory text) {
        return "1.4.0";
    }

    /// @inheritdoc ISchemaResolver
    function isPayable() external pure returns (bool payable_) {
        return false;
    }

    /// @notice What the proof for an attestation must be bound to.
    /// @param recipient Whom the attestation is about.
    /// @param nonce See {Claim}.
    /// @param deadline See {Claim}.
    /// @param action The attestation, hashed by {actionOf}.
    /// @return context The context: pass it to `zkml-chain prove --context`.
    function contextOf(address recipient, uint256 nonce, uint256 deadline, bytes32 action)
        public
        view
        returns (bytes32 context)
    {
        return _contextOf(recipient, nonce, deadline, action);
    }

    /// @notice What a proof is to be used for here: one attestation, whatever its data says besides.
    /// @param attester Who makes the attestation.
    /// @param expirationTime When it ends, or zero.
    /// @param revocable Whether the attester may revoke it.
    /// @param refUID Another attestation that it refers to, or zero.
    /// @return action The hash of all that.
    function actionOf(address attester, uint64 expirationTime, bool revocable, bytes32 refUID)
        public
        pure
        returns (bytes32 action)
    {
        return keccak256(abi.encode(ATTESTATION_TYPEHASH, attester, expirationTime, revocable, refUID));
    }

    /// @dev Takes an attestation's proof, or reverts.
    function _accept(Attestation calldata a) private {
        if (a.schema != SCHEMA_UID) revert WrongSchema(a.schema, SCHEMA_UID);
        if (a.recipient == address(0)) revert NoRecipient();
        Claim memory claim = _decode(a.data);
        if (claim.modelId != MODEL_ID) revert WrongModel(claim.modelId);
        if (block.timestamp > claim.deadline) revert InferenceExpired(claim.deadline);
        bytes32 action = actionOf(a.attester, a.expirationTime, a.revocable, a.refUID);
        bytes32 context = contextOf(a.recipient, claim.nonce, claim.deadline, action);
        if (isUsed[context]) revert InferenceUsed(context);
        isUsed[context] = true;
        bytes32 inputCommitment = ZKMLStatement.inputCommitment(claim.dataCommitment, context);
        ZKML_VERIFIER.verifyInference(MODEL_ID, inputCommitment, claim.output, claim.proof);
    }

    /// @dev The fields of {SCHEMA}.
    function _decode(bytes calldata data) private pure returns (Claim memory claim) {
        (claim.modelId, claim.dataCommitment, claim.nonce, claim.deadline, claim.output, claim.proof) =
            abi.decode(data, (uint256, bytes32, uint256, uint256, bytes, bytes));
    }

    /// @dev Checks the caller.
    function _onlyEAS() private view {
        if (msg.sender != EAS) revert NotEAS(msg.sender);
    }
}
