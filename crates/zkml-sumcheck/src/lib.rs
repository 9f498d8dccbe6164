//! The sumcheck back end: layouts of integer graphs, keys, proofs.
//!
//! The protocol is that of [`zkml_protocol::sumcheck`]. [`prover`] proves any program.

#![forbid(unsafe_code)]

pub mod error;
mod field;
mod functional;
pub mod layout;
#[cfg(test)]
mod naive;
pub mod prover;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use error::{Error, Result};
pub use layout::{Layout, Options, lay_out};
