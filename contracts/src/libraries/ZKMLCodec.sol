// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title From field elements to numbers: field → int256 → 18 decimals
/// @notice Every number has one encoding; everything else is refused. Rounding is chosen by the caller, by name.
/// @dev Models compute with magnitudes far below 2^160; a decoded number beyond that is refused rather than scaled.
library ZKMLCodec {
    /// @notice Where a number between two representable ones goes.
    enum Rounding {
        /// Towards negative infinity.
        Down,
        /// Towards positive infinity.
        Up
    }

    /// @notice Order of BN254's scalar field.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    /// @notice The fixed point of decoded numbers: 18 decimals.
    int256 internal constant WAD = 1e18;
    /// @notice The most fractional bits.
    int256 internal constant MAX_SCALE = 96;
    /// @notice The fewest: what is negative multiplies.
    int256 internal constant MIN_SCALE = -32;

    /// @dev Magnitudes are below two to this.
    uint256 private constant MAGNITUDE_BITS = 160;

    /// @notice A word is not below the order of the scalar field.
    /// @param element The word.
    error NotAFieldElement(uint256 element);
    /// @notice A number has a magnitude of 2^160 or more, which no model gives.
    /// @param element The word that it came from.
    error NumberOutOfRange(uint256 element);
    /// @notice An integer has a magnitude of 2^160 or more.
    /// @param value The integer.
    error IntegerOutOfRange(int256 value);
    /// @notice A scale is not between -32 and 96 fractional bits.
    /// @param scale The scale.
    error ScaleOutOfRange(int256 scale);
    /// @notice Outputs are words of 32 bytes each, of a known number.
    /// @param length Bytes that were given.
    /// @param expected Bytes that were expected.
    error WrongOutputLength(uint256 length, uint256 expected);

    /// @notice A word of `output`, as it is.
    /// @param output The words of an output section; the caller has checked its length.
    /// @param index Which word.
    /// @return element The word.
    function word(bytes calldata output, uint256 index) internal pure returns (uint256 element) {
        return uint256(bytes32(output[32 * index:32 * index + 32]));
    }

    /// @notice Refuses outputs of another length.
    /// @param output The words of an output section.
    /// @param words How many it must be.
    function checkLength(bytes calldata output, uint256 words) internal pure {
        if (output.length != 32 * words) revert WrongOutputLength(output.length, 32 * words);
    }

    /// @notice The commitment in a word.
    /// @param element The word.
    /// @return commitment The same, if it is a field element.
    function toCommitment(uint256 element) internal pure returns (uint256 commitment) {
        if (element >= R) revert NotAFieldElement(element);
        return element;
    }

    /// @notice The signed integer in a word, however large: the upper half of the field is negative.
    /// @param element The word.
    /// @return value The integer, at most half the field's order in magnitude.
    function toSigned(uint256 element) internal pure returns (int256 value) {
        if (element >= R) revert NotAFieldElement(element);
        // Both are below 2^254.
        return element > R / 2 ? -int256(R - element) : int256(element);
    }

    /// @notice The signed integer in a word, if it is one that a model can give.
    /// @param element The word.
    /// @return value The integer, below 2^160 in magnitude.
    function toInt(uint256 element) internal pure returns (int256 value) {
        value = toSigned(element);
        if (_magnitude(value) >> MAGNITUDE_BITS != 0) revert NumberOutOfRange(element);
    }

    /// @notice The word of a signed integer; the inverse of {toInt}.
    /// @param value The integer, below 2^160 in magnitude.
    /// @return element The word.
    function fromInt(int256 value) internal pure returns (uint256 element) {
        uint256 magnitude = _magnitude(value);
        if (magnitude >> MAGNITUDE_BITS != 0) revert IntegerOutOfRange(value);
        return value < 0 ? R - magnitude : magnitude;
    }

    /// @notice The real number of an integer, with 18 decimals.
    /// @param value The integer, below 2^160 in magnitude; {toInt} gives such.
    /// @param scale Its fractional bits, -32 to 96: the real number is `value / 2^scale`.
    /// @param rounding Where it goes when it lies between two.
    /// @return wad The number times 10^18.
    function toWad(int256 value, int256 scale, Rounding rounding) internal pure returns (int256 wad) {
        if (scale < MIN_SCALE || scale > MAX_SCALE) revert ScaleOutOfRange(scale);
        if (_magnitude(value) >> MAGNITUDE_BITS != 0) revert IntegerOutOfRange(value);
        // 2^160 · 2^60 · 2^32 stays below 2^255: nothing overflows, and checked arithmetic would say so.
        if (scale <= 0) return value * WAD * int256(1 << uint256(-scale));
        int256 product = value * WAD;
        wad = product >> uint256(scale);
        // An arithmetic shift rounds down, also below zero.
        if (rounding == Rounding.Up && wad << uint256(scale) != product) ++wad;
    }

    /// @notice The real number in a word, with 18 decimals: {toInt}, then {toWad}.
    /// @param element The word.
    /// @param scale Its fractional bits.
    /// @param rounding Where it goes when it lies between two.
    /// @return wad The number times 10^18.
    function decode(uint256 element, int256 scale, Rounding rounding) internal pure returns (int256 wad) {
        return toWad(toInt(element), scale, rounding);
    }

    /// @dev Also right for the lowest integer, whose negative does not exist.
    function _magnitude(int256 value) private pure returns (uint256 magnitude) {
        unchecked {
            return value < 0 ? 0 - uint256(value) : uint256(value);
        }
    }
}
