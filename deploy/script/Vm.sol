// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title The cheat codes that the scripts use
/// @notice Signatures as forge documents them.
interface Vm {
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool exists);
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address value);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory value);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32 value);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory value);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256 value);
    function readFile(string calldata path) external view returns (string memory text);
    function startBroadcast() external;
    function stopBroadcast() external;
}
