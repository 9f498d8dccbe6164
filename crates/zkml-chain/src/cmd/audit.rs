//! `zkml-chain audit`: is the contract really that of the model?

use super::{BackendName, GoalName};
use crate::{
    error::Result,
    show::{Ui, audit::Audit},
};
use std::path::PathBuf;
use zkml_protocol::Word;
use zkml_workspace::steps::audit;

/// Build everything again from the ONNX file, and compare it with an artifact folder or the bytecode on a chain
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The artifact folder whose claims are checked [default: none, only the files named below]
    artifacts: Option<PathBuf>,
    /// The ONNX file
    #[arg(long, value_name = "FILE", required_unless_present = "architecture")]
    model: Option<PathBuf>,
    /// Leave private weights aside: any model of the architecture will do, or none, if there is a graph.bin
    #[arg(long)]
    architecture: bool,
    /// The settings [default: settings.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The recorded scales [default: scales.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    scales: Option<PathBuf>,
    /// The integer graph, when there is no model [default: graph.bin in the artifact folder]
    #[arg(long, value_name = "FILE", requires = "architecture", conflicts_with = "model")]
    graph: Option<PathBuf>,
    /// The model's name, which is hashed with it [default: the artifact folder's, or the stem of the ONNX file]
    #[arg(long)]
    name: Option<String>,
    /// What was made cheap [default: what plan.json says; without it, both are tried on --bytecode]
    #[arg(long, value_enum)]
    optimize: Option<GoalName>,
    /// Proof system of the model [default: what plan.json says; without it, all are tried on --bytecode]
    #[arg(long, value_enum)]
    backend: Option<BackendName>,
    /// Trusted setup to use [default: the smallest in the cache that is large enough]
    #[arg(long, value_name = "FILE")]
    srs: Option<PathBuf>,
    /// Take the trusted setup from a powers-of-tau file instead, and check it on the way
    #[arg(long, value_name = "FILE", conflicts_with = "srs")]
    ptau: Option<PathBuf>,
    /// Runtime bytecode of the verifier on a chain
    #[arg(long, value_name = "FILE|0x…")]
    bytecode: Option<String>,
    /// The model commitment that a contract pins
    #[arg(long, value_name = "HEX", value_parser = Word::from_hex)]
    commitment: Option<Word>,
    /// The commitment to private weights that a contract stores
    #[arg(long, value_name = "HEX", value_parser = Word::from_hex)]
    weights_commitment: Option<Word>,
    /// Private file with the salt of the weights [default: weights.private.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    weights_salt: Option<PathBuf>,
    /// Proof that the private weights lie in their ranges [default: ranges.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    weights_ranges: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// As [`audit::run`], and [`Failed`](crate::error::Error::Failed) when something is not what it is claimed to be.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let report = audit::run(
        ui,
        &audit::Request {
            dir: args.artifacts,
            model: args.model,
            architecture: args.architecture,
            settings: args.settings,
            scales: args.scales,
            graph: args.graph,
            name: args.name,
            optimize: args.optimize.map(GoalName::optimize),
            backend: args.backend.and_then(BackendName::backend),
            srs: args.srs,
            ptau: args.ptau,
            bytecode: args.bytecode,
            commitment: args.commitment,
            weights_commitment: args.weights_commitment,
            weights_salt: args.weights_salt,
            weights_ranges: args.weights_ranges,
        },
    )?;
    ui.judged(&Audit::of(&report))
}
