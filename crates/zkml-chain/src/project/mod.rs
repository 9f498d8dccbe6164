//! A project of one's own: `init` writes it, `run` takes its model the whole way, and hands the contracts' tests a real proof.

pub mod error;
pub mod foundry;
pub mod init;
pub mod run;
pub mod template;

pub use error::ProjectError;
