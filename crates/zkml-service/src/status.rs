//! The status page: what the service has to do, how quickly it does it, what that costs, and what needs a person.

use std::{
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use html_escape::encode_double_quoted_attribute as escape;

use crate::{
    health::Health,
    journal::{Backlog, Counts, Shown},
};

/// Requests that are listed of each kind.
pub(crate) const LISTED: usize = 50;
/// Requests whose latencies are drawn.
pub(crate) const REMEMBERED: usize = 200;
/// Seconds after which a browser asks again.
const AGAIN: u64 = 10;

const STYLE: &str = "\
:root{--ink:#1b1b1f;--paper:#fff;--soft:#5c5c66;--line:#d8d8de;--area:#f3f3f6;--blue:#3b6ea5}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e6ea;--paper:#16161a;--soft:#a3a3ad;--line:#3a3a42;--area:#212127;--blue:#78a9de}}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper)}\
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.8rem;margin:1.2rem 0}\
dl div{background:var(--area);padding:.6rem .9rem;border-radius:.4rem}dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.25rem}\
.wide{overflow-x:auto}table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .9rem .25rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}\
code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}.note{color:var(--soft)}\
.warn{background:#fff3cd;color:#1b1b1f;padding:.6rem 1rem;border-left:4px solid #c90;margin:.5rem 0}\
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}";

/// What a round of the service found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overview {
    /// Whose requests are served, on which chain, and who pays.
    pub(crate) service: [(&'static str, String); 3],
    /// Requests by state.
    pub(crate) counts: Counts,
    /// Those that wait, the oldest first.
    pub(crate) waiting: Vec<Shown>,
    /// Those that were given up, the last first.
    pub(crate) given_up: Vec<Shown>,
    /// Milliseconds that the last ones took, the last first.
    pub(crate) latencies: Vec<u64>,
    /// Proofs that are being made.
    pub(crate) proving: u64,
    /// The queue of the fleet, if there is one.
    pub(crate) fleet: Option<Backlog>,
    /// What is spent within an hour and a day, and reserved, with what may be.
    pub(crate) money: Vec<(&'static str, String)>,
    /// The last block that was read.
    pub(crate) head: u64,
}

/// The last overview; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Status {
    last: Arc<Mutex<Option<(Instant, Overview)>>>,
}

impl Status {
    pub(crate) fn show(&self, overview: Overview) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), overview));
    }

    /// The page.
    #[must_use]
    pub(crate) fn page(&self, health: &Health) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (well, report) = health.report();
        let mut body = String::new();
        let word = if well { "at work" } else { "not getting on" };
        let _ = writeln!(body, "<h1>zkml-chain watch: {word}</h1>");
        let texts = |key: &str| {
            let list = report[key].as_array().cloned().unwrap_or_default();
            list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        let reasons = texts("reasons");
        body += "<h2>What needs a person</h2>\n";
        if reasons.is_empty() {
            body += "<p>Nothing.</p>\n";
        }
        for reason in &reasons {
            let _ = writeln!(body, "<p class=warn role=status>{}</p>", escape(reason));
        }
        match last {
            Some((seen, overview)) => body += &overview.html(seen.elapsed(), &texts("earned")),
            None => body += "<p>No round has ended yet.</p>\n",
        }
        format!(
            "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <meta http-equiv=refresh content={AGAIN}><title>zkml-chain watch: {word}</title>\n<style>{STYLE}</style>\n{body}\
             <p class=note>Figures for programs: <a href=\"/metrics\">/metrics</a>, <a href=\"/healthz\">/healthz</a>.</p>\n</html>\n"
        )
    }
}

impl Overview {
    fn html(&self, age: Duration, earned: &[String]) -> String {
        let count = |state: &str| self.counts.iter().find(|(name, _)| name == state).map_or(0, |(_, n)| *n);
        let figures = [
            ("waiting for a proof", count("seen").to_string()),
            ("being proven", self.proving.to_string()),
            ("proven, not sent", count("proven").to_string()),
            ("sent", count("sent").to_string()),
            ("fulfilled", (count("fulfilled") + count("done")).to_string()),
            ("given up", count("refused").to_string()),
            ("expired or withdrawn", (count("expired") + count("cancelled")).to_string()),
            ("last block", self.head.to_string()),
        ];
        let mut out =
            format!("<p class=note>As of {} s ago.</p>\n<h2>Queue</h2>\n{}", age.as_secs(), list(&figures));
        if let Some(fleet) = &self.fleet {
            let mut figures = vec![("workers", fleet.workers.to_string())];
            figures.extend(fleet.states.iter().map(|(state, tasks)| (state.as_str(), tasks.to_string())));
            figures.push(("seconds since the oldest was made", fleet.oldest_seconds.to_string()));
            let _ = write!(out, "<h2>Tasks of the fleet</h2>\n{}", list(&figures));
        }
        out += &requests("Waiting", &self.waiting);
        out += &latencies(&self.latencies);
        let mut money = self.money.clone();
        money.extend(earned.iter().map(|amount| ("earned", amount.clone())));
        let _ = write!(out, "<h2>Money</h2>\n{}", list(&money));
        out += &requests("Given up", &self.given_up);
        let row = |(what, value): &(&str, String)| {
            format!("<tr><td>{what}<td><code>{}</code></tr>\n", escape(value))
        };
        let _ = write!(
            out,
            "<h2>Service</h2>\n<div class=wide><table>{}</table></div>\n",
            self.service.iter().map(row).collect::<String>()
        );
        out
    }
}

