// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token for tests, which keeps a part of each transfer if it is told to
contract TestToken is ERC20 {
    uint256 public fee;

    constructor() ERC20("Test", "TEST") {}

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && fee != 0) super._update(to, address(0xfee), fee);
    }
}
