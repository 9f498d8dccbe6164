//! Prints a verifier program as Solidity, with the consumer contract and calldata.
//!
//! [`verifier_source`] gives `<Model>Verifier.sol`, and [`calldata()`] the call that it accepts.
//! Every offset comes from the program's layout and every identity from its constraints: this crate knows no circuit.

mod calldata;
pub mod chains;
mod error;
pub mod errors;
pub mod names;
mod text;
mod verifier;

pub use calldata::{VERIFY_PROOF, calldata, encode};
pub use error::CodegenError;
pub use verifier::verifier_source;
