// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC8004Validator} from "../../src/adapters/ERC8004Validator.sol";
import {IERCZKMLRegistry} from "../../src/interfaces/IERCZKMLRegistry.sol";
import {IERCZKMLInference} from "../../src/interfaces/IERCZKMLVerifier.sol";
import {AdapterTest} from "./AdapterTest.sol";
import {FakeModel} from "./FakeModel.sol";
import {ValidationRegistryFake} from "./ValidationRegistryFake.sol";

/// @title ERC-8004: a request is answered by the proof that was made for it, and by no other
contract ERC8004Test is AdapterTest {
    bytes32 private constant SALT = keccak256("salt");

    ValidationRegistryFake private requests;
    ERC8004Validator private validator;
    uint256 private agent;
    uint256 private stranger;

    function setUp() public override {
        super.setUp();
        requests = new ValidationRegistryFake();
        validator = new ERC8004Validator(zkml, committedId, requests);
        (agent, stranger) = (uint160(account("agent")), uint160(account("stranger")));
    }

    /// An agent asks this validator about {OUTPUT} on {DATA}.
    function request(uint256 agentId, address validator_) private returns (bytes32 requestHash) {
        requestHash = hashOf(agentId);
        vm.prank(address(uint160(agentId)));
        requests.validationRequest(validator_, agentId, "ipfs://payload", requestHash);
    }

    function hashOf(uint256 agentId) private view returns (bytes32) {
        return keccak256(validator.payloadOf(agentId, SALT, DATA, OUTPUT));
    }

    function response(bytes32 requestHash) private view returns (uint8 found) {
        (,, found,,,) = requests.getValidationStatus(requestHash);
    }

    function test_AnswersARequest() external {
        bytes32 requestHash = request(agent, address(validator));
        Made memory made = prove(DATA, validator.contextOf(requestHash));
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(committedId, made.inputCommitment, OUTPUT, address(validator));
        vm.expectEmit(true, true, true, true, address(validator));
        emit ERC8004Validator.InferenceValidated(requestHash, agent, DATA, OUTPUT);
        vm.prank(account("anybody"));
        validator.validate(agent, SALT, DATA, made.output, made.blob);
        (address who, uint256 about, uint8 found, bytes32 evidence, string memory tag,) =
            requests.getValidationStatus(requestHash);
        assertEq(who, address(validator), "validator");
        assertEq(about, agent, "agent");
        assertEq(uint256(found), 100, "response");
        assertEq(evidence, made.inputCommitment, "evidence");
        assertEq(bytes(tag), "zkml-chain", "tag");
    }

    function test_PublicInputs() external {
        ERC8004Validator other = new ERC8004Validator(zkml, openId, requests);
        bytes memory words = abi.encode(uint256(1), uint256(2));
        bytes32 requestHash = keccak256(other.payloadOf(agent, SALT, keccak256(words), OUTPUT));
        vm.prank(address(uint160(agent)));
        requests.validationRequest(address(other), agent, "", requestHash);
        Made memory made = proveOpen(words, other.contextOf(requestHash));
        other.validate(agent, SALT, made.dataCommitment, made.output, made.blob);
        assertEq(uint256(response(requestHash)), 100, "response");
    }

    function test_PayloadIsPlainAbi() external view {
        bytes memory payload = validator.payloadOf(agent, SALT, DATA, OUTPUT);
        assertEq(payload, abi.encode(agent, SALT, DATA, OUTPUT), "payload");
    }

    function test_RevertWhen_ShownTwice() external {
        bytes32 requestHash = request(agent, address(validator));
        Made memory made = prove(DATA, validator.contextOf(requestHash));
        validator.validate(agent, SALT, DATA, made.output, made.blob);
        vm.expectRevert(abi.encodeWithSelector(ERC8004Validator.AlreadyAnswered.selector, requestHash));
        validator.validate(agent, SALT, DATA, made.output, made.blob);
        assertEq(requests.answers(), 1, "answers");
    }

    /// Somebody asks about the same inference, and shows the proof that the agent made for its own request.
    function test_RevertWhen_ProofWasMadeForAnothersRequest() external {
        Made memory made = prove(DATA, validator.contextOf(request(agent, address(validator))));
        bytes32 stolen = request(stranger, address(validator));
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        validator.validate(stranger, SALT, DATA, made.output, made.blob);
        assertEq(uint256(response(stolen)), 0, "not answered");
        validator.validate(agent, SALT, DATA, made.output, made.blob);
    }

    /// Somebody registers the agent's request hash under its own name before the agent does.
    function test_RevertWhen_RequestHashWasTakenByAnotherAgent() external {
        bytes32 requestHash = hashOf(agent);
        vm.prank(address(uint160(stranger)));
        requests.validationRequest(address(validator), stranger, "", requestHash);
        Made memory made = prove(DATA, validator.contextOf(requestHash));
        vm.expectRevert(abi.encodeWithSelector(ERC8004Validator.WrongAgent.selector, stranger, agent));
        validator.validate(agent, SALT, DATA, made.output, made.blob);
        assertEq(uint256(response(requestHash)), 0, "not answered");
    }

    function test_RevertWhen_RequestIsForAnotherValidator() external {
        ERC8004Validator other = new ERC8004Validator(zkml, committedId, requests);
        bytes32 requestHash = request(agent, address(other));
        Made memory made = prove(DATA, validator.contextOf(requestHash));
        vm.expectRevert(
            abi.encodeWithSelector(ERC8004Validator.NotForThisValidator.selector, requestHash, address(other))
        );
        validator.validate(agent, SALT, DATA, made.output, made.blob);
        // Nor does a proof for one validator pass at the other.
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        other.validate(agent, SALT, DATA, made.output, made.blob);
    }

    function test_RevertWhen_NobodyAsked() external {
        Made memory made = prove(DATA, validator.contextOf(hashOf(agent)));
        vm.expectRevert(ValidationRegistryFake.Unknown.selector);
        validator.validate(agent, SALT, DATA, made.output, made.blob);
    }

    /// The request stays open: nobody can fail it with a bad proof.
    function test_RevertWhen_ProofDoesNotHold() external {
        bytes32 requestHash = request(agent, address(validator));
        Made memory made = prove(DATA, validator.contextOf(requestHash));
        bytes memory bad = bytes.concat(made.blob);
        bad[70] ^= 0x01;
        vm.expectRevert(FakeModel.Refused.selector);
        validator.validate(agent, SALT, DATA, made.output, bad);
        assertTrue(!validator.isAnswered(requestHash), "open");
        validator.validate(agent, SALT, DATA, made.output, made.blob);
        assertEq(uint256(response(requestHash)), 100, "answered later");
    }

    /// The request says what the output is; a proof of anything else is about no request.
    function test_RevertWhen_OutputOrInputIsNotTheRequests() external {
        Made memory made = prove(DATA, validator.contextOf(request(agent, address(validator))));
        vm.expectRevert(ValidationRegistryFake.Unknown.selector);
        validator.validate(agent, SALT, DATA, abi.encode(uint256(7), uint256(8)), made.blob);
        vm.expectRevert(ValidationRegistryFake.Unknown.selector);
        validator.validate(agent, SALT, bytes32(uint256(1)), made.output, made.blob);
        vm.expectRevert(ValidationRegistryFake.Unknown.selector);
        validator.validate(agent, 0, DATA, made.output, made.blob);
    }

    function test_RevertWhen_DeployedForNoModel() external {
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, 1));
        new ERC8004Validator(zkml, 1, requests);
    }

    function test_RevertWhen_OnAnotherChain() external {
        Made memory made = prove(DATA, validator.contextOf(request(agent, address(validator))));
        vm.chainId(1337);
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        validator.validate(agent, SALT, DATA, made.output, made.blob);
    }

    function test_RevertWhen_RegistrySwapsTheEntryOrModelIsDeprecated() external {
        Made memory made = prove(DATA, validator.contextOf(request(agent, address(validator))));
        vm.prank(PUBLISHER);
        registry.deprecateModel(committedId);
        vm.expectRevert(
            abi.encodeWithSelector(IERCZKMLInference.VerificationRefused_ModelDeprecated.selector, committedId)
        );
        validator.validate(agent, SALT, DATA, made.output, made.blob);
        swapEntry(committedId);
        vm.expectRevert(IERCZKMLInference.ModelMismatch.selector);
        validator.validate(agent, SALT, DATA, made.output, made.blob);
    }
}
