//! Contracts that were generated.

use super::{DIM, GREEN, Report, table};
use std::io::{self, Write};
use zkml_workspace::steps::solidity::SolidityReport;

impl Report for SolidityReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for file in &self.files {
            writeln!(out, "{}", file.display())?;
        }
        writeln!(
            out,
            "{GREEN}{} checks passed{GREEN:#}: {} gas a proof, {} bytes of code, {} gas to deploy",
            self.checks.len(),
            table::thousands(self.gas.transaction),
            table::thousands(self.runtime_bytes as u64),
            table::thousands(self.deploy_gas)
        )?;
        writeln!(out, "{DIM}model commitment {}{DIM:#}", self.model_commitment)
    }
}
