// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelVerifier} from "../interfaces/IModelVerifier.sol";
import {IZKMLRegistry} from "../interfaces/IZKMLRegistry.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLStatement} from "../libraries/ZKMLStatement.sol";
import {PinnedModel} from "./PinnedModel.sol";
import {Refusal} from "./Refusal.sol";
import {IERC7007Verify} from "./interfaces/IERC7007.sol";

/// @title What an ERC-7007 token asks whether one model made some content
/// @notice Follows the final text of 2024-10-01. A token implements `verify` by asking this contract; deploy one for each
/// token and model.
///
/// - `prompt` is, for a model with one committed input, the commitment (32 bytes). For every other model it is the words
///   of the input section, 32 bytes each. Either way a proof has exactly one prompt.
/// - `aigcData` is the words of the output section, 32 bytes each.
/// - `proof` is the blob, see {ZKMLStatement}.
///
/// Proofs must be bound to this contract by {context}: what was proven for another purpose cannot be minted here, and the
/// other way round. They are not bound to anybody. Whoever sees a proof can show it, so a token lets prompts be claimed
/// before proofs are seen, as the ERC asks; and it gives one token to each prompt.
/// @dev Commitments are salted: the same input has as many commitments as there are salts. Where one token per input is
/// meant, use a model with public inputs. A refused proof gives false, and {check} says why; see {Refusal} about gas.
contract ERC7007Verifier is PinnedModel, IERC7007Verify {
    /// @notice Whether prompts are commitments, rather than the words of the input section.
    bool public immutable PROMPT_IS_COMMITMENT;

    /// @notice This is not the verifier of the pinned model.
    /// @param modelVerifier The contract that was named.
    error WrongModelVerifier(IModelVerifier modelVerifier);
    /// @notice A prompt that is a commitment has 32 bytes.
    /// @param length Bytes that were given.
    error PromptIsNotACommitment(uint256 length);

    /// @notice Pins a model.
    /// @param verifier See {PinnedModel}.
    /// @param modelId See {PinnedModel}.
    /// @param modelVerifier The model's generated verifier; it says here whether inputs are committed, and is not needed
    /// again.
    constructor(IZKMLVerifier verifier, uint256 modelId, IModelVerifier modelVerifier) PinnedModel(verifier, modelId) {
        IZKMLRegistry.Identity memory identity = _identity(verifier, modelId);
        IModelVerifier.Shape memory shape = modelVerifier.statementShape();
        if (shape.vkDigest != identity.vkHash || shape.modelCommitment != identity.circuitHash) {
            revert WrongModelVerifier(modelVerifier);
        }
        PROMPT_IS_COMMITMENT = shape.inputIsCommitment;
    }

    /// @inheritdoc IERC7007Verify
    function verify(bytes calldata prompt, bytes calldata aigcData, bytes calldata proof)
        external
        view
        returns (bool success)
    {
        uint256 before = gasleft();
        try this.check(prompt, aigcData, proof) {
            return true;
        } catch {
            Refusal.check(before);
            return false;
        }
    }

    /// @notice As {verify}, but reverts with the reason.
    /// @param prompt See {verify}.
    /// @param aigcData See {verify}.
    /// @param proof See {verify}.
    function check(bytes calldata prompt, bytes calldata aigcData, bytes calldata proof) external view {
        bytes32 inputCommitment = ZKMLStatement.inputCommitment(_dataCommitment(prompt), context());
        ZKML_VERIFIER.checkInference(MODEL_ID, inputCommitment, aigcData, proof);
    }

    /// @notice What proofs must be bound to: this contract on this chain, nobody, nonce, deadline and action zero.
    /// @return word The context: pass it to `zkml-chain prove --context`.
    function context() public view returns (bytes32 word) {
        return _contextOf(address(0), 0, 0, 0);
    }

    /// @dev What the verifier knows a prompt by.
    function _dataCommitment(bytes calldata prompt) private view returns (bytes32 dataCommitment) {
        if (!PROMPT_IS_COMMITMENT) return keccak256(prompt);
        if (prompt.length != 32) revert PromptIsNotACommitment(prompt.length);
        return bytes32(prompt);
    }
}
