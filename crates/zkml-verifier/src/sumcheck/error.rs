//! Why a proof is refused.

use thiserror::Error;
use zkml_protocol::{
    Word,
    sumcheck::{ProgramError, SlotId},
};

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The program contradicts itself.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A point of the program is none.
    #[error("{what} {index} of the program is not a point of its group")]
    ProgramPoint {
        /// Which table.
        what: &'static str,
        /// Index in it.
        index: usize,
    },
    /// The program's parts do not fit together; validation should have said so.
    #[error("the program contradicts itself at its {0}")]
    Inconsistent(&'static str),
    /// Another number of public values.
    #[error("the proof is about {expected} public values, {found} were given")]
    InstanceCount {
        /// The program's.
        expected: usize,
        /// Those given.
        found: usize,
    },
    /// A public value that is no canonical scalar.
    #[error("public value {index} is not below the order of the field: {value}")]
    InstanceOutOfRange {
        /// Its index.
        index: usize,
        /// The value.
        value: Word,
    },
    /// Another length.
    #[error("a proof has {expected} bytes, this one {found}")]
    ProofLength {
        /// The program's.
        expected: usize,
        /// That of the proof.
        found: usize,
    },
    /// A scalar that is not canonical.
    #[error("{slot:?}, scalar {index}, at byte {offset}, is not below the order of the field")]
    ScalarOutOfRange {
        /// Where.
        slot: SlotId,
        /// Index in the slot.
        index: usize,
        /// Byte offset.
        offset: usize,
    },
    /// A point that is none.
    #[error("{slot:?}, at byte {offset}, is not a point of the curve, or is the identity")]
    BadPoint {
        /// Where.
        slot: SlotId,
        /// Byte offset.
        offset: usize,
    },
    /// The statement shows another commitment to private weights than that of the proof's points.
    #[error("the proof is about other private weights than the statement shows")]
    OtherWeights,
    /// The proof does not hold.
    #[error("the proof does not hold")]
    Rejected,
}
