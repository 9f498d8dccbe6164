//! A compiled model, and what comes next.

use super::{
    BOLD, DIM, Report, YELLOW,
    plan::{costs, goal},
};
use std::io::{self, Write};
use zkml_workspace::steps::compile::CompileReport;

impl Report for CompileReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#} compiled for {}", self.model, goal(self.cost.optimize))?;
        costs(out, std::slice::from_ref(&self.cost))?;
        writeln!(out, "{DIM}{}: {}{DIM:#}", self.cost.backend.name(), self.why)?;
        self.disclosure.print(out)?;
        if !self.keep_private.is_empty() {
            let files = self.keep_private.join(", ");
            writeln!(
                out,
                "{YELLOW}private:{YELLOW:#} {files} give the weights away, or parts of them; publish none"
            )?;
        }
        let what = if self.disclosure.private_weights() { "architecture" } else { "model" };
        writeln!(out, "{DIM}{what} hash {}", self.model_hash)?;
        let next = if self.has_keys { "prove" } else { "setup" };
        writeln!(out, "next: zkml-chain {next} --dir {}{DIM:#}", self.dir.display())
    }
}
