//! `zkml-chain config`: what `zkml.toml` says.

use crate::{
    cli::Cli,
    config::{list, show},
    error::Result,
    show::Ui,
};
use clap::{CommandFactory, Subcommand};

/// Say what zkml.toml sets, and where each value comes from
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show each value and where it comes from: a flag, a line of zkml.toml, or the default
    Show {
        /// A command with its flags: show what it would work with [default: all keys]
        #[arg(value_name = "COMMAND [FLAGS]", trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// List the keys of zkml.toml
    Keys {
        /// As the book's table
        #[arg(long)]
        markdown: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// As [`show::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    match &args.command {
        Command::Show { words } => {
            let (report, json) = show::run(Cli::command(), words)?;
            Ui { json: ui.json || json, ..*ui }.result(&report)
        }
        Command::Keys { markdown } => ui.result(&list::run(*markdown)),
    }
}
