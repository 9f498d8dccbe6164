// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureCheckerLib} from "solady/src/utils/SignatureCheckerLib.sol";

import {ZKMLConsumer} from "./ZKMLConsumer.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title What a consumer inherits besides, so that others may hand in inferences for a subject that has agreed
/// @notice A proof authorises nobody: whoever sees its input can make one about anybody. So a contract that takes an inference
/// from somebody else than its subject asks for the subject's signature.
///
/// A consent is for one inference: its relayer (or anybody), the subject's next nonce, the deadline, the action and the
/// commitment to the input, at this contract on this chain. The nonce is the one of the proof's context, so a consent is used
/// up with the inference; whatever else the subject has accepted under that nonce uses it up, too. There is no other way to
/// take it back: choose a close deadline.
/// @dev A function for relayers calls {_checkConsent} and then takes the inference for its subject:
///
/// `_checkConsent(subject, action, inference, consent); _verifyInference(subject, action, inference);`
abstract contract ZKMLRelayed is ZKMLConsumer {
    /// @notice What the subject has signed, besides what the inference says.
    /// @param relayer Who may hand it in; zero for anybody.
    /// @param signature The subject's signature of {consentDigest}: ECDSA (65 bytes, of the two forms the one with the low `s`), or
    /// whatever a subject that is a contract takes (ERC-1271).
    struct Consent {
        address relayer;
        bytes signature;
    }

    /// @notice The consent is for another relayer.
    /// @param relayer Who may hand the inference in.
    /// @param caller Who tried.
    error NotTheRelayer(address relayer, address caller);
    /// @notice The subject has not signed this relayer, nonce, deadline, action and input, for this contract on this chain.
    /// @param subject Whom the inference is about.
    error NotConsented(address subject);

    /// @notice What a subject signs, an EIP-712 digest in the domain of {eip712Domain}.
    /// @param subject Whom the inference is about.
    /// @param relayer Who may hand it in; zero for anybody.
    /// @param nonce The subject's next nonce, from {nonces}.
    /// @param deadline Last acceptable block time, in seconds since 1970: the one that the proof is bound to.
    /// @param action What the result is to be used for, hashed.
    /// @param dataCommitment The commitment to the input.
    /// @return digest The digest of a `ZKMLConsent`.
    function consentDigest(
        address subject,
        address relayer,
        uint256 nonce,
        uint256 deadline,
        bytes32 action,
        bytes32 dataCommitment
    ) public view returns (bytes32 digest) {
        bytes32 consent = ZKMLStatement.consentHash(subject, relayer, nonce, deadline, action, dataCommitment);
        return ZKMLStatement.typedDigest(_domainSeparator(), consent);
    }

    /// @dev Refuses an inference that its subject does not want handed in by the caller. It does not use the consent up: the
    /// caller of this function goes on to take the inference, which moves the nonce and refuses what is late.
    /// @param subject Whom the inference is about.
    /// @param action What the caller of this function is about to do, hashed with all its parameters.
    /// @param inference What was handed in.
    /// @param consent What the subject has signed.
    function _checkConsent(address subject, bytes32 action, Inference calldata inference, Consent calldata consent)
        internal
        view
    {
        address relayer = consent.relayer;
        if (relayer != address(0) && relayer != msg.sender) revert NotTheRelayer(relayer, msg.sender);
        (, bytes32 data,) = ZKMLStatement.header(inference.proof);
        bytes32 digest = consentDigest(subject, relayer, nonces(subject), inference.deadline, action, data);
        if (!_isSigned(subject, digest, consent.signature)) revert NotConsented(subject);
    }

    /// @dev Of an account without code, a signature has one form only; one that has code is always asked as a contract.
    function _isSigned(address subject, bytes32 digest, bytes calldata signature) private view returns (bool signed) {
        if (subject.code.length != 0) {
            return SignatureCheckerLib.isValidERC1271SignatureNowCalldata(subject, digest, signature);
        }
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == subject;
    }
}
