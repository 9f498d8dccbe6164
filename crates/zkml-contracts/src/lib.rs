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

pub use calls::{
    ConsumerArguments, check_inference, consumer_arguments, deprecate_model, register_model,
    router_arguments, verify_inference, verify_model, verify_proof, verify_proof_unchecked,
};
pub use error::AbiError;
pub use submission::Submission;
