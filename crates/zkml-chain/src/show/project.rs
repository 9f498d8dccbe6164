//! The report of the whole way, with the next step.

use super::{BOLD, DIM, GREEN, Report, table};
use std::io::{self, Write};
use zkml_workspace::steps::project::RunReport;

impl Report for RunReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let gas = table::thousands(self.gas);
        writeln!(
            out,
            "{GREEN}accepted{GREEN:#} by the verifier of {BOLD}{}{BOLD:#} in a local EVM {DIM}({gas} gas){DIM:#}",
            self.model
        )?;
        for output in &self.outputs {
            writeln!(out, "  {} = {}", output.name, table::numbers(&output.values))?;
        }
        writeln!(out, "  {} changed proofs and statements refused", self.refused)?;
        writeln!(
            out,
            "  proof of {} in {}; integers err by up to {:.1e}",
            table::size(self.proof_bytes as u64),
            table::seconds(self.prove_seconds),
            self.largest_error
        )?;
        writeln!(out, "  contracts, and a proof for their tests: {}", self.contracts.display())?;
        writeln!(out, "{DIM}next: npx forge test{DIM:#}")
    }
}
