//! What a unit of gas costs now, from the headers of the last two blocks, and what is offered for it at most.
//!
//! An endpoint may say anything. So the base fee is not what it says of the next block, but what follows from the last one's header by the rule of
//! EIP-1559; where a chain keeps that rule, the last header must follow from the one before it. What is left to the endpoint is the tip, and all
//! its headers at once: therefore nothing above the limits is ever signed.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::B256,
    providers::Provider,
    rpc::types::Block,
};

use super::{Fees, Rpc};
use crate::{DeployError, Result, amount::GWEI, chain::Chain};

/// Blocks whose tips are looked at.
const BLOCKS: u64 = 10;
/// The tip that is offered is what the cheapest fifth of a block's gas paid.
const PERCENTILE: f64 = 20.0;
/// Largest offer, as a multiple of the first one, where nobody has named a limit.
const MOST_RAISED: u128 = 10;

/// Most that is offered for a unit of gas, and how much of the endpoint's word is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeLimits {
    /// With the base fee, in wei.
    pub max: u128,
    /// For the block's producer, in wei.
    pub priority: u128,
    /// Somebody has named it: then only it limits how far an offer is raised.
    pub named: bool,
    /// Base fees of the chain follow the rule of EIP-1559 with Ethereum's parameters.
    pub eip1559: bool,
}

impl FeeLimits {
    /// Those of the table of chains.
    #[must_use]
    pub fn of(chain: &Chain) -> Self {
        let wei = |gwei: u64| u128::from(gwei) * GWEI;
        Self {
            max: wei(chain.max_fee),
            priority: wei(chain.max_priority_fee),
            named: false,
            eip1559: chain.eip1559,
        }
    }

    /// The first offer in a market: twice the base fee, so that it may double meanwhile, and the usual tip.
    fn first(&self, market: Market) -> Result<Fees> {
        if market.base > self.max {
            return Err(DeployError::FeeTooHigh { base: market.base, most: self.max });
        }
        let max = market.base.saturating_mul(2).saturating_add(market.priority).min(self.max);
        Ok(Fees { max, priority: market.priority.min(self.priority).min(max) })
    }

    /// A dearer offer than the last one; none where no more may be offered.
    fn raised(&self, last: Fees, market: Market) -> Option<Fees> {
        let now = self.first(market).unwrap_or_default();
        let high = if self.named { u128::MAX } else { now.max.saturating_mul(MOST_RAISED).max(last.max) };
        let more = last.bumped(now);
        let max = more.max.min(self.max).min(high);
        let fees = Fees { max, priority: more.priority.min(self.priority).min(max) };
        (fees.max > last.max && fees.priority > last.priority).then_some(fees)
    }
}

/// What gas costs now, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Market {
    /// The next block's base fee.
    base: u128,
    /// The usual tip.
    priority: u128,
}

impl Rpc {
    /// What a transaction should offer now.
    ///
    /// # Errors
    /// [`DeployError::FeeTooHigh`] where the chain takes more than the limits allow, [`DeployError::BaseFee`] for headers that do not follow from each other,
    /// and as [`Rpc::chain_id_there`].
    pub async fn fees(&self, limits: &FeeLimits) -> Result<Fees> {
        limits.first(self.market(limits).await?)
    }

    /// A dearer offer than the last one; none where no more may be offered.
    ///
    /// # Errors
    /// [`DeployError::BaseFee`], and as [`Rpc::chain_id_there`].
    pub async fn raised(&self, limits: &FeeLimits, last: Fees) -> Result<Option<Fees>> {
        Ok(limits.raised(last, self.market(limits).await?))
    }

    async fn market(&self, limits: &FeeLimits) -> Result<Market> {
        let (latest, priority) = tokio::try_join!(self.last_block(), self.usual_tip())?;
        let base = self.base_fee(&latest)?;
        // What comes first is made up, also by honest nodes.
        if limits.eip1559 && latest.header.number > 1 {
            let parent = self.block_of(latest.header.parent_hash).await?;
            let follows = next_base_fee(&parent, self.base_fee(&parent)?);
            if follows != base {
                let (endpoint, block) = (self.endpoint(), latest.header.number);
                return Err(DeployError::BaseFee { endpoint, block, says: base, follows });
            }
        }
        Ok(Market { base: next_base_fee(&latest, base), priority })
    }

    async fn last_block(&self) -> Result<Block> {
        let block = self.block(BlockNumberOrTag::Latest).await?;
        block.ok_or_else(|| self.without("it has no last block"))
    }

