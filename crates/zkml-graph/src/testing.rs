//! Test cases of every operator, for this crate's harness and for every back end.
//!
//! A back end runs all [`cases`] through its own checker: each must be accepted as it is, and refused after
//! any cell of [`Case::cells`] has changed.

mod networks;

#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod random;

pub use crate::case::Case;
use crate::ops;

/// The cases of all operators, then small networks that combine them.
pub fn cases() -> Vec<Case> {
    [ops::cases(), networks::cases()].concat()
}
