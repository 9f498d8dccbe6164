//! Results for less than a proof: posted under a policy, challenged, raised to proven, and ended.

pub mod act;
pub mod challenge;
pub mod post;
mod proof;
pub mod record;
pub mod report;
mod stated;
pub mod terms;

pub(in crate::steps) use proof::{Source, Traced, ready};

use super::sending;
use crate::{
    error::Result,
    observer::{Observer, Said},
};
use report::Sent;
use std::path::Path;
use zkml_deploy::{
    Address,
    chain::Chain,
    keys::Account,
    rpc::Rpc,
    transaction::{Call, Limits, Mined},
};
use zkml_protocol::Word;

/// Folder of results in the artifact folder: records, inputs and what was sent.
pub const RESULTS: &str = "results";

/// Whoever signs, and how much may be paid for gas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purse<'a> {
    pub(super) observer: &'a dyn Observer,
    pub(super) rpc: &'a Rpc,
    pub(super) chain: &'a Chain,
    pub(super) account: &'a Account,
    pub(super) limits: Limits,
    /// Folder in which it is remembered what was sent.
    pub(super) folder: &'a Path,
}

impl Purse<'_> {
    fn from(&self) -> Address {
        self.account.address()
    }

    /// Gas of the transaction, or of the first of those before it: what needs money that is not there cannot be tried.
    async fn estimate(&self, call: &Call, before: &[Call]) -> Result<u64> {
        let first = before.first().unwrap_or(call);
        sending::estimate(self.rpc, self.chain, self.from(), first, &self.limits).await
    }

    /// Sends them in order, each written down before a node sees it. `about` tells what else they belong to: the same command goes on with it.
    async fn send(&self, call: &Call, before: &[Call], about: &str) -> Result<(Mined, Sent)> {
        let path = |call: &Call| {
            let (chain, short) = (self.rpc.chain_id(), hex::encode(&self.from().as_slice()[..4]));
            self.folder.join(format!("{chain}-{short}-{about}.{}.sent.json", call.what))
        };
        for step in before {
            sending::send(self.observer, self.rpc, self.account, step, self.limits, &path(step)).await?;
        }
        let mined = match self.sent_earlier(&path(call)).await? {
            Some(mined) => mined,
            None => {
                sending::send(self.observer, self.rpc, self.account, call, self.limits, &path(call)).await?
            }
        };
        let sent = Sent {
            hash: mined.hash.to_string(),
            block: mined.receipt.block_number.unwrap_or_default(),
            gas: mined.receipt.gas_used,
        };
        Ok((mined, sent))
    }

    /// The transaction of an interrupted run of the same command, if it is final: its bond is set aside, and a second one would be as well.
    async fn sent_earlier(&self, file: &Path) -> Result<Option<Mined>> {
        let earlier = sending::recorded(file)?.and_then(|before| before.waiting(self.from()));
        let Some(earlier) = earlier else { return Ok(None) };
        for hash in &earlier.hashes {
            let Some(receipt) = self.rpc.receipt(*hash).await? else { continue };
            if !receipt.status() {
                break;
            }
            self.observer.said(&Said::SentEarlier { nonce: earlier.nonce });
            let block = receipt.block_number.unwrap_or_default();
            while self.rpc.block_number().await?.saturating_add(1)
                < block.saturating_add(self.limits.confirmations)
            {
                tokio::time::sleep(self.limits.poll).await;
            }
            // A reorganisation may have taken it away meanwhile; then it is sent as any other.
            let Some(receipt) = self.rpc.receipt(*hash).await? else { return Ok(None) };
            if let Err(e) = std::fs::remove_file(file) {
                self.observer.said(&Said::NotRemoved { path: file.to_owned(), why: e.to_string() });
            }
            return Ok(Some(Mined { receipt, hash: *hash, offers: earlier.hashes.len() }));
        }
        Ok(None)
    }
}

/// The beginning of an id, for names of files.
fn short(id: &Word) -> String {
    hex::encode(&id.0[..8])
}
