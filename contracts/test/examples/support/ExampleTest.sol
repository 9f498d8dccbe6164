// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../../src/ZKMLConsumer.sol";
import {ZKMLRegistry} from "../../../src/ZKMLRegistry.sol";
import {IERCZKMLRegistry} from "../../../src/interfaces/IERCZKMLRegistry.sol";
import {ZKMLCodec} from "../../../src/libraries/ZKMLCodec.sol";
import {ZKMLStatement} from "../../../src/libraries/ZKMLStatement.sol";
import {ZKMLVerifierMock} from "../../../src/mocks/ZKMLVerifierMock.sol";
import {SignedDataRoot} from "../../../src/provenance/SignedDataRoot.sol";
import {Stack} from "../../support/Stack.sol";

/// @title What tests of an example share: inferences with signed data, believed by a mock or proven
abstract contract ExampleTest is Stack {
    /// @dev What an issuer signs.
    struct Root {
        address subject;
        bytes32 dataCommitment;
        bytes32 action;
        uint64 issuedAt;
        uint64 validUntil;
    }

    /// @dev Fractional bits of outputs that the mock believes.
    int256 internal constant SCALE = 20;
    uint256 internal constant DEADLINE = NOW + 365 days;
    bytes32 internal constant DATA = keccak256("data");

    ZKMLVerifierMock internal mock;
    uint256 internal mockModel;

    function deployMock() internal {
        vm.warp(NOW);
        registry = new ZKMLRegistry();
        mock = new ZKMLVerifierMock(address(registry));
        mockModel = registerMock("model");
    }

    /// @dev A model that nobody can prove anything about; the mock does not mind.
    function registerMock(string memory weights) internal returns (uint256 modelId) {
        IERCZKMLRegistry.ModelCommitment memory commitment;
        commitment.modelHash = keccak256(bytes(weights));
        (commitment.circuitHash, commitment.vkHash) = (keccak256("circuit"), keccak256("vk"));
        commitment.proofSystemId = ZKMLStatement.PROOF_SYSTEM_ID;
        vm.prank(PUBLISHER);
        return registry.registerModel(commitment);
    }

    /// @dev Data that are true now, and usable for a day.
    function rootOf(address subject, bytes32 dataCommitment, bytes32 action) internal view returns (Root memory) {
        return Root(subject, dataCommitment, action, uint64(block.timestamp), uint64(block.timestamp + 1 days));
    }

    function signRoot(SignedDataRoot consumer, string memory signer, Root memory root)
        internal
        view
        returns (bytes memory provenance)
    {
        bytes32 digest =
            consumer.dataRootDigest(root.subject, root.dataCommitment, root.action, root.issuedAt, root.validUntil);
        bytes memory signature = signed(signer, digest);
        return abi.encode(SignedDataRoot.DataRoot(root.action, root.issuedAt, root.validUntil, signature));
    }

    /// @dev An inference that the mock believes: this output, in 18 decimals, about signed data.
    function believed(address consumer, Root memory root, int256 output)
        internal
        view
        returns (ZKMLConsumer.Inference memory inference_)
    {
        ZKMLConsumer c = ZKMLConsumer(consumer);
        bytes32 context = c.contextOf(root.subject, c.nonces(root.subject), DEADLINE, root.action);
        inference_.deadline = DEADLINE;
        inference_.output = word(output);
        inference_.proof = abi.encodePacked(bytes4("mock"), root.dataCommitment, context);
        inference_.provenance = signRoot(SignedDataRoot(consumer), "issuer", root);
    }

    /// @dev A number with 18 decimals as a word of the output section; what lies between two goes down.
    function word(int256 wad) internal pure returns (bytes memory) {
        return abi.encode(ZKMLCodec.fromInt((wad << uint256(SCALE)) / 1e18));
    }

    /// @dev A number of the mock's scale that lies between two with 18 decimals, just above a word of a quarter: the
    /// lower and the upper one.
    function between() internal pure returns (int256 lower, int256 upper) {
        lower = (int256(1 << uint256(SCALE - 2)) + 1) * 1e18 / int256(1 << uint256(SCALE));
        return (lower, lower + 1);
    }

    function issuer() internal pure returns (address) {
        return vm.addr(key("issuer"));
    }
}

