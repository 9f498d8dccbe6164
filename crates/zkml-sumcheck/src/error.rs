//! Errors of this back end.

use zkml_protocol::sumcheck::ProgramError;

/// Errors of the sumcheck back end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number of a plan that no plan has.
    #[error("the plan has {found} {what}, {least} to {most} are possible")]
    Options {
        /// What is counted.
        what: &'static str,
        /// The number.
        found: u64,
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A relation that this back end cannot lay out.
    #[error("`{label}`: {detail}")]
    Unsupported {
        /// Node that stated it.
        label: String,
        /// The obstacle.
        detail: String,
    },
    /// Nothing confines a variable whose integer value matters.
    #[error(transparent)]
    Unconfined(#[from] zkml_graph::intervals::Unconfined),
    /// The layout does not state a relation.
    #[error(
        "`{label}`: the layout does not state {relation}: {detail}; a proof could claim anything about it, so no key is \
         made. This is a defect of the toolkit: please report it with the model"
    )]
    Uncertified {
        /// Node that stated it.
        label: String,
        /// The relation.
        relation: String,
        /// The missing part.
        detail: String,
    },
    /// The ledger of the relations is not one of this model.
    #[error(
        "{0}; a proof could claim anything about what it leaves out, so no key is made. This is a defect of the toolkit: \
         please report it with the model"
    )]
    Ledger(#[from] zkml_graph::ledger::LedgerError),
    /// A value of a run is not one that its commitment can take.
    #[error("the run does not fit the model: {0}")]
    Committed(#[from] zkml_protocol::commitment::DoesNotFit),
    /// The program that came of a layout contradicts itself.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A proving key that is damaged, or of something else.
    #[error("the proving key is not usable: {0}")]
    BadKey(&'static str),
    /// A run that is not one of this model.
    #[error("the run does not fit the model: {0}")]
    Witness(String),
    /// A challenge hit a value that no proof can have; the next attempt has others.
    #[error("the challenges of this attempt are degenerate; prove again")]
    Unlucky,
    /// Parts of this back end contradict each other.
    #[error("{0}; this is a defect of the toolkit: please report it")]
    Defect(String),
}

/// A result of the sumcheck back end.
pub type Result<T, E = Error> = std::result::Result<T, E>;
