//! One transaction of a person who waits: tried, written down, sent, final.

use crate::{
    artifacts::write_whole,
    error::{Error, Result},
    observer::{Observer, Said, Total},
};
use std::{io, path::Path};
use zkml_deploy::{
    Address, DeployError, U256,
    chain::Chain,
    error::RecordError,
    keys::Account,
    record::TransactionRecord,
    rpc::Rpc,
    transaction::{Call, Earlier, Limits, Mined, Signed, send_and_wait, with_headroom},
};

/// Tries a transaction on the last block; its gas, if the account can pay for it.
///
/// # Errors
/// [`DeployError::Reverted`] with the custom error by name, [`DeployError::InsufficientFunds`].
pub async fn estimate(rpc: &Rpc, chain: &Chain, from: Address, call: &Call, limits: &Limits) -> Result<u64> {
    // Nodes say in many ways that coins are missing.
    afford(rpc, chain, from, 0, call.value, limits).await?;
    let estimate = call.estimate(rpc, from).await?;
    let gas = estimate.map_err(|bytes| DeployError::Reverted {
        what: call.what.clone(),
        reason: zkml_contracts::errors::describe(&bytes),
    })?;
    let most = with_headroom(&call.what, gas, limits.gas)?;
    afford(rpc, chain, from, most, call.value, limits).await?;
    Ok(gas)
}

/// The account must be able to pay what the transaction may take, and what goes along.
async fn afford(
    rpc: &Rpc,
    chain: &Chain,
    account: Address,
    gas: u64,
    value: U256,
    limits: &Limits,
) -> Result<()> {
    let fee = rpc.fees(&limits.fees).await?.max;
    let needed = (U256::from(gas) * U256::from(fee)).saturating_add(value);
    let balance = rpc.balance(account).await?;
    if balance >= needed {
        return Ok(());
    }
    Err(DeployError::insufficient_funds(chain, account, balance, needed).into())
}

/// Sends, and remembers in a file what was sent until it is final: after an interruption the next run replaces it, or finds
/// it mined, and the account does not pay twice.
///
/// # Errors
/// As [`send_and_wait`], and [`Error::Content`] for a file that is not what this writes.
pub async fn send(
    observer: &dyn Observer,
    rpc: &Rpc,
    account: &Account,
    call: &Call,
    limits: Limits,
    file: &Path,
) -> Result<Mined> {
    let from = account.address();
    observer.said(&Said::Sending { what: call.what.clone(), to: call.to.to_string() });
    let mut recorded = recorded(file)?;
    let earlier = Earlier::find(rpc, from, recorded.as_ref().and_then(|before| before.waiting(from))).await?;
    if let Some(earlier) = &earlier {
        observer.said(&Said::SentEarlier { nonce: earlier.nonce });
    }
    let blocks = u32::try_from(limits.confirmations).unwrap_or(u32::MAX);
    // A look is a third of a block.
    let estimate = limits.poll.saturating_mul(3).saturating_mul(blocks);
    let work = observer.start("waiting until it is final", Total::Time(estimate))?;
    let mut offered = |offer: &Signed| {
        work.said(&Said::Offered { hash: offer.hash.to_string(), nonce: offer.nonce });
        let transaction = TransactionRecord::offered(offer, from, recorded.as_ref());
        let written = serde_json::to_vec_pretty(&transaction).unwrap_or_default();
        recorded = Some(transaction);
        let failed =
            |e: Error| DeployError::Record { path: file.to_owned(), source: RecordError::Kept(Box::new(e)) };
        write_whole(file, &written).map(|_| ()).map_err(failed)
    };
    let mined = send_and_wait(rpc, account, call, earlier, limits, &mut offered).await?;
    drop(work);
    // Left behind it does no harm: what it remembers is mined.
    if let Err(e) = std::fs::remove_file(file) {
        observer.said(&Said::NotRemoved { path: file.to_owned(), why: e.to_string() });
    }
    Ok(mined)
}

/// What an earlier run sent and did not see become final.
pub(super) fn recorded(file: &Path) -> Result<Option<TransactionRecord>> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
            let why =
                format!("it is not what is remembered of a transaction ({e}); if none waits, remove it");
            Error::content(file, why)
        }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", file, e)),
    }
}
