// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {EASInferenceResolver} from "../../src/adapters/EASInferenceResolver.sol";
import {PinnedModel} from "../../src/adapters/PinnedModel.sol";
import {Attestation} from "../../src/adapters/interfaces/IEAS.sol";
import {IERCZKMLRegistry} from "../../src/interfaces/IERCZKMLRegistry.sol";
import {IERCZKMLInference} from "../../src/interfaces/IERCZKMLVerifier.sol";
import {AdapterTest} from "./AdapterTest.sol";
import {EASFake} from "./EASFake.sol";
import {FakeModel} from "./FakeModel.sol";

/// @title EAS: an attestation stands only on the proof that was made for it
contract EASTest is AdapterTest {
    uint256 private constant DEADLINE = NOW + 1 hours;

    EASFake private eas;
    EASInferenceResolver private resolver;
    bytes32 private schema;
    address private attester = account("attester");
    address private recipient = account("recipient");

    function setUp() public override {
        super.setUp();
        eas = new EASFake();
        resolver = new EASInferenceResolver(zkml, committedId, address(eas));
        schema = eas.register(resolver.SCHEMA(), resolver, true);
    }

    /// What an attester hands in: about the recipient, without expiry or reference, revocable.
    function ask(uint256 nonce) private view returns (EASFake.Request memory) {
        return EASFake.Request(recipient, 0, true, 0, dataOf(nonce, DEADLINE), 0);
    }

    function dataOf(uint256 nonce, uint256 deadline) private view returns (bytes memory) {
        bytes32 action = resolver.actionOf(attester, 0, true, 0);
        Made memory made = prove(DATA, resolver.contextOf(recipient, nonce, deadline, action));
        return abi.encode(committedId, DATA, nonce, deadline, made.output, made.blob);
    }

    function test_AttestsOnAProof() external {
        EASFake.Request memory request = ask(0);
        vm.prank(attester);
        bytes32 uid = eas.attest(schema, request);
        assertEq(eas.attestation(uid).recipient, recipient, "recipient");
        bytes32 action = resolver.actionOf(attester, 0, true, 0);
        assertTrue(resolver.isUsed(resolver.contextOf(recipient, 0, DEADLINE, action)), "used");
    }

    function test_TheSameAgainWithAnotherNonce() external {
        vm.startPrank(attester);
        eas.attest(schema, ask(0));
        eas.attest(schema, ask(1));
        vm.stopPrank();
    }

    function test_BindsExpiryAndReference() external {
        bytes32 action = resolver.actionOf(attester, uint64(NOW + 1 days), false, keccak256("reference"));
        Made memory made = prove(DATA, resolver.contextOf(recipient, 0, DEADLINE, action));
        bytes memory data = abi.encode(committedId, DATA, uint256(0), DEADLINE, made.output, made.blob);
        vm.prank(attester);
        eas.attest(schema, EASFake.Request(recipient, uint64(NOW + 1 days), false, keccak256("reference"), data, 0));
    }

    function test_RevertWhen_ProofIsUsedTwice() external {
        EASFake.Request memory request = ask(0);
        bytes memory used = usedError(0);
        vm.startPrank(attester);
        bytes32 uid = eas.attest(schema, request);
        vm.expectRevert(used);
        eas.attest(schema, request);
        // Not after it was revoked either.
        eas.revoke(uid);
        vm.expectRevert(used);
        eas.attest(schema, request);
        vm.stopPrank();
    }

    function test_RevertWhen_ProofIsUsedTwiceAtOnce() external {
        EASFake.Request[] memory all = new EASFake.Request[](2);
        (all[0], all[1]) = (ask(0), ask(0));
        vm.expectRevert(usedError(0));
        vm.prank(attester);
        eas.multiAttest(schema, all);
        all[1] = ask(1);
        vm.prank(attester);
        eas.multiAttest(schema, all);
    }

    function usedError(uint256 nonce) private view returns (bytes memory) {
        bytes32 used = resolver.contextOf(recipient, nonce, DEADLINE, resolver.actionOf(attester, 0, true, 0));
        return abi.encodeWithSelector(EASInferenceResolver.InferenceUsed.selector, used);
    }

    /// Everything that the attestation says besides its data is bound.
    function test_RevertWhen_AttestationIsAnother() external {
        refuseBinding(attester, EASFake.Request(account("other"), 0, true, 0, ask(0).data, 0));
        refuseBinding(attester, EASFake.Request(recipient, uint64(NOW + 1 days), true, 0, ask(0).data, 0));
        refuseBinding(attester, EASFake.Request(recipient, 0, false, 0, ask(0).data, 0));
        refuseBinding(attester, EASFake.Request(recipient, 0, true, keccak256("other"), ask(0).data, 0));
        // Somebody who saw the proof attests first.
        refuseBinding(account("thief"), ask(0));
    }

    /// And so is what its data says besides the proof.
    function test_RevertWhen_DataIsAnother() external {
        Made memory made =
            prove(DATA, resolver.contextOf(recipient, 0, DEADLINE, resolver.actionOf(attester, 0, true, 0)));
        EASFake.Request memory request = ask(0);
        request.data = abi.encode(committedId, DATA, uint256(1), DEADLINE, made.output, made.blob);
        refuseBinding(attester, request);
        request.data = abi.encode(committedId, DATA, uint256(0), DEADLINE + 1, made.output, made.blob);
        refuseBinding(attester, request);
        request.data = abi.encode(committedId, bytes32(0), uint256(0), DEADLINE, made.output, made.blob);
        refuseBinding(attester, request);
        bytes memory output = abi.encode(uint256(7), uint256(8));
        request.data = abi.encode(committedId, DATA, uint256(0), DEADLINE, output, made.blob);
        refuse(attester, request, abi.encodeWithSelector(FakeModel.Refused.selector));
    }

    function test_RevertWhen_OnAnotherChainOrAtAnotherResolver() external {
        EASFake.Request memory request = ask(0);
        EASInferenceResolver other = new EASInferenceResolver(zkml, committedId, address(eas));
        bytes32 otherSchema = eas.register(resolver.SCHEMA(), other, true);
        vm.prank(attester);
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        eas.attest(otherSchema, request);
        vm.chainId(1337);
        refuseBinding(attester, request);
    }

    function test_RevertWhen_Late() external {
        EASFake.Request memory request = ask(0);
        vm.warp(DEADLINE + 1);
        refuse(attester, request, abi.encodeWithSelector(EASInferenceResolver.InferenceExpired.selector, DEADLINE));
        vm.warp(DEADLINE);
        vm.prank(attester);
        eas.attest(schema, request);
    }

    function test_RevertWhen_AboutNobody() external {
        EASFake.Request memory request = ask(0);
        request.recipient = address(0);
        refuse(attester, request, abi.encodeWithSelector(EASInferenceResolver.NoRecipient.selector));
    }

    function test_RevertWhen_AboutAnotherModel() external {
        EASFake.Request memory request = ask(0);
        Made memory made = prove(DATA, 0);
        request.data = abi.encode(openId, DATA, uint256(0), DEADLINE, made.output, made.blob);
        refuse(attester, request, abi.encodeWithSelector(PinnedModel.WrongModel.selector, openId));
        // A proof about another model under the pinned one's name.
        bytes32 action = resolver.actionOf(attester, 0, true, 0);
        made = proveOpen(abi.encode(uint256(1), uint256(2)), resolver.contextOf(recipient, 0, DEADLINE, action));
        request.data = abi.encode(committedId, made.dataCommitment, uint256(0), DEADLINE, made.output, made.blob);
        refuse(attester, request, abi.encodeWithSelector(IERCZKMLInference.ModelMismatch.selector));
    }

    function test_RevertWhen_RegistrySwapsTheEntryOrModelIsDeprecated() external {
        vm.prank(PUBLISHER);
        registry.deprecateModel(committedId);
        bytes4 deprecated = IERCZKMLInference.VerificationRefused_ModelDeprecated.selector;
        refuse(attester, ask(0), abi.encodeWithSelector(deprecated, committedId));
        swapEntry(committedId);
        refuse(attester, ask(0), abi.encodeWithSelector(IERCZKMLInference.ModelMismatch.selector));
    }

    /// Another field order, or attestations that cannot be revoked, would be another schema.
    function test_RevertWhen_SchemaIsAnother() external {
        bytes32 other = eas.register("bytes32 looksDifferent", resolver, true);
        bytes32 irrevocable = eas.register(resolver.SCHEMA(), resolver, false);
        assertEq(resolver.SCHEMA_UID(), schema, "as EAS makes it");
        EASFake.Request memory request = ask(0);
        vm.expectRevert(abi.encodeWithSelector(EASInferenceResolver.WrongSchema.selector, other, schema));
        vm.prank(attester);
        eas.attest(other, request);
        request.revocable = false;
        vm.expectRevert(abi.encodeWithSelector(EASInferenceResolver.WrongSchema.selector, irrevocable, schema));
        vm.prank(attester);
        eas.attest(irrevocable, request);
    }

    function test_RevertWhen_SomebodyElseThanEASAsks() external {
        Attestation memory a;
        (a.schema, a.recipient, a.attester, a.revocable, a.data) = (schema, recipient, attester, true, ask(0).data);
        Attestation[] memory all = new Attestation[](1);
        all[0] = a;
        bytes memory refused = abi.encodeWithSelector(EASInferenceResolver.NotEAS.selector, address(this));
        vm.expectRevert(refused);
        resolver.attest(a);
        vm.expectRevert(refused);
        resolver.multiAttest(all, new uint256[](1));
        vm.expectRevert(refused);
        resolver.revoke(a);
        vm.expectRevert(refused);
        resolver.multiRevoke(all, new uint256[](1));
    }

    function test_RevertWhen_EtherIsSent() external {
        EASFake.Request memory request = ask(0);
        request.value = 1;
        vm.deal(attester, 1);
        vm.prank(attester);
        vm.expectRevert(EASFake.NotPayable.selector);
        eas.attest{value: 1}(schema, request);
    }

    function test_AttesterRevokes() external {
        vm.startPrank(attester);
        bytes32[] memory uids = new bytes32[](1);
        uids[0] = eas.attest(schema, ask(0));
        eas.revoke(eas.attest(schema, ask(1)));
        eas.multiRevoke(uids);
        vm.stopPrank();
    }

    function test_RevertWhen_DeployedWithoutModelOrEAS() external {
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, 1));
        new EASInferenceResolver(zkml, 1, address(eas));
        vm.expectRevert(EASInferenceResolver.NoEAS.selector);
        new EASInferenceResolver(zkml, committedId, address(0));
    }

    function test_Version() external view {
        assertEq(bytes(resolver.version()), "1.4.0", "version");
    }

    function refuseBinding(address by, EASFake.Request memory request) private {
        refuse(by, request, abi.encodeWithSelector(IERCZKMLInference.InputCommitmentMismatch.selector));
    }

    function refuse(address by, EASFake.Request memory request, bytes memory error_) private {
        vm.expectRevert(error_);
        vm.prank(by);
        eas.attest(schema, request);
    }
}
