//! The sumcheck back end: layouts of integer graphs, keys, proofs.
//!
//! The protocol is that of [`zkml_protocol::sumcheck`]. [`layout`] makes a program and the witness of a run from the relations of
//! a graph, and certifies that each relation is stated by it; [`prover`] proves any program.

#![forbid(unsafe_code)]

pub mod error;
mod field;
#[cfg(test)]
mod forging;
mod functional;
pub mod integers;
pub mod keys;
pub mod layout;
#[cfg(test)]
mod naive;
pub mod plan;
mod points;
#[cfg(test)]
mod private_tests;
pub mod prover;
pub mod ranges;
mod tensor;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod vector;
#[cfg(test)]
mod vectors;

pub use error::{Error, Result};
pub use integers::Integers;
pub use keys::Keys;
pub use layout::{Layout, Options, ROWS_PER_CALL, Unconfirmed, lay_out, lay_out_unconfirmed};
pub use plan::{Plan, plan};
pub use points::Points;
pub use ranges::RangeKeys;
