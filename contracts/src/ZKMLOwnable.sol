// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title An owner that is kept where nothing else is
/// @notice OpenZeppelin's `Ownable2Step` in all that can be seen of it.
/// @dev ERC-7201: behind a proxy, plain variables of two versions of a contract meet in the same places. The two places that
/// OpenZeppelin's variables have are left empty.
abstract contract ZKMLOwnable is Ownable2Step {
    /// @dev Who owns the contract, and who may take it over.
    /// @custom:storage-location erc7201:zkml-chain.storage.Ownable
    struct OwnableStorage {
        address owner;
        address pendingOwner;
    }

    /// @dev ERC-7201's place of {OwnableStorage}.
    bytes32 private constant _OWNABLE_STORAGE = 0xe5750fec04dd3a45cdea0dce4a0822c7bdb0e7a0c8788e4275e8e82ded864300;

    /// @inheritdoc Ownable2Step
    function transferOwnership(address newOwner) public override onlyOwner {
        _ownable().pendingOwner = newOwner;
        emit OwnershipTransferStarted(owner(), newOwner);
    }

    /// @inheritdoc Ownable
    function owner() public view override returns (address account) {
        return _ownable().owner;
    }

    /// @inheritdoc Ownable2Step
    function pendingOwner() public view override returns (address account) {
        return _ownable().pendingOwner;
    }

    /// @inheritdoc Ownable2Step
    function _transferOwnership(address newOwner) internal override {
        OwnableStorage storage s = _ownable();
        address oldOwner = s.owner;
        (s.owner, s.pendingOwner) = (newOwner, address(0));
        emit OwnershipTransferred(oldOwner, newOwner);
    }

    function _ownable() private pure returns (OwnableStorage storage s) {
        assembly ("memory-safe") {
            // A place is no address of a variable until it is said to be one.
            s.slot := _OWNABLE_STORAGE
        }
    }
}
