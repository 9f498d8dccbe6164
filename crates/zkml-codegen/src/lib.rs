#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod consumer;
mod error;
pub mod names;
mod reserved;
mod text;
mod verifier;
#[cfg(test)]
mod yul_test;

pub use consumer::{
    any_input_consumer_source, any_input_request_consumer_source, consumer_source, request_consumer_source,
};
pub use error::CodegenError;
pub use verifier::{Favour, sumcheck_verifier_source, verifier_source, verifier_source_favouring};
