//! Events of the consumer, as they were read from the chain.

use alloy::primitives::{Address, B256};
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

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "most events are requests")]
pub(crate) enum What {
    /// It was made.
    Requested { id: Word, request: Request, reward: Option<Reward>, input: Vec<u8> },
    /// A proof was taken.
    Fulfilled { id: Word, by: Address },
    /// It was withdrawn.
    Cancelled { id: Word },
}
