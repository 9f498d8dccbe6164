// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {ZKMLAttestors} from "../src/ZKMLAttestors.sol";
import {Test} from "./support/Test.sol";

/// @title An ERC-1271 account that takes one signature
contract OneWord {
    function isValidSignature(bytes32 digest, bytes calldata signature) external pure returns (bytes4) {
        return keccak256(signature) == keccak256(abi.encode(digest)) ? bytes4(0x1626ba7e) : bytes4(0);
    }
}

/// @title Keys of all kinds: which are registered, which sign, and until when
contract AttestorsTest is Test {
    ZKMLAttestors.Kind private constant SECP = ZKMLAttestors.Kind.Secp256k1;
    ZKMLAttestors.Kind private constant P256 = ZKMLAttestors.Kind.P256;
    ZKMLAttestors.Kind private constant CODE = ZKMLAttestors.Kind.Contract;
    bytes32 private constant DIGEST = keccak256("digest");
    bytes32 private constant CERTIFICATE = keccak256("certificate");
    uint40 private constant EXPIRY = uint40(NOW + 30 days);
    uint256 private constant P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    uint256 private constant SECP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    address private constant OWNER = address(uint160(uint256(keccak256("owner"))));

    ZKMLAttestors private attestors;

    function setUp() external {
        vm.warp(NOW);
        attestors = new ZKMLAttestors(OWNER);
    }

    function register(ZKMLAttestors.Kind kind, bytes32 x, bytes32 y) private returns (bytes32) {
        vm.prank(OWNER);
        return attestors.register(kind, x, y, CERTIFICATE, keccak256("code"), EXPIRY);
    }

    function wordOf(address account_) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account_)));
    }

    function refuse(bytes32 id, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(ZKMLAttestors.WrongSignature.selector, id));
        attestors.check(id, DIGEST, signature);
    }

    function test_Secp256k1Signs() external {
        bytes32 id = register(SECP, wordOf(vm.addr(key("enclave"))), 0);
        attestors.check(id, DIGEST, signed("enclave", DIGEST));
        refuse(id, signed("enclave", keccak256("other")));
        refuse(id, signed("somebody", DIGEST));
        refuse(id, "");
        // The other form of the same signature.
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key("enclave"), DIGEST);
        refuse(id, abi.encodePacked(r, bytes32(SECP_ORDER - uint256(s)), v ^ 7));
        // And one byte more.
        refuse(id, abi.encodePacked(r, s, v, uint8(0)));
    }

    function test_P256Signs() external {
        (uint256 x, uint256 y) = vm.publicKeyP256(key("enclave"));
        bytes32 id = register(P256, bytes32(x), bytes32(y));
        (bytes32 r, bytes32 s) = vm.signP256(key("enclave"), DIGEST);
        if (uint256(s) > P256_ORDER / 2) s = bytes32(P256_ORDER - uint256(s));
        attestors.check(id, DIGEST, abi.encodePacked(r, s));
        refuse(id, abi.encodePacked(r, bytes32(P256_ORDER - uint256(s))));
        refuse(id, abi.encodePacked(r, bytes32(uint256(s) ^ 1)));
        refuse(id, abi.encodePacked(r, s, uint8(0)));
        refuse(id, "");
    }

    /// @dev RIP-7212's precompile is asked where there is one.
    function test_PrecompileIsAsked() external {
        (uint256 x, uint256 y) = vm.publicKeyP256(key("enclave"));
        bytes32 id = register(P256, bytes32(x), bytes32(y));
        (bytes32 r, bytes32 s) = vm.signP256(key("enclave"), DIGEST);
        if (uint256(s) > P256_ORDER / 2) s = bytes32(P256_ORDER - uint256(s));
        bytes memory question = abi.encode(DIGEST, r, s, x, y);
        vm.mockCall(address(0x100), question, abi.encode(1));
        vm.expectCall(address(0x100), question);
        attestors.check(id, DIGEST, abi.encodePacked(r, s));
    }

    function test_ContractSigns() external {
        bytes32 id = register(CODE, wordOf(address(new OneWord())), 0);
        attestors.check(id, DIGEST, abi.encode(DIGEST));
        refuse(id, abi.encode(keccak256("other")));
    }

    function test_RegistersAndSaysSo() external {
        bytes32 x = wordOf(vm.addr(key("enclave")));
        bytes32 id = attestors.keyIdOf(SECP, x, 0);
        ZKMLAttestors.Key memory k = ZKMLAttestors.Key(SECP, EXPIRY, false, x, 0, CERTIFICATE, keccak256("code"));
        vm.expectEmit(true, true, true, true, address(attestors));
        emit ZKMLAttestors.KeyRegistered(id, k);
        assertEq(register(SECP, x, 0), id, "id");
        assertEq(abi.encode(attestors.keyOf(id)), abi.encode(k), "key");
    }

    function test_RenewsUntilItIsRevoked() external {
        bytes32 x = wordOf(vm.addr(key("enclave")));
        bytes32 id = register(SECP, x, 0);
        vm.warp(EXPIRY);
        attestors.check(id, DIGEST, signed("enclave", DIGEST));
        vm.warp(EXPIRY + 1);
        vm.expectRevert(abi.encodeWithSelector(ZKMLAttestors.ExpiredKey.selector, id, EXPIRY));
        attestors.check(id, DIGEST, signed("enclave", DIGEST));
        vm.prank(OWNER);
        attestors.register(SECP, x, 0, CERTIFICATE, 0, EXPIRY + 30 days);
        attestors.check(id, DIGEST, signed("enclave", DIGEST));
        vm.expectEmit(true, true, true, true, address(attestors));
        emit ZKMLAttestors.KeyRevoked(id);
        vm.prank(OWNER);
        attestors.revoke(id);
        bytes memory revoked = abi.encodeWithSelector(ZKMLAttestors.RevokedKey.selector, id);
        vm.expectRevert(revoked);
        attestors.check(id, DIGEST, signed("enclave", DIGEST));
        vm.expectRevert(revoked);
        vm.prank(OWNER);
        attestors.revoke(id);
        vm.expectRevert(revoked);
        vm.prank(OWNER);
        attestors.register(SECP, x, 0, CERTIFICATE, 0, EXPIRY + 30 days);
    }

    function test_KeyRevokesItself() external {
        address account_ = vm.addr(key("enclave"));
        bytes32 id = register(SECP, wordOf(account_), 0);
        vm.prank(account_);
        attestors.revoke(id);
        assertTrue(attestors.keyOf(id).revoked, "revoked");
    }

    function test_RevertWhen_SomebodyElseRegistersOrRevokes() external {
        address somebody = account("somebody");
        bytes memory error_ = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, somebody);
        bytes32 id = register(SECP, wordOf(vm.addr(key("enclave"))), 0);
        vm.expectRevert(error_);
        vm.prank(somebody);
        attestors.register(SECP, bytes32(uint256(1)), 0, CERTIFICATE, 0, EXPIRY);
        vm.expectRevert(error_);
        vm.prank(somebody);
        attestors.revoke(id);
    }

    function test_RevertWhen_KeyIsUnknown() external {
        bytes32 id = keccak256("unknown");
        bytes memory error_ = abi.encodeWithSelector(ZKMLAttestors.UnknownKey.selector, id);
        vm.expectRevert(error_);
        attestors.check(id, DIGEST, "");
        vm.expectRevert(error_);
        vm.prank(OWNER);
        attestors.revoke(id);
    }

    function test_RevertWhen_ThisIsNoKey() external {
        bytes32 small = bytes32(uint256(1));
        noKey(ZKMLAttestors.Kind.None, small, 0);
        noKey(SECP, 0, 0);
        noKey(SECP, bytes32(uint256(1 << 160)), 0);
        noKey(SECP, small, small);
        noKey(P256, small, small);
        noKey(CODE, wordOf(account("without code")), 0);
    }

    /// @dev Whatever account somebody has the key of.
    function test_EveryAccountMayBeAKey() external {
        bytes32 x = bytes32(uint256(type(uint160).max));
        assertEq(attestors.keyOf(register(SECP, x, 0)).x, x, "the last one");
    }

    function test_RevertWhen_ExpiryOrCertificateIsMissing() external {
        bytes32 x = wordOf(account("key"));
        uint40[2] memory wrong = [uint40(NOW), uint40(NOW + 825 days + 1)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ZKMLAttestors.ExpiryOutOfBounds.selector, wrong[i]));
            vm.prank(OWNER);
            attestors.register(SECP, x, 0, CERTIFICATE, 0, wrong[i]);
        }
        vm.expectRevert(ZKMLAttestors.NoCertificate.selector);
        vm.prank(OWNER);
        attestors.register(SECP, x, 0, 0, 0, EXPIRY);
        vm.prank(OWNER);
        attestors.register(SECP, x, 0, CERTIFICATE, 0, uint40(NOW + 825 days));
    }

    function noKey(ZKMLAttestors.Kind kind, bytes32 x, bytes32 y) private {
        vm.expectRevert(abi.encodeWithSelector(ZKMLAttestors.NotAKey.selector, kind, x, y));
        register(kind, x, y);
    }
}
