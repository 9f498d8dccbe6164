// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {SignatureCheckerLib} from "solady/src/utils/SignatureCheckerLib.sol";

import {IZKMLAttestors} from "./interfaces/IZKMLAttestors.sol";
import {ZKMLAddress} from "./libraries/ZKMLAddress.sol";

/// @title Registered keys of enclaves and auditors
/// @notice Its owner registers a key with the hash of the certificate that speaks for it, and with the measurement of what holds it: both
/// are for people to compare, off chain, with a quote or a contract. A key expires, and is revoked at once and for good. What was
/// attested before stays as it is: a signature is looked at once.
///
/// WHOEVER APPLICATIONS TAKE ATTESTATIONS FROM, THEY TRUST ITS OWNER: a key that it registers may sign anything, from the next
/// block on.
contract ZKMLAttestors is IZKMLAttestors, Ownable2Step {
    /// @notice How a key signs.
    enum Kind {
        None,
        /// ECDSA over secp256k1, 65 bytes, one form of each signature; an account's key, whatever code the account borrows.
        Secp256k1,
        /// ECDSA over P-256, 64 bytes (r, s), s in the lower half; by RIP-7212's precompile where the chain has it.
        P256,
        /// A contract that answers by ERC-1271.
        Contract
    }

    /// @notice What is registered of a key.
    /// @param kind How it signs; `None` for one that was never registered.
    /// @param expiry Last block time at which it counts.
    /// @param revoked Whether it was revoked.
    /// @param x The account, or the point's first coordinate.
    /// @param y The point's second coordinate; zero for accounts.
    /// @param certificateHash Hash of the certificate or the contract that says whose key it is.
    /// @param measurement What an enclave's quote says about the code that holds the key; zero for auditors.
    struct Key {
        Kind kind;
        uint40 expiry;
        bool revoked;
        bytes32 x;
        bytes32 y;
        bytes32 certificateHash;
        bytes32 measurement;
    }

    /// @notice The longest time that a key is registered for, in seconds.
    uint256 public constant MAX_LIFETIME = 825 days;

    /// @dev All keys.
    mapping(bytes32 keyId => Key key) private _keys;

    /// @notice A key was registered, or its certificate was renewed.
    /// @param keyId The key.
    /// @param key All of it.
    event KeyRegistered(bytes32 indexed keyId, Key key);
    /// @notice A key counts no more.
    /// @param keyId The key.
    event KeyRevoked(bytes32 indexed keyId);

    /// @notice The key was never registered.
    /// @param keyId The key.
    error UnknownKey(bytes32 keyId);
    /// @notice The key was revoked, for good.
    /// @param keyId The key.
    error RevokedKey(bytes32 keyId);
    /// @notice The key has expired.
    /// @param keyId The key.
    /// @param expiry Last block time at which it counted.
    error ExpiredKey(bytes32 keyId, uint256 expiry);
    /// @notice The key has not signed this.
    /// @param keyId The key.
    error WrongSignature(bytes32 keyId);
    /// @notice These are no coordinates of a key of this kind.
    /// @param kind The kind.
    /// @param x The first.
    /// @param y The second.
    error NotAKey(Kind kind, bytes32 x, bytes32 y);
    /// @notice A key expires after now, and within {MAX_LIFETIME}.
    /// @param expiry What was asked for.
    error ExpiryOutOfBounds(uint256 expiry);
    /// @notice Nobody could say whose key it is.
    error NoCertificate();

    /// @notice Names who registers keys.
    /// @param owner_ Who does.
    constructor(address owner_) Ownable(owner_) {}

    /// @notice Registers a key, or renews what is registered of it. One that was revoked stays revoked.
    /// @param kind How it signs.
    /// @param x The account, as a word, or the point's first coordinate.
    /// @param y The point's second coordinate; zero for accounts.
    /// @param certificateHash Hash of the certificate that speaks for it.
    /// @param measurement Measurement of the code that holds it; zero for auditors.
    /// @param expiry Last block time at which it counts.
    /// @return keyId The key's id, which depends on kind and coordinates only: no key counts twice.
    function register(Kind kind, bytes32 x, bytes32 y, bytes32 certificateHash, bytes32 measurement, uint40 expiry)
        external
        onlyOwner
        returns (bytes32 keyId)
    {
        if (!_isKey(kind, x, y)) revert NotAKey(kind, x, y);
        if (certificateHash == 0) revert NoCertificate();
        if (expiry <= block.timestamp || expiry > block.timestamp + MAX_LIFETIME) revert ExpiryOutOfBounds(expiry);
        keyId = keyIdOf(kind, x, y);
        if (_keys[keyId].revoked) revert RevokedKey(keyId);
        Key memory key = Key(kind, expiry, false, x, y, certificateHash, measurement);
        _keys[keyId] = key;
        emit KeyRegistered(keyId, key);
    }

    /// @notice Revokes a key, at once and for good. Its owner does, and so may an account that is the key itself.
    /// @param keyId The key.
    function revoke(bytes32 keyId) external {
        Key storage key = _keys[keyId];
        if (key.kind == Kind.None) revert UnknownKey(keyId);
        bool itself = key.kind != Kind.P256 && key.x == bytes32(uint256(uint160(msg.sender)));
        if (!itself) _checkOwner();
        if (key.revoked) revert RevokedKey(keyId);
        key.revoked = true;
        emit KeyRevoked(keyId);
    }

    /// @inheritdoc IZKMLAttestors
    function check(bytes32 keyId, bytes32 digest, bytes calldata signature) external view {
        Key storage key = _keys[keyId];
        Kind kind = key.kind;
        if (kind == Kind.None) revert UnknownKey(keyId);
        if (key.revoked) revert RevokedKey(keyId);
        if (block.timestamp > key.expiry) revert ExpiredKey(keyId, key.expiry);
        if (!_hasSigned(keyId, key, digest, signature)) revert WrongSignature(keyId);
    }

    /// @notice What is registered of a key.
    /// @param keyId The key.
    /// @return key All of it; of kind `None` if it was never registered.
    function keyOf(bytes32 keyId) external view returns (Key memory key) {
        return _keys[keyId];
    }

    /// @notice The id of a key.
    /// @param kind How it signs.
    /// @param x The account, as a word, or the point's first coordinate.
    /// @param y The point's second coordinate; zero for accounts.
    /// @return keyId The hash of all three.
    function keyIdOf(Kind kind, bytes32 x, bytes32 y) public pure returns (bytes32 keyId) {
        return keccak256(abi.encode(kind, x, y));
    }

    /// @dev Whether a key has signed.
    function _hasSigned(bytes32 keyId, Key storage key, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool whether)
    {
        Kind kind = key.kind;
        if (kind == Kind.Secp256k1) {
            // Refuses the higher half of s, and everything that is not 65 bytes.
            (address signer, ECDSA.RecoverError failed,) = ECDSA.tryRecover(digest, signature);
            // Its id says which account it is: that is a slot less to be read.
            return failed == ECDSA.RecoverError.NoError && keyIdOf(kind, bytes32(uint256(uint160(signer))), 0) == keyId;
        }
        if (kind == Kind.P256) {
            return signature.length == 64
                && P256.verify(digest, bytes32(signature[:32]), bytes32(signature[32:]), key.x, key.y);
        }
        address account = address(uint160(uint256(key.x)));
        return SignatureCheckerLib.isValidERC1271SignatureNowCalldata(account, digest, signature);
    }

    /// @dev Whether there can be a key like this.
    function _isKey(Kind kind, bytes32 x, bytes32 y) private view returns (bool whether) {
        if (kind == Kind.None) return false;
        if (kind == Kind.P256) return P256.isValidPublicKey(x, y);
        if (y != 0 || x == 0 || uint256(x) > type(uint160).max) return false;
        return kind == Kind.Secp256k1 || ZKMLAddress.isContract(address(uint160(uint256(x))));
    }
}
