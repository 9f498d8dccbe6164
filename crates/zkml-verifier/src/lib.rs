//! Verifiers that interpret a program over hostile proof bytes; they never panic and know no prover.
//!
//! One module per proof system; `curve` is what they share.

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod curve;
pub mod plonk;
pub mod sumcheck;
