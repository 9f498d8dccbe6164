// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IZKMLRequests} from "../src/interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "../src/interfaces/IZKMLRewards.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";
import {Paying} from "./support/Paying.sol";
import {Vm} from "./support/Vm.sol";

/// @title Has a request fulfilled whose output the contract then refuses
contract Unwelcome {
    HookedConsumer private immutable _CONSUMER;

    constructor(HookedConsumer consumer) {
        _CONSUMER = consumer;
    }

    function run(bytes calldata fulfilment) external {
        _CONSUMER.plan(HookedConsumer.Hook.Validate, address(0), "no");
        (bool done,) = address(_CONSUMER).call(fulfilment);
        require(done);
    }
}

/// @title What an indexer finds out from logs alone: model, statement and output of each accepted inference
/// @notice The rule of the mapping in contracts/README.md, over everything that can come in between.
contract LogsTest is Paying {
    /// @dev A verified inference that nobody has accepted yet.
    struct Verified {
        uint256 modelId;
        bytes32 statement;
        bytes output;
    }

    /// @dev What the indexer writes down.
    struct Found {
        address subject;
        uint256 nonce;
        Verified what;
    }

    Verified[] private open;
    Found[] private found;

    function setUp() external {
        deployPaying();
        consumer = HookedConsumer(address(requests));
    }

    function test_TheVerifiersEventIsFoundByModelAndStatement() external {
        bytes32 context = consumer.contextOf(ALICE, 0, DEADLINE, ACTION);
        vm.recordLogs();
        take(ALICE, 0);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 seen;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IERCZKMLInference.InferenceVerified.selector) continue;
            // Topics, so that nodes and indexers filter by them.
            assertEq(logs[i].emitter, address(zkml), "emitter");
            assertEq(uint256(logs[i].topics[1]), modelId, "model");
            assertEq(logs[i].topics[2], commitmentTo(context), "statement");
            assertEq(address(uint160(uint256(logs[i].topics[3]))), address(consumer), "consumer");
            ++seen;
        }
        assertEq(seen, 1, "one event");
    }

    function test_OneAfterTheOther() external {
        vm.recordLogs();
        take(ALICE, 0);
        take(BOB, 0);
        index();
        assertEq(found.length, 2, "inferences");
        check(0, ALICE, 0, consumer.contextOf(ALICE, 0, DEADLINE, ACTION), words(5, 6));
        check(1, BOB, 0, consumer.contextOf(BOB, 0, DEADLINE, ACTION), words(5, 6));
    }

    /// @dev An inference that is accepted while another is looked at comes between that one's two events.
    function test_OneInsideTheOther() external {
        HookedConsumer.Hook[3] memory hooks =
            [HookedConsumer.Hook.Provenance, HookedConsumer.Hook.Validate, HookedConsumer.Hook.Act];
        for (uint256 i = 0; i < hooks.length; ++i) {
            ZKMLConsumer.Inference memory inner = inferenceFor(BOB, i);
            inner.output = words(7, 8);
            consumer.plan(hooks[i], address(consumer), abi.encodeCall(consumer.take, (BOB, ACTION, inner)));
            vm.recordLogs();
            take(ALICE, i);
            assertTrue(consumer.succeeded(), "the inner one");
            index();
            assertEq(found.length, 2, "inferences");
            bool outerFirst = hooks[i] == HookedConsumer.Hook.Act;
            (uint256 outer, uint256 within) = outerFirst ? (0, 1) : (1, 0);
            check(outer, ALICE, i, consumer.contextOf(ALICE, i, DEADLINE, ACTION), words(5, 6));
            check(within, BOB, i, consumer.contextOf(BOB, i, DEADLINE, ACTION), words(7, 8));
        }
    }

    /// @dev A rewarded request is verified and paid for, whatever the contract makes of it.
    function test_OneThatIsNotActedOn() external {
        IZKMLRewards.Reward memory reward = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory request = askFor(ALICE, reward, 1 ether);
        bytes memory proof = proofBy(PROVER, request, reward);
        // While the other one's is looked at, this one is paid for, and not acted on.
        bytes memory data = abi.encodeCall(requests.fulfillRewarded, (request, reward, PROVER, words(7, 8), proof));
        Unwelcome unwelcome = new Unwelcome(consumer);
        bytes memory call = abi.encodeCall(unwelcome.run, (data));
        consumer.plan(HookedConsumer.Hook.Validate, address(unwelcome), call);
        vm.recordLogs();
        take(BOB, 0);
        assertEq(requests.fundsOf(PROVER, COIN), 1 ether, "paid");
        index();
        assertEq(found.length, 1, "inferences");
        check(0, BOB, 0, consumer.contextOf(BOB, 0, DEADLINE, ACTION), words(5, 6));
    }

    function test_RequestsOfBothKinds() external {
        IZKMLRewards.Reward memory reward = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory paid = askFor(ALICE, reward, 1 ether);
        vm.recordLogs();
        earn(PROVER, paid, reward);
        index();
        assertEq(found.length, 1, "inferences");
        check(0, ALICE, idOf(paid, reward), requests.rewardedContext(paid, reward, PROVER), words(5, 6));
    }

    /// @dev The mapping: what was verified waits on a stack until it is accepted, or said to have failed.
    function index() private {
        delete found;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 kind = logs[i].topics[0];
            if (kind == IERCZKMLInference.InferenceVerified.selector && logs[i].emitter == address(zkml)) {
                if (address(uint160(uint256(logs[i].topics[3]))) != address(consumer)) continue;
                bytes memory output = abi.decode(logs[i].data, (bytes));
                open.push(Verified(uint256(logs[i].topics[1]), logs[i].topics[2], output));
            } else if (logs[i].emitter != address(consumer)) {
                continue;
            } else if (kind == IZKMLRewards.CallbackFailed.selector) {
                open.pop();
            } else if (kind == ZKMLConsumer.InferenceAccepted.selector) {
                (uint256 nonce,,) = abi.decode(logs[i].data, (uint256, bytes32, bytes32));
                found.push(Found(address(uint160(uint256(logs[i].topics[1]))), nonce, open[open.length - 1]));
                open.pop();
            }
        }
        assertEq(open.length, 0, "nothing is left over");
    }

    function check(uint256 i, address subject, uint256 nonce, bytes32 context, bytes memory output) private view {
        Found storage f = found[i];
        assertEq(f.subject, subject, "subject");
        assertEq(f.nonce, nonce, "nonce");
        assertEq(f.what.modelId, modelId, "model");
        assertEq(f.what.statement, commitmentTo(context), "statement");
        assertEq(f.what.output, output, "output");
    }
}
