//! Everything that can end a step.

mod apart;
mod class;
mod why;

pub use apart::Apart;
pub use class::Class;
pub use why::Why;

use crate::verdict::Inaccurate;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};
use thiserror::Error as ThisError;
#[cfg(feature = "chain")]
use zkml_deploy::{DeployError, source::SourceError};
use zkml_halo2::ProverError;
use zkml_harness::HarnessError;
#[cfg(feature = "chain")]
use zkml_service::ServiceError;
use zkml_verifier::VerifyError;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a step ended without its report.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The observer asked for the end.
    #[error("it was cancelled")]
    Cancelled,
    /// A file or folder could not be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried: `read`, `write`, `make the folder`.
        action: &'static str,
        /// The file or folder.
        path: String,
        /// What the system answered.
        source: io::Error,
    },
    /// The folder holds no `manifest.json`.
    #[error("{} is not an artifact folder: it has no manifest.json", .dir.display())]
    NoArtifacts {
        /// The folder.
        dir: PathBuf,
    },
    /// Something in an artifact folder that no command put there, and that reading might not end on.
    #[error("{} is no file: a pipe, a device or a socket", .path.display())]
    Irregular {
        /// What it is.
        path: PathBuf,
    },
    /// No folder was named and none, or more than one, can be meant.
    #[error("which model? {why}")]
    WhichModel {
        /// What was found instead of exactly one folder.
        why: String,
    },
    /// `manifest.json` is not one that this program wrote.
    #[error("{} is not a manifest that this program can read: {why}", .path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        why: Box<Why>,
    },
    /// A file of the folder is not there.
    #[error("{file} is missing in {}", .dir.display())]
    Missing {
        /// The file.
        file: String,
        /// The command that writes it.
        step: String,
        /// The folder.
        dir: PathBuf,
    },
    /// A file is not the one that was written.
    #[error("{file} in {} was changed after `{step}` wrote it", .dir.display())]
    Edited {
        /// The file.
        file: String,
        /// The command that wrote it.
        step: String,
        /// The folder.
        dir: PathBuf,
    },
    /// A file was made from something that has changed since.
    #[error("{source_file} changed since `{step}` made {file} from it (in {})", .dir.display())]
    Stale {
        /// The file that is out of date.
        file: String,
        /// What changed.
        source_file: String,
        /// The command to repeat.
        step: String,
        /// The folder.
        dir: PathBuf,
    },
    /// The folder belongs to another model.
    #[error("{} holds the artifacts of model `{found}`, not of `{wanted}`", .dir.display())]
    OtherModel {
        /// The folder.
        dir: PathBuf,
        /// The model whose artifacts are there.
        found: String,
        /// The model that was asked for.
        wanted: String,
    },
    /// Another command is writing to the folder.
    #[error("another command is writing to {}", .dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
    /// Another command made a file anew while this one used it.
    #[error("another command made {file} in {} anew while this one used it", .dir.display())]
    Meanwhile {
        /// The file.
        file: String,
        /// The folder.
        dir: PathBuf,
    },
    /// A file does not hold what its name says.
    #[error("{} cannot be used: {why}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: Box<Why>,
    },
    /// Bytes that came from no file, and are not what they are taken for.
    #[error("the {what} cannot be used: {why}")]
    Unusable {
        /// What they should be.
        what: &'static str,
        /// What is wrong with them.
        why: Box<Why>,
    },
    /// No trusted setup is at hand.
    #[error("no trusted setup with 2^{k} powers is at hand")]
    NoSrs {
        /// Binary logarithm of the number of powers that the circuit needs.
        k: u32,
    },
    /// A proof does not hold.
    #[error("the proof is refused by {by}: {why}")]
    Refused {
        /// Who refused it.
        by: &'static str,
        /// Its reason.
        why: String,
    },
    /// A proof does not hold, says the interpreter of the verifier program.
    #[error("the proof is refused by zkml-verifier: {0}")]
    Unverified(VerifyError),
    /// One proof of several does not hold.
    #[error("{} is refused by zkml-verifier: {why}", .path.display())]
    RefusedIn {
        /// The proof file.
        path: PathBuf,
        /// The verifier's reason.
        why: VerifyError,
    },
    /// Two proofs do not go into one batch.
    #[error("{} does not go into one batch with {}: {why}", .path.display(), .other.display())]
    NotTogether {
        /// The proof file.
        path: PathBuf,
        /// One that comes before it.
        other: PathBuf,
        /// The reason.
        why: Apart,
    },
    /// Some proofs have a context file named for them, and others have not.
    #[error(
        "{proofs} proofs and {files} context files were named: name one for each proof, in the same order, or none"
    )]
    ContextFiles {
        /// Proofs that were named.
        proofs: usize,
        /// Context files that were named.
        files: usize,
    },
    /// Two verifiers answer differently.
    #[error("{accepts} accepts the proof, {refuses} refuses it: {why}")]
    Disagreement {
        /// Who accepts.
        accepts: &'static str,
        /// Who refuses.
        refuses: &'static str,
        /// Why it does.
        why: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A changed proof or statement was not refused for its own reason.
    #[error("{change}: {expected} was expected, the contract answered {answer}")]
    Accepted {
        /// What was changed.
        change: &'static str,
        /// The error that should have answered.
        expected: &'static str,
        /// What happened instead.
        answer: String,
    },
    /// Another model cannot share the verifier of a model whose weights are part of it.
    #[error("the weights of the model in {} are public: its verifier is for that model alone", .dir.display())]
    PublicWeights {
        /// The artifact folder.
        dir: PathBuf,
    },
    /// A model cannot share a verifier, since it is built differently.
    #[error("{} is not of the architecture in {}: {difference}", .model.display(), .dir.display())]
    OtherArchitecture {
        /// The model.
        model: PathBuf,
        /// The artifact folder.
        dir: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// The folder for generated contracts has files that were not generated.
    #[error("{} is not a folder that `zkml-chain run` wrote", .dir.display())]
    NotGenerated {
        /// The folder.
        dir: PathBuf,
    },
    /// Something that cannot be done without was not named.
    #[error("{what} is needed")]
    NotGiven {
        /// What it is.
        what: Needed,
    },
    /// A private file with the salt of weights, which has not their values, cannot be checked alone.
    #[error("{} cannot be used: it holds the salt of `{name}` but not their values", .path.display())]
    NoValues {
        /// The private file.
        path: PathBuf,
        /// What is committed to.
        name: String,
    },
    /// A generated contract is not what this version prints for the program.
    #[error("{} cannot be used: it is not what this version of zkml-chain generates", .path.display())]
    OtherSource {
        /// The contract's source.
        path: PathBuf,
    },
    /// The folder to make is the one of the other model of the architecture.
    #[error("{} cannot be used: it holds the other model of this architecture", .dir.display())]
    SameFolder {
        /// The folder.
        dir: PathBuf,
    },
    /// A private file opens a commitment to other values.
    #[error("{} opens the commitment {commitment} to `{name}`, but `{name}` has other values now", .path.display())]
    OtherData {
        /// The private file.
        path: PathBuf,
        /// The input, or `weights`.
        name: String,
        /// The commitment that it opens.
        commitment: String,
    },
    /// Salt and values give another commitment.
    #[error("{} does not open {stated} ({name}): its salt and values give {found}", .path.display())]
    Unopened {
        /// The private file.
        path: PathBuf,
        /// What is committed to.
        name: String,
        /// The commitment that should be opened.
        stated: String,
        /// The one that is.
        found: String,
    },
    /// The model shows publicly what was to be committed to.
    #[error("{what} of this model is public: there is no commitment to make")]
    NotCommitted {
        /// What was to be committed to.
        what: String,
    },
    /// An input that the model does not have.
    #[error("the model has no input `{name}`; it has {}", .known.join(", "))]
    NoSuchInput {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A value does not fit what a commitment gives it, or a salt is not in the field.
    #[error(transparent)]
    Commit(#[from] zkml_poseidon::CommitError),
    /// The model, its settings or a sample are refused by the front end.
    #[error(transparent)]
    Onnx(#[from] zkml_onnx::Error),
    /// The integer model errs more than its settings tolerate.
    #[error(transparent)]
    Inaccurate(Box<Inaccurate>),
    /// The integer graph refuses a value or bytes.
    #[error(transparent)]
    Graph(#[from] zkml_graph::GraphError),
    /// A trusted setup, or a file of keys.
    #[error(transparent)]
    Srs(#[from] zkml_srs::Error),
    /// The prover.
    #[error(transparent)]
    Prover(ProverError),
    /// The sumcheck prover.
    #[error(transparent)]
    Sumcheck(#[from] zkml::SumcheckError),
    /// The Solidity printer.
    #[error(transparent)]
    Codegen(#[from] zkml_codegen::CodegenError),
    /// A call that cannot be encoded, or an answer of a contract that cannot be read.
    #[error(transparent)]
    Abi(#[from] zkml_contracts::AbiError),
    /// A proof that does not fit the form that contracts take.
    #[error(transparent)]
    Envelope(#[from] zkml_protocol::envelope::EnvelopeError),
    /// The compiler or the local EVM.
    #[error(transparent)]
    Harness(#[from] HarnessError),
    /// A chain, its endpoint, or a contract on it.
    #[cfg(feature = "chain")]
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// The service that fulfils requests.
    #[cfg(feature = "chain")]
    #[error(transparent)]
    Service(ServiceError),
    /// A service that verifies sources, or what was to be given to it.
    #[cfg(feature = "chain")]
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Object storage or keys of a fleet, or a model that is not for fleets.
    #[cfg(feature = "chain")]
    #[error(transparent)]
    Fleet(#[from] crate::fleet::FleetError),
    /// Nobody has proven a request.
    #[error("request {request} has no proof after {seconds} seconds; it stays until its deadline")]
    NotAnswered {
        /// Its id.
        request: zkml_protocol::Word,
        /// Seconds that were waited.
        seconds: u64,
    },
    /// A proof of something else.
    #[error("{} is a proof of another {what}: it names {found}, the artifacts have {expected}", .path.display())]
    ForeignProof {
        /// The proof file.
        path: PathBuf,
        /// `model` or `key`.
        what: &'static str,
        /// The digest in the artifact folder.
        expected: String,
        /// The digest in the proof file.
        found: String,
    },
}

/// Something that a step cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Needed {
    /// The ONNX file.
    Model,
    /// The settings that it was compiled with.
    Settings,
    /// The recorded scales.
    Scales,
    /// A model, or its integer graph in place of it.
    Graph,
    /// What the circuit makes cheap.
    Goal,
    /// The private file with the salt of the weights.
    WeightsSalt,
    /// The folder that the service takes committed inputs from.
    Inputs,
    /// The public key that inputs are sealed for.
    FleetKey,
    /// At least one proof file.
    Proofs,
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model => "the ONNX file",
            Self::Settings => crate::artifacts::file::SETTINGS,
            Self::Scales => crate::artifacts::file::SCALES,
            Self::Graph => "a model or its integer graph",
            Self::Goal => "what was made cheap",
            Self::WeightsSalt => "the salt of the private weights",
            Self::Inputs => "the folder with the committed inputs",
            Self::FleetKey => "the fleet's public key",
            Self::Proofs => "one proof file at least",
        })
    }
}

impl Error {
    /// A file or folder that could not be read or written, or whatever else `action` says.
    #[must_use]
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.display().to_string(), source }
    }

    /// A file whose content cannot be used.
    #[must_use]
    pub fn content(path: &Path, why: impl Into<Why>) -> Self {
        Self::Content { path: path.to_owned(), why: Box::new(why.into()) }
    }

    fn unusable(what: &'static str, why: impl Into<Why>) -> Self {
        Self::Unusable { what, why: Box::new(why.into()) }
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Io { .. } => "io",
            Self::NoArtifacts { .. } => "no-artifacts",
            Self::Irregular { .. } => "irregular-file",
            Self::WhichModel { .. } => "which-model",
            Self::Manifest { .. } => "manifest",
            Self::Missing { .. } => "missing-file",
            Self::Edited { .. } => "edited-file",
            Self::Stale { .. } => "stale-file",
            Self::OtherModel { .. } => "other-model",
            Self::Busy { .. } => "busy",
            Self::Meanwhile { .. } => "made-anew",
            // As when a sample is refused that came from no file.
            Self::Content { why, .. } if matches!(**why, Why::Sample(_)) => "model",
            Self::Content { .. }
            | Self::Unusable { .. }
            | Self::NoValues { .. }
            | Self::OtherSource { .. }
            | Self::SameFolder { .. } => "content",
            Self::ForeignProof { .. } => "foreign-proof",
            Self::PublicWeights { .. } => "public-weights",
            Self::OtherArchitecture { .. } => "other-architecture",
            Self::NotGiven { .. } => "not-given",
            Self::OtherData { .. } => "other-data",
            Self::Unopened { .. } => "unopened",
            Self::NotCommitted { .. } => "not-committed",
            Self::NoSuchInput { .. } => "no-such-input",
            Self::Commit(_) => "commit",
            Self::NoSrs { .. } => "no-setup",
            Self::Refused { .. } | Self::Unverified(_) | Self::RefusedIn { .. } => "refused",
            Self::NotTogether { .. } => "not-together",
            Self::ContextFiles { .. } => "context-files",
            Self::Disagreement { .. } => "disagreement",
            Self::Accepted { .. } => "accepted",
            Self::Onnx(_) => "model",
            Self::Inaccurate(_) => "inaccurate",
            Self::Graph(_) => "graph",
            Self::Srs(zkml_srs::Error::Unsound { .. }) => "trusted-setup",
            Self::Srs(_) | Self::Prover(_) | Self::Sumcheck(_) => "prover",
            Self::Codegen(_) | Self::Abi(_) => "codegen",
            Self::Envelope(_) => "envelope",
            Self::Harness(_) => "evm",
            #[cfg(feature = "chain")]
            Self::Deploy(e) => e.name(),
            #[cfg(feature = "chain")]
            Self::Service(e) => e.name(),
            #[cfg(feature = "chain")]
            Self::Source(e) => e.name(),
            #[cfg(feature = "chain")]
            Self::Fleet(e) => e.name(),
            Self::NotAnswered { .. } => "not-answered",
            Self::NotGenerated { .. } => "not-generated",
        }
    }
}

impl From<zkml_onnx::SampleError> for Error {
    fn from(error: zkml_onnx::SampleError) -> Self {
        Self::Onnx(error.into())
    }
}

impl From<ProverError> for Error {
    fn from(error: ProverError) -> Self {
        match error {
            ProverError::Srs(e) => Self::Srs(e),
            other => Self::Prover(other),
        }
    }
}

#[cfg(feature = "chain")]
impl From<ServiceError> for Error {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Deploy(e) => Self::Deploy(e),
            other => Self::Service(other),
        }
    }
}

impl From<zkml::Error> for Error {
    fn from(error: zkml::Error) -> Self {
        use zkml::Error as E;
        match error {
            E::Cancelled { .. } => Self::Cancelled,
            E::Refused(e) => e.into(),
            E::Onnx(e) => e.into(),
            E::Sample(e) => e.into(),
            E::Graph(e) => e.into(),
            E::Prover(e) => e.into(),
            E::Sumcheck(e) => e.into(),
            E::Srs(e) => e.into(),
            E::Opening(e) => e.into(),
            E::Codegen(e) => e.into(),
            E::Envelope(e) => e.into(),
            E::Evm(e) => e.into(),
            E::Program(e) => Self::unusable("verifier program", e),
            E::Proof(e) => Self::unusable("proof", e),
            E::Malformed { what, why } => Self::unusable(what, why.to_string()),
            E::Weights(e) => Self::unusable("file of private weights", e),
            // What is left says that parts of one run do not belong together.
            other => Self::Disagreement { accepts: "the prover", refuses: "the library", why: other.into() },
        }
    }
}

impl From<zkml::OpeningError> for Error {
    fn from(error: zkml::OpeningError) -> Self {
        match error {
            zkml::OpeningError::Commit(e) => Self::Commit(e),
            other => Self::io("read", Path::new("the system's randomness"), io::Error::other(other)),
        }
    }
}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        Self::Unverified(error)
    }
}
