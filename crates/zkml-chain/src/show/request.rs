//! A request for an inference.

use super::{DIM, GREEN, Report, table};
use std::io::{self, Write};
use zkml_workspace::steps::request::RequestReport;

impl Report for RequestReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "data commitment  {}", self.data_commitment)?;
        writeln!(out, "subject          {}", self.subject)?;
        writeln!(out, "deadline         {}", self.deadline)?;
        for file in &self.shared {
            writeln!(out, "{DIM}for the service: {}{DIM:#}", file.display())?;
        }
        let Some(made) = &self.request else {
            let gas = table::thousands(self.estimated_gas);
            writeln!(out, "calldata         {}", self.calldata)?;
            return writeln!(
                out,
                "{GREEN}would be taken{GREEN:#} by {}, for {gas} gas; nothing was sent",
                self.consumer
            );
        };
        writeln!(out, "transaction      {}", made.transaction)?;
        writeln!(out, "request          {}", made.id)?;
        let (block, gas) = (table::thousands(made.block), table::thousands(made.gas));
        writeln!(
            out,
            "{GREEN}{}{GREEN:#} at {}; asked in block {block}, for {gas} gas",
            made.state, self.consumer
        )
    }
}
