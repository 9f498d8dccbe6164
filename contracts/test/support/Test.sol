// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Vm} from "./Vm.sol";

/// @title What every test has: cheat codes, assertions, accounts by name
abstract contract Test {
    /// @dev forge answers at this address.
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev The time that fixtures were made for lies before 2,000,000,000.
    uint256 internal constant NOW = 1_900_000_000;

    error NotEqual(string what, bytes32 found, bytes32 expected);
    error NotTrue(string what);
    error TooLarge(string what, uint256 found, uint256 limit);

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function assertEq(uint256 found, uint256 expected, string memory what) internal pure {
        if (found != expected) revert NotEqual(what, bytes32(found), bytes32(expected));
    }

    function assertEq(int256 found, int256 expected, string memory what) internal pure {
        if (found != expected) revert NotEqual(what, bytes32(uint256(found)), bytes32(uint256(expected)));
    }

    function assertEq(bytes32 found, bytes32 expected, string memory what) internal pure {
        if (found != expected) revert NotEqual(what, found, expected);
    }

    function assertEq(address found, address expected, string memory what) internal pure {
        assertEq(uint256(uint160(found)), uint256(uint160(expected)), what);
    }

    function assertEq(bytes memory found, bytes memory expected, string memory what) internal pure {
        if (keccak256(found) != keccak256(expected)) revert NotEqual(what, keccak256(found), keccak256(expected));
    }

    function assertAtMost(uint256 found, uint256 limit, string memory what) internal pure {
        if (found > limit) revert TooLarge(what, found, limit);
    }

    /// @dev An account that nobody has the key of, by name.
    function account(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    /// @dev A key that everybody has, by name.
    function key(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name))) >> 8;
    }

    function signed(string memory signer, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key(signer), digest);
        return abi.encodePacked(r, s, v);
    }
}
