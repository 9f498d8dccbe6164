// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLRandaoBeacon} from "../src/ZKMLRandaoBeacon.sol";
import {ZKMLRevealBeacon} from "../src/ZKMLRevealBeacon.sol";
import {IZKMLBeacon} from "../src/interfaces/IZKMLBeacon.sol";
import {Test} from "./support/Test.sol";

/// @title Randomness of blocks, and of members that commit and reveal
contract BeaconsTest is Test {
    IZKMLBeacon.RoundState private constant WAITING = IZKMLBeacon.RoundState.Waiting;
    IZKMLBeacon.RoundState private constant KNOWN = IZKMLBeacon.RoundState.Known;
    IZKMLBeacon.RoundState private constant MISSED = IZKMLBeacon.RoundState.Missed;
    uint256 private constant BOND = 1 ether;
    address private constant A = address(0xa);
    address private constant B = address(0xb);
    address private constant C = address(0xc);
    address private constant BENEFICIARY = address(0xbe);

    ZKMLRandaoBeacon private randao;
    ZKMLRevealBeacon private reveals;

    function setUp() external {
        vm.warp(NOW);
        vm.roll(1000);
        randao = new ZKMLRandaoBeacon();
        address[] memory members = new address[](3);
        (members[0], members[1], members[2]) = (A, B, C);
        reveals = new ZKMLRevealBeacon(members, 2, 1 hours, BOND, BENEFICIARY);
        for (uint256 i = 0; i < 3; ++i) {
            vm.deal(members[i], 10 ether);
        }
    }

    /// @dev A header with this randomness; numbers of zero, one and more bytes before it, and the largest of what one byte stands for: the
    /// number 127, and a string of 55 bytes.
    function headerOf(bytes32 value) private pure returns (bytes memory) {
        bytes memory words_ = new bytes(256);
        bytes memory front = abi.encodePacked(
            hex"a0",
            bytes32(uint256(1)),
            hex"a0",
            bytes32(uint256(2)),
            hex"94",
            address(3),
            hex"a0",
            bytes32(uint256(4))
        );
        bytes memory middle =
            abi.encodePacked(hex"a0", bytes32(uint256(5)), hex"a0", bytes32(uint256(6)), hex"b90100", words_);
        bytes memory numbers = abi.encodePacked(hex"80", hex"8203e9", hex"8401c9c380", hex"7f", hex"84713fb300");
        bytes memory all = abi.encodePacked(
            front, middle, numbers, hex"b7", new bytes(55), hex"a0", value, hex"880000000000000000", hex"07"
        );
        return abi.encodePacked(hex"f9", uint16(all.length), all);
    }

    function test_RandomnessOfABlock() external {
        uint64 round = randao.nextRound();
        assertEq(round, 1032, "an epoch later");
        bytes memory header = headerOf(keccak256("randao"));
        vm.roll(round);
        expect(randao, round, WAITING, 0);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRandaoBeacon.NoSuchBlock.selector, round));
        randao.record(round, header);
        vm.roll(round + 1);
        vm.setBlockhash(round, keccak256(header));
        expect(randao, round, WAITING, 0);
        bytes memory other = headerOf(keccak256("another"));
        vm.expectRevert(
            abi.encodeWithSelector(ZKMLRandaoBeacon.WrongHeader.selector, keccak256(other), keccak256(header))
        );
        randao.record(round, other);
        randao.record(round, header);
        bytes32 value = keccak256(abi.encode(keccak256("randao")));
        expect(randao, round, KNOWN, value);
        // Long after.
        vm.roll(round + 100_000);
        expect(randao, round, KNOWN, value);
    }

    function test_BlockThatNobodyShowedIsMissed() external {
        uint64 round = randao.nextRound();
        bytes memory header = headerOf(keccak256("randao"));
        vm.roll(round + 256);
        vm.setBlockhash(round, keccak256(header));
        expect(randao, round, WAITING, 0);
        vm.roll(round + 257);
        expect(randao, round, MISSED, 0);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRandaoBeacon.NoSuchBlock.selector, round));
        randao.record(round, header);
    }

    /// @dev EIP-2935: where the chain keeps its history, a block can be shown for longer.
    function test_HistoryIsAsked() external {
        uint64 round = randao.nextRound();
        bytes memory header = headerOf(keccak256("randao"));
        vm.roll(round + 8000);
        vm.mockCall(
            0x0000F90827F1C53a10cb7A02335B175320002935, abi.encode(uint256(round)), abi.encode(keccak256(header))
        );
        expect(randao, round, WAITING, 0);
        randao.record(round, header);
        expect(randao, round, KNOWN, keccak256(abi.encode(keccak256("randao"))));
    }

    function test_MembersCommitAndReveal() external {
        assertEq(reveals.nextRound(), 1, "nobody has committed to the next one");
        commit(A, 0);
        commit(B, 0);
        vm.warp(NOW + 1 hours);
        reveal(B, 0);
        reveal(A, 0);
        expect(reveals, 0, WAITING, 0);
        vm.warp(NOW + 2 hours);
        bytes32 mix =
            keccak256(abi.encode(A, keccak256(abi.encode(A)))) ^ keccak256(abi.encode(B, keccak256(abi.encode(B))));
        expect(reveals, 0, KNOWN, keccak256(abi.encode(address(reveals), uint64(0), mix)));
        assertTrue(reveals.fundsOf(A, address(0)) == BOND && reveals.fundsOf(B, address(0)) == BOND, "bonds");
    }

    /// @dev Whoever sees the value first and keeps its secret frees nobody, and loses its bond.
    function test_SilenceMissesTheRound() external {
        commit(A, 0);
        commit(B, 0);
        commit(C, 0);
        vm.warp(NOW + 1 hours);
        reveal(A, 0);
        reveal(B, 0);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRevealBeacon.WrongTime.selector, 0));
        reveals.forfeit(0, C);
        vm.warp(NOW + 2 hours);
        expect(reveals, 0, MISSED, 0);
        reveals.forfeit(0, C);
        assertEq(reveals.fundsOf(BENEFICIARY, address(0)), BOND, "lost");
        vm.expectRevert(abi.encodeWithSelector(ZKMLRevealBeacon.NotCommitted.selector, 0, C));
        reveals.forfeit(0, C);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRevealBeacon.NotCommitted.selector, 0, A));
        reveals.forfeit(0, A);
    }

    function test_OneMemberIsNotEnough() external {
        commit(A, 0);
        vm.warp(NOW + 1 hours);
        reveal(A, 0);
        vm.warp(NOW + 2 hours);
        expect(reveals, 0, MISSED, 0);
    }

    function test_RevertWhen_OutOfTurn() external {
        bytes memory late = abi.encodeWithSelector(ZKMLRevealBeacon.WrongTime.selector, 0);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRevealBeacon.NotMember.selector, address(this)));
        reveals.commit(keccak256("c"));
        vm.expectRevert(ZKMLRevealBeacon.NoCommitment.selector);
        vm.prank(A);
        reveals.commit(0);
        commit(A, 0);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRevealBeacon.AlreadyCommitted.selector, 0));
        vm.prank(A);
        reveals.commit{value: BOND}(keccak256("c"));
        vm.expectRevert(late);
        vm.prank(A);
        reveals.reveal(0, keccak256(abi.encode(A)));
        vm.warp(NOW + 1 hours);
        vm.expectRevert(late);
        vm.prank(B);
        reveals.commit{value: BOND}(keccak256("c"));
        vm.expectRevert(abi.encodeWithSelector(ZKMLRevealBeacon.NotCommitted.selector, 0, A));
        vm.prank(A);
        reveals.reveal(0, keccak256("another secret"));
        vm.warp(NOW + 2 hours);
        vm.expectRevert(late);
        vm.prank(A);
        reveals.reveal(0, keccak256(abi.encode(A)));
    }

    function test_RevertWhen_ParametersAreBad() external {
        address[] memory members = new address[](2);
        (members[0], members[1]) = (A, A);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRevealBeacon.BadMember.selector, A));
        new ZKMLRevealBeacon(members, 2, 1, 1, B);
        members[1] = address(0);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRevealBeacon.BadMember.selector, address(0)));
        new ZKMLRevealBeacon(members, 2, 1, 1, B);
        bytes4 bad = ZKMLRevealBeacon.BadParameters.selector;
        vm.expectRevert(bad);
        new ZKMLRevealBeacon(members, 1, 1, 1, B);
        vm.expectRevert(bad);
        new ZKMLRevealBeacon(members, 3, 1, 1, B);
        vm.expectRevert(bad);
        new ZKMLRevealBeacon(members, 2, 0, 1, B);
        vm.expectRevert(bad);
        new ZKMLRevealBeacon(members, 2, 1, 0, B);
        vm.expectRevert(bad);
        new ZKMLRevealBeacon(members, 2, 1, 1, address(0));
    }

    function commit(address member, uint64 round) private {
        bytes32 commitment = reveals.commitmentOf(round, member, keccak256(abi.encode(member)));
        vm.prank(member);
        reveals.commit{value: BOND}(commitment);
    }

    function reveal(address member, uint64 round) private {
        vm.prank(member);
        reveals.reveal(round, keccak256(abi.encode(member)));
    }

    function expect(IZKMLBeacon beacon, uint64 round, IZKMLBeacon.RoundState state, bytes32 value) private view {
        (IZKMLBeacon.RoundState found, bytes32 random) = beacon.randomnessOf(round);
        assertTrue(found == state, "state");
        assertEq(random, value, "value");
    }
}
