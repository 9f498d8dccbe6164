//! Why a program is refused.

use crate::StatementError;
use thiserror::Error;

/// A program that contradicts itself, so that no proof of it could be checked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// Written for other rules than this crate's.
    #[error(
        "the program follows protocol version {found}, this toolkit speaks {expected}: derive it again with `setup`"
    )]
    Version {
        /// Version in the program.
        found: u32,
        /// [`PROTOCOL_VERSION`](super::PROTOCOL_VERSION).
        expected: u32,
    },
    /// A count beyond what any circuit of this toolkit has.
    #[error("the program has {found} {what}, at most {limit} are supported")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The count.
        found: u64,
        /// The bound, see [`Limits`](super::Limits).
        limit: u64,
    },
    /// An index into a table that is shorter.
    #[error("{what} {index} does not exist, the program has {count}")]
    OutOfRange {
        /// What the index names.
        what: &'static str,
        /// The index.
        index: u64,
        /// Length of the table.
        count: u64,
    },
    /// A node reads one that comes after it, or itself.
    #[error("constraint node {node} reads node {operand}, which does not come before it")]
    NodeOrder {
        /// The reader.
        node: u32,
        /// What it reads.
        operand: u32,
    },
    /// A scalar that is not below the field's order.
    #[error("{what} is not a canonical scalar (it is not below the order of the group)")]
    NotCanonical {
        /// Which scalar.
        what: &'static str,
    },
    /// The domain's constants contradict each other.
    #[error("the domain's constant {what} is wrong for k = {k}")]
    Domain {
        /// Which constant.
        what: &'static str,
        /// The domain has `2^k` rows.
        k: u32,
    },
    /// Blinding rows and instances leave no room.
    #[error("{instances} instances and {blinding} blinding rows do not fit into 2^{k} rows: use a larger k")]
    NoRoom {
        /// Number of instances.
        instances: u32,
        /// Number of blinding rows.
        blinding: u32,
        /// The domain has `2^k` rows.
        k: u32,
    },
    /// The same polynomial is queried twice at the same point.
    #[error("{polynomial} is queried twice at rotation {rotation}: a proof could claim two values for one")]
    DuplicateQuery {
        /// Which polynomial.
        polynomial: String,
        /// Rotation, in rows.
        rotation: i32,
    },
    /// Two rotations that name the same row.
    #[error("rotations {first} and {second} are the same row of 2^{k}: use a larger k")]
    CongruentRotations {
        /// One rotation.
        first: i32,
        /// The other.
        second: i32,
        /// The domain has `2^k` rows.
        k: u32,
    },
    /// The statement contradicts itself.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// There is nothing to prove.
    #[error("the program has no identities: a proof of it would say nothing")]
    NoIdentities,
    /// A phase that the layout would skip.
    #[error("challenge {challenge} belongs to phase {phase}, after the last phase with advice columns")]
    ChallengePhase {
        /// Index of the challenge.
        challenge: usize,
        /// Its phase.
        phase: u8,
    },
}
