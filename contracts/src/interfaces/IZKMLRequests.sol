// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Inferences that one party asks for and any other proves
/// @notice A request fixes all that a proof could choose: subject, deadline, action and input. Whoever proves it adds the
/// proof and nothing else. The id of a request is the hash of all of it, and the nonce of the context that its proof is
/// bound to; so an event that is seen again, or again after a reorganisation of the chain, is the same request.
interface IZKMLRequests {
    /// @notice Where a request stands. It only ever moves on. `Fulfilled` says that a valid proof came in; of a request with a
    /// reward it does not say that the contract has accepted the output, see {IZKMLRewards-CallbackFailed}.
    enum RequestState {
        None,
        Pending,
        Fulfilled,
        Cancelled
    }

    /// @notice What is asked for.
    /// @param subject Who asked; whom the inference is about.
    /// @param sequence How many requests the contract had before this one.
    /// @param deadline Last acceptable block time, in seconds since 1970.
    /// @param action What the output is to be used for, hashed.
    /// @param dataCommitment The commitment to the one input that may be proven.
    struct Request {
        address subject;
        uint256 sequence;
        uint256 deadline;
        bytes32 action;
        bytes32 dataCommitment;
    }

    /// @notice Somebody asks for an inference.
    /// @param requestId The request's id.
    /// @param subject See {Request}.
    /// @param sequence See {Request}.
    /// @param deadline See {Request}.
    /// @param action See {Request}.
    /// @param dataCommitment See {Request}.
    /// @param input The words of the input section where inputs are public, for whoever proves; empty where they are
    /// committed, and their opening is known elsewhere.
    event InferenceRequested(
        uint256 indexed requestId,
        address indexed subject,
        uint256 sequence,
        uint256 deadline,
        bytes32 action,
        bytes32 dataCommitment,
        bytes input
    );
    /// @notice A request was fulfilled: a valid proof came in. What the contract has acted on, {ZKMLConsumer-InferenceAccepted}
    /// says.
    /// @param requestId The request's id.
    /// @param subject Who had asked.
    /// @param fulfiller Who handed the proof in; where there is a reward, its prover.
    event InferenceFulfilled(uint256 indexed requestId, address indexed subject, address indexed fulfiller);
    /// @notice A request was withdrawn by its subject.
    /// @param requestId The request's id.
    event RequestCancelled(uint256 indexed requestId);

    /// @notice There is no such request, or it was fulfilled or withdrawn before.
    /// @param requestId Its id.
    /// @param state Where it stands.
    error RequestNotPending(uint256 requestId, RequestState state);
    /// @notice The input is another than the one that was asked about.
    /// @param actual The commitment to it.
    /// @param expected The commitment in the request.
    error WrongInput(bytes32 actual, bytes32 expected);
    /// @notice The input has another length than this model's inputs.
    /// @param actual Its length in bytes.
    /// @param expected The length that it must have.
    error WrongInputLength(uint256 actual, uint256 expected);
    /// @notice Only who asked can withdraw a request.
    /// @param requestId Its id.
    /// @param caller Who tried.
    error NotRequester(uint256 requestId, address caller);

    /// @notice Hands in the proof of a request. Anybody may: there is nothing to choose. Refused while the contract is
    /// paused.
    /// @param request The request, as its event has it.
    /// @param output The words of the output section, 32 bytes each.
    /// @param proof The proof blob, bound to {requestContext}.
    function fulfillInference(Request calldata request, bytes calldata output, bytes calldata proof) external;

    /// @notice Withdraws a request that waits for its proof, for good. Its subject alone may, at any time.
    /// @param request The request, as its event has it.
    function cancelRequest(Request calldata request) external;

    /// @notice Stops inferences, requests and fulfilments until {unpause}. Withdrawing stays possible.
    function pause() external;

    /// @notice Ends what {pause} began.
    function unpause() external;

    /// @notice The id of a request, whether it was made or not.
    /// @param request The request.
    /// @return requestId The hash of all of it.
    function requestIdOf(Request calldata request) external pure returns (uint256 requestId);

    /// @notice What the proof of a request must be bound to.
    /// @param request The request.
    /// @return context The context: pass it to `zkml-chain prove --context`.
    function requestContext(Request calldata request) external view returns (bytes32 context);

    /// @notice Where a request stands.
    /// @param requestId Its id.
    /// @return state `None` for what was never asked for.
    function requestState(uint256 requestId) external view returns (RequestState state);

    /// @notice How many requests were made; the next one's sequence.
    /// @return count Withdrawn ones included.
    function requestCount() external view returns (uint256 count);
}
