//! Reports, talk and progress as people see them: one file for the report of each step, and what they share.

#[cfg(feature = "chain")]
mod acceptance;
pub mod audit;
#[cfg(feature = "chain")]
mod bond;
mod calibrate;
mod calldata;
#[cfg(feature = "chain")]
mod check;
pub mod clean;
mod commit;
mod compile;
mod context;
mod demo;
#[cfg(feature = "chain")]
mod deploy;
mod disclosure;
mod failure;
pub mod html;
mod inspect;
pub mod ops;
mod plan;
#[cfg(feature = "chain")]
mod predict;
mod progress;
mod project;
mod prove;
#[cfg(feature = "chain")]
mod queue;
mod relations;
#[cfg(feature = "chain")]
mod request;
#[cfg(feature = "chain")]
mod rewards;
mod setup;
mod simulate;
mod solidity;
mod srs;
#[cfg(feature = "chain")]
mod submit;
pub mod table;
mod ui;
mod verify;
#[cfg(feature = "chain")]
mod verify_source;
#[cfg(feature = "chain")]
pub mod watch;
pub mod words;
#[cfg(feature = "chain")]
pub mod worker;

pub use plan::goal;
pub use ui::{Ui, raw};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, Write};

/// Bold text.
pub const BOLD: Style = Style::new().bold();
/// Side remarks.
pub const DIM: Style = Style::new().dimmed();
/// Good news.
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
/// Refusals.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// Warnings.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// The result of a command.
pub trait Report: Serialize {
    /// Prints it for people. Colours are stripped where the output is no terminal.
    ///
    /// # Errors
    /// What the writer returns.
    fn print(&self, out: &mut dyn Write) -> io::Result<()>;
}