    async fn block_of(&self, hash: B256) -> Result<Block> {
        let id = BlockId::hash(hash);
        let block = self.ask("eth_getBlockByHash", || self.provider.get_block(id)).await?;
        block.ok_or_else(|| self.without("it does not have the block before its last one"))
    }

    fn base_fee(&self, block: &Block) -> Result<u128> {
        let fee = block.header.base_fee_per_gas.map(u128::from);
        fee.ok_or_else(|| self.without("its blocks have no base fee (EIP-1559)"))
    }

    fn without(&self, why: &str) -> DeployError {
        DeployError::Rpc { endpoint: self.endpoint(), method: "eth_getBlockByNumber", why: why.to_owned() }
    }

    /// The middle of what the last blocks' cheap transactions paid on top; at least one wei.
    async fn usual_tip(&self) -> Result<u128> {
        let history = self
            .ask("eth_feeHistory", || {
                self.provider.get_fee_history(BLOCKS, BlockNumberOrTag::Latest, &[PERCENTILE])
            })
            .await?;
        let rewards = history.reward.unwrap_or_default();
        let mut tips: Vec<u128> =
            rewards.iter().filter_map(|block| block.first().copied()).filter(|tip| *tip > 0).collect();
        tips.sort_unstable();
        Ok(tips.get(tips.len() / 2).copied().unwrap_or(1))
    }
}

/// The base fee of the block after one that had this base fee: by an eighth more or less where it was full or empty, and as it was half full (EIP-1559).
fn next_base_fee(block: &Block, base: u128) -> u128 {
    let (used, target) = (u128::from(block.header.gas_used), u128::from(block.header.gas_limit / 2));
    let change = |gas: u128| base.saturating_mul(gas).checked_div(target).unwrap_or_default() / 8;
    if used > target {
        base.saturating_add(change(used - target).max(1))
    } else {
        base.saturating_sub(change(target - used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};

    const LIMITS: FeeLimits = FeeLimits { max: 1_000, priority: 50, named: false, eip1559: true };

    fn block(used: u64, limit: u64) -> Block {
        let mut block: Block = Block::default();
        (block.header.inner.gas_used, block.header.inner.gas_limit) = (used, limit);
        block
    }

    #[test]
    fn base_fees_are_those_of_another_implementation() {
        for used in [0, 1, 14_999_999, 15_000_000, 15_000_001, 30_000_000] {
            for base in [0, 1, 7, 8, 1_000_000_007, u64::MAX >> 8] {
                let other = calc_next_block_base_fee(used, 30_000_000, base, BaseFeeParams::ethereum());
                let ours = next_base_fee(&block(used, 30_000_000), u128::from(base));
                assert_eq!(ours, u128::from(other), "{used} {base}");
            }
        }
        // Whatever a node says.
        for (used, limit) in [(u64::MAX, 0), (0, 0), (u64::MAX, 1), (0, u64::MAX)] {
            next_base_fee(&block(used, limit), u128::MAX);
        }
    }

    #[test]
    fn nothing_above_the_limits_is_offered() {
        let market = |base, priority| Market { base, priority };
        assert_eq!(LIMITS.first(market(100, 7)).unwrap(), Fees { max: 207, priority: 7 });
        assert_eq!(LIMITS.first(market(100, u128::MAX)).unwrap(), Fees { max: 1_000, priority: 50 });
        assert_eq!(LIMITS.first(market(1_000, 7)).unwrap(), Fees { max: 1_000, priority: 7 });
        let error = LIMITS.first(market(1_001, 7)).unwrap_err();
        assert!(matches!(error, DeployError::FeeTooHigh { base: 1_001, most: 1_000 }), "{error}");
    }

    #[test]
    fn offers_are_raised_by_an_eighth_up_to_the_limits() {
        let market = Market { base: 10, priority: 2 };
        let last = Fees { max: 80, priority: 8 };
        assert_eq!(LIMITS.raised(last, market), Some(Fees { max: 91, priority: 10 }));
        // Ten times the first offer of 22.
        assert_eq!(
            LIMITS.raised(Fees { max: 219, priority: 8 }, market),
            Some(Fees { max: 220, priority: 10 })
        );
        assert_eq!(LIMITS.raised(Fees { max: 220, priority: 8 }, market), None);
        let named = FeeLimits { named: true, ..LIMITS };
        assert_eq!(
            named.raised(Fees { max: 999, priority: 8 }, market),
            Some(Fees { max: 1_000, priority: 10 })
        );
        assert_eq!(named.raised(Fees { max: 1_000, priority: 8 }, market), None);
        // A tip that cannot be raised makes no replacement.
        assert_eq!(named.raised(Fees { max: 500, priority: 50 }, market), None);
    }
}
