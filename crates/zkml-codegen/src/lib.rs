//! Prints a verifier program as Solidity, with the consumer contract and calldata.
//!
//! [`verifier_source`] gives `<Model>Verifier.sol`, [`calldata()`] the call that it accepts, and
//! [`consumer_source`] gives `<Model>Consumer.sol`.
//! Every offset comes from the program's layout and every identity from its constraints: this crate knows no circuit.

mod calldata;
pub mod chains;
mod consumer;
mod error;
pub mod errors;
pub mod names;
mod text;
mod verifier;
#[cfg(test)]
mod yul_test;

pub use calldata::{
    VERIFY_PROOF, calldata, check_inference, constructor_arguments, encode, verify_inference,
    weights_commitment,
};
pub use consumer::consumer_source;
pub use error::CodegenError;
pub use verifier::{Favour, verifier_source, verifier_source_favouring};
