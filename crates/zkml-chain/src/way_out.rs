//! What to do about each error.

use std::{io, path::Path};
use zkml::SumcheckError;
use zkml_halo2::ProverError;
#[cfg(feature = "chain")]
use zkml_service::ServiceError;
#[cfg(feature = "chain")]
use zkml_workspace::fleet::FleetError;
use zkml_workspace::{
    Error,
    artifacts::file::{PROVING_KEY, REPORT, SETTINGS},
    error::Needed,
    verdict::{Failed, Inaccurate},
};

/// The message, with the flag or the command that helps where one belongs into the sentence.
pub(crate) fn message(error: &Error) -> String {
    match error {
        Error::NotGiven { what } => format!("{error}: name it with {}", flag(*what)),
        Error::NoValues { .. } => format!("{error}: run `zkml-chain commit --model` in their folder"),
        Error::OtherSource { .. } => format!("{error}: run `zkml-chain gen-verifier`"),
        Error::SameFolder { .. } => format!("{error}: name a new folder with --dir"),
        _ => error.to_string(),
    }
}

/// The flag that names something.
fn flag(what: Needed) -> &'static str {
    match what {
        Needed::Model => "--model",
        Needed::Settings => "--settings",
        Needed::Scales => "--scales",
        Needed::Graph => "--graph",
        Needed::Goal => "--optimize",
        Needed::WeightsSalt => "--weights-salt",
        Needed::Inputs => "--inputs",
        Needed::FleetKey => "--seal-to",
        Needed::Proofs => "--proof",
        _ => "its flag",
    }
}

/// The way out, where the message does not say it already.
pub fn of_step(error: &Error) -> Option<String> {
    Some(match error {
        Error::Io { action: "lock", .. } => {
            "private files grow under a lock only: name a new one with --salt-file or --out, or move it to a file system that has locks".into()
        }
        Error::Io { source, .. }
        | Error::Srs(zkml_srs::Error::Io { source, .. })
        | Error::Prover(ProverError::Io { source, .. }) => io_way_out(source)?,
        Error::NoArtifacts { .. } => {
            "name the folder with --dir, or make one: `zkml-chain calibrate model.onnx --data samples.json`".into()
        }
        Error::Irregular { .. } => "remove it, or have the folder made again".into(),
        Error::WhichModel { .. } => "name the artifact folder with --dir".into(),
        Error::Manifest { .. } => "restore the file, or start over with `zkml-chain calibrate`".into(),
        Error::Missing { step, dir, .. } => again(step, dir),
        Error::Edited { file, step, dir } if file == SETTINGS => {
            let (use_it, undo) = (again("compile", dir), again(step, dir));
            format!("to use the edited settings, {use_it}; to undo the edit, {undo}")
        }
        Error::Edited { step, dir, .. } => format!("restore the file, or {}", again(step, dir)),
        Error::Stale { step, dir, .. } => again(step, dir),
        Error::OtherModel { .. } => "name another folder with --dir".into(),
        Error::Busy { .. } => "wait for it to end, or name another folder with --dir".into(),
        Error::Meanwhile { .. } => "run this command again".into(),
        Error::NotGenerated { .. } => {
            "it is replaced as a whole: move your own files out of it, or name another folder with --contracts".into()
        }
        Error::NoSrs { k } => format!(
            "import one with at least 2^{k} powers, `zkml-chain srs import FILE.ptau`; or run `zkml-chain srs dev --k {k}` to try things out"
        ),
        Error::Srs(zkml_srs::Error::TooSmall { need, .. }) => format!(
            "import a larger file, `zkml-chain srs import FILE.ptau --k {need}`; or run `zkml-chain srs dev --k {need}` to try things out"
        ),
        Error::Sumcheck(SumcheckError::Options { .. }) => {
            "restore plan.json, or run `zkml-chain compile`".into()
        }
        Error::Sumcheck(SumcheckError::BadKey(_)) => "run `zkml-chain setup`".into(),
        Error::Srs(zkml_srs::Error::BadFile { path, .. }) | Error::Prover(ProverError::BadFile { path, .. }) => {
            let key = path.file_name().is_some_and(|name| name == PROVING_KEY);
            let setup = "import the setup again, `zkml-chain srs import FILE.ptau`";
            if key { "run `zkml-chain setup`" } else { setup }.into()
        }
        Error::Sumcheck(SumcheckError::Unsupported { .. } | SumcheckError::Unconfined(_)) => {
            "compile the model with `--backend halo2`, which takes every model that compiles".into()
        }
        Error::Harness(zkml_harness::HarnessError::CodeTooLarge { .. }) => {
            "compile the model with `--optimize gas`; or, if it is proven by sumcheck, with `--backend halo2`".into()
        }
        Error::ForeignProof { .. } => "name the proof's own artifact folder with --dir, or prove again".into(),
        Error::PublicWeights { dir } => {
            format!("compile it with private weights: `zkml-chain compile --weights committed --dir {}`", dir.display())
        }
        Error::OtherArchitecture { .. } => "calibrate the model on its own: it gets a verifier of its own".into(),
        Error::OtherData { .. } => {
            "restore the data; or, if the earlier commitment is not needed, move the private file away".into()
        }
        Error::Inaccurate(inaccurate) => too_inaccurate(inaccurate),
        Error::NotCommitted { .. } => {
            "make it private with the visibility flags of `zkml-chain compile`, then run `zkml-chain setup`".into()
        }
        Error::NotAnswered { .. } => {
            "somebody must serve the contract's requests (`zkml-chain watch`), and have its committed input: see --share".into()
        }
        Error::Refused { .. } | Error::Unverified(_) | Error::RefusedIn { .. } => "the proof was made for another statement, or was changed: prove again".into(),
        #[cfg(feature = "chain")]
        Error::Service(error) => of_service(error)?,
        #[cfg(feature = "chain")]
        Error::Fleet(FleetError::Location { .. }) => {
            "name it with --objects: file:///folder, s3://bucket/prefix or gs://bucket/prefix".into()
        }
        #[cfg(feature = "chain")]
        Error::Fleet(FleetError::Damaged { .. }) => {
            "put the model there again: `zkml-chain queue publish --objects URL`, or start `watch`".into()
        }
        Error::Disagreement { .. } | Error::Accepted { .. } => {
            "do not use these artifacts; this is a defect of zkml-chain: please report it with the artifact folder".into()
        }
        _ => return None,
    })
}

