//! Why a file, a text or a record cannot be used: the causes of errors.

use std::{error::Error, io, str::FromStr};

use alloy::{primitives::Address, signers::local::LocalSignerError};
use zkml_contracts::chains::{self, Chain};

/// Why a file of chains cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainsFileError {
    /// The system does not give it.
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    /// It is not what a file of chains holds.
    #[error(transparent)]
    Syntax(#[from] chains::ParseError),
    /// It takes the name or the id of a known chain for another.
    #[error(
        "{name:?} with id {id} clashes with the {} chain {:?} of id {}",
        if known.test { "test" } else { "live" }, known.name, known.id
    )]
    Clash {
        /// The name in the file.
        name: String,
        /// The id in the file.
        id: u64,
        /// The chain that is known.
        known: Box<Chain>,
    },
    /// What prices publication is no address.
    #[error("l1_fee of {chain} is no address")]
    L1Fee {
        /// The chain.
        chain: String,
        /// What is wrong with it.
        source: <Address as FromStr>::Err,
    },
}

/// Why a text is not the URL of an endpoint or a service. It does not hold the text, which may be secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is no URL.
    #[error(transparent)]
    Syntax(<reqwest::Url as FromStr>::Err),
    /// It is the URL of something else.
    #[error("its scheme is {scheme:?}")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
}

/// Why a keystore cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// It is not there.
    #[error("there is no such file")]
    Missing,
    /// The system does not give it.
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    /// It is something else.
    #[error("it is no encrypted keystore")]
    Format(#[source] serde_json::Error),
    /// It follows another version of the definition.
    #[error("its version is {found}, version 3 is read")]
    Version {
        /// Its version.
        found: u8,
    },
    /// It is encrypted in another way, or holds something else.
    #[error("it does not hold a key of 32 bytes, encrypted with aes-128-ctr")]
    Cipher,
    /// Deriving its key would take too long, or too much memory.
    #[error(
        "the parameters of its key derivation are out of range: dklen {dklen} must be 32, n {n} a power of two up to \
         {most_n}, r {r} and p {p} up to 16, c {c} up to {most_c}"
    )]
    Derivation {
        /// Bytes of the derived key.
        dklen: u64,
        /// Cost of scrypt.
        n: u64,
        /// Block size of scrypt.
        r: u64,
        /// Parallelism of scrypt.
        p: u64,
        /// Rounds of PBKDF2.
        c: u64,
        /// The largest cost that is taken.
        most_n: u64,
        /// The most rounds that are taken.
        most_c: u64,
    },
    /// The password does not fit.
    #[error("the password is wrong")]
    Password,
    /// The library that opens it refuses it.
    #[error(transparent)]
    Content(LocalSignerError),
}

/// Why a record of a deployment, or of a transaction, cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is something else, or damaged.
    #[error("it is not a record of a deployment")]
    Content(#[source] serde_json::Error),
    /// It was written in another format.
    #[error("its layout version is {found}, this program reads {expected}")]
    Version {
        /// Its version.
        found: u32,
        /// The version that is read.
        expected: u32,
    },
    /// Another command has it.
    #[error("another command is deploying and writes it; run this one again when that has ended")]
    InUse,
    /// It is not what was read any more.
    #[error("another command has written it meanwhile; run this one again, it goes on from there")]
    Meanwhile,
    /// It cannot be kept.
    #[error("it cannot be kept")]
    Kept(#[source] Box<dyn Error + Send + Sync>),
}
