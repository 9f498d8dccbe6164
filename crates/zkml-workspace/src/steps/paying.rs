//! Where the money of a request's reward comes from.

use super::funding::{self, Funding};
use crate::error::Result;
use serde::Serialize;
use zkml_deploy::{Address, U256, asset::Asset, consumer::Consumer, rpc::Rpc, transaction::Call};
use zkml_protocol::{Word, binding::Reward};

/// What a request is to pay.
#[derive(Debug, Clone)]
pub struct Offer {
    /// How much, as people write amounts of the asset.
    pub amount: String,
    /// The token; the chain's own coin if none is named.
    pub token: Option<Address>,
    /// Whose deposit pays, within the limit that it has set; the sender's own money if nobody is named.
    pub payer: Option<Address>,
    /// Coins come out of the sender's deposit instead of along with the request.
    pub from_deposit: bool,
    /// Gas that the contract may use up to act on the output.
    pub callback_gas: u64,
    /// Blocks between the request and its fulfilment, at least.
    pub confirmations: u32,
}

/// A reward, and what has to happen before it can be offered.
#[derive(Debug)]
pub struct Paying {
    /// The reward.
    pub reward: Reward,
    /// Coins that go along with the request.
    pub value: U256,
    /// Transactions before it: letting the contract take tokens, and having it take them.
    pub before: Vec<Call>,
    asset: Asset,
    amount: U256,
}

/// What is paid for a proof, when, and when it comes back.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentReport {
    /// The amount, as people write it.
    pub amount: String,
    /// The token; the chain's own coin if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Address>,
    /// Whose money it is, and whose it is again after the deadline.
    pub payer: Address,
    /// Where it comes from.
    pub source: &'static str,
    /// Transactions that have to go before the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Gas that the contract may use up to act on the output.
    pub callback_gas: u64,
    /// Blocks between the request and its fulfilment, at least.
    pub confirmations: u32,
    /// Block time after which it can be taken back.
    pub returns_after: u64,
}

impl Paying {
    /// Sees where the money is, and refuses what nobody could pay.
    ///
    /// # Errors
    /// [`DeployError::NoRewards`], [`DeployError::Argument`] for an amount that is none, [`DeployError::Unpaid`], and those of the endpoint.
    pub async fn plan(rpc: &Rpc, consumer: &Consumer<'_>, sender: Address, offer: &Offer) -> Result<Self> {
        consumer.pays_rewards().await?;
        let asset = match offer.token {
            Some(token) => Asset::at(rpc, token).await?,
            None => Asset::coin(),
        };
        let amount = funding::amount("reward", &asset, &offer.amount)?;
        let payer = offer.payer.unwrap_or(sender);
        let reward = Reward {
            payer: payer.into_array(),
            asset: asset.address.into_array(),
            amount: Word(amount.to_be_bytes()),
            callback_gas: offer.callback_gas,
            confirmations: offer.confirmations,
        };
        if payer != sender {
            // Out of a deposit of somebody else, within the limit that it has set.
            let limit = consumer.spending_limit(payer, sender, asset.address).await?;
            if limit < amount {
                let from = format!("by {payer}, for the limit that it has set for {sender}");
                let way_out = ": it is set by setSpendingLimit";
                return Err(Funding::unpaid("reward", &asset, amount, from, limit, way_out));
            }
        }
        let from_deposit = offer.from_deposit || payer != sender;
        let funding = Funding { what: "reward", asset, amount, payer, from_deposit };
        let (value, before) = funding.plan(rpc, consumer).await?;
        Ok(Self { reward, value, before, asset, amount })
    }

    /// What is paid, for people.
    #[must_use]
    pub fn report(&self, deadline: u64) -> PaymentReport {
        let source = if self.value.is_zero() { "a deposit" } else { "coins that go along" };
        PaymentReport {
            amount: self.asset.show(self.amount),
            token: (!self.asset.is_coin()).then_some(self.asset.address),
            payer: Address::from(self.reward.payer),
            source,
            before: self.before.iter().map(|call| call.what.clone()).collect(),
            callback_gas: self.reward.callback_gas,
            confirmations: self.reward.confirmations,
            returns_after: deadline,
        }
    }
}
