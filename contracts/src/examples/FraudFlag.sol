// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../ZKMLConsumer.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLCodec} from "../libraries/ZKMLCodec.sol";
import {SignedDataRoot} from "../provenance/SignedDataRoot.sol";

/// @title Example: an account that a model suspects is paused for a while
/// @notice A reporter shows a proof that the model finds evidence about an account suspicious. The account is then paused
/// for a bounded time, and free again without anybody's help. It may appeal to an arbiter; an appeal that nobody answers
/// in time ends the pause. Nothing here moves, keeps or destroys anything that belongs to the account.
///
/// The model is private: fraud models are secret, and change. The owner moves to other weights of the same architecture by
/// {proposeModel}, a delay in public, and {acceptModel}.
///
/// WITHOUT THE CHECK OF THE INPUT A REPORTER PAUSES WHOM IT LIKES: it invents a transfer that looks like fraud. And nobody
/// sees the weights: an owner could commit to a model that suspects everybody. That is what bounds, appeal and delay are
/// for.
/// @dev Checks: reporters are chosen by the owner and do not report themselves; account, case and reporter bound by the
/// proof; evidence of this case, signed, and newer than the last flag; score between 0 and 1, rounded down; pause bounded,
/// and followed by a time in which nobody can pause again. A token asks {requireNotPaused} of the sender of a transfer.
contract FraudFlag is ZKMLConsumer, SignedDataRoot {
    /// @notice Where an appeal against the present pause stands.
    enum Appeal {
        None,
        Open,
        Decided
    }

    /// @notice The last flag of an account; fills one slot.
    /// @param flaggedAt When.
    /// @param until Paused before this block time.
    /// @param appeal Where the appeal stands.
    struct Flag {
        uint64 flaggedAt;
        uint64 until;
        Appeal appeal;
    }

    /// @notice Type of the action.
    bytes32 public constant CASE_TYPEHASH = keccak256("FraudCase(address reporter,address account,bytes32 caseId)");
    /// @notice No pause is longer.
    uint64 public constant MAX_PAUSE = 7 days;
    /// @notice How long the arbiter has; after that the appeal has succeeded.
    uint64 public constant ANSWER_TIME = 1 days;
    /// @notice How long an account is safe from flags after a pause.
    uint64 public constant COOLDOWN = 7 days;

    /// @notice Fractional bits of the model's output; belongs to the architecture, as its generated consumer says.
    int256 public immutable OUTPUT_SCALE;
    /// @notice How long a pause is, in seconds.
    uint64 public immutable PAUSE;
    /// @notice The lowest score that pauses, 18 decimals.
    uint256 public immutable THRESHOLD;
    /// @notice Who decides appeals.
    address public immutable ARBITER;

    /// @notice Who may flag.
    mapping(address account => bool isReporter) public reporters;
    /// @notice The last flag of each account.
    mapping(address account => Flag flag) public flags;

    /// @notice A reporter was chosen or dismissed.
    /// @param reporter The account.
    /// @param allowed Whether it may flag.
    event ReporterChanged(address indexed reporter, bool allowed);
    /// @notice An account was flagged.
    /// @param account The account.
    /// @param reporter Who flagged it.
    /// @param caseId What for.
    /// @param score What the model gave, 18 decimals.
    /// @param until Paused before this block time.
    event Flagged(
        address indexed account, address indexed reporter, bytes32 indexed caseId, uint256 score, uint64 until
    );
    /// @notice An account has appealed.
    /// @param account The account.
    /// @param until Paused before this block time, if nobody answers.
    event Appealed(address indexed account, uint64 until);
    /// @notice The arbiter has decided.
    /// @param account The account.
    /// @param upheld Whether the pause goes on.
    /// @param until Paused before this block time.
    event AppealDecided(address indexed account, bool upheld, uint64 until);

    /// @notice The pause is zero or longer than {MAX_PAUSE}, or the threshold is not between 0 and 1.
    error BadPolicy();
    /// @notice Only reporters flag.
    /// @param caller Who tried.
    error NotReporter(address caller);
    /// @notice Nobody flags themselves: it would start the cooldown.
    /// @param account The account.
    error SelfReport(address account);
    /// @notice The account is paused, or was so a short time ago.
    /// @param from Block time from which it can be flagged.
    error CannotBeFlaggedYet(uint256 from);
    /// @notice The evidence is not newer than the last flag.
    /// @param issuedAt When it was true.
    /// @param flaggedAt When the account was flagged.
    error OldEvidence(uint256 issuedAt, uint256 flaggedAt);
    /// @notice A score is between 0 and 1.
    /// @param score What the model gave, 18 decimals.
    error ScoreOutOfRange(int256 score);
    /// @notice The score does not suffice.
    /// @param score What the model gave, 18 decimals.
    /// @param threshold The lowest that does.
    error NotSuspicious(uint256 score, uint256 threshold);
    /// @notice There is no pause that the caller could appeal against, or it has done so.
    /// @param account The caller.
    error NothingToAppeal(address account);
    /// @notice Only the arbiter decides.
    /// @param caller Who tried.
    error NotArbiter(address caller);
    /// @notice There is no open appeal of this account.
    /// @param account The account.
    error NoOpenAppeal(address account);
    /// @notice The account is paused.
    /// @param account The account.
    /// @param until Block time at which the pause is over.
    error AccountPaused(address account, uint256 until);

    /// @notice Pins the first model, the issuer, and what is decided outside the model.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The first model.
    /// @param modelDelay Seconds before another model can take over.
    /// @param outputScale Fractional bits of the output.
    /// @param issuer Who signs the evidence.
    /// @param arbiter Who decides appeals.
    /// @param pause How long a pause is, in seconds.
    /// @param threshold The lowest score that pauses, 18 decimals.
    constructor(
        IZKMLVerifier verifier,
        uint256 modelId_,
        uint256 modelDelay,
        int256 outputScale,
        address issuer,
        address arbiter,
        uint64 pause,
        uint256 threshold
    ) ZKMLConsumer(verifier, modelId_, modelDelay, msg.sender) SignedDataRoot(issuer) {
        if (pause == 0 || pause > MAX_PAUSE || threshold == 0 || threshold > 1e18) revert BadPolicy();
        (OUTPUT_SCALE, ARBITER, PAUSE, THRESHOLD) = (outputScale, arbiter, pause, threshold);
    }

    /// @notice Chooses or dismisses a reporter.
    /// @param reporter The account.
    /// @param allowed Whether it may flag.
    function setReporter(address reporter, bool allowed) external onlyOwner {
        reporters[reporter] = allowed;
        emit ReporterChanged(reporter, allowed);
    }

    /// @notice Pauses an account that the model suspects.
    /// @param account_ The account: the subject of the inference.
    /// @param caseId What the evidence is about, as the issuer names it: a transfer, say.
    /// @param inference The proof, for the account and {actionOf} caller, account and case.
    function flag(address account_, bytes32 caseId, Inference calldata inference) external {
        _checkCase(msg.sender, account_);
        _verifyInference(account_, actionOf(msg.sender, account_, caseId), inference);
        _flag(msg.sender, account_, caseId, inference.output);
    }

    /// @notice Appeals against the pause of the caller. If the arbiter does not answer within {ANSWER_TIME}, it is over.
    function appeal() external {
        Flag storage flag_ = flags[msg.sender];
        if (!isPaused(msg.sender) || flag_.appeal != Appeal.None) revert NothingToAppeal(msg.sender);
        uint64 silence = uint64(block.timestamp) + ANSWER_TIME;
        if (silence < flag_.until) flag_.until = silence;
        flag_.appeal = Appeal.Open;
        emit Appealed(msg.sender, flag_.until);
    }

    /// @notice Decides an appeal, before it has succeeded by silence.
    /// @param account_ The account.
    /// @param uphold Whether the pause goes on, to the end that it had when the account was flagged.
    function decide(address account_, bool uphold) external {
        if (msg.sender != ARBITER) revert NotArbiter(msg.sender);
        Flag storage flag_ = flags[account_];
        if (flag_.appeal != Appeal.Open || !isPaused(account_)) revert NoOpenAppeal(account_);
        flag_.appeal = Appeal.Decided;
        flag_.until = uphold ? flag_.flaggedAt + PAUSE : uint64(block.timestamp);
        emit AppealDecided(account_, uphold, flag_.until);
    }

    /// @notice Reverts if an account is paused: what a token calls before a transfer.
    /// @param account_ The account.
    function requireNotPaused(address account_) external view {
        if (isPaused(account_)) revert AccountPaused(account_, flags[account_].until);
    }

    /// @notice Whether an account is paused.
    /// @param account_ The account.
    /// @return paused True before the end of the pause.
    function isPaused(address account_) public view returns (bool paused) {
        return block.timestamp < flags[account_].until;
    }

    /// @notice What a proof for a case is bound to.
    /// @param reporter Who flags.
    /// @param account_ Who is flagged.
    /// @param caseId What for.
    /// @return action All three, hashed.
    function actionOf(address reporter, address account_, bytes32 caseId) public pure returns (bytes32 action) {
        return keccak256(abi.encode(CASE_TYPEHASH, reporter, account_, caseId));
    }

    /// @dev Refuses reporters that may not flag this account now.
    /// @param reporter Who flags.
    /// @param account_ Who is flagged.
    function _checkCase(address reporter, address account_) internal view {
        if (!reporters[reporter]) revert NotReporter(reporter);
        if (account_ == reporter) revert SelfReport(account_);
        uint256 until = flags[account_].until;
        if (until != 0 && block.timestamp < until + COOLDOWN) revert CannotBeFlaggedYet(until + COOLDOWN);
    }

    /// @dev Pauses an account.
    /// @param reporter Who flags.
    /// @param account_ Who is flagged.
    /// @param caseId What for.
    /// @param output The words of the output section.
    function _flag(address reporter, address account_, bytes32 caseId, bytes calldata output) internal {
        // Block times are far below 2^64.
        uint64 end = uint64(block.timestamp) + PAUSE;
        flags[account_] = Flag(uint64(block.timestamp), end, Appeal.None);
        emit Flagged(account_, reporter, caseId, uint256(_score(output)), end);
    }

    /// @dev Signed, and newer than the last flag: the same evidence pauses nobody twice.
    function _checkProvenance(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata provenance)
        internal
        view
        override
    {
        uint256 issuedAt = _checkDataRoot(subject, action, dataCommitment, provenance);
        uint256 flaggedAt = flags[subject].flaggedAt;
        if (issuedAt <= flaggedAt) revert OldEvidence(issuedAt, flaggedAt);
    }

    function _validateOutput(address, bytes calldata output) internal view override {
        ZKMLCodec.checkLength(output, 1);
        int256 score = _score(output);
        if (score < 0 || score > ZKMLCodec.WAD) revert ScoreOutOfRange(score);
        if (uint256(score) < THRESHOLD) revert NotSuspicious(uint256(score), THRESHOLD);
    }

    /// @dev Rounded down: for the account.
    function _score(bytes calldata output) private view returns (int256 score) {
        return ZKMLCodec.decode(ZKMLCodec.word(output, 0), OUTPUT_SCALE, ZKMLCodec.Rounding.Down);
    }
}
