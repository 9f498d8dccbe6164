//! Generated contracts in the local EVM.

mod batch;
mod consumer;
mod mutants;
mod private;
mod requests;
mod rewards;
mod self_check;
mod statement;
mod style;
mod sumcheck;
mod support;
mod verifier;
