// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ZKMLConsumer} from "../ZKMLConsumer.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLCodec} from "../libraries/ZKMLCodec.sol";
import {SignedDataRoot} from "../provenance/SignedDataRoot.sol";

/// @title Example: how much may be lent against a collateral, as a model sees the market
/// @notice A keeper submits, once per epoch, what the model gives on market data that everybody sees: the inputs are
/// public. Whatever it gives, the value in force moves by one bounded step per delay and stays between bounds that were
/// fixed before. When updates stop, the last value stays and is called stale.
///
/// WITHOUT THE CHECK OF THE INPUT THE KEEPER IS THE ORACLE: it invents a market that gives the value it wants. The bounds
/// would be all that is left.
/// @dev Checks: caller; epochs only rise and are never in the future; data of this epoch, signed and fresh; output between
/// 0 and 1, rounded down; step, bounds, delay. A keeper can withhold updates, which shows as staleness. Prices are not this
/// contract's business: a lender multiplies by them.
contract LtvOracle is ZKMLConsumer, SignedDataRoot {
    /// @notice What is decided outside the model; ratios have 18 decimals.
    /// @param lowest The value is never below.
    /// @param highest The value is never above.
    /// @param maxStep The most that one update moves it.
    /// @param epoch Seconds in an epoch; epoch n begins at n times this.
    /// @param delay Seconds before an update takes effect, and between updates.
    /// @param maxAge How old the data may be, in seconds.
    /// @param staleAfter Seconds after the last update at which the value is called stale.
    struct Policy {
        uint64 lowest;
        uint64 highest;
        uint64 maxStep;
        uint64 epoch;
        uint64 delay;
        uint64 maxAge;
        uint64 staleAfter;
    }

    /// @dev The last update; fills one slot. Before `effectiveFrom` the value is the old one.
    struct Update {
        uint64 oldValue;
        uint64 newValue;
        uint64 effectiveFrom;
        uint64 updatedAt;
    }

    /// @notice Type of the action.
    bytes32 public constant EPOCH_TYPEHASH = keccak256("LtvEpoch(uint256 epoch)");

    /// @notice The collateral: the subject of all inferences.
    address public immutable COLLATERAL;
    /// @notice Fractional bits of the model's output; belongs to the model, as its generated consumer says.
    int256 public immutable OUTPUT_SCALE;

    /// @notice What is decided outside the model.
    Policy public policy;
    /// @notice Who submits.
    address public keeper;
    /// @notice The epoch of the last update.
    uint256 public lastEpoch;

    /// @dev The last update.
    Update private _update;

    /// @notice Another account submits from now on.
    /// @param keeper The account.
    event KeeperChanged(address keeper);
    /// @notice An update was accepted.
    /// @param epoch Its epoch.
    /// @param modelValue What the model gave, 18 decimals.
    /// @param newValue What was made of it.
    /// @param effectiveFrom Block time from which it is in force.
    event LtvUpdated(uint256 indexed epoch, uint256 modelValue, uint256 newValue, uint256 effectiveFrom);
    /// @notice The owner has withdrawn an update before it took effect.
    /// @param value The value that did not come.
    event UpdateCancelled(uint256 value);

    /// @notice The bounds contradict each other, or the first value lies outside.
    error BadPolicy();
    /// @notice Only the keeper submits.
    /// @param caller Who tried.
    error NotKeeper(address caller);
    /// @notice The epoch is not later than the last one.
    /// @param epoch The epoch.
    /// @param last The last one.
    error EpochNotNew(uint256 epoch, uint256 last);
    /// @notice The epoch has not begun.
    /// @param epoch The epoch.
    /// @param current The one that runs.
    error EpochNotBegun(uint256 epoch, uint256 current);
    /// @notice The last update is not in force yet.
    /// @param effectiveFrom Block time from which it is.
    error UpdatePending(uint256 effectiveFrom);
    /// @notice There is no update to be withdrawn.
    error NothingPending();
    /// @notice The data are too old.
    /// @param issuedAt When they were true.
    /// @param maxAge How old they may be.
    error StaleData(uint256 issuedAt, uint256 maxAge);
    /// @notice A loan-to-value ratio is between 0 and 1.
    /// @param value What the model gave, 18 decimals.
    error LtvOutOfRange(int256 value);

    /// @notice Pins the model, the issuer and what is decided outside the model.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The model; it is fixed for good.
    /// @param outputScale Fractional bits of its output.
    /// @param issuer Who signs the market data.
    /// @param collateral What is lent against.
    /// @param policy_ What is decided outside the model.
    /// @param first The value until the first update, 18 decimals.
    constructor(
        IZKMLVerifier verifier,
        uint256 modelId_,
        int256 outputScale,
        address issuer,
        address collateral,
        Policy memory policy_,
        uint64 first
    ) ZKMLConsumer(verifier, modelId_, 0, msg.sender) SignedDataRoot(issuer) {
        bool inside = policy_.lowest <= first && first <= policy_.highest && policy_.highest <= 1e18;
        if (!inside || policy_.maxStep == 0 || policy_.epoch == 0 || policy_.delay == 0) revert BadPolicy();
        (COLLATERAL, OUTPUT_SCALE, policy) = (collateral, outputScale, policy_);
        _update = Update(first, first, 0, uint64(block.timestamp));
    }

    /// @notice Chooses the keeper.
    /// @param keeper_ Who submits from now on.
    function setKeeper(address keeper_) external onlyOwner {
        keeper = keeper_;
        emit KeeperChanged(keeper_);
    }

    /// @notice Submits what the model gives for an epoch.
    /// @param epoch The epoch: later than the last one, and begun.
    /// @param inference The proof, for {COLLATERAL} and {actionOf} this epoch.
    function submit(uint256 epoch, Inference calldata inference) external {
        if (msg.sender != keeper) revert NotKeeper(msg.sender);
        if (epoch <= lastEpoch) revert EpochNotNew(epoch, lastEpoch);
        uint256 current = block.timestamp / policy.epoch;
        if (epoch > current) revert EpochNotBegun(epoch, current);
        if (block.timestamp < _update.effectiveFrom) revert UpdatePending(_update.effectiveFrom);
        lastEpoch = epoch;
        bytes32 action = actionOf(epoch);
        _verifyInference(COLLATERAL, action, inference);
    }

    /// @notice Withdraws an update that is not in force yet. The epoch stays used, and the value is called stale until the
    /// next update.
    function cancelUpdate() external onlyOwner {
        if (block.timestamp >= _update.effectiveFrom) revert NothingPending();
        emit UpdateCancelled(_update.newValue);
        _update = Update(_update.oldValue, _update.oldValue, 0, 0);
    }

    /// @notice The value in force: the last good one, also when updates have stopped.
    /// @return value How much may be lent, as a share of the collateral's value, 18 decimals.
    /// @return stale Whether it was not updated for too long. A careful lender takes no new debt then.
    function ltv() external view returns (uint256 value, bool stale) {
        Update memory update = _update;
        return (_inForce(update), block.timestamp > uint256(update.updatedAt) + policy.staleAfter);
    }

    /// @notice The update that is still to come, if there is one.
    /// @return value What it will be, or the value in force.
    /// @return effectiveFrom Block time from which it is in force.
    function pending() external view returns (uint256 value, uint256 effectiveFrom) {
        return (_update.newValue, _update.effectiveFrom);
    }

    /// @notice What a proof for an epoch is bound to.
    /// @param epoch The epoch.
    /// @return action The epoch, hashed.
    function actionOf(uint256 epoch) public pure returns (bytes32 action) {
        return keccak256(abi.encode(EPOCH_TYPEHASH, epoch));
    }

    /// @dev Signed and fresh.
    function _checkProvenance(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata provenance)
        internal
        view
        override
    {
        uint256 issuedAt = _checkDataRoot(subject, action, dataCommitment, provenance);
        if (block.timestamp - issuedAt > policy.maxAge) revert StaleData(issuedAt, policy.maxAge);
    }

    /// @dev A model that gives no ratio is broken: better no update than a bound.
    function _validateOutput(address, bytes calldata output) internal view override {
        ZKMLCodec.checkLength(output, 1);
        int256 value = _decode(output);
        if (value < 0 || value > ZKMLCodec.WAD) revert LtvOutOfRange(value);
    }

    /// @dev Towards what the model gave, by at most a step, and never across the bounds.
    function _onInference(address, bytes32, bytes32, bytes calldata output) internal override {
        Policy memory p = policy;
        uint256 old = _inForce(_update);
        uint256 model = uint256(_decode(output));
        uint256 value = Math.max(model, old - Math.min(old, p.maxStep));
        value = Math.min(value, old + p.maxStep);
        value = Math.min(Math.max(value, p.lowest), p.highest);
        uint256 effectiveFrom = block.timestamp + p.delay;
        // Values are at most 1e18, times far below 2^64.
        _update = Update(uint64(old), uint64(value), uint64(effectiveFrom), uint64(block.timestamp));
        emit LtvUpdated(lastEpoch, model, value, effectiveFrom);
    }

    /// @dev Rounded down: less debt.
    function _decode(bytes calldata output) private view returns (int256 value) {
        return ZKMLCodec.decode(ZKMLCodec.word(output, 0), OUTPUT_SCALE, ZKMLCodec.Rounding.Down);
    }

    function _inForce(Update memory update) private view returns (uint256 value) {
        return block.timestamp < update.effectiveFrom ? update.oldValue : update.newValue;
    }
}
