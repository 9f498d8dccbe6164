//! What requests pay, and what was earned with them.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};
use zkml_protocol::{
    Word,
    binding::{Reward, address_word},
};

use super::{
    Journal,
    requests::{Entry, WAITING},
    results::IS_DUTY,
};
use crate::{
    error::Result,
    store::{Row, StoreError, values},
};

/// What a refusal for the reward begins with.
pub(crate) const UNPAID: &str = "its reward is not enough: ";

/// Sums by asset; zero stands for the chain's own coin.
pub(crate) type Earned = BTreeMap<Address, U256>;

impl Journal {
    /// Requests that wait and were not begun yet: those whose rewards are to be looked at.
    pub(crate) fn unbegun(&self) -> Result<Vec<Entry>> {
        self.select(&format!("{WAITING} AND proof IS NULL AND begun_at = 0 AND NOT {IS_DUTY}"), i64::MAX)
    }

    /// Requests that were refused for their rewards.
    pub(crate) fn unpaid(&self) -> Result<Vec<Entry>> {
        self.select(&format!("status = 'refused' AND closed_block IS NULL AND {}", for_reward()), i64::MAX)
    }

    /// Number of requests that were refused for their rewards.
    pub(crate) fn unpaid_count(&self) -> Result<u64> {
        let query = format!("SELECT count(*) FROM requests WHERE status = 'refused' AND {}", for_reward());
        self.read(|sql| sql.number(&query, &values![]))
    }

    /// Opens a request again that was refused for its reward.
    pub(crate) fn reopen(&mut self, id: &Word) -> Result<()> {
        let query = format!(
            "UPDATE requests SET status = 'open', reason = NULL, next_try = 0 WHERE id = ?1 AND status = 'refused' AND {}",
            for_reward()
        );
        self.write(|sql| sql.execute(&query, &values![id.0]).map(|_| ()))
    }

    /// What this account has earned in blocks that are read, by asset. A reorganisation takes it back with the block.
    pub(crate) fn earned(&self, prover: Address) -> Result<Earned> {
        let query = "SELECT reward FROM requests WHERE reward IS NOT NULL AND closed_how = 'fulfilled' AND closed_by = ?1";
        let rewards: Vec<Option<Reward>> =
            self.read(|sql| sql.query(query, &values![prover.into_array()])?.iter().map(read).collect())?;
        let mut earned = Earned::new();
        for reward in rewards.into_iter().flatten() {
            let sum = earned.entry(Address::from(reward.asset)).or_default();
            *sum = sum.saturating_add(U256::from_be_bytes(reward.amount.0));
        }
        Ok(earned)
    }

    /// Gas that the newest fulfilment of a request with a reward was given; none before the first.
    pub(crate) fn usual_gas(&self) -> Result<Option<u64>> {
        let query = "SELECT gas FROM slots JOIN requests ON requests.id = slots.request \
                     WHERE void = 0 AND reward IS NOT NULL ORDER BY slot DESC LIMIT 1";
        self.read(|sql| sql.first(query, &[])?.map(|row| row.get::<i64>(0)).transpose())
            .map(|gas| gas.map(i64::unsigned_abs))
    }
}

fn for_reward() -> String {
    format!("reason LIKE '{UNPAID}%'")
}

/// A reward as five words.
pub(super) fn bytes(reward: &Reward) -> Vec<u8> {
    let Reward { payer, asset, amount, callback_gas, confirmations } = *reward;
    let numbers = [callback_gas, confirmations.into()].map(Word::from_u64);
    [address_word(&payer), address_word(&asset), amount, numbers[0], numbers[1]].map(|word| word.0).concat()
}

/// The reward of a row; none if it does not pay.
pub(super) fn read(row: &Row) -> Result<Option<Reward>, StoreError> {
    let Some(bytes) = row.get::<Option<Vec<u8>>>("reward")? else { return Ok(None) };
    let damaged = || StoreError::damaged("reward is no reward");
    let (words, _) = bytes.as_chunks::<32>();
    let [payer, asset, amount, gas, confirmations] = words else { return Err(damaged()) };
    let address = |word: &[u8; 32]| Address::from_slice(&word[12..]).into_array();
    let number = |word: &[u8; 32]| u64::try_from(U256::from_be_bytes(*word)).map_err(|_| damaged());
    Ok(Some(Reward {
        payer: address(payer),
        asset: address(asset),
        amount: Word(*amount),
        callback_gas: number(gas)?,
        confirmations: number(confirmations)?.try_into().map_err(|_| damaged())?,
    }))
}
