//! The command line: from an ONNX file to a verdict inside the EVM.
//!
//! `cmd` holds one thin file per subcommand; what they do lives beside it: the artifact folder
//! (`artifacts`), the steps (`pipeline`), a project of one's own (`project`) and its settings (`config`), and how results are shown (`output`, `progress`, `table`).

#![deny(unsafe_code)]

pub mod artifacts;
pub mod bench;
pub mod cli;
pub mod cmd;
pub mod config;
pub mod context_file;
pub mod error;
pub mod fixtures;
pub mod folder;
pub mod html;
pub mod json;
pub mod man;
pub mod output;
pub mod pipeline;
pub mod private_file;
pub mod progress;
pub mod project;
pub mod proof_file;
pub mod table;
pub mod value;
