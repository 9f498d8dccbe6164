// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLPausable} from "./ZKMLPausable.sol";
import {IZKMLRequests} from "./interfaces/IZKMLRequests.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title What a contract inherits that asks for inferences which others prove
/// @notice Somebody asks, a service proves, and the contract takes the proof once. {_checkProvenance} is asked when the
/// request is made: from then on the input is fixed by its commitment, and whoever proves chooses nothing.
///
/// Nobody owes a subject a proof. A request may stay without one until its deadline, and the owner can pause the contract
/// for as long as it likes, so that a request expires; the owner can change nothing about a request.
/// @dev The nonce of a request's context is the request's id, a hash; nonces of {_verifyInference} count from zero. So no
/// proof is good for both. A request is moved on before anything outside is called: whoever enters again finds it used.
abstract contract ZKMLRequests is ZKMLPausable, IZKMLRequests {
    /// @dev All that is kept of requests.
    /// @custom:storage-location erc7201:zkml-chain.storage.Requests
    struct RequestsStorage {
        mapping(uint256 requestId => RequestState state) states;
        uint256 count;
    }

    /// @dev ERC-7201's place of {RequestsStorage}.
    bytes32 private constant _REQUESTS_STORAGE = 0x05c7998ef39a502cc586b72ed2e4d9001215c5048ff60dda29046309e61ac200;

    /// @inheritdoc IZKMLRequests
    function fulfillInference(Request calldata request, bytes calldata output, bytes calldata proof) external {
        _beforeInference();
        uint256 requestId = _idOf(request);
        _moveOn(requestId, RequestState.Fulfilled);
        _takeProof(requestId, request, output, proof);
        emit InferenceFulfilled(requestId, request.subject, msg.sender);
        _onFulfilled(requestId, request, output);
    }

    /// @inheritdoc IZKMLRequests
    function cancelRequest(Request calldata request) external {
        uint256 requestId = _idOf(request);
        if (msg.sender != request.subject) revert NotRequester(requestId, msg.sender);
        _moveOn(requestId, RequestState.Cancelled);
        emit RequestCancelled(requestId);
    }

    /// @inheritdoc IZKMLRequests
    function pause() external override(IZKMLRequests, ZKMLPausable) onlyOwner {
        _pause();
    }

    /// @inheritdoc IZKMLRequests
    function unpause() external override(IZKMLRequests, ZKMLPausable) onlyOwner {
        _unpause();
    }

    /// @inheritdoc IZKMLRequests
    function requestIdOf(Request calldata request) external pure returns (uint256 requestId) {
        return _idOf(request);
    }

    /// @inheritdoc IZKMLRequests
    function requestContext(Request calldata request) external view returns (bytes32 context) {
        return contextOf(request.subject, _idOf(request), request.deadline, request.action);
    }

    /// @inheritdoc IZKMLRequests
    function requestState(uint256 requestId) external view virtual returns (RequestState state) {
        return _stateOf(requestId);
    }

    /// @inheritdoc IZKMLRequests
    function requestCount() external view returns (uint256 count) {
        return _requests().count;
    }

    /// @dev Makes a request, if its input is to be believed.
    /// @param subject Whom the inference is about: usually `msg.sender`, who alone can withdraw the request.
    /// @param action What will be done with the output, hashed with all its parameters.
    /// @param deadline Last acceptable block time, in seconds since 1970.
    /// @param dataCommitment The commitment to the input.
    /// @param input The words of the input section where inputs are public, else empty; for whoever proves, and not looked
    /// at here: with others than the commitment covers, the request cannot be fulfilled.
    /// @param provenance Why the input is to be believed; what it holds is up to {_checkProvenance}.
    /// @return requestId The request's id.
    function _requestInference(
        address subject,
        bytes32 action,
        uint256 deadline,
        bytes32 dataCommitment,
        bytes calldata input,
        bytes calldata provenance
    ) internal whenNotPaused returns (uint256 requestId) {
        uint256 sequence;
        (requestId, sequence) = _number(subject, action, deadline, dataCommitment, provenance);
        _requests().states[requestId] = RequestState.Pending;
        emit InferenceRequested(requestId, subject, sequence, deadline, action, dataCommitment, input);
    }

    /// @dev What follows from a fulfilled request, besides {_onInference}; nothing by default. Anybody may hand the proof in, at
    /// any moment until the deadline and, where there is no reward, with little gas: what is called here and may fail should
    /// make the hook revert, or be done later.
    /// @param requestId The request's id, which is the nonce of {InferenceAccepted} too.
    /// @param request The request.
    /// @param output The proven words of the output section.
    function _onFulfilled(uint256 requestId, Request calldata request, bytes calldata output) internal virtual {}

    /// @dev Gives a request its number and its id, if its input is to be believed.
    /// @param subject See {_requestInference}.
    /// @param action See {_requestInference}.
    /// @param deadline See {_requestInference}.
    /// @param dataCommitment See {_requestInference}.
    /// @param provenance See {_requestInference}.
    /// @return requestId The request's id.
    /// @return sequence Its number.
    function _number(
        address subject,
        bytes32 action,
        uint256 deadline,
        bytes32 dataCommitment,
        bytes calldata provenance
    ) internal returns (uint256 requestId, uint256 sequence) {
        _checkInitialized();
        if (block.timestamp > deadline) revert InferenceExpired(deadline);
        // The hook may ask for another inference: each has its own number.
        sequence = _requests().count++;
        _checkProvenance(subject, action, dataCommitment, provenance);
        requestId = ZKMLStatement.requestIdOf(subject, sequence, deadline, action, dataCommitment);
    }

    /// @dev Where a request stands.
    /// @param requestId Its id.
    /// @return state `None` for what was never asked for.
    function _stateOf(uint256 requestId) internal view returns (RequestState state) {
        return _requests().states[requestId];
    }

    /// @dev Refuses a proof that is bound to something else than it should be, or about another input.
    /// @param request What was asked for.
    /// @param nonce What makes the context count once.
    /// @param proof The proof blob.
    /// @return context What the proof is bound to.
    function _checkBinding(Request calldata request, uint256 nonce, bytes calldata proof)
        internal
        view
        returns (bytes32 context)
    {
        uint256 deadline = request.deadline;
        if (block.timestamp > deadline) revert InferenceExpired(deadline);
        bytes32 data;
        (, data, context) = ZKMLStatement.header(proof);
        bytes32 expected = contextOf(request.subject, nonce, deadline, request.action);
        if (context != expected) revert WrongContext(context, expected);
        if (data != request.dataCommitment) revert WrongInput(data, request.dataCommitment);
    }

    /// @dev Ends the wait of a request, once.
    function _moveOn(uint256 requestId, RequestState next) private {
        mapping(uint256 => RequestState) storage states = _requests().states;
        RequestState state = states[requestId];
        if (state != RequestState.Pending) revert RequestNotPending(requestId, state);
        states[requestId] = next;
    }

    /// @dev Takes a proof of what was asked for, of no other input.
    function _takeProof(uint256 requestId, Request calldata request, bytes calldata output, bytes calldata proof)
        private
    {
        bytes32 context = _checkBinding(request, requestId, proof);
        (address subject, bytes32 action, bytes32 data) = (request.subject, request.action, request.dataCommitment);
        _verifyProof(data, context, output, proof);
        _apply(subject, requestId, action, data, output);
    }

    /// @dev See {requestIdOf}.
    /// @param request The request.
    /// @return requestId Its id.
    function _idOf(Request calldata request) internal pure returns (uint256 requestId) {
        return ZKMLStatement.requestIdOf(
            request.subject, request.sequence, request.deadline, request.action, request.dataCommitment
        );
    }

    function _requests() private pure returns (RequestsStorage storage s) {
        assembly ("memory-safe") {
            // A place is no address of a variable until it is said to be one.
            s.slot := _REQUESTS_STORAGE
        }
    }
}
