#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod acceptance;
pub mod amount;
pub mod asset;
pub mod beacon;
pub mod chain;
pub mod check;
pub mod consumer;
mod create2;
pub mod deploy;
pub mod error;
pub mod http;
mod interfaces;
pub mod keys;
pub mod package;
pub mod plan;
pub mod preflight;
pub mod publication;
pub mod record;
pub mod rpc;
pub mod secret;
pub mod source;
pub mod transaction;

pub use alloy::primitives::{Address, B256, Bytes, U256, utils::format_ether};
pub use create2::{CREATE2_FACTORY, create2_address, salt};
pub use error::{DeployError, Result};
