// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {Over18Gate} from "../../src/examples/Over18Gate.sol";
import {AgeVerifier} from "../generated/AgeVerifier.sol";
import {ProofChecks} from "./support/ProofChecks.sol";

/// @title The over-18 gate with real proofs of an adult and of a minor
contract Over18GateProofTest is ProofChecks {
    bytes32 private constant PERSON = keccak256("nullifier of alice in this application");
    Over18Gate private gate;
    address private immutable ALICE = account("alice");

    function setUp() external {
        deployBelow("over_18_alice", address(new AgeVerifier()));
        vm.prank(deployer("Over18Gate"));
        gate = new Over18Gate(zkml, modelId, 17, issuer());
    }

    function target() internal view override returns (address) {
        return address(gate);
    }

    function action() internal view override returns (bytes32) {
        return gate.actionOf(PERSON);
    }

    function scale() internal view override returns (int256) {
        return gate.OUTPUT_SCALE();
    }

    function replayReason() internal view override returns (bytes memory) {
        return abi.encodeWithSelector(Over18Gate.AlreadyAdmitted.selector, ALICE);
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(ALICE);
        gate.admit(PERSON, inference_);
    }

    function test_AdmitsTheAdult() external {
        act(good());
        assertTrue(gate.isAdult(ALICE), "adult");
        assertEq(abi.decode(good_.output, (uint256)), 1 << 17, "one, and nothing about the age");
    }

    function test_RevertWhen_AMinorAsks() external {
        Proof memory minor = load("over_18_minor");
        bytes32 person = keccak256("nullifier of a minor in this application");
        assertEq(minor.action, gate.actionOf(person), "action of the scenario");
        bytes memory provenance = signRoot(gate, "issuer", rootOf(minor.subject, minor.dataCommitment, minor.action));
        vm.expectRevert(abi.encodeWithSelector(Over18Gate.NotAdult.selector, int256(0)));
        vm.prank(minor.subject);
        gate.admit(person, inference(minor, provenance));
    }

    function test_RevertWhen_TheNullifierIsAnother() external {
        bytes32 other = keccak256("a second person");
        Root memory root = goodRoot();
        root.action = gate.actionOf(other);
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(ALICE, 0, root.action));
        vm.prank(ALICE);
        gate.admit(other, inference_);
    }

    function test_RevertWhen_SomebodyElseShowsTheProof() external {
        Root memory root = goodRoot();
        root.subject = account("child");
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(account("child"), 0, root.action));
        vm.prank(account("child"));
        gate.admit(PERSON, inference_);
    }
}
