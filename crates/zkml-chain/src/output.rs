//! Stdout carries the result, stderr the talk; `--json` makes the result one JSON document.

use crate::error::{Error, Result};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::{
    fmt::Display,
    io::{self, Write},
};

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

/// Where a command's words go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ui {
    /// The result is JSON.
    pub json: bool,
    /// No talk on stderr besides warnings and errors.
    pub quiet: bool,
}

impl Ui {
    /// Says on stderr what is going on.
    pub fn say(&self, words: impl Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{words}");
        }
    }

    /// Says on stderr what the user should know even when quiet.
    pub fn warn(&self, words: impl Display) {
        let _ = writeln!(anstream::stderr(), "{YELLOW}warning:{YELLOW:#} {words}");
    }

    /// Prints the result on stdout.
    ///
    /// # Errors
    /// [`Error::Io`] when stdout cannot be written to (a full disk behind a redirection).
    pub fn result(&self, report: &impl Report) -> Result<()> {
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        let written =
            if self.json { out.write_all(&crate::json::pretty(report)) } else { report.print(&mut out) };
        closed_pipe_is_fine(written.and_then(|()| out.flush()))
    }

    /// Reports how a command failed: on stdout as `{"error": …}` with `--json`, else on stderr.
    pub fn failure(&self, error: Error) {
        if self.json {
            let mut document = serde_json::json!({ "error": {
                "name": error.name(),
                "message": error.to_string(),
                "causes": causes(&error),
                "way_out": error.way_out(),
            }});
            match &error {
                Error::Differs { report, .. } => document["report"] = serde_json::json!(report),
                #[cfg(feature = "chain")]
                Error::Deployment { report, .. } => document["report"] = serde_json::json!(report),
                Error::Inaccurate { report: Some(report), .. } => {
                    document["report"] = serde_json::json!(report)
                }
                #[cfg(feature = "chain")]
                Error::SourceRefused { report, .. } => document["report"] = serde_json::json!(report),
                _ => {}
            }
            let _ = io::stdout().write_all(&crate::json::pretty(&document));
        } else {
            let _ = write!(anstream::stderr(), "{:?}", miette::Report::new(error));
        }
    }
}

/// Prints to stdout what is neither a report nor JSON (completions, say).
///
/// # Errors
/// [`Error::Io`] when stdout cannot be written to.
pub fn raw(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    closed_pipe_is_fine(out.write_all(bytes).and_then(|()| out.flush()))
}

/// `zkml-chain ops | head` is no failure.
fn closed_pipe_is_fine(written: io::Result<()>) -> Result<()> {
    match written {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Io { action: "write", path: "standard output".into(), source: e })
        }
        _ => Ok(()),
    }
}

fn causes(error: &Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}
