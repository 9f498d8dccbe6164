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

/// @title A token that answers nothing, as some old ones do, and reverts where others would say no
contract SilentToken {
    mapping(address account => uint256 amount) public balanceOf;
    mapping(address account => mapping(address spender => uint256 amount)) public allowance;

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function approve(address spender, uint256 value) external {
        allowance[msg.sender][spender] = value;
    }

    function transfer(address to, uint256 value) external {
        move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        allowance[from][msg.sender] -= value;
        move(from, to, value);
    }

    function move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// @title A token that says no and moves nothing
contract RefusingToken {
    function balanceOf(address) external pure returns (uint256 amount) {
        return 0;
    }

    function transferFrom(address, address, uint256) external pure returns (bool done) {
        return false;
    }
}

/// @title A token that calls somebody while it moves, as those with hooks do
contract CallingToken is ERC20 {
    address private _target;
    bytes private _data;
    bool public succeeded;

    constructor() ERC20("Calling", "CALL") {}

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function plan(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0)) return;
        address target = _target;
        _target = address(0);
        (succeeded,) = target.call(_data);
    }
}
