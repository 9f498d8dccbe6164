#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod abi;
pub mod acceptance;
mod calls;
pub mod chains;
mod error;
pub mod errors;
pub mod library;
mod log;
pub mod requests;
mod submission;

/// Ending of the name of a verifier's second contract, which its constructor creates: a verifier is two contracts where one would
/// have more code than a chain takes. The verifier's only immutable is the hash of the second one's code.
pub const REST: &str = "Rest";

pub use calls::{
    ConsumerArguments, PAIRING_INPUT, check_inference, consumer_arguments, deprecate_model, first_refused,
    pairing_input_unchecked, pairs, refused_place, register_model, router_arguments, verify_batch,
    verify_inference, verify_model, verify_proof, verify_proof_unchecked,
};
pub use error::AbiError;
pub use submission::Submission;
