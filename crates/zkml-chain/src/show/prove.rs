//! What was proven, and how long it took.

use super::{DIM, Report, commit::commitments, table};
use std::io::{self, IsTerminal, Write};
use zkml_workspace::steps::prove::ProveReport;

impl Report for ProveReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for output in self.outputs.iter().filter(|o| o.commitment.is_none()) {
            writeln!(out, "{} = {}", output.name, table::numbers(&output.values))?;
        }
        // A terminal is for the owner's eyes; a pipe or a log may be for anybody's.
        for output in self.revealed.iter().filter(|_| io::stdout().is_terminal()) {
            writeln!(out, "{} = {} {DIM}(private){DIM:#}", output.name, table::numbers(&output.values))?;
        }
        commitments(out, &self.commitments)?;
        for file in &self.private_files {
            writeln!(out, "{DIM}opened by {}{DIM:#}", file.display())?;
        }
        writeln!(
            out,
            "{DIM}proof of {} bytes in {}: {}{DIM:#}",
            self.proof_bytes,
            table::seconds(self.seconds),
            self.proof.display()
        )
    }
}
