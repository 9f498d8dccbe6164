//! Where contracts will be.

use super::Report;
use std::io::{self, Write};
use zkml_workspace::steps::deploy::predict::PredictReport;

impl Report for PredictReport {
    /// The consumer's address alone, so that a script can take it as it is; `--json` has all of them.
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.consumer)
    }
}
