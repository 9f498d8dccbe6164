//! Reports as self-contained pages: no scripts, no fonts, plots as inline SVG.

mod calibration;
mod model;

use html_escape::encode_double_quoted_attribute;

pub use calibration::page as calibration;
pub use model::page as model;

/// Colours of text, lines, areas and marks, light and dark; on paper as in the light.
const STYLE: &str = "\
:root{--ink:#1b1b1f;--paper:#fff;--soft:#5c5c66;--line:#d8d8de;--area:#f3f3f6;--blue:#3b6ea5;--red:#c8385a;--green:#2c7a3c;--brown:#9a6a35;--violet:#6d5aa8}\
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e6ea;--paper:#16161a;--soft:#a3a3ad;--line:#3a3a42;--area:#212127;--blue:#78a9de;--red:#f07f98;--green:#76c487;--brown:#d3a36e;--violet:#ab9be0}}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper)}\
h1{margin-bottom:.2rem}h2{margin-top:2.4rem}p{max-width:46rem}\
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .8rem .25rem 0;text-align:right;border-bottom:1px solid var(--line)}\
td:first-child,th:first-child{text-align:left}td.text,th.text{text-align:left}.wide{overflow-x:auto}.wide>svg{min-width:42rem}.wide td,.wide th{white-space:nowrap}\
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}\
.warn{background:#fff3cd;color:#1b1b1f;padding:.6rem 1rem;border-left:4px solid #c90}\
.note{color:var(--soft)}dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem;margin:1.4rem 0}\
dl div{background:var(--area);padding:.6rem .9rem;border-radius:.4rem}dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.25rem}\
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .soft{fill:var(--soft)}\
.plots{display:flex;flex-wrap:wrap;gap:1.5rem}.plots figure{flex:1 1 18rem;max-width:26rem;margin:0}\
@media print{body{max-width:none;margin:0}h2{break-after:avoid}svg,table,figure{break-inside:avoid}.warn{border:1px solid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

const ROW: f64 = 22.0;
const LEFT: f64 = 290.0;
const WIDTH: f64 = 900.0;
const RIGHT: f64 = 110.0;

/// A whole page; `title` is escaped, `note` stands at its foot.
fn document(title: &str, body: &str, note: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n{body}\
         <p class=note>zkml-chain {}. {note}</p>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// The name of a row, cut where it is long, and something beside it.
fn label(name: &str, beside: &str, y: f64) -> String {
    let short: String = name.chars().take(24).collect();
    format!(
        "<text x={:.0} y={:.0} text-anchor=end>{} {beside}<title>{}</title></text>",
        LEFT - 8.0,
        y + 15.0,
        escape(&short),
        escape(name)
    )
}

/// A plot of so many rows; `what` is said to those who cannot see it.
fn svg(what: &str, marks: &str, rows: usize) -> String {
    format!(
        "<div class=wide><svg viewBox=\"0 0 {WIDTH} {:.0}\" role=img aria-label=\"{what}\" fill=currentColor>{marks}</svg></div>\n",
        rows as f64 * ROW + 24.0
    )
}

/// Names come from model files: they are text, never markup, in elements and in double quotes.
fn escape(text: &str) -> String {
    encode_double_quoted_attribute(text).into_owned()
}
