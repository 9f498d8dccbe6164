//! `zkml-chain run`: a project's model the whole way.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_protocol::keccak256;
use zkml_workspace::{folder::model_name, steps::project};

/// Take a model the whole way, to an accepted proof and the files of the project's Foundry tests
///
/// In a project all of it comes from zkml.toml. Without a trusted setup in the cache, the development one is made.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ONNX file
    model: PathBuf,
    #[command(flatten)]
    folder: Folder,
    /// Sample data to calibrate with [default: random numbers, with a warning]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The input to prove [default: the first calibration sample]
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    #[command(flatten)]
    settings: super::settings::SettingsArgs,
    #[command(flatten)]
    goal: super::Goal,
    /// Trusted setup to use [default: the best in the cache that is large enough, else the development one]
    #[arg(long, value_name = "FILE")]
    srs: Option<PathBuf>,
    /// Folder for the generated contracts and a proof for the project's tests; it is replaced as a whole
    #[arg(long, value_name = "DIR", default_value = "contracts/generated")]
    contracts: PathBuf,
    /// What the project's consumer is asked to do: the action is the Keccak-256 of it
    #[arg(long, value_name = "TEXT", default_value = "approve")]
    action_text: String,
    #[command(flatten)]
    accuracy: super::Accuracy,
}

/// Runs the command.
///
/// # Errors
/// As [`project::run`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let request = project::Request {
        dir: args.folder.for_model(&model_name(&args.model)),
        model: args.model,
        data: args.data,
        input: args.input,
        settings: args.settings.settings()?,
        wish: args.goal.wish(),
        srs: args.srs,
        contracts: args.contracts,
        action: keccak256([args.action_text.as_bytes()]),
        allow_inaccurate: args.accuracy.allow_inaccurate,
    };
    ui.result(&project::run(ui, &request)?)
}
