//! Ends of a task.

use std::fmt::{self, Display};
use zkml_chain::{error::Error as ShowError, way_out};
use zkml_workspace::Error as StepError;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a task ended without its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A step, a file or a folder.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The result cannot be shown.
    #[error(transparent)]
    Show(#[from] ShowError),
    /// A fixture of the contracts' tests cannot be made or checked.
    #[error("fixture `{name}` cannot be made")]
    Fixture {
        /// The scenario.
        name: String,
        /// Why.
        source: Box<Error>,
    },
    /// Committed fixtures are not what the repository gives.
    #[error("{} fixtures are out of date: {}", .stale.len(), .stale.join("; "))]
    StaleFixtures {
        /// The files, each with the reason.
        stale: Vec<String>,
    },
    /// No scenario has this name.
    #[error("no model and no proof of the scenarios is called `{name}`")]
    NoSuchFixture {
        /// The name.
        name: String,
    },
    /// A fixture's model is compiled for a prover that cannot forge cells as the contracts' tests need it.
    #[error("`{model}` is compiled for another proof system than halo2")]
    NotHalo2 {
        /// The model.
        model: String,
    },
    /// A page has no place for what is generated.
    #[error("{page} has no lines that say where the table begins and ends")]
    NoPlace {
        /// The page.
        page: &'static str,
    },
    /// A step of the benchmark failed.
    #[error("`zkml-chain {command}` failed: {why}")]
    Child {
        /// Its arguments.
        command: String,
        /// Reason for the failure.
        why: String,
    },
}

impl Error {
    pub(crate) fn fixture(name: &str, source: Self) -> Self {
        Self::Fixture { name: name.to_owned(), source: Box::new(source) }
    }

    /// The way out, where the message does not say it already.
    #[must_use]
    pub fn way_out(&self) -> Option<String> {
        match self {
            Self::Step(error) => way_out::of_step(error),
            Self::Show(error) => error.way_out(),
            Self::Fixture { source, .. } => source.way_out(),
            Self::StaleFixtures { .. } => Some("run `make fixtures` and commit what it writes".into()),
            _ => None,
        }
    }
}

impl miette::Diagnostic for Error {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.way_out().map(|words| Box::new(words) as Box<dyn fmt::Display>)
    }
}

/// Errors of the parts that steps are made of count as errors of a step.
macro_rules! from_parts {
    ($($part:ty),* $(,)?) => {
        $(impl From<$part> for Error {
            fn from(error: $part) -> Self {
                Self::Step(error.into())
            }
        })*
    };
}

from_parts!(
    zkml_graph::GraphError,
    zkml_halo2::ProverError,
    zkml_onnx::Error,
    zkml_poseidon::CommitError,
    zkml_protocol::envelope::EnvelopeError,
    zkml_srs::Error,
);
