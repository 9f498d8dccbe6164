//! The sumcheck back end: layouts of integer graphs, keys, proofs.
//!
//! The protocol is that of [`zkml_protocol::sumcheck`]. [`prover`] proves any program.

#![forbid(unsafe_code)]

pub mod error;
mod field;
mod functional;
pub mod prover;
#[cfg(test)]
mod vectors;

pub use error::{Error, Result};
