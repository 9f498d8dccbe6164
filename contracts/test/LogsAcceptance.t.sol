// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {Accepting} from "./support/Accepting.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";
import {Vm} from "./support/Vm.sol";

/// @title What an indexer finds out from logs of a contract that takes results with and without proofs
/// @notice The rule of the mapping in contracts/README.md: what was verified and what counts by its policy wait on one stack.
contract LogsAcceptanceTest is Accepting {
    /// @dev What waits: a proof with its statement, or a result that counts.
    struct Waiting {
        bytes32 statement;
        bytes32 resultId;
        bytes output;
    }

    struct Found {
        address subject;
        uint256 nonce;
        Waiting what;
    }

    Waiting[] private open;
    Found[] private found;
    mapping(bytes32 resultId => bytes output) private posted;
    mapping(bytes32 resultId => bytes32 statement) private proven;

    function setUp() external {
        deployAccepting();
        vm.recordLogs();
    }

    function test_AcceptedWithoutAProof() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        accept(r, p);
        index();
        check(0, ALICE, 0, idOf(r, p), 0);
        assertEq(found.length, 1, "inferences");
    }

    function test_AttestedAtOnceAndThenProven() external {
        registerKey("enclave");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED);
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
        IZKMLAcceptance.Result memory r = post(p, posting, 0);
        prove(r, p);
        index();
        assertEq(found.length, 1, "the proof is acted on by nobody");
        check(0, ALICE, 0, idOf(r, p), 0);
        assertEq(proven[idOf(r, p)], commitmentTo(acceptance.resultContext(r)), "raised");
    }

    function test_ProvenAndThenAccepted() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        challenge(r, p);
        prove(r, p);
        accept(r, p);
        index();
        assertEq(found.length, 1, "once");
        check(0, ALICE, 0, idOf(r, p), 0);
        assertEq(proven[idOf(r, p)], commitmentTo(acceptance.resultContext(r)), "proven");
    }

    /// @dev An inference with its proof inside the acceptance of a result, between that one's two events and after them.
    function test_AProofInsideAResult() external {
        HookedConsumer.Hook[2] memory hooks = [HookedConsumer.Hook.Validate, HookedConsumer.Hook.Act];
        for (uint256 i = 0; i < 2; ++i) {
            IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
            vm.warp(NOW);
            IZKMLAcceptance.Result memory r = post(p);
            vm.warp(NOW + CHALLENGE_WINDOW + 1);
            ZKMLConsumer.Inference memory inner = inferenceFor(BOB, i, LATE, ACTION);
            acceptance.plan(hooks[i], address(acceptance), abi.encodeCall(acceptance.take, (BOB, ACTION, inner)));
            accept(r, p);
            assertTrue(acceptance.succeeded(), "the inner one");
            index();
            assertEq(found.length, 2, "inferences");
            (uint256 outer, uint256 within) = i == 0 ? (1, 0) : (0, 1);
            check(outer, ALICE, i, idOf(r, p), 0);
            check(within, BOB, i, 0, commitmentTo(acceptance.contextOf(BOB, i, LATE, ACTION)));
        }
    }

    /// @dev And a result raised inside an inference with its proof.
    function test_AResultRaisedInsideAProof() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        bytes memory call = abi.encodeCall(acceptance.prove, (r, p, words(5, 6), proofOf(r)));
        acceptance.plan(HookedConsumer.Hook.Validate, address(acceptance), call);
        acceptance.take(BOB, ACTION, inferenceFor(BOB, 0, LATE, ACTION));
        assertTrue(acceptance.succeeded(), "the inner one");
        index();
        assertEq(found.length, 1, "inferences");
        check(0, BOB, 0, 0, commitmentTo(acceptance.contextOf(BOB, 0, LATE, ACTION)));
        assertEq(proven[idOf(r, p)], commitmentTo(acceptance.resultContext(r)), "raised");
    }

    /// @dev The mapping.
    function index() private {
        delete found;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 kind = logs[i].topics[0];
            if (kind == IERCZKMLInference.InferenceVerified.selector && logs[i].emitter == address(zkml)) {
                open.push(Waiting(logs[i].topics[2], 0, abi.decode(logs[i].data, (bytes))));
            } else if (logs[i].emitter != address(acceptance)) {
                continue;
            } else if (kind == IZKMLAcceptance.ResultPosted.selector) {
                (,, posted[logs[i].topics[1]]) =
                    abi.decode(logs[i].data, (IZKMLAcceptance.Result, IZKMLAcceptance.AcceptancePolicy, bytes));
            } else if (kind == IZKMLAcceptance.ResultAccepted.selector) {
                open.push(Waiting(0, logs[i].topics[1], posted[logs[i].topics[1]]));
            } else if (kind == IZKMLAcceptance.ResultProven.selector) {
                proven[logs[i].topics[1]] = take_().statement;
            } else if (kind == ZKMLConsumer.InferenceAccepted.selector) {
                (uint256 nonce,,) = abi.decode(logs[i].data, (uint256, bytes32, bytes32));
                found.push(Found(address(uint160(uint256(logs[i].topics[1]))), nonce, take_()));
            }
        }
        assertEq(open.length, 0, "nothing is left over");
    }

    function take_() private returns (Waiting memory last) {
        last = open[open.length - 1];
        open.pop();
    }

    function check(uint256 i, address subject, uint256 nonce, bytes32 resultId, bytes32 statement) private view {
        Found storage f = found[i];
        assertEq(f.subject, subject, "subject");
        assertEq(f.nonce, nonce, "nonce");
        assertEq(f.what.resultId, resultId, "result");
        assertEq(f.what.statement, statement, "statement");
        assertEq(f.what.output, words(5, 6), "output");
    }
}
