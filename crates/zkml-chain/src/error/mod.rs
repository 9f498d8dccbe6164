//! Everything that can end a command, with its exit code and the way out.

mod class;
mod way_out;

use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
};
use thiserror::Error as ThisError;
#[cfg(feature = "chain")]
use zkml_deploy::{DeployError, source::SourceError};
use zkml_halo2::ProverError;
use zkml_harness::HarnessError;
#[cfg(feature = "chain")]
use zkml_service::ServiceError;
use zkml_verifier::plonk::VerifyError;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command ended without its result.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
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
        why: String,
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
        why: String,
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
    /// Two verifiers answer differently.
    #[error("{accepts} accepts the proof, {refuses} refuses it: {why}")]
    Disagreement {
        /// Who accepts.
        accepts: &'static str,
        /// Who refuses.
        refuses: &'static str,
        /// Why it does.
        why: String,
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
    /// What was built again is not what is claimed.
    #[error("the {what} is not what the model gives: {claimed} is claimed, {rebuilt} was built")]
    Differs {
        /// The first thing that differs.
        what: &'static str,
        /// Names what was built.
        rebuilt: String,
        /// Names the claim.
        claimed: String,
        /// Everything that was compared.
        report: Box<crate::pipeline::audit::AuditReport>,
    },
    /// Something that cannot be done without was not named.
    #[error("{what} is needed: name it with {flag}")]
    NotGiven {
        /// What it is.
        what: &'static str,
        /// The flag that names it.
        flag: &'static str,
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
    #[error(
        "output `{}` of the integer model differs from the float model by up to {:.3e}, which is {:.1} times the {:.1e} that is \
         tolerated{}",
        .alarm.output,
        .alarm.error,
        .alarm.times(),
        .alarm.allowed,
        suspected(.alarm)
    )]
    Inaccurate {
        /// The output, its error, and what is tolerated.
        alarm: Box<zkml_onnx::Alarm>,
        /// The artifact folder.
        dir: PathBuf,
        /// The report, from `calibrate`.
        report: Option<Box<crate::pipeline::calibrate::CalibrateReport>>,
    },
    /// The integer graph refuses a value or bytes.
    #[error(transparent)]
    Graph(#[from] zkml_graph::GraphError),
    /// A trusted setup, or a file of keys.
    #[error(transparent)]
    Srs(#[from] zkml_srs::Error),
    /// The prover.
    #[error(transparent)]
    Prover(ProverError),
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
    /// What is on a chain is not what should be there.
    #[cfg(feature = "chain")]
    #[error("on {} these are not as they should be: {}", .report.chain, .failed.join(", "))]
    Deployment {
        /// The checks that failed.
        failed: Vec<String>,
        /// All checks.
        report: Box<crate::pipeline::deploy::check::CheckReport>,
    },
    /// A service that verifies sources, or what was to be given to it.
    #[cfg(feature = "chain")]
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A service does not come to the code that is on the chain.
    #[cfg(feature = "chain")]
    #[error("{error}")]
    SourceRefused {
        /// The contracts, with reasons.
        error: SourceError,
        /// What it says of each contract.
        report: Box<crate::pipeline::verify_source::VerifySourceReport>,
    },
    /// A command that this build is without.
    #[error("this build has no commands for chains, and `{command}` is one of them")]
    LeftOut {
        /// The command.
        command: &'static str,
    },
    /// `zkml.toml` is refused.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A project, or its folder of generated contracts, is not written.
    #[error(transparent)]
    Project(#[from] crate::project::ProjectError),
    /// No key was named.
    #[error("whose key signs? none was named")]
    NoKey,
    /// The password of a keystore is nowhere.
    #[error("{} needs a password, and there is no terminal to ask at", .keystore.display())]
    NoPassword {
        /// The keystore.
        keystore: PathBuf,
        /// The environment variable that may hold it.
        variable: &'static str,
    },
    /// Nobody has proven a request.
    #[error("request {request} has no proof after {seconds} seconds; it stays until its deadline")]
    NotAnswered {
        /// Its id.
        request: zkml_protocol::Word,
        /// So long was waited.
        seconds: u64,
    },
    /// A fixture of the contracts' tests cannot be made or checked.
    #[error("fixture `{name}` cannot be made")]
    Fixture {
        /// The scenario.
        name: String,
        /// Why.
        source: Box<Error>,
    },
    /// Committed fixtures are not what the repository gives.
    #[error("{} fixtures are out of date: {}", .stale.len(), .stale.join("; "))]
    StaleFixtures {
        /// The files, each with the reason.
        stale: Vec<String>,
    },
    /// No scenario has this name.
    #[error("no model and no proof of the scenarios is called `{name}`")]
    NoSuchFixture {
        /// The name.
        name: String,
    },
    /// A step of the benchmark failed.
    #[error("`zkml-chain {command}` failed: {why}")]
    Child {
        /// Its arguments.
        command: String,
        /// What happened.
        why: String,
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

/// What kind of end it was; the number is the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// The question was answered with no: a proof was refused.
    Refused = 1,
    /// The command line or `zkml.toml` was wrong.
    Usage = 2,
    /// The model, the data or a proof file cannot be used.
    Input = 3,
    /// The artifact folder is incomplete, out of date, or was edited.
    Artifacts = 4,
    /// The system stands in the way: disk, permissions, a tool that is not installed.
    System = 5,
    /// The integer model is less accurate than its settings ask for.
    Inaccurate = 6,
}

/// The exit codes as `--help` lists them.
pub const EXIT_CODES: &str = "Exit codes:
  0  done; a proof was accepted
  1  a proof was refused, by a verifier or on a chain, or sources by a service
  2  the command line or zkml.toml is wrong
  3  the model, the data or a proof file cannot be used
  4  the artifact folder is incomplete, out of date, or was edited
  5  the system stands in the way: disk, permissions, a missing tool, a chain that does not answer
  6  the integer model errs more than is tolerated; --allow-inaccurate accepts that";

/// Where an error shows first, as the end of a sentence.
pub(crate) fn suspected(alarm: &zkml_onnx::Alarm) -> String {
    let layer = alarm.layer.as_ref().filter(|l| **l != alarm.output);
    layer.map_or_else(String::new, |l| format!("; the error shows first in `{l}`"))
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.display().to_string(), source }
    }

    pub(crate) fn fixture(name: &str, source: Self) -> Self {
        Self::Fixture { name: name.to_owned(), source: Box::new(source) }
    }

    /// A stable name for scripts.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::NoArtifacts { .. } => "no-artifacts",
            Self::WhichModel { .. } => "which-model",
            Self::Manifest { .. } => "manifest",
            Self::Missing { .. } => "missing-file",
            Self::Edited { .. } => "edited-file",
            Self::Stale { .. } => "stale-file",
            Self::OtherModel { .. } => "other-model",
            Self::Busy { .. } => "busy",
            Self::Meanwhile { .. } => "made-anew",
            Self::Content { .. } => "content",
            Self::ForeignProof { .. } => "foreign-proof",
            Self::PublicWeights { .. } => "public-weights",
            Self::OtherArchitecture { .. } => "other-architecture",
            Self::Differs { .. } => "differs",
            Self::NotGiven { .. } => "not-given",
            Self::OtherData { .. } => "other-data",
            Self::Unopened { .. } => "unopened",
            Self::NotCommitted { .. } => "not-committed",
            Self::NoSuchInput { .. } => "no-such-input",
            Self::Commit(_) => "commit",
            Self::NoSrs { .. } => "no-setup",
            Self::Refused { .. } => "refused",
            Self::Disagreement { .. } => "disagreement",
            Self::Accepted { .. } => "accepted",
            Self::Onnx(_) => "model",
            Self::Inaccurate { .. } => "inaccurate",
            Self::Graph(_) => "graph",
            Self::Srs(zkml_srs::Error::Unsound { .. }) => "trusted-setup",
            Self::Srs(_) | Self::Prover(_) => "prover",
            Self::Codegen(_) | Self::Abi(_) => "codegen",
            Self::Envelope(_) => "envelope",
            Self::Harness(_) => "evm",
            #[cfg(feature = "chain")]
            Self::Deploy(e) => e.name(),
            #[cfg(feature = "chain")]
            Self::Service(e) => e.name(),
            #[cfg(feature = "chain")]
            Self::Deployment { .. } => "deployment",
            #[cfg(feature = "chain")]
            Self::Source(error) | Self::SourceRefused { error, .. } => error.name(),
            Self::LeftOut { .. } => "left-out",
            Self::Config(e) => e.name(),
            Self::Project(e) => e.name(),
            Self::NoKey => "no-key",
            Self::NoPassword { .. } => "no-password",
            Self::NotAnswered { .. } => "not-answered",
            Self::Child { .. } => "child",
            Self::Fixture { .. } => "fixture",
            Self::StaleFixtures { .. } => "stale-fixtures",
            Self::NoSuchFixture { .. } => "no-such-fixture",
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

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        Self::Refused { by: "zkml-verifier", why: error.to_string() }
    }
}

impl miette::Diagnostic for Error {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(format!("zkml-chain::{}", self.name())))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.way_out().map(|w| Box::new(w) as Box<dyn Display>)
    }
}