#[cfg(feature = "chain")]
fn of_service(error: &ServiceError) -> Option<String> {
    Some(match error {
        ServiceError::DatabaseUrl(_) => {
            "set ZKML_DATABASE_URL=postgres://user:password@host/database in the environment, from a file or a secret store".into()
        }
        ServiceError::QueueVersion { found, latest } if found < latest => {
            "run `zkml-chain queue migrate` as the queue's owner".into()
        }
        ServiceError::QueueVersion { .. } => "use a program that is as new as the queue".into(),
        ServiceError::QueueNotEmpty { .. } => {
            "let workers finish them, or cancel their requests; `zkml-chain queue status` shows them".into()
        }
        ServiceError::JournalInUse { .. } => "stop that one first".into(),
        _ => return None,
    })
}

/// The way out of a verdict that is no.
pub fn of_verdict(failed: &Failed) -> Option<String> {
    Some(match failed {
        Failed::Differs { what: "integer graph", .. } => {
            "name, settings and scales are hashed with the model: check that they are those that it was compiled with".into()
        }
        Failed::Differs { .. } => {
            "all before it agrees: check what it was made with (setup, toolkit version, --optimize), or do not trust it".into()
        }
        Failed::Inaccurate(inaccurate) => too_inaccurate(inaccurate),
        #[cfg(feature = "chain")]
        Failed::Waits { .. } => {
            "have them send what the report shows for them, then run the same command again: it goes on from there".into()
        }
        #[cfg(feature = "chain")]
        Failed::Sources(_) => {
            "see what `zkml-chain check-deployment` says of the chain; the service may not know its code yet".into()
        }
        _ => return None,
    })
}

fn too_inaccurate(inaccurate: &Inaccurate) -> String {
    format!(
        "see {}: inputs of very different magnitude in one tensor are the usual cause, scale them before; calibrate with data \
         that is like what will be proven; or accept the error, with a larger --tolerance for `zkml-chain calibrate`, or with \
         --allow-inaccurate for `calibrate` and `compile`",
        inaccurate.dir.join(REPORT).display()
    )
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
