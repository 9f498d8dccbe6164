// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {LtvOracle} from "../../src/examples/LtvOracle.sol";
import {LtvVerifier} from "../generated/LtvVerifier.sol";
import {ProofChecks} from "./support/ProofChecks.sol";

/// @title The LTV oracle with real proofs about public market data
contract LtvOracleProofTest is ProofChecks {
    uint256 private constant EPOCH = NOW / 1 hours;
    LtvOracle private oracle;
    address private immutable KEEPER = account("keeper");

    function setUp() external {
        deployBelow("ltv_epoch_1", address(new LtvVerifier()));
        LtvOracle.Policy memory policy = LtvOracle.Policy(0.3e18, 0.8e18, 0.02e18, 1 hours, 1 hours, 30 minutes, 1 days);
        vm.startPrank(deployer("LtvOracle"));
        oracle = new LtvOracle(zkml, modelId, 17, issuer(), account("collateral"), policy, 0.6e18);
        oracle.setKeeper(KEEPER);
        vm.stopPrank();
    }

    function target() internal view override returns (address) {
        return address(oracle);
    }

    function action() internal view override returns (bytes32) {
        return oracle.actionOf(EPOCH);
    }

    function scale() internal view override returns (int256) {
        return oracle.OUTPUT_SCALE();
    }

    function replayReason() internal pure override returns (bytes memory) {
        return abi.encodeWithSelector(LtvOracle.EpochNotNew.selector, EPOCH, EPOCH);
    }

    /// @dev Public inputs lie in the blob, and are hashed.
    function otherDataReason() internal pure override returns (bytes memory) {
        return abi.encodeWithSignature("InputCommitmentMismatch()");
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(KEEPER);
        oracle.submit(EPOCH, inference_);
    }

    function test_TwoEpochsMoveTheValueByAStepEach() external {
        act(good());
        vm.warp(NOW + 1 hours);
        (uint256 value,) = oracle.ltv();
        // The model gives about 0.649.
        assertEq(value, 0.62e18, "a step up");
        vm.warp(NOW + 2 hours);
        Proof memory second = load("ltv_epoch_2");
        assertEq(second.action, oracle.actionOf(EPOCH + 2), "action of the scenario");
        bytes memory provenance =
            signRoot(oracle, "issuer", rootOf(second.subject, second.dataCommitment, second.action));
        vm.prank(KEEPER);
        oracle.submit(EPOCH + 2, inference(second, provenance));
        vm.warp(NOW + 3 hours);
        (value,) = oracle.ltv();
        // The model gives about 0.169.
        assertEq(value, 0.6e18, "a step down");
    }

    /// @dev A proof of an old epoch is not one of a new epoch, whatever the issuer signs.
    function test_RevertWhen_TheEpochIsAnother() external {
        vm.warp(NOW + 1 hours);
        Root memory root = goodRoot();
        root.action = oracle.actionOf(EPOCH + 1);
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(good_.subject, 0, root.action));
        vm.prank(KEEPER);
        oracle.submit(EPOCH + 1, inference_);
    }

    function test_RevertWhen_SomebodyElseSubmits() external {
        ZKMLConsumer.Inference memory inference_ = good();
        vm.expectRevert(abi.encodeWithSelector(LtvOracle.NotKeeper.selector, address(this)));
        oracle.submit(EPOCH, inference_);
    }

    function test_RevertWhen_TheDataAreStale() external {
        Root memory root = goodRoot();
        root.issuedAt -= 30 minutes + 1;
        refused(
            withRoot("issuer", root), abi.encodeWithSelector(LtvOracle.StaleData.selector, root.issuedAt, 30 minutes)
        );
    }

    /// @dev The market in the blob is what the proof is about, and what the issuer has signed.
    function test_RevertWhen_TheMarketIsInvented() external {
        ZKMLConsumer.Inference memory inference_ = good();
        bytes memory blob = inference_.proof;
        blob[blob.length - 1] ^= 0x01;
        refused(inference_, abi.encodeWithSignature("InputCommitmentMismatch()"));
        uint256 market;
        assembly ("memory-safe") {
            // The last word.
            market := mload(add(blob, mload(blob)))
        }
        Root memory root = goodRoot();
        root.dataCommitment = keccak256(abi.encode(market));
        inference_.provenance = signRoot(oracle, "issuer", root);
        bytes32 invented = root.dataCommitment;
        assembly ("memory-safe") {
            mstore(add(blob, 0x24), invented)
        }
        refused(inference_, abi.encodeWithSignature("ProofRejected()"));
    }
}
