// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Randomness that nobody knows when they commit to a round of it
/// @notice A round is named before its randomness exists, has one value at most, and never gets another.
interface IZKMLBeacon {
    /// @notice Where a round stands.
    enum RoundState {
        /// Its randomness does not exist yet, or nobody has handed it in yet.
        Waiting,
        /// Its randomness is known.
        Known,
        /// It will never have any.
        Missed
    }

    /// @notice The round that whoever commits to something now has to wait for.
    /// @return round Its number.
    function nextRound() external view returns (uint64 round);

    /// @notice The randomness of a round.
    /// @param round Its number.
    /// @return state Where it stands; `Known` and `Missed` are for good.
    /// @return value 256 random bits if it is known, else zero.
    function randomnessOf(uint64 round) external view returns (RoundState state, bytes32 value);
}
