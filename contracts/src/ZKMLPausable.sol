// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {ZKMLConsumer} from "./ZKMLConsumer.sol";

/// @title What a consumer inherits besides, to be paused by its owner
/// @notice While it is paused, no inference is accepted. A pause can last for as long as the owner likes, so that deadlines
/// pass; it changes nothing else.
/// @dev Reads one more slot with every inference. A contract that inherits it besides another consumer says so itself, or does
/// not compile: `_beforeInference() internal view override(ZKMLConsumer, ZKMLPausable) { super._beforeInference(); }`.
abstract contract ZKMLPausable is ZKMLConsumer, Pausable {
    /// @dev Whether it is paused.
    /// @custom:storage-location erc7201:zkml-chain.storage.Pausable
    struct PausableStorage {
        bool paused;
    }

    /// @dev ERC-7201's place of {PausableStorage}.
    bytes32 private constant _PAUSABLE_STORAGE = 0xd5b4905db5f290c31d24c86e812cef6400b2c04d50ed7a41d766f559d198ed00;

    /// @notice Stops inferences until {unpause}.
    function pause() external virtual onlyOwner {
        _pause();
    }

    /// @notice Ends what {pause} began.
    function unpause() external virtual onlyOwner {
        _unpause();
    }

    /// @inheritdoc Pausable
    function paused() public view override returns (bool whether) {
        return _pausable().paused;
    }

    /// @inheritdoc Pausable
    function _pause() internal override whenNotPaused {
        _pausable().paused = true;
        emit Paused(msg.sender);
    }

    /// @inheritdoc Pausable
    function _unpause() internal override whenPaused {
        _pausable().paused = false;
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc ZKMLConsumer
    function _beforeInference() internal view virtual override {
        _requireNotPaused();
    }

    function _pausable() private pure returns (PausableStorage storage s) {
        assembly ("memory-safe") {
            // A place is no address of a variable until it is said to be one.
            s.slot := _PAUSABLE_STORAGE
        }
    }
}
