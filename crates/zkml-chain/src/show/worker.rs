//! Events of a worker, and what a run of it came to.

use super::{Report, Ui, clean::redact_json, raw, table};
use crate::error::Result;
use serde::Serialize;
use std::{
    io::{self, Write},
    sync::Arc,
};
use zkml_service::{WorkerEvent, WorkerObserver, WorkerSummary};

/// One line for each event: of JSON on stdout if that is wanted, else of the log on stderr.
#[must_use]
pub fn events(json: bool) -> WorkerObserver {
    Arc::new(move |event: &WorkerEvent| {
        let Ok(line) = serde_json::to_string(event) else { return };
        let line = redact_json(&line);
        // Nobody may be reading any more; the queue holds it all.
        let _ = if json {
            writeln!(io::stdout().lock(), "{line}")
        } else {
            writeln!(io::stderr().lock(), "{line}")
        };
    })
}

/// Prints what a run came to; with `--json` as the last one of the lines that tell of events.
///
/// # Errors
/// As [`Ui::result`].
pub fn ended(ui: &Ui, summary: &WorkerSummary) -> Result<()> {
    #[derive(Serialize)]
    struct Ended<'a> {
        event: &'static str,
        #[serde(flatten)]
        summary: &'a WorkerSummary,
    }
    if !ui.json {
        return ui.result(summary);
    }
    let line = serde_json::to_string(&Ended { event: "ended", summary }).unwrap_or_default();
    raw(format!("{line}\n").as_bytes())
}

impl Report for WorkerSummary {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let number = |count: u64| table::thousands(count);
        writeln!(
            out,
            "{} tasks: {} done, {} failed, {} given back, {} lost",
            number(self.leased),
            number(self.done),
            number(self.failed),
            number(self.released),
            number(self.lost)
        )
    }
}
