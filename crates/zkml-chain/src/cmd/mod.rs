//! One file per subcommand: its arguments, and the call of what does the work.

#[cfg(feature = "chain")]
pub mod accept;
pub mod audit;
#[cfg(feature = "chain")]
pub mod bond;
pub mod calibrate;
pub mod calldata;
#[cfg(feature = "chain")]
pub mod chain_args;
#[cfg(feature = "chain")]
pub mod challenge;
#[cfg(feature = "chain")]
pub mod check_deployment;
pub mod commit;
pub mod compile;
pub mod completions;
pub mod config;
pub mod context;
pub mod demo;
#[cfg(feature = "chain")]
pub mod deploy;
pub mod folder;
pub mod gen_verifier;
pub mod init;
pub mod inspect;
#[cfg(not(feature = "chain"))]
pub mod left_out;
pub mod man;
pub mod ops;
#[cfg(feature = "chain")]
pub mod predict;
pub mod prove;
#[cfg(feature = "chain")]
pub mod queue;
pub mod report;
#[cfg(feature = "chain")]
pub mod request;
#[cfg(feature = "chain")]
pub mod rewards;
pub mod run;
pub mod settings;
pub mod setup;
pub mod sight;
#[cfg(feature = "chain")]
mod signals;
pub mod simulate;
pub mod srs;
#[cfg(feature = "chain")]
pub mod submit;
pub mod verify;
#[cfg(feature = "chain")]
pub mod verify_source;
#[cfg(feature = "chain")]
pub mod watch;
#[cfg(feature = "chain")]
pub mod worker;

use clap::ValueEnum;
use zkml::{Backend, Optimize, Wish};

/// What to make cheap.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Goal {
    /// What to make cheap
    #[arg(long, value_enum, default_value_t = GoalName::Prover)]
    optimize: GoalName,
    /// Proof system of the model
    #[arg(long, value_enum, default_value_t = BackendName::Auto)]
    backend: BackendName,
}

/// Whether an error beyond the tolerance ends the command.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Accuracy {
    /// Go on with a model that errs more than is tolerated
    #[arg(long, visible_alias = "accept-error")]
    allow_inaccurate: bool,
}

/// The names of goals on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum GoalName {
    /// Proving time and memory
    Prover,
    /// Gas of a verification
    Gas,
}

/// The names of proof systems on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BackendName {
    /// Whichever is expected to be better at what is made cheap; `compile` says why
    Auto,
    /// Columns and gates: every model that compiles
    Halo2,
    /// Sumchecks: quicker proofs; the ranges of private weights are proven once, by `commit --model`
    Sumcheck,
}

impl Goal {
    fn wish(self) -> Wish {
        Wish { optimize: self.optimize.optimize(), backend: self.backend.backend() }
    }
}

impl BackendName {
    fn backend(self) -> Option<Backend> {
        match self {
            Self::Auto => None,
            Self::Halo2 => Some(Backend::Halo2),
            Self::Sumcheck => Some(Backend::Sumcheck),
        }
    }
}

impl GoalName {
    fn optimize(self) -> Optimize {
        match self {
            Self::Prover => Optimize::Prover,
            Self::Gas => Optimize::Gas,
        }
    }
}

fn batch(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=65536) => Ok(n),
        _ => Err("a number from 1 to 65536 is expected".into()),
    }
}
