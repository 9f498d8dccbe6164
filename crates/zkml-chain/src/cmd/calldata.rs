//! `zkml-chain calldata`: a proof as contracts take it.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::{steps::calldata, value};

/// Put a proof into the form that contracts take: blob, output, input commitment, registration
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The proof file [default: proofs/proof.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// What the proof is bound to, as `zkml-chain context --out` wrote it: gives subject, deadline and the other parts [default: the file that `prove --context-file` kept beside the proof]
    #[arg(long, value_name = "FILE")]
    context_file: Option<PathBuf>,
    /// Who registers the model: gives its id
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    owner: Option<[u8; 20]>,
    /// Write it as JSON
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// As [`calldata::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let request = calldata::Request {
        proof: args.proof.as_deref(),
        context_file: args.context_file.as_deref(),
        owner: args.owner.as_ref(),
        out: args.out.as_deref(),
    };
    ui.result(&calldata::run(&args.folder.open()?, &request)?)
}
