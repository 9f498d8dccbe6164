// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {ZKMLPausable} from "../src/ZKMLPausable.sol";
import {ZKMLRewards} from "../src/ZKMLRewards.sol";
import {IZKMLVerifier} from "../src/interfaces/IZKMLVerifier.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {Hooked} from "./support/Hooked.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title A consumer for proxies, with a variable of its own
contract Borrowed is HookedConsumer, UUPSUpgradeable {
    uint256 public first = 7;

    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        HookedConsumer(verifier, modelId_, 1 days, owner_)
    {}

    function _authorizeUpgrade(address) internal override onlyOwner {}
}

/// @title Variables before those of the next version
abstract contract Earlier {
    uint256 public inserted;
    address public another;
}

/// @title Its next version, which has inserted variables before everything that was there, and can be paused
contract BorrowedLater is Earlier, HookedConsumer, ZKMLPausable, UUPSUpgradeable {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        HookedConsumer(verifier, modelId_, 1 days, owner_)
    {}

    function fill() external {
        (inserted, another) = (type(uint256).max, address(type(uint160).max));
    }

    function _beforeInference() internal view override(ZKMLConsumer, ZKMLPausable) {
        super._beforeInference();
    }

    function _onInference(address subject, bytes32 action, bytes32 data, bytes calldata output)
        internal
        override(HookedConsumer, ZKMLConsumer)
    {
        HookedConsumer._onInference(subject, action, data, output);
    }

    function _authorizeUpgrade(address) internal override onlyOwner {}
}

/// @title All storage that is ours, for looking at
contract Everything is HookedConsumer, ZKMLRewards {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        HookedConsumer(verifier, modelId_, 1 days, owner_)
    {}

    function _beforeInference() internal view override(ZKMLConsumer, ZKMLPausable) {
        super._beforeInference();
    }

    function _onInference(address, bytes32, bytes32, bytes calldata) internal override(HookedConsumer, ZKMLConsumer) {}
}

