//! What an audit found.

use crate::{
    steps::relations::Relations,
    verdict::{Failed, Judged},
};
use serde::Serialize;
use zkml_protocol::Word;

/// How one comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Rebuilt, and equal to the claim.
    Same,
    /// Rebuilt, and not equal to the claim.
    Different,
    /// Rebuilt; nothing was claimed.
    Rebuilt,
    /// Not rebuilt.
    Skipped,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was compared.
    pub what: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// How it was rebuilt, or why not.
    pub how: &'static str,
    /// Names what was rebuilt: Keccak-256 of it, or its own commitment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuilt: Option<Word>,
    /// The same of the claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Word>,
}

impl Check {
    pub(super) fn digests(
        what: &'static str,
        how: &'static str,
        rebuilt: Word,
        claimed: Option<Word>,
    ) -> Self {
        let verdict = match claimed {
            Some(claimed) if claimed == rebuilt => Verdict::Same,
            Some(_) => Verdict::Different,
            None => Verdict::Rebuilt,
        };
        Self { what, verdict, how, rebuilt: Some(rebuilt), claimed }
    }

    pub(super) fn skipped(what: &'static str, why: &'static str) -> Self {
        Self { what, verdict: Verdict::Skipped, how: why, rebuilt: None, claimed: None }
    }
}

/// Something that an audit says nothing about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotChecked {
    /// What lies on a chain: no bytecode was given.
    Chain,
    /// Which weights are used: only the architecture was checked.
    Weights,
    /// Whether the weights are small numbers: no proof of it was found.
    Ranges,
    /// Whether the graph is that of any ONNX model: none was given.
    Origin,
    /// Whether the model is good, fair, or the one that somebody promised.
    Quality,
    /// The calibration: ranges and scales are taken as recorded.
    Calibration,
    /// The ceremony behind the trusted setup.
    Ceremony,
    /// The proving key.
    ProvingKey,
    /// The consumer that is deployed.
    Consumer,
}

/// The result of an audit.
#[derive(Debug, Clone, Serialize)]
pub struct AuditReport {
    /// The model's name, which is part of what is hashed.
    pub model: String,
    /// The comparisons, in the order in which one thing follows from another.
    pub checks: Vec<Check>,
    /// Standing of each relation in the rebuilt circuit.
    pub ledger: Relations,
    /// The setup's secret is public: anybody can forge proofs, however well everything else agrees.
    pub unsafe_dev_srs: bool,
    /// What the audit says nothing about.
    pub not_checked: Vec<NotChecked>,
}

impl AuditReport {
    /// The first comparison that failed; those after it usually follow from it.
    pub fn difference(&self) -> Option<&Check> {
        self.checks.iter().find(|c| c.verdict == Verdict::Different)
    }
}

impl Judged for AuditReport {
    fn verdict(&self) -> Result<(), Failed> {
        let Some(difference) = self.difference() else { return Ok(()) };
        let word = |word: Option<Word>| word.map_or_else(String::new, |word| word.to_string());
        Err(Failed::Differs {
            what: difference.what,
            rebuilt: word(difference.rebuilt),
            claimed: word(difference.claimed),
        })
    }
}
