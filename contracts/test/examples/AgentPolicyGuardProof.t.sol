// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {AgentPolicyGuard} from "../../src/examples/AgentPolicyGuard.sol";
import {PolicyVerifier} from "../generated/PolicyVerifier.sol";
import {ProofChecks} from "./support/ProofChecks.sol";
import {Venue} from "./support/Venue.sol";

/// @title The policy guard with real proofs about a harmless and a risky call
contract AgentPolicyGuardProofTest is ProofChecks {
    AgentPolicyGuard private guard;
    Venue private venue;
    address private immutable AGENT = account("agent");

    function setUp() external {
        deployBelow("policy_harmless", address(new PolicyVerifier()));
        // The call's target is part of what the proof is bound to.
        vm.prank(deployer("Venue"));
        venue = new Venue();
        vm.startPrank(deployer("AgentPolicyGuard"));
        guard = new AgentPolicyGuard(zkml, modelId, 18, issuer(), AGENT, 0.25e18, 10 ether, 1 days);
        guard.setAllowed(address(venue), Venue.deposit.selector, true);
        vm.stopPrank();
        vm.deal(address(guard), 100 ether);
    }

    function target() internal view override returns (address) {
        return address(guard);
    }

    function action() internal view override returns (bytes32) {
        return guard.actionOf(deposit(1 ether, 41));
    }

    function scale() internal view override returns (int256) {
        return guard.OUTPUT_SCALE();
    }

    function replayReason() internal view override returns (bytes memory) {
        return wrongContext(AGENT, 1, action());
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        AgentPolicyGuard.Call memory call = deposit(1 ether, 41);
        vm.prank(AGENT);
        guard.execute(call, inference_);
    }

    function deposit(uint256 value, uint256 number) private view returns (AgentPolicyGuard.Call memory) {
        return AgentPolicyGuard.Call(address(venue), value, abi.encodeCall(Venue.deposit, (number)));
    }

    function test_MakesTheHarmlessCall() external {
        act(good());
        assertEq(venue.received(), 1 ether, "received");
    }

    function test_RevertWhen_TheModelFindsTheCallTooRisky() external {
        Proof memory risky = load("policy_risky");
        assertEq(risky.action, action(), "action of the scenario");
        bytes memory provenance = signRoot(guard, "issuer", rootOf(AGENT, risky.dataCommitment, risky.action));
        // About 0.988.
        uint256 risk = (abi.decode(risky.output, (uint256)) * 1e18 + (1 << 18) - 1) >> 18;
        refused(inference(risky, provenance), abi.encodeWithSelector(AgentPolicyGuard.TooRisky.selector, risk, 0.25e18));
    }

    /// @dev Even with an issuer that signs features for any call, the proof is about one.
    function test_RevertWhen_TheCallIsAnother() external {
        AgentPolicyGuard.Call[2] memory others = [deposit(2 ether, 41), deposit(1 ether, 42)];
        for (uint256 i = 0; i < 2; ++i) {
            Root memory root = goodRoot();
            root.action = guard.actionOf(others[i]);
            ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
            vm.expectRevert(wrongContext(AGENT, 0, root.action));
            vm.prank(AGENT);
            guard.execute(others[i], inference_);
        }
    }

    function test_RevertWhen_SomebodyElseShowsTheProof() external {
        AgentPolicyGuard.Call memory call = deposit(1 ether, 41);
        ZKMLConsumer.Inference memory inference_ = good();
        vm.expectRevert(abi.encodeWithSelector(AgentPolicyGuard.NotAgent.selector, address(this)));
        guard.execute(call, inference_);
    }
}
