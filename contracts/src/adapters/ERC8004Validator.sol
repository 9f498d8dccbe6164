// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "../libraries/ZKMLAddress.sol";
import {ZKMLStatement} from "../libraries/ZKMLStatement.sol";
import {PinnedModel} from "./PinnedModel.sol";
import {IValidationRegistry} from "./interfaces/IERC8004.sol";

/// @title ERC-8004 validator for the inferences of one model
/// @notice Follows the draft's revision of 2026-01-25. An agent asks for the validation of "the model gave this output on
/// this input"; anybody who has the proof lets this contract answer 100.
///
/// 1. The agent runs the model, and requests validation of {payloadOf}: its hash is the request's. The request names this
///    contract as validator, and with it the model.
/// 2. The proof is bound to the request by {contextOf}, so it is made for this request of this agent and answers no other.
/// 3. Anybody calls {validate}.
///
/// There is no other answer than 100. A proof that does not hold leaves the request open: otherwise anybody could fail
/// somebody's request with rubbish. 100 says that the output is the model's on the committed input. It does not say that
/// the input is true, and the agent chooses it.
/// @dev The registry lets anybody take any request hash first. An agent whose hash was taken requests again with another
/// salt, and loses nothing if it proves only once its request is in the registry.
contract ERC8004Validator is PinnedModel {
    /// @notice The answer to a request whose inference was proven.
    uint8 public constant PASSED = 100;
    /// @notice The tag of all answers.
    string public constant TAG = "zkml-chain";

    /// @notice Where requests are.
    IValidationRegistry public immutable VALIDATION_REGISTRY;

    /// @notice Requests that were answered.
    mapping(bytes32 requestHash => bool answered) public isAnswered;

    /// @notice A request was answered.
    /// @param requestHash The request.
    /// @param agentId The agent that made it.
    /// @param dataCommitment The commitment to the input.
    /// @param output The words of the output section.
    event InferenceValidated(
        bytes32 indexed requestHash, uint256 indexed agentId, bytes32 dataCommitment, bytes output
    );

    /// @notice The request is answered already.
    /// @param requestHash The request.
    error AlreadyAnswered(bytes32 requestHash);
    /// @notice The request names another validator.
    /// @param requestHash The request.
    /// @param validator The validator that it names.
    error NotForThisValidator(bytes32 requestHash, address validator);
    /// @notice Another agent made the request.
    /// @param found The agent that made it.
    /// @param expected The agent that the request's hash is for.
    error WrongAgent(uint256 found, uint256 expected);

    /// @notice Pins a model and a registry of requests.
    /// @param verifier See {PinnedModel}.
    /// @param modelId See {PinnedModel}.
    /// @param validationRegistry Where requests are.
    constructor(IZKMLVerifier verifier, uint256 modelId, IValidationRegistry validationRegistry)
        PinnedModel(verifier, modelId)
    {
        ZKMLAddress.check(address(validationRegistry));
        VALIDATION_REGISTRY = validationRegistry;
    }

    /// @notice Answers an agent's request with 100, if the proof holds.
    /// @param agentId The agent that made the request.
    /// @param salt See {payloadOf}.
    /// @param dataCommitment See {payloadOf}.
    /// @param output See {payloadOf}.
    /// @param proof The proof blob, see {ZKMLStatement}; bound to the request by {contextOf}.
    function validate(
        uint256 agentId,
        bytes32 salt,
        bytes32 dataCommitment,
        bytes calldata output,
        bytes calldata proof
    ) external {
        bytes32 requestHash = keccak256(payloadOf(agentId, salt, dataCommitment, output));
        if (isAnswered[requestHash]) revert AlreadyAnswered(requestHash);
        isAnswered[requestHash] = true;
        _checkRequest(requestHash, agentId);
        bytes32 inputCommitment = ZKMLStatement.inputCommitment(dataCommitment, contextOf(requestHash));
        ZKML_VERIFIER.verifyInference(MODEL_ID, inputCommitment, output, proof);
        emit InferenceValidated(requestHash, agentId, dataCommitment, output);
        // The verifier's log of this inference has the same commitment as a topic: that is the evidence.
        VALIDATION_REGISTRY.validationResponse(requestHash, PASSED, "", inputCommitment, TAG);
    }

    /// @notice What the proof for a request must be bound to: this contract on this chain, nobody, nonce and deadline zero,
    /// and the request as action.
    /// @param requestHash The request.
    /// @return context The context: pass it to `zkml-chain prove --context`.
    function contextOf(bytes32 requestHash) public view returns (bytes32 context) {
        return _contextOf(address(0), 0, 0, requestHash);
    }

    /// @notice What a request is about: its hash is the request's, and its bytes are what the request's URI points to.
    /// @param agentId The agent that makes the request.
    /// @param salt Anything; another one makes another request about the same inference.
    /// @param dataCommitment The commitment to the input.
    /// @param output The words of the output section, 32 bytes each.
    /// @return payload All of these, ABI-encoded.
    function payloadOf(uint256 agentId, bytes32 salt, bytes32 dataCommitment, bytes calldata output)
        public
        pure
        returns (bytes memory payload)
    {
        return abi.encode(agentId, salt, dataCommitment, output);
    }

    /// @dev Whether the registry has this request, of this agent, for this validator.
    function _checkRequest(bytes32 requestHash, uint256 agentId) private view {
        (address validator, uint256 requester,,,,) = VALIDATION_REGISTRY.getValidationStatus(requestHash);
        if (validator != address(this)) revert NotForThisValidator(requestHash, validator);
        if (requester != agentId) revert WrongAgent(requester, agentId);
    }
}
