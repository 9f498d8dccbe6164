//! Sources of money that a contract sets aside: coins that go along, or a deposit in it.

use crate::error::{Error, Result};
use zkml_deploy::{
    Address, DeployError, U256, amount, asset::Asset, consumer::Consumer, rpc::Rpc, transaction::Call,
};

/// An amount that a contract with a ledger is to set aside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Funding {
    /// Its name in messages.
    pub(super) what: &'static str,
    /// The asset.
    pub(super) asset: Asset,
    /// Amount of it, in its smallest unit.
    pub(super) amount: U256,
    /// Whose money it is.
    pub(super) payer: Address,
    /// Coins come out of the payer's deposit instead of along with the call.
    pub(super) from_deposit: bool,
}

impl Funding {
    /// Sees where the money is. Returns the coins that go along, and the transactions before: letting the contract take tokens, and having it
    /// take them.
    ///
    /// # Errors
    /// [`DeployError::Unpaid`], and those of the endpoint.
    pub(super) async fn plan(&self, rpc: &Rpc, consumer: &Consumer<'_>) -> Result<(U256, Vec<Call>)> {
        if self.amount.is_zero() {
            return Ok((U256::ZERO, Vec::new()));
        }
        if self.from_deposit {
            return self.by_deposit(consumer).await;
        }
        if self.asset.is_coin() {
            return Ok((self.amount, Vec::new()));
        }
        self.by_tokens(rpc, consumer).await
    }

    async fn by_deposit(&self, consumer: &Consumer<'_>) -> Result<(U256, Vec<Call>)> {
        let there = consumer.funds(self.payer, self.asset.address).await?;
        if there < self.amount {
            let from = format!("from the deposit of {}", self.payer);
            return Err(self.lacks(from, there, ": pay in what is missing, or send it along"));
        }
        Ok((U256::ZERO, Vec::new()))
    }

    /// Out of the payer's deposit of tokens, into which what is missing is paid before.
    async fn by_tokens(&self, rpc: &Rpc, consumer: &Consumer<'_>) -> Result<(U256, Vec<Call>)> {
        let (payer, mut before) = (self.payer, Vec::new());
        let deposited = consumer.funds(payer, self.asset.address).await?;
        let missing = self.amount.saturating_sub(deposited);
        if missing.is_zero() {
            return Ok((U256::ZERO, before));
        }
        let there = self.asset.balance(rpc, payer).await?;
        if there < missing {
            let from = format!("by {payer}, with {} in its deposit", self.asset.show(deposited));
            return Err(self.lacks(from, there, " of the token besides"));
        }
        if self.asset.allowance(rpc, payer, consumer.address()).await? < missing {
            before.push(self.asset.approve(consumer.address(), missing));
        }
        before.push(consumer.deposit(self.asset.address, missing));
        Ok((U256::ZERO, before))
    }

    fn lacks(&self, from: String, there: U256, way_out: &str) -> Error {
        Self::unpaid(self.what, &self.asset, self.amount, from, there, way_out)
    }

    /// The error of an amount that is not there.
    pub(super) fn unpaid(
        what: &'static str,
        asset: &Asset,
        amount: U256,
        from: String,
        there: U256,
        way_out: &str,
    ) -> Error {
        let (wanted, there) = (asset.show(amount), asset.show(there));
        DeployError::Unpaid { what, wanted, from, there, way_out: way_out.to_owned() }.into()
    }
}

/// An amount above zero of an asset, as people write it.
///
/// # Errors
/// [`DeployError::Argument`].
pub(super) fn amount(what: &'static str, asset: &Asset, text: &str) -> Result<U256> {
    match amount::parse(text, asset.decimals) {
        Some(amount) if !amount.is_zero() => Ok(amount),
        _ => {
            let why = format!("an amount above zero with {} decimals at most is expected", asset.decimals);
            Err(DeployError::Argument { what, given: text.to_owned(), why }.into())
        }
    }
}
