//! Checks of a deployment.

use super::{DIM, GREEN, RED, Report};
use std::io::{self, Write};
use zkml_deploy::check::Finding;
use zkml_workspace::steps::deploy::check::CheckReport;

impl Report for CheckReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for Finding { name, good, detail } in &self.findings {
            match good {
                true => writeln!(out, "{GREEN}✓{GREEN:#} {name} {DIM}{detail}{DIM:#}")?,
                false => writeln!(out, "{RED}✗{RED:#} {name}: {detail}")?,
            }
        }
        let bad = self.findings.iter().filter(|finding| !finding.good).count();
        let (all, chain) = (self.findings.len(), &self.chain);
        if self.good {
            return writeln!(out, "{GREEN}all {all} checks passed{GREEN:#} on {chain}");
        }
        writeln!(out, "{RED}{bad} of {all} checks failed{RED:#} on {chain}")
    }
}
