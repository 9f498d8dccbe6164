//! Comparisons of an audit, as a table.

use super::{
    BOLD, DIM, GREEN, RED, Report, YELLOW,
    table::{self, Align},
};
use serde::Serialize;
use std::io::{self, Write};
use zkml_workspace::{
    steps::{
        audit::{AuditReport, Check, NotChecked, Verdict},
        relations::Relations,
    },
    verdict::{Failed, Judged},
};

/// An audit's report, with what was not checked in words.
#[derive(Debug, Serialize)]
pub struct Audit<'a> {
    model: &'a str,
    checks: &'a [Check],
    ledger: &'a Relations,
    unsafe_dev_srs: bool,
    not_checked: Vec<&'static str>,
    #[serde(skip)]
    report: &'a AuditReport,
}

impl<'a> Audit<'a> {
    /// The report in words.
    #[must_use]
    pub fn of(report: &'a AuditReport) -> Self {
        Self {
            model: &report.model,
            checks: &report.checks,
            ledger: &report.ledger,
            unsafe_dev_srs: report.unsafe_dev_srs,
            not_checked: report.not_checked.iter().map(|what| words(*what)).collect(),
            report,
        }
    }
}

impl Judged for Audit<'_> {
    fn verdict(&self) -> Result<(), Failed> {
        self.report.verdict()
    }
}

/// What was not checked, as a sentence.
fn words(what: NotChecked) -> &'static str {
    match what {
        NotChecked::Chain => "what lies on a chain: no --bytecode was given",
        NotChecked::Weights => "which weights are used: only the architecture was checked",
        NotChecked::Ranges => {
            "whether the private weights are small numbers: their owner proves it with `commit --model`, which writes ranges.json"
        }
        NotChecked::Origin => "whether the graph is that of any ONNX model: none was given",
        NotChecked::Quality => {
            "whether the model is good, fair, or the one that somebody promised: compare the ONNX file with its source"
        }
        NotChecked::Calibration => {
            "the calibration: ranges and scales are taken as recorded. Ranges that are too narrow make proofs impossible, not wrong"
        }
        NotChecked::Ceremony => "the ceremony behind the trusted setup: see `zkml-chain srs info`",
        NotChecked::ProvingKey => "the proving key: who proves with another one gets no valid proof",
        NotChecked::Consumer => {
            "the consumer that is deployed: its code depends on constructor arguments; read what it pins from the chain"
        }
        _ => "something that this version has no words for",
    }
}

impl Report for Audit<'_> {
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
