// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "./ZKMLConsumer.sol";
import {ZKMLLedger} from "./ZKMLLedger.sol";
import {IZKMLAcceptance} from "./interfaces/IZKMLAcceptance.sol";
import {IZKMLBeacon} from "./interfaces/IZKMLBeacon.sol";
import {ZKMLPolicy} from "./libraries/ZKMLPolicy.sol";
import {ZKMLProvable} from "./libraries/ZKMLProvable.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title What a contract inherits that takes results as a policy says
/// @notice Beside {_verifyInference}, which takes a proof, a contract offers {_postResult}, and says under which policy: by model, by the
/// amount at stake, or by what else it likes. See {IZKMLAcceptance}.
///
/// Three things remain. Nobody demands a proof that costs more than the lie would cost anybody; so somebody has to look. Who keeps
/// transactions out of the chain for a whole window wins. And who registered a model can deprecate it, once: then results that are open
/// count for nothing and bonds go back, those of liars, too.
/// @dev Posting uses the subject's nonce up, so a statement is either proven by {_verifyInference} or posted, once. Policy and model are
/// part of a result's id: nobody can change them later. Money is settled apart from acting on the output, so a hook that refuses
/// costs nobody a bond. To {_onInference}, anybody may be the caller, at any moment until the deadline.
abstract contract ZKMLAcceptance is ZKMLConsumer, ZKMLLedger, IZKMLAcceptance {
    /// @dev All that is kept of results.
    /// @custom:storage-location erc7201:zkml-chain.storage.Acceptance
    struct AcceptanceStorage {
        mapping(bytes32 resultId => Status status) statuses;
        mapping(bytes32 resultId => address challenger) challengers;
    }

    /// @dev ERC-7201's place of {AcceptanceStorage}.
    bytes32 private constant _ACCEPTANCE_STORAGE = 0x06bb2a30a1aa6bf7ae604ad3c2b87991b414f393cb17f44ed3752790ab59d200;

    /// @notice EIP-712 type of an attestation.
    bytes32 public constant ATTESTATION_TYPEHASH = keccak256(
        "ZKMLAttestation(uint256 modelId,bytes32 statement,bytes32 outputHash,uint64 issuedAt,uint64 validUntil)"
    );

    /// @dev Type of a result's id.
    bytes32 private constant _RESULT_TYPEHASH =
        keccak256("ZKMLResult(address poster,uint256 modelId,bytes32 statement,bytes32 outputHash,bytes32 policyHash)");

    /// @inheritdoc IZKMLAcceptance
    function challenge(Result calldata result, AcceptancePolicy calldata policy) external payable {
        (bytes32 resultId, Status storage status) = _open(result, policy);
        _requirePath(policy, ZKMLPolicy.OPTIMISTIC);
        uint256 end = status.since + policy.challengeWindow;
        if (block.timestamp > end) revert ChallengeWindowClosed(end);
        uint256 until = _demand(status, policy);
        _acceptance().challengers[resultId] = msg.sender;
        _setAside(msg.sender, policy.asset, policy.deposit);
        emit ResultChallenged(resultId, msg.sender, until);
    }

    /// @inheritdoc IZKMLAcceptance
    function draw(Result calldata result, AcceptancePolicy calldata policy) external {
        (bytes32 resultId, Status storage status) = _open(result, policy);
        _requirePath(policy, ZKMLPolicy.SAMPLED);
        if (status.held & ZKMLPolicy.SAMPLED != 0) revert HoldsAlready(ZKMLPolicy.SAMPLED);
        (IZKMLBeacon.RoundState state, bytes32 value) = policy.beacon.randomnessOf(status.round);
        if (state == IZKMLBeacon.RoundState.Waiting) revert NotDrawnYet(status.round);
        // Otherwise a poster that does not like its draw would keep it to itself.
        bool due = state == IZKMLBeacon.RoundState.Missed || ZKMLPolicy.isDrawn(resultId, value, policy.rate);
        if (!due) status.held |= uint8(ZKMLPolicy.SAMPLED);
        emit ResultDrawn(resultId, due, due ? _demand(status, policy) : 0);
    }

    /// @inheritdoc IZKMLAcceptance
    function attest(Result calldata result, AcceptancePolicy calldata policy, Attestation[] calldata attestations)
        external
    {
        (bytes32 resultId, Status storage status) = _open(result, policy);
        _requirePath(policy, ZKMLPolicy.ATTESTED);
        if (status.held & ZKMLPolicy.ATTESTED != 0) revert HoldsAlready(ZKMLPolicy.ATTESTED);
        _checkAttestations(result, policy, attestations);
        status.held |= uint8(ZKMLPolicy.ATTESTED);
        emit ResultAttested(resultId);
    }

    /// @inheritdoc IZKMLAcceptance
    function prove(
        Result calldata result,
        AcceptancePolicy calldata policy,
        bytes calldata output,
        bytes calldata proof
    ) external {
        bytes32 resultId = _idOf(result, policy);
        Status storage status = _acceptance().statuses[resultId];
        State state = status.state;
        bool open = state == State.Posted || state == State.Demanded;
        if ((!open && state != State.Accepted) || status.held & ZKMLPolicy.PROVEN != 0) {
            revert WrongState(resultId, state);
        }
        if (state == State.Demanded && block.timestamp > status.until) revert AnswerTooLate(status.until);
        _checkOutput(result, output);
        status.held |= uint8(ZKMLPolicy.PROVEN);
        if (open) {
            status.state = State.Proven;
            _credit(result.poster, policy.asset, policy.bond);
            if (_acceptance().challengers[resultId] != address(0)) {
                _credit(result.poster, policy.asset, policy.deposit);
            }
        }
        _verifyProofOf(result.modelId, _statementOf(result), output, proof);
        emit ResultProven(resultId);
    }

    /// @inheritdoc IZKMLAcceptance
    function accept(Result calldata result, AcceptancePolicy calldata policy, bytes calldata output) external {
        if (block.timestamp > result.deadline) revert InferenceExpired(result.deadline);
        _beforeInference();
        _checkOutput(result, output);
        bytes32 resultId = _idOf(result, policy);
        Status storage status = _acceptance().statuses[resultId];
        State state = status.state;
        if (state == State.Posted) {
            uint256 held = _held(status, policy);
            if (ZKMLPolicy.count(held) < policy.required) revert NotAcceptable(held, policy.required);
            _credit(result.poster, policy.asset, policy.bond);
        } else if (state != State.Proven) {
            revert WrongState(resultId, state);
        }
        status.state = State.Accepted;
        _act(resultId, result, output);
    }

    /// @inheritdoc IZKMLAcceptance
    function claim(Result calldata result, AcceptancePolicy calldata policy) external {
        bytes32 resultId = _idOf(result, policy);
        Status storage status = _acceptance().statuses[resultId];
        if (status.state != State.Demanded) revert WrongState(resultId, status.state);
        if (block.timestamp <= status.until) revert AnswerWindowOpen(status.until);
        if (!ZKMLProvable.isProvable(ZKML_VERIFIER, result.modelId)) revert NotProvable(result.modelId);
        status.state = State.Lost;
        address challenger = _acceptance().challengers[resultId];
        uint256 share;
        if (challenger != address(0)) {
            // A liar that challenges itself before others do keeps a half, and no more.
            share = policy.bond / 2;
            _credit(challenger, policy.asset, share + policy.deposit);
        }
        _credit(policy.beneficiary, policy.asset, policy.bond - share);
        emit ResultLost(resultId, challenger);
    }

    /// @inheritdoc IZKMLAcceptance
    function release(Result calldata result, AcceptancePolicy calldata policy) external {
        bytes32 resultId = _idOf(result, policy);
        Status storage status = _acceptance().statuses[resultId];
        State state = status.state;
        if (state != State.Posted && state != State.Demanded) revert WrongState(resultId, state);
        if (ZKMLProvable.isProvable(ZKML_VERIFIER, result.modelId)) {
            if (msg.sender != result.poster) revert NotPoster(msg.sender);
            if (state == State.Demanded || _isExposed(status, policy)) revert StillExposed(resultId);
        }
        status.state = State.Void;
        _credit(result.poster, policy.asset, policy.bond);
        address challenger = _acceptance().challengers[resultId];
        if (challenger != address(0)) _credit(challenger, policy.asset, policy.deposit);
        emit ResultVoided(resultId);
    }

    /// @inheritdoc IZKMLAcceptance
    function statusOf(bytes32 resultId) external view returns (Status memory status) {
        return _acceptance().statuses[resultId];
    }

    /// @inheritdoc IZKMLAcceptance
    function challengerOf(bytes32 resultId) external view returns (address challenger) {
        return _acceptance().challengers[resultId];
    }

    /// @inheritdoc IZKMLAcceptance
    function resultIdOf(Result calldata result, AcceptancePolicy calldata policy)
        external
        view
        returns (bytes32 resultId)
    {
        return _idOf(result, policy);
    }

    /// @inheritdoc IZKMLAcceptance
    function resultContext(Result calldata result) external view returns (bytes32 context) {
        return contextOf(result.subject, result.nonce, result.deadline, result.action);
    }

    /// @inheritdoc IZKMLAcceptance
    function attestationDigest(Result calldata result, uint64 issuedAt, uint64 validUntil)
        external
        view
        returns (bytes32 digest)
    {
        return _attestationDigest(result, _statementOf(result), issuedAt, validUntil);
    }

    /// @dev Posts a result, if its input is to be believed. The bond comes along as coins, or out of the caller's account here; a result
    /// that counts at once, by its attestations, needs none. The coins that come along are all of `msg.value`.
    /// @param subject Whom the inference is about: usually `msg.sender`.
    /// @param action What the caller of this function will do in {_onInference}, hashed with all its parameters.
    /// @param posting What was handed in.
    /// @param policy What the result has to show. What a caller hands in is for the application to compare with its own, see {ZKMLTiers}.
    /// @return resultId The result's id.
    function _postResult(address subject, bytes32 action, Posting calldata posting, AcceptancePolicy calldata policy)
        internal
        returns (bytes32 resultId)
    {
        uint256 earliest = block.timestamp + ZKMLPolicy.check(policy, msg.sender);
        if (block.timestamp > posting.deadline) revert InferenceExpired(posting.deadline);
        if (earliest > posting.deadline) revert DeadlineTooSoon(posting.deadline, earliest);
        _beforeInference();
        Result memory result;
        (result.poster, result.subject, result.action) = (msg.sender, subject, action);
        (result.deadline, result.dataCommitment) = (posting.deadline, posting.dataCommitment);
        result.outputHash = keccak256(posting.output);
        // One at a time: it never gets to the end of its range.
        unchecked {
            result.nonce = _consumer().nonces[subject]++;
        }
        _checkProvenance(subject, action, posting.dataCommitment, posting.provenance);
        // The hook may have let another one take over.
        result.modelId = modelId();
        return _enter(result, posting, policy);
    }

    /// @dev Writes a result down, and acts on it at once if its attestations are enough.
    function _enter(Result memory result, Posting calldata posting, AcceptancePolicy calldata policy)
        private
        returns (bytes32 resultId)
    {
        resultId = _idOf(result, policy);
        Status memory status;
        // Block times are far below 2^40.
        (status.state, status.since) = (State.Posted, uint40(block.timestamp));
        emit ResultPosted(resultId, result.subject, result.poster, result, policy, posting.output);
        if (posting.attestations.length != 0) {
            _requirePath(policy, ZKMLPolicy.ATTESTED);
            _checkAttestations(result, policy, posting.attestations);
            status.held = uint8(ZKMLPolicy.ATTESTED);
            emit ResultAttested(resultId);
            if (policy.required == 1) {
                if (msg.value != 0) revert WrongValue(msg.value, 0);
                status.state = State.Accepted;
                _acceptance().statuses[resultId] = status;
                _act(resultId, result, posting.output);
                return resultId;
            }
        }
        if (policy.paths & ZKMLPolicy.SAMPLED != 0) status.round = policy.beacon.nextRound();
        _acceptance().statuses[resultId] = status;
        _setAside(msg.sender, policy.asset, policy.bond);
    }

    /// @dev Has the application act on a result, where it could still be proven, or has been.
    function _act(bytes32 resultId, Result memory result, bytes calldata output) private {
        if (!ZKMLProvable.isProvable(ZKML_VERIFIER, result.modelId)) revert NotProvable(result.modelId);
        emit ResultAccepted(resultId);
        _apply(result.subject, result.nonce, result.action, result.dataCommitment, output);
    }

    /// @dev Makes a proof due.
    function _demand(Status storage status, AcceptancePolicy calldata policy) private returns (uint256 until) {
        // Block times are far below 2^40, and windows below 2^32.
        until = block.timestamp + policy.answerWindow;
        (status.state, status.until) = (State.Demanded, uint40(until));
    }

    /// @dev Refuses signatures that are not as many as they must be, of different keys, for this result and for now.
    function _checkAttestations(
        Result memory result,
        AcceptancePolicy calldata policy,
        Attestation[] calldata attestations
    ) private view {
        if (attestations.length != policy.signatures) {
            revert SignaturesOutOfBounds(attestations.length, policy.signatures);
        }
        bytes32 statement = _statementOf(result);
        bytes32 last;
        for (uint256 i = 0; i < attestations.length; ++i) {
            Attestation calldata each = attestations[i];
            if (each.keyId <= last) revert KeysNotAscending(each.keyId);
            last = each.keyId;
            if (block.timestamp < each.issuedAt) revert AttestationNotYetValid(each.issuedAt);
            if (block.timestamp > each.validUntil) revert AttestationExpired(each.validUntil);
            bytes32 digest = _attestationDigest(result, statement, each.issuedAt, each.validUntil);
            policy.attestors.check(each.keyId, digest, each.signature);
        }
    }

    /// @dev A result whose paths are open.
    function _open(Result calldata result, AcceptancePolicy calldata policy)
        private
        view
        returns (bytes32 resultId, Status storage status)
    {
        resultId = _idOf(result, policy);
        status = _acceptance().statuses[resultId];
        if (status.state != State.Posted) revert WrongState(resultId, status.state);
    }

    /// @dev Which paths hold now.
    function _held(Status storage status, AcceptancePolicy calldata policy) private view returns (uint256 held) {
        held = status.held;
        if (policy.paths & ZKMLPolicy.OPTIMISTIC != 0 && block.timestamp > status.since + policy.challengeWindow) {
            held |= ZKMLPolicy.OPTIMISTIC;
        }
    }

    /// @dev Whether a proof may still become due.
    function _isExposed(Status storage status, AcceptancePolicy calldata policy) private view returns (bool exposed) {
        return policy.paths & ~_held(status, policy) & (ZKMLPolicy.OPTIMISTIC | ZKMLPolicy.SAMPLED) != 0;
    }

    /// @dev What ERC-7992 calls the input commitment: data, chain, contract, subject, nonce, deadline and action.
    function _statementOf(Result memory result) private view returns (bytes32 statement) {
        bytes32 context = contextOf(result.subject, result.nonce, result.deadline, result.action);
        return ZKMLStatement.inputCommitment(result.dataCommitment, context);
    }

    function _attestationDigest(Result memory result, bytes32 statement, uint64 issuedAt, uint64 validUntil)
        private
        view
        returns (bytes32 digest)
    {
        bytes32 message = keccak256(
            abi.encode(ATTESTATION_TYPEHASH, result.modelId, statement, result.outputHash, issuedAt, validUntil)
        );
        return ZKMLStatement.typedDigest(_domainSeparator(), message);
    }

    function _idOf(Result memory result, AcceptancePolicy calldata policy) private view returns (bytes32 resultId) {
        bytes32 policyHash = keccak256(abi.encode(policy));
        return keccak256(
            abi.encode(
                _RESULT_TYPEHASH, result.poster, result.modelId, _statementOf(result), result.outputHash, policyHash
            )
        );
    }

    /// @dev Refuses what a policy does not offer.
    function _requirePath(AcceptancePolicy calldata policy, uint256 path) private pure {
        if (policy.paths & path == 0) revert NoSuchPath(path);
    }

    /// @dev Refuses other words than were posted.
    function _checkOutput(Result calldata result, bytes calldata output) private pure {
        bytes32 hash = keccak256(output);
        if (hash != result.outputHash) revert WrongOutput(hash, result.outputHash);
    }

    function _acceptance() private pure returns (AcceptanceStorage storage s) {
        assembly ("memory-safe") {
            // A place is no address of a variable until it is said to be one.
            s.slot := _ACCEPTANCE_STORAGE
        }
    }
}
