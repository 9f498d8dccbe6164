//! Everything that `init` refuses of its own.

use std::path::PathBuf;
use thiserror::Error as ThisError;

/// Why a project is not written.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum ProjectError {
    /// The folder has files, or is one.
    #[error("{} exists, and is not an empty folder", .dir.display())]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// The name is no name of a project.
    #[error(
        "`{name}` is no name for a project: letters, digits, `-`, `_` and `.` make one, beginning with a letter or digit"
    )]
    BadName {
        /// The name.
        name: String,
    },
}

impl ProjectError {
    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotEmpty { .. } => "not-empty",
            Self::BadName { .. } => "project-name",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn way_out(&self) -> String {
        match self {
            Self::NotEmpty { .. } => "name a folder that is not there yet; nothing was written",
            Self::BadName { .. } => "name a folder that is not there yet, like `zkml-chain init credit`",
        }
        .into()
    }
}
