// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLRequests} from "../src/interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "../src/interfaces/IZKMLRewards.sol";
import {ZKMLCodec} from "../src/libraries/ZKMLCodec.sol";
import {CreditAnyInputRequestConsumer} from "./generated/CreditAnyInputRequestConsumer.sol";
import {CreditConsumer} from "./generated/CreditConsumer.sol";
import {CreditOpenAnyInputRequestConsumer} from "./generated/CreditOpenAnyInputRequestConsumer.sol";
import {CreditOpenConsumer} from "./generated/CreditOpenConsumer.sol";
import {CreditOpenVerifier} from "./generated/CreditOpenVerifier.sol";
import {CreditVerifier} from "./generated/CreditVerifier.sol";
import {ScoreAAnyInputRequestConsumer} from "./generated/ScoreAAnyInputRequestConsumer.sol";
import {ScoreAVerifier} from "./generated/ScoreAVerifier.sol";
import {Real} from "./support/Real.sol";

/// @title Generated contracts that take requests, with real proofs of requests
contract RequestsProofTest is Real {
    address private constant SERVICE = address(uint160(uint256(keccak256("service"))));

    CreditAnyInputRequestConsumer private requests;

    function setUp() external {
        deployCredit();
        uint256 modelId = register(load("request_alice_0"));
        vm.prank(deployer("CreditRequestConsumer"));
        requests = new CreditAnyInputRequestConsumer(zkml, modelId, OWNER);
    }

    function test_AliceAsksAndTheServiceProves() external {
        (IZKMLRequests.Request memory r, Proof memory p) = ask();
        assertEq(p.consumer, address(requests), "where the proof expects it");
        assertEq(p.nonce, requests.requestIdOf(r), "its nonce is the request's id");
        assertEq(p.context, requests.requestContext(r), "context");
        (, CreditConsumer.Outputs memory outputs) = requests.decode(p.output);
        vm.expectEmit(true, true, true, true, address(requests));
        emit ZKMLConsumer.InferenceAccepted(p.subject, p.nonce, p.action, p.dataCommitment);
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRequests.InferenceFulfilled(p.nonce, p.subject, SERVICE);
        vm.expectEmit(true, true, true, true, address(requests));
        emit CreditConsumer.OutputsAccepted(p.subject, p.nonce, outputs);
        fulfil(r, p.output, p.blob);
        assertTrue(requests.requestState(p.nonce) == IZKMLRequests.RequestState.Fulfilled, "fulfilled");
        bytes memory twice = abi.encodeWithSelector(
            IZKMLRequests.RequestNotPending.selector, p.nonce, IZKMLRequests.RequestState.Fulfilled
        );
        vm.expectRevert(twice);
        fulfil(r, p.output, p.blob);
    }

    /// @dev A valid proof, bound to this very request, of the next applicant.
    function test_RevertWhen_AValidProofIsOfAnotherInput() external {
        (IZKMLRequests.Request memory r, Proof memory p) = ask();
        Proof memory other = load("request_alice_0_other_input");
        assertTrue(other.context == p.context && other.dataCommitment != p.dataCommitment, "another input only");
        requests.checkInference(other.output, other.blob);
        vm.expectRevert(
            abi.encodeWithSelector(IZKMLRequests.WrongInput.selector, other.dataCommitment, p.dataCommitment)
        );
        fulfil(r, other.output, other.blob);
        // Under the right commitment it proves nothing.
        (bytes memory blob,) = withHeader(other, p.dataCommitment, other.context);
        vm.expectRevert(CreditVerifier.ProofRejected.selector);
        fulfil(r, other.output, blob);
        fulfil(r, p.output, p.blob);
    }

    /// @dev Bound to its prover: whoever copies it pays for the transaction.
    function test_AliceAsksAndTheProverIsPaid() external {
        Proof memory p = load("reward_alice_2");
        (address prover, address copycat) = (account("prover"), account("copycat"));
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(p.subject, address(0), 1e15, 200_000, 0);
        IZKMLRequests.Request memory r = IZKMLRequests.Request(p.subject, 2, p.deadline, p.action, p.dataCommitment);
        vm.deal(p.subject, 1 ether);
        ask();
        ask();
        vm.prank(p.subject);
        uint256 id = requests.requestRewarded{value: 1e15}(p.action, p.deadline, p.dataCommitment, w, "", "");
        assertEq(id, requests.rewardedIdOf(r, w), "id");
        assertEq(p.context, requests.rewardedContext(r, w, prover), "context");
        bytes32 expected = requests.rewardedContext(r, w, copycat);
        vm.startPrank(copycat);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, p.context, expected));
        requests.fulfillRewarded(r, w, copycat, p.output, p.blob);
        // Under the copycat's context it proves nothing.
        (bytes memory blob,) = withHeader(p, p.dataCommitment, expected);
        vm.expectRevert(CreditVerifier.ProofRejected.selector);
        requests.fulfillRewarded(r, w, copycat, p.output, blob);
        (, CreditConsumer.Outputs memory outputs) = requests.decode(p.output);
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRewards.RewardEarned(id, prover, address(0), 1e15);
        vm.expectEmit(true, true, true, true, address(requests));
        emit CreditConsumer.OutputsAccepted(p.subject, id, outputs);
        requests.fulfillRewarded(r, w, prover, p.output, p.blob);
        assertEq(requests.fundsOf(prover, address(0)), 1e15, "the prover's");
    }

    /// @dev What nobody can prove is not asked for.
    function test_RevertWhen_NobodyCanProveIt() external {
        Proof memory p = load("request_alice_0");
        bytes memory refused = abi.encodeWithSelector(ZKMLCodec.NotAFieldElement.selector, R);
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(p.subject, address(0), 1, 0, 0);
        vm.deal(p.subject, 10);
        vm.startPrank(p.subject);
        vm.expectRevert(refused);
        requests.requestInference(p.action, p.deadline, bytes32(R), "", "");
        vm.expectRevert(refused);
        requests.requestRewarded{value: 1}(p.action, p.deadline, bytes32(R), w, "", "");
        vm.expectRevert(abi.encodeWithSelector(IZKMLRequests.WrongInputLength.selector, 1, 0));
        requests.requestInference(p.action, p.deadline, p.dataCommitment, hex"00", "");
        requests.requestInference(p.action, p.deadline, bytes32(R - 1), "", "");
        requests.requestRewarded{value: 1}(p.action, p.deadline, p.dataCommitment, w, "", "");
    }

    /// @dev 24 values of 20 bits, 12 in each word.
    function test_RevertWhen_PublicInputsHaveNoSuchWords() external {
        Proof memory p = load("request_open_alice_0");
        deployStack(IModelVerifier(address(new CreditOpenVerifier())));
        CreditOpenAnyInputRequestConsumer open = new CreditOpenAnyInputRequestConsumer(zkml, register(p), OWNER);
        bytes memory input = inputWords(p);
        bytes[3] memory wrong = [bytes(""), bytes.concat(input, bytes32(0)), new bytes(63)];
        for (uint256 i = 0; i < wrong.length; ++i) {
            bytes memory refused = abi.encodeWithSelector(IZKMLRequests.WrongInputLength.selector, wrong[i].length, 64);
            vm.expectRevert(refused);
            open.requestInference(p.action, p.deadline, keccak256(wrong[i]), wrong[i], "");
        }
        uint256[2] memory bits = [uint256(12 * 20), 12 * 20];
        for (uint256 i = 0; i < 2; ++i) {
            for (uint256 bit = bits[i]; bit < 256; ++bit) {
                bytes memory spare = withWord(input, 32 * i, wordAt(input, 32 * i) | 1 << bit);
                vm.expectRevert(abi.encodeWithSelector(CreditOpenConsumer.SpareBits.selector, i));
                open.requestInference(p.action, p.deadline, keccak256(spare), spare, "");
            }
            // All that there are.
            bytes memory full = withWord(input, 32 * i, (1 << bits[i]) - 1);
            open.requestInference(p.action, p.deadline, keccak256(full), full, "");
        }
    }

    function test_RevertWhen_TheProofIsOfAnotherOutput() external {
        (IZKMLRequests.Request memory r, Proof memory p) = ask();
        bytes memory output = withWord(p.output, 0, wordAt(p.output, 0) + 1);
        vm.expectRevert(CreditVerifier.ProofRejected.selector);
        fulfil(r, output, p.blob);
    }

    function test_RevertWhen_ARequestsProofIsTakenTheOtherWay() external {
        Proof memory p = load("request_alice_0");
        bytes32 expected = requests.contextOf(p.subject, 0, p.deadline, p.action);
        vm.prank(p.subject);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, p.context, expected));
        requests.verifyInference(p.action, inference(p, ""));
    }

    function test_RevertWhen_AnotherContractsProofIsShown() external {
        (IZKMLRequests.Request memory r, Proof memory p) = ask();
        Proof memory other = load("mock_alice_0");
        assertEq(other.dataCommitment, p.dataCommitment, "the same input");
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, other.context, p.context));
        fulfil(r, other.output, other.blob);
    }

    /// @dev Public inputs lie in the log, from where whoever proves takes them.
    function test_PublicInputsAreAskedAboutInWords() external {
        Proof memory p = load("request_open_alice_0");
        deployStack(IModelVerifier(address(new CreditOpenVerifier())));
        uint256 modelId = register(p);
        vm.prank(deployer("CreditOpenRequestConsumer"));
        CreditOpenAnyInputRequestConsumer open = new CreditOpenAnyInputRequestConsumer(zkml, modelId, OWNER);
        bytes memory input = inputWords(p);
        assertEq(keccak256(input), p.dataCommitment, "what the commitment covers");
        IZKMLRequests.Request memory r = IZKMLRequests.Request(p.subject, 0, p.deadline, p.action, p.dataCommitment);
        bytes memory wrong = withWord(input, 0, wordAt(input, 0) + 1);
        vm.prank(p.subject);
        vm.expectRevert(abi.encodeWithSelector(IZKMLRequests.WrongInput.selector, keccak256(wrong), p.dataCommitment));
        open.requestInference(p.action, p.deadline, p.dataCommitment, wrong, "");
        vm.expectEmit(true, true, true, true, address(open));
        emit IZKMLRequests.InferenceRequested(p.nonce, p.subject, 0, p.deadline, p.action, p.dataCommitment, input);
        vm.prank(p.subject);
        open.requestInference(p.action, p.deadline, p.dataCommitment, input, "");
        (, CreditOpenConsumer.Outputs memory outputs) = open.decode(p.output);
        vm.expectEmit(true, true, true, true, address(open));
        emit CreditOpenConsumer.OutputsAccepted(p.subject, p.nonce, outputs);
        open.fulfillInference(r, p.output, p.blob);
    }

    /// @dev The owner may move to other weights: a request is proven by the model in force when it is fulfilled.
    function test_PrivateWeightsMayMoveOn() external {
        deployStack(IModelVerifier(address(new ScoreAVerifier())));
        Proof memory p = load("score_a_alice_0");
        ScoreAAnyInputRequestConsumer score = new ScoreAAnyInputRequestConsumer(zkml, register(p), 1 days, OWNER);
        assertEq(score.MODEL_DELAY(), 1 days, "delay");
        assertEq(score.owner(), OWNER, "owner");
        vm.prank(p.subject);
        uint256 id = score.requestInference(p.action, p.deadline, p.dataCommitment, "", "");
        assertTrue(score.requestState(id) == IZKMLRequests.RequestState.Pending, "pending");
        assertTrue(id != 0 && score.requestCount() == 1, "asked");
    }

    function ask() private returns (IZKMLRequests.Request memory r, Proof memory p) {
        p = load("request_alice_0");
        vm.prank(p.subject);
        requests.requestInference(p.action, p.deadline, p.dataCommitment, "", "");
        r = IZKMLRequests.Request(p.subject, 0, p.deadline, p.action, p.dataCommitment);
    }

    function fulfil(IZKMLRequests.Request memory r, bytes memory output, bytes memory blob) private {
        vm.prank(SERVICE);
        requests.fulfillInference(r, output, blob);
    }

    /// @dev The words behind the proof in a blob.
    function inputWords(Proof memory p) private pure returns (bytes memory words) {
        uint256 start = 68 + p.proof.length;
        words = new bytes(p.blob.length - start);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = p.blob[start + i];
        }
    }
}
