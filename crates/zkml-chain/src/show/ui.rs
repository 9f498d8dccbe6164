//! Stdout carries the result, stderr the talk; `--json` makes the result one JSON document.

use super::{
    Report, YELLOW,
    clean::{clean, redact_json},
    failure::Shown,
    progress::Progress,
    words,
};
use crate::error::{Error, Result};
use std::{
    fmt::Display,
    io::{self, Write},
    path::Path,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};
use zkml_workspace::{
    observer::{Observer, Said, Total, Warning, Work},
    verdict::Judged,
};

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
            let _ = writeln!(clean(anstream::stderr()), "{words}");
        }
    }

    /// Says on stderr what the user should know even when quiet.
    pub fn warn(&self, words: impl Display) {
        let _ = writeln!(clean(anstream::stderr()), "{YELLOW}warning:{YELLOW:#} {words}");
    }

    /// Prints the result on stdout.
    ///
    /// # Errors
    /// [`Error::Step`] when stdout cannot be written to (a full disk behind a redirection).
    pub fn result(&self, report: &impl Report) -> Result<()> {
        if self.json {
            return document(report);
        }
        let mut out = clean(anstream::AutoStream::auto(io::stdout()).lock());
        closed_pipe_is_fine(report.print(&mut out).and_then(|()| out.flush()))
    }

    /// Ends with the verdict of a step on the way to something else, if that is no; its report is part of the error.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn passed(&self, report: &(impl Report + Judged)) -> Result<()> {
        let Err(failed) = report.verdict() else { return Ok(()) };
        Err(Error::Failed { failed, report: Box::new(serde_json::to_value(report).unwrap_or_default()) })
    }

    /// Prints a result that has a verdict, for people also when that is no; in JSON a failed one is part of the error.
    ///
    /// # Errors
    /// As [`Ui::result`], and [`Error::Failed`] for a verdict that is no.
    pub fn judged(&self, report: &(impl Report + Judged)) -> Result<()> {
        let verdict = self.passed(report);
        if verdict.is_ok() || !self.json {
            self.result(report)?;
        }
        verdict
    }

    /// Says that with `--json` stdout has an event a line, so that a failure is one as well.
    pub fn tells_events(&self) {
        EVENTS.store(self.json, Ordering::Relaxed);
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
            if let Error::Failed { report, .. } = &error {
                document["report"] = *report.clone();
            }
            // Its end is the exit code.
            let _ = if EVENTS.load(Ordering::Relaxed) {
                document["event"] = "error".into();
                raw(format!("{}\n", redact_json(&document.to_string())).as_bytes())
            } else {
                self::document(&document)
            };
        } else {
            let _ = write!(anstream::stderr(), "{:?}", miette::Report::new(Shown::of(&error)));
        }
    }
}

impl Observer for Ui {
    fn said(&self, said: &Said) {
        self.say(words::said(said));
    }

    fn warned(&self, warning: &Warning) {
        // Every step that touches the development setup says so; people need to hear it once.
        static DEV_SETUP: Once = Once::new();
        match warning {
            Warning::DevSetup => DEV_SETUP.call_once(|| self.warn(words::warning(warning))),
            _ => self.warn(words::warning(warning)),
        }
    }

    fn begun(&self, name: &str, total: Total) -> Box<dyn Work + '_> {
        Box::new(Progress::start(self, name, total))
    }
}

/// Lines of events are on stdout: an error is one of them, so that whoever reads lines can read all.
static EVENTS: AtomicBool = AtomicBool::new(false);

/// Prints a JSON document on stdout.
fn document(report: &impl serde::Serialize) -> Result<()> {
    let document = zkml_workspace::json::pretty(report);
    raw(redact_json(&String::from_utf8_lossy(&document)).as_bytes())
}

/// Prints to stdout what is neither a report nor JSON (completions, say).
///
/// # Errors
/// [`Error::Step`] when stdout cannot be written to.
pub fn raw(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    closed_pipe_is_fine(out.write_all(bytes).and_then(|()| out.flush()))
}

/// `zkml-chain ops | head` is no failure.
fn closed_pipe_is_fine(written: io::Result<()>) -> Result<()> {
    match written {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(zkml_workspace::Error::io("write", Path::new("standard output"), e).into())
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
