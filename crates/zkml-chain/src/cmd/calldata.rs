//! `zkml-chain calldata`: a proof as contracts take it.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::{
    steps::calldata::{self, batch},
    value,
};

/// Put a proof, or several for one batch, into the form that contracts take: blob, output, input commitment, registration
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The proof file; several, each with the flag of its own, go into one batch, in their order [default: proofs/proof.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    proof: Vec<PathBuf>,
    /// The context that the proof is bound to, as `zkml-chain context --out` wrote it: gives subject, deadline and the other parts; of several proofs, one for each [default: the file that `prove --context-file` kept beside the proof]
    #[arg(long, value_name = "FILE")]
    context_file: Vec<PathBuf>,
    /// The account that registers the model: gives its id
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    owner: Option<[u8; 20]>,
    /// Write it as JSON
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// As [`calldata::run`] and [`batch::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let Args { folder, proof, context_file, owner, out } = args;
    let (owner, out) = (owner.as_ref(), out.as_deref());
    let artifacts = folder.open()?;
    if proof.len() > 1 || context_file.len() > 1 {
        let request = batch::Request { proofs: proof, context_files: context_file, owner, out };
        return ui.result(&batch::run(&artifacts, &request)?);
    }
    let (proof, context_file) =
        (proof.first().map(PathBuf::as_path), context_file.first().map(PathBuf::as_path));
    ui.result(&calldata::run(&artifacts, &calldata::Request { proof, context_file, owner, out })?)
}
