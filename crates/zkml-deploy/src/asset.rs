//! What rewards are paid in: the chain's own coin, or a token (ERC-20).

use alloy::sol_types::SolCall;

use crate::{Address, Result, U256, amount, interfaces::Erc20, rpc::Rpc, transaction::Call};

/// The chain's own coin, as contracts name it among assets.
pub const COIN: Address = Address::ZERO;

/// An asset, and how people write amounts of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its address; [`COIN`] for the chain's own.
    pub address: Address,
    /// Number of its decimals.
    pub decimals: u8,
}

impl Asset {
    /// The chain's own coin.
    #[must_use]
    pub fn coin() -> Self {
        Self { address: COIN, decimals: 18 }
    }

    /// The asset at an address: a token says itself how many decimals it has.
    ///
    /// # Errors
    /// [`DeployError::Answer`](crate::DeployError::Answer) or [`DeployError::Reverted`](crate::DeployError::Reverted) for what is no token, and
    /// those of the endpoint.
    pub async fn at(rpc: &Rpc, address: Address) -> Result<Self> {
        if address == COIN {
            return Ok(Self::coin());
        }
        let decimals = rpc.view(address, "decimals of the token", Erc20::decimalsCall {}).await?;
        Ok(Self { address, decimals })
    }

    /// True for the chain's own coin.
    #[must_use]
    pub fn is_coin(&self) -> bool {
        self.address == COIN
    }

    /// An amount as people write it, without its unit.
    #[must_use]
    pub fn show(&self, amount: U256) -> String {
        amount::show(amount, self.decimals)
    }

    /// Number of smallest units that an account has of a token.
    ///
    /// # Errors
    /// As [`Asset::at`].
    pub async fn balance(&self, rpc: &Rpc, account: Address) -> Result<U256> {
        if self.is_coin() {
            return rpc.balance(account).await;
        }
        rpc.view(self.address, "balanceOf", Erc20::balanceOfCall { account }).await
    }

    /// How much of an account's tokens a contract may take.
    ///
    /// # Errors
    /// As [`Asset::at`].
    pub async fn allowance(&self, rpc: &Rpc, owner: Address, spender: Address) -> Result<U256> {
        rpc.view(self.address, "allowance", Erc20::allowanceCall { owner, spender }).await
    }

    /// Lets a contract take so many tokens of the sender.
    #[must_use]
    pub fn approve(&self, spender: Address, amount: U256) -> Call {
        Call::new("approve", self.address, Erc20::approveCall { spender, amount }.abi_encode())
    }
}
