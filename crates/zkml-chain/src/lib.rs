//! The command line: from an ONNX file to a verdict inside the EVM.
//!
//! `cmd` holds one thin file per subcommand, and `show` what people see of its report. What they do is in `zkml-workspace`.

#![deny(unsafe_code)]

pub mod cli;
pub mod cmd;
pub mod error;
pub mod show;
pub mod way_out;
