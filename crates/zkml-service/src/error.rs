//! What can end the service.

use std::path::PathBuf;

use zkml_deploy::DeployError;

/// An error of the service: it names the thing, the number and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// A chain, its endpoint, or a contract on it.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// A journal cannot be read or written.
    #[error("the journal {} cannot be used", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A file is no journal of this program.
    #[error("the journal {}: {why}", path.display())]
    NoJournal {
        /// The file.
        path: PathBuf,
        /// What it is instead, and the way out.
        why: String,
    },
    /// Somebody else has the journal open.
    #[error("the journal {} is in use: another service that serves the same requests runs already", path.display())]
    JournalInUse {
        /// The file.
        path: PathBuf,
    },
    /// A journal was made for something else.
    #[error("the journal {} is for {what} {there}, not {here}: name another file", path.display())]
    OtherJournal {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// The journal's.
        there: String,
        /// What it was opened for.
        here: String,
    },
    /// The address for metrics cannot be listened on.
    #[error("{address} cannot be listened on")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
}

impl ServiceError {
    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deploy(e) => e.name(),
            Self::Journal { .. } | Self::NoJournal { .. } => "journal",
            Self::JournalInUse { .. } => "journal-in-use",
            Self::OtherJournal { .. } => "other-journal",
            Self::Listen { .. } => "listen",
        }
    }
}

/// Results of this crate.
pub type Result<T, E = ServiceError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;
    use zkml_deploy::error::with_causes;

    #[test]
    fn names_stay_and_a_cause_is_said_once() {
        let source = std::io::Error::other("taken");
        let error = ServiceError::Listen { address: "127.0.0.1:1".into(), source };
        assert_eq!((error.name(), error.to_string().contains("taken")), ("listen", false));
        assert_eq!(with_causes(&error), "127.0.0.1:1 cannot be listened on: taken");
        let error = ServiceError::from(DeployError::NoLedger);
        assert_eq!((error.name(), error.source().is_none()), ("ledger", true));
        assert_eq!(error.to_string(), DeployError::NoLedger.to_string());
    }
}
