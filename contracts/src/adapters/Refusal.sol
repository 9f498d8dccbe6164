// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Tells a refused proof from a check that ran out of gas
/// @notice An interface that answers `false` instead of reverting lets a caller cheat: with little gas the check of a good
/// proof stops half-way, and what comes back looks like a refusal. Here it counts as one only if gas was left over.
library Refusal {
    /// @dev A call passes on all gas but 1/64. A check that ran dry somewhere below seven nested calls leaves at most 7/64
    /// of what there was; more than that is left only if it stopped for another reason.
    uint256 private constant LEFT_OVER = 8;

    /// @notice Too little gas to tell whether the proof is valid.
    /// @param left What was left after the check.
    /// @param needed What would have had to be left.
    error NotEnoughGas(uint256 left, uint256 needed);

    /// @notice Reverts if a failed check may have run out of gas.
    /// @param before Gas before the check.
    function check(uint256 before) internal view {
        uint256 left = gasleft();
        if (left < before / LEFT_OVER) revert NotEnoughGas(left, before / LEFT_OVER);
    }
}
