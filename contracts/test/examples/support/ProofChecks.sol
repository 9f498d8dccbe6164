// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../../src/ZKMLConsumer.sol";
import {IModelVerifier} from "../../../src/interfaces/IModelVerifier.sol";
import {ExampleChecks} from "./ExampleTest.sol";

/// @title What every example does with a real proof, through router, registry and the generated verifier
/// @notice Besides what {ExampleChecks} asks: proofs are of this chain, this model, this output and this input, and good
/// once.
abstract contract ProofChecks is ExampleChecks {
    /// @dev The good proof.
    Proof internal good_;
    /// @dev Its verifier.
    IModelVerifier internal modelVerifier;
    /// @dev Its model, in the registry.
    uint256 internal modelId;

    /// @dev Loads the good proof, and deploys all that stands below the example.
    function deployBelow(string memory proof, address verifier) internal {
        good_ = load(proof);
        modelVerifier = IModelVerifier(verifier);
        deployStack(modelVerifier);
        modelId = register(good_);
    }

    /// @dev What the example's terms hash to: what the proof must be bound to.
    function action() internal view virtual returns (bytes32);

    /// @dev The scale that the example decodes with.
    function scale() internal view virtual returns (int256);

    /// @dev Why the good inference is refused the second time.
    function replayReason() internal view virtual returns (bytes memory);

    /// @dev Why a proof about other data than the signed ones is refused.
    function otherDataReason() internal pure virtual returns (bytes memory) {
        return abi.encodeWithSignature("ProofRejected()");
    }

    function goodRoot() internal view override returns (Root memory) {
        return rootOf(good_.subject, good_.dataCommitment, action());
    }

    function goodInference() internal view override returns (ZKMLConsumer.Inference memory) {
        return inference(good_, "");
    }

    /// @dev What a proof looks like to the example that is bound to something else.
    function wrongContext(address subject, uint256 nonce, bytes32 action_) internal view returns (bytes memory) {
        bytes32 expected = ZKMLConsumer(target()).contextOf(subject, nonce, good_.deadline, action_);
        return abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, good_.context, expected);
    }

    /// @dev A scenario that is out of date says here what it must be.
    function test_TheProofIsForThisContractAndTheseTerms() external view {
        assertEq(target(), good_.consumer, "consumer");
        assertEq(good_.action, action(), "action of the scenario");
        assertEq(scale(), modelVerifier.OUTPUT_SCALE(), "scale");
    }

    function test_RevertWhen_TheProofIsShownAgain() external {
        act(good());
        refused(good(), replayReason());
    }

    function test_RevertWhen_OnAnotherChain() external {
        vm.chainId(1);
        refused(good(), wrongContext(good_.subject, 0, action()));
    }

    function test_RevertWhen_TheOutputIsNotTheProofs() external {
        ZKMLConsumer.Inference memory inference_ = good();
        // The next number down; no example minds such a difference.
        inference_.output = abi.encode(abi.decode(inference_.output, (uint256)) - 1);
        refused(inference_, abi.encodeWithSignature("ProofRejected()"));
    }

    /// @dev The issuer signs whatever it likes: a proof is about what it is about.
    function test_RevertWhen_TheProofIsAboutOtherData() external {
        bytes32 other = bytes32(uint256(good_.dataCommitment) ^ 1);
        Root memory root = goodRoot();
        root.dataCommitment = other;
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        bytes memory blob = inference_.proof;
        assembly ("memory-safe") {
            // Behind the length and the selector.
            mstore(add(blob, 0x24), other)
        }
        refused(inference_, otherDataReason());
    }

    function test_RevertWhen_TheModelIsDeprecated() external {
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        refused(good(), abi.encodeWithSignature("VerificationRefused_ModelDeprecated(uint256)", modelId));
    }
}
