//! The verdicts of the Rust verifiers.

use super::{DIM, GREEN, Report, commit::commitments, table};
use std::io::{self, Write};
use zkml_workspace::steps::verify::VerifyReport;

impl Report for VerifyReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{GREEN}accepted{GREEN:#} by {}", self.verdicts.join(" and "))?;
        for output in self.outputs.iter().filter(|o| o.commitment.is_none()) {
            writeln!(out, "  {} = {}", output.name, table::numbers(&output.values))?;
        }
        commitments(out, &self.commitments)?;
        writeln!(out, "{DIM}model {}{DIM:#}", self.model_hash)
    }
}
