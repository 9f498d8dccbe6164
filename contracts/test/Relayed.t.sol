// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {ZKMLRelayed} from "../src/ZKMLRelayed.sol";
import {IZKMLVerifier} from "../src/interfaces/IZKMLVerifier.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {Hooked} from "./support/Hooked.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title A consumer that takes inferences from their subjects, and from relayers
contract RelayedConsumer is HookedConsumer, ZKMLRelayed {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        HookedConsumer(verifier, modelId_, 0, owner_)
    {}

    function relay(address subject, bytes32 action, Inference calldata inference, Consent calldata consent) external {
        _checkConsent(subject, action, inference, consent);
        _verifyInference(subject, action, inference);
    }

    function _onInference(address subject, bytes32 action, bytes32 data, bytes calldata output)
        internal
        override(HookedConsumer, ZKMLConsumer)
    {
        HookedConsumer._onInference(subject, action, data, output);
    }
}

/// @title An account with code, which takes one answer for a signature
contract Wallet {
    enum Mood {
        Exact,
        Refusing,
        Reverting,
        Short
    }

    bytes32 private immutable _DIGEST;
    Mood private immutable _MOOD;

    constructor(bytes32 digest, Mood mood) {
        (_DIGEST, _MOOD) = (digest, mood);
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        if (_MOOD == Mood.Reverting) revert();
        if (_MOOD == Mood.Short) {
            assembly {
                return(0, 0)
            }
        }
        bool good = _MOOD == Mood.Exact && digest == _DIGEST && keccak256(signature) == keccak256("yes");
        return good ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @title Inferences that somebody else hands in for a subject that has agreed, and all that a consent does not cover
contract RelayedTest is Hooked {
    address private constant RELAYER = address(uint160(uint256(keccak256("relayer"))));
    /// @dev Order of secp256k1.
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    RelayedConsumer private relayed;
    address private subject;

    function setUp() external {
        deployConsumer(0);
        relayed = new RelayedConsumer(zkml, modelId, OWNER);
        consumer = relayed;
        subject = vm.addr(key("subject"));
        vm.warp(NOW);
    }

    function test_TakesWhatTheSubjectHasAgreedTo() external {
        relay(RELAYER, consentTo(RELAYER, 0));
        assertTrue(relayed.nonces(subject) == 1 && relayed.accepted() == 1, "accepted");
        // Another one, by anybody.
        relay(BOB, consentTo(address(0), 1));
        assertTrue(relayed.nonces(subject) == 2 && relayed.accepted() == 2, "accepted again");
    }

    /// @dev EIP-712 spelled out by hand, in the domain that ERC-5267 tells.
    function test_DigestIsEip712() external view {
        (bytes1 fields, string memory name, string memory version, uint256 chain, address where, bytes32 salt,) =
            relayed.eip712Domain();
        assertTrue(fields == 0x0f && salt == 0, "name, version, chain and contract");
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                chain,
                where
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    "ZKMLConsent(address subject,address relayer,uint256 nonce,uint256 deadline,bytes32 action,bytes32 dataCommitment)"
                ),
                subject,
                RELAYER,
                uint256(7),
                DEADLINE,
                ACTION,
                DATA
            )
        );
        bytes32 expected = keccak256(abi.encodePacked(hex"1901", domain, message));
        assertEq(relayed.consentDigest(subject, RELAYER, 7, DEADLINE, ACTION, DATA), expected, "digest");
    }

    /// @dev The number is what viem gives, see tests/js/typescript.test.mjs.
    function test_DigestIsThatOfWallets() external {
        vm.chainId(5);
        (address where, address who, address by) =
            (address(uint160(0x11) << 152), address(uint160(0x22) << 152), address(uint160(0x33) << 152));
        bytes32 consent = ZKMLStatement.consentHash(who, by, 7, 1_900_000_000, wordOf(0x44), wordOf(0x55));
        bytes32 digest = ZKMLStatement.typedDigest(ZKMLStatement.domainSeparator(where), consent);
        assertEq(digest, 0x17a6f114a4c092bdf8886d1da235cb88fed5dbb3774af5235966372b273224b7, "digest");
    }

    /// @dev The domain that is told is the one that contexts are hashed in, also after the chain has split.
    function testFuzz_TheDomainIsThatOfContexts(uint32 chain) external {
        vm.chainId(uint256(chain) + 1);
        (, string memory name, string memory version, uint256 told, address where,,) = relayed.eip712Domain();
        assertTrue(told == uint256(chain) + 1 && where == address(relayed), "where");
        bytes32 domain = keccak256(
            abi.encode(ZKMLStatement.DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256(bytes(version)), told, where)
        );
        bytes32 expected = ZKMLStatement.contextOf(domain, subject, 3, DEADLINE, ACTION);
        assertEq(relayed.contextOf(subject, 3, DEADLINE, ACTION), expected, "context");
    }

    function test_RevertWhen_AConsentIsShownAgain() external {
        ZKMLRelayed.Consent memory consent = consentTo(RELAYER, 0);
        ZKMLConsumer.Inference memory first = inferenceFor(subject, 0);
        relay(RELAYER, consent);
        vm.prank(RELAYER);
        vm.expectRevert(notConsented());
        relayed.relay(subject, ACTION, first, consent);
        // Nor with a proof for the nonce that counts now.
        ZKMLConsumer.Inference memory second = inferenceFor(subject, 1);
        vm.prank(RELAYER);
        vm.expectRevert(notConsented());
        relayed.relay(subject, ACTION, second, consent);
    }

    /// @dev What the subject does itself uses the consent up.
    function test_RevertWhen_TheNonceWasUsedBySomethingElse() external {
        ZKMLRelayed.Consent memory consent = consentTo(RELAYER, 0);
        take(subject, 0);
        refused(RELAYER, inferenceFor(subject, 1), consent);
    }

    function test_RevertWhen_SomebodyElseHandsItIn() external {
        ZKMLRelayed.Consent memory consent = consentTo(RELAYER, 0);
        ZKMLConsumer.Inference memory i = inferenceFor(subject, 0);
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRelayed.NotTheRelayer.selector, RELAYER, BOB));
        relayed.relay(subject, ACTION, i, consent);
        // And says that it was meant for him, or for anybody.
        consent.relayer = BOB;
        refused(BOB, i, consent);
        consent.relayer = address(0);
        refused(BOB, i, consent);
    }

    function test_RevertWhen_AnythingThatIsAgreedToDiffers() external {
        bytes32[6] memory digests = [
            relayed.consentDigest(BOB, RELAYER, 0, DEADLINE, ACTION, DATA),
            relayed.consentDigest(subject, BOB, 0, DEADLINE, ACTION, DATA),
            relayed.consentDigest(subject, RELAYER, 1, DEADLINE, ACTION, DATA),
            relayed.consentDigest(subject, RELAYER, 0, DEADLINE + 1, ACTION, DATA),
            relayed.consentDigest(subject, RELAYER, 0, DEADLINE, "another", DATA),
            relayed.consentDigest(subject, RELAYER, 0, DEADLINE, ACTION, "another")
        ];
        ZKMLConsumer.Inference memory i = inferenceFor(subject, 0);
        for (uint256 k = 0; k < digests.length; ++k) {
            refused(RELAYER, i, ZKMLRelayed.Consent(RELAYER, signed("subject", digests[k])));
        }
        relay(RELAYER, consentTo(RELAYER, 0));
    }

    function test_RevertWhen_ItIsForAnotherAction() external {
        ZKMLRelayed.Consent memory consent = consentTo(RELAYER, 0);
        ZKMLConsumer.Inference memory i = inferenceFor(subject, 0, DEADLINE, "another");
        vm.prank(RELAYER);
        vm.expectRevert(notConsented());
        relayed.relay(subject, "another", i, consent);
    }

    function test_RevertWhen_OnAnotherChainOrAtAnotherContract() external {
        ZKMLRelayed.Consent memory consent = consentTo(RELAYER, 0);
        vm.chainId(31338);
        refused(RELAYER, inferenceFor(subject, 0), consent);
        vm.chainId(31337);
        relayed = new RelayedConsumer(zkml, modelId, OWNER);
        consumer = relayed;
        refused(RELAYER, inferenceFor(subject, 0), consent);
    }

    function test_RevertWhen_ItIsLate() external {
        ZKMLRelayed.Consent memory consent = consentTo(RELAYER, 0);
        ZKMLConsumer.Inference memory i = inferenceFor(subject, 0);
        vm.warp(DEADLINE + 1);
        vm.prank(RELAYER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, DEADLINE));
        relayed.relay(subject, ACTION, i, consent);
        vm.warp(DEADLINE);
        relay(RELAYER, consent);
    }

    /// @dev The proof must still be for the subject: a consent replaces the sender, not the context.
    function test_RevertWhen_TheProofIsForTheRelayer() external {
        ZKMLRelayed.Consent memory consent = consentTo(RELAYER, 0);
        ZKMLConsumer.Inference memory i = inferenceFor(RELAYER, 0);
        bytes memory expected = wrongContext(i, subject, 0, DEADLINE, ACTION);
        vm.prank(RELAYER);
        vm.expectRevert(expected);
        relayed.relay(subject, ACTION, i, consent);
    }

    /// @dev Of the two signatures with the same meaning one is taken, and of the encodings one.
    function test_RevertWhen_TheSignatureIsWrittenOtherwise() external {
        bytes32 digest = relayed.consentDigest(subject, RELAYER, 0, DEADLINE, ACTION, DATA);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key("subject"), digest);
        bytes32 high = bytes32(N - uint256(s));
        bytes32 compact = bytes32(uint256(s) | (uint256(v - 27) << 255));
        bytes[6] memory others = [
            abi.encodePacked(r, high, v == 27 ? uint8(28) : uint8(27)),
            abi.encodePacked(r, compact),
            abi.encodePacked(r, s, v, uint8(0)),
            abi.encodePacked(r, s, v - 27),
            abi.encodePacked(r, s),
            bytes("")
        ];
        ZKMLConsumer.Inference memory i = inferenceFor(subject, 0);
        for (uint256 k = 0; k < others.length; ++k) {
            refused(RELAYER, i, ZKMLRelayed.Consent(RELAYER, others[k]));
        }
        relay(RELAYER, ZKMLRelayed.Consent(RELAYER, abi.encodePacked(r, s, v)));
    }

    /// @dev A signature that belongs to nobody is not the zero address's.
    function test_RevertWhen_TheSubjectIsNobody() external {
        ZKMLConsumer.Inference memory i = inferenceFor(address(0), 0);
        bytes memory nobodys = abi.encodePacked(bytes32(0), bytes32(0), uint8(27));
        vm.expectRevert(abi.encodeWithSelector(ZKMLRelayed.NotConsented.selector, address(0)));
        relayed.relay(address(0), ACTION, i, ZKMLRelayed.Consent(address(0), nobodys));
    }

    function testFuzz_RevertWhen_TheSignatureIsHostile(bytes calldata signature) external {
        refused(RELAYER, inferenceFor(subject, 0), ZKMLRelayed.Consent(RELAYER, signature));
    }

    function test_AsksASubjectThatIsAContract() external {
        for (uint8 mood = 0; mood < 4; ++mood) {
            // Its own address is in what it agrees to.
            address where = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
            bytes32 digest = relayed.consentDigest(where, RELAYER, 0, DEADLINE, ACTION, DATA);
            subject = address(new Wallet(digest, Wallet.Mood(mood)));
            assertEq(subject, where, "the wallet");
            ZKMLConsumer.Inference memory i = inferenceFor(subject, 0);
            refused(RELAYER, i, ZKMLRelayed.Consent(RELAYER, "no"));
            refused(BOB, i, ZKMLRelayed.Consent(BOB, "yes"));
            if (mood != 0) {
                refused(RELAYER, i, ZKMLRelayed.Consent(RELAYER, "yes"));
                continue;
            }
            relay(RELAYER, ZKMLRelayed.Consent(RELAYER, "yes"));
            refused(RELAYER, inferenceFor(subject, 1), ZKMLRelayed.Consent(RELAYER, "yes"));
        }
    }

    /// @dev An account that has borrowed code speaks by that code alone: its key may have been given up.
    function test_RevertWhen_AnAccountWithCodeSignsByItsKey() external {
        ZKMLRelayed.Consent memory consent = consentTo(RELAYER, 0);
        vm.etch(subject, hex"5f5ffd");
        refused(RELAYER, inferenceFor(subject, 0), consent);
    }

    /// @dev A word of one byte, again and again.
    function wordOf(uint8 byte_) private pure returns (bytes32) {
        return bytes32(type(uint256).max / 255 * byte_);
    }

    function consentTo(address relayer, uint256 nonce) private view returns (ZKMLRelayed.Consent memory) {
        bytes32 digest = relayed.consentDigest(subject, relayer, nonce, DEADLINE, ACTION, DATA);
        return ZKMLRelayed.Consent(relayer, signed("subject", digest));
    }

    function relay(address relayer, ZKMLRelayed.Consent memory consent) private {
        ZKMLConsumer.Inference memory i = inferenceFor(subject, relayed.nonces(subject));
        vm.prank(relayer);
        relayed.relay(subject, ACTION, i, consent);
    }

    function refused(address relayer, ZKMLConsumer.Inference memory i, ZKMLRelayed.Consent memory consent) private {
        vm.prank(relayer);
        vm.expectRevert(notConsented());
        relayed.relay(subject, ACTION, i, consent);
    }

    function notConsented() private view returns (bytes memory) {
        return abi.encodeWithSelector(ZKMLRelayed.NotConsented.selector, subject);
    }
}
