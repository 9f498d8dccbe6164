//! `zkml-chain setup`: proving key and verifier program.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::steps::setup;

/// Generate the proving key and the verifier program of a compiled model
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Trusted setup to use [default: the best in the cache that is large enough: of a known ceremony, else any imported one, else
    /// the development one]
    #[arg(long, value_name = "FILE")]
    srs: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// As [`setup::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let mut artifacts = args.folder.open_for_writing()?;
    ui.result(&setup::run(ui, &mut artifacts, args.srs.as_deref())?)
}
