//! The native module of the Python package `zkml_chain`: the steps of `zkml-workspace`, and the command line.
//!
//! It is thin. What people use is written in Python above it, with types and documentation; reports come out as JSON. A step works on
//! threads of its own without Python's lock, while the thread that called it looks for signals and shows progress.

#![deny(unsafe_code)]

mod arrays;
mod command;
mod failure;
mod steps;
mod verdict;
mod work;

use pyo3::prelude::*;

/// Functions below `zkml_chain`; nothing here is stable.
#[pymodule(name = "_native", gil_used = true)]
mod native {
    #[pymodule_export]
    use super::command::main;
    #[pymodule_export]
    use super::steps::{
        calibrate, commit, commit_weights, compile, compile_like, infer, inspect, nodes, ports, prove,
        report, setup, simulate, solidity,
    };
    #[pymodule_export]
    use super::verdict::verify;
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
