//! What the commands about trusted setups report.

use serde::Serialize;
use std::path::PathBuf;
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
