// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {SignatureCheckerLib} from "solady/src/utils/SignatureCheckerLib.sol";

import {ZKMLDomain} from "../ZKMLDomain.sol";
import {ZKMLStatement} from "../libraries/ZKMLStatement.sol";

/// @title Inputs that somebody has signed for
/// @notice One way to answer "why is this input true?": an issuer whom the application trusts has signed the commitment to
/// it, for this subject, for this use, for this contract on this chain, from one time to another. The chain sees the
/// commitment only.
///
/// What the issuer vouches for is the issuer's business; an application trusts it as it would trust an oracle. Two things
/// are the issuer's to check before it signs, because no contract can:
///
/// - Salted commitments differ each time, so the issuer makes the commitment itself, or recomputes it from salt and data.
/// - Where the data say something about the use (a loan's amount is an input of many credit models), they agree with the
///   `action`. Otherwise somebody is judged by the data of a small loan and takes a large one.
/// @dev An application calls {_checkDataRoot} in its hook. The issuer is fixed, and there is no revocation: keep `validUntil` close. Use a contract (ERC-1271) as issuer where
/// keys are to be rotated or signatures withdrawn; an issuer that has code is always asked as a contract.
///
/// Nothing is remembered here. A signature may be shown again until it expires, in another encoding, too: what was used up
/// is remembered by statements, through the consumer's nonces, and by the application.
abstract contract SignedDataRoot is ZKMLDomain {
    /// @notice What the issuer signed, besides subject and commitment.
    /// @param action What the data may be used for: the action of the inference.
    /// @param issuedAt When the data was true, in seconds since 1970.
    /// @param validUntil Last block time at which it may be used.
    /// @param signature ECDSA (64 or 65 bytes), or whatever an ERC-1271 issuer takes.
    struct DataRoot {
        bytes32 action;
        uint64 issuedAt;
        uint64 validUntil;
        bytes signature;
    }

    /// @notice EIP-712 type of a signed data root.
    bytes32 public constant DATA_ROOT_TYPEHASH =
        keccak256("DataRoot(address subject,bytes32 dataCommitment,bytes32 action,uint64 issuedAt,uint64 validUntil)");

    /// @notice Whose signature counts.
    address public immutable ISSUER;

    /// @notice The issuer is the zero address.
    error NoIssuer();
    /// @notice The issuer has not signed this commitment for this subject, use, contract, chain and time.
    /// @param subject Whom the data is about.
    /// @param dataCommitment The commitment to the data.
    error NotSignedByIssuer(address subject, bytes32 dataCommitment);
    /// @notice The issuer has signed the data for another use.
    /// @param actual What it was signed for.
    /// @param expected What it is to be used for.
    error DataForAnotherAction(bytes32 actual, bytes32 expected);
    /// @notice The data is from the future.
    /// @param issuedAt When it is said to be true.
    error DataNotYetValid(uint256 issuedAt);
    /// @notice The issuer's word has expired.
    /// @param validUntil Last block time at which it could be used.
    error DataExpired(uint256 validUntil);

    /// @notice Fixes the issuer.
    /// @param issuer Whose signature counts.
    constructor(address issuer) {
        if (issuer == address(0)) revert NoIssuer();
        ISSUER = issuer;
    }

    /// @notice What the issuer signs.
    /// @param subject Whom the data is about.
    /// @param dataCommitment The commitment to the data.
    /// @param action What the data may be used for.
    /// @param issuedAt When the data was true, in seconds since 1970.
    /// @param validUntil Last block time at which it may be used.
    /// @return digest The EIP-712 digest, in the domain of {eip712Domain}.
    function dataRootDigest(address subject, bytes32 dataCommitment, bytes32 action, uint64 issuedAt, uint64 validUntil)
        public
        view
        returns (bytes32 digest)
    {
        return ZKMLStatement.typedDigest(
            _domainSeparator(),
            keccak256(abi.encode(DATA_ROOT_TYPEHASH, subject, dataCommitment, action, issuedAt, validUntil))
        );
    }

    /// @dev Checks an ABI-encoded {DataRoot} for this use, and says when the data was true. Bytes that are no such encoding revert
    /// without a reason.
    function _checkDataRoot(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata provenance)
        internal
        view
        returns (uint256 issuedAt)
    {
        DataRoot memory root = abi.decode(provenance, (DataRoot));
        if (root.action != action) revert DataForAnotherAction(root.action, action);
        if (root.issuedAt > block.timestamp) revert DataNotYetValid(root.issuedAt);
        if (root.validUntil < block.timestamp) revert DataExpired(root.validUntil);
        bytes32 digest = dataRootDigest(subject, dataCommitment, root.action, root.issuedAt, root.validUntil);
        if (!SignatureCheckerLib.isValidSignatureNow(ISSUER, digest, root.signature)) {
            revert NotSignedByIssuer(subject, dataCommitment);
        }
        return root.issuedAt;
    }
}
