//! Commands that this build does not have: a call says how to get them.

use crate::error::{Error, Result};

/// Arguments of the command, which are not looked at.
#[derive(Debug, clap::Args)]
pub struct Rest {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Commands that talk to chains.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Says where contracts will be.
    #[command(hide = true, disable_help_flag = true)]
    Predict(Rest),
    /// Deploys contracts.
    #[command(hide = true, disable_help_flag = true)]
    Deploy(Rest),
    /// Checks what is on a chain.
    #[command(hide = true, disable_help_flag = true)]
    CheckDeployment(Rest),
    /// Shows explorers the sources.
    #[command(hide = true, disable_help_flag = true)]
    VerifySource(Rest),
    /// Proves and sends.
    #[command(hide = true, disable_help_flag = true)]
    Submit(Rest),
    /// Asks for an inference.
    #[command(hide = true, disable_help_flag = true)]
    Request(Rest),
    /// Shows and takes out rewards.
    #[command(hide = true, disable_help_flag = true)]
    Rewards(Rest),
    /// Works out bonds.
    #[command(hide = true, disable_help_flag = true)]
    Bond(Rest),
    /// Posts results.
    #[command(hide = true, disable_help_flag = true)]
    Accept(Rest),
    /// Demands proofs.
    #[command(hide = true, disable_help_flag = true)]
    Challenge(Rest),
    /// Serves requests.
    #[command(hide = true, disable_help_flag = true)]
    Watch(Rest),
    /// Proves for a fleet.
    #[command(hide = true, disable_help_flag = true)]
    Worker(Rest),
    /// Looks after a fleet's queue.
    #[command(hide = true, disable_help_flag = true)]
    Queue(Rest),
}

/// Refuses the command.
///
/// # Errors
/// [`Error::LeftOut`], always.
pub fn run(command: &Command) -> Result<()> {
    let command = match command {
        Command::Predict(_) => "predict",
        Command::Deploy(_) => "deploy",
        Command::CheckDeployment(_) => "check-deployment",
        Command::VerifySource(_) => "verify-source",
        Command::Submit(_) => "submit",
        Command::Request(_) => "request",
        Command::Rewards(_) => "rewards",
        Command::Bond(_) => "bond",
        Command::Accept(_) => "accept",
        Command::Challenge(_) => "challenge",
        Command::Watch(_) => "watch",
        Command::Worker(_) => "worker",
        Command::Queue(_) => "queue",
    };
    Err(Error::LeftOut { command })
}
