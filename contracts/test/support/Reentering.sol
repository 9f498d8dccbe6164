// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title A key with code that tries to act while it is asked for its word
/// @notice It can call, and look at what comes of it; it has no other way to tell than its answer.
contract ReenteringSigner is IERC1271 {
    address private _target;
    bytes private _data;
    /// Its word if the call was done, and if it was not.
    bool private _ifDone;
    bool private _ifRefused;

    function plan(address target, bytes calldata data, bool ifDone, bool ifRefused) external {
        (_target, _data, _ifDone, _ifRefused) = (target, data, ifDone, ifRefused);
    }

    /// @dev Behind a view; whoever asks has to keep it from writing.
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4 magic) {
        (bool done,) = _target.staticcall(_data);
        return (done ? _ifDone : _ifRefused) ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @title The same with calls that write
contract WritingSigner {
    address private _target;
    bytes private _data;

    function plan(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    /// @dev Whoever calls it as a view forbids the call, and gets no word either.
    function isValidSignature(bytes32, bytes calldata) external returns (bytes4 magic) {
        // Not all of the gas: a write where none is allowed uses all of it up.
        (bool done,) = _target.call{gas: 300_000}(_data);
        return done ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
