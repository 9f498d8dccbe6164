// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ZKMLConsumer} from "../ZKMLConsumer.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "../libraries/ZKMLAddress.sol";
import {ZKMLCodec} from "../libraries/ZKMLCodec.sol";
import {SignedDataRoot} from "../provenance/SignedDataRoot.sol";

/// @title Example: insurance whose price a model finds
/// @notice Two steps. A proof about signed data gives a quote for exactly one policy: the model's rate times the cover,
/// rounded up, and never below a floor. Until the quote expires, its holder buys the policy for exactly that premium.
///
/// WITHOUT THE CHECK OF THE INPUT EVERYBODY PAYS THE FLOOR: a buyer proves with the data of the safest risk there is. The
/// issuer also checks that the data are those of the policy's object and time, which it signs for with the action.
/// @dev Checks: limits that no rate can move; policy, holder and contract bound by the proof; data of this policy, signed;
/// rate at most 1; floor; each policy sold once; cover begins late enough that nobody buys after the event; payment is
/// what arrives, to the last unit. Money only moves from the buyer to the treasury: there is nothing to be refunded.
/// Claims are not this example's business.
contract InsurancePricing is ZKMLConsumer, SignedDataRoot, ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @notice What is insured.
    /// @param object What the data are about: an address, a serial number, …, as the issuer names it.
    /// @param cover The most that is paid.
    /// @param start Block time at which the cover begins.
    /// @param duration How long it lasts, in seconds.
    struct Policy {
        bytes32 object;
        uint256 cover;
        uint64 start;
        uint64 duration;
    }

    /// @notice What is decided outside the model.
    /// @param asset What cover and premium are paid in.
    /// @param treasury Where premiums go.
    /// @param maxCover The most that one policy covers.
    /// @param maxDuration The longest policy, in seconds.
    /// @param waiting Seconds between buying and the beginning of the cover, at least.
    /// @param minRate The floor of the rate, 18 decimals.
    /// @param minPremium The floor of the premium.
    struct Limits {
        IERC20 asset;
        address treasury;
        uint256 maxCover;
        uint64 maxDuration;
        uint64 waiting;
        uint256 minRate;
        uint256 minPremium;
    }

    /// @notice A price that was not taken yet.
    /// @param policy The policy, hashed.
    /// @param premium What it costs.
    /// @param validUntil Last block time at which it can be bought.
    struct Quote {
        bytes32 policy;
        uint256 premium;
        uint64 validUntil;
    }

    /// @notice Type of the action.
    bytes32 public constant POLICY_TYPEHASH =
        keccak256("InsurancePolicy(bytes32 object,uint256 cover,uint64 start,uint64 duration)");
    /// @notice How long a quote stands.
    uint64 public constant QUOTE_LIFETIME = 1 hours;

    /// @notice Fractional bits of the model's output; belongs to the model, as its generated consumer says.
    int256 public immutable OUTPUT_SCALE;

    /// @notice What is decided outside the model.
    Limits public limits;
    /// @notice The quote of each holder; a new one replaces it.
    mapping(address holder => Quote quote) public quotes;
    /// @notice Whether a holder has bought a policy.
    mapping(address holder => mapping(bytes32 policyHash => bool sold)) public insured;

    /// @notice A price was found.
    /// @param holder Who may buy.
    /// @param policyHash The policy, hashed.
    /// @param premium What it costs.
    /// @param validUntil Last block time at which it can be bought.
    event Quoted(address indexed holder, bytes32 indexed policyHash, uint256 premium, uint64 validUntil);
    /// @notice A policy was sold.
    /// @param holder Who is insured.
    /// @param policyHash The policy, hashed.
    /// @param policy The policy.
    /// @param premium What was paid.
    event PolicySold(address indexed holder, bytes32 indexed policyHash, Policy policy, uint256 premium);

    /// @notice A policy covers something, and not more than the limit.
    /// @param cover What was asked for.
    /// @param limit The limit.
    error CoverOutOfBounds(uint256 cover, uint256 limit);
    /// @notice A policy does not end at once, and not after the limit.
    /// @param duration What was asked for.
    /// @param limit The limit.
    error DurationOutOfBounds(uint256 duration, uint256 limit);
    /// @notice The cover would begin too soon.
    /// @param start When it would begin.
    /// @param earliest When it may.
    error StartsTooSoon(uint256 start, uint256 earliest);
    /// @notice Nobody pays more than the cover: the model is broken.
    /// @param rate What it gave, 18 decimals.
    error RateOutOfRange(int256 rate);
    /// @notice There is no quote for this policy.
    /// @param policyHash The policy, hashed.
    error NotQuoted(bytes32 policyHash);
    /// @notice The quote has expired.
    /// @param validUntil Last block time at which it stood.
    error QuoteExpired(uint256 validUntil);
    /// @notice The policy was sold to this holder before.
    /// @param policyHash The policy, hashed.
    error AlreadyInsured(bytes32 policyHash);
    /// @notice The buyer offers another premium than the quote's.
    /// @param offered What is offered.
    /// @param premium What the policy costs.
    error WrongPayment(uint256 offered, uint256 premium);
    /// @notice Another amount arrived than was sent: the asset keeps a part, or adds one.
    /// @param received What arrived.
    /// @param premium What the policy costs.
    error PaymentNotExact(uint256 received, uint256 premium);
    /// @notice The treasury is the zero address: premiums would be lost.
    error NoTreasury();

    /// @notice Pins the model, the issuer and what is decided outside the model.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The model; it is fixed for good.
    /// @param outputScale Fractional bits of its output.
    /// @param issuer Who signs the data.
    /// @param limits_ What is decided outside the model.
    constructor(IZKMLVerifier verifier, uint256 modelId_, int256 outputScale, address issuer, Limits memory limits_)
        ZKMLConsumer(verifier, modelId_, 0, msg.sender)
        SignedDataRoot(issuer)
    {
        ZKMLAddress.check(address(limits_.asset));
        if (limits_.treasury == address(0)) revert NoTreasury();
        OUTPUT_SCALE = outputScale;
        limits = limits_;
    }

    /// @notice Finds the premium of a policy for the caller. The quote stands for {QUOTE_LIFETIME}.
    /// @param policy The policy.
    /// @param inference The proof, for the caller and {actionOf} this policy.
    /// @return premium What it costs.
    function quote(Policy calldata policy, Inference calldata inference) external returns (uint256 premium) {
        bytes32 action = _checkPolicy(policy);
        _verifyInference(msg.sender, action, inference);
        return _quote(msg.sender, action, policy.cover, inference.output);
    }

    /// @notice Buys the policy of the caller's quote.
    /// @param policy The policy.
    /// @param premium What the caller agrees to pay: the quote's premium.
    function buy(Policy calldata policy, uint256 premium) external nonReentrant {
        Quote memory open = quotes[msg.sender];
        bytes32 hash = actionOf(policy);
        if (open.policy != hash) revert NotQuoted(hash);
        if (block.timestamp > open.validUntil) revert QuoteExpired(open.validUntil);
        if (premium != open.premium) revert WrongPayment(premium, open.premium);
        uint256 earliest = block.timestamp + limits.waiting;
        if (policy.start < earliest) revert StartsTooSoon(policy.start, earliest);
        delete quotes[msg.sender];
        insured[msg.sender][hash] = true;
        emit PolicySold(msg.sender, hash, policy, premium);
        _collect(premium);
    }

    /// @notice What a proof for a policy is bound to.
    /// @param policy The policy.
    /// @return action The policy, hashed.
    function actionOf(Policy calldata policy) public pure returns (bytes32 action) {
        return keccak256(abi.encode(POLICY_TYPEHASH, policy.object, policy.cover, policy.start, policy.duration));
    }

    /// @dev Limits that hold whatever the model says.
    /// @param policy The policy that the caller asks for.
    /// @return action What a proof for it is bound to.
    function _checkPolicy(Policy calldata policy) internal view returns (bytes32 action) {
        if (policy.cover == 0 || policy.cover > limits.maxCover) {
            revert CoverOutOfBounds(policy.cover, limits.maxCover);
        }
        if (policy.duration == 0 || policy.duration > limits.maxDuration) {
            revert DurationOutOfBounds(policy.duration, limits.maxDuration);
        }
        action = actionOf(policy);
        if (insured[msg.sender][action]) revert AlreadyInsured(action);
    }

    /// @dev Quotes what the model's rate comes to.
    /// @param holder Who may buy.
    /// @param action The policy, hashed.
    /// @param cover The most that it pays.
    /// @param output The words of the output section.
    /// @return premium What it costs.
    function _quote(address holder, bytes32 action, uint256 cover, bytes calldata output)
        internal
        returns (uint256 premium)
    {
        premium = _premium(cover, output);
        // Never overflows: block times are far below 2^64.
        uint64 validUntil = uint64(block.timestamp) + QUOTE_LIFETIME;
        quotes[holder] = Quote(action, premium, validUntil);
        emit Quoted(holder, action, premium, validUntil);
    }

    /// @dev From the buyer to the treasury, and exactly.
    function _collect(uint256 premium) private {
        (IERC20 asset, address treasury) = (limits.asset, limits.treasury);
        uint256 before = asset.balanceOf(treasury);
        asset.safeTransferFrom(msg.sender, treasury, premium);
        uint256 received = asset.balanceOf(treasury) - before;
        if (received != premium) revert PaymentNotExact(received, premium);
    }

    /// @dev Rate times cover, rounded up twice, and at least the floor. A negative rate is a rate below the floor.
    function _premium(uint256 cover, bytes calldata output) private view returns (uint256 premium) {
        int256 rate = _rate(output);
        uint256 atLeast = limits.minRate;
        uint256 used = rate < 0 ? atLeast : Math.max(uint256(rate), atLeast);
        return Math.max(Math.mulDiv(cover, used, 1e18, Math.Rounding.Ceil), limits.minPremium);
    }

    function _rate(bytes calldata output) private view returns (int256 rate) {
        return ZKMLCodec.decode(ZKMLCodec.word(output, 0), OUTPUT_SCALE, ZKMLCodec.Rounding.Up);
    }

    /// @dev Signed; how long the data are good for a policy is for the issuer to say.
    function _checkProvenance(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata provenance)
        internal
        view
        override
    {
        _checkDataRoot(subject, action, dataCommitment, provenance);
    }

    function _validateOutput(address, bytes calldata output) internal view override {
        ZKMLCodec.checkLength(output, 1);
        int256 rate = _rate(output);
        if (rate > ZKMLCodec.WAD) revert RateOutOfRange(rate);
    }
}
