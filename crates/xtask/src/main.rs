//! `cargo xtask`: what developers of this repository run.

#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};
use xtask::{
    bench,
    error::Result,
    fixtures::{self, Mode, Options},
    pages,
};
use zkml_chain::show::{Ui, raw};

/// Tasks of this repository
#[derive(Debug, Parser)]
#[command(name = "xtask", version)]
struct Cli {
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Bench(BenchArgs),
    Fixtures(FixturesArgs),
    Pages(PagesArgs),
}

/// Measures whole processes of `zkml-chain`; writes results.json
#[derive(Debug, clap::Args)]
struct BenchArgs {
    /// Models to measure
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "credit_mlp,mnist_mlp,lenet,mlp_1m,transformer,vgg_mini"
    )]
    models: Vec<String>,
    /// Proof system of the model
    #[arg(long, value_delimiter = ',', default_value = "halo2,sumcheck")]
    backends: Vec<String>,
    /// What to make cheap
    #[arg(long, value_delimiter = ',', default_value = "prover,gas")]
    optimize: Vec<String>,
    /// Seeded networks of growing width and depth instead of models; writes scaling.json
    #[arg(long, conflicts_with_all = ["models", "from"])]
    scaling: bool,
    /// Proofs per model and back end
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Folder of the benchmark models
    #[arg(long, default_value = "models/bench")]
    from: PathBuf,
    /// Folder for artifacts and results.json
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Print the results as a Markdown table
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// Keeps the fixtures of contracts/test up to date
#[derive(Debug, clap::Args)]
struct FixturesArgs {
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
}

/// Writes the pages of the book that follow from the program, where they are out of date
#[derive(Debug, clap::Args)]
struct PagesArgs {
    /// The repository's root
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    let Cli { json, task } = Cli::parse();
    let ui = Ui { json, quiet: false };
    let ended = match task {
        Task::Bench(args) => measure(&ui, args),
        Task::Fixtures(args) => look_after(&ui, args),
        Task::Pages(args) => refresh(&ui, &args),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{:?}", miette::Report::new(error));
            ExitCode::FAILURE
        }
    }
}

fn measure(ui: &Ui, args: BenchArgs) -> Result<()> {
    // The binary under test lies beside this one.
    let program = std::env::current_exe().unwrap_or_default().with_file_name("zkml-chain");
    let options = bench::Options {
        program,
        models: args.from,
        names: args.models,
        backends: args.backends,
        goals: args.optimize,
        runs: args.runs,
        out: args.out,
    };
    if args.scaling {
        let scaling = bench::scaling(ui, &options)?;
        return Ok(if args.markdown { raw(scaling.markdown().as_bytes()) } else { ui.result(&scaling) }?);
    }
    let results = bench::run(ui, &options)?;
    Ok(if args.markdown { raw(results.markdown().as_bytes()) } else { ui.result(&results) }?)
}

fn look_after(ui: &Ui, args: FixturesArgs) -> Result<()> {
    let FixturesArgs { check, force, only, root } = args;
    let mode = match (check, force) {
        (true, _) => Mode::Check,
        (_, true) => Mode::Force,
        _ => Mode::Refresh,
    };
    Ok(ui.result(&fixtures::run(ui, &Options { root, mode, only })?)?)
}

fn refresh(ui: &Ui, args: &PagesArgs) -> Result<()> {
    let written = pages::refresh(&args.root)?;
    written.iter().for_each(|page| ui.say(page.display()));
    ui.say(format_args!("{} pages were out of date", written.len()));
    Ok(())
}
