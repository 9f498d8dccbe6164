// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Money of others, by account and asset
/// @notice What was paid in, earned or given back stays until its owner takes it out. Nobody takes a fee, and nobody can move
/// money that is not theirs.
interface IZKMLLedger {
    /// @notice Money came in.
    /// @param account Whose it is.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount How much.
    event Deposited(address indexed account, address indexed asset, uint256 amount);
    /// @notice Money went out.
    /// @param account Whose it was.
    /// @param asset The token; zero for the chain's own coin.
    /// @param to Where it went.
    /// @param amount How much.
    event Withdrawn(address indexed account, address indexed asset, address indexed to, uint256 amount);

    /// @notice Nothing is owed to the zero address, and nobody takes money out for it.
    error NoRecipient();
    /// @notice The coins that came along are not what the call needs.
    /// @param received Coins that came along.
    /// @param expected Coins that the call needs.
    error WrongValue(uint256 received, uint256 expected);
    /// @notice The account has less than that.
    /// @param account Whose deposit.
    /// @param asset The token; zero for the chain's own coin.
    /// @param available What there is.
    /// @param needed What is needed.
    error InsufficientDeposit(address account, address asset, uint256 available, uint256 needed);
    /// @notice Another amount arrived than was sent: the token keeps a part, or adds one, and is not taken.
    /// @param received What arrived.
    /// @param expected What was sent.
    error DepositNotExact(uint256 received, uint256 expected);
    /// @notice The receiver refuses the coins.
    /// @param to The receiver.
    error WithdrawalFailed(address to);

    /// @notice Pays in. Tokens have to be approved before; coins come along.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount How much, and exactly that has to arrive.
    function deposit(address asset, uint256 amount) external payable;

    /// @notice Takes money of the caller out.
    /// @param asset The token; zero for the chain's own coin.
    /// @param amount How much.
    /// @param to Where it goes.
    function withdraw(address asset, uint256 amount, address to) external;

    /// @notice What belongs to an account.
    /// @param account The account.
    /// @param asset The token; zero for the chain's own coin.
    /// @return amount What it can take out, or spend here.
    function fundsOf(address account, address asset) external view returns (uint256 amount);
}
