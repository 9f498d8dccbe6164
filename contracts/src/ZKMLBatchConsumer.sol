// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "./ZKMLConsumer.sol";
import {IZKMLBatchVerifier} from "./interfaces/IZKMLBatchVerifier.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title A consumer that takes several inferences at once
/// @notice All of them are accepted, or none is: of one subject or of several, each bound to its own nonce, deadline and action, each
/// with its own provenance. Together they take one pairing. Nothing of what a single inference has to show is spared.
/// @dev The contract that {ZKML_VERIFIER} names has to be an {IZKMLBatchVerifier}, which ERC-165 tells. An inference that cannot be accepted any more,
/// because its nonce was used singly in the meantime, spoils its batch: take batches of subjects that do not work against each other, or be ready
/// to hand in the others again.
abstract contract ZKMLBatchConsumer is ZKMLConsumer {
    /// @notice One inference of a batch.
    /// @param subject Whom it is about.
    /// @param action What it is for, hashed with all parameters.
    /// @param inference What was handed in.
    struct Claim {
        address subject;
        bytes32 action;
        Inference inference;
    }

    /// @dev What is known of an inference whose nonce was used up.
    struct Bound {
        uint256 nonce;
        bytes32 dataCommitment;
    }

    /// @dev Takes inferences, each once. As of {_verifyInference}, a proof authorises nobody: the caller of this function decides who may hand
    /// in what about whom. All nonces are used up before anything outside is called, all proofs are checked before
    /// anything is acted on, and both in the order of the batch.
    /// @param claims One at least. Several of a subject come in the order of their nonces.
    function _verifyInferences(Claim[] calldata claims) internal {
        _beforeInference();
        Bound[] memory bound = new Bound[](claims.length);
        IZKMLBatchVerifier.Inference[] memory batch = new IZKMLBatchVerifier.Inference[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            bytes32 context;
            (bound[i], context) = _useNonce(claims[i]);
            Inference calldata inference = claims[i].inference;
            batch[i].inputCommitment = ZKMLStatement.inputCommitment(bound[i].dataCommitment, context);
            (batch[i].output, batch[i].proof) = (inference.output, inference.proof);
        }
        for (uint256 i = 0; i < claims.length; ++i) {
            Claim calldata each = claims[i];
            _checkProvenance(each.subject, each.action, bound[i].dataCommitment, each.inference.provenance);
        }
        // The model is read after the hooks, which may have let another one take over.
        IZKMLBatchVerifier(address(ZKML_VERIFIER)).verifyBatch(modelId(), batch);
        for (uint256 i = 0; i < claims.length; ++i) {
            Claim calldata each = claims[i];
            _apply(each.subject, bound[i].nonce, each.action, bound[i].dataCommitment, each.inference.output);
        }
    }

    /// @dev Uses up a subject's next nonce, for a proof that is bound to it and not too late; as {_verifyInference} does.
    function _useNonce(Claim calldata claim) private returns (Bound memory bound, bytes32 context) {
        uint256 deadline = claim.inference.deadline;
        if (block.timestamp > deadline) revert InferenceExpired(deadline);
        // One at a time: it never gets to the end of its range.
        unchecked {
            bound.nonce = _consumer().nonces[claim.subject]++;
        }
        (, bound.dataCommitment, context) = ZKMLStatement.header(claim.inference.proof);
        bytes32 expected = contextOf(claim.subject, bound.nonce, deadline, claim.action);
        if (context != expected) revert WrongContext(context, expected);
    }
}
