#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod abi;
mod calls;
pub mod chains;
mod error;
pub mod errors;
pub mod library;
pub mod requests;
mod submission;

/// What follows a verifier's name in that of the contract with its rest, which its constructor creates: a verifier is two
/// contracts where one would have more code than a chain takes. An immutable of this verifier, its only one, is the hash of
/// that contract's code.
pub const REST: &str = "Rest";

pub use calls::{
    ConsumerArguments, check_inference, consumer_arguments, deprecate_model, register_model,
    router_arguments, verify_inference, verify_model, verify_proof, verify_proof_unchecked,
};
pub use error::AbiError;
pub use submission::Submission;
