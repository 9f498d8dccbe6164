//! The money of an account in a contract that pays for proofs: deposits, rewards that it has earned, and those that come back.

use super::sending;
use crate::{artifacts::Artifacts, error::Result, observer::Observer};
use serde::Serialize;
use std::collections::BTreeSet;
use zkml_contracts::requests::{RequestState, RewardedInferenceRequested, reclaim_reward, withdraw};
use zkml_deploy::{
    Address, U256,
    asset::{Asset, COIN},
    chain::Chain,
    consumer::Consumer,
    keys::Account,
    rpc::Rpc,
    transaction::{Call, Limits},
};
use zkml_protocol::Word;

/// Accounts and tokens to look at, and what to do.
#[derive(Debug)]
pub struct Request {
    /// The chain.
    pub chain: Chain,
    /// The contract.
    pub consumer: Address,
    /// Tokens to look for, besides those of the account's own requests.
    pub tokens: Vec<Address>,
    /// Take back rewards whose deadlines have passed.
    pub reclaim: bool,
    /// Take out all that is there.
    pub withdraw: bool,
    /// The account that receives it; the account itself if nobody is named.
    pub to: Option<Address>,
    /// Block from which the account's own requests are looked for; that of the recorded deployment.
    pub from_block: u64,
    /// Most blocks that are read at once.
    pub range: u64,
    /// Patience and fees.
    pub limits: Limits,
}

/// Money that was found, and transactions that were sent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardsReport {
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub consumer: Address,
    /// The account whose money it is.
    pub account: Address,
    /// Amounts that are there to be taken out, by asset, before that was done.
    pub funds: Vec<Funds>,
    /// Rewards of own requests that nobody has earned yet.
    pub waiting: Vec<Bound>,
    /// Transactions that were sent.
    pub sent: Vec<Sent>,
}

/// An amount in the contract.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Funds {
    /// The token; zero for the chain's own coin.
    pub asset: Address,
    /// Amount, as people write it.
    pub amount: String,
}

/// A reward that is bound to a request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// The request.
    pub request: Word,
    /// The token; zero for the chain's own coin.
    pub asset: Address,
    /// Amount, as people write it.
    pub amount: String,
    /// Until then it can be earned.
    pub deadline: String,
    /// The deadline has passed: it can be taken back.
    pub expired: bool,
}

/// A transaction.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// Name of the function.
    pub what: String,
    /// Its hash.
    pub transaction: String,
    /// Gas that it took.
    pub gas: u64,
}

/// Looks, and does what is wanted. Without an account that signs, nothing is done.
///
/// # Errors
/// [`DeployError::NoRewards`](zkml_deploy::DeployError::NoRewards), those of the endpoint, and those of sending.
pub async fn run(
    observer: &dyn Observer,
    artifacts: &Artifacts,
    rpc: &Rpc,
    whose: Address,
    account: Option<&Account>,
    request: Request,
) -> Result<RewardsReport> {
    let consumer = Consumer::at(rpc, request.consumer).await?;
    consumer.pays_rewards().await?;
    let mut ledger = Ledger { observer, artifacts, rpc, consumer, request: &request, sent: Vec::new() };
    let own = ledger.own(whose).await?;
    let (pending, waiting) = ledger.waiting(&own).await?;
    if let Some(account) = account.filter(|_| request.reclaim) {
        for (asked, _) in pending.iter().zip(&waiting).filter(|(_, bound)| bound.expired) {
            ledger.reclaim(account, asked).await?;
        }
    }
    let assets = [COIN].into_iter().chain(request.tokens.iter().copied());
    // Of those that are over as well: what came back of them, or was paid in and not used, is there still.
    let assets = assets.chain(own.iter().map(|asked| Address::from(asked.reward.asset))).collect();
    let funds = ledger.funds(whose, assets).await?;
    if let Some(account) = account.filter(|_| request.withdraw) {
        for (asset, amount) in &funds {
            ledger.withdraw(account, *asset, *amount, request.to.unwrap_or(whose)).await?;
        }
    }
    let funds =
        funds.iter().map(|(asset, amount)| Funds { asset: asset.address, amount: asset.show(*amount) });
    Ok(RewardsReport {
        chain_id: rpc.chain_id(),
        consumer: request.consumer,
        account: whose,
        funds: funds.collect(),
        waiting,
        sent: ledger.sent,
    })
}

