// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "@zkml-chain/contracts/src/ZKMLConsumer.sol";
import {ZKMLRegistry} from "@zkml-chain/contracts/src/ZKMLRegistry.sol";
import {ZKMLRouter} from "@zkml-chain/contracts/src/ZKMLRouter.sol";
import {ZKMLVerifier} from "@zkml-chain/contracts/src/ZKMLVerifier.sol";
import {IERCZKMLRegistry} from "@zkml-chain/contracts/src/interfaces/IERCZKMLRegistry.sol";
import {IModelVerifier} from "@zkml-chain/contracts/src/interfaces/IModelVerifier.sol";
import {CreditVerifier} from "generated/CreditVerifier.sol";
import {CreditDesk} from "../src/CreditDesk.sol";

/// The cheat codes that are used here; forge-std has them all.
interface Vm {
    function expectRevert() external;
    function expectRevert(bytes calldata reason) external;
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function prank(address sender) external;
    function readFile(string calldata path) external view returns (string memory);
}

/// A real proof, which `zkml-chain run` made for this very test.
contract CreditDeskTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    string private json;
    CreditDesk private desk;
    address private applicant;
    bytes32 private dataCommitment;

    function setUp() public {
        json = vm.readFile("contracts/generated/proof.json");
        applicant = vm.parseJsonAddress(json, ".statement.subject");
        dataCommitment = vm.parseJsonBytes32(json, ".dataCommitment");
        // Once on a chain.
        IModelVerifier[] memory verifiers = new IModelVerifier[](1);
        verifiers[0] = IModelVerifier(address(new CreditVerifier()));
        ZKMLRegistry registry = new ZKMLRegistry();
        ZKMLRouter router = new ZKMLRouter(address(this), 2 days, verifiers);
        ZKMLVerifier verifier = new ZKMLVerifier(registry, router);
        // Once for a model.
        uint256 modelId = registry.registerModel(
            IERCZKMLRegistry.ModelCommitment({
                modelHash: vm.parseJsonBytes32(json, ".registration.modelHash"),
                circuitHash: vm.parseJsonBytes32(json, ".registration.circuitHash"),
                vkHash: vm.parseJsonBytes32(json, ".registration.vkHash"),
                proofSystemId: bytes4(vm.parseJsonBytes(json, ".registration.proofSystemId")),
                uri: ""
            })
        );
        // The proof names its consumer: the first contract of this account.
        vm.prank(vm.parseJsonAddress(json, ".deployer"));
        desk = new CreditDesk(verifier, modelId, address(this));
        require(address(desk) == vm.parseJsonAddress(json, ".statement.consumer"), "another address than the proof's");
    }

    function inference() private view returns (ZKMLConsumer.Inference memory) {
        return ZKMLConsumer.Inference({
            deadline: vm.parseJsonUint(json, ".statement.deadline"),
            output: vm.parseJsonBytes(json, ".output"),
            proof: vm.parseJsonBytes(json, ".proof"),
            provenance: ""
        });
    }

    function test_ApprovesOnce() public {
        ZKMLConsumer.Inference memory good = inference();
        desk.vouch(applicant, dataCommitment);
        vm.prank(applicant);
        desk.approve(good);
        require(desk.approved(applicant), "approved");

        vm.prank(applicant);
        vm.expectRevert();
        desk.approve(good);
    }

    function test_RevertWhen_NobodyVouches() public {
        ZKMLConsumer.Inference memory good = inference();
        vm.prank(applicant);
        vm.expectRevert(abi.encodeWithSelector(CreditDesk.NotVouchedFor.selector, dataCommitment));
        desk.approve(good);
    }

    function test_RevertWhen_SomebodyElseShowsTheProof() public {
        ZKMLConsumer.Inference memory good = inference();
        desk.vouch(address(0xb0b), dataCommitment);
        vm.prank(address(0xb0b));
        vm.expectRevert();
        desk.approve(good);
    }

    function test_RevertWhen_TheOutputIsChanged() public {
        ZKMLConsumer.Inference memory changed = inference();
        changed.output[31] = bytes1(uint8(changed.output[31]) ^ 1);
        desk.vouch(applicant, dataCommitment);
        vm.prank(applicant);
        vm.expectRevert();
        desk.approve(changed);
    }
}
