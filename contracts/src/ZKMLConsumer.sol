// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {ZKMLDomain} from "./ZKMLDomain.sol";
import {ZKMLOwnable} from "./ZKMLOwnable.sol";
import {IERCZKMLInference} from "./interfaces/IERCZKMLVerifier.sol";
import {IZKMLRegistry} from "./interfaces/IZKMLRegistry.sol";
import {IZKMLVerifier} from "./interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "./libraries/ZKMLAddress.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title What a contract inherits that acts on a model's output
/// @notice Pins one model, and takes each proof once: for the subject, the action, the deadline and the nonce that it was
/// made for, in this contract, on this chain.
///
/// A proof says which output this model gives on some input. It does NOT say that the input is true, and whoever proves
/// chooses it. {_checkProvenance} is where a contract says why it believes the input; there is no default.
/// @dev A function that acts on an output hashes what it is about to do into `action`, calls {_verifyInference}, and only
/// then does it. Checks of the output itself go into {_validateOutput}. Nonces move before anything outside is called, so a
/// hook that is entered again finds the proof used.
///
/// The nonce is part of the context, and the context of the statement: a statement is accepted at most once, whatever its
/// proof looks like. Proofs can be re-randomised, so hashes of them would protect nothing.
///
/// What it remembers lies at places of its own (ERC-7201), and what it was deployed with is part of its code. So a proxy may
/// borrow it: each has contexts, nonces and an owner of its own, and accepts nothing before {_initializeConsumer}. Whoever
/// can exchange the code behind a proxy can exchange the model, and everything else.
abstract contract ZKMLConsumer is ZKMLOwnable, ZKMLDomain {
    /// @notice What a caller hands in.
    /// @param deadline Last acceptable block time, in seconds since 1970; bound by the context.
    /// @param output The words of the output section, 32 bytes each.
    /// @param proof The proof blob, see {ZKMLStatement}.
    /// @param provenance Why the input is to be believed; what it holds is up to {_checkProvenance}.
    struct Inference {
        uint256 deadline;
        bytes output;
        bytes proof;
        bytes provenance;
    }

    /// @dev What the contract remembers.
    /// @custom:storage-location erc7201:zkml-chain.storage.Consumer
    struct ConsumerStorage {
        /// The model that took over last; zero if none did.
        uint256 laterModelId;
        uint256 proposedModelId;
        uint256 proposedModelFrom;
        mapping(address subject => uint256 nonce) nonces;
        /// Whether a proxy has its owner; not needed of the contract itself.
        bool initialized;
    }

    /// @dev ERC-7201's place of {ConsumerStorage}.
    bytes32 private constant _CONSUMER_STORAGE = 0x70afe90c0da4e3d7a02bbfe2729426c9fb57499d886dd27043b2ceeaedcb0500;

    /// @notice The shortest delay before another model can take over: an hour.
    uint256 public constant MIN_MODEL_DELAY = 1 hours;

    /// @notice Checks the proofs.
    IZKMLVerifier public immutable ZKML_VERIFIER;
    /// @notice Seconds between the proposal of another model and its taking over; zero if the model is fixed for good.
    uint256 public immutable MODEL_DELAY;

    /// @dev Where the verifier finds its models.
    IZKMLRegistry internal immutable _REGISTRY;
    /// @dev What every model of this contract has in common: the circuit, its key and the proof system.
    bytes32 private immutable _ARCHITECTURE;
    /// @dev The model that the contract was deployed with: not in storage, since most never have another.
    uint256 private immutable _FIRST_MODEL_ID;

    /// @notice An inference was accepted. The verifier's event before it names the model and the output.
    /// @param subject Whom it is about.
    /// @param nonce The subject's nonce, used up now; of a request, see {ZKMLRequests}, its id.
    /// @param action What it was made for.
    /// @param dataCommitment The commitment to its input.
    event InferenceAccepted(address indexed subject, uint256 nonce, bytes32 action, bytes32 dataCommitment);
    /// @notice Another model was proposed.
    /// @param modelId The model.
    /// @param activeFrom Block time from which it can take over.
    event ModelProposed(uint256 indexed modelId, uint256 activeFrom);
    /// @notice A proposal was withdrawn.
    /// @param modelId The model that had been proposed.
    event ModelProposalCancelled(uint256 indexed modelId);
    /// @notice Another model has taken over.
    /// @param oldModelId The model until now.
    /// @param newModelId The model from now on.
    event ModelChanged(uint256 indexed oldModelId, uint256 indexed newModelId);

    /// @notice The inference was valid until this time.
    /// @param deadline Seconds since 1970.
    error InferenceExpired(uint256 deadline);
    /// @notice The proof is bound to another chain, contract, subject, nonce, deadline or action.
    /// @param actual Its context.
    /// @param expected The context that it must have.
    error WrongContext(bytes32 actual, bytes32 expected);
    /// @notice The registry's entry is not the pinned model, or the model is of another architecture.
    /// @param modelId The model's id.
    error WrongModel(uint256 modelId);
    /// @notice The model is out of use, for good: nothing could ever be proven about it.
    /// @param modelId The model's id.
    error ModelIsDeprecated(uint256 modelId);
    /// @notice The model of this contract is fixed for good.
    error ModelIsFixed();
    /// @notice The proposed model is the present one, or deprecated.
    /// @param modelId The model's id.
    error UselessProposal(uint256 modelId);
    /// @notice No model was proposed.
    error NoProposal();
    /// @notice The proposed model cannot take over yet.
    /// @param activeFrom Block time from which it can.
    error ProposalNotActive(uint256 activeFrom);
    /// @notice The delay is neither zero nor at least {MIN_MODEL_DELAY}.
    /// @param delay The delay, in seconds.
    error DelayTooShort(uint256 delay);
    /// @notice The contract is borrowed by a proxy that has not called {_initializeConsumer}.
    error NotInitialized();
    /// @notice Only a proxy is initialized, and once.
    error AlreadyInitialized();

    /// @notice Pins a model.
    /// @param verifier Checks the proofs; it brings registry and router along, for good.
    /// @param modelId_ The model, which must be in use. Its id is a hash of who registered it and of all that identifies it.
    /// @param modelDelay Seconds before another model can take over; zero fixes the model for good. Only a model with
    /// private weights can be followed by another: otherwise the verifying key is the model.
    /// @param owner_ Who may propose another model; gives up by `renounceOwnership`.
    constructor(IZKMLVerifier verifier, uint256 modelId_, uint256 modelDelay, address owner_) Ownable(owner_) {
        if (modelDelay != 0 && modelDelay < MIN_MODEL_DELAY) revert DelayTooShort(modelDelay);
        ZKMLAddress.check(address(verifier));
        ZKML_VERIFIER = verifier;
        _REGISTRY = IZKMLRegistry(verifier.registry());
        MODEL_DELAY = modelDelay;
        (IZKMLRegistry.Identity memory identity, bool deprecated) = _identity(_REGISTRY, modelId_);
        if (deprecated) revert ModelIsDeprecated(modelId_);
        _ARCHITECTURE = _architecture(identity);
        _FIRST_MODEL_ID = modelId_;
        emit ModelChanged(0, modelId_);
    }

    /// @notice Proposes another model of the same architecture. Only its weights may differ.
    /// @param modelId_ The model.
    function proposeModel(uint256 modelId_) external onlyOwner {
        if (MODEL_DELAY == 0) revert ModelIsFixed();
        _checkProposal(modelId_);
        uint256 activeFrom = block.timestamp + MODEL_DELAY;
        ConsumerStorage storage s = _consumer();
        (s.proposedModelId, s.proposedModelFrom) = (modelId_, activeFrom);
        emit ModelProposed(modelId_, activeFrom);
    }

    /// @notice Withdraws the proposal.
    function cancelModel() external onlyOwner {
        ConsumerStorage storage s = _consumer();
        uint256 proposed = s.proposedModelId;
        if (proposed == 0) revert NoProposal();
        (s.proposedModelId, s.proposedModelFrom) = (0, 0);
        emit ModelProposalCancelled(proposed);
    }

    /// @notice Lets the proposed model take over, once its delay is over. Proofs about the present one are refused from
    /// then on.
    function acceptModel() external onlyOwner {
        ConsumerStorage storage s = _consumer();
        uint256 proposed = s.proposedModelId;
        if (proposed == 0) revert NoProposal();
        if (block.timestamp < s.proposedModelFrom) revert ProposalNotActive(s.proposedModelFrom);
        _checkProposal(proposed);
        emit ModelChanged(modelId(), proposed);
        s.laterModelId = proposed;
        (s.proposedModelId, s.proposedModelFrom) = (0, 0);
    }

    /// @notice The model that was proposed to take over.
    /// @return id Zero if none was.
    function proposedModelId() external view returns (uint256 id) {
        return _consumer().proposedModelId;
    }

    /// @notice When the proposed model can take over.
    /// @return activeFrom Block time from which it can; zero if none was proposed.
    function proposedModelFrom() external view returns (uint256 activeFrom) {
        return _consumer().proposedModelFrom;
    }

    /// @notice The model that proofs must be about.
    /// @return id Its id in the registry.
    function modelId() public view returns (uint256 id) {
        if (MODEL_DELAY == 0) return _FIRST_MODEL_ID;
        id = _consumer().laterModelId;
        if (id == 0) return _FIRST_MODEL_ID;
    }

    /// @notice The next nonce of a subject.
    /// @param subject Whom inferences are about.
    /// @return nonce How many were accepted already, requests left out.
    function nonces(address subject) public view returns (uint256 nonce) {
        return _consumer().nonces[subject];
    }

    /// @notice What a proof must be bound to, to be accepted here. A proxy without an owner accepts nothing, and has none.
    /// @param subject Whom the inference is about.
    /// @param nonce The subject's next nonce, from {nonces}.
    /// @param deadline Last acceptable block time, in seconds since 1970.
    /// @param action What the result is to be used for, hashed.
    /// @return context The context: pass it to `zkml-chain prove --context`.
    function contextOf(address subject, uint256 nonce, uint256 deadline, bytes32 action)
        public
        view
        returns (bytes32 context)
    {
        bytes32 separator = _DOMAIN_SEPARATOR;
        if (_isElsewhere()) {
            _checkInitialized();
            separator = ZKMLStatement.domainSeparator(address(this));
        }
        return ZKMLStatement.contextOf(separator, subject, nonce, deadline, action);
    }

    /// @notice The commitment hash of the pinned model: see {ZKMLStatement-commitmentHash}.
    /// @return hash As the registry has it; checked against the pinned id.
    function commitmentHash() external view returns (bytes32 hash) {
        (IZKMLRegistry.Identity memory identity,) = _identity(_REGISTRY, modelId());
        return ZKMLStatement.identityHash(identity);
    }

    /// @dev Takes an inference, once. What it does not check is left to the hooks, and to the caller of this function.
    /// @param subject Whom the inference is about: usually `msg.sender`. The proof alone authorises nobody.
    /// @param action What the caller of this function is about to do, hashed with all its parameters.
    /// @param inference What was handed in.
    function _verifyInference(address subject, bytes32 action, Inference calldata inference) internal {
        (uint256 deadline, bytes calldata output, bytes calldata proof) =
            (inference.deadline, inference.output, inference.proof);
        if (block.timestamp > deadline) revert InferenceExpired(deadline);
        _beforeInference();
        uint256 nonce;
        // One at a time: it never gets to the end of its range.
        unchecked {
            nonce = _consumer().nonces[subject]++;
        }
        (, bytes32 dataCommitment, bytes32 context) = ZKMLStatement.header(proof);
        bytes32 expected = contextOf(subject, nonce, deadline, action);
        if (context != expected) revert WrongContext(context, expected);
        _checkProvenance(subject, action, dataCommitment, inference.provenance);
        _verifyProof(dataCommitment, context, output, proof);
        _apply(subject, nonce, action, dataCommitment, output);
    }

    /// @dev Has a proof checked, and does nothing with it. The caller has made sure that the proof is bound to the right
    /// context, that this counts once and is not too late, and that the input is to be believed.
    /// @param dataCommitment The commitment to the input, as the proof names it.
    /// @param context What the proof is bound to.
    /// @param output The words of the output section.
    /// @param proof The proof blob.
    function _verifyProof(bytes32 dataCommitment, bytes32 context, bytes calldata output, bytes calldata proof)
        internal
    {
        bytes32 commitment = ZKMLStatement.inputCommitment(dataCommitment, context);
        // The model is read after the hook, which may have let another one take over.
        _verifyProofOf(modelId(), commitment, output, proof);
    }

    /// @dev `ZKML_VERIFIER.verifyInference(id, commitment, output, proof)`, 180 gas cheaper than Solidity writes it.
    /// @param id The model, for whose choice the caller answers.
    /// @param commitment The commitment to the input and to what the proof is bound to.
    /// @param output The words of the output section.
    /// @param proof The proof blob.
    function _verifyProofOf(uint256 id, bytes32 commitment, bytes calldata output, bytes calldata proof) internal {
        address verifier = address(ZKML_VERIFIER);
        bytes4 selector = IERCZKMLInference.verifyInference.selector;
        assembly ("memory-safe") {
            // Selector, model, commitment, and where output and proof begin, behind the end of memory in use.
            let free := mload(0x40)
            let padded := and(add(output.length, 0x1f), not(0x1f))
            mstore(free, selector)
            mstore(add(free, 0x04), id)
            mstore(add(free, 0x24), commitment)
            mstore(add(free, 0x44), 0x80)
            mstore(add(free, 0x64), add(0xa0, padded))
            // Both with their length in front, and zeros up to a whole word.
            let place := add(free, 0x84)
            mstore(place, output.length)
            calldatacopy(add(place, 0x20), output.offset, output.length)
            place := add(place, 0x20)
            mstore(add(place, output.length), 0)
            place := add(place, padded)
            mstore(place, proof.length)
            place := add(place, 0x20)
            calldatacopy(place, proof.offset, proof.length)
            mstore(add(place, proof.length), 0)
            place := add(place, and(add(proof.length, 0x1f), not(0x1f)))
            // Where there is no contract, calls succeed.
            if iszero(extcodesize(verifier)) { revert(0, 0) }
            if iszero(call(gas(), verifier, 0, free, sub(place, free), 0, 0)) {
                // What the verifier says passes through.
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }

    /// @dev Acts on an output that was proven.
    /// @param subject Whom the inference is about.
    /// @param nonce What makes the context count once.
    /// @param action What it was made for.
    /// @param dataCommitment The commitment to its input.
    /// @param output The proven words of the output section.
    function _apply(address subject, uint256 nonce, bytes32 action, bytes32 dataCommitment, bytes calldata output)
        internal
    {
        _validateOutput(subject, output);
        emit InferenceAccepted(subject, nonce, action, dataCommitment);
        _onInference(subject, action, dataCommitment, output);
    }

    /// @dev Whether a proof is valid for this model, whatever it is bound to. Good for looking, not for deciding.
    function _checkInference(bytes calldata output, bytes calldata proof) internal view {
        (, bytes32 dataCommitment, bytes32 context) = ZKMLStatement.header(proof);
        ZKML_VERIFIER.checkInference(modelId(), ZKMLStatement.inputCommitment(dataCommitment, context), output, proof);
    }

    /// @dev Gives a proxy its owner, once. Call it in what a proxy calls first; a proxy without it accepts nothing.
    /// @param owner_ Who owns the proxy; see the constructor.
    function _initializeConsumer(address owner_) internal {
        ConsumerStorage storage s = _consumer();
        if (address(this) == _SELF || s.initialized) revert AlreadyInitialized();
        if (owner_ == address(0)) revert OwnableInvalidOwner(address(0));
        s.initialized = true;
        _transferOwnership(owner_);
        emit ModelChanged(0, modelId());
    }

    /// @dev Refuses a proxy that nobody owns yet: whoever came first could say who does.
    function _checkInitialized() internal view {
        if (address(this) != _SELF && !_consumer().initialized) revert NotInitialized();
    }

    /// @dev Refuses inferences for as long as the contract takes none, asked for or not; by default, never. See {ZKMLPausable}.
    function _beforeInference() internal view virtual {}

    /// @dev Says why the input is to be believed, or reverts. Without a check here, whoever proves chooses the input, and
    /// with it the output.
    /// @param subject Whom the inference is about.
    /// @param action What the inference is for: an input that is true may still be the wrong one for this.
    /// @param dataCommitment The commitment to the input: the salted one of a committed input, or the Keccak-256 over the
    /// words of the input section.
    /// @param provenance What was handed in to show it.
    function _checkProvenance(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata provenance)
        internal
        virtual;

    /// @dev Refuses outputs that the application cannot use, or reverts for other reasons of its own.
    /// @param subject Whom the inference is about.
    /// @param output The proven words of the output section; {ZKMLCodec} decodes them.
    function _validateOutput(address subject, bytes calldata output) internal virtual;

    /// @dev What follows from an accepted inference; nothing by default.
    /// @param subject Whom the inference is about.
    /// @param action What it was made for.
    /// @param dataCommitment The commitment to its input.
    /// @param output The proven words of the output section.
    function _onInference(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata output)
        internal
        virtual {}

    /// @dev Refuses models that cannot follow the present one.
    function _checkProposal(uint256 modelId_) private view {
        (IZKMLRegistry.Identity memory identity, bool deprecated) = _identity(_REGISTRY, modelId_);
        if (_architecture(identity) != _ARCHITECTURE) revert WrongModel(modelId_);
        if (deprecated || modelId_ == modelId()) revert UselessProposal(modelId_);
    }

    /// @dev The identity of a model, and whether it is out of use. A model's id is a hash of its registrant and identity, so a registry that answers anything
    /// else than what was pinned is found out.
    function _identity(IZKMLRegistry registry, uint256 modelId_)
        private
        view
        returns (IZKMLRegistry.Identity memory identity, bool deprecated)
    {
        address registrant;
        (identity, registrant, deprecated) = registry.identityOf(modelId_);
        bytes32 hash = ZKMLStatement.identityHash(identity);
        if (ZKMLStatement.modelIdOf(registrant, hash) != modelId_) revert WrongModel(modelId_);
    }

    /// @dev What two models share that differ in their private weights only.
    function _architecture(IZKMLRegistry.Identity memory identity) private pure returns (bytes32 hash) {
        return keccak256(abi.encode(identity.circuitHash, identity.vkHash, identity.proofSystemId));
    }

    /// @dev What the contract remembers.
    function _consumer() internal pure returns (ConsumerStorage storage s) {
        assembly ("memory-safe") {
            // A place is no address of a variable until it is said to be one.
            s.slot := _CONSUMER_STORAGE
        }
    }
}
