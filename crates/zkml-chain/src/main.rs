//! The `zkml-chain` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    zkml_chain::cli::main()
}
