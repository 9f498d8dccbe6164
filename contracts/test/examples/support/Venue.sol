// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {AgentPolicyGuard} from "../../../src/examples/AgentPolicyGuard.sol";

/// @title What an agent may call in tests
contract Venue {
    uint256 public received;
    AgentPolicyGuard public again;
    bytes public entry;

    error VenueClosed(uint256 number);

    function deposit(uint256 number) external payable returns (uint256) {
        received += msg.value;
        return number + 1;
    }

    function closed(uint256 number) external payable {
        revert VenueClosed(number);
    }

    function dead() external payable {
        assembly ("memory-safe") {
            revert(0, 0)
        }
    }

    function prepare(AgentPolicyGuard guard, bytes calldata data) external {
        (again, entry) = (guard, data);
    }

    /// @dev Enters the guard again, and passes on what it says.
    function enter() external payable {
        (bool done, bytes memory answer) = address(again).call(entry);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }
}
