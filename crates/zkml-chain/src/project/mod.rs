//! A project of one's own: what `init` writes.

pub mod error;
pub mod init;
pub mod template;

pub use error::ProjectError;
