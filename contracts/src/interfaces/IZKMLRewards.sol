// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLLedger} from "./IZKMLLedger.sol";
import {IZKMLRequests} from "./IZKMLRequests.sol";

/// @title Requests that pay whoever proves them
/// @notice A reward is set aside when the request is made. It goes to the prover that the proof is bound to, whoever hands
/// it in: who copies a proof pays for its transaction and gets nothing. After the deadline it goes back to who paid.
/// Nobody takes a fee, and nobody can move money that is not theirs.
///
/// Deposits, rewards that were earned and rewards that came back are in one ledger, see {IZKMLLedger}.
interface IZKMLRewards is IZKMLLedger {
    /// @notice What a request pays, and how it is carried out; part of its id.
    /// @param payer Whose money it is: the caller, or somebody whose spending limit allows it.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount How much, in the asset's smallest unit; not zero.
    /// @param callbackGas Gas that the contract may use up to act on the output. The prover is paid even if it is not
    /// enough; less than this, no prover can give.
    /// @param confirmations Blocks between the request and its fulfilment, at least.
    struct Reward {
        address payer;
        address asset;
        uint256 amount;
        uint64 callbackGas;
        uint32 confirmations;
    }

    /// @notice Somebody asks for an inference, and pays for its proof.
    /// @param requestId The request's id, which covers the reward.
    /// @param subject See {IZKMLRequests.Request}.
    /// @param request All of the request.
    /// @param reward All of the reward.
    /// @param input See {IZKMLRequests.InferenceRequested}.
    event RewardedInferenceRequested(
        uint256 indexed requestId, address indexed subject, IZKMLRequests.Request request, Reward reward, bytes input
    );
    /// @notice A prover has earned a reward.
    /// @param requestId The request's id.
    /// @param prover Who proved it; {withdraw} pays out.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount How much.
    event RewardEarned(uint256 indexed requestId, address indexed prover, address indexed asset, uint256 amount);
    /// @notice Nobody proved a request in time, and its reward is the payer's again.
    /// @param requestId The request's id.
    /// @param payer Who had paid; {withdraw} pays out.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount How much.
    event RewardReturned(uint256 indexed requestId, address indexed payer, address indexed asset, uint256 amount);
    /// @notice The output was proven and paid for, but the contract has not acted on it: it has refused, is paused, or the
    /// gas that the request allows was not enough. Nothing of it has happened, and nobody can make it happen later.
    /// @param requestId The request's id.
    event CallbackFailed(uint256 indexed requestId);
    /// @notice Somebody may spend another's deposit on requests, up to a limit.
    /// @param payer Whose deposit.
    /// @param spender Who may.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount What is left of the limit.
    event SpendingLimitSet(address indexed payer, address indexed spender, address indexed asset, uint256 amount);

    /// @notice A reward of nothing: make a request without one.
    error NoReward();
    /// @notice The payer allows the spender less than that.
    /// @param payer Whose deposit.
    /// @param spender Who wants to spend it.
    /// @param available What is left of the limit.
    /// @param needed What is needed.
    error SpendingLimitExceeded(address payer, address spender, uint256 available, uint256 needed);
    /// @notice The request is too young for a proof.
    /// @param blockNumber The block.
    /// @param first The first block in which it can be fulfilled.
    error TooFewConfirmations(uint256 blockNumber, uint256 first);
    /// @notice The reward is the provers' until the deadline has passed.
    /// @param deadline The last block time at which it can be earned.
    error NotExpired(uint256 deadline);
    /// @notice The transaction has too little gas left to give the callback what the request allows it.
    /// @param available What the callback would get.
    /// @param needed What the request allows it.
    error NotEnoughGas(uint256 available, uint256 needed);
    /// @notice Only the contract itself calls this.
    /// @param caller Who called.
    error NotSelf(address caller);

    /// @notice Lets somebody spend the caller's deposit on requests: a subscription.
    /// @param spender Who may. It can pay itself for proving, so it can take all of it.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount The limit from now on, in total; what was spent before does not count.
    function setSpendingLimit(address spender, address asset, uint256 amount) external;

    /// @notice Hands in the proof of a request with a reward. Anybody may; the prover is paid. Works while the contract is
    /// paused, too: the prover has done its work.
    /// @param request The request, as its event has it.
    /// @param reward The reward, as the event has it.
    /// @param prover Who is paid: the one that the proof is bound to.
    /// @param output The words of the output section, 32 bytes each.
    /// @param proof The proof blob, bound to {rewardedContext}.
    function fulfillRewarded(
        IZKMLRequests.Request calldata request,
        Reward calldata reward,
        address prover,
        bytes calldata output,
        bytes calldata proof
    ) external;

    /// @notice Gives the reward of a request that nobody has proven in time back to its payer. Anybody may.
    /// @param request The request, as its event has it.
    /// @param reward The reward, as the event has it.
    function reclaimReward(IZKMLRequests.Request calldata request, Reward calldata reward) external;

    /// @notice What a spender may still spend of a payer's deposit.
    /// @param payer Whose deposit.
    /// @param spender Who may.
    /// @param asset The token; zero for the chain's own coin.
    /// @return amount What is left of the limit.
    function spendingLimitOf(address payer, address spender, address asset) external view returns (uint256 amount);

    /// @notice The id of a request with a reward, whether it was made or not; {IZKMLRequests-requestState} says where it stands.
    /// @param request The request.
    /// @param reward The reward.
    /// @return requestId The hash of all of it.
    function rewardedIdOf(IZKMLRequests.Request calldata request, Reward calldata reward)
        external
        pure
        returns (uint256 requestId);

    /// @notice What a proof must be bound to that is worth the reward.
    /// @param request The request.
    /// @param reward The reward.
    /// @param prover Who is paid.
    /// @return context The context: pass it to `zkml-chain prove --context`.
    function rewardedContext(IZKMLRequests.Request calldata request, Reward calldata reward, address prover)
        external
        view
        returns (bytes32 context);

    /// @notice When a request with a reward can be fulfilled.
    /// @param requestId Its id.
    /// @return blockNumber The first block; zero for what was never asked for.
    function fulfillableFrom(uint256 requestId) external view returns (uint256 blockNumber);
}