/// @title What every example refuses, whether the proof is real or believed
/// @notice A test of an example says what a good inference is and how it is handed in; these tests spoil it in one way
/// each, and expect the one error.
abstract contract ExampleChecks is ExampleTest {
    /// @dev The example.
    function target() internal view virtual returns (address);

    /// @dev What the issuer signs for a good inference.
    function goodRoot() internal view virtual returns (Root memory);

    /// @dev An inference that the example accepts, but for its provenance.
    function goodInference() internal view virtual returns (ZKMLConsumer.Inference memory);

    /// @dev Hands an inference in, from the account that it was made for.
    function act(ZKMLConsumer.Inference memory inference_) internal virtual;

    function good() internal view returns (ZKMLConsumer.Inference memory inference_) {
        return withRoot("issuer", goodRoot());
    }

    function withRoot(string memory signer, Root memory root)
        internal
        view
        returns (ZKMLConsumer.Inference memory inference_)
    {
        inference_ = goodInference();
        inference_.provenance = signRoot(SignedDataRoot(target()), signer, root);
    }

    /// @dev What a consumer says about a proof that was made for another action.
    function wrongContext(ZKMLConsumer.Inference memory inference_, address subject, bytes32 action)
        internal
        view
        returns (bytes memory reason)
    {
        ZKMLConsumer consumer = ZKMLConsumer(target());
        bytes32 expected = consumer.contextOf(subject, consumer.nonces(subject), inference_.deadline, action);
        return abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, contextIn(inference_.proof), expected);
    }

    /// @dev The context in a blob, after selector and data commitment.
    function contextIn(bytes memory blob) private pure returns (bytes32 context) {
        assembly ("memory-safe") {
            context := mload(add(blob, 0x44))
        }
    }

    function refused(ZKMLConsumer.Inference memory inference_, bytes memory reason) internal {
        vm.expectRevert(reason);
        act(inference_);
    }

    function test_AcceptsAGoodInference() external {
        address subject = goodRoot().subject;
        uint256 nonce = ZKMLConsumer(target()).nonces(subject);
        act(good());
        assertEq(ZKMLConsumer(target()).nonces(subject), nonce + 1, "nonce");
    }

    function test_RevertWhen_AnotherIssuerSigned() external {
        Root memory root = goodRoot();
        refused(
            withRoot("somebody", root),
            abi.encodeWithSelector(SignedDataRoot.NotSignedByIssuer.selector, root.subject, root.dataCommitment)
        );
    }

    function test_RevertWhen_DataAreOfAnotherSubject() external {
        Root memory root = goodRoot();
        address subject = root.subject;
        root.subject = account("somebody else");
        refused(
            withRoot("issuer", root),
            abi.encodeWithSelector(SignedDataRoot.NotSignedByIssuer.selector, subject, root.dataCommitment)
        );
    }

    function test_RevertWhen_OtherDataWereSigned() external {
        Root memory root = goodRoot();
        bytes32 data = root.dataCommitment;
        root.dataCommitment = keccak256("other data");
        refused(
            withRoot("issuer", root),
            abi.encodeWithSelector(SignedDataRoot.NotSignedByIssuer.selector, root.subject, data)
        );
    }

    function test_RevertWhen_DataAreForAnotherAction() external {
        Root memory root = goodRoot();
        bytes32 action = root.action;
        root.action = keccak256("another action");
        refused(
            withRoot("issuer", root),
            abi.encodeWithSelector(SignedDataRoot.DataForAnotherAction.selector, root.action, action)
        );
    }

    function test_RevertWhen_DataHaveExpired() external {
        Root memory root = goodRoot();
        root.validUntil = uint64(block.timestamp - 1);
        refused(withRoot("issuer", root), abi.encodeWithSelector(SignedDataRoot.DataExpired.selector, root.validUntil));
    }

    function test_RevertWhen_DataAreOfTheFuture() external {
        Root memory root = goodRoot();
        root.issuedAt = uint64(block.timestamp + 1);
        refused(
            withRoot("issuer", root), abi.encodeWithSelector(SignedDataRoot.DataNotYetValid.selector, root.issuedAt)
        );
    }

    function test_RevertWhen_OutputHasTwoWords() external {
        ZKMLConsumer.Inference memory inference_ = good();
        inference_.output = bytes.concat(inference_.output, inference_.output);
        vm.expectRevert();
        act(inference_);
    }

    function test_RevertWhen_LateByTheDeadline() external {
        ZKMLConsumer.Inference memory inference_ = good();
        inference_.deadline = block.timestamp - 1;
        refused(inference_, abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, inference_.deadline));
    }

    function test_RevertWhen_DeadlineIsNotTheProofs() external {
        ZKMLConsumer.Inference memory inference_ = good();
        Root memory root = goodRoot();
        ZKMLConsumer consumer = ZKMLConsumer(target());
        uint256 nonce = consumer.nonces(root.subject);
        bytes32 actual = consumer.contextOf(root.subject, nonce, inference_.deadline, root.action);
        bytes32 expected = consumer.contextOf(root.subject, nonce, ++inference_.deadline, root.action);
        refused(inference_, abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, actual, expected));
    }
}
