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
    function challenge(Result memory result, AcceptancePolicy memory policy) external payable {
        (bytes32 resultId, Status storage status) = _open(result, policy, ZKMLPolicy.OPTIMISTIC);
        uint256 end = status.since + policy.challengeWindow;
        if (block.timestamp > end) revert ChallengeWindowClosed(end);
        uint256 until = _demand(status, policy);
        _acceptance().challengers[resultId] = msg.sender;
        _setAside(msg.sender, policy.asset, policy.deposit);
        emit ResultChallenged(resultId, msg.sender, until);
    }

    /// @inheritdoc IZKMLAcceptance
    function draw(Result memory result, AcceptancePolicy memory policy) external {
        (bytes32 resultId, Status storage status) = _open(result, policy, ZKMLPolicy.SAMPLED);
        uint64 round = status.round;
        (IZKMLBeacon.RoundState state, bytes32 value) = policy.beacon.randomnessOf(round);
        if (state == IZKMLBeacon.RoundState.Waiting) revert NotDrawnYet(round);
        // Otherwise a poster that does not like its draw would keep it to itself.
        bool due = state == IZKMLBeacon.RoundState.Missed || ZKMLPolicy.isDrawn(resultId, value, policy.rate);
        uint256 until;
        if (due) until = _demand(status, policy);
        else status.held |= uint8(ZKMLPolicy.SAMPLED);
        emit ResultDrawn(resultId, due, until);
    }

    /// @inheritdoc IZKMLAcceptance
    function attest(Result memory result, AcceptancePolicy memory policy, Attestation[] calldata attestations)
        external
    {
        (bytes32 resultId, Status storage status) = _open(result, policy, ZKMLPolicy.ATTESTED);
        _checkAttestations(resultId, result, policy, _statementOf(result), attestations);
        status.held |= uint8(ZKMLPolicy.ATTESTED);
    }

    /// @inheritdoc IZKMLAcceptance
    function prove(Result memory result, AcceptancePolicy memory policy, bytes calldata output, bytes calldata proof)
        external
    {
        (bytes32 resultId, Status storage status, State state) = _find(result, policy);
        bool open = _isOpen(state);
        uint8 held = status.held;
        if ((!open && state != State.Accepted) || held & ZKMLPolicy.PROVEN != 0) _refuse(resultId, state);
        if (state == State.Demanded && block.timestamp > status.until) revert AnswerTooLate(status.until);
        _checkOutput(result, output);
        status.held = held | uint8(ZKMLPolicy.PROVEN);
        if (open) {
            status.state = State.Proven;
            _payBack(resultId, result.poster, policy, true);
        }
        _verifyProofOf(result.modelId, _statementOf(result), output, proof);
        emit ResultProven(resultId);
    }

    /// @inheritdoc IZKMLAcceptance
    function accept(Result memory result, AcceptancePolicy memory policy, bytes calldata output) external {
        if (block.timestamp > result.deadline) revert InferenceExpired(result.deadline);
        _beforeInference();
        _checkOutput(result, output);
        (bytes32 resultId, Status storage status, State state) = _find(result, policy);
        if (state == State.Posted) {
            uint256 held = _held(status, policy);
            if (ZKMLPolicy.count(held) < policy.required) revert NotAcceptable(held, policy.required);
            _credit(result.poster, policy.asset, policy.bond);
        } else if (state != State.Proven) {
            _refuse(resultId, state);
        }
        status.state = State.Accepted;
        _requireProvable(result.modelId);
        _act(resultId, result, output);
    }

    /// @inheritdoc IZKMLAcceptance
    function claim(Result memory result, AcceptancePolicy memory policy) external {
        (bytes32 resultId, Status storage status, State state) = _find(result, policy);
        if (state != State.Demanded) _refuse(resultId, state);
        if (block.timestamp <= status.until) revert AnswerWindowOpen(status.until);
        _requireProvable(result.modelId);
        status.state = State.Lost;
        address challenger = challengerOf(resultId);
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
    function release(Result memory result, AcceptancePolicy memory policy) external {
        (bytes32 resultId, Status storage status, State state) = _find(result, policy);
        if (!_isOpen(state)) _refuse(resultId, state);
        if (_isProvable(result.modelId)) {
            if (msg.sender != result.poster) revert NotPoster(msg.sender);
            // Paths on which a proof may still become due.
            uint256 exposed = policy.paths & ~_held(status, policy) & (ZKMLPolicy.OPTIMISTIC | ZKMLPolicy.SAMPLED);
            if (state == State.Demanded || exposed != 0) revert StillExposed(resultId);
        }
        status.state = State.Void;
        _payBack(resultId, result.poster, policy, false);
        emit ResultVoided(resultId);
    }

    /// @inheritdoc IZKMLAcceptance
    function statusOf(bytes32 resultId) external view returns (Status memory status) {
        return _acceptance().statuses[resultId];
    }

    /// @inheritdoc IZKMLAcceptance
    function challengerOf(bytes32 resultId) public view returns (address challenger) {
        return _acceptance().challengers[resultId];
    }

    /// @inheritdoc IZKMLAcceptance
    function resultIdOf(Result memory result, AcceptancePolicy memory policy) public view returns (bytes32 resultId) {
        return _idOf(result, policy, _statementOf(result));
    }

    /// @inheritdoc IZKMLAcceptance
    function resultContext(Result memory result) public view returns (bytes32 context) {
        return contextOf(result.subject, result.nonce, result.deadline, result.action);
    }

    /// @inheritdoc IZKMLAcceptance
    function attestationDigest(Result memory result, uint64 issuedAt, uint64 validUntil)
        public
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
    function _postResult(address subject, bytes32 action, Posting calldata posting, AcceptancePolicy memory policy)
        internal
        returns (bytes32 resultId)
    {
        ZKMLPolicy.check(policy);
        return _postChecked(subject, action, posting, policy);
    }

    /// @dev {_postResult} under a policy that went through {ZKMLPolicy-check} before.
    /// @param subject Whom the inference is about.
    /// @param action What will be done, hashed.
    /// @param posting What was handed in.
    /// @param policy What the result has to show.
    /// @return resultId The result's id.
    function _postChecked(address subject, bytes32 action, Posting calldata posting, AcceptancePolicy memory policy)
        internal
        returns (bytes32 resultId)
    {
        // A lost bond would go back to who lost it.
        if (policy.beneficiary == msg.sender) revert BadBeneficiary(msg.sender);
        if (block.timestamp > posting.deadline) revert InferenceExpired(posting.deadline);
        uint256 earliest = block.timestamp + ZKMLPolicy.time(policy);
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
    function _enter(Result memory result, Posting calldata posting, AcceptancePolicy memory policy)
        private
        returns (bytes32 resultId)
    {
        bytes32 statement = _statementOf(result);
        resultId = _idOf(result, policy, statement);
        _tellPosted(resultId, result, policy, posting.output);
        (State state, uint8 held, uint64 round) = (State.Posted, 0, 0);
        if (posting.attestations.length != 0) {
            _checkAttestations(resultId, result, policy, statement, posting.attestations);
            held = uint8(ZKMLPolicy.ATTESTED);
            if (policy.required == 1) state = State.Accepted;
        }
        if (state == State.Posted && policy.paths & ZKMLPolicy.SAMPLED != 0) round = policy.beacon.nextRound();
        Status storage status = _acceptance().statuses[resultId];
        // One slot. Block times are far below 2^40.
        (status.state, status.held, status.since, status.round) = (state, held, uint40(block.timestamp), round);
        if (state == State.Posted) {
            _setAside(msg.sender, policy.asset, policy.bond);
        } else {
            if (msg.value != 0) revert WrongValue(msg.value, 0);
            // Keys speak for it, and no silence: what stops a verifier does not stop them. What ends a model does.
            if (_REGISTRY.isDeprecated(result.modelId)) revert NotProvable(result.modelId);
            _act(resultId, result, posting.output);
        }
    }

    /// @dev `emit ResultPosted(resultId, result.subject, result.poster, result, policy, output)`, 640 gas and 330 bytes of code cheaper than Solidity writes it.
    function _tellPosted(bytes32 resultId, Result memory result, AcceptancePolicy memory policy, bytes calldata output)
        private
    {
        (bytes32 topic, address subject, address poster) = (ResultPosted.selector, result.subject, result.poster);
        assembly ("memory-safe") {
            // Behind the end of memory in use: eight and twelve words, as they lie in memory, copied by the precompile at 4.
            let free := mload(0x40)
            // It fails for want of gas only, and then there is too little for the log, too.
            pop(staticcall(gas(), 4, result, 0x100, free, 0x100))
            pop(staticcall(gas(), 4, policy, 0x180, add(free, 0x100), 0x180))
            // Then where the output begins, and the output, with zeros up to a whole word.
            mstore(add(free, 0x280), 0x2a0)
            mstore(add(free, 0x2a0), output.length)
            mstore(add(add(free, 0x2c0), output.length), 0)
            calldatacopy(add(free, 0x2c0), output.offset, output.length)
            log4(free, add(0x2c0, and(add(output.length, 0x1f), not(0x1f))), topic, resultId, subject, poster)
        }
    }

    /// @dev Has the application act on a result.
    function _act(bytes32 resultId, Result memory result, bytes calldata output) private {
        emit ResultAccepted(resultId);
        _apply(result.subject, result.nonce, result.action, result.dataCommitment, output);
    }

    /// @dev Makes a proof due.
    function _demand(Status storage status, AcceptancePolicy memory policy) private returns (uint256 until) {
        // Block times are far below 2^40, and windows below 2^32.
        until = block.timestamp + policy.answerWindow;
        (status.state, status.until) = (State.Demanded, uint40(until));
    }

    /// @dev Writes the bond back to the poster, and a challenger's deposit to whom it is due.
    function _payBack(bytes32 resultId, address poster, AcceptancePolicy memory policy, bool proven) private {
        _credit(poster, policy.asset, policy.bond);
        address challenger = challengerOf(resultId);
        if (challenger != address(0)) _credit(proven ? poster : challenger, policy.asset, policy.deposit);
    }

    /// @dev Refuses signatures that are not as many as they must be, of different keys, for this result and for now.
    function _checkAttestations(
        bytes32 resultId,
        Result memory result,
        AcceptancePolicy memory policy,
        bytes32 statement,
        Attestation[] calldata attestations
    ) private {
        _requirePath(policy, ZKMLPolicy.ATTESTED);
        if (attestations.length != policy.signatures) {
            revert SignaturesOutOfBounds(attestations.length, policy.signatures);
        }
        bytes32 last;
        for (uint256 i = 0; i < attestations.length; ++i) {
            Attestation calldata each = attestations[i];
            (bytes32 keyId, uint64 issuedAt, uint64 validUntil) = (each.keyId, each.issuedAt, each.validUntil);
            if (keyId <= last) revert KeysNotAscending(keyId);
            last = keyId;
            if (block.timestamp < issuedAt) revert AttestationNotYetValid(issuedAt);
            if (block.timestamp > validUntil) revert AttestationExpired(validUntil);
            policy.attestors.check(keyId, _attestationDigest(result, statement, issuedAt, validUntil), each.signature);
        }
        emit ResultAttested(resultId);
    }

    /// @dev A result whose paths are open, and this one does not hold yet.
    function _open(Result memory result, AcceptancePolicy memory policy, uint256 path)
        private
        view
        returns (bytes32 resultId, Status storage status)
    {
        State state;
        (resultId, status, state) = _find(result, policy);
        if (state != State.Posted) _refuse(resultId, state);
        _requirePath(policy, path);
        if (status.held & path != 0) revert HoldsAlready(path);
    }

    /// @dev The record of a result.
    function _find(Result memory result, AcceptancePolicy memory policy)
        private
        view
        returns (bytes32 resultId, Status storage status, State state)
    {
        resultId = resultIdOf(result, policy);
        status = _acceptance().statuses[resultId];
        state = status.state;
    }

    /// @dev Which paths hold now.
    function _held(Status storage status, AcceptancePolicy memory policy) private view returns (uint256 held) {
        held = status.held;
        if (policy.paths & ZKMLPolicy.OPTIMISTIC != 0 && block.timestamp > status.since + policy.challengeWindow) {
            held |= ZKMLPolicy.OPTIMISTIC;
        }
    }

    /// @dev True while silence says something: a proof could still be made.
    function _isProvable(uint256 id) private view returns (bool provable) {
        return ZKMLProvable.isProvable(ZKML_VERIFIER, _REGISTRY, id);
    }

    /// @dev Refuses a model that nothing can be proven about.
    function _requireProvable(uint256 id) private view {
        if (!_isProvable(id)) revert NotProvable(id);
    }

    /// @dev The id of a result whose statement is known.
    function _idOf(Result memory result, AcceptancePolicy memory policy, bytes32 statement)
        private
        pure
        returns (bytes32 resultId)
    {
        bytes32 policyHash = ZKMLPolicy.hash(policy);
        return keccak256(
            abi.encode(_RESULT_TYPEHASH, result.poster, result.modelId, statement, result.outputHash, policyHash)
        );
    }

    /// @dev What ERC-7992 calls the input commitment: data, chain, contract, subject, nonce, deadline and action.
    function _statementOf(Result memory result) private view returns (bytes32 statement) {
        return ZKMLStatement.inputCommitment(result.dataCommitment, resultContext(result));
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

    /// @dev True while a bond is set aside.
    function _isOpen(State state) private pure returns (bool open) {
        return state == State.Posted || state == State.Demanded;
    }

    /// @dev In one place: it is said in many.
    function _refuse(bytes32 resultId, State state) private pure {
        revert WrongState(resultId, state);
    }

    /// @dev Refuses what a policy does not offer.
    function _requirePath(AcceptancePolicy memory policy, uint256 path) private pure {
        if (policy.paths & path == 0) revert NoSuchPath(path);
    }

    /// @dev Refuses other words than were posted.
    function _checkOutput(Result memory result, bytes calldata output) private pure {
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
