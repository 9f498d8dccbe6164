//! The command line: subcommands, global flags, exit codes.

use crate::{
    cmd, config,
    error::{EXIT_CODES, Error, Result},
    show::{Ui, clean::clean},
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::{ffi::OsString, io::Write, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// Turns an ONNX model into something a smart contract can trust.
///
/// It proves: this committed model, on this input, gave this output. It does not prove that the model
/// is good or that the input is true.
#[derive(Debug, Parser)]
#[command(name = "zkml-chain", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Print the result as one JSON document
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing on stderr besides warnings and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(cmd::init::Args),
    Run(cmd::run::Args),
    Inspect(cmd::inspect::Args),
    Ops(cmd::ops::Args),
    Calibrate(cmd::calibrate::Args),
    Compile(cmd::compile::Args),
    Srs(cmd::srs::Args),
    Setup(cmd::setup::Args),
    Commit(cmd::commit::Args),
    Context(cmd::context::Args),
    Prove(cmd::prove::Args),
    Verify(cmd::verify::Args),
    Calldata(cmd::calldata::Args),
    GenVerifier(cmd::gen_verifier::Args),
    Simulate(cmd::simulate::Args),
    #[cfg(feature = "chain")]
    Predict(cmd::predict::Args),
    #[cfg(feature = "chain")]
    Deploy(cmd::deploy::Args),
    #[cfg(feature = "chain")]
    CheckDeployment(cmd::check_deployment::Args),
    #[cfg(feature = "chain")]
    VerifySource(cmd::verify_source::Args),
    #[cfg(feature = "chain")]
    Submit(cmd::submit::Args),
    #[cfg(feature = "chain")]
    Request(cmd::request::Args),
    #[cfg(feature = "chain")]
    Rewards(cmd::rewards::Args),
    #[cfg(feature = "chain")]
    Bond(cmd::bond::Args),
    #[cfg(feature = "chain")]
    Accept(Box<cmd::accept::Args>),
    #[cfg(feature = "chain")]
    Challenge(Box<cmd::challenge::Args>),
    #[cfg(feature = "chain")]
    Watch(cmd::watch::Args),
    #[cfg(feature = "chain")]
    Worker(cmd::worker::Args),
    #[cfg(feature = "chain")]
    Queue(cmd::queue::Args),
    Audit(cmd::audit::Args),
    Report(cmd::report::Args),
    Demo(cmd::demo::Args),
    Config(cmd::config::Args),
    Completions(cmd::completions::Args),
    Man(cmd::man::Args),
    #[cfg(not(feature = "chain"))]
    #[command(flatten)]
    LeftOut(cmd::left_out::Command),
}

impl Command {
    /// What is logged when `RUST_LOG` does not say: a service says what it does, others have reports.
    #[cfg_attr(not(feature = "chain"), expect(unused_variables, reason = "there is no service"))]
    fn log(&self, quiet: bool) -> &'static str {
        match self {
            #[cfg(feature = "chain")]
            Self::Watch(_) | Self::Worker(_) if quiet => "error,zkml_deploy=warn,zkml_service=warn",
            #[cfg(feature = "chain")]
            Self::Watch(_) | Self::Worker(_) => "error,zkml_deploy=info,zkml_service=info",
            _ => "error",
        }
    }

    fn run(self, ui: &Ui) -> Result<()> {
        match self {
            Self::Init(args) => cmd::init::run(ui, &args),
            Self::Run(args) => cmd::run::run(ui, args),
            Self::Inspect(args) => cmd::inspect::run(ui, &args),
            Self::Ops(args) => cmd::ops::run(ui, &args),
            Self::Calibrate(args) => cmd::calibrate::run(ui, args),
            Self::Compile(args) => cmd::compile::run(ui, &args),
            Self::Srs(args) => cmd::srs::run(ui, &args),
            Self::Setup(args) => cmd::setup::run(ui, &args),
            Self::Commit(args) => cmd::commit::run(ui, args),
            Self::Context(args) => cmd::context::run(ui, &args),
            Self::Prove(args) => cmd::prove::run(ui, args),
            Self::Verify(args) => cmd::verify::run(ui, &args),
            Self::Calldata(args) => cmd::calldata::run(ui, &args),
            Self::GenVerifier(args) => cmd::gen_verifier::run(ui, &args),
            Self::Simulate(args) => cmd::simulate::run(ui, &args),
            #[cfg(feature = "chain")]
            Self::Predict(args) => cmd::predict::run(ui, args),
            #[cfg(feature = "chain")]
            Self::Deploy(args) => cmd::deploy::run(ui, args),
            #[cfg(feature = "chain")]
            Self::CheckDeployment(args) => cmd::check_deployment::run(ui, &args),
            #[cfg(feature = "chain")]
            Self::VerifySource(args) => cmd::verify_source::run(ui, &args),
            #[cfg(feature = "chain")]
            Self::Submit(args) => cmd::submit::run(ui, args),
            #[cfg(feature = "chain")]
            Self::Request(args) => cmd::request::run(ui, args),
            #[cfg(feature = "chain")]
            Self::Rewards(args) => cmd::rewards::run(ui, args),
            #[cfg(feature = "chain")]
            Self::Bond(args) => cmd::bond::run(ui, &args),
            #[cfg(feature = "chain")]
            Self::Accept(args) => cmd::accept::run(ui, *args),
            #[cfg(feature = "chain")]
            Self::Challenge(args) => cmd::challenge::run(ui, *args),
            #[cfg(feature = "chain")]
            Self::Watch(args) => cmd::watch::run(ui, args),
            #[cfg(feature = "chain")]
            Self::Worker(args) => cmd::worker::run(ui, args),
            #[cfg(feature = "chain")]
            Self::Queue(args) => cmd::queue::run(ui, args),
            Self::Audit(args) => cmd::audit::run(ui, args),
            Self::Report(args) => cmd::report::run(ui, &args),
            Self::Demo(args) => cmd::demo::run(ui, args),
            Self::Config(args) => cmd::config::run(ui, &args),
            Self::Completions(args) => cmd::completions::run(&args),
            Self::Man(args) => cmd::man::run(ui, &args),
            #[cfg(not(feature = "chain"))]
            Self::LeftOut(command) => cmd::left_out::run(&command),
        }
    }
}

