// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC8274ProofVerifier} from "../../src/adapters/ERC8274ProofVerifier.sol";
import {Refusal} from "../../src/adapters/Refusal.sol";
import {IProofVerifier} from "../../src/adapters/interfaces/IERC8274.sol";
import {ZKMLVerifier} from "../../src/ZKMLVerifier.sol";
import {IERCZKMLInference} from "../../src/interfaces/IERCZKMLVerifier.sol";
import {ZKMLStatement} from "../../src/libraries/ZKMLStatement.sol";
import {AdapterTest} from "./AdapterTest.sol";

/// @title The application's side of ERC-8274, as far as binding goes
/// @notice Takes an input commitment only if it is for this contract, this agent and this task.
contract TaskVerifier {
    IProofVerifier private immutable PROOFS;
    bytes private _metadata;

    constructor(IProofVerifier proofs, uint256 modelId) {
        PROOFS = proofs;
        _metadata = abi.encode(modelId);
    }

    function verify(address agent, bytes32 task, bytes32 data, bytes32 outputHash, bytes calldata proof)
        external
        returns (bool)
    {
        bytes32 separator = ZKMLStatement.domainSeparator(address(this));
        bytes32 context = ZKMLStatement.contextOf(separator, agent, 0, 0, task);
        return PROOFS.verify(ZKMLStatement.inputCommitment(data, context), outputHash, _metadata, proof);
    }
}

