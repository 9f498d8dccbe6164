// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAttestors} from "../src/ZKMLAttestors.sol";
import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {ZKMLTiers} from "../src/ZKMLTiers.sol";
import {CreditGate} from "../src/examples/CreditGate.sol";
import {TieredCreditGate} from "../src/examples/TieredCreditGate.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {SignedDataRoot} from "../src/provenance/SignedDataRoot.sol";
import {CreditVerifier} from "./generated/CreditVerifier.sol";
import {TierTest} from "./examples/support/TierTest.sol";

/// @title Loans under policies, with real proofs of the credit model through router, registry and generated verifier
/// @notice The proof is the one that `approve` takes: the same words, for the same context.
contract AcceptanceProofTest is TierTest {
    address private constant CHALLENGER = address(uint160(uint256(keccak256("challenger"))));
    uint256 private constant PRINCIPAL = 1_185e18;
    /// @dev The proof's deadline is as far away as tiers let a result wait at most.
    uint256 private constant START = 2_000_000_000 - 2 days;

    Proof private proof;
    uint256 private modelId;
    TieredCreditGate private gate;
    uint256 private beforeGate;

    function setUp() external {
        proof = load("credit_gate_alice");
        deployStack(IModelVerifier(address(new CreditVerifier())));
        modelId = register(proof);
        vm.warp(START);
        makePolicies();
        vm.deal(CHALLENGER, 10 ether);
        beforeGate = vm.snapshotState();
        deployGate(tiers());
    }

    /// @dev Where the proof expects it.
    function deployGate(ZKMLTiers.TierPolicies memory tiers_) private {
        CreditGate.Policy memory limits =
            CreditGate.Policy(account("pool"), account("asset"), 50_000e18, 0.05e18, 730 days, 0.2e18, 7 days);
        vm.prank(deployer("CreditGate"));
        gate = new TieredCreditGate(zkml, modelId, 18, issuer(), limits, tiers_);
        assertEq(address(gate), proof.consumer, "the proof's consumer");
    }

    function loan() private pure returns (CreditGate.Terms memory) {
        return CreditGate.Terms(account("asset"), PRINCIPAL, 0.08e18, 365 days);
    }

    /// @dev The words of the proof, posted before there is one.
    function resultOfProof() private view returns (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) {
        Root memory root = rootOf(proof.subject, proof.dataCommitment, proof.action);
        (p, r) = resultAbout(address(gate), proof.subject, root, proof.output, modelId);
        (p.deadline, r.deadline) = (proof.deadline, proof.deadline);
        assertTrue(r.nonce == proof.nonce && r.action == gate.actionOf(loan()), "statement");
        assertEq(gate.resultContext(r), proof.context, "context");
    }

    function posted() private returns (IZKMLAcceptance.Result memory r) {
        IZKMLAcceptance.Posting memory p;
        (p, r) = resultOfProof();
        vm.deal(proof.subject, BOND);
        vm.prank(proof.subject);
        gate.postLoan{value: BOND}(loan(), p, medium);
    }

    function isApproved() private view returns (bool) {
        (bytes32 terms,) = gate.approvals(proof.subject);
        return terms == proof.action;
    }

    /// @dev What `verifyInference` says of these words.
    function expectVerified() private {
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(modelId, proof.inputCommitment, proof.output, address(gate));
    }

    function prove(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory policy) private {
        bytes32 id = gate.resultIdOf(r, policy);
        expectVerified();
        vm.expectEmit(true, true, true, true, address(gate));
        emit IZKMLAcceptance.ResultProven(id);
        gate.prove(r, policy, proof.output, proof.blob);
        assertEq(gate.statusOf(id).held & 8, 8, "proven");
    }

    /// @dev The same words straight to `approve`, to be compared with.
    function test_TheProofItself() external {
        Root memory root = rootOf(proof.subject, proof.dataCommitment, proof.action);
        ZKMLConsumer.Inference memory i = inference(proof, signRoot(SignedDataRoot(gate), "issuer", root));
        expectVerified();
        vm.prank(proof.subject);
        gate.approve(loan(), i);
        assertTrue(isApproved(), "approved");
    }

    function test_ChallengedOptimisticResultIsProven() external {
        IZKMLAcceptance.Result memory r = posted();
        vm.prank(CHALLENGER);
        gate.challenge{value: 1 ether}(r, medium);
        prove(r, medium);
        assertEq(gate.fundsOf(proof.subject, address(0)), BOND + 1 ether, "bond and deposit");
        gate.accept(r, medium, proof.output);
        assertTrue(isApproved(), "approved");
    }

    function test_AcceptedOptimisticResultIsRaised() external {
        IZKMLAcceptance.Result memory r = posted();
        vm.warp(START + WINDOW + 1);
        gate.accept(r, medium, proof.output);
        assertTrue(isApproved(), "approved");
        prove(r, medium);
        assertTrue(
            gate.statusOf(gate.resultIdOf(r, medium)).state == IZKMLAcceptance.State.Accepted, "accepted, and proven"
        );
        assertEq(gate.fundsOf(proof.subject, address(0)), BOND, "paid once");
    }

    function test_AttestedResultIsRaised() external {
        ZKMLTiers.TierPolicies memory wide = tiers();
        wide.smallBelow = 2_000e18;
        // Again, with another first limit, at the same place.
        vm.revertToState(beforeGate);
        deployGate(wide);
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = resultOfProof();
        attested(gate, p, r);
        vm.prank(proof.subject);
        gate.postLoan(loan(), p, small);
        assertTrue(isApproved(), "approved by a key");
        prove(r, small);
        // Not twice.
        bytes32 id = gate.resultIdOf(r, small);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.WrongState.selector, id, IZKMLAcceptance.State.Accepted));
        gate.prove(r, small, proof.output, proof.blob);
    }

    /// @dev A lie about the output has no proof: neither the true one nor one for other words helps.
    function test_RevertWhen_TheOutputIsALie() external {
        bytes memory lie = abi.encode(abi.decode(proof.output, (uint256)) - 1);
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = resultOfProof();
        (p.output, r.outputHash) = (lie, keccak256(lie));
        vm.deal(proof.subject, BOND);
        vm.prank(proof.subject);
        gate.postLoan{value: BOND}(loan(), p, medium);
        vm.prank(CHALLENGER);
        gate.challenge{value: 1 ether}(r, medium);
        vm.expectRevert(abi.encodeWithSignature("ProofRejected()"));
        gate.prove(r, medium, lie, proof.blob);
        bytes32 hash = keccak256(proof.output);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.WrongOutput.selector, hash, r.outputHash));
        gate.prove(r, medium, proof.output, proof.blob);
        vm.warp(START + 2 hours + 1);
        gate.claim(r, medium);
        assertEq(gate.fundsOf(CHALLENGER, address(0)), 1 ether + BOND / 2, "challenger");
        assertTrue(!isApproved() && gate.fundsOf(proof.subject, address(0)) == 0, "the bond is gone");
    }

    /// @dev A proof with one bit changed proves nothing, and takes nothing.
    function testFuzz_RevertWhen_TheProofIsSpoilt(uint256 where) external {
        IZKMLAcceptance.Result memory r = posted();
        bytes memory spoilt = bytes.concat(proof.blob);
        where %= 8 * spoilt.length;
        spoilt[where / 8] ^= bytes1(uint8(1 << where % 8));
        vm.expectRevert();
        gate.prove(r, medium, proof.output, spoilt);
        assertEq(gate.statusOf(gate.resultIdOf(r, medium)).held, 0, "nothing");
    }

    /// @dev A key that was registered for another registry's owner signs nothing here.
    function test_RevertWhen_TheKeyIsOfAnotherRegistry() external {
        ZKMLAttestors other = new ZKMLAttestors(address(this));
        IZKMLAcceptance.AcceptancePolicy memory policy = small;
        policy.attestors = other;
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = resultOfProof();
        attested(gate, p, r);
        bytes32 expected = gate.policyHashOf(medium);
        bytes32 actual = gate.policyHashOf(policy);
        vm.expectRevert(abi.encodeWithSelector(ZKMLTiers.WrongPolicy.selector, actual, expected));
        vm.prank(proof.subject);
        gate.postLoan(loan(), p, policy);
    }
}
