//! Reading the chain: events in ranges of blocks, and what a reorganisation takes back.

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{Address, B256},
    rpc::types::{Block, Log},
};
use zkml_contracts::requests::{
    INFERENCE_FULFILLED, INFERENCE_REQUESTED, InferenceFulfilled, InferenceRequested, REQUEST_CANCELLED,
    REWARDED_INFERENCE_REQUESTED, RequestCancelled, RewardedInferenceRequested, topic,
};
use zkml_deploy::{DeployError, consumer::Consumer};
use zkml_protocol::Word;

use super::{Engine, results::of_result};
use crate::{
    error::Result,
    event::{Event, Payment},
    metrics::signed,
    seen::{Seen, What},
};

/// Number of looks in a row that must find the chain shorter before it is believed: of the nodes behind one address, some lag.
const LOOKS: u32 = 3;

/// The last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its height.
    pub(super) number: u64,
    /// Its time, in seconds since 1970.
    pub(super) time: u64,
}

impl Engine {
    /// Reads what is new. The head is none while the node is behind what was read already.
    pub(super) async fn follow(&mut self) -> Result<Option<Head>> {
        let latest = self.block(BlockNumberOrTag::Latest).await?;
        let head = Head { number: latest.header.number, time: latest.header.timestamp };
        self.metrics.head.set(signed(head.number));
        if !self.find_ancestor(head).await? {
            return Ok(None);
        }
        let from = self.options.from_block.unwrap_or(head.number);
        self.journal.begin_at(from)?;
        let start = self.journal.first_block()?.unwrap_or(from);
        loop {
            let next = self.journal.top()?.map_or(start, |(number, _)| number + 1);
            if next > head.number {
                return Ok(Some(head));
            }
            self.metrics.lag.set(signed(head.number - next + 1));
            if !self.read(next, head.number.min(next.saturating_add(self.range - 1))).await? {
                return Ok(None);
            }
            self.health.progress();
        }
    }

    /// Takes back what is not on the chain any more. Whether the chain is as long as what was read.
    async fn find_ancestor(&mut self, head: Head) -> Result<bool> {
        let Some((top, top_hash)) = self.journal.top()? else { return Ok(true) };
        if top <= head.number {
            self.shorter = 0;
            if self.hash(top).await? == Some(top_hash) {
                return Ok(true);
            }
        } else {
            self.shorter += 1;
            if self.shorter < LOOKS {
                return Ok(false);
            }
            self.shorter = 0;
        }
        let mut ancestor = None;
        for (number, hash) in self.journal.blocks()? {
            if number <= head.number && self.hash(number).await? == Some(hash) {
                ancestor = Some(number);
                break;
            }
        }
        if ancestor.is_none() {
            // No reorganisation reaches that far back, but a node that begins anew does: nothing of it is believed.
            Consumer::at(&self.rpc, self.consumer).await?;
        }
        let orphaned = self.journal.forget_above(ancestor)?;
        self.metrics.reorganisations.inc();
        self.tell(Event::Reorganised { ancestor, orphaned });
        Ok(true)
    }