/// The contract's ledger, as one account sees it.
struct Ledger<'a> {
    observer: &'a dyn Observer,
    artifacts: &'a Artifacts,
    rpc: &'a Rpc,
    consumer: Consumer<'a>,
    request: &'a Request,
    sent: Vec<Sent>,
}

impl Ledger<'_> {
    /// Requests that the account pays for. Those of others are left out: whoever asks names the token.
    async fn own(&self, whose: Address) -> Result<Vec<RewardedInferenceRequested>> {
        let last = self.rpc.block_number().await?;
        let mut all =
            self.consumer.rewarded_requests(self.request.from_block..=last, self.request.range).await?;
        all.retain(|asked| asked.reward.payer == whose.into_array());
        Ok(all)
    }

    /// Those of them that nobody has proven yet.
    async fn waiting<'r>(
        &self,
        own: &'r [RewardedInferenceRequested],
    ) -> Result<(Vec<&'r RewardedInferenceRequested>, Vec<Bound>)> {
        let now = U256::from(self.rpc.now().await?);
        let (mut pending, mut bound) = (Vec::new(), Vec::new());
        for asked in own {
            if self.consumer.request_state(asked.id).await? != RequestState::Pending {
                continue;
            }
            let asset = Asset::at(self.rpc, Address::from(asked.reward.asset)).await?;
            let deadline = U256::from_be_bytes(asked.request.deadline.0);
            bound.push(Bound {
                request: asked.id,
                asset: asset.address,
                amount: asset.show(U256::from_be_bytes(asked.reward.amount.0)),
                deadline: deadline.to_string(),
                expired: deadline < now,
            });
            pending.push(asked);
        }
        Ok((pending, bound))
    }

    /// Amounts of these assets that are the account's, without zeros.
    async fn funds(&self, whose: Address, assets: BTreeSet<Address>) -> Result<Vec<(Asset, U256)>> {
        let mut funds = Vec::new();
        for address in assets {
            let amount = self.consumer.funds(whose, address).await?;
            if !amount.is_zero() {
                funds.push((Asset::at(self.rpc, address).await?, amount));
            }
        }
        Ok(funds)
    }

    async fn reclaim(&mut self, account: &Account, asked: &RewardedInferenceRequested) -> Result<()> {
        let data = reclaim_reward(&asked.request, &asked.reward);
        let call = Call::new("reclaimReward", self.request.consumer, data);
        self.send(account, call, &asked.id.to_string()).await
    }

    async fn withdraw(&mut self, account: &Account, asset: Asset, amount: U256, to: Address) -> Result<()> {
        let data = withdraw(&asset.address.into_array(), Word(amount.to_be_bytes()), &to.into_array());
        let call = Call::new("withdraw", self.request.consumer, data);
        self.send(account, call, &format!("{:#x}", asset.address)).await
    }

    /// Transactions are written down, so that the same command goes on with it.
    async fn send(&mut self, account: &Account, call: Call, about: &str) -> Result<()> {
        let Request { chain, limits, consumer, .. } = self.request;
        sending::estimate(self.rpc, chain, account.address(), &call, limits).await?;
        let name = format!("requests/{}-{consumer:#x}-{}-{about}.sent.json", self.rpc.chain_id(), call.what);
        let file = self.artifacts.path(&name);
        let mined = sending::send(self.observer, self.rpc, account, &call, *limits, &file).await?;
        let (transaction, gas) = (mined.hash.to_string(), mined.receipt.gas_used);
        self.sent.push(Sent { what: call.what, transaction, gas });
        Ok(())
    }
}
