//! The steps between an ONNX file and a verdict inside the EVM; each tells an observer what it does, and returns its report.

#[cfg(feature = "chain")]
pub mod acceptance;
pub mod audit;
#[cfg(feature = "chain")]
pub mod bond;
pub mod calibrate;
pub mod calldata;
pub mod commit;
pub mod compile;
pub mod compiled;
pub mod context;
pub mod demo;
#[cfg(feature = "chain")]
pub mod deploy;
pub mod disclosure;
pub mod evaluate;
#[cfg(feature = "chain")]
mod funding;
pub mod inspect;
pub mod ops;
#[cfg(feature = "chain")]
pub mod paying;
pub mod project;
pub mod prove;
pub mod relations;
pub mod report;
#[cfg(feature = "chain")]
pub mod request;
#[cfg(feature = "chain")]
pub mod rewards;
pub mod same_architecture;
#[cfg(feature = "chain")]
pub mod sending;
pub mod setup;
pub mod simulate;
pub mod solidity;
pub mod srs;
#[cfg(feature = "chain")]
mod statement;
#[cfg(feature = "chain")]
pub mod submit;
pub mod tamper;
pub mod verify;
#[cfg(feature = "chain")]
pub mod verify_source;
#[cfg(feature = "chain")]
pub mod watch;
pub mod weights;

use crate::error::{Error, Result};
use std::path::Path;

/// The content of a file as text.
fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| Error::content(path, "it is not text; a JSON file is expected"))
}
