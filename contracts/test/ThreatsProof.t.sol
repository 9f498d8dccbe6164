// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {CreditOpenVerifier} from "./generated/CreditOpenVerifier.sol";
import {CreditVerifier} from "./generated/CreditVerifier.sol";
import {ScoreAVerifier} from "./generated/ScoreAVerifier.sol";
import {Real} from "./support/Real.sol";

/// @title Threats to a proof itself, on generated verifiers and real proofs
/// @notice The other rows of the threat table, and where those are tested that live in Rust, are in Threats.t.sol.
contract ThreatsProofTest is Real {
    function setUp() external {
        deployCredit();
    }

    function test_RealProofsAreAccepted() external view {
        string[4] memory names = ["mock_alice_0", "mock_alice_1", "mock_bob_0", "unbound"];
        for (uint256 i = 0; i < names.length; ++i) {
            Proof memory p = load(names[i]);
            assertTrue(credit.verifyProof(p.proof, p.instances), names[i]);
        }
    }

    // Input aliasing: every instance has one spelling.

    function test_RevertWhen_AnInstanceIsSpelledWithAMultipleOfR() external {
        checkAliases(credit, "mock_alice_0");
        checkAliases(IModelVerifier(address(new CreditOpenVerifier())), "open_alice_0");
        checkAliases(IModelVerifier(address(new ScoreAVerifier())), "score_a_alice_0");
    }

    // Every instance counts: the transcript absorbs it.

    function test_RevertWhen_AnInstanceIsAnother() external {
        Proof memory p = load("mock_alice_0");
        for (uint256 i = 0; i < p.instances.length; ++i) {
            uint256 other = addmod(p.instances[i], 1, R);
            expectRejected(p.proof, withInstance(p.instances, i, other));
            expectRejected(p.proof, withInstance(p.instances, i, 0));
        }
        Proof memory another = load("mock_alice_1");
        expectRejected(p.proof, another.instances);
    }

    // Proof malleability.

    /// @dev Every byte of every point, and three of every evaluation: the first, the last and one between.
    function test_RevertWhen_AByteIsFlipped() external view {
        Proof memory p = load("mock_alice_0");
        Parts memory parts = partsOf(credit, p);
        for (uint256 offset = 0; offset < p.proof.length; ++offset) {
            uint256 place = offset % 32;
            bool point = isPoint(parts, offset);
            if (!point && place != 0 && place != 31 && place != 1 + (offset / 32) % 30) continue;
            bytes memory proof = withFlip(p.proof, offset, offset % 8);
            (bool done, bytes memory answer) =
                address(credit).staticcall(abi.encodeCall(credit.verifyProof, (proof, p.instances)));
            assertTrue(!done, "refused");
            // Points leave the curve; evaluations may leave the field.
            bool rejected = bytes4(answer) == CreditVerifier.ProofRejected.selector;
            if (point) assertEq(answer, invalidPoint(parts, offset), "point");
            else if (!rejected) assertEq(answer, evaluation(offset - place), "evaluation");
        }
    }

    function test_RevertWhen_AWordIsSpelledWithAMultipleOfItsOrder() external {
        Proof memory p = load("mock_alice_0");
        Parts memory parts = partsOf(credit, p);
        for (uint256 offset = 0; offset < p.proof.length; offset += 32) {
            bool point = isPoint(parts, offset);
            uint256 order = point ? Q : R;
            uint256 word = wordAt(p.proof, offset);
            while (word <= type(uint256).max - order) {
                word += order;
                bytes memory expected = point ? invalidPoint(parts, offset) : evaluation(offset);
                expectRefused(withWord(p.proof, offset, word), p.instances, expected);
            }
        }
    }

    function test_RevertWhen_TheProofHasAnotherLength() external {
        Proof memory p = load("mock_alice_0");
        uint256 length = p.proof.length;
        uint256[5] memory lengths = [length + 1, length + 32, length - 1, length - 32, 0];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory proof = resized(p.proof, lengths[i]);
            expectRefused(
                proof, p.instances, abi.encodeWithSelector(CreditVerifier.WrongProofLength.selector, lengths[i], length)
            );
        }
    }

    function test_RevertWhen_ThereIsAnotherNumberOfInstances() external {
        Proof memory p = load("mock_alice_0");
        uint256[3] memory counts = [uint256(0), 2, 4];
        for (uint256 i = 0; i < counts.length; ++i) {
            uint256[] memory instances = new uint256[](counts[i]);
            bytes memory expected =
                abi.encodeWithSelector(CreditVerifier.WrongInstanceCount.selector, counts[i], p.instances.length);
            expectRefused(p.proof, instances, expected);
        }
    }

    /// @dev Other encodings of the same arguments that Solidity itself would take.
    function test_RevertWhen_CalldataIsNotCanonical() external view {
        Proof memory p = load("mock_alice_0");
        bytes memory good = abi.encodeCall(credit.verifyProof, (p.proof, p.instances));
        (bool done,) = address(credit).staticcall(good);
        assertTrue(done, "canonical");
        expectNonCanonical(bytes.concat(good, hex"00"));
        expectNonCanonical(bytes.concat(good, bytes32(0)));
        // Both arguments moved by a word, behind a word that nobody reads.
        bytes4 selector = credit.verifyProof.selector;
        bytes memory tail = rest(good, 4 + 64);
        uint256 second = wordAt(good, 4 + 32);
        expectNonCanonical(abi.encodePacked(selector, uint256(96), second + 32, bytes32(0), tail));
        // The instances in front of the proof.
        uint256 instancesLength = 32 + 32 * p.instances.length;
        bytes memory swapped = abi.encodePacked(
            selector, 64 + instancesLength, uint256(64), p.instances.length, p.instances, p.proof.length, p.proof
        );
        expectNonCanonical(swapped);
    }

    // Off-curve points, also as a means to burn gas.

    function test_RevertWhen_APointIsOffTheCurve() external view {
        Proof memory p = load("mock_alice_0");
        Parts memory parts = partsOf(credit, p);
        uint256 points;
        for (uint256 offset = 0; offset < p.proof.length; offset += 64) {
            if (offset == parts.scalars) offset = parts.scalarsEnd;
            ++points;
            bytes memory proof = withWord(p.proof, offset, addmod(wordAt(p.proof, offset), 1, Q));
            bytes memory data = abi.encodeCall(credit.verifyProof, (proof, p.instances));
            uint256 before = gasleft();
            (bool done, bytes memory answer) = address(credit).staticcall(data);
            assertTrue(!done, "refused");
            assertAtMost(before - gasleft(), 60_000, "gas of a refusal");
            assertEq(answer, abi.encodeWithSelector(CreditVerifier.InvalidPoint.selector, offset), "by its place");
        }
        assertTrue(points > 2, "points");
    }

    // Identity points, and points of the curve that are not the prover's.

    function test_RevertWhen_APointIsTheIdentityOrAnother() external {
        Proof memory p = load("mock_alice_0");
        Parts memory parts = partsOf(credit, p);
        bytes memory allZero = p.proof;
        for (uint256 offset = 0; offset < p.proof.length; offset += 64) {
            if (offset == parts.scalars) offset = parts.scalarsEnd;
            expectInvalidPoint(withWord(withWord(p.proof, offset, 0), offset + 32, 0), p.instances, offset);
            allZero = withWord(withWord(allZero, offset, 0), offset + 32, 0);
            // The negative, and the generator.
            expectRejected(withWord(p.proof, offset + 32, Q - wordAt(p.proof, offset + 32)), p.instances);
            expectRejected(withWord(withWord(p.proof, offset, 1), offset + 32, 2), p.instances);
        }
        expectInvalidPoint(allZero, p.instances, 0);
    }

    function checkAliases(IModelVerifier verifier, string memory name) private {
        Proof memory p = load(name);
        assertTrue(verifier.verifyProof(p.proof, p.instances), name);
        for (uint256 i = 0; i < p.instances.length; ++i) {
            uint256[] memory aliases = aliasesOf(p.instances[i]);
            assertTrue(aliases.length >= 4, "2^256 is more than five times r");
            for (uint256 k = 0; k < aliases.length; ++k) {
                vm.expectRevert(abi.encodeWithSelector(CreditVerifier.ScalarOutOfRange.selector, i));
                verifier.verifyProof(p.proof, withInstance(p.instances, i, aliases[k]));
            }
        }
    }

    function expectRefused(bytes memory proof, uint256[] memory instances, bytes memory expected) private {
        vm.expectRevert(expected);
        credit.verifyProof(proof, instances);
    }

    function expectRejected(bytes memory proof, uint256[] memory instances) private {
        expectRefused(proof, instances, abi.encodeWithSelector(CreditVerifier.ProofRejected.selector));
    }

    function expectInvalidPoint(bytes memory proof, uint256[] memory instances, uint256 offset) private {
        expectRefused(proof, instances, abi.encodeWithSelector(CreditVerifier.InvalidPoint.selector, offset));
    }

    function expectNonCanonical(bytes memory data) private view {
        (bool done, bytes memory answer) = address(credit).staticcall(data);
        assertTrue(!done, "refused");
        assertEq(answer, abi.encodeWithSelector(CreditVerifier.NonCanonicalCalldata.selector), "not canonical");
    }

    /// @dev The refusal of the point that this byte belongs to.
    function invalidPoint(Parts memory parts, uint256 offset) private pure returns (bytes memory) {
        uint256 start = offset < parts.scalars ? 0 : parts.scalarsEnd;
        return abi.encodeWithSelector(CreditVerifier.InvalidPoint.selector, offset - (offset - start) % 64);
    }

    function evaluation(uint256 offset) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CreditVerifier.EvaluationOutOfRange.selector, offset);
    }

    function resized(bytes memory data, uint256 length) private pure returns (bytes memory copy) {
        copy = new bytes(length);
        for (uint256 i = 0; i < length && i < data.length; ++i) {
            copy[i] = data[i];
        }
    }

    function rest(bytes memory data, uint256 from) private pure returns (bytes memory tail) {
        tail = new bytes(data.length - from);
        for (uint256 i = 0; i < tail.length; ++i) {
            tail[i] = data[from + i];
        }
    }
}
