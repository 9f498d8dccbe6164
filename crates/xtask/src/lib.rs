//! Tasks for developers of this repository: `cargo xtask` and a command, or make's targets of the same names.
//!
//! - `bench` measures whole processes of the command line,
//! - `fixtures` keeps the real proofs and contracts of the contracts' tests up to date,
//! - `pages` prints the pages of the book that follow from the program.

#![deny(unsafe_code)]

pub mod bench;
mod conformance;
pub mod error;
pub mod fixtures;
pub mod pages;
