//! Prints a verifier program as Solidity, with the consumer contract and calldata.

pub mod chains;
mod error;
pub mod errors;

pub use error::CodegenError;
