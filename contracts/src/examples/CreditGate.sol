// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../ZKMLConsumer.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLCodec} from "../libraries/ZKMLCodec.sol";
import {SignedDataRoot} from "../provenance/SignedDataRoot.sol";

/// @title Example: loans for borrowers whose risk a model finds low enough
/// @notice A borrower shows a proof that the model, on data that an issuer signed, gives a low probability of default. The
/// gate then holds one approval of exactly these terms, which the lending pool uses up when it pays out.
///
/// WITHOUT THE CHECK OF THE INPUT THE GATE IS OPEN: whoever proves chooses the input, so anybody takes the applicant with the
/// best score and borrows. The proof would still be valid. The issuer also checks that the amount and the duration among
/// the data are those of the terms, which it signs for with the action.
/// @dev Checks: terms within limits that no score can move; terms, borrower and contract bound by the proof; data of these
/// terms, signed, fresh, and used for one loan only; risk between 0 and 1, rounded up. Assumed: the issuer sees loans
/// that were paid out since, as a credit bureau does.
contract CreditGate is ZKMLConsumer, SignedDataRoot {
    /// @notice A loan.
    /// @param asset What is lent.
    /// @param principal How much of it.
    /// @param ratePerYear Interest, 18 decimals.
    /// @param duration In seconds.
    struct Terms {
        address asset;
        uint256 principal;
        uint256 ratePerYear;
        uint64 duration;
    }

    /// @notice What is decided outside the model.
    /// @param pool Who pays out, and uses approvals up.
    /// @param asset The only asset that is lent.
    /// @param maxPrincipal The most that one loan may be.
    /// @param minRatePerYear The least interest, 18 decimals.
    /// @param maxDuration The longest loan, in seconds.
    /// @param maxRisk The highest probability of default, 18 decimals.
    /// @param maxAge How old the data may be, in seconds.
    struct Policy {
        address pool;
        address asset;
        uint256 maxPrincipal;
        uint256 minRatePerYear;
        uint64 maxDuration;
        uint256 maxRisk;
        uint64 maxAge;
    }

    /// @notice An approval that was not used yet.
    /// @param terms The terms, hashed.
    /// @param validUntil Last block time at which the pool may use it.
    struct Approval {
        bytes32 terms;
        uint64 validUntil;
    }

    /// @notice Type of the action.
    bytes32 public constant TERMS_TYPEHASH =
        keccak256("Loan(address asset,uint256 principal,uint256 ratePerYear,uint64 duration)");
    /// @notice How long an approval waits for the pool.
    uint64 public constant APPROVAL_LIFETIME = 1 days;

    /// @notice Fractional bits of the model's output; belongs to the model, as its generated consumer says.
    int256 public immutable OUTPUT_SCALE;

    /// @notice What is decided outside the model.
    Policy public policy;
    /// @notice The approval of each borrower; a new one replaces it.
    mapping(address borrower => Approval approval) public approvals;
    /// @notice Whether these data have led to an approval.
    mapping(bytes32 dataCommitment => bool used) public dataUsed;

    /// @notice A loan was approved.
    /// @param borrower Who may take it.
    /// @param termsHash Its terms, hashed.
    /// @param validUntil Last block time at which it can be taken.
    event LoanApproved(address indexed borrower, bytes32 indexed termsHash, uint64 validUntil);
    /// @notice The pool has used an approval up.
    /// @param borrower Who takes the loan.
    /// @param termsHash Its terms, hashed.
    event ApprovalUsed(address indexed borrower, bytes32 indexed termsHash);

    /// @notice This asset is not lent.
    /// @param asset The asset.
    error WrongAsset(address asset);
    /// @notice A loan is not of zero, and not larger than the limit.
    /// @param principal What was asked for.
    /// @param limit The limit.
    error PrincipalOutOfBounds(uint256 principal, uint256 limit);
    /// @notice The interest is below the least.
    /// @param rate What was offered.
    /// @param lowest The least.
    error RateTooLow(uint256 rate, uint256 lowest);
    /// @notice A loan does not end at once, and not after the limit.
    /// @param duration What was asked for.
    /// @param limit The limit.
    error DurationOutOfBounds(uint256 duration, uint256 limit);
    /// @notice The data are too old.
    /// @param issuedAt When they were true.
    /// @param maxAge How old they may be.
    error StaleData(uint256 issuedAt, uint256 maxAge);
    /// @notice These data have led to an approval before.
    /// @param dataCommitment The commitment to them.
    error DataAlreadyUsed(bytes32 dataCommitment);
    /// @notice A probability is between 0 and 1.
    /// @param risk What the model gave, 18 decimals.
    error RiskOutOfRange(int256 risk);
    /// @notice The model finds the risk too high.
    /// @param risk What it gave, 18 decimals.
    /// @param limit The highest that is taken.
    error RiskTooHigh(uint256 risk, uint256 limit);
    /// @notice Only the pool uses approvals up.
    /// @param caller Who tried.
    error NotPool(address caller);
    /// @notice No open approval of these terms.
    /// @param borrower Who wants the loan.
    /// @param termsHash Its terms, hashed.
    error NotApproved(address borrower, bytes32 termsHash);
    /// @notice The approval was not used in time.
    /// @param validUntil Last block time at which it could be.
    error ApprovalExpired(uint256 validUntil);

    /// @notice Pins the model, the issuer and what is decided outside the model.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The credit model; it is fixed for good.
    /// @param outputScale Fractional bits of its output.
    /// @param issuer Who signs the data.
    /// @param policy_ What is decided outside the model.
    constructor(IZKMLVerifier verifier, uint256 modelId_, int256 outputScale, address issuer, Policy memory policy_)
        ZKMLConsumer(verifier, modelId_, 0, msg.sender)
        SignedDataRoot(issuer)
    {
        OUTPUT_SCALE = outputScale;
        policy = policy_;
    }

    /// @notice Approves a loan to the caller, for as long as {APPROVAL_LIFETIME}.
    /// @param terms The loan.
    /// @param inference The proof, for the caller and {actionOf} these terms.
    function approve(Terms calldata terms, Inference calldata inference) external {
        _checkTerms(terms);
        _verifyInference(msg.sender, actionOf(terms), inference);
    }

    /// @notice Uses an approval up. The pool calls this in the transaction that pays out.
    /// @param borrower Who takes the loan.
    /// @param terms The loan.
    function useApproval(address borrower, Terms calldata terms) external {
        if (msg.sender != policy.pool) revert NotPool(msg.sender);
        Approval memory approval = approvals[borrower];
        bytes32 termsHash = actionOf(terms);
        if (approval.terms != termsHash) revert NotApproved(borrower, termsHash);
        if (block.timestamp > approval.validUntil) revert ApprovalExpired(approval.validUntil);
        delete approvals[borrower];
        emit ApprovalUsed(borrower, termsHash);
    }

    /// @notice What a proof for a loan is bound to.
    /// @param terms The loan.
    /// @return action Its terms, hashed.
    function actionOf(Terms calldata terms) public pure returns (bytes32 action) {
        return keccak256(abi.encode(TERMS_TYPEHASH, terms.asset, terms.principal, terms.ratePerYear, terms.duration));
    }

    /// @dev Limits that hold whatever the model says.
    function _checkTerms(Terms calldata terms) internal view {
        Policy memory p = policy;
        if (terms.asset != p.asset) revert WrongAsset(terms.asset);
        if (terms.principal == 0 || terms.principal > p.maxPrincipal) {
            revert PrincipalOutOfBounds(terms.principal, p.maxPrincipal);
        }
        if (terms.ratePerYear < p.minRatePerYear) revert RateTooLow(terms.ratePerYear, p.minRatePerYear);
        if (terms.duration == 0 || terms.duration > p.maxDuration) {
            revert DurationOutOfBounds(terms.duration, p.maxDuration);
        }
    }

    /// @dev Signed, fresh, and not used before.
    function _checkProvenance(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata provenance)
        internal
        override
    {
        uint256 issuedAt = _checkDataRoot(subject, action, dataCommitment, provenance);
        if (block.timestamp - issuedAt > policy.maxAge) revert StaleData(issuedAt, policy.maxAge);
        if (dataUsed[dataCommitment]) revert DataAlreadyUsed(dataCommitment);
        dataUsed[dataCommitment] = true;
    }

    /// @dev Rounded up: against the borrower.
    function _validateOutput(address, bytes calldata output) internal view override {
        ZKMLCodec.checkLength(output, 1);
        int256 risk = ZKMLCodec.decode(ZKMLCodec.word(output, 0), OUTPUT_SCALE, ZKMLCodec.Rounding.Up);
        if (risk < 0 || risk > ZKMLCodec.WAD) revert RiskOutOfRange(risk);
        if (uint256(risk) > policy.maxRisk) revert RiskTooHigh(uint256(risk), policy.maxRisk);
    }

    /// @dev The action is the terms, which were checked before.
    function _onInference(address subject, bytes32 action, bytes32, bytes calldata) internal virtual override {
        // Never overflows: block times are far below 2^64.
        uint64 validUntil = uint64(block.timestamp) + APPROVAL_LIFETIME;
        approvals[subject] = Approval(action, validUntil);
        emit LoanApproved(subject, action, validUntil);
    }
}
