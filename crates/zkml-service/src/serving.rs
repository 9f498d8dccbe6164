//! Whose requests are served, and how many of each.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, U256};
use zkml_deploy::{amount, asset::COIN};
use zkml_protocol::binding::Reward;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// Whose requests are served, and how many of each. Without limits everybody's are, in turns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Serving {
    /// Only these subjects; all if none are named.
    pub subjects: Option<BTreeSet<Address>>,
    /// Requests of one subject that are proven within an hour.
    pub hourly: Option<u64>,
    /// Requests of one subject that are proven within a day.
    pub daily: Option<u64>,
    /// What requests have to pay.
    pub rewards: Rewards,
}

/// What requests have to pay. Without a least reward, those that pay nothing are served as well; those that pay in coins have to pay what
/// their fulfilment is expected to cost, since their money would otherwise be worth less than ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewards {
    /// The least reward of each asset, [`COIN`] among them. With any, requests that pay nothing are refused; tokens that are not here always are.
    pub least: BTreeMap<Address, Least>,
    /// Rewards below the expected fee are taken, too.
    pub at_a_loss: bool,
}

/// An amount that is enough, and how people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Least {
    /// The amount, in the asset's smallest unit.
    pub amount: U256,
    /// Number of decimals of the asset.
    pub decimals: u8,
}

impl Rewards {
    /// Says why a request is not worth its proof, if it is not; the fee aside.
    pub(crate) fn refusal(&self, reward: Option<&Reward>) -> Option<String> {
        let Some(reward) = reward else {
            return (!self.least.is_empty()).then(|| "it pays nothing".to_owned());
        };
        let (asset, amount) = (Address::from(reward.asset), U256::from_be_bytes(reward.amount.0));
        match self.least.get(&asset) {
            None if asset == COIN => None,
            None => Some(format!("it pays in the token {asset}, which is not among those that are taken")),
            Some(wanted) if amount >= wanted.amount => None,
            Some(wanted) => {
                let least = self.show(asset, wanted.amount);
                Some(format!("it pays {}, and the least is {least}", self.show(asset, amount)))
            }
        }
    }

    /// An amount as people write it.
    pub(crate) fn show(&self, asset: Address, amount: U256) -> String {
        let decimals = self.least.get(&asset).map_or(18, |asset| asset.decimals);
        let text = amount::show(amount, decimals);
        if asset == COIN { text } else { format!("{text} of {asset}") }
    }
}

/// A quota of each subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Its name in figures.
    pub(crate) name: &'static str,
    /// Its time, in words.
    pub(crate) window: &'static str,
    /// Its time in milliseconds.
    pub(crate) milliseconds: i64,
    /// Requests within that time.
    pub(crate) most: u64,
}

impl Serving {
    /// The quotas that there are.
    pub(crate) fn quotas(&self) -> impl Iterator<Item = Quota> + use<> {
        let all =
            [("quota-hour", "an hour", HOUR, self.hourly), ("quota-day", "a day", 24 * HOUR, self.daily)];
        all.into_iter().filter_map(|(name, window, milliseconds, most)| {
            most.map(|most| Quota { name, window, milliseconds, most })
        })
    }
}
