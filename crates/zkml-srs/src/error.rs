//! What can be wrong with a trusted setup.

use std::io;

/// The parts of a setup, in errors.
pub(super) const POWERS: &str = "the powers";
/// The powers in the second group.
pub(super) const IN_G2: &str = "the powers in G2";

/// Why a powers-of-tau file or a trusted setup is refused.
///
/// `part` names where the offending thing is: `section 2 (tauG1)` of a powers-of-tau file, or `the powers` and
/// `the Lagrange basis` of a setup of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SrsError {
    /// The file is something else.
    #[error("it is not a powers-of-tau file: it starts with {start:?}, not with \"ptau\"; {hint}")]
    NotPtau {
        /// Its first bytes, as text.
        start: String,
        /// What to do.
        hint: &'static str,
    },
    /// A format that is not known here.
    #[error("it has format version {found}, only version 1 is known; make it with snarkjs")]
    Version {
        /// The version it states.
        found: u32,
    },
    /// The file ends too early.
    #[error("it is cut short: {what} needs {need} bytes, {have} are left; download it again")]
    Short {
        /// What does not fit.
        what: String,
        /// Bytes that it needs.
        need: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// The file goes on after its last section.
    #[error("{bytes} bytes follow its last section; download it again")]
    Trailing {
        /// How many.
        bytes: u64,
    },
    /// A number that no powers-of-tau file has.
    #[error("its {what} is {found}, {allowed} is possible; download it again")]
    Header {
        /// Which number.
        what: &'static str,
        /// Its value.
        found: u64,
        /// What would be good.
        allowed: String,
    },
    /// Points of another curve.
    #[error(
        "it is for the curve {curve} ({bits}-bit field), proofs here need BN254 (`bn128` in snarkjs); use a file made for that"
    )]
    Curve {
        /// The curve's name, where it is known.
        curve: &'static str,
        /// Bits of its field elements.
        bits: u32,
    },
    /// A section is there twice.
    #[error("{part} is there twice; download the file again")]
    Duplicate {
        /// The section.
        part: String,
    },
    /// A section is not there.
    #[error("{part} is missing; download the file again")]
    Missing {
        /// The section.
        part: String,
    },
    /// A section that the format does not have.
    #[error("section {id} is not one of a powers-of-tau file; download it again")]
    UnknownSection {
        /// Its number.
        id: u32,
    },
    /// Sections are not in their order.
    #[error("{part} stands after {before}: the sections are swapped; download the file again")]
    Order {
        /// The section that comes too late.
        part: String,
        /// The one before it.
        before: String,
    },
    /// A section has another length than the number of powers implies.
    #[error("{part} has {have} bytes, 2^{power} powers need {need}; download the file again")]
    Length {
        /// The section.
        part: String,
        /// Its bytes.
        have: u64,
        /// The bytes that it should have.
        need: u64,
        /// The file states `2^power` powers.
        power: u32,
    },
    /// Fewer powers than were asked for.
    #[error("it has 2^{have} powers, 2^{need} are needed; use a larger file, or --k {have}")]
    TooFewPowers {
        /// Binary logarithm of the powers in the file.
        have: u32,
        /// Binary logarithm of the powers asked for.
        need: u32,
    },
    /// A coordinate is not reduced.
    #[error(
        "a coordinate of point {index} of {part} is not below the field's prime: the file is damaged or forged"
    )]
    Coordinate {
        /// Where.
        part: &'static str,
        /// Which point, from zero.
        index: u64,
    },
    /// A point is not on the curve.
    #[error("point {index} of {part} is not on the curve: the file is damaged or forged")]
    OffCurve {
        /// Where.
        part: &'static str,
        /// Which point, from zero.
        index: u64,
    },
    /// A point is the identity.
    #[error("point {index} of {part} is the identity: the file is damaged, or its secret is degenerate")]
    Identity {
        /// Where.
        part: &'static str,
        /// Which point, from zero.
        index: u64,
    },
    /// A point of G2 is on the curve but not in the group of the pairing.
    #[error("point {index} of {part} is not in the subgroup of prime order: the file is forged")]
    Subgroup {
        /// Where.
        part: &'static str,
        /// Which point, from zero.
        index: u64,
    },
    /// The first point must be the generator.
    #[error("point 0 of {part} is not the generator: the section is swapped, damaged or forged")]
    Generator {
        /// Where.
        part: &'static str,
    },
    /// A secret under which proofs mean nothing.
    #[error("its secret is degenerate: {why}; use the file of a ceremony")]
    Degenerate {
        /// How.
        why: &'static str,
    },
    /// The points are not consecutive powers of the secret in G2.
    #[error(
        "the points of {part} are not the powers of the secret in G2 (pairing check): the file is damaged or forged"
    )]
    Ratio {
        /// Where.
        part: &'static str,
    },
    /// The Lagrange basis is not the one of the powers.
    #[error(
        "{part} is not the Lagrange basis of the powers (random combination): the file is damaged or forged"
    )]
    Lagrange {
        /// Where.
        part: &'static str,
    },
    /// The record of where a setup comes from contradicts its points.
    #[error(
        "it says that it comes from {file}, but its secret is another one than the ceremony's: the file is forged"
    )]
    Record {
        /// The published file that it names by digest.
        file: &'static str,
    },
    /// Reading failed.
    #[error("reading it failed: {0}")]
    Io(#[from] io::Error),
}

/// Short form of results about setups.
pub(super) type Result<T> = std::result::Result<T, SrsError>;
