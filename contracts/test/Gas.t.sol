// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {ZKMLEmergencyStop} from "../src/ZKMLEmergencyStop.sol";
import {ZKMLInferenceStore} from "../src/ZKMLInferenceStore.sol";
import {ZKMLPausable} from "../src/ZKMLPausable.sol";
import {ZKMLRegistry} from "../src/ZKMLRegistry.sol";
import {ZKMLRewards} from "../src/ZKMLRewards.sol";
import {ZKMLRouter} from "../src/ZKMLRouter.sol";
import {ZKMLVerifier} from "../src/ZKMLVerifier.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLRequests} from "../src/interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "../src/interfaces/IZKMLRewards.sol";
import {IZKMLVerifier} from "../src/interfaces/IZKMLVerifier.sol";
import {CreditVerifier} from "./generated/CreditVerifier.sol";
import {ScoreAVerifier} from "./generated/ScoreAVerifier.sol";
import {PlainAcceptance} from "./support/PlainAcceptance.sol";
import {Real} from "./support/Real.sol";

/// @title A consumer with nothing but its bookkeeping
contract PlainConsumer is ZKMLConsumer {
    constructor(IZKMLVerifier verifier, uint256 modelId_, uint256 modelDelay, address owner_)
        ZKMLConsumer(verifier, modelId_, modelDelay, owner_)
    {}

    function verifyInference(bytes32 action, Inference calldata inference) external {
        _verifyInference(msg.sender, action, inference);
    }

    function _checkProvenance(address, bytes32, bytes32, bytes calldata) internal override {}

    function _validateOutput(address, bytes calldata) internal override {}
}

/// @title The same, for requests
contract PlainRequests is PlainConsumer, ZKMLRewards {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        PlainConsumer(verifier, modelId_, 0, owner_)
    {}

    function requestInference(
        bytes32 action,
        uint256 deadline,
        bytes32 dataCommitment,
        bytes calldata input,
        bytes calldata provenance
    ) external {
        _requestInference(msg.sender, action, deadline, dataCommitment, input, provenance);
    }

    function requestRewarded(
        bytes32 action,
        uint256 deadline,
        bytes32 dataCommitment,
        Reward calldata reward,
        bytes calldata input,
        bytes calldata provenance
    ) external payable {
        _requestRewarded(msg.sender, action, deadline, dataCommitment, reward, input, provenance);
    }

    function _beforeInference() internal view override(ZKMLConsumer, ZKMLPausable) {
        super._beforeInference();
    }
}

/// @title Measures a call in a frame with little memory
contract Meter {
    function ask(address target, bytes calldata data) external returns (bool done, uint256 gas) {
        bytes memory copy = data;
        uint256 before = gasleft();
        (done,) = target.call(copy);
        gas = before - gasleft();
    }
}

/// @dev The bare verifier, called as a transaction: a view is only looked at.
interface ITransact {
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external returns (bool);
}

