//! Prints a verifier program as Solidity, with the consumer contract and calldata.
//!
//! [`verifier_source`] gives `<Model>Verifier.sol`, [`calldata()`] the call that it accepts, and
//! [`consumer_source`] gives `<Model>Consumer.sol`, [`request_consumer_source`] `<Model>RequestConsumer.sol`.
//! Every offset comes from the program's layout and every identity from its constraints: this crate knows no circuit.

#![forbid(unsafe_code)]

mod abi;
mod calldata;
pub mod chains;
mod consumer;
mod error;
pub mod errors;
pub mod library;
pub mod names;
pub mod requests;
mod reserved;
mod submission;
mod text;
mod verifier;
#[cfg(test)]
mod yul_test;

pub use calldata::{
    ConsumerArguments, VERIFY_PROOF, calldata, check_inference, constructor_arguments, deprecate_model,
    encode, register_model, router_arguments, verify_inference, verify_model,
};
pub use consumer::{consumer_source, request_consumer_source};
pub use error::CodegenError;
pub use submission::Submission;
pub use verifier::plonk::{Favour, verifier_source, verifier_source_favouring};