/// @title Consumers whose code proxies borrow
contract ProxiesTest is Hooked {
    Borrowed private code;

    function setUp() external {
        deployConsumer(MODEL_DELAY);
        code = new Borrowed(zkml, modelId, OWNER);
    }

    function test_ACloneIsNothingUntilItHasAnOwner() external {
        Borrowed clone = cloneOf(address(code), "clone");
        consumer = clone;
        assertEq(clone.owner(), address(0), "nobody yet");
        vm.expectRevert(ZKMLConsumer.NotInitialized.selector);
        clone.contextOf(ALICE, 0, DEADLINE, ACTION);
        bytes32 context =
            ZKMLStatement.contextOf(ZKMLStatement.domainSeparator(address(clone)), ALICE, 0, DEADLINE, ACTION);
        ZKMLConsumer.Inference memory i = ZKMLConsumer.Inference(DEADLINE, words(5, 6), blobOf(context), "because");
        vm.expectRevert(ZKMLConsumer.NotInitialized.selector);
        clone.take(ALICE, ACTION, i);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        clone.initialize(address(0));
        vm.expectEmit(true, true, true, true, address(clone));
        emit Ownable.OwnershipTransferred(address(0), BOB);
        vm.expectEmit(true, true, true, true, address(clone));
        emit ZKMLConsumer.ModelChanged(0, modelId);
        clone.initialize(BOB);
        assertEq(clone.owner(), BOB, "owner");
        clone.take(ALICE, ACTION, i);
        assertEq(clone.nonces(ALICE), 1, "taken");
        vm.expectRevert(ZKMLConsumer.AlreadyInitialized.selector);
        clone.initialize(ALICE);
    }

    function test_AnOwnerWhoIsGoneIsNotAskedFor() external {
        Borrowed clone = cloneOf(address(code), "clone");
        clone.initialize(BOB);
        vm.prank(BOB);
        clone.renounceOwnership();
        vm.expectRevert(ZKMLConsumer.AlreadyInitialized.selector);
        clone.initialize(ALICE);
        consumer = clone;
        take(ALICE, 0);
    }

    function test_RevertWhen_TheCodeItselfIsInitialized() external {
        vm.expectRevert(ZKMLConsumer.AlreadyInitialized.selector);
        code.initialize(ALICE);
        assertEq(code.owner(), OWNER, "owner");
    }

    function test_ClonesShareNothing() external {
        (Borrowed one, Borrowed two) = (cloneOf(address(code), "one"), cloneOf(address(code), "two"));
        one.initialize(BOB);
        two.initialize(BOB);
        consumer = one;
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        bytes32 context = one.contextOf(ALICE, 0, DEADLINE, ACTION);
        one.take(ALICE, ACTION, i);
        assertTrue(one.nonces(ALICE) == 1 && two.nonces(ALICE) == 0 && code.nonces(ALICE) == 0, "nonces");
        bytes32 expected =
            ZKMLStatement.contextOf(ZKMLStatement.domainSeparator(address(two)), ALICE, 0, DEADLINE, ACTION);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, context, expected));
        two.take(ALICE, ACTION, i);
    }

    /// @dev What is remembered stays where it is, whatever variables come before.
    function test_AnUpgradeKeepsWhatIsRemembered() external {
        address proxy = address(new ERC1967Proxy(address(code), abi.encodeCall(code.initialize, (BOB))));
        consumer = HookedConsumer(proxy);
        take(ALICE, 0);
        uint256 next = publishOther("next weights");
        vm.startPrank(BOB);
        consumer.proposeModel(next);
        vm.warp(NOW + MODEL_DELAY);
        consumer.acceptModel();
        uint256 third = publishOther2();
        vm.startPrank(BOB);
        consumer.proposeModel(third);
        consumer.transferOwnership(ALICE);
        UUPSUpgradeable(proxy).upgradeToAndCall(address(new BorrowedLater(zkml, modelId, OWNER)), "");
        vm.stopPrank();
        BorrowedLater later = BorrowedLater(proxy);
        later.fill();
        assertTrue(later.owner() == BOB && later.pendingOwner() == ALICE, "owners");
        assertTrue(later.nonces(ALICE) == 1 && later.modelId() == next && later.proposedModelId() == third, "consumer");
        assertEq(later.proposedModelFrom(), NOW + MODEL_DELAY + 1 days, "proposal");
        assertTrue(!later.paused(), "not paused");
        vm.prank(BOB);
        later.pause();
        vm.prank(ALICE);
        later.acceptOwnership();
        assertTrue(later.paused() && later.owner() == ALICE && later.pendingOwner() == address(0), "later");
        assertTrue(later.inserted() == type(uint256).max, "and the variables are as they were");
        assertEq(later.another(), address(type(uint160).max), "both");
    }

    function test_RevertWhen_SomebodyElseUpgrades() external {
        address proxy = address(new ERC1967Proxy(address(code), abi.encodeCall(code.initialize, (BOB))));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        UUPSUpgradeable(proxy).upgradeToAndCall(address(code), "");
    }

    /// @dev OpenZeppelin's places for the owner are empty: nothing of ours lies where a proxy's own variables may.
    function test_NothingLiesInPlainPlaces() external {
        Everything all = new Everything(zkml, modelId, OWNER);
        vm.startPrank(OWNER);
        all.transferOwnership(ALICE);
        all.pause();
        all.setSpendingLimit(BOB, address(0), 5);
        for (uint256 slot = 0; slot < 3; ++slot) {
            assertEq(vm.load(address(all), bytes32(slot)), 0, "empty");
        }
        string[5] memory names = ["Ownable", "Consumer", "Pausable", "Requests", "Rewards"];
        assertEq(vm.load(address(all), placeOf(names[0])), bytes32(uint256(uint160(OWNER))), "owner");
        assertEq(vm.load(address(all), placeOf(names[2])), bytes32(uint256(1)), "paused");
        all.unpause();
        vm.stopPrank();
        consumer = all;
        take(ALICE, 0);
        bytes32 nonce = keccak256(abi.encode(ALICE, uint256(placeOf(names[1])) + 3));
        assertEq(vm.load(address(all), nonce), bytes32(uint256(1)), "nonce");
        bytes32 limit = keccak256(abi.encode(OWNER, uint256(placeOf(names[4])) + 1));
        limit = keccak256(abi.encode(address(0), keccak256(abi.encode(BOB, limit))));
        assertEq(vm.load(address(all), limit), bytes32(uint256(5)), "limit");
    }

    /// @dev ERC-7201.
    function placeOf(string memory name) private pure returns (bytes32) {
        bytes32 id = keccak256(bytes(string.concat("zkml-chain.storage.", name)));
        return keccak256(abi.encode(uint256(id) - 1)) & ~bytes32(uint256(0xff));
    }

    function publishOther2() private returns (uint256) {
        vm.stopPrank();
        return publishOther("third weights");
    }

    /// @dev ERC-1167.
    function cloneOf(address target, string memory name) private returns (Borrowed clone) {
        clone = Borrowed(account(name));
        vm.etch(
            address(clone), abi.encodePacked(hex"363d3d373d3d3d363d73", target, hex"5af43d82803e903d91602b57fd5bf3")
        );
    }
}

/// @title A consumer that its owner can pause
contract Pausing is HookedConsumer, ZKMLPausable {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        HookedConsumer(verifier, modelId_, 0, owner_)
    {}

    function _beforeInference() internal view override(ZKMLConsumer, ZKMLPausable) {
        super._beforeInference();
    }

    function _onInference(address subject, bytes32 action, bytes32 data, bytes calldata output)
        internal
        override(HookedConsumer, ZKMLConsumer)
    {
        HookedConsumer._onInference(subject, action, data, output);
    }
}

/// @title Pauses
contract PausableTest is Hooked {
    Pausing private pausing;

    function setUp() external {
        deployConsumer(0);
        pausing = new Pausing(zkml, modelId, OWNER);
        consumer = pausing;
    }

    function test_APauseStopsInferences() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.expectEmit(true, true, true, true, address(pausing));
        emit Paused(OWNER);
        vm.prank(OWNER);
        pausing.pause();
        assertTrue(pausing.paused(), "paused");
        vm.expectRevert(EnforcedPause.selector);
        pausing.take(ALICE, ACTION, i);
        vm.expectRevert(EnforcedPause.selector);
        vm.prank(OWNER);
        pausing.pause();
        vm.expectEmit(true, true, true, true, address(pausing));
        emit Unpaused(OWNER);
        vm.prank(OWNER);
        pausing.unpause();
        pausing.take(ALICE, ACTION, i);
        vm.expectRevert(ExpectedPause.selector);
        vm.prank(OWNER);
        pausing.unpause();
    }

    function testFuzz_RevertWhen_SomebodyElsePauses(address caller) external {
        vm.assume(caller != OWNER);
        bytes memory refused = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        pausing.pause();
        vm.expectRevert(refused);
        pausing.unpause();
        assertTrue(!pausing.paused(), "not paused");
    }

    event Paused(address account);
    event Unpaused(address account);
    error EnforcedPause();
    error ExpectedPause();
}
