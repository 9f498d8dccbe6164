// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {SignedDataRoot} from "../../src/provenance/SignedDataRoot.sol";
import {ExampleTest} from "./support/ExampleTest.sol";

/// @title Shows the check to tests
contract Roots is SignedDataRoot {
    constructor(address issuer) SignedDataRoot(issuer) {}

    function check(address subject, bytes32 action, bytes32 data, bytes calldata provenance)
        external
        view
        returns (uint256)
    {
        return _checkDataRoot(subject, action, data, provenance);
    }
}

/// @title An issuer with code, which takes one signature and can withdraw it
contract ContractIssuer {
    bytes32 private _digest;

    function set(bytes32 digest) external {
        _digest = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        bool valid = digest == _digest && keccak256(signature) == keccak256("seal");
        return valid ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @title Signed data roots by themselves
contract SignedDataRootTest is ExampleTest {
    Roots private roots;
    Root private root;

    function setUp() external {
        vm.warp(NOW);
        roots = new Roots(issuer());
        root = rootOf(account("alice"), DATA, keccak256("action"));
    }

    /// @dev ERC-5267: wallets ask the contract what they sign for.
    function test_SaysItsDomain() external view {
        (bytes1 fields, string memory name, string memory version, uint256 chain, address where, bytes32 salt,) =
            roots.eip712Domain();
        assertTrue(fields == 0x0f && salt == 0, "name, version, chain and contract");
        assertEq(bytes(name), "zkml-chain", "name");
        assertEq(bytes(version), "1", "version");
        assertTrue(chain == 31337 && where == address(roots), "where");
    }

    /// @dev EIP-712 spelled out once more, by hand.
    function test_DigestIsEip712() external view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("zkml-chain"),
                keccak256("1"),
                uint256(31337),
                address(roots)
            )
        );
        bytes32 message = keccak256(
            bytes.concat(
                keccak256(
                    "DataRoot(address subject,bytes32 dataCommitment,bytes32 action,uint64 issuedAt,uint64 validUntil)"
                ),
                bytes32(uint256(uint160(account("alice")))),
                DATA,
                root.action,
                bytes32(NOW),
                bytes32(NOW + 1 days)
            )
        );
        bytes32 expected = keccak256(abi.encodePacked(hex"1901", domain, message));
        bytes32 digest = roots.dataRootDigest(account("alice"), DATA, root.action, root.issuedAt, root.validUntil);
        assertEq(digest, expected, "digest");
    }

    function test_SaysWhenTheDataWereTrue() external {
        bytes memory provenance = signRoot(roots, "issuer", root);
        vm.warp(root.validUntil);
        assertEq(roots.check(account("alice"), root.action, DATA, provenance), NOW, "issuedAt");
    }

    function test_RevertWhen_OnAnotherChain() external {
        bytes memory provenance = signRoot(roots, "issuer", root);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(SignedDataRoot.NotSignedByIssuer.selector, account("alice"), DATA));
        roots.check(account("alice"), root.action, DATA, provenance);
    }

    function test_RevertWhen_SignedForAnotherContract() external {
        bytes memory provenance = signRoot(new Roots(issuer()), "issuer", root);
        vm.expectRevert(abi.encodeWithSelector(SignedDataRoot.NotSignedByIssuer.selector, account("alice"), DATA));
        roots.check(account("alice"), root.action, DATA, provenance);
    }

    function test_RevertWhen_NoIssuer() external {
        vm.expectRevert(SignedDataRoot.NoIssuer.selector);
        new Roots(address(0));
    }

    /// @dev Whatever is changed of what was signed, the signature does not cover it.
    function testFuzz_RevertWhen_AFieldIsChanged(bytes32 action, uint64 issuedAt, uint64 validUntil) external {
        vm.assume(action != root.action);
        issuedAt = uint64(issuedAt % NOW);
        validUntil = uint64(NOW + 1 days + 1 + validUntil % NOW);
        bytes32 digest = roots.dataRootDigest(root.subject, DATA, root.action, root.issuedAt, root.validUntil);
        bytes memory signature = signed("issuer", digest);
        bytes memory reason = abi.encodeWithSelector(SignedDataRoot.NotSignedByIssuer.selector, root.subject, DATA);
        SignedDataRoot.DataRoot[3] memory changed = [
            SignedDataRoot.DataRoot(action, root.issuedAt, root.validUntil, signature),
            SignedDataRoot.DataRoot(root.action, issuedAt, root.validUntil, signature),
            SignedDataRoot.DataRoot(root.action, root.issuedAt, validUntil, signature)
        ];
        for (uint256 i = 0; i < changed.length; ++i) {
            vm.expectRevert(reason);
            roots.check(root.subject, changed[i].action, DATA, abi.encode(changed[i]));
        }
    }

    /// @dev Bytes that nobody signed never pass, however they decode.
    function testFuzz_RevertWhen_BytesAreHostile(bytes calldata provenance) external {
        vm.expectRevert();
        roots.check(root.subject, root.action, DATA, provenance);
    }

    /// @dev The encoding of a signed root with any one word changed.
    function testFuzz_HostileWordsNeverHelp(uint256 index, bytes32 word_) external view {
        bytes memory provenance = signRoot(roots, "issuer", root);
        index %= provenance.length / 32;
        bytes memory before = bytes.concat(provenance);
        assembly ("memory-safe") {
            mstore(add(add(provenance, 0x20), mul(index, 0x20)), word_)
        }
        vm.assume(keccak256(before) != keccak256(provenance));
        try roots.check(root.subject, root.action, DATA, provenance) returns (uint256 issuedAt) {
            // The one word that matters to nobody is the padding behind the signature's last byte.
            assertEq(issuedAt, NOW, "issuedAt");
            assertTrue(index == provenance.length / 32 - 1, "a word that was signed");
            assertEq(bytes32(word_[0]), bytes32(before[before.length - 32]), "v");
        } catch {}
    }

    /// @dev The other form of an ECDSA signature is taken, too, and changes nothing: signatures identify nothing here.
    function test_TakesCompactAndMalleatedSignatures() external view {
        bytes32 digest = roots.dataRootDigest(root.subject, DATA, root.action, root.issuedAt, root.validUntil);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key("issuer"), digest);
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory other = abi.encodePacked(r, order - uint256(s), v == 27 ? uint8(28) : uint8(27));
        bytes[2] memory signatures = [abi.encodePacked(r, vs), other];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory provenance =
                abi.encode(SignedDataRoot.DataRoot(root.action, root.issuedAt, root.validUntil, signatures[i]));
            assertEq(roots.check(root.subject, root.action, DATA, provenance), NOW, "issuedAt");
        }
    }

    function test_AsksAnIssuerWithCode() external {
        ContractIssuer contractIssuer = new ContractIssuer();
        roots = new Roots(address(contractIssuer));
        bytes memory provenance =
            abi.encode(SignedDataRoot.DataRoot(root.action, root.issuedAt, root.validUntil, bytes("seal")));
        bytes memory reason = abi.encodeWithSelector(SignedDataRoot.NotSignedByIssuer.selector, root.subject, DATA);
        vm.expectRevert(reason);
        roots.check(root.subject, root.action, DATA, provenance);
        contractIssuer.set(roots.dataRootDigest(root.subject, DATA, root.action, root.issuedAt, root.validUntil));
        assertEq(roots.check(root.subject, root.action, DATA, provenance), NOW, "issuedAt");
        contractIssuer.set(0);
        vm.expectRevert(reason);
        roots.check(root.subject, root.action, DATA, provenance);
    }
}
