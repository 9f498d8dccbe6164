// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {ZKMLConsumer} from "./ZKMLConsumer.sol";
import {IZKMLRequests} from "./interfaces/IZKMLRequests.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title What a contract inherits that asks for inferences which others prove
/// @notice Somebody asks, a service proves, and the contract takes the proof once. {_checkProvenance} is asked when the
/// request is made: from then on the input is fixed by its commitment, and whoever proves chooses nothing.
///
/// Nobody owes a subject a proof. A request may stay without one until its deadline, and the owner can pause requests
/// and fulfilments for as long as it likes, so that a request expires; the owner can change nothing about a request.
/// @dev The nonce of a request's context is the request's id, a hash; nonces of {_verifyInference} count from zero. So no
/// proof is good for both. A request is moved on before anything outside is called: whoever enters again finds it used.
abstract contract ZKMLRequests is ZKMLConsumer, Pausable, IZKMLRequests {
    /// @dev All that is kept of requests.
    mapping(uint256 requestId => RequestState state) private _states;

    /// @inheritdoc IZKMLRequests
    uint256 public requestCount;

    /// @inheritdoc IZKMLRequests
    function fulfillInference(Request calldata request, bytes calldata output, bytes calldata proof)
        external
        whenNotPaused
    {
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
    function pause() external onlyOwner {
        _pause();
    }

    /// @inheritdoc IZKMLRequests
    function unpause() external onlyOwner {
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
    function requestState(uint256 requestId) external view returns (RequestState state) {
        return _states[requestId];
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
        if (block.timestamp > deadline) revert InferenceExpired(deadline);
        // The hook may ask for another inference: each has its own number.
        uint256 sequence = requestCount++;
        _checkProvenance(subject, action, dataCommitment, provenance);
        requestId = ZKMLStatement.requestIdOf(subject, sequence, deadline, action, dataCommitment);
        _states[requestId] = RequestState.Pending;
        emit InferenceRequested(requestId, subject, sequence, deadline, action, dataCommitment, input);
    }

    /// @dev What follows from a fulfilled request, besides {_onInference}; nothing by default.
    /// @param requestId The request's id, which is the nonce of {InferenceAccepted} too.
    /// @param request The request.
    /// @param output The proven words of the output section.
    function _onFulfilled(uint256 requestId, Request calldata request, bytes calldata output) internal virtual {}

    /// @dev Ends the wait of a request, once.
    function _moveOn(uint256 requestId, RequestState next) private {
        RequestState state = _states[requestId];
        if (state != RequestState.Pending) revert RequestNotPending(requestId, state);
        _states[requestId] = next;
    }

    /// @dev Takes a proof of what was asked for, of no other input.
    function _takeProof(uint256 requestId, Request calldata request, bytes calldata output, bytes calldata proof)
        private
    {
        (address subject, uint256 deadline, bytes32 action) = (request.subject, request.deadline, request.action);
        if (block.timestamp > deadline) revert InferenceExpired(deadline);
        (, bytes32 data, bytes32 context) = ZKMLStatement.header(proof);
        bytes32 expected = contextOf(subject, requestId, deadline, action);
        if (context != expected) revert WrongContext(context, expected);
        if (data != request.dataCommitment) revert WrongInput(data, request.dataCommitment);
        _acceptProof(subject, requestId, action, data, context, output, proof);
    }

    /// @dev See {requestIdOf}.
    function _idOf(Request calldata request) private pure returns (uint256 requestId) {
        return ZKMLStatement.requestIdOf(
            request.subject, request.sequence, request.deadline, request.action, request.dataCommitment
        );
    }
}
