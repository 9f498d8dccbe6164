// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {CreditOpenVerifier} from "./generated/CreditOpenVerifier.sol";
import {CreditVerifier} from "./generated/CreditVerifier.sol";
import {ScoreAVerifier} from "./generated/ScoreAVerifier.sol";
import {Stack} from "./support/Stack.sol";

/// @title The committed proofs are what Solidity makes of their parts, and hold
/// @notice Fixtures come from Rust. Here contracts compute everything in them that contracts can.
contract FixturesTest is Stack {
    function setUp() public {
        IModelVerifier[] memory verifiers = new IModelVerifier[](3);
        verifiers[0] = IModelVerifier(address(new CreditVerifier()));
        verifiers[1] = IModelVerifier(address(new CreditOpenVerifier()));
        verifiers[2] = IModelVerifier(address(new ScoreAVerifier()));
        deployStack(verifiers);
    }

    /// @dev Registry, router and verifier accept the blob; the bare verifier accepts the proof in it.
    function _holds(string memory name) private returns (Proof memory p) {
        p = load(name);
        uint256 modelId = register(p);
        zkml.checkInference(modelId, p.inputCommitment, p.output, p.blob);
        IModelVerifier verifier = IModelVerifier(address(router.verifierOf(bytes4(p.registration.vkHash))));
        assertTrue(verifier.verifyProof(p.proof, p.instances), name);
        assertEq(verifier.modelCommitment(), p.registration.circuitHash, name);
        assertEq(p.instances[0], uint256(p.context), name);
    }

    function test_CommittedInputs() public {
        Proof memory p = _holds("mock_alice_0");
        assertEq(p.instances[1], uint256(p.dataCommitment), "one commitment is the data commitment");
    }

    function test_TwoProofsOfOneModel() public {
        _holds("mock_bob_0");
    }

    function test_PublicInputs() public {
        Proof memory p = _holds("open_alice_0");
        assertTrue(p.instances.length > 2, "packed inputs are several words");
        assertTrue(p.blob.length > 68 + p.proof.length, "they follow the proof");
    }

    function test_Unbound() public {
        Proof memory p = _holds("unbound");
        assertEq(p.context, 0, "context");
        assertEq(p.consumer, address(0), "consumer");
    }

    function test_TwoModelsBehindOneVerifier() public {
        Proof memory a = _holds("score_a_alice_0");
        Proof memory b = _holds("score_b_alice_0");
        assertEq(a.registration.vkHash, b.registration.vkHash, "one verifier");
        assertTrue(a.registration.modelHash != b.registration.modelHash, "two models");
        assertEq(a.instances[2], uint256(a.registration.modelHash), "the model is its weights' commitment");
        assertEq(b.registration.modelHash, load("score_b_alice_1").registration.modelHash, "one salt");
    }

    function test_AddressesAreThoseOfTheLabels() public view {
        Proof memory p = load("mock_alice_0");
        assertEq(p.subject, account("alice"), "subject");
        assertEq(p.consumer, vm.computeCreateAddress(deployer("ZKMLConsumerMock"), 0), "consumer");
    }
}
