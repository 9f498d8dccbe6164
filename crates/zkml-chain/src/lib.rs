//! The command line: from an ONNX file to a verdict inside the EVM.
//!
//! `cmd` holds one thin file per subcommand, and `show` what people see of its report. What they do is in `zkml-workspace`;
//! `config` is `zkml.toml`, and `project` what `init` and `run` write.

#![deny(unsafe_code)]

pub mod cli;
pub mod cmd;
pub mod config;
pub mod error;
pub mod man;
pub mod project;
pub mod show;
pub mod way_out;
