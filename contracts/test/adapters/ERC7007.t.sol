// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC7007Verifier} from "../../src/adapters/ERC7007Verifier.sol";
import {PinnedModel} from "../../src/adapters/PinnedModel.sol";
import {Refusal} from "../../src/adapters/Refusal.sol";
import {IERC7007Verify} from "../../src/adapters/interfaces/IERC7007.sol";
import {IERCZKMLInference} from "../../src/interfaces/IERCZKMLVerifier.sol";
import {IERCZKMLRegistry} from "../../src/interfaces/IERCZKMLRegistry.sol";
import {AdapterTest} from "./AdapterTest.sol";

/// @title ERC-7007: one prompt, one answer, made for this contract
contract ERC7007Test is AdapterTest {
    bytes private constant WORDS = abi.encode(uint256(1), uint256(2));

    ERC7007Verifier private hidden;
    ERC7007Verifier private visible;

    function setUp() public override {
        super.setUp();
        hidden = new ERC7007Verifier(zkml, committedId, committed);
        visible = new ERC7007Verifier(zkml, openId, open);
    }

    function test_CommittedPrompt() external view {
        Made memory made = prove(DATA, hidden.context());
        assertTrue(hidden.PROMPT_IS_COMMITMENT(), "known from the model");
        assertTrue(hidden.verify(abi.encode(DATA), made.output, made.blob), "valid");
    }

    function test_VisiblePrompt() external view {
        Made memory made = proveOpen(WORDS, visible.context());
        assertTrue(!visible.PROMPT_IS_COMMITMENT(), "known from the model");
        assertTrue(visible.verify(WORDS, made.output, made.blob), "valid");
    }

    /// The commitment to visible words is no second prompt for them, nor the words behind a commitment.
    function test_AProofHasOnePrompt() external view {
        Made memory made = proveOpen(WORDS, visible.context());
        assertTrue(!visible.verify(abi.encode(made.dataCommitment), made.output, made.blob), "the hash of the words");
        assertTrue(!visible.verify(abi.encode(uint256(1), uint256(3)), made.output, made.blob), "other words");
        assertTrue(!visible.verify(abi.encodePacked(WORDS, uint8(0)), made.output, made.blob), "more than the words");
        bytes32 data = keccak256(WORDS);
        made = prove(data, hidden.context());
        assertTrue(!hidden.verify(WORDS, made.output, made.blob), "what hashes to the commitment");
        assertTrue(!hidden.verify(abi.encode(data, uint256(0)), made.output, made.blob), "more than the commitment");
    }

    function test_AnotherAnswerIsFalse() external view {
        Made memory made = prove(DATA, hidden.context());
        assertTrue(!hidden.verify(abi.encode(DATA), abi.encode(uint256(7), uint256(8)), made.blob), "other words");
        assertTrue(!hidden.verify(abi.encode(DATA), abi.encodePacked(made.output, uint256(0)), made.blob), "one more");
    }

    function testFuzz_FlippedBlobIsFalse(uint256 place, uint8 by) external view {
        vm.assume(by != 0);
        Made memory made = prove(DATA, hidden.context());
        place %= made.blob.length;
        made.blob[place] ^= bytes1(by);
        assertTrue(!hidden.verify(abi.encode(DATA), made.output, made.blob), "flipped");
    }

    /// A proof that was made for something else cannot be minted.
    function test_ProofForAnotherPurposeIsFalse() external {
        Made memory made = prove(DATA, 0);
        assertTrue(!hidden.verify(abi.encode(DATA), made.output, made.blob), "unbound");
        made = prove(DATA, contextFor(address(this), address(0), 0, 0, 0));
        assertTrue(!hidden.verify(abi.encode(DATA), made.output, made.blob), "another contract");
        made = prove(DATA, contextFor(address(hidden), account("alice"), 0, 0, 0));
        assertTrue(!hidden.verify(abi.encode(DATA), made.output, made.blob), "about somebody");
        made = prove(DATA, hidden.context());
        vm.chainId(1337);
        assertTrue(!hidden.verify(abi.encode(DATA), made.output, made.blob), "another chain");
    }

    function test_AnotherModelIsFalse() external {
        Made memory made = proveOpen(WORDS, hidden.context());
        assertTrue(!hidden.verify(abi.encode(made.dataCommitment), made.output, made.blob), "another model");
        vm.prank(PUBLISHER);
        registry.deprecateModel(committedId);
        made = prove(DATA, hidden.context());
        assertTrue(!hidden.verify(abi.encode(DATA), made.output, made.blob), "deprecated");
    }

    function test_CheckSaysWhy() external {
        Made memory made = prove(DATA, hidden.context());
        vm.expectRevert(abi.encodeWithSelector(ERC7007Verifier.PromptIsNotACommitment.selector, 31));
        hidden.check(new bytes(31), made.output, made.blob);
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        hidden.check(new bytes(32), made.output, made.blob);
        hidden.check(abi.encode(DATA), made.output, made.blob);
    }

    function test_RevertWhen_RegistrySwapsTheEntry() external {
        Made memory made = prove(DATA, hidden.context());
        swapEntry(committedId);
        vm.expectRevert(IERCZKMLInference.ModelMismatch.selector);
        hidden.check(abi.encode(DATA), made.output, made.blob);
    }

    function test_RevertWhen_DeployedForNoModelOrWithAnothersVerifier() external {
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, 1));
        new ERC7007Verifier(zkml, 1, committed);
        vm.expectRevert(abi.encodeWithSelector(ERC7007Verifier.WrongModelVerifier.selector, open));
        new ERC7007Verifier(zkml, committedId, open);
        swapEntry(committedId);
        vm.expectRevert(abi.encodeWithSelector(PinnedModel.WrongModel.selector, committedId));
        new ERC7007Verifier(zkml, committedId, committed);
    }

    function test_RevertWhen_GasEndsInsideThePrecompile() external {
        committed.setWork(300_000);
        Made memory made = prove(DATA, hidden.context());
        bytes memory call = abi.encodeCall(IERC7007Verify.verify, (abi.encode(DATA), made.output, made.blob));
        (bool success, bytes memory answer) = address(hidden).call{gas: 250_000}(call);
        assertTrue(!success, "reverts");
        assertEq(bytes32(bytes4(answer)), bytes32(Refusal.NotEnoughGas.selector), "and says why");
    }
}
