// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLCodec} from "../src/libraries/ZKMLCodec.sol";
import {Test} from "./support/Test.sol";

/// @title Field elements to numbers, against a slow and obvious second opinion
contract CodecTest is Test {
    uint256 private constant R = ZKMLCodec.R;
    int256 private constant LIMIT = int256(1 << 160);

    function test_OrderOfTheFieldIsBn254s() external pure {
        assertEq(
            R,
            21888242871839275222246405745257275088548364400416034343698204186575808495617,
            "order, as it is published"
        );
    }

    function test_ToSignedAtTheEdges() external pure {
        assertEq(ZKMLCodec.toSigned(0), 0, "0");
        assertEq(ZKMLCodec.toSigned(1), 1, "1");
        assertEq(ZKMLCodec.toSigned(R - 1), -1, "R - 1");
        assertEq(ZKMLCodec.toSigned(R / 2), int256(R / 2), "R / 2");
        assertEq(ZKMLCodec.toSigned(R / 2 + 1), -int256(R / 2), "R / 2 + 1");
    }

    function test_RevertWhen_WordIsNotAFieldElement() external {
        uint256[3] memory words = [R, R + 1, type(uint256).max];
        for (uint256 i = 0; i < words.length; ++i) {
            bytes memory expected = abi.encodeWithSelector(ZKMLCodec.NotAFieldElement.selector, words[i]);
            vm.expectRevert(expected);
            this.toSigned(words[i]);
            vm.expectRevert(expected);
            this.toInt(words[i]);
            vm.expectRevert(expected);
            this.toCommitment(words[i]);
            vm.expectRevert(expected);
            this.decode(words[i], 0, ZKMLCodec.Rounding.Down);
        }
        assertEq(ZKMLCodec.toCommitment(R - 1), R - 1, "largest commitment");
    }

    function test_RevertWhen_NumberHas160Bits() external {
        assertEq(ZKMLCodec.toInt(uint256(LIMIT) - 1), LIMIT - 1, "largest");
        assertEq(ZKMLCodec.toInt(R - uint256(LIMIT) + 1), 1 - LIMIT, "smallest");
        uint256[4] memory words = [uint256(LIMIT), R - uint256(LIMIT), R / 2, R / 2 + 1];
        for (uint256 i = 0; i < words.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ZKMLCodec.NumberOutOfRange.selector, words[i]));
            this.toInt(words[i]);
        }
    }

    function test_RevertWhen_IntegerHas160Bits() external {
        assertEq(ZKMLCodec.fromInt(LIMIT - 1), uint256(LIMIT) - 1, "largest");
        assertEq(ZKMLCodec.fromInt(1 - LIMIT), R - uint256(LIMIT) + 1, "smallest");
        int256[4] memory values = [LIMIT, -LIMIT, type(int256).max, type(int256).min];
        for (uint256 i = 0; i < values.length; ++i) {
            bytes memory expected = abi.encodeWithSelector(ZKMLCodec.IntegerOutOfRange.selector, values[i]);
            vm.expectRevert(expected);
            this.fromInt(values[i]);
            vm.expectRevert(expected);
            this.toWad(values[i], 0, ZKMLCodec.Rounding.Down);
        }
    }

    function test_RevertWhen_ScaleIsOutOfRange() external {
        int256[4] memory scales = [int256(-33), 97, type(int256).min, type(int256).max];
        for (uint256 i = 0; i < scales.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ZKMLCodec.ScaleOutOfRange.selector, scales[i]));
            this.toWad(1, scales[i], ZKMLCodec.Rounding.Down);
        }
    }

    function test_RoundingByHand() external pure {
        // 1 / 2^60 is between 0 and 1 of 10^-18; its negative between -1 and 0.
        assertEq(ZKMLCodec.toWad(1, 60, ZKMLCodec.Rounding.Down), 0, "down");
        assertEq(ZKMLCodec.toWad(1, 60, ZKMLCodec.Rounding.Up), 1, "up");
        assertEq(ZKMLCodec.toWad(-1, 60, ZKMLCodec.Rounding.Down), -1, "down below zero");
        assertEq(ZKMLCodec.toWad(-1, 60, ZKMLCodec.Rounding.Up), 0, "up below zero");
        // Exact numbers stay: 3 / 2 and 5 * 4.
        assertEq(ZKMLCodec.toWad(3, 1, ZKMLCodec.Rounding.Up), 1.5e18, "3 / 2");
        assertEq(ZKMLCodec.toWad(-3, 1, ZKMLCodec.Rounding.Down), -1.5e18, "-3 / 2");
        assertEq(ZKMLCodec.toWad(5, -2, ZKMLCodec.Rounding.Up), 20e18, "5 * 4");
    }

    function test_EveryScaleAtTheLargestMagnitudes() external pure {
        int256[5] memory values = [LIMIT - 1, 1 - LIMIT, int256(0), 1, -1];
        for (int256 scale = -32; scale <= 96; ++scale) {
            for (uint256 i = 0; i < values.length; ++i) {
                compare(values[i], scale);
            }
        }
    }

    function testFuzz_ToWadIsTheReference(int160 value, uint8 scale) external pure {
        compare(value, int256(uint256(scale % 129)) - 32);
    }

    function testFuzz_IntegersComeBack(int256 value) external pure {
        value %= LIMIT;
        uint256 element = ZKMLCodec.fromInt(value);
        assertTrue(element < R, "a field element");
        assertEq(ZKMLCodec.toInt(element), value, "there and back");
    }

    function testFuzz_WordsComeBack(uint256 element) external pure {
        element %= R;
        int256 value = ZKMLCodec.toSigned(element);
        assertEq(value < 0 ? R - uint256(-value) : uint256(value), element, "there and back");
        assertTrue(value <= int256(R / 2) && value >= -int256(R / 2), "at most half the order");
    }

    function testFuzz_DecodeIsBothSteps(int160 value, uint8 scale_, bool up) external pure {
        int256 scale = int256(uint256(scale_ % 129)) - 32;
        ZKMLCodec.Rounding rounding = up ? ZKMLCodec.Rounding.Up : ZKMLCodec.Rounding.Down;
        int256 found = ZKMLCodec.decode(ZKMLCodec.fromInt(value), scale, rounding);
        assertEq(found, ZKMLCodec.toWad(value, scale, rounding), "decode");
    }

    function testFuzz_RoundingsEncloseTheNumber(int160 value, uint8 scale_) external pure {
        int256 scale = int256(uint256(scale_ % 97));
        int256 exact = int256(value) * 1e18;
        int256 down = ZKMLCodec.toWad(value, scale, ZKMLCodec.Rounding.Down);
        int256 up = ZKMLCodec.toWad(value, scale, ZKMLCodec.Rounding.Up);
        int256 one = int256(1 << uint256(scale));
        assertTrue(down * one <= exact && exact <= up * one, "enclosed");
        assertTrue(up - down <= 1, "neighbours");
        assertTrue((up == down) == (exact % one == 0), "equal where exact");
    }

    function test_WordsByIndex() external {
        bytes memory output = abi.encode(uint256(7), uint256(8));
        assertEq(this.word(output, 0), 7, "first");
        assertEq(this.word(output, 1), 8, "second");
        vm.expectRevert();
        this.word(output, 2);
        this.checkLength(output, 2);
        vm.expectRevert(abi.encodeWithSelector(ZKMLCodec.WrongOutputLength.selector, 64, 96));
        this.checkLength(output, 3);
        vm.expectRevert(abi.encodeWithSelector(ZKMLCodec.WrongOutputLength.selector, 65, 64));
        this.checkLength(bytes.concat(output, hex"00"), 2);
    }

    /// @dev By sign and magnitude, with division instead of shifts.
    function compare(int256 value, int256 scale) private pure {
        uint256 magnitude = uint256(value < 0 ? -value : value) * 1e18;
        uint256 whole;
        bool exact = true;
        if (scale < 0) {
            whole = magnitude * 2 ** uint256(-scale);
        } else {
            whole = magnitude / 2 ** uint256(scale);
            exact = whole * 2 ** uint256(scale) == magnitude;
        }
        uint256 away = exact ? whole : whole + 1;
        int256 down = value < 0 ? -int256(away) : int256(whole);
        int256 up = value < 0 ? -int256(whole) : int256(away);
        assertEq(ZKMLCodec.toWad(value, scale, ZKMLCodec.Rounding.Down), down, "down");
        assertEq(ZKMLCodec.toWad(value, scale, ZKMLCodec.Rounding.Up), up, "up");
    }

    // What reverts is called from outside, so that the test goes on.

    function toSigned(uint256 element) external pure returns (int256) {
        return ZKMLCodec.toSigned(element);
    }

    function toInt(uint256 element) external pure returns (int256) {
        return ZKMLCodec.toInt(element);
    }

    function toCommitment(uint256 element) external pure returns (uint256) {
        return ZKMLCodec.toCommitment(element);
    }

    function fromInt(int256 value) external pure returns (uint256) {
        return ZKMLCodec.fromInt(value);
    }

    function toWad(int256 value, int256 scale, ZKMLCodec.Rounding rounding) external pure returns (int256) {
        return ZKMLCodec.toWad(value, scale, rounding);
    }

    function decode(uint256 element, int256 scale, ZKMLCodec.Rounding rounding) external pure returns (int256) {
        return ZKMLCodec.decode(element, scale, rounding);
    }

    function word(bytes calldata output, uint256 index) external pure returns (uint256) {
        return ZKMLCodec.word(output, index);
    }

    function checkLength(bytes calldata output, uint256 count) external pure {
        ZKMLCodec.checkLength(output, count);
    }
}
