//! `zkml-chain commit`: what a contract or a browser may hold against a proof later.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use clap::ArgGroup;
use std::path::PathBuf;
use zkml_protocol::Word;
use zkml_workspace::steps::commit;

/// Compute the commitment to an input or to private weights; its salt goes into a private file
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("what").required(true).args(["input", "sample", "model", "opening"]))]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Commit to this input: {"inputs": {"name": [numbers]}}, or a file of samples
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Commit to the first calibration sample
    #[arg(long)]
    sample: bool,
    /// Commit to the private weights of the model
    #[arg(long)]
    model: bool,
    /// Recompute the commitments of a private file from its salts and values
    #[arg(long, value_name = "FILE")]
    opening: Option<PathBuf>,
    /// Which sample of a file of samples
    #[arg(long, default_value_t = 0, value_name = "N", conflicts_with_all = ["model", "opening"])]
    index: usize,
    /// Only the input of this name
    #[arg(long, value_name = "INPUT", conflicts_with_all = ["model", "opening"])]
    name: Option<String>,
    /// Where to keep the salts [default: beside the input, as NAME.private.json]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "opening"])]
    salt_file: Option<PathBuf>,
    /// A commitment that the private file must open
    #[arg(long, value_name = "COMMITMENT", requires = "opening", value_parser = Word::from_hex)]
    check: Option<Word>,
}

/// Runs the command.
///
/// # Errors
/// As [`commit::run`] and [`commit::check`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    if let Some(path) = &args.opening {
        return ui.result(&commit::check(path, args.check)?);
    }
    let artifacts = args.folder.open()?;
    let request = match args.model {
        true => commit::Request::Model,
        false => {
            let Args { input, index, name, salt_file, .. } = args;
            commit::Request::Inputs { input, index, name, salt_file }
        }
    };
    ui.result(&commit::run(&artifacts, &request)?)
}