    /// Reads a range, as one step. Nodes limit ranges in many ways, so that any refusal is answered with half of it. Not
    /// if the chain changed meanwhile: then the next round looks for the last block that is still there.
    async fn read(&mut self, from: u64, to: u64) -> Result<bool> {
        let before = self.block(BlockNumberOrTag::Number(to)).await?.header.hash;
        let events =
            [INFERENCE_REQUESTED, REWARDED_INFERENCE_REQUESTED, INFERENCE_FULFILLED, REQUEST_CANCELLED];
        let topics: Vec<B256> =
            events.into_iter().chain(self.result_events()).map(|event| B256::from(topic(event).0)).collect();
        let logs = match self.rpc.logs(self.consumer, &topics, from, to).await {
            Ok(logs) => logs,
            Err(error) => {
                self.range = (to - from).div_ceil(2).max(1);
                return match error {
                    DeployError::Rpc { .. } if to > from => Ok(true),
                    other => Err(other.into()),
                };
            }
        };
        // A range of one chain on top of another, or logs of one under the hash of the other, would be believed for good:
        // what the first one held and the second does not, or the other way round, would never be looked at again.
        if let Some((top, hash)) = self.journal.top()?
            && self.hash(top).await? != Some(hash)
        {
            return Ok(false);
        }
        if self.hash(to).await? != Some(before) {
            return Ok(false);
        }
        let mut seen = Vec::new();
        for log in logs.iter().filter(|log| !log.removed) {
            match self.decode(log, from..=to) {
                Ok(event) => seen.extend(event),
                Err(reason) => self.tell(Event::Ignored { reason }),
            }
        }
        let mut asked = Vec::new();
        for news in self.journal.read_up_to(&seen, (to, before))? {
            self.tell(match news.what {
                What::Requested { id, request, reward, .. } => {
                    asked.push((id, reward));
                    let (subject, block) = (Address::from(request.subject), news.block);
                    Event::Requested { request: id, subject, block, reward: reward.as_ref().map(Payment::of) }
                }
                What::Fulfilled { id, by } => Event::Fulfilled { request: id, by, block: news.block },
                What::Cancelled { id } => Event::Cancelled { request: id, block: news.block },
                What::Result { event, by } => match of_result(&event, by, news.block) {
                    Some(event) => event,
                    None => continue,
                },
            });
        }
        for (id, reward) in asked {
            self.refuse_unpaid(&id, reward.as_ref())?;
        }
        self.range = self.range.saturating_mul(2).min(self.options.range.max(1));
        Ok(true)
    }

    /// An event, unless it is of a result that is not answered for.
    fn decode(&self, log: &Log, blocks: std::ops::RangeInclusive<u64>) -> Result<Option<Seen>, String> {
        let (block, block_hash) = place(log, self.consumer, blocks)?;
        let what = match self.decode_result(log) {
            Some(result) => result,
            None => decode(log).map(Some),
        };
        let seen = |what| Seen { block, block_hash, what };
        what.map(|what| what.map(seen)).map_err(|e| format!("in block {block}: {e}"))
    }

    async fn block(&self, number: BlockNumberOrTag) -> Result<Block> {
        let block = self.rpc.block(number).await?.ok_or_else(|| DeployError::Rpc {
            endpoint: self.rpc.endpoint(),
            method: "eth_getBlockByNumber",
            why: format!("it has no block {number}"),
        })?;
        Ok(block)
    }

    async fn hash(&self, number: u64) -> Result<Option<B256>> {
        Ok(self.rpc.block(BlockNumberOrTag::Number(number)).await?.map(|block| block.header.hash))
    }
}

/// Nodes may say anything: an event counts only if it is this consumer's, of a block that was asked for, and whole.
fn place(log: &Log, consumer: Address, blocks: std::ops::RangeInclusive<u64>) -> Result<(u64, B256), String> {
    if log.address() != consumer {
        return Err(format!("an event of {}, asked was for those of {consumer}", log.address()));
    }
    let (Some(block), Some(block_hash)) = (log.block_number, log.block_hash) else {
        return Err("an event without a block".to_owned());
    };
    if !blocks.contains(&block) {
        return Err(format!("an event of block {block}, asked was for {blocks:?}"));
    }
    Ok((block, block_hash))
}

fn decode(log: &Log) -> Result<What, String> {
    let topics: Vec<Word> = log.topics().iter().map(|topic| Word(topic.0)).collect();
    let data = &log.data().data;
    let first = topics.first().copied();
    let what = if first == Some(topic(INFERENCE_REQUESTED)) {
        InferenceRequested::decode(&topics, data).map(|event| What::Requested {
            id: event.id,
            request: event.request,
            reward: None,
            input: event.input,
        })
    } else if first == Some(topic(REWARDED_INFERENCE_REQUESTED)) {
        RewardedInferenceRequested::decode(&topics, data).map(|event| What::Requested {
            id: event.id,
            request: event.request,
            reward: Some(event.reward),
            input: event.input,
        })
    } else if first == Some(topic(INFERENCE_FULFILLED)) {
        InferenceFulfilled::decode(&topics, data)
            .map(|event| What::Fulfilled { id: event.id, by: Address::from(event.fulfiller) })
    } else {
        RequestCancelled::decode(&topics, data).map(|event| What::Cancelled { id: event.id })
    };
    what.map_err(|e| e.to_string())
}
