// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {Over18Gate} from "../../src/examples/Over18Gate.sol";
import {ExampleChecks} from "./support/ExampleTest.sol";

/// @title The over-18 gate, with a verifier that believes everything
contract Over18GateTest is ExampleChecks {
    bytes32 private constant PERSON = keccak256("nullifier of a person in this application");
    Over18Gate private gate;
    address private immutable ALICE = account("alice");

    function setUp() external {
        deployMock();
        gate = new Over18Gate(mock, mockModel, SCALE, issuer());
    }

    function target() internal view override returns (address) {
        return address(gate);
    }

    function goodRoot() internal view override returns (Root memory) {
        return rootOf(ALICE, DATA, gate.actionOf(PERSON));
    }

    function goodInference() internal view override returns (ZKMLConsumer.Inference memory) {
        return says(1e18);
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(ALICE);
        gate.admit(PERSON, inference_);
    }

    function says(int256 answer) private view returns (ZKMLConsumer.Inference memory) {
        return believed(address(gate), goodRoot(), answer);
    }

    function test_AdmitsAnAdult() external {
        assertTrue(!gate.isAdult(ALICE), "not yet");
        act(good());
        assertTrue(gate.isAdult(ALICE), "adult");
        assertTrue(gate.nullifierUsed(PERSON), "nullifier");
    }

    function test_SaysWhoIsAdmitted() external {
        ZKMLConsumer.Inference memory inference_ = good();
        vm.expectEmit(true, true, true, true, address(gate));
        emit Over18Gate.Admitted(ALICE, PERSON);
        act(inference_);
    }

    function test_RevertWhen_ThePersonHasAnAccount() external {
        act(good());
        address second = account("second account");
        ZKMLConsumer.Inference memory inference_ =
            believed(address(gate), rootOf(second, keccak256("another picture"), gate.actionOf(PERSON)), 1e18);
        vm.expectRevert(abi.encodeWithSelector(Over18Gate.NullifierUsed.selector, PERSON));
        vm.prank(second);
        gate.admit(PERSON, inference_);
    }

    function test_RevertWhen_TheAccountHasAPerson() external {
        act(good());
        bytes32 other = keccak256("another person");
        ZKMLConsumer.Inference memory inference_ =
            believed(address(gate), rootOf(ALICE, DATA, gate.actionOf(other)), 1e18);
        vm.expectRevert(abi.encodeWithSelector(Over18Gate.AlreadyAdmitted.selector, ALICE));
        vm.prank(ALICE);
        gate.admit(other, inference_);
    }

    /// @dev Nobody chooses a nullifier: it is what the issuer signed.
    function test_RevertWhen_TheNullifierIsInvented() external {
        bytes32 invented = keccak256("invented");
        ZKMLConsumer.Inference memory inference_ = good();
        bytes memory reason = wrongContext(inference_, ALICE, gate.actionOf(invented));
        vm.expectRevert(reason);
        vm.prank(ALICE);
        gate.admit(invented, inference_);
    }

    function testFuzz_RevertWhen_TheAnswerIsNotOne(int256 answer) external {
        answer = (answer % 2e18 >> 40) << 40;
        ZKMLConsumer.Inference memory inference_ = says(answer);
        vm.assume(keccak256(inference_.output) != keccak256(word(1e18)));
        vm.prank(ALICE);
        try gate.admit(PERSON, inference_) {
            assertTrue(false, "admitted");
        } catch (bytes memory reason) {
            assertEq(bytes32(bytes4(reason)), bytes32(Over18Gate.NotAdult.selector), "reason");
        }
    }

    function test_RevertWhen_TheAnswerIsNearlyOne() external {
        int256 nearly = 1e18 - 1e18 / int256(1 << uint256(SCALE));
        ZKMLConsumer.Inference memory inference_ = says(nearly);
        refused(inference_, abi.encodeWithSelector(Over18Gate.NotAdult.selector, int256(999999046325683593)));
    }
}
