//! The kind of end that each error is.

use std::io;

#[cfg(feature = "chain")]
use zkml_contracts::AbiError;
#[cfg(feature = "chain")]
use zkml_deploy::{DeployError, error::AcceptanceError, source::SourceError};
use zkml_halo2::ProverError;
use zkml_harness::HarnessError;
#[cfg(feature = "chain")]
use zkml_service::ServiceError;

use super::Error;

/// A kind of end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The question was answered with no: a proof was refused.
    Refused,
    /// What was asked for is wrong or incomplete.
    Usage,
    /// The model, the data or a proof file cannot be used.
    Input,
    /// The artifact folder is incomplete, out of date, or was edited.
    Artifacts,
    /// The system stands in the way: disk, permissions, a tool that is not installed; or whoever cancelled.
    System,
    /// The integer model is less accurate than its settings ask for.
    Inaccurate,
    /// Somebody else has to do something first.
    Waits,
}

impl Error {
    /// The kind of end.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Io { action: "read", source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Class::Input
            }
            Self::Io { .. } | Self::Busy { .. } | Self::NoSrs { .. } | Self::Cancelled => Class::System,
            Self::NotAnswered { .. } => Class::System,
            Self::NoArtifacts { .. }
            | Self::Irregular { .. }
            | Self::WhichModel { .. }
            | Self::Manifest { .. }
            | Self::Missing { .. }
            | Self::Edited { .. }
            | Self::Stale { .. }
            | Self::Meanwhile { .. }
            | Self::OtherModel { .. } => Class::Artifacts,
            Self::PublicWeights { .. } | Self::OtherArchitecture { .. } => Class::Input,
            Self::Content { .. }
            | Self::Unusable { .. }
            | Self::NoValues { .. }
            | Self::OtherSource { .. }
            | Self::SameFolder { .. }
            | Self::ForeignProof { .. }
            | Self::OtherData { .. }
            | Self::NotCommitted { .. }
            | Self::NoSuchInput { .. }
            | Self::NotTogether { .. }
            | Self::Commit(_) => Class::Input,
            Self::Unopened { .. } => Class::Refused,
            Self::NotGiven { .. } | Self::NotGenerated { .. } | Self::ContextFiles { .. } => Class::Usage,
            Self::Refused { .. }
            | Self::Unverified(_)
            | Self::RefusedIn { .. }
            | Self::Disagreement { .. }
            | Self::Accepted { .. } => Class::Refused,
            Self::Onnx(_) | Self::Graph(_) => Class::Input,
            Self::Inaccurate(_) => Class::Inaccurate,
            Self::Srs(e) => srs_class(e),
            Self::Prover(e) => prover_class(e),
            Self::Sumcheck(zkml::SumcheckError::BadKey(_) | zkml::SumcheckError::Options { .. }) => {
                Class::Artifacts
            }
            Self::Sumcheck(_) => Class::Input,
            Self::Codegen(_) | Self::Abi(_) | Self::Envelope(_) => Class::Artifacts,
            Self::Harness(e) => harness_class(e),
            #[cfg(feature = "chain")]
            Self::Deploy(e) => deploy_class(e),
            #[cfg(feature = "chain")]
            Self::Service(ServiceError::DatabaseUrl(_)) => Class::Usage,
            // A chain's is a `Deploy`; what is left is files and sockets.
            #[cfg(feature = "chain")]
            Self::Service(_) => Class::System,
            #[cfg(feature = "chain")]
            Self::Fleet(e) => fleet_class(e),
            #[cfg(feature = "chain")]
            Self::Source(e) => source_class(e),
        }
    }
}

fn srs_class(error: &zkml_srs::Error) -> Class {
    match error {
        zkml_srs::Error::Io { .. } | zkml_srs::Error::TooSmall { .. } => Class::System,
        zkml_srs::Error::BadFile { .. } | zkml_srs::Error::BadOrigin { .. } => Class::Artifacts,
        _ => Class::Input,
    }
}

fn prover_class(error: &ProverError) -> Class {
    match error {
        ProverError::Srs(e) => srs_class(e),
        ProverError::Io { .. } | ProverError::Environment(_) => Class::System,
        ProverError::BadFile { .. } | ProverError::BadHeader { .. } | ProverError::Mismatch { .. } => {
            Class::Artifacts
        }
        ProverError::Rejected(_) => Class::Refused,
        _ => Class::Input,
    }
}

#[cfg(feature = "chain")]
fn deploy_class(error: &DeployError) -> Class {
    use DeployError as E;
    match error {
        E::UnknownChain { .. } | E::NoRpcUrl { .. } | E::BadRpcUrl { .. } | E::TestKeyElsewhere { .. } => {
            Class::Usage
        }
        E::KeyVariable { .. } => Class::Usage,
        E::ChainsFile { .. } | E::Keystore { .. } | E::Record { .. } | E::Unusable { .. } => Class::Input,
        E::Abi(AbiError::DelayTooShort { .. } | AbiError::DelayUnused { .. }) => Class::Usage,
        E::OtherModel { .. } | E::OtherRecord { .. } | E::Abi(_) => Class::Artifacts,
        E::NoRequests { .. } | E::PartMissing { .. } | E::NoOwner { .. } | E::AnyInput { .. } => Class::Usage,
        E::Argument { .. } | E::NoGuardian | E::NoRewards { .. } => Class::Usage,
        E::NoRecord { .. } => Class::Input,
        E::Acceptance(e) if e.is_usage() => Class::Usage,
        E::Acceptance(AcceptanceError::NoSuchResult { .. } | AcceptanceError::OtherInput { .. }) => {
            Class::Input
        }
        E::Acceptance(_) => Class::Refused,
        E::FeeTooHigh { .. } | E::BaseFee { .. } | E::GasTooHigh { .. } => Class::System,
        E::Answer { .. }
        | E::Reverted { .. }
        | E::TransactionFailed { .. }
        | E::Deprecated { .. }
        | E::Preflight { .. }
        | E::UnsafeSetup { .. }
        | E::OtherCode { .. }
        | E::Route { .. }
        | E::OtherContext { .. } => Class::Refused,
        _ => Class::System,
    }
}

#[cfg(feature = "chain")]
fn fleet_class(error: &crate::fleet::FleetError) -> Class {
    use crate::fleet::FleetError as E;
    match error {
        E::Storage { .. } => Class::System,
        E::Damaged { .. } => Class::Artifacts,
        E::Location { .. } | E::Key { .. } | E::NotForFleets { .. } => Class::Input,
    }
}

#[cfg(feature = "chain")]
fn source_class(error: &SourceError) -> Class {
    use SourceError as E;
    match error {
        E::Url { .. } | E::NoKey { .. } | E::WrongKey { .. } | E::NoSuchContract { .. } => Class::Usage,
        E::NotThere { .. } => Class::Input,
        E::Refused { .. } => Class::Refused,
        _ => Class::System,
    }
}

fn harness_class(error: &HarnessError) -> Class {
    match error {
        HarnessError::SelfCheck { .. } | HarnessError::DeployFailed { .. } | HarnessError::Transaction(_) => {
            Class::Refused
        }
        HarnessError::CodeTooLarge { .. } => Class::Input,
        _ => Class::System,
    }
}
