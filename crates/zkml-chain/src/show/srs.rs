//! Trusted setups, and whom one trusts with them.

use super::{DIM, GREEN, Report, YELLOW, table};
use std::io::{self, Write};
use zkml_workspace::steps::srs::{InfoReport, SrsReport, Trust, VerifyReport};

impl Report for SrsReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let verb = if self.reused { "kept" } else { "wrote" };
        write!(out, "{verb} {} ({}, 2^{} powers)", self.path.display(), table::size(self.bytes), self.k)?;
        writeln!(out, " in {}", table::seconds(self.seconds))?;
        self.trust.print(out)?;
        writeln!(out, "{DIM}digest {}{DIM:#}", self.digest)
    }
}

impl Report for InfoReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} ({}, 2^{} powers)", self.path.display(), table::size(self.bytes), self.k)?;
        self.trust.print(out)?;
        writeln!(out, "{DIM}digest  {}", self.digest)?;
        for (name, word) in ["x.c1", "x.c0", "y.c1", "y.c0"].iter().zip(&self.tau_g2) {
            writeln!(out, "τ·G2 {name} {word}")?;
        }
        write!(out, "{DIM:#}")
    }
}

impl Report for VerifyReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let (path, time) = (self.srs.path.display(), table::seconds(self.srs.seconds));
        writeln!(out, "{GREEN}good{GREEN:#}: {path} (2^{} powers), checked in {time}", self.srs.k)?;
        for check in self.checks {
            writeln!(out, "  {check}")?;
        }
        self.srs.trust.print(out)?;
        writeln!(out, "{DIM}digest {}{DIM:#}", self.srs.digest)
    }
}

impl Report for Trust {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        match (self.ceremony, self.published) {
            (Some(name), Some(file)) => writeln!(out, "{GREEN}{name}{GREEN:#}: published file {file}")?,
            (Some(name), None) => writeln!(
                out,
                "{GREEN}{name}{GREEN:#}: its secret in G2 fixes every power; the file itself is not a published one"
            )?,
            _ if self.kind == "dev" => {
                writeln!(
                    out,
                    "{YELLOW}the insecure development setup{YELLOW:#}: everybody knows its secret"
                )?;
            }
            _ => writeln!(out, "{YELLOW}not a published file{YELLOW:#}; you trust whoever gave it to you")?,
        }
        if let Some(source) = &self.source {
            writeln!(
                out,
                "{DIM}imported from a file of {} with 2^{} powers and {} contributions",
                table::size(source.bytes),
                source.power,
                source.contributions
            )?;
            writeln!(out, "BLAKE2b {}{DIM:#}", hex::encode(&source.blake2b))?;
        }
        Ok(())
    }
}
