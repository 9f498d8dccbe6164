// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title circomlib's Poseidon hash with three inputs, as the npm package poseidon-solidity deploys it
interface IPoseidonT4 {
    /// @notice The hash.
    /// @param inputs Three field elements.
    /// @return The hash, a field element.
    function hash(uint256[3] memory inputs) external pure returns (uint256);
}

/// @title Commitments to inputs, weights and outputs, as zkml-chain proves them
/// @notice Recomputes on chain what a proof's statement carries, where a contract knows the values: data that an oracle
/// signed, or an opening that somebody reveals. Values are the integers of the compiled model.
/// @dev A chain of hashes, `h ← Poseidon(h, w₀, w₁)`, over the salt and, for each tensor, a header and its packed values.
/// About 41,000 gas for every two words. Anybody can read what a contract computes: a salt that reaches a transaction is
/// no secret any more.
library ZKMLCommitment {
    /// @notice What is committed to; a commitment of one role means nothing in another.
    enum Role {
        None,
        Input,
        Model,
        Output
    }

    /// @notice A tensor: its values, and how they are written.
    /// @param bits Width of a value, 1 to 62.
    /// @param signed Whether negative values occur.
    /// @param values The integers, row-major.
    struct Part {
        uint8 bits;
        bool signed;
        int256[] values;
    }

    /// @notice There is no such role.
    error NoRole();
    /// @notice The salt is not below the field's order.
    error SaltOutOfRange();
    /// @notice The width of a tensor's values is not 1 to 62 bits.
    /// @param part Which tensor.
    error BitsOutOfRange(uint256 part);
    /// @notice A value does not fit the width of its tensor.
    /// @param part Which tensor.
    /// @param index Which of its values.
    error ValueOutOfRange(uint256 part, uint256 index);

    /// @notice Order of BN254's scalar field.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    /// @notice Where poseidon-solidity lies on every chain to which somebody has sent its deployment. Check that it is there.
    IPoseidonT4 internal constant POSEIDON = IPoseidonT4(0x4443338EF595F44e0121df4C21102677B142ECF0);

    /// @dev Bits of a field element that are filled with values.
    uint256 private constant WORD_BITS = 253;
    /// @dev `zk` and the version of the format.
    uint256 private constant TAG = 0x7a6b01;

    /// @notice The commitment, with Poseidon from its usual address; see {commitWith}.
    /// @param role What is committed to.
    /// @param salt A field element.
    /// @param parts The tensors.
    /// @return The commitment, a field element.
    function commit(Role role, uint256 salt, Part[] memory parts) internal pure returns (uint256) {
        return commitWith(POSEIDON, role, salt, parts);
    }

    /// @notice The commitment to tensors under a salt.
    /// @param poseidon The hash: whoever controls this contract controls the result.
    /// @param role What is committed to.
    /// @param salt A field element.
    /// @param parts The tensors.
    /// @return link The commitment, a field element.
    function commitWith(IPoseidonT4 poseidon, Role role, uint256 salt, Part[] memory parts)
        internal
        pure
        returns (uint256 link)
    {
        uint256[] memory input = words(salt, parts);
        link = domain(role, parts.length);
        for (uint256 i = 0; i < input.length; i += 2) {
            link = poseidon.hash([link, input[i], input[i + 1]]);
        }
    }

    /// @notice Where the chain starts: tag, role, number of tensors.
    /// @param role What is committed to.
    /// @param parts The number of tensors.
    /// @return The first word of the chain.
    function domain(Role role, uint256 parts) internal pure returns (uint256) {
        if (role == Role.None) revert NoRole();
        return (TAG << 40) | (uint256(role) << 32) | uint32(parts);
    }

    /// @notice All that is hashed, in order: the salt, then a header and the values of each tensor; an even number of words.
    /// @param salt A field element.
    /// @param parts The tensors.
    /// @return out The words.
    function words(uint256 salt, Part[] memory parts) internal pure returns (uint256[] memory out) {
        if (salt >= R) revert SaltOutOfRange();
        uint256 count = 1;
        for (uint256 i = 0; i < parts.length; ++i) {
            if (parts[i].bits == 0 || parts[i].bits > 62) revert BitsOutOfRange(i);
            uint256 perWord = WORD_BITS / parts[i].bits;
            count += 1 + (parts[i].values.length + perWord - 1) / perWord;
        }
        out = new uint256[](count + (count & 1));
        out[0] = salt;
        uint256 cursor = 1;
        for (uint256 i = 0; i < parts.length; ++i) {
            cursor = _part(out, cursor, parts[i], i);
        }
    }

    /// @dev Writes a tensor's header and values from `cursor` on, and returns where the next one begins.
    function _part(uint256[] memory out, uint256 cursor, Part memory part, uint256 number)
        private
        pure
        returns (uint256)
    {
        uint256 bits = part.bits;
        uint256 perWord = WORD_BITS / bits;
        int256 offset = part.signed ? int256(1 << (bits - 1)) : int256(0);
        uint256 length = part.values.length;
        out[cursor++] = (uint256(part.signed ? 1 : 0) << 40) | (bits << 32) | uint32(length);
        for (uint256 i = 0; i < length; ++i) {
            int256 value = part.values[i];
            // Far values first, so that the sum below cannot overflow.
            if (value >= 1 << 62 || value < -(1 << 62)) revert ValueOutOfRange(number, i);
            value += offset;
            if (value < 0 || uint256(value) >> bits != 0) revert ValueOutOfRange(number, i);
            out[cursor + i / perWord] |= uint256(value) << (bits * (i % perWord));
        }
        return cursor + (length + perWord - 1) / perWord;
    }
}
