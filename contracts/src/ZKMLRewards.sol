// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLLedger} from "./ZKMLLedger.sol";
import {ZKMLRequests} from "./ZKMLRequests.sol";
import {IZKMLRequests} from "./interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "./interfaces/IZKMLRewards.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title What a contract inherits that pays for the proofs it asks for
/// @notice {ZKMLRequests}, and requests with a reward beside those without. See {IZKMLRewards}.
///
/// Between whoever asks and whoever proves, nothing is left to goodwill. A request with a reward cannot be withdrawn: until
/// its deadline the reward is there for a prover. A valid proof is paid for, whatever the contract makes of the output, and
/// even while the contract is paused; acting on the output happens apart from that, in a call with a gas limit, which may
/// fail. So a request that is fulfilled is not yet one that was acted on.
///
/// Two things remain: a model that is deprecated or whose route is stopped cannot be proven any more, and with private
/// weights a request is proven by the model that is in force when it is fulfilled.
/// @dev To the hooks that act on an output the contract itself is the caller.
abstract contract ZKMLRewards is ZKMLRequests, ZKMLLedger, IZKMLRewards {
    /// @dev Where a request with a reward stands, in one slot.
    struct Waiting {
        RequestState state;
        /// The first block in which it can be fulfilled.
        uint64 from;
    }

    /// @dev All that is kept of rewards; what they are lies in the requests' ids.
    /// @custom:storage-location erc7201:zkml-chain.storage.Rewards
    struct RewardsStorage {
        mapping(uint256 requestId => Waiting waiting) waiting;
        mapping(address payer => mapping(address spender => mapping(address asset => uint256 amount))) limits;
    }

    /// @dev ERC-7201's place of {RewardsStorage}.
    bytes32 private constant _REWARDS_STORAGE = 0xb0476d9ba6d62cd28b7ee43ad855233394234ebb18a7227532f049bc94509a00;

    /// @dev Gas for the call itself, and for what comes after it.
    uint256 private constant _GAS_AROUND_CALLBACK = 5_000;

    /// @inheritdoc IZKMLRewards
    function setSpendingLimit(address spender, address asset, uint256 amount) external {
        _rewards().limits[msg.sender][spender][asset] = amount;
        emit SpendingLimitSet(msg.sender, spender, asset, amount);
    }

    /// @inheritdoc IZKMLRewards
    function fulfillRewarded(
        Request calldata request,
        Reward calldata reward,
        address prover,
        bytes calldata output,
        bytes calldata proof
    ) external {
        if (prover == address(0)) revert NoRecipient();
        uint256 requestId = _idOf(request, reward);
        uint256 from = _end(requestId, RequestState.Fulfilled);
        if (block.number < from) revert TooFewConfirmations(block.number, from);
        bytes32 context = _checkBinding(request, ZKMLStatement.fulfilmentNonceOf(requestId, prover), proof);
        _verifyProof(request.dataCommitment, context, output, proof);
        _credit(prover, reward.asset, reward.amount);
        emit InferenceFulfilled(requestId, request.subject, prover);
        emit RewardEarned(requestId, prover, reward.asset, reward.amount);
        _callBack(requestId, request, reward.callbackGas, output);
    }

    /// @inheritdoc IZKMLRewards
    function reclaimReward(Request calldata request, Reward calldata reward) external {
        uint256 requestId = _idOf(request, reward);
        if (block.timestamp <= request.deadline) revert NotExpired(request.deadline);
        _end(requestId, RequestState.Cancelled);
        _credit(reward.payer, reward.asset, reward.amount);
        emit RequestCancelled(requestId);
        emit RewardReturned(requestId, reward.payer, reward.asset, reward.amount);
    }

    /// @notice Acts on an output that was proven and paid for. The contract calls itself, so that what is refused here
    /// takes no payment back; a contract that makes calls for others must not let them call it.
    /// @param requestId The request's id.
    /// @param request The request.
    /// @param output The proven words of the output section.
    function applyRewarded(uint256 requestId, Request calldata request, bytes calldata output) external {
        if (msg.sender != address(this)) revert NotSelf(msg.sender);
        _beforeInference();
        _apply(request.subject, requestId, request.action, request.dataCommitment, output);
        _onFulfilled(requestId, request, output);
    }

    /// @inheritdoc IZKMLRewards
    function spendingLimitOf(address payer, address spender, address asset) external view returns (uint256 amount) {
        return _rewards().limits[payer][spender][asset];
    }

    /// @inheritdoc IZKMLRewards
    function rewardedIdOf(Request calldata request, Reward calldata reward) external pure returns (uint256 requestId) {
        return _idOf(request, reward);
    }

    /// @inheritdoc IZKMLRewards
    function rewardedContext(Request calldata request, Reward calldata reward, address prover)
        external
        view
        returns (bytes32 context)
    {
        uint256 nonce = ZKMLStatement.fulfilmentNonceOf(_idOf(request, reward), prover);
        return contextOf(request.subject, nonce, request.deadline, request.action);
    }

    /// @inheritdoc IZKMLRewards
    function fulfillableFrom(uint256 requestId) external view returns (uint256 blockNumber) {
        return _rewards().waiting[requestId].from;
    }

    /// @inheritdoc IZKMLRequests
    function requestState(uint256 requestId) external view override returns (RequestState state) {
        state = _stateOf(requestId);
        if (state == RequestState.None) return _rewards().waiting[requestId].state;
    }

    /// @dev Makes a request with a reward, if its input is to be believed. The reward comes along as coins, or out of the
    /// payer's deposit; out of somebody else's, within the limit that it has set for the caller. The coins that come along
    /// are all of `msg.value`: a second request in the same call needs a deposit.
    /// @param subject See {_requestInference}. It cannot withdraw the request.
    /// @param action See {_requestInference}.
    /// @param deadline See {_requestInference}. Until then the reward is bound.
    /// @param dataCommitment See {_requestInference}.
    /// @param reward What it pays.
    /// @param input See {_requestInference}.
    /// @param provenance See {_requestInference}.
    /// @return requestId The request's id.
    function _requestRewarded(
        address subject,
        bytes32 action,
        uint256 deadline,
        bytes32 dataCommitment,
        Reward calldata reward,
        bytes calldata input,
        bytes calldata provenance
    ) internal whenNotPaused returns (uint256 requestId) {
        if (reward.amount == 0) revert NoReward();
        if (msg.value == 0 && reward.payer != msg.sender) _spend(reward.payer, reward.asset, reward.amount);
        _setAside(reward.payer, reward.asset, reward.amount);
        uint256 sequence;
        (requestId, sequence) = _number(subject, action, deadline, dataCommitment, provenance);
        requestId = _rewardedId(requestId, reward);
        // Block numbers are far below 2^64.
        uint64 from = uint64(block.number) + reward.confirmations;
        _rewards().waiting[requestId] = Waiting(RequestState.Pending, from);
        Request memory request = Request(subject, sequence, deadline, action, dataCommitment);
        emit RewardedInferenceRequested(requestId, subject, request, reward, input);
    }

    /// @dev Uses up a part of the caller's limit.
    function _spend(address payer, address asset, uint256 amount) private {
        mapping(address => uint256) storage limits = _rewards().limits[payer][msg.sender];
        uint256 available = limits[asset];
        if (available < amount) revert SpendingLimitExceeded(payer, msg.sender, available, amount);
        limits[asset] = available - amount;
    }

    /// @dev Ends the wait of a request with a reward, once.
    function _end(uint256 requestId, RequestState next) private returns (uint256 from) {
        Waiting storage waiting = _rewards().waiting[requestId];
        RequestState state = waiting.state;
        if (state != RequestState.Pending) revert RequestNotPending(requestId, state);
        waiting.state = next;
        return waiting.from;
    }

    /// @dev Has the contract act on the output, with all the gas that the request allows and no more. Whoever hands the
    /// proof in cannot make it fail with less.
    function _callBack(uint256 requestId, Request calldata request, uint256 limit, bytes calldata output) private {
        bytes memory data = abi.encodeCall(this.applyRewarded, (requestId, request, output));
        // A call leaves one part in 64 behind (EIP-150).
        uint256 left = gasleft() > _GAS_AROUND_CALLBACK ? gasleft() - _GAS_AROUND_CALLBACK : 0;
        if (left - left / 64 < limit) revert NotEnoughGas(left - left / 64, limit);
        bool done;
        assembly ("memory-safe") {
            // What it answers is not copied: an answer may be long.
            done := call(limit, address(), 0, add(data, 0x20), mload(data), 0, 0)
        }
        if (!done) emit CallbackFailed(requestId);
    }

    function _idOf(Request calldata request, Reward calldata reward) private pure returns (uint256 requestId) {
        return _rewardedId(_idOf(request), reward);
    }

    function _rewardedId(uint256 requestId, Reward calldata reward) private pure returns (uint256 rewardedId) {
        return ZKMLStatement.rewardedIdOf(
            requestId, reward.payer, reward.asset, reward.amount, reward.callbackGas, reward.confirmations
        );
    }

    function _rewards() private pure returns (RewardsStorage storage s) {
        assembly ("memory-safe") {
            // A place is no address of a variable until it is said to be one.
            s.slot := _REWARDS_STORAGE
        }
    }
}
