//! The `zkml-chain` binary.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    zkml_chain::cli::main()
}
