// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IPoseidonT4, ZKMLCommitment} from "../src/libraries/ZKMLCommitment.sol";
import {Test} from "./support/Test.sol";

/// @title A hash that shows what it is asked, in place of Poseidon
contract FakePoseidon is IPoseidonT4 {
    function hash(uint256[3] memory inputs) external pure returns (uint256) {
        return uint256(keccak256(abi.encode(inputs))) >> 3;
    }
}

/// @title The library, from outside
contract Committer {
    function words(uint256 salt, ZKMLCommitment.Part[] memory parts) external pure returns (uint256[] memory) {
        return ZKMLCommitment.words(salt, parts);
    }

    function domain(ZKMLCommitment.Role role, uint256 parts) external pure returns (uint256) {
        return ZKMLCommitment.domain(role, parts);
    }

    function commit(IPoseidonT4 poseidon, ZKMLCommitment.Role role, uint256 salt, ZKMLCommitment.Part[] memory parts)
        external
        pure
        returns (uint256)
    {
        return ZKMLCommitment.commitWith(poseidon, role, salt, parts);
    }
}

/// @title Limits of commitments: salts, widths and values at their borders and one beyond
/// @notice That the numbers are right is tested on vectors, by `tests/js/commitment.test.mjs` and in Rust.
contract CommitmentTest is Test {
    uint256 private constant R = ZKMLCommitment.R;
    Committer private committer;

    function setUp() external {
        committer = new Committer();
    }

    function test_SaltsAreFieldElements() external {
        assertEq(committer.words(R - 1, one(8, false, 5))[0], R - 1, "the last one");
        uint256[2] memory beyond = [R, type(uint256).max];
        for (uint256 i = 0; i < beyond.length; ++i) {
            vm.expectRevert(ZKMLCommitment.SaltOutOfRange.selector);
            committer.words(beyond[i], one(8, false, 5));
        }
    }

    /// @dev Words that are full, all but full and just begun: as many as it takes, and an even number in all.
    function test_AWordMoreOnlyWhereOneIsNeeded() external view {
        // Four values of 62 bits are a word; salt and header come before.
        uint8[5] memory values = [3, 4, 7, 8, 9];
        uint8[5] memory expected = [4, 4, 4, 4, 6];
        for (uint256 i = 0; i < values.length; ++i) {
            ZKMLCommitment.Part[] memory parts = new ZKMLCommitment.Part[](1);
            parts[0] = ZKMLCommitment.Part({bits: 62, signed: false, values: new int256[](values[i])});
            assertEq(committer.words(1, parts).length, expected[i], "words");
        }
        // The next tensor begins right behind a full word.
        ZKMLCommitment.Part[] memory two = new ZKMLCommitment.Part[](2);
        two[0] = ZKMLCommitment.Part({bits: 62, signed: false, values: new int256[](4)});
        two[1] = one(8, false, 5)[0];
        assertEq(committer.words(1, two)[3], (8 << 32) | 1, "its header");
        assertEq(committer.words(1, two)[4], 5, "its value");
    }

    function test_WidthsAreOneTo62Bits() external {
        assertEq(committer.words(1, one(1, false, 1))[2], 1, "one bit");
        assertEq(committer.words(1, one(62, false, (1 << 62) - 1))[2], (1 << 62) - 1, "62 bits");
        uint8[3] memory beyond = [0, 63, 255];
        for (uint256 i = 0; i < beyond.length; ++i) {
            // The second tensor, so that its number is seen.
            ZKMLCommitment.Part[] memory parts = new ZKMLCommitment.Part[](2);
            parts[0] = one(8, false, 5)[0];
            parts[1] = one(beyond[i], false, 0)[0];
            vm.expectRevert(abi.encodeWithSelector(ZKMLCommitment.BitsOutOfRange.selector, 1));
            committer.words(1, parts);
        }
    }

    function test_RolesAreNamed() external {
        assertEq(committer.domain(ZKMLCommitment.Role.Input, 3), (0x7a6b01 << 40) | (1 << 32) | 3, "input");
        assertTrue(
            committer.domain(ZKMLCommitment.Role.Model, 3) != committer.domain(ZKMLCommitment.Role.Output, 3), "roles"
        );
        vm.expectRevert(ZKMLCommitment.NoRole.selector);
        committer.domain(ZKMLCommitment.Role.None, 3);
        FakePoseidon poseidon = new FakePoseidon();
        vm.expectRevert(ZKMLCommitment.NoRole.selector);
        committer.commit(poseidon, ZKMLCommitment.Role.None, 1, one(8, false, 5));
    }

    function testFuzz_UnsignedValuesFillTheirWidth(uint8 width) external {
        uint8 bits = 1 + width % 62;
        int256 end = int256(1) << bits;
        assertEq(committer.words(1, one(bits, false, end - 1))[2], uint256(end - 1), "the highest");
        assertEq(committer.words(1, one(bits, false, 0))[2], 0, "the lowest");
        refuse(bits, false, end);
        refuse(bits, false, -1);
    }

    function testFuzz_SignedValuesFillTheirWidth(uint8 width) external {
        uint8 bits = 1 + width % 62;
        int256 half = int256(1) << (bits - 1);
        assertEq(committer.words(1, one(bits, true, half - 1))[2], uint256(2 * half - 1), "the highest");
        assertEq(committer.words(1, one(bits, true, -half))[2], 0, "the lowest");
        refuse(bits, true, half);
        refuse(bits, true, -half - 1);
    }

    /// @dev Sums with the offset would overflow.
    function test_RevertWhen_AValueIsFarAway() external {
        int256[6] memory far =
            [type(int256).max, type(int256).min, int256(1 << 62), -(1 << 62) - 1, int256(1 << 255 >> 1), -(1 << 62)];
        for (uint256 i = 0; i < far.length; ++i) {
            refuse(62, true, far[i]);
            refuse(62, false, far[i]);
        }
    }

    /// @dev A word holds as many values as fit into 253 bits; the next one begins another.
    function testFuzz_ValuesAreWhereTheyBelong(uint8 width, uint8 count, uint256 seed) external view {
        uint8 bits = 1 + width % 62;
        uint256 perWord = 253 / bits;
        int256[] memory values = new int256[](1 + count % 70);
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] = int256(uint256(keccak256(abi.encode(seed, i))) >> (256 - bits));
        }
        ZKMLCommitment.Part[] memory parts = new ZKMLCommitment.Part[](1);
        parts[0] = ZKMLCommitment.Part(bits, false, values);
        uint256[] memory words = committer.words(7, parts);
        assertEq(words[1], uint256(bits) << 32 | values.length, "header");
        assertEq(words.length % 2, 0, "even");
        for (uint256 i = 0; i < values.length; ++i) {
            uint256 found = words[2 + i / perWord] >> (bits * (i % perWord)) & ((1 << bits) - 1);
            assertEq(found, uint256(values[i]), "value");
        }
        for (uint256 i = 0; i < words.length; ++i) {
            assertTrue(words[i] < R, "field element");
        }
    }

    /// @dev The chain takes two words at a time, each with what came out before.
    function test_ChainsWhatIsHashed() external {
        FakePoseidon poseidon = new FakePoseidon();
        ZKMLCommitment.Part[] memory parts = one(8, true, -3);
        uint256[] memory words = committer.words(9, parts);
        assertEq(words.length, 4, "salt, header, value, zero");
        uint256 link = committer.domain(ZKMLCommitment.Role.Input, 1);
        link = poseidon.hash([link, words[0], words[1]]);
        link = poseidon.hash([link, words[2], words[3]]);
        assertEq(committer.commit(poseidon, ZKMLCommitment.Role.Input, 9, parts), link, "commitment");
    }

    function one(uint8 bits, bool signed_, int256 value) private pure returns (ZKMLCommitment.Part[] memory parts) {
        parts = new ZKMLCommitment.Part[](1);
        int256[] memory values = new int256[](1);
        values[0] = value;
        parts[0] = ZKMLCommitment.Part(bits, signed_, values);
    }

    function refuse(uint8 bits, bool signed_, int256 value) private {
        vm.expectRevert(abi.encodeWithSelector(ZKMLCommitment.ValueOutOfRange.selector, 0, 0));
        committer.words(1, one(bits, signed_, value));
    }
}