/// @title What real proofs cost, as transactions of their own: base, calldata and cold storage included
/// @notice Figures are compared with `contracts/test/snapshots/gas.json`, within two percent, and budgets are asserted.
/// `ZKML_WRITE_GAS=true forge test --match-contract GasTest` writes the file anew.
/// forge-config: default.isolate = true
contract GasTest is Real {
    string private constant FILE = "contracts/test/snapshots/gas.json";

    uint256 private creditId;
    string[] private names;
    mapping(string name => uint256) private gasOf;

    function test_FiguresHoldAndBudgetsAreKept() external {
        vm.warp(NOW);
        deployments();
        bare();
        throughTheStack();
        behindAStop();
        raised();
        consumers();
        movingConsumer();
        requests();
        refusals();
        if (vm.envOr("ZKML_WRITE_GAS", false)) write();
        else compare();
        budgets();
    }

    function deployments() private {
        uint256 left = gasleft();
        credit = IModelVerifier(address(new CreditVerifier()));
        left = deployed("deploy CreditVerifier", address(credit), left);
        IModelVerifier[] memory routes = new IModelVerifier[](1);
        routes[0] = credit;
        left = gasleft();
        registry = new ZKMLRegistry();
        left = deployed("deploy ZKMLRegistry", address(registry), left);
        router = new ZKMLRouter(ROUTER_OWNER, ROUTE_DELAY, routes);
        left = deployed("deploy ZKMLRouter", address(router), left);
        zkml = new ZKMLVerifier(registry, router);
        left = deployed("deploy ZKMLVerifier", address(zkml), left);
        address stop = address(new ZKMLEmergencyStop(credit, OWNER));
        left = deployed("deploy ZKMLEmergencyStop", stop, left);
        address store = address(new ZKMLInferenceStore(zkml));
        deployed("deploy ZKMLInferenceStore", store, left);
        creditId = register(load("mock_alice_0"));
        left = gasleft();
        address consumer = address(new PlainConsumer(zkml, creditId, 0, OWNER));
        deployed("deploy a consumer", consumer, left);
    }

    function bare() private {
        Proof memory p = load("mock_alice_0");
        ITransact(address(credit)).verifyProof(p.proof, p.instances);
        note("verifyProof");
    }

    function throughTheStack() private {
        Proof memory p = load("mock_alice_0");
        zkml.verifyInference(creditId, p.inputCommitment, p.output, p.blob);
        note("verifyInference");
    }

    function behindAStop() private {
        Proof memory p = load("mock_alice_0");
        deployStack(new ZKMLEmergencyStop(credit, OWNER));
        zkml.verifyInference(register(p), p.inputCommitment, p.output, p.blob);
        note("verifyInference, emergency stop in between");
    }

    /// @dev What `zkml-chain bond` adds to the proof alone; the first money that its poster has in the contract pays for its slot in the ledger.
    function raised() private {
        Proof memory p = load("mock_alice_0");
        deployStack(credit);
        uint256 modelId = register(p);
        uint256 before = vm.snapshotState();
        vm.prank(deployer("ZKMLConsumerMock"));
        PlainAcceptance consumer = new PlainAcceptance(zkml, modelId, OWNER);
        IZKMLAcceptance.AcceptancePolicy memory policy;
        (policy.paths, policy.required, policy.bond, policy.deposit) = (1, 1, 1 ether, 0.5 ether);
        (policy.challengeWindow, policy.answerWindow, policy.beneficiary) = (5 minutes, 5 minutes, OWNER);
        IZKMLAcceptance.Posting memory posting;
        (posting.deadline, posting.dataCommitment, posting.output) = (p.deadline, p.dataCommitment, p.output);
        vm.deal(p.subject, 2 ether);
        vm.prank(p.subject);
        consumer.post{value: 1 ether}(p.subject, p.action, posting, policy);
        IZKMLAcceptance.Result memory result = IZKMLAcceptance.Result(
            p.subject, p.subject, p.nonce, p.deadline, p.action, p.dataCommitment, keccak256(p.output), modelId
        );
        consumer.challenge{value: 0.5 ether}(result, policy);
        consumer.prove(result, policy, p.output, p.blob);
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        assertEq(consumer.fundsOf(p.subject, address(0)), 1.5 ether, "bond and deposit");
        // The consumer below stands at the same place.
        vm.revertToState(before);
        note("proof of a challenged result", gas);
    }

    function consumers() private {
        Proof memory p = load("mock_alice_0");
        deployStack(credit);
        PlainConsumer consumer = consumerOf(p, "ZKMLConsumerMock", 0);
        take(consumer, p);
        note("consumer, first inference of a subject");
        take(consumer, load("mock_alice_1"));
        note("consumer, second inference");
    }

    /// @dev Private weights, so that the model may move: the consumer looks up which one counts.
    function movingConsumer() private {
        Proof memory p = load("score_a_alice_0");
        deployStack(IModelVerifier(address(new ScoreAVerifier())));
        uint256 modelId = register(p);
        zkml.verifyInference(modelId, p.inputCommitment, p.output, p.blob);
        note("private weights: verifyInference");
        deployStack(IModelVerifier(address(new ScoreAVerifier())));
        take(consumerOf(p, "ScoreConsumer", 1 days), p);
        note("private weights: consumer, first inference of a subject");
    }

    /// @dev Of two requests; the first one of a contract pays for the slot of their count.
    function requests() private {
        Proof memory p = load("request_alice_0");
        deployStack(credit);
        uint256 modelId = register(p);
        uint256 left = gasleft();
        vm.prank(deployer("CreditRequestConsumer"));
        PlainRequests consumer = new PlainRequests(zkml, modelId, OWNER);
        deployed("deploy a consumer that takes requests", address(consumer), left);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(p.subject);
            consumer.requestInference(p.action, p.deadline, p.dataCommitment, "", "");
        }
        note("a request");
        IZKMLRequests.Request memory r = IZKMLRequests.Request(p.subject, 0, p.deadline, p.action, p.dataCommitment);
        consumer.fulfillInference(r, p.output, p.blob);
        note("its fulfilment");
        vm.prank(p.subject);
        r.sequence = 1;
        consumer.cancelRequest(r);
        note("its withdrawal instead");
        rewards(consumer);
    }

    /// @dev The third request of a contract that has coins already, with coins; then one from a deposit. The first reward of a
    /// prover pays for its slot in the ledger.
    function rewards(PlainRequests consumer) private {
        Proof memory p = load("reward_alice_2");
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(p.subject, address(0), 1e15, 200_000, 0);
        vm.deal(p.subject, 1 ether);
        consumer.deposit{value: 1}(address(0), 1);
        vm.prank(p.subject);
        consumer.requestRewarded{value: 1e15}(p.action, p.deadline, p.dataCommitment, w, "", "");
        note("a request with a reward in coins");
        vm.prank(p.subject);
        consumer.deposit{value: 1e16}(address(0), 1e16);
        vm.prank(p.subject);
        consumer.requestRewarded(p.action, p.deadline, p.dataCommitment, w, "", "");
        note("a request with a reward from a deposit");
        IZKMLRequests.Request memory r = IZKMLRequests.Request(p.subject, 2, p.deadline, p.action, p.dataCommitment);
        consumer.fulfillRewarded(r, w, account("prover"), p.output, p.blob);
        note("its fulfilment by a new prover");
    }

    function consumerOf(Proof memory p, string memory label, uint256 modelDelay) private returns (PlainConsumer) {
        uint256 modelId = register(p);
        vm.prank(deployer(label));
        return new PlainConsumer(zkml, modelId, modelDelay, OWNER);
    }

    function take(PlainConsumer consumer, Proof memory p) private {
        vm.prank(p.subject);
        consumer.verifyInference(p.action, inference(p, ""));
    }

    /// @dev Execution alone: what a forged proof costs a contract that calls the verifier.
    function refusals() private {
        Proof memory p = load("mock_alice_0");
        Parts memory parts = partsOf(credit, p);
        uint256 last = p.proof.length - 64;
        assertTrue(isPoint(parts, last), "the last point");
        bytes memory proof = withWord(p.proof, last, addmod(wordAt(p.proof, last), 1, Q));
        bytes memory data = abi.encodeCall(credit.verifyProof, (proof, p.instances));
        (bool done, uint256 gas) = new Meter().ask(address(credit), data);
        note("off-curve proof, refused (execution)", gas);
        assertTrue(!done, "refused");
    }

    function budgets() private view {
        uint256 verifyInference = gasOf["verifyInference"];
        assertAtMost(verifyInference - gasOf["verifyProof"], 45_000, "registry and router");
        uint256 stop = gasOf["verifyInference, emergency stop in between"];
        assertAtMost(stop - gasOf["verifyProof"], 45_000, "registry, router and stop");
        uint256 first = gasOf["consumer, first inference of a subject"];
        assertAtMost(first - verifyInference, 30_000, "a consumer's bookkeeping");
        // One more cold slot: which model counts.
        first = gasOf["private weights: consumer, first inference of a subject"];
        uint256 budget = 30_000 + 2_200;
        assertAtMost(first - gasOf["private weights: verifyInference"], budget, "a moving consumer's bookkeeping");
        // No new slot: whoever asked has paid for it.
        assertAtMost(gasOf["its fulfilment"] - verifyInference, 25_000, "a fulfilment's bookkeeping");
        assertAtMost(gasOf["a request"], 60_000, "a request");
        uint256 plain = gasOf["a request"];
        assertAtMost(gasOf["a request with a reward in coins"] - plain, 35_000, "a reward in coins");
        assertAtMost(gasOf["a request with a reward from a deposit"] - plain, 35_000, "a reward from a deposit");
        uint256 fulfilled = gasOf["its fulfilment by a new prover"];
        assertAtMost(fulfilled - gasOf["its fulfilment"], 35_000, "paying for a proof");
        assertAtMost(gasOf["off-curve proof, refused (execution)"], 60_000, "a refusal");
    }

    /// @dev The limits of mainnet: EIP-170's for code, EIP-7825's for a transaction.
    function deployed(string memory name, address where, uint256 before) private returns (uint256 left) {
        note(name, before - gasleft());
        assertTrue(where.code.length > 0, name);
        assertAtMost(where.code.length, 24_576, name);
        assertAtMost(gasOf[name], 16_777_216, name);
        return gasleft();
    }

    function note(string memory name) private {
        note(name, vm.lastCallGas().gasTotalUsed);
    }

    function note(string memory name, uint256 gas) private {
        names.push(name);
        gasOf[name] = gas;
    }

    function compare() private view {
        string memory json = vm.readFile(FILE);
        assertEq(vm.parseJsonKeys(json, ".").length, names.length, "figures in the file");
        for (uint256 i = 0; i < names.length; ++i) {
            uint256 expected = vm.parseJsonUint(json, path(names[i]));
            uint256 found = gasOf[names[i]];
            uint256 difference = found > expected ? found - expected : expected - found;
            if (difference * 50 > expected) revert GasChanged(names[i], found, expected);
        }
    }

    /// @dev A figure is more than two percent away from the one in the file.
    error GasChanged(string what, uint256 found, uint256 expected);

    function write() private {
        string memory json = "{";
        for (uint256 i = 0; i < names.length; ++i) {
            json = string.concat(json, i == 0 ? "\n" : ",\n", '  "', names[i], '": ', vm.toString(gasOf[names[i]]));
        }
        vm.writeFile(FILE, string.concat(json, "\n}\n"));
    }

    function path(string memory name) private pure returns (string memory) {
        return string.concat("['", name, "']");
    }
}
