//! Events of the consumer, as they were read from the chain.

use alloy::primitives::{Address, B256};
use zkml_contracts::acceptance::ResultEvent;
use zkml_protocol::{
    Word,
    binding::{Request, Reward},
};

/// An event of the consumer, in its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Height of the block.
    pub(crate) block: u64,
    /// Its hash.
    pub(crate) block_hash: B256,
    /// The event.
    pub(crate) what: What,
}

/// A change of a request, or of a posted result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// It was made.
    Requested { id: Word, request: Request, reward: Option<Reward>, input: Vec<u8> },
    /// A proof was taken.
    Fulfilled { id: Word, by: Address },
    /// It was withdrawn.
    Cancelled { id: Word },
    /// Something happened to a posted result, by a transaction of this account if it is named.
    Result { event: ResultEvent, by: Address },
}
