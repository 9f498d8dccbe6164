//! Events of the service, and what a run of it came to.

use super::{DIM, Report, Ui, YELLOW, clean::redact_json, raw, table};
use crate::error::Result;
use std::{
    io::{self, Write},
    sync::Arc,
};
use zkml_service::{Event, Observer, OpenResults, Summary};
use zkml_workspace::steps::watch::WatchReport;

/// One line of JSON on stdout for each event, if that is wanted. Logs are written by the service itself.
#[must_use]
pub fn events(json: bool) -> Observer {
    Arc::new(move |event: &Event| {
        if let (true, Ok(line)) = (json, serde_json::to_string(event)) {
            // Nobody may be reading any more; the journal holds it all.
            let _ = writeln!(io::stdout().lock(), "{}", redact_json(&line));
        }
    })
}

/// Prints the report; with `--json` as the last one of the lines that tell of events.
///
/// # Errors
/// As [`Ui::result`].
pub fn ended(ui: &Ui, report: &WatchReport) -> Result<()> {
    if !ui.json {
        return ui.result(report);
    }
    let mut line = serde_json::json!({ "event": "ended" });
    if let (Some(line), Ok(serde_json::Value::Object(report))) =
        (line.as_object_mut(), serde_json::to_value(report))
    {
        line.extend(report);
    }
    raw(format!("{}\n", redact_json(&line.to_string())).as_bytes())
}

impl Report for WatchReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Summary { requests, proofs, sent, done, abandoned, earned, open } = &self.summary;
        let number = |count: &u64| table::thousands(*count);
        writeln!(
            out,
            "{} proofs made, {} handed in, {} fulfilled for good",
            number(proofs),
            number(sent),
            number(done)
        )?;
        for (state, count) in requests {
            writeln!(out, "{state:<10} {}", number(count))?;
        }
        for payment in earned {
            writeln!(out, "earned     {} smallest units of {}", payment.amount, payment.asset)?;
        }
        if *abandoned > 0 {
            writeln!(out, "{abandoned} proofs were not waited for")?;
        }
        writeln!(out, "journal    {}", self.journal)?;
        let Some(OpenResults { results, bonds, until, next }) = open else { return Ok(()) };
        writeln!(
            out,
            "{YELLOW}{} results stay open{YELLOW:#}, with bonds of {bonds} coins, until {until} at the latest",
            number(results)
        )?;
        writeln!(out, "{DIM}{next}{DIM:#}")
    }
}
