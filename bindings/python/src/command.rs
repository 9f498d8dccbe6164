//! The command line, as the wheel carries it.

use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs a command line, the program's name first, and returns its exit code; help and mistakes may end the process.
///
/// Signals are the caller's business: what is set in Python does not act while a command runs.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| zkml_chain::cli::run(words))
}
