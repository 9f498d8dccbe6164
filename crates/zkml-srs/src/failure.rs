//! What can go wrong while setups are made, read and checked.

use std::{io, path::PathBuf};

use crate::SrsError;

/// Errors of trusted setups and of files with a checksum.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A size that is not made here.
    #[error("`srs dev`: {detail}")]
    Size {
        /// Why.
        detail: String,
    },
    /// The trusted setup has too few powers.
    #[error(
        "the SRS {path} has 2^{have} powers, the circuit needs 2^{need}; make or import one with k ≥ {need}"
    )]
    TooSmall {
        /// File, or a description.
        path: String,
        /// What it has.
        have: u32,
        /// What is needed.
        need: u32,
    },
    /// The trusted setup was stored without the powers in the second group that are needed.
    #[error(
        "the SRS {path} has only the first power in the second group, and proofs by sumcheck need more: import its .ptau file again with `zkml-chain srs import`"
    )]
    NoPowersInG2 {
        /// File, or a description.
        path: String,
    },
    /// The record of where a setup comes from cannot be read.
    #[error("{path}: its record of where it comes from cannot be read ({source}); import it again", path = .path.display())]
    BadOrigin {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: postcard::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {detail}", path = .path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and the way out.
        detail: String,
    },
    /// A trusted setup, or the powers-of-tau file of one, is not good.
    #[error("{path}: {why}", path = .path.display())]
    Unsound {
        /// The file.
        path: PathBuf,
        /// What is wrong and the way out.
        why: Box<SrsError>,
    },
    /// Reading or writing failed.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
}

/// Short form of results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
