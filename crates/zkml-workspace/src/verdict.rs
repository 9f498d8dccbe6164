//! The no of a step that judges. It is part of a report that is whole, not an error that ends the step.

use std::path::PathBuf;
use zkml_onnx::Alarm;

/// A report with a verdict.
pub trait Judged {
    /// Passed, or else why not.
    ///
    /// # Errors
    /// [`Failed`] with what speaks against it.
    fn verdict(&self) -> Result<(), Failed>;
}

/// Why a verdict is no.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// What was built again is not what is claimed.
    #[error("the {what} is not what the model gives: {claimed} is claimed, {rebuilt} was built")]
    Differs {
        /// The first thing that differs; what comes after it usually follows from it.
        what: &'static str,
        /// Names what was built.
        rebuilt: String,
        /// Names the claim.
        claimed: String,
    },
    /// The integer model errs more than its settings tolerate.
    #[error(transparent)]
    Inaccurate(Inaccurate),
    /// What is on a chain is not what should be there.
    #[cfg(feature = "chain")]
    #[error("on {chain} these are not as they should be: {}", .failed.join(", "))]
    Deployment {
        /// The chain's name.
        chain: String,
        /// The checks that failed.
        failed: Vec<String>,
    },
    /// What was deployed waits for somebody else.
    #[cfg(feature = "chain")]
    #[error("on {chain} these wait for a transaction of somebody else: {}", .steps.join(", "))]
    Waits {
        /// The chain's name.
        chain: String,
        /// The parts, each with the account or the part that it waits for.
        steps: Vec<String>,
    },
    /// A service does not come to the code that is on the chain.
    #[cfg(feature = "chain")]
    #[error(transparent)]
    Sources(zkml_deploy::source::SourceError),
}

/// The integer model errs more than its settings tolerate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "output `{}` of the integer model differs from the float model by up to {:.3e}, which is {:.1} times the {:.1e} that is \
     tolerated{}",
    .alarm.output,
    .alarm.error,
    .alarm.times(),
    .alarm.allowed,
    suspected(.alarm)
)]
pub struct Inaccurate {
    /// The output, its error, and what is tolerated.
    pub alarm: Alarm,
    /// The artifact folder.
    pub dir: PathBuf,
}

/// Where an error shows first, as the end of a sentence.
#[must_use]
pub fn suspected(alarm: &Alarm) -> String {
    let layer = alarm.layer.as_ref().filter(|l| **l != alarm.output);
    layer.map_or_else(String::new, |l| format!("; the error shows first in `{l}`"))
}
