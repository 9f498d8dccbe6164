// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";

import {IZKMLBeacon} from "./interfaces/IZKMLBeacon.sol";

/// @title Randomness of later blocks
/// @notice A round is a block, {DELAY} blocks after the one in which somebody commits to it, and its randomness is that block's
/// `prevrandao` (EIP-4399). Anybody hands the block's header in, and its hash is compared with the chain's. So it does not matter who
/// does, or when: no value can be chosen.
///
/// A block's hash would not do, since whoever builds a block tries hashes for nothing. `prevrandao` has one bit of choice for each slot at
/// the end of a row of slots that one proposer has: to propose, or to lose the slot. So with one such slot a rate of p falls to p²
/// for that proposer, and with k slots to p^(2^k).
/// @dev Not for chains where `prevrandao` is a constant, or where block numbers are another chain's: use {ZKMLRevealBeacon} there.
contract ZKMLRandaoBeacon is IZKMLBeacon {
    /// @notice Blocks between committing to a round and the round: an epoch, so that no proposer knows them all in between.
    uint256 public constant DELAY = 32;

    /// @dev Fields of a header before `prevrandao`.
    uint256 private constant _PREV_RANDAO = 13;

    /// @dev What was handed in.
    mapping(uint64 round => bytes32 value) private _values;

    /// @notice The randomness of a block was handed in.
    /// @param round The block's number.
    /// @param value Its randomness.
    event Recorded(uint64 indexed round, bytes32 value);

    /// @notice The block is not there yet, or too long ago: 256 blocks, or 8,191 where the chain keeps its history (EIP-2935).
    /// @param round The block's number.
    error NoSuchBlock(uint64 round);
    /// @notice This is not the block's header.
    /// @param actual Its hash.
    /// @param expected The block's hash.
    error WrongHeader(bytes32 actual, bytes32 expected);

    /// @notice Hands a block's header in. Again, it changes nothing.
    /// @param round The block's number.
    /// @param header The header, in RLP.
    function record(uint64 round, bytes calldata header) external {
        bytes32 expected = Blockhash.blockHash(round);
        if (expected == 0) revert NoSuchBlock(round);
        bytes32 actual = keccak256(header);
        if (actual != expected) revert WrongHeader(actual, expected);
        // Never zero, so that it can be told from nothing.
        bytes32 value = keccak256(abi.encode(_prevRandao(header)));
        _values[round] = value;
        emit Recorded(round, value);
    }

    /// @inheritdoc IZKMLBeacon
    function nextRound() external view returns (uint64 round) {
        // Block numbers are far below 2^64.
        return uint64(block.number + DELAY);
    }

    /// @inheritdoc IZKMLBeacon
    function randomnessOf(uint64 round) external view returns (RoundState state, bytes32 value) {
        value = _values[round];
        if (value != 0) return (RoundState.Known, value);
        if (block.number <= round || Blockhash.blockHash(round) != 0) return (RoundState.Waiting, 0);
        return (RoundState.Missed, 0);
    }

    /// @dev The fourteenth field of a header whose hash was checked, so that its form is the chain's. OpenZeppelin's reader needs `mcopy`,
    /// which not every chain has.
    function _prevRandao(bytes calldata header) private pure returns (bytes32 value) {
        // Behind the list's own length, whose length is in its first byte: a header is longer than 55 bytes.
        uint256 place = uint8(header[0]) - 0xf6;
        for (uint256 field = 0; field < _PREV_RANDAO; ++field) {
            uint256 first = uint8(header[place]);
            if (first < 0x80) {
                ++place;
            } else if (first < 0xb8) {
                place += first - 0x7f;
            } else {
                // The bloom filter: a length of `size` bytes, then the bytes.
                uint256 size = first - 0xb7;
                place += 1 + size + (uint256(bytes32(header[place + 1:place + 1 + size])) >> (256 - 8 * size));
            }
        }
        return bytes32(header[place + 1:place + 33]);
    }
}
