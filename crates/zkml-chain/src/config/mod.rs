//! `zkml.toml`: what the flags of a project's commands are when they are not given.
//!
//! A key has the name of its flag and stands for it, so there is one list, [`keys::KEYS`]: parser, defaults of
//! the command line, `config show` and the book's page all read it. Order: flag, file, default.

pub mod error;
pub mod file;
pub mod keys;
pub mod layer;
pub mod list;
pub mod show;

pub use error::ConfigError;
pub use file::{ConfigFile, NAME};
pub use layer::matches;
