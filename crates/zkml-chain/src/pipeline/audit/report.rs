//! What an audit found, as a table and as JSON.

use crate::{
    output::{BOLD, DIM, GREEN, RED, Report, YELLOW},
    pipeline::relations::Relations,
    table::{self, Align},
};
use serde::Serialize;
use std::io::{self, Write};
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
    pub not_checked: Vec<&'static str>,
}

impl AuditReport {
    /// The first comparison that failed; those after it usually follow from it.
    pub fn difference(&self) -> Option<&Check> {
        self.checks.iter().find(|c| c.verdict == Verdict::Different)
    }
}

impl Report for AuditReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#}, built again", self.model)?;
        let row = |c: &Check| {
            let verdict = match c.verdict {
                Verdict::Same => format!("{GREEN}same{GREEN:#}"),
                Verdict::Different => format!("{RED}different{RED:#}"),
                Verdict::Rebuilt => "rebuilt".into(),
                Verdict::Skipped => format!("{YELLOW}skipped{YELLOW:#}"),
            };
            let digest = c.rebuilt.map_or_else(String::new, |w| w.to_string());
            vec![verdict, c.what.to_owned(), digest, format!("{DIM}{}{DIM:#}", c.how)]
        };
        let rows: Vec<Vec<String>> = self.checks.iter().map(row).collect();
        table::print(out, &[Align::Left; 4], &rows)?;
        for c in self.checks.iter().filter(|c| c.verdict == Verdict::Different) {
            if let Some(claimed) = c.claimed {
                writeln!(out, "  {RED}{}{RED:#} is claimed to be {claimed}", c.what)?;
            }
        }
        self.ledger.print(out)?;
        if self.unsafe_dev_srs {
            writeln!(
                out,
                "{YELLOW}the trusted setup is the insecure development one: proofs can be forged{YELLOW:#}"
            )?;
        }
        writeln!(out, "{BOLD}not checked{BOLD:#}")?;
        self.not_checked.iter().try_for_each(|n| writeln!(out, "  {n}"))
    }
}
