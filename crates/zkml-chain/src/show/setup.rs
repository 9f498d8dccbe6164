//! Keys that were made.

use super::{DIM, Report, table};
use std::io::{self, Write};
use zkml_workspace::steps::setup::SetupReport;

impl Report for SetupReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "keys of {} in {}: proving key {}, proofs of {} bytes",
            self.model,
            table::seconds(self.seconds),
            table::size(self.pk_bytes),
            self.proof_bytes
        )?;
        writeln!(out, "{DIM}model hash   {}", self.model_hash)?;
        writeln!(out, "key digest   {}", self.vk_digest)?;
        writeln!(out, "setup digest {}{DIM:#}", self.srs_digest)
    }
}
