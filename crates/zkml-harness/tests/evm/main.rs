//! Generated contracts in the local EVM.

mod consumer;
mod support;
mod verifier;