fn list(items: &[(&str, String)]) -> String {
    let item =
        |(what, value): &(&str, String)| format!("<div><dt>{what}</dt><dd>{}</dd></div>", escape(value));
    format!("<dl>{}</dl>\n", items.iter().map(item).collect::<String>())
}

fn requests(title: &str, shown: &[Shown]) -> String {
    if shown.is_empty() {
        return String::new();
    }
    let mut rows = String::from("<tr><th>request<th>state<th>age<th>put off<th>why</tr>\n");
    for request in shown {
        let _ = writeln!(
            rows,
            "<tr><td><code>{}</code><td>{}<td>{}<td>{}<td>{}</tr>",
            request.request,
            escape(&request.state),
            time(request.age_ms),
            request.attempts,
            escape(request.reason.as_deref().unwrap_or_default())
        );
    }
    let limit = if shown.len() < LISTED { String::new() } else { format!(", the first {LISTED}") };
    format!("<h2>{title}{limit}</h2>\n<div class=wide><table>{rows}</table></div>\n")
}

/// A bar for each of the last requests, the last at the right, with the median and the 99th percentile.
fn latencies(took: &[u64]) -> String {
    if took.is_empty() {
        return String::new();
    }
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let at = |share: usize| sorted[(sorted.len() * share / 100).min(sorted.len() - 1)];
    let most = sorted[sorted.len() - 1].max(1);
    let width = 900.0 / took.len().max(20) as f64;
    let mut marks = String::new();
    for (i, ms) in took.iter().rev().enumerate() {
        let height = (*ms as f64 / most as f64 * 80.0).max(1.0);
        let _ = write!(
            marks,
            "<rect x={:.1} y={:.1} width={:.1} height={height:.1} fill=\"var(--blue)\"><title>{}</title></rect>",
            i as f64 * width,
            100.0 - height,
            width * 0.8,
            time(*ms)
        );
    }
    format!(
        "<h2>From request to fulfilment</h2>\n<p>The last {}: half of them within {}, 99 of 100 within {}, the longest {}.</p>\n\
         <svg viewBox=\"0 0 900 100\" role=img aria-label=\"Time that the last requests took\">{marks}</svg>\n",
        took.len(),
        time(at(50)),
        time(at(99)),
        time(most)
    )
}

/// A time in one unit.
fn time(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{:.1} s", ms as f64 / 1e3),
        120_000..7_200_000 => format!("{:.0} min", ms as f64 / 6e4),
        _ => format!("{:.0} h", ms as f64 / 3.6e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Concern;
    use zkml_protocol::Word;

    #[test]
    fn a_page_says_what_waits_and_what_others_wrote_is_text() {
        let (status, health) = (Status::default(), Health::new(Duration::from_secs(1)));
        assert!(status.page(&health).contains("No round has ended yet"));
        let shown = Shown {
            request: Word::from_u64(7),
            state: "seen".into(),
            age_ms: 130_000,
            attempts: 3,
            reason: Some("<script>alert(1)</script>".into()),
        };
        status.show(Overview {
            counts: vec![("seen".into(), 4), ("done".into(), 2), ("fulfilled".into(), 1)],
            waiting: vec![shown],
            latencies: vec![2_000, 1_000, 9_000],
            money: vec![("spent within an hour", "0.25 of 1".into())],
            ..Overview::default()
        });
        health.notice(Concern::Fees, Some("gas is <dear>".into()));
        let page = status.page(&health);
        assert!(!page.contains("<script") && !page.contains("<dear>"), "{page}");
        for text in [
            "&lt;script&gt;",
            "gas is &lt;dear&gt;",
            "<dt>waiting for a proof</dt><dd>4</dd>",
            "<dt>fulfilled</dt><dd>3</dd>",
            "half of them within 2.0 s, 99 of 100 within 9.0 s",
            "0.25 of 1",
            "<td>2 min<td>3<td>",
        ] {
            assert!(page.contains(text), "{text} in\n{page}");
        }
    }
}
