//! The verdicts of the Rust verifiers.

use super::{DIM, GREEN, Report, YELLOW, commit::commitments, table};
use std::io::{self, Write};
use zkml_workspace::steps::verify::VerifyReport;

impl Report for VerifyReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{GREEN}accepted{GREEN:#} by {}", self.verdicts.join(" and "))?;
        for output in self.outputs.iter().filter(|o| o.commitment.is_none()) {
            writeln!(out, "  {} = {}", output.name, table::numbers(&output.values))?;
        }
        commitments(out, &self.commitments)?;
        match self.weights_in_ranges {
            Some(true) => writeln!(
                out,
                "{DIM}the private weights lie in their ranges, says ranges.json; `audit` compares its program with the model{DIM:#}"
            )?,
            Some(false) => writeln!(
                out,
                "{YELLOW}nothing here says that the private weights are small numbers{YELLOW:#}: their owner proves it once, with \
                 `commit --model`, and publishes ranges.json with ranges.program.json"
            )?,
            None => {}
        }
        writeln!(out, "{DIM}model {}{DIM:#}", self.model_hash)
    }
}
