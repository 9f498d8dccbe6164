// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLEmergencyStop} from "../src/ZKMLEmergencyStop.sol";
import {ZKMLVerifier} from "../src/ZKMLVerifier.sol";
import {ERC7007Verifier} from "../src/adapters/ERC7007Verifier.sol";
import {ERC8004Validator} from "../src/adapters/ERC8004Validator.sol";
import {ERC8274ProofVerifier} from "../src/adapters/ERC8274ProofVerifier.sol";
import {PinnedModel} from "../src/adapters/PinnedModel.sol";
import {IValidationRegistry} from "../src/adapters/interfaces/IERC8004.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLRegistry} from "../src/interfaces/IZKMLRegistry.sol";
import {IZKMLRouter} from "../src/interfaces/IZKMLRouter.sol";
import {IZKMLVerifier} from "../src/interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "../src/libraries/ZKMLAddress.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title What is fixed for good is there when it is fixed
contract ConstructorsTest is Scripted {
    function setUp() external {
        deployScripted();
    }

    function test_RevertWhen_AnAddressIsEmpty() external {
        address[3] memory none = [address(0), account("nobody"), account("borrower")];
        vm.etch(none[2], abi.encodePacked(hex"ef0100", address(zkml)));
        for (uint256 i = 0; i < none.length; ++i) {
            bytes memory refused = abi.encodeWithSelector(ZKMLAddress.NotAContract.selector, none[i]);
            vm.expectRevert(refused);
            new ZKMLVerifier(IZKMLRegistry(none[i]), router);
            vm.expectRevert(refused);
            new ZKMLVerifier(registry, IZKMLRouter(none[i]));
            vm.expectRevert(refused);
            new ZKMLEmergencyStop(IModelVerifier(none[i]), address(this));
            vm.expectRevert(refused);
            new ERC8274ProofVerifier(IZKMLVerifier(none[i]));
            vm.expectRevert(refused);
            new ERC8004Validator(zkml, modelId, IValidationRegistry(none[i]));
            vm.expectRevert(refused);
            new ERC8004Validator(IZKMLVerifier(none[i]), modelId, IValidationRegistry(address(registry)));
        }
        new ERC8004Validator(zkml, modelId, IValidationRegistry(address(registry)));
    }

    function test_RevertWhen_AnAdaptersModelIsDeprecated() external {
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        vm.expectRevert(abi.encodeWithSelector(PinnedModel.ModelIsDeprecated.selector, modelId));
        new ERC8004Validator(zkml, modelId, IValidationRegistry(address(registry)));
    }

    /// @dev An adapter that pins an entry looks at it when it does, not when the first proof comes.
    function test_RevertWhen_AnAdaptersEntryIsAnothers() external {
        (IZKMLRegistry.Identity memory identity,,) = registry.identityOf(modelId);
        bytes memory call = abi.encodeCall(registry.identityOf, (modelId));
        vm.mockCall(address(registry), call, abi.encode(identity, account("another registrant"), false));
        vm.expectRevert(abi.encodeWithSelector(PinnedModel.WrongModel.selector, modelId));
        new ERC8004Validator(zkml, modelId, IValidationRegistry(address(registry)));
    }

    /// @dev Key and circuit are both the model's.
    function test_RevertWhen_OneDigestOfAVerifierIsAnothers() external {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.modelCommitment = keccak256("another circuit");
        FakeVerifier other = new FakeVerifier(shape);
        vm.expectRevert(abi.encodeWithSelector(ERC7007Verifier.WrongModelVerifier.selector, other));
        new ERC7007Verifier(zkml, modelId, other);
        shape = defaultShape();
        shape.vkDigest = keccak256("another key");
        other = new FakeVerifier(shape);
        vm.expectRevert(abi.encodeWithSelector(ERC7007Verifier.WrongModelVerifier.selector, other));
        new ERC7007Verifier(zkml, modelId, other);
    }

    /// @dev Code of one byte, which is a contract unless it is an account's that borrows.
    function testFuzz_ContractsAreWhatHasCodeOfItsOwn(address target, bytes1 first) external {
        vm.assume(target.code.length == 0 && uint160(target) > 0xffff);
        assertTrue(!ZKMLAddress.isContract(target), "empty");
        vm.etch(target, abi.encodePacked(first));
        assertTrue(ZKMLAddress.isContract(target) == (first != 0xef), "by its first byte");
    }
}
