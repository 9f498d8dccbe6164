//! Trusted setup: powers of a secret in the exponent.
//!
//! | module | what it does |
//! |---|---|
//! | [`setup`] | a whole setup |
//! | [`dev`] | makes the insecure development setup |
//! | [`ptau`], [`import`] | read powers-of-tau files of snarkjs |
//! | [`points`], [`check`] | check points one by one, and whole setups by random combination |
//! | [`second`] | the powers in G2 that openings by rows need |
//! | [`glv`], [`lagrange`] | the Lagrange basis of the powers |
//! | [`origin`] | where a setup comes from, and which ceremonies are known |
//! | [`slice`] | as many powers as one model takes, from whoever offers it |
//! | [`file`] | setups of ours on disk |
//!
//! Whole setups are in the proving library's form. Without the feature `setup` there are slices alone, and no proving library.

#![deny(unsafe_code)]

mod check;
pub mod container;
mod dev;
mod error;
mod failure;
#[cfg(feature = "setup")]
mod file;
#[cfg(feature = "setup")]
mod glv;
#[cfg(feature = "setup")]
mod import;
#[cfg(feature = "setup")]
mod lagrange;
mod origin;
mod parallel;
mod points;
#[cfg(feature = "setup")]
mod ptau;
#[cfg(feature = "setup")]
mod second;
#[cfg(feature = "setup")]
mod setup;
mod slice;
#[cfg(all(test, feature = "setup"))]
mod tests;

use std::path::Path;

pub use error::SrsError;
pub use failure::{Error, Result};
pub use origin::{Ceremony, Provenance};
pub use slice::Slice;
#[cfg(feature = "setup")]
pub use {
    file::Summary,
    import::DEFAULT_K,
    origin::Source,
    setup::{MAX_K, Srs, Stage, Watch, verifier_part},
};

fn refused(path: &Path, why: SrsError) -> Error {
    Error::Unsound { path: path.into(), why: Box::new(why) }
}
