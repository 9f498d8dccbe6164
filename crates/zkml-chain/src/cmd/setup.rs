//! `zkml-chain setup`: proving key and verifier program.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_protocol::ProofSystem;
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
    /// How proofs are made
    #[arg(long, value_enum, default_value_t = BackendName::Halo2)]
    backend: BackendName,
}

/// The names of proof systems on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum BackendName {
    /// Columns and gates
    Halo2,
    /// Sumchecks: quicker proofs, for models with public weights
    Sumcheck,
}

impl From<BackendName> for ProofSystem {
    fn from(name: BackendName) -> Self {
        match name {
            BackendName::Halo2 => Self::Plonk,
            BackendName::Sumcheck => Self::Sumcheck,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// As [`setup::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let mut artifacts = args.folder.open_for_writing()?;
    ui.result(&setup::run(ui, &mut artifacts, args.srs.as_deref(), args.backend.into())?)
}
