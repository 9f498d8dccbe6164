//! What to do about each error.

use std::{io, path::Path};

use zkml_halo2::ProverError;

use super::Error;

impl Error {
    /// The way out, where the message does not say it already.
    pub fn way_out(&self) -> Option<String> {
        use crate::artifacts::file::SETTINGS;
        Some(match self {
            Self::Io { action: "lock", .. } => {
                "private files grow under a lock only: name a new one with --salt-file or --out, or move it to a file system that has locks".into()
            }
            Self::Io { source, .. }
            | Self::Srs(zkml_srs::Error::Io { source, .. })
            | Self::Prover(ProverError::Io { source, .. }) => io_way_out(source)?,
            Self::NoArtifacts { .. } => {
                "name the folder with --dir, or make one: `zkml-chain calibrate model.onnx --data samples.json`".into()
            }
            Self::WhichModel { .. } => "name the artifact folder with --dir".into(),
            Self::Manifest { .. } => "restore the file, or start over with `zkml-chain calibrate`".into(),
            Self::Missing { step, dir, .. } => again(step, dir),
            Self::Edited { file, step, dir } if file == SETTINGS => {
                let (use_it, undo) = (again("compile", dir), again(step, dir));
                format!("to use the edited settings, {use_it}; to undo the edit, {undo}")
            }
            Self::Edited { step, dir, .. } => format!("restore the file, or {}", again(step, dir)),
            Self::Stale { step, dir, .. } => again(step, dir),
            Self::OtherModel { .. } => "name another folder with --dir".into(),
            Self::Busy { .. } => "wait for it to end, or name another folder with --dir".into(),
            Self::Meanwhile { .. } => "run this command again".into(),
            Self::NoSrs { k } => format!(
                "import one with at least 2^{k} powers, `zkml-chain srs import FILE.ptau`; or run `zkml-chain srs dev --k {k}` to try things out"
            ),
            Self::Srs(zkml_srs::Error::TooSmall { need, .. }) => format!(
                "import a larger file, `zkml-chain srs import FILE.ptau --k {need}`; or run `zkml-chain srs dev --k {need}` to try things out"
            ),
            Self::ForeignProof { .. } => "name the proof's own artifact folder with --dir, or prove again".into(),
            Self::PublicWeights { dir } => {
                format!("compile it with private weights: `zkml-chain compile --weights committed --dir {}`", dir.display())
            }
            Self::OtherArchitecture { .. } => "calibrate the model on its own: it gets a verifier of its own".into(),
            Self::Differs { what: "integer graph", .. } => {
                "name, settings and scales are hashed with the model: check that they are those that it was compiled with".into()
            }
            Self::Differs { .. } => {
                "all before it agrees: check what it was made with (setup, toolkit version, --optimize), or do not trust it".into()
            }
            Self::OtherData { .. } => {
                "restore the data; or, if the earlier commitment is not needed, move the private file away".into()
            }
            Self::Inaccurate { dir, .. } => format!(
                "see {}: inputs of very different magnitude in one tensor are the usual cause, scale them before; calibrate with data \
                 that is like what will be proven; or accept the error, with a larger --tolerance for `zkml-chain calibrate`, or with \
                 --allow-inaccurate for `calibrate` and `compile`",
                dir.join(crate::artifacts::file::REPORT).display()
            ),
            Self::NotCommitted { .. } => {
                "make it private with the visibility flags of `zkml-chain compile`, then run `zkml-chain setup`".into()
            }
            Self::Fixture { source, .. } => return source.way_out(),
            Self::StaleFixtures { .. } => "run `make fixtures` and commit what it writes".into(),
            Self::LeftOut { .. } => "build it with them: `make build`".into(),
            Self::Config(e) => return e.way_out(),
            Self::Project(e) => e.way_out(),
            Self::NoKey => {
                "name one with --keystore FILE, --key-env VARIABLE or --ledger N; on chain 31337 --test-key will do, and for a dry run --from ADDRESS".into()
            }
            Self::NoPassword { variable, .. } => {
                format!("put it into a file and name that with --password-file, or into {variable}")
            }
            Self::NotAnswered { .. } => {
                "somebody must serve the contract's requests (`zkml-chain watch`), and have its committed input: see --share".into()
            }
            #[cfg(feature = "chain")]
            Self::SourceRefused { .. } => {
                "see what `zkml-chain check-deployment` says of the chain; the service may not know its code yet".into()
            }
            Self::Refused { .. } => "the proof was made for another statement, or was changed: prove again".into(),
            Self::Disagreement { .. } | Self::Accepted { .. } => {
                "do not use these artifacts; this is a defect of zkml-chain: please report it with the artifact folder".into()
            }
            _ => return None,
        })
    }
}

fn again(step: &str, dir: &Path) -> String {
    format!("run `zkml-chain {step} --dir {}`", dir.display())
}

fn io_way_out(source: &io::Error) -> Option<String> {
    use io::ErrorKind as K;
    Some(
        match source.kind() {
            K::StorageFull | K::QuotaExceeded | K::FileTooLarge => {
                "free some space, or name a folder on another disk; nothing was left half-written"
            }
            K::PermissionDenied | K::ReadOnlyFilesystem => "name a folder that you may write to",
            K::NotFound => "check the path",
            K::InvalidInput => "name a file that does not exist, or one that may be replaced",
            K::NotADirectory | K::AlreadyExists => {
                "a file stands where a folder is needed: name another path"
            }
            _ => return None,
        }
        .into(),
    )
}
