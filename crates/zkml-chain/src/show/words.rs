//! What steps say and warn of, in words.

use super::{BOLD, table};
use zkml_srs::Provenance;
use zkml_workspace::observer::{Detail, Said, Warning};

/// Something that happened, in one line.
pub(super) fn said(said: &Said) -> String {
    match said {
        Said::EditedSettings { bytes } => {
            format!(
                "settings.json was edited since calibration: compiling with the edited settings ({bytes} bytes)"
            )
        }
        Said::Setup { path, provenance, k, checked_in } => {
            let whom = match provenance {
                Provenance::Dev => "the development setup",
                Provenance::Ceremony(ceremony) => ceremony.name,
                Provenance::Unknown => "of no known ceremony",
            };
            let time = table::seconds(checked_in.as_secs_f64());
            format!("trusted setup {}: {whom}; 2^{k} powers checked in {time}", path.display())
        }
        Said::NewSalt { path } => {
            format!("a new salt is kept in {}: keep a copy, publish none", path.display())
        }
        Said::Stage { name, purpose } => format!("{BOLD}{name}{BOLD:#}: {purpose}"),
        Said::Detail(figures) => format!("  {}", detail(figures)),
        Said::Sending { what, to } => format!("sending {what} to {to}"),
        Said::SentEarlier { nonce } => format!(
            "an earlier run was interrupted: what it sent with nonce {nonce} is replaced if it still waits"
        ),
        Said::Offered { hash, nonce } => format!("transaction {hash}, nonce {nonce}"),
        Said::NotRemoved { path, why } => format!("{} cannot be removed: {why}", path.display()),
        Said::Deployment(words) => words.clone(),
        Said::ProvenEarlier { proof } => {
            format!("an earlier run was interrupted: its proof {} is handed in", proof.display())
        }
        Said::Proven { seconds } => format!("proven in {}", table::seconds(*seconds)),
        Said::Requested { id } => format!("request {id}"),
        other => format!("{other:?}"),
    }
}

fn detail(detail: &Detail) -> String {
    match detail {
        Detail::Calibrated { error, samples } => {
            format!("largest output error {error:.1e} over {samples} samples")
        }
        Detail::Planned { backend, k, commitments } => {
            format!("by {}, a setup of 2^{k}, {commitments} commitments", backend.name())
        }
        Detail::Keys { bytes, seconds } => {
            format!("proving key {} in {}", table::size(*bytes), table::seconds(*seconds))
        }
        Detail::Deployed { verifier, consumer } => format!("verifier {verifier}, consumer {consumer}"),
        Detail::Registered { model_id, registry } => format!("model {model_id} in the registry {registry}"),
        Detail::Proven { bytes, seconds } => format!("{bytes} bytes in {}", table::seconds(*seconds)),
        other => format!("{other:?}"),
    }
}

/// Something to be aware of.
#[must_use]
pub fn warning(warning: &Warning) -> String {
    match warning {
        Warning::Model(notice) => notice.clone(),
        Warning::RandomSamples { count } => format!(
            "no --data: calibrating with {count} random samples between -1 and 1. Ranges and errors mean little; \
             real inputs outside these ranges will be refused. Calibrate with real data before relying on it"
        ),
        Warning::Replaced { dir } => format!(
            "{} held another model of this name, or another version: its files are replaced, and what was made from them is out of \
             date. --dir names a folder of its own",
            dir.display()
        ),
        Warning::Inaccurate(inaccurate) => format!("{inaccurate}; --allow-inaccurate accepts that"),
        Warning::DevSetup => "this trusted setup is the insecure development one: its secret is public, so anybody can forge \
             proofs under it. Good for trying out, never for value; generated contracts refuse to live outside test chains"
            .into(),
        Warning::UnknownSetup => {
            "this trusted setup is not from a published file: you trust whoever gave it to you. Unless somebody who took \
             part in making it has destroyed their share of the secret, its makers can forge proofs"
                .into()
        }
        Warning::NotKept { k, why } => {
            format!("{why}; the setup for 2^{k} rows will be computed again next time")
        }
        other => format!("{other:?}"),
    }
}
