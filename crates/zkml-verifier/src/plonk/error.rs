//! Why a proof is not accepted.

use thiserror::Error;
use zkml_protocol::{
    Word,
    plonk::{ProgramError, SlotId},
};

/// Reasons to refuse a proof. Only [`VerifyError::Rejected`] is about the statement's truth; the others say what is malformed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The program contradicts itself.
    #[error("the program is unusable: {0}")]
    Program(#[from] ProgramError),
    /// A point in the program is not what it should be.
    #[error("the program's {what} {index} is not a usable point: the program file is damaged or forged")]
    ProgramPoint {
        /// Which table it stands in.
        what: &'static str,
        /// Its index there.
        index: usize,
    },
    /// The proof has another length than its program says.
    #[error("the proof has {found} bytes, a proof of this program has {expected}")]
    ProofLength {
        /// Length by the layout.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// Too many or too few public values.
    #[error("{found} public instances were given, the program has {expected}")]
    InstanceCount {
        /// Count by the program.
        expected: usize,
        /// Count given.
        found: usize,
    },
    /// A public value that aliases another: it is not below the order.
    #[error("instance {index} is {value}, which is not below the order of the group")]
    InstanceOutOfRange {
        /// Index of the instance, 0 being the context.
        index: usize,
        /// The value given.
        value: Word,
    },
    /// A scalar in the proof that aliases another.
    #[error("scalar {index} of {slot:?} (byte {offset} of the proof) is not below the order of the group")]
    ScalarOutOfRange {
        /// Part of the proof.
        slot: SlotId,
        /// Element of that part.
        index: usize,
        /// Byte offset in the proof.
        offset: usize,
    },
    /// A coordinate in the proof that aliases another.
    #[error("point {index} of {slot:?} (byte {offset} of the proof) has a coordinate beyond the base field")]
    CoordinateOutOfRange {
        /// Part of the proof.
        slot: SlotId,
        /// Element of that part.
        index: usize,
        /// Byte offset in the proof.
        offset: usize,
    },
    /// Coordinates that belong to no point.
    #[error("point {index} of {slot:?} (byte {offset} of the proof) is not on the curve")]
    NotOnCurve {
        /// Part of the proof.
        slot: SlotId,
        /// Element of that part.
        index: usize,
        /// Byte offset in the proof.
        offset: usize,
    },
    /// (0, 0), which stands for the point at infinity and which no honest proof contains.
    #[error("point {index} of {slot:?} (byte {offset} of the proof) is the point at infinity")]
    Identity {
        /// Part of the proof.
        slot: SlotId,
        /// Element of that part.
        index: usize,
        /// Byte offset in the proof.
        offset: usize,
    },
    /// The evaluation point is a row of the domain. Happens by chance with probability below 2⁻²²⁰: make a new proof.
    #[error("the evaluation point lies on the domain, so the identities cannot be divided: make a new proof")]
    PointOnDomain,
    /// The last challenge hit an opening point, or two opening points coincide. By chance practically never.
    #[error("opening points coincide, so the opening cannot be interpolated: make a new proof")]
    OpeningPoints,
    /// A well-formed proof that does not hold.
    #[error("the proof does not hold for this program and these public instances")]
    Rejected,
    /// The program refers to something that its own tables lack. Validation excludes this.
    #[error("the program refers to a {0} that it does not define")]
    Inconsistent(&'static str),
}
