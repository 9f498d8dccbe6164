//! Errors of a fleet.

use std::path::PathBuf;

/// An error of object storage, of keys, or of what is found under them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The URL of object storage is none.
    #[error("{given} is no object storage: {why}")]
    Location {
        /// The text that was given, without a password.
        given: String,
        /// Its fault.
        why: String,
    },
    /// Object storage does not do what it is asked for.
    #[error("cannot {action} {object} in {place}")]
    Storage {
        /// The attempt.
        action: &'static str,
        /// The object.
        object: String,
        /// The place.
        place: String,
        /// Its answer.
        source: Box<object_store::Error>,
    },
    /// An object is not as it was put there.
    #[error("{object} in {place} is damaged: {why}")]
    Damaged {
        /// The object.
        object: String,
        /// The place.
        place: String,
        /// Its fault.
        why: String,
    },
    /// A file of a key is none.
    #[error("{} is no {what}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The kind of file that is expected.
        what: &'static str,
    },
    /// A model that one machine has to prove by itself.
    #[error(
        "a fleet does not prove models with {what}: their secrets would have to leave this machine as well"
    )]
    NotForFleets {
        /// Its property.
        what: &'static str,
    },
}

impl FleetError {
    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Location { .. } => "object-storage-url",
            Self::Storage { .. } => "object-storage",
            Self::Damaged { .. } => "damaged-object",
            Self::Key { .. } => "fleet-key",
            Self::NotForFleets { .. } => "not-for-fleets",
        }
    }
}
