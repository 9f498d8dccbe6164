//! Ends of a command, and the exit code of each.

use crate::{config::ConfigError, project::ProjectError, way_out};
use std::{fmt, path::PathBuf};
use zkml_workspace::{Class, Error as StepError, verdict::Failed};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command ended without success.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A step came to no report.
    Step(StepError),
    /// A step's verdict is no. People have seen its report already.
    Failed {
        /// Why it is no.
        failed: Failed,
        /// The report, for JSON.
        report: Box<serde_json::Value>,
    },
    /// A command that this build is without.
    LeftOut {
        /// The command.
        command: &'static str,
    },
    /// The command line cannot be read.
    Usage {
        /// Why not.
        message: String,
    },
    /// `zkml.toml` is refused.
    Config(ConfigError),
    /// A project, or its folder of generated contracts, is not written.
    Project(ProjectError),
    /// No key was named.
    NoKey,
    /// The password of a keystore is nowhere.
    NoPassword {
        /// The keystore.
        keystore: PathBuf,
        /// The environment variable that may hold it.
        variable: &'static str,
    },
}

/// The exit codes as `--help` lists them.
pub const EXIT_CODES: &str = "Exit codes:
  0  done; a proof was accepted
  1  a proof was refused, by a verifier or on a chain, or sources by a service
  2  the command line or zkml.toml is wrong
  3  the model, the data or a proof file cannot be used
  4  the artifact folder is incomplete, out of date, or was edited
  5  the system stands in the way: disk, permissions, a missing tool, a chain that does not answer
  6  the integer model errs more than is tolerated; --allow-inaccurate accepts that
  7  a deployment waits for a transaction of somebody else; run the same command again after it";

impl Error {
    /// The parser's error, without its colours, usage and hints.
    #[must_use]
    pub(crate) fn usage(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        // What is missing is listed below the first line.
        let told = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        Self::Usage { message: told.lines().map(str::trim).collect::<Vec<_>>().join(" ") }
    }

    /// The exit code, as [`EXIT_CODES`] lists it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let class = match self {
            Self::Step(error) => error.class(),
            Self::Failed { failed: Failed::Inaccurate(_), .. } => Class::Inaccurate,
            #[cfg(feature = "chain")]
            Self::Failed { failed: Failed::Waits { .. }, .. } => Class::Waits,
            Self::Failed { .. } => Class::Refused,
            Self::Usage { .. }
            | Self::Config(_)
            | Self::Project(_)
            | Self::LeftOut { .. }
            | Self::NoKey
            | Self::NoPassword { .. } => Class::Usage,
        };
        match class {
            Class::Refused => 1,
            Class::Usage => 2,
            Class::Input => 3,
            Class::Artifacts => 4,
            Class::System => 5,
            Class::Inaccurate => 6,
            Class::Waits => 7,
        }
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Step(error) => error.name(),
            Self::Failed { failed, .. } => match failed {
                Failed::Differs { .. } => "differs",
                Failed::Inaccurate(_) => "inaccurate",
                #[cfg(feature = "chain")]
                Failed::Deployment { .. } => "deployment",
                #[cfg(feature = "chain")]
                Failed::Waits { .. } => "waits",
                #[cfg(feature = "chain")]
                Failed::Sources(error) => error.name(),
                _ => "failed",
            },
            Self::Usage { .. } => "usage",
            Self::Config(e) => e.name(),
            Self::Project(e) => e.name(),
            Self::LeftOut { .. } => "left-out",
            Self::NoKey => "no-key",
            Self::NoPassword { .. } => "no-password",
        }
    }

    /// The way out, where the message does not say it already.
    #[must_use]
    pub fn way_out(&self) -> Option<String> {
        Some(match self {
            Self::Step(error) => return way_out::of_step(error),
            Self::Failed { failed, .. } => return way_out::of_verdict(failed),
            Self::Usage { .. } => "`zkml-chain --help` lists the commands, and `--help` behind a command its flags".into(),
            Self::Config(e) => return e.way_out(),
            Self::Project(e) => e.way_out(),
            Self::LeftOut { .. } => "build it with them: `make build`".into(),
            Self::NoKey => {
                "name one with --keystore FILE, --key-env VARIABLE or --ledger N; on chain 31337 --test-key will do, and for a dry run --from ADDRESS".into()
            }
            Self::NoPassword { variable, .. } => {
                format!("put it into a file and name that with --password-file, or into {variable}")
            }
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(error) => f.write_str(&way_out::message(error)),
            Self::Failed { failed, .. } => failed.fmt(f),
            Self::Usage { message } => f.write_str(message),
            Self::Config(e) => e.fmt(f),
            Self::Project(e) => e.fmt(f),
            Self::LeftOut { command } => {
                write!(f, "this build has no commands for chains, and `{command}` is one of them")
            }
            Self::NoKey => f.write_str("whose key signs? none was named"),
            Self::NoPassword { keystore, .. } => {
                write!(f, "{} needs a password, and there is no terminal to ask at", keystore.display())
            }
        }
    }
}

impl std::error::Error for Error {
    /// The step's error stands for itself, so what follows is its cause.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Step(error) => error.source(),
            Self::Failed { failed, .. } => failed.source(),
            _ => None,
        }
    }
}

impl miette::Diagnostic for Error {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("zkml-chain::{}", self.name())))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.way_out().map(|words| Box::new(words) as Box<dyn fmt::Display>)
    }
}

impl From<StepError> for Error {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<ProjectError> for Error {
    fn from(error: ProjectError) -> Self {
        Self::Project(error)
    }
}

impl From<zkml_onnx::Error> for Error {
    fn from(error: zkml_onnx::Error) -> Self {
        Self::Step(error.into())
    }
}

#[cfg(feature = "chain")]
impl From<zkml_service::BadDatabaseUrl> for Error {
    fn from(error: zkml_service::BadDatabaseUrl) -> Self {
        zkml_service::ServiceError::from(error).into()
    }
}

#[cfg(feature = "chain")]
impl From<zkml_service::ServiceError> for Error {
    fn from(error: zkml_service::ServiceError) -> Self {
        Self::Step(error.into())
    }
}

#[cfg(feature = "chain")]
impl From<zkml_deploy::DeployError> for Error {
    fn from(error: zkml_deploy::DeployError) -> Self {
        Self::Step(error.into())
    }
}
