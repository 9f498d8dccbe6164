// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Checks of addresses that a contract keeps for good
library ZKMLAddress {
    /// @notice There is no contract at this address.
    /// @param target The address.
    error NotAContract(address target);

    /// @notice Refuses addresses without code of their own.
    /// @param target The address of a contract.
    function check(address target) internal view {
        if (!isContract(target)) revert NotAContract(target);
    }

    /// @notice Whether there is code of the address's own. An account with a key that borrows code (EIP-7702) shows
    /// 0xef0100 and an address instead; no contract begins with 0xef (EIP-3541).
    /// @param target The address.
    /// @return whether False for empty addresses and for accounts with keys.
    function isContract(address target) internal view returns (bool whether) {
        if (target.code.length == 0) return false;
        uint256 first;
        assembly ("memory-safe") {
            // The first byte of the code, as the last byte of a word of scratch space that was cleaned.
            mstore(0x00, 0)
            extcodecopy(target, 0x1f, 0, 1)
            first := mload(0x00)
        }
        return first != 0xef;
    }
}
