// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLBeacon} from "../../src/interfaces/IZKMLBeacon.sol";

/// @title A beacon whose rounds come out as the test tells it
contract ScriptedBeacon is IZKMLBeacon {
    uint64 public nextRound = 1;
    mapping(uint64 round => RoundState) private _states;
    mapping(uint64 round => bytes32) private _values;

    function next() external {
        ++nextRound;
    }

    function set(uint64 round, RoundState state, bytes32 value) external {
        (_states[round], _values[round]) = (state, value);
    }

    function randomnessOf(uint64 round) external view returns (RoundState state, bytes32 value) {
        return (_states[round], _values[round]);
    }
}
