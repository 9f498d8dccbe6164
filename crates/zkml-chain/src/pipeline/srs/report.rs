//! What the commands about trusted setups report.

use crate::{
    output::{DIM, GREEN, Report, YELLOW},
    table,
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::PathBuf,
};
use zkml_srs::{Provenance, Source};

/// Whom one trusts with a setup.
#[derive(Debug, Clone, Serialize)]
pub struct Trust {
    /// `dev`, `ceremony` or `unknown`.
    pub kind: &'static str,
    /// The ceremony, known by its secret in G2, which fixes every power.
    pub ceremony: Option<&'static str>,
    /// The published file whose digest the imported file had.
    pub published: Option<&'static str>,
    /// The powers-of-tau file that it was imported from, as recorded then.
    pub source: Option<Source>,
}

impl Trust {
    pub(super) fn of(provenance: Provenance, source: Option<&Source>) -> Self {
        let source = source.cloned();
        let (kind, ceremony) = match provenance {
            Provenance::Dev => ("dev", None),
            Provenance::Ceremony(ceremony) => ("ceremony", Some(ceremony)),
            Provenance::Unknown => ("unknown", None),
        };
        let published = ceremony.and_then(|c| c.file(&source.as_ref()?.blake2b));
        Self { kind, ceremony: ceremony.map(|c| c.name), published, source }
    }

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

/// A trusted setup that was made or imported.
#[derive(Debug, Clone, Serialize)]
pub struct SrsReport {
    /// The file.
    pub path: PathBuf,
    /// It has `2^k` powers.
    pub k: u32,
    /// Names the setup; the same for all sizes.
    pub digest: String,
    /// Its secret is public.
    pub unsafe_dev: bool,
    /// Where it comes from.
    pub trust: Trust,
    /// Length of the file.
    pub bytes: u64,
    /// The file was there already.
    pub reused: bool,
    /// Time that it took.
    pub seconds: f64,
}

/// What a file says of itself.
#[derive(Debug, Clone, Serialize)]
pub struct InfoReport {
    /// The file.
    pub path: PathBuf,
    /// It has `2^k` powers.
    pub k: u32,
    /// Names the setup; the same for all sizes.
    pub digest: String,
    /// Its secret is public.
    pub unsafe_dev: bool,
    /// Where it comes from.
    pub trust: Trust,
    /// The secret in G2 in the EVM's order of words; a generated contract holds the same four numbers.
    pub tau_g2: Vec<String>,
    /// Length of the file.
    pub bytes: u64,
}

/// A setup that passed every check.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// The setup.
    #[serde(flatten)]
    pub srs: SrsReport,
    /// What was checked.
    pub checks: [&'static str; 5],
}

impl VerifyReport {
    pub(super) fn new(srs: SrsReport) -> Self {
        let checks = [
            "the checksum of the file fits",
            "every point is on its curve, in the group of prime order, and not the identity",
            "the powers start with the generator and go on by the secret that is in G2 (pairing of a random combination)",
            "the secret is not degenerate",
            "the Lagrange basis is that of the powers (random combination)",
        ];
        Self { srs, checks }
    }
}

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
