//! Figures of models, and their tables.

use serde::Serialize;
use std::io::{self, Write};
use zkml_chain::show::{
    Report,
    table::{self, Align},
};

/// Figures of one model, back end and goal.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Name of the model.
    pub model: String,
    /// Name of the back end.
    pub backend: String,
    /// Name of the goal.
    pub optimize: String,
    /// Binary logarithm of the trusted setup's powers that proofs need.
    pub k: u64,
    pub(super) commitments: u64,
    pub(super) setup_s: f64,
    pub(super) prove_s: f64,
    pub(super) prove_peak_mb: f64,
    /// Seconds by phase of a proof.
    pub(super) phases: Vec<(String, f64)>,
    pub(super) pk_bytes: u64,
    pub(super) proof_bytes: u64,
    pub(super) tx_gas: u64,
    pub(super) exec_gas: u64,
    pub(super) runtime_bytes: u64,
    pub(super) max_abs_err: f64,
}

/// All figures; `results.json`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Results(pub(super) Vec<Figures>);

/// A Markdown table whose first columns are words.
pub(super) fn markdown(head: &[&str], words: usize, rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let rule = [vec!["---"; words], vec!["---:"; head.len() - words]].concat().join("|");
    let rows: String = rows.iter().map(|cells| line(cells)).collect();
    format!("{}|{rule}|\n{rows}", line(&head))
}

/// The same for a terminal.
pub(super) fn print(
    out: &mut dyn Write,
    head: &[&str],
    words: usize,
    rows: Vec<Vec<String>>,
) -> io::Result<()> {
    let mut align = vec![Align::Right; head.len()];
    align[..words].fill(Align::Left);
    let head = head.iter().map(ToString::to_string).collect();
    table::print(out, &align, &[vec![head], rows].concat())
}

impl Results {
    /// The figures as a Markdown table, for the book.
    #[must_use]
    pub fn markdown(&self) -> String {
        let phases = markdown(&PHASES, WORDS, &self.phases());
        format!("{}\n{phases}", markdown(&HEAD, WORDS, &self.cells()))
    }

    /// Milliseconds by phase; a dash where a back end has none of that name.
    fn phases(&self) -> Vec<Vec<String>> {
        let row = |f: &Figures| {
            let words = [f.model.clone(), f.backend.clone(), f.optimize.clone()];
            let of = |name: &&str| {
                let found = f.phases.iter().find(|(phase, _)| phase == name);
                found.map_or_else(|| "–".to_owned(), |(_, s)| format!("{:.0} ms", 1e3 * s))
            };
            words.into_iter().chain(PHASES[WORDS..].iter().map(of)).collect()
        };
        self.0.iter().map(row).collect()
    }

    fn cells(&self) -> Vec<Vec<String>> {
        self.0.iter().map(Figures::cells).collect()
    }
}

const HEAD: [&str; 14] = [
    "model",
    "back end",
    "optimize",
    "k",
    "commits",
    "setup",
    "prove",
    "peak",
    "key",
    "proof",
    "tx gas",
    "exec gas",
    "code",
    "max error",
];
const WORDS: usize = 3;
const PHASES: [&str; 11] = [
    "model",
    "back end",
    "optimize",
    "load",
    "run",
    "prove",
    "commit",
    "lookups",
    "sumchecks",
    "opening",
    "verify",
];

impl Report for Results {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        print(out, &HEAD, WORDS, self.cells())?;
        print(out, &PHASES, WORDS, self.phases())
    }
}

impl Figures {
    fn cells(&self) -> Vec<String> {
        vec![
            self.model.clone(),
            self.backend.clone(),
            self.optimize.clone(),
            self.k.to_string(),
            self.commitments.to_string(),
            table::seconds(self.setup_s),
            table::seconds(self.prove_s),
            format!("{:.0} MB", self.prove_peak_mb),
            table::size(self.pk_bytes),
            format!("{} B", table::thousands(self.proof_bytes)),
            table::thousands(self.tx_gas),
            table::thousands(self.exec_gas),
            format!("{} B", table::thousands(self.runtime_bytes)),
            format!("{:.1e}", self.max_abs_err),
        ]
    }
}