/// Runs the command that the arguments of this process name, and turns its end into an exit code.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os().collect()))
}

/// Runs the command that these words name, the program's name first, and returns its exit code. Help, and a command line that cannot
/// be read, may end the process.
#[must_use]
pub fn run(words: Vec<OsString>) -> u8 {
    explain_panics();
    survive_full_disks();
    // What zkml.toml says stands beneath the flags.
    let cli = match config::matches(Cli::command(), &words) {
        Ok(matches) => Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit()),
        Err((ui, error)) => return failed(ui, error),
    };
    talk(cli.command.log(cli.quiet));
    let ui = Ui { json: cli.json, quiet: cli.quiet };
    match cli.command.run(&ui) {
        Ok(()) => 0,
        Err(error) => failed(ui, error),
    }
}

/// Says how the command failed, and takes the exit code from it.
fn failed(ui: Ui, error: Error) -> u8 {
    let code = error.exit_code();
    ui.failure(error);
    code
}

/// Logs to stderr as `RUST_LOG` says, or else as `usual` does.
fn talk(usual: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    // Libraries log URLs, and what endpoints answer.
    let out = || clean(anstream::stderr());
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(out).try_init();
}

/// A file-size limit shall be an error like a full disk, not a signal that kills us half-way.
fn survive_full_disks() {
    #[cfg(unix)]
    // SAFETY: ignoring a signal installs no handler; nothing of ours depends on its default action.
    #[expect(unsafe_code, reason = "the standard library cannot ignore a signal")]
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// A panic is a defect of ours: say so, and how to report it.
fn explain_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(
            clean(anstream::stderr()),
            "zkml-chain {} stopped at a defect of its own: {panic}\nPlease report it with the command line and the model.",
            env!("CARGO_PKG_VERSION")
        );
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
