#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;
mod check_consumer;
mod check_requests;
mod error;
mod evm;
mod inspect;
mod precompiles;
mod report;
mod solc;
mod stack;

pub use alloy_primitives::{Address, U256};
pub use check::{Checked, self_check};
pub use check_consumer::self_check_consumer;
pub use check_requests::self_check_requests;
pub use error::HarnessError;
pub use evm::{Call, Deployment, Evm, EvmConfig, Fork, Log, Outcome, TX_GAS_CAP};
pub use precompiles::{Patch, precompile};
pub use report::GasReport;
pub use solc::{Compiled, Contract, Settings, Solc, standard_json};
pub use stack::{ROUTE_DELAY, Stack, StackCode};
