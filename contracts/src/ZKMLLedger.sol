// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IZKMLLedger} from "./interfaces/IZKMLLedger.sol";

/// @title What a contract inherits that holds money of others
/// @notice One ledger, by account and asset. Everybody takes out what is theirs, and nobody is paid by surprise. See {IZKMLLedger}.
///
/// Tokens whose balances change by themselves are not for this: what such a token takes away, the last to withdraw misses.
/// @dev The ledger is all that is owed. A contract with money of its own keeps it elsewhere. Every amount is written off
/// before it is sent.
abstract contract ZKMLLedger is IZKMLLedger {
    using SafeERC20 for IERC20;

    /// @dev What belongs to whom.
    /// @custom:storage-location erc7201:zkml-chain.storage.Ledger
    struct LedgerStorage {
        mapping(address account => mapping(address asset => uint256 amount)) balances;
        /// All coins that are owed: to accounts, and those that are set aside.
        uint256 coins;
    }

    /// @dev ERC-7201's place of {LedgerStorage}.
    bytes32 private constant _LEDGER_STORAGE = 0xcb7ed18347d9079ad8c7a7a51a37871d877939988aac78858da963ed6c805500;

    /// @dev The chain's own coin among assets.
    address internal constant _COIN = address(0);

    /// @inheritdoc IZKMLLedger
    function deposit(address asset, uint256 amount) external payable {
        uint256 coins = asset == _COIN ? amount : 0;
        if (msg.value != coins) revert WrongValue(msg.value, coins);
        if (asset == _COIN) _count(amount);
        else _collect(IERC20(asset), amount);
        _credit(msg.sender, asset, amount);
        emit Deposited(msg.sender, asset, amount);
    }

    /// @inheritdoc IZKMLLedger
    function withdraw(address asset, uint256 amount, address to) external {
        if (to == address(0)) revert NoRecipient();
        _take(msg.sender, asset, amount);
        emit Withdrawn(msg.sender, asset, to, amount);
        if (asset != _COIN) return IERC20(asset).safeTransfer(to, amount);
        _ledger().coins -= amount;
        bool sent;
        assembly ("memory-safe") {
            // Whatever the receiver answers stays with it.
            sent := call(gas(), to, amount, 0, 0, 0, 0)
        }
        if (!sent) revert WithdrawalFailed(to);
    }

    /// @inheritdoc IZKMLLedger
    function fundsOf(address account, address asset) external view returns (uint256 amount) {
        return _ledger().balances[account][asset];
    }

    /// @dev Writes an amount to an account.
    function _credit(address account, address asset, uint256 amount) internal {
        _ledger().balances[account][asset] += amount;
    }

    /// @dev Sets an amount aside: the coins that came along, or out of an account; never of both. The coins that come along are all of
    /// `msg.value`, and the caller's: setting aside a second time in the same call needs a deposit.
    /// @param payer Whose money it is. That the caller may spend it is for the caller of this function to see.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount How much.
    function _setAside(address payer, address asset, uint256 amount) internal {
        if (msg.value == 0) return _take(payer, asset, amount);
        uint256 expected = asset == _COIN && payer == msg.sender ? amount : 0;
        if (msg.value != expected) revert WrongValue(msg.value, expected);
        _count(amount);
    }

    /// @dev Coins that came along. A function that asks for several inferences finds the same `msg.value` each time, and so
    /// do calls that are bundled with `delegatecall`: what is owed has to be there.
    function _count(uint256 amount) private {
        uint256 owed = _ledger().coins + amount;
        if (address(this).balance < owed) {
            revert InsufficientDeposit(address(this), _COIN, address(this).balance, owed);
        }
        _ledger().coins = owed;
    }

    /// @dev Writes an amount off.
    function _take(address account, address asset, uint256 amount) private {
        mapping(address => uint256) storage balances = _ledger().balances[account];
        uint256 available = balances[asset];
        if (available < amount) revert InsufficientDeposit(account, asset, available, amount);
        balances[asset] = available - amount;
    }

    /// @dev From the caller, and exactly. What is moved while the token is asked moves the balance, too, and is found out.
    function _collect(IERC20 token, uint256 amount) private {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert DepositNotExact(received, amount);
    }

    /// @dev What the contract owes.
    function _ledger() private pure returns (LedgerStorage storage s) {
        assembly ("memory-safe") {
            // A place is no address of a variable until it is said to be one.
            s.slot := _LEDGER_STORAGE
        }
    }
}
