//! `zkml-fixtures`: makes the real proofs and contracts that the contracts' tests use, or checks them.

#![forbid(unsafe_code)]

use clap::Parser;
use std::{path::PathBuf, process::ExitCode};
use zkml_chain::{
    fixtures::{self, Mode, Options},
    output::Ui,
};

/// Keeps the fixtures of contracts/test up to date
#[derive(Debug, Parser)]
#[command(name = "zkml-fixtures", version)]
struct Args {
    /// Make nothing; fail when something is out of date
    #[arg(long, conflicts_with = "force")]
    check: bool,
    /// Make all proofs again
    #[arg(long)]
    force: bool,
    /// Only the model of this name with its proofs, or the proof of this name
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// The repository's root
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let Args { check, force, only, root, json } = Args::parse();
    let ui = Ui { json, quiet: false };
    let mode = match (check, force) {
        (true, _) => Mode::Check,
        (_, true) => Mode::Force,
        _ => Mode::Refresh,
    };
    match fixtures::run(&ui, &Options { root, mode, only }).and_then(|report| ui.result(&report)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let class = error.class();
            ui.failure(error);
            ExitCode::from(class as u8)
        }
    }
}
