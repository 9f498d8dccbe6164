//! Beacons that draw results: the time by which a round is decided, even if nobody hands its randomness in.

use alloy::{
    primitives::{U256, address},
    sol_types::SolCall,
};
use zkml_contracts::chains::Chain;

use crate::{
    Address, DeployError, Result,
    interfaces::{ZkmlBeacon, ZkmlRandaoBeacon, ZkmlRevealBeacon},
    rpc::Rpc,
};

/// The contract that keeps hashes of blocks for longer, on chains that have it (EIP-2935).
const HISTORY: Address = address!("0000F90827F1C53a10cb7A02335B175320002935");
/// Blocks whose headers can be shown without it.
const KEPT: u64 = 256;
/// Blocks whose headers can be shown with it.
const KEPT_IN_HISTORY: u64 = 8_191;

/// Block time by which the round of whatever is posted now is known or missed, in seconds since 1970. Of a `ZKMLRandaoBeacon` it is
/// an estimate, as its rounds are blocks; none of a beacon of another kind, which says nothing of time.
///
/// # Errors
/// Those of the endpoint.
pub async fn decided_by(rpc: &Rpc, chain: &Chain, beacon: Address, now: u64) -> Result<Option<u64>> {
    if let Some(delay) = asked(rpc, beacon, "DELAY", ZkmlRandaoBeacon::DELAYCall {}).await? {
        let kept = if rpc.code(HISTORY).await?.is_empty() { KEPT } else { KEPT_IN_HISTORY };
        return Ok(Some(now.saturating_add(missed_after(delay, kept, chain.block_seconds))));
    }
    let Some(start) = asked(rpc, beacon, "START", ZkmlRevealBeacon::STARTCall {}).await? else {
        return Ok(None);
    };
    let Some(half) = asked(rpc, beacon, "HALF", ZkmlRevealBeacon::HALFCall {}).await? else {
        return Ok(None);
    };
    let round = rpc.view(beacon, "nextRound", ZkmlBeacon::nextRoundCall {}).await?;
    Ok(Some(end_of_round(start, half, round)))
}

/// Seconds until a block that comes in `delay` blocks can be shown no more, where one slot in fifty has no block.
fn missed_after(delay: U256, kept: u64, block_seconds: u64) -> u64 {
    // It can be shown in the last of the blocks for which it is kept.
    delay.saturating_to::<u64>().saturating_add(kept + 1).saturating_mul(block_seconds).saturating_mul(51)
        / 50
}

/// The block time with which a round of two halves is over.
fn end_of_round(start: U256, half: U256, round: u64) -> u64 {
    let halves = U256::from(round).saturating_add(U256::ONE).saturating_mul(U256::from(2));
    half.saturating_mul(halves).saturating_add(start).saturating_to()
}

/// An answer, if the contract has such a function.
async fn asked<C: SolCall>(
    rpc: &Rpc,
    beacon: Address,
    what: &'static str,
    call: C,
) -> Result<Option<C::Return>> {
    match rpc.view(beacon, what, call).await {
        Ok(answer) => Ok(Some(answer)),
        Err(DeployError::Reverted { .. } | DeployError::Answer { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_contracts::library;

    /// 27.4 hours on a chain of 12 seconds that keeps its history, 57 minutes on one that does not.
    #[test]
    fn a_block_is_missed_when_it_can_be_shown_no_more() {
        let delay = U256::from(32);
        assert_eq!(missed_after(delay, KEPT_IN_HISTORY, 12), 100_661);
        assert_eq!(missed_after(delay, KEPT, 12), 3_537);
        assert_eq!(missed_after(U256::MAX, KEPT, u64::MAX), u64::MAX / 50);
    }

    #[test]
    fn rounds_end_after_two_halves() {
        let half = U256::from(300);
        assert_eq!(end_of_round(U256::from(1_000), half, 0), 1_600);
        assert_eq!(end_of_round(U256::from(1_000), half, 4), 4_000);
        assert_eq!(end_of_round(U256::MAX, U256::MAX, u64::MAX), u64::MAX);
    }

    /// The functions by which a beacon is told from another are those of the contracts.
    #[test]
    fn beacons_have_what_they_are_asked() {
        for (name, parts) in [
            ("ZKMLRandaoBeacon", &["uint256 public constant DELAY"][..]),
            ("ZKMLRevealBeacon", &["uint256 public immutable START", "uint256 public immutable HALF"]),
        ] {
            let source = library::source(&format!("@zkml-chain/contracts/src/{name}.sol")).unwrap();
            for part in parts {
                assert!(source.contains(part), "{name}: {part}");
            }
        }
    }
}
