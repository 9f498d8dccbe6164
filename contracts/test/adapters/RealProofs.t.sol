// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {EASInferenceResolver} from "../../src/adapters/EASInferenceResolver.sol";
import {ERC7007Verifier} from "../../src/adapters/ERC7007Verifier.sol";
import {ERC8004Validator} from "../../src/adapters/ERC8004Validator.sol";
import {ERC8274ProofVerifier} from "../../src/adapters/ERC8274ProofVerifier.sol";
import {IProofVerifier} from "../../src/adapters/interfaces/IERC8274.sol";
import {IERCZKMLInference} from "../../src/interfaces/IERCZKMLVerifier.sol";
import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";
import {ZKMLStatement} from "../../src/libraries/ZKMLStatement.sol";
import {CreditOpenVerifier} from "../generated/CreditOpenVerifier.sol";
import {CreditVerifier} from "../generated/CreditVerifier.sol";
import {Stack} from "../support/Stack.sol";
import {EASFake} from "./EASFake.sol";
import {ValidationRegistryFake} from "./ValidationRegistryFake.sol";

/// @title Each adapter with a proof of a committed model, made for it
contract RealProofsTest is Stack {
    /// The credit model: its one input is committed.
    IModelVerifier private credit;
    /// The same model with public inputs.
    IModelVerifier private open;

    function setUp() external {
        credit = IModelVerifier(address(new CreditVerifier()));
        open = IModelVerifier(address(new CreditOpenVerifier()));
        IModelVerifier[] memory verifiers = new IModelVerifier[](2);
        (verifiers[0], verifiers[1]) = (credit, open);
        deployStack(verifiers);
    }

    /// Moves the first point of the proof off the curve.
    function spoil(bytes memory blob) private pure returns (bytes memory spoilt) {
        spoilt = bytes.concat(blob);
        spoilt[ZKMLStatement.BLOB_HEADER + 31] ^= 0x01;
    }

    function test_ERC8274() external {
        Proof memory p = load("unbound");
        bytes memory metadata = abi.encode(register(p));
        ERC8274ProofVerifier adapter = new ERC8274ProofVerifier(zkml);
        bytes32 hash = keccak256(p.output);
        assertTrue(adapter.verify(p.inputCommitment, hash, metadata, abi.encode(p.output, p.blob)), "valid");
        assertTrue(!adapter.verify(p.inputCommitment, hash, metadata, abi.encode(p.output, spoil(p.blob))), "spoilt");
    }

    /// Wherever the gas ends, in whichever precompile: the proof is never called invalid.
    function test_ERC8274_LittleGasIsNoVerdict() external {
        Proof memory p = load("unbound");
        bytes memory call = abi.encodeCall(
            IProofVerifier.verify,
            (p.inputCommitment, keccak256(p.output), abi.encode(register(p)), abi.encode(p.output, p.blob))
        );
        address adapter = address(new ERC8274ProofVerifier(zkml));
        uint256 accepted;
        for (uint256 gas = 20_000; gas < 900_000; gas += 4_999) {
            (bool success, bytes memory answer) = adapter.call{gas: gas}(call);
            if (!success) continue;
            assertTrue(abi.decode(answer, (bool)), "called invalid");
            ++accepted;
        }
        assertTrue(accepted > 0, "enough gas in the end");
    }

    function test_ERC7007() external {
        Proof memory p = load("erc7007_open");
        uint256 modelId = register(p);
        vm.prank(deployer("ERC7007Verifier"));
        ERC7007Verifier adapter = new ERC7007Verifier(zkml, modelId, open);
        assertEq(address(adapter), p.consumer, "the proof is for this address");
        assertEq(adapter.context(), p.context, "and bound to it");
        bytes memory prompt = inputWords(p);
        assertTrue(adapter.verify(prompt, p.output, p.blob), "valid");
        assertTrue(!adapter.verify(prompt, p.output, spoil(p.blob)), "spoilt");
        assertTrue(!adapter.verify(abi.encode(p.dataCommitment), p.output, p.blob), "another prompt");
        prompt[prompt.length - 1] ^= 0x01;
        assertTrue(!adapter.verify(prompt, p.output, p.blob), "a prompt that differs in a bit");
    }

    function inputWords(Proof memory p) private view returns (bytes memory words) {
        uint256 count = open.statementShape().inputs;
        for (uint256 i = 1; i <= count; ++i) {
            words = bytes.concat(words, bytes32(p.instances[i]));
        }
    }

    function test_ERC8004() external {
        Proof memory p = load("erc8004_open");
        uint256 modelId = register(p);
        (uint256 agent, bytes32 salt) = (uint160(account("agent")), keccak256("salt"));
        ValidationRegistryFake requests = new ValidationRegistryFake();
        vm.prank(deployer("ERC8004Validator"));
        ERC8004Validator validator = new ERC8004Validator(zkml, modelId, requests);
        assertEq(address(validator), p.consumer, "the proof is for this address");
        bytes32 requestHash = keccak256(validator.payloadOf(agent, salt, p.dataCommitment, p.output));
        assertEq(requestHash, p.action, "and for this request: its action in scenarios.json");
        vm.prank(account("agent"));
        requests.validationRequest(address(validator), agent, "", requestHash);
        // Another agent asks about the same inference.
        (uint256 thief, bytes memory spoilt) = (uint160(account("thief")), spoil(p.blob));
        bytes32 stolen = keccak256(validator.payloadOf(thief, salt, p.dataCommitment, p.output));
        vm.prank(account("thief"));
        requests.validationRequest(address(validator), thief, "", stolen);
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        validator.validate(thief, salt, p.dataCommitment, p.output, p.blob);
        vm.expectRevert(abi.encodeWithSelector(CreditOpenVerifier.InvalidPoint.selector, 0));
        validator.validate(agent, salt, p.dataCommitment, p.output, spoilt);
        validator.validate(agent, salt, p.dataCommitment, p.output, p.blob);
        (,, uint8 response, bytes32 evidence,,) = requests.getValidationStatus(requestHash);
        assertEq(uint256(response), 100, "response");
        assertEq(evidence, p.inputCommitment, "evidence");
    }

    function test_EAS() external {
        Proof memory p = load("eas_alice_0");
        uint256 modelId = register(p);
        EASFake eas = new EASFake();
        vm.prank(deployer("EASInferenceResolver"));
        EASInferenceResolver resolver = new EASInferenceResolver(zkml, modelId, address(eas));
        assertEq(address(resolver), p.consumer, "the proof is for this address");
        assertEq(resolver.actionOf(account("attester"), 0, true, 0), p.action, "its action in scenarios.json");
        bytes32 schema = eas.register(resolver.SCHEMA(), resolver, true);
        bytes memory data = abi.encode(modelId, p.dataCommitment, p.nonce, p.deadline, p.output, p.blob);
        EASFake.Request memory request = EASFake.Request(p.subject, 0, true, 0, data, 0);
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        vm.prank(account("thief"));
        eas.attest(schema, request);
        vm.startPrank(account("attester"));
        eas.attest(schema, request);
        vm.expectRevert(abi.encodeWithSelector(EASInferenceResolver.InferenceUsed.selector, p.context));
        eas.attest(schema, request);
        vm.stopPrank();
    }
}
