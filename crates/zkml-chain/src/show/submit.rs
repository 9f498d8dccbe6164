//! A proof that was handed in, or would be.

use super::{DIM, GREEN, Report, table};
use std::io::{self, Write};
use zkml_workspace::steps::submit::SubmitReport;

impl Report for SubmitReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for output in self.outputs.iter().filter(|o| o.commitment.is_none()) {
            writeln!(out, "{} = {}", output.name, table::numbers(&output.values))?;
        }
        writeln!(out, "subject          {}", self.bound.subject)?;
        writeln!(out, "nonce            {}", self.bound.nonce)?;
        let Some(transaction) = &self.transaction else {
            let (consumer, gas) = (&self.bound.consumer, table::thousands(self.estimated_gas));
            writeln!(
                out,
                "{GREEN}would be accepted{GREEN:#} by {consumer}, for {gas} gas; nothing was sent"
            )?;
            return files(self, out);
        };
        writeln!(out, "data commitment  {}", transaction.data_commitment)?;
        writeln!(out, "transaction      {}", transaction.hash)?;
        let (block, gas) = (table::thousands(transaction.block), table::thousands(transaction.gas));
        writeln!(out, "{GREEN}accepted{GREEN:#} by {} in block {block}, for {gas} gas", self.bound.consumer)?;
        files(self, out)
    }
}

fn files(report: &SubmitReport, out: &mut dyn Write) -> io::Result<()> {
    let (proof, context) = (report.proof.display(), report.context_file.display());
    writeln!(out, "{DIM}proof {proof}, bound by {context}{DIM:#}")
}
