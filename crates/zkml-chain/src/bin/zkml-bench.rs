//! `zkml-bench`: runs the real `zkml-chain` binary over the benchmark models and prints its figures.

#![forbid(unsafe_code)]

use clap::Parser;
use std::{path::PathBuf, process::ExitCode};
use zkml_chain::{
    bench,
    error::Result,
    output::{Ui, raw},
};

/// Measures whole processes of `zkml-chain`; writes results.json
#[derive(Debug, Parser)]
#[command(name = "zkml-bench", version)]
struct Args {
    /// Models to measure
    #[arg(long, value_delimiter = ',', default_value = "credit_mlp,mnist_mlp,lenet,mlp_1m")]
    models: Vec<String>,
    /// What to make cheap
    #[arg(long, value_delimiter = ',', default_value = "prover,gas")]
    optimize: Vec<String>,
    /// Proofs per model and goal
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Folder of the benchmark models
    #[arg(long, default_value = "models/bench")]
    from: PathBuf,
    /// Folder for artifacts and results.json
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// Print the results as a Markdown table
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let ui = Ui { json: args.json, quiet: false };
    match measure(&ui, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let class = error.class();
            ui.failure(error);
            ExitCode::from(class as u8)
        }
    }
}

fn measure(ui: &Ui, args: Args) -> Result<()> {
    // The binary under test lies beside this one.
    let program = std::env::current_exe().unwrap_or_default().with_file_name("zkml-chain");
    let results = bench::run(
        ui,
        &bench::Options {
            program,
            models: args.from,
            names: args.models,
            goals: args.optimize,
            runs: args.runs,
            out: args.out,
        },
    )?;
    if args.markdown { raw(results.markdown().as_bytes()) } else { ui.result(&results) }
}
