//! Flags that say who sees what, shared by several subcommands.

use clap::ValueEnum;
use zkml_graph::Visibility;
use zkml_onnx::{Settings, Visibilities};

/// Who sees what. Whatever is not named keeps the visibility that it has.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Sight {
    /// Who sees the inputs: committed, public, or NAME=public,NAME=committed,… [default: committed]
    #[arg(long, value_name = "WHO")]
    inputs: Option<Visibilities>,
    /// Who sees the weights; with committed ones, one verifier serves all models of the architecture [default: public]
    #[arg(long, value_enum, value_name = "WHO")]
    weights: Option<Who>,
    /// Who sees the outputs: public, committed, or NAME=… [default: public]
    #[arg(long, value_name = "WHO")]
    outputs: Option<Visibilities>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Who {
    /// Part of the verifying key
    Public,
    /// Known to the prover only; the statement carries a salted commitment
    Committed,
}

impl Sight {
    /// Settings with what the flags say.
    pub fn of(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        if let Some(inputs) = &self.inputs {
            settings.inputs.update(inputs);
        }
        if let Some(who) = self.weights {
            settings.weights = match who {
                Who::Public => Visibility::Public,
                Who::Committed => Visibility::Committed,
            };
        }
        if let Some(outputs) = &self.outputs {
            settings.outputs.update(outputs);
        }
        settings
    }
}
