//! The command line: from an ONNX file to a verdict inside the EVM.
//!
//! `cmd` holds one thin file per subcommand; what they do lives beside it: the artifact folder
//! (`artifacts`), the steps (`pipeline`), and how results are shown (`output`, `progress`, `table`).

pub mod artifacts;
pub mod cli;
pub mod cmd;
pub mod error;
pub mod json;
pub mod output;
pub mod progress;
pub mod table;
