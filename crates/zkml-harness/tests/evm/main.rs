//! Generated contracts in the local EVM.

mod consumer;
mod private;
mod statement;
mod support;
mod verifier;
