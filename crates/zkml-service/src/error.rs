//! What can end the service.

use zkml_deploy::DeployError;

use crate::store::{BadDatabaseUrl, StoreError};

/// An error of the service: it names the thing, the number and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// A chain, its endpoint, or a contract on it.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// A journal cannot be read or written.
    #[error("the journal {journal} cannot be used")]
    Journal {
        /// Its file, or its server and schema.
        journal: String,
        /// What the database says.
        source: StoreError,
    },
    /// The server of a journal cannot be reached, or went away.
    #[error("the journal {journal} cannot be reached; the last change is read again")]
    JournalAway {
        /// Its server and schema.
        journal: String,
        /// What went wrong.
        source: StoreError,
    },
    /// The queue of a server is of another version than this program.
    #[error(
        "the queue's schema is of version {found}, this program knows 1 to {latest} and works with {latest}"
    )]
    QueueVersion {
        /// The version that was found or asked for; 0 if there is none.
        found: u32,
        /// The version that this program works with.
        latest: u32,
    },
    /// Going back would lose tasks.
    #[error("the queue holds {tasks} tasks, which would be lost")]
    QueueNotEmpty {
        /// Number of tasks.
        tasks: u64,
    },
    /// The URL of a database is missing, or none.
    #[error(transparent)]
    DatabaseUrl(#[from] BadDatabaseUrl),
    /// A file is no journal of this program.
    #[error("the journal {journal}: {why}")]
    NoJournal {
        /// Its file, or its server and schema.
        journal: String,
        /// What it is instead, and the way out.
        why: String,
    },
    /// Somebody else has the journal open.
    #[error("{journal} is in use: {holder}")]
    JournalInUse {
        /// The journal's file, or the server and schema.
        journal: String,
        /// The one that has it, in words.
        holder: String,
    },
    /// A journal was made for something else.
    #[error("the journal {journal} is for {what} {there}, not {here}: name another file")]
    OtherJournal {
        /// Its file, or its server and schema.
        journal: String,
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
            Self::JournalAway { .. } => "journal-away",
            Self::DatabaseUrl(_) => "database-url",
            Self::QueueVersion { .. } => "queue-version",
            Self::QueueNotEmpty { .. } => "queue-not-empty",
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