/// @title ERC-8274: true, false, and when neither
contract ERC8274Test is AdapterTest {
    ERC8274ProofVerifier private adapter;
    Made private made;

    function setUp() public override {
        super.setUp();
        adapter = new ERC8274ProofVerifier(zkml);
        made = prove(DATA, 0);
    }

    function verify(Made memory m) private view returns (bool) {
        return
            adapter.verify(
                m.inputCommitment, keccak256(m.output), abi.encode(committedId), abi.encode(m.output, m.blob)
            );
    }

    function test_ValidProofIsTrueAsOftenAsItIsShown() external view {
        assertTrue(verify(made), "first");
        assertTrue(verify(made), "again");
    }

    function test_PublicInputs() external view {
        Made memory m = proveOpen(abi.encode(uint256(1), uint256(2)), bytes32(uint256(5)));
        bytes memory proof = abi.encode(m.output, m.blob);
        assertTrue(adapter.verify(m.inputCommitment, keccak256(m.output), abi.encode(openId), proof), "open");
    }

    function test_AnotherInputIsFalse() external view {
        Made memory m = made;
        m.inputCommitment = ZKMLStatement.inputCommitment(bytes32(uint256(DATA) + 1), 0);
        assertTrue(!verify(m), "input");
        m.inputCommitment = ZKMLStatement.inputCommitment(DATA, bytes32(uint256(1)));
        assertTrue(!verify(m), "context");
    }

    function test_AnotherOutputIsFalse() external view {
        bytes memory proof = abi.encode(made.output, made.blob);
        bytes32 other = keccak256(abi.encode(uint256(7), uint256(10)));
        assertTrue(!adapter.verify(made.inputCommitment, other, abi.encode(committedId), proof), "hash alone");
        Made memory m = made;
        m.output = abi.encode(uint256(7), uint256(10));
        assertTrue(!verify(m), "output and hash");
    }

    function test_AnotherModelIsFalse() external view {
        bytes memory proof = abi.encode(made.output, made.blob);
        bytes32 hash = keccak256(made.output);
        assertTrue(!adapter.verify(made.inputCommitment, hash, abi.encode(openId), proof), "other model");
        assertTrue(!adapter.verify(made.inputCommitment, hash, abi.encode(uint256(1)), proof), "no model");
    }

    function test_DeprecatedModelIsFalse() external {
        vm.prank(PUBLISHER);
        registry.deprecateModel(committedId);
        assertTrue(!verify(made), "deprecated");
    }

    function testFuzz_FlippedBlobIsFalse(uint256 place, uint8 by) external view {
        vm.assume(by != 0);
        Made memory m = made;
        place %= m.blob.length;
        m.blob[place] ^= bytes1(by);
        assertTrue(!verify(m), "flipped");
    }

    function testFuzz_RubbishIsFalse(bytes calldata proof) external view {
        bool valid = adapter.verify(made.inputCommitment, keccak256(made.output), abi.encode(committedId), proof);
        assertTrue(!valid, "rubbish");
    }

    function test_RevertWhen_MetadataNamesNoModel() external {
        vm.expectRevert(abi.encodeWithSelector(ERC8274ProofVerifier.MetadataIsNotAModelId.selector, 31));
        adapter.verify(made.inputCommitment, keccak256(made.output), new bytes(31), "");
        vm.expectRevert(abi.encodeWithSelector(ERC8274ProofVerifier.MetadataIsNotAModelId.selector, 64));
        adapter.verify(made.inputCommitment, keccak256(made.output), new bytes(64), "");
    }

    function test_CheckSaysWhy() external {
        bytes memory proof = abi.encode(made.output, made.blob);
        bytes32 hash = keccak256(made.output);
        vm.expectRevert(abi.encodeWithSelector(ERC8274ProofVerifier.OutputHashMismatch.selector, hash, bytes32(0)));
        adapter.check(made.inputCommitment, 0, committedId, proof);
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        adapter.check(0, hash, committedId, proof);
        adapter.check(made.inputCommitment, hash, committedId, proof);
    }

    /// With any gas, a valid proof is never called invalid.
    function testFuzz_LittleGasIsNoVerdict(uint256 gas) external {
        committed.setWork(300_000);
        gas = 20_000 + gas % 600_000;
        bytes memory proof = abi.encode(made.output, made.blob);
        bytes memory call = abi.encodeCall(
            IProofVerifier.verify, (made.inputCommitment, keccak256(made.output), abi.encode(committedId), proof)
        );
        (bool success, bytes memory answer) = address(adapter).call{gas: gas}(call);
        if (success) assertTrue(abi.decode(answer, (bool)), "called invalid");
    }

    function test_RevertWhen_GasEndsInsideThePrecompile() external {
        committed.setWork(300_000);
        bytes memory call = abi.encodeCall(
            IProofVerifier.verify,
            (made.inputCommitment, keccak256(made.output), abi.encode(committedId), abi.encode(made.output, made.blob))
        );
        (bool success, bytes memory answer) = address(adapter).call{gas: 250_000}(call);
        assertTrue(!success, "reverts");
        assertEq(bytes32(bytes4(answer)), bytes32(Refusal.NotEnoughGas.selector), "and says why");
        // With enough gas, an invalid proof is invalid, however long that took to find out.
        Made memory m = made;
        m.blob[70] ^= 0x01;
        call = abi.encodeCall(
            IProofVerifier.verify,
            (m.inputCommitment, keccak256(m.output), abi.encode(committedId), abi.encode(m.output, m.blob))
        );
        (success, answer) = address(adapter).call{gas: 450_000}(call);
        assertTrue(success && !abi.decode(answer, (bool)), "false");
    }

    /// What the contract's text asks of applications: with the context of their own, each proof has one use.
    function test_ApplicationBindsByContext() external {
        TaskVerifier app = new TaskVerifier(adapter, committedId);
        (address agent, bytes32 task) = (account("agent"), keccak256("task"));
        Made memory m = prove(DATA, contextFor(address(app), agent, 0, 0, task));
        (bytes32 hash, bytes memory proof) = (keccak256(m.output), abi.encode(m.output, m.blob));
        assertTrue(app.verify(agent, task, DATA, hash, proof), "its own");
        assertTrue(!app.verify(agent, keccak256("other"), DATA, hash, proof), "another task");
        assertTrue(!app.verify(account("other"), task, DATA, hash, proof), "another agent");
        TaskVerifier other = new TaskVerifier(adapter, committedId);
        assertTrue(!other.verify(agent, task, DATA, hash, proof), "another application");
    }

    function test_NamesAndIds() external {
        assertEq(bytes(adapter.proofSystem()), "zk/zkml-chain-halo2-kzg-bn254", "system");
        bytes32 profile = keccak256(abi.encodePacked("zk/zkml-chain-halo2-kzg-bn254", adapter.DEPLOYMENT_SALT()));
        assertEq(adapter.proofProfile(), profile, "profile");
        ERC8274ProofVerifier other = new ERC8274ProofVerifier(new ZKMLVerifier(registry, router));
        assertTrue(other.proofProfile() != profile, "another verifier is another deployment");
        vm.chainId(1337);
        assertTrue(new ERC8274ProofVerifier(zkml).proofProfile() != profile, "another chain as well");
        assertTrue(adapter.supportsInterface(0x01ffc9a7), "ERC-165");
        bytes4 id = bytes4(keccak256("verify(bytes32,bytes32,bytes,bytes)")) ^ bytes4(keccak256("proofSystem()"))
            ^ bytes4(keccak256("proofProfile()"));
        assertTrue(adapter.supportsInterface(id), "ERC-8274");
        assertTrue(!adapter.supportsInterface(0xffffffff), "0xffffffff");
    }
}
