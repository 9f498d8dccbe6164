//! All that a folder says about its model.

use super::{
    super::{
        plan,
        table::{self, shape, thousands},
    },
    LEFT, RIGHT, ROW, WIDTH, calibration, document, escape, label, svg,
};
use std::fmt::Write;
use zkml_graph::Visibility;
use zkml_workspace::steps::{
    disclosure::{Disclosure, Part},
    inspect::FolderReport,
    report::{Activity, Compared, Deployed, Drawing, Drawn, Gas, Histogram, ModelReport, Proven, Setup},
};

/// Nodes and histograms that are drawn; there may be thousands.
const NODES: usize = 250;
const HISTOGRAMS: usize = 100;
/// Side of a scatter plot, and its margin.
const SIDE: f64 = 320.0;
const MARGIN: f64 = 46.0;
/// What every transaction pays first.
const TX_BASE: u64 = 21_000;

/// The page.
#[must_use]
pub fn page(report: &ModelReport) -> String {
    let name = escape(&report.model);
    let mut body = format!("<h1>{name}</h1>\n");
    body += &standing(report);
    body += &figures(report);
    if let Some(compiled) = &report.compiled {
        body += &sight(compiled);
    }
    if let Some(drawing) = &report.drawing {
        body += &graph(drawing);
    }
    if let Some(calibration) = &report.calibration {
        body += &calibration::outputs(calibration);
    }
    if let Some(activity) = &report.activity {
        body += &scatters(activity);
    }
    if let Some(calibration) = &report.calibration {
        body += &calibration::errors(&calibration.layers);
    }
    if let Some(activity) = &report.activity {
        body += &histograms(activity);
    }
    if let Some(calibration) = &report.calibration {
        body += &calibration::efforts(&calibration.efforts);
    }
    body += &costs(report);
    body += &proof(report);
    body += &deployments(&report.deployments);
    document(
        &name,
        &body,
        "The integer model is what proofs speak about. A proof says what the model gave, not that the model is good.",
    )
}

/// What nobody may overlook.
fn standing(report: &ModelReport) -> String {
    let mut out = String::new();
    let dev = report.setup.as_ref().is_some_and(|s| s.unsafe_dev_srs);
    if dev || report.deployments.iter().any(|d| d.unsafe_dev_srs) {
        out += "<p class=warn>Development setup: its secret is public, so anybody can make proofs of anything. For tests only.</p>\n";
    }
    if report.private {
        out += "<p class=warn>This page tells of weights that are private: keep it to yourself.</p>\n";
    }
    if let Some(calibration) = &report.calibration {
        out += &calibration::warnings(calibration, report.alarm.as_ref());
    }
    if !report.steps_left.is_empty() {
        let left = report.steps_left.join(", ");
        let _ = writeln!(out, "<p class=note>Not done in this folder yet: {left}.</p>");
    }
    out
}

/// The figures that people ask for first.
fn figures(report: &ModelReport) -> String {
    let mut shown: Vec<(&str, String)> = Vec::new();
    if let Some(compiled) = &report.compiled {
        let cost = &compiled.cost;
        shown.push(("parameters", thousands(compiled.parameters as u64)));
        shown.push(("multiplications", thousands(compiled.macs)));
        shown.push(("proven by", format!("{}, {}", cost.backend.name(), plan::goal(cost.optimize))));
        shown.push(("time of a proof", format!("≈ {}", table::seconds(cost.seconds_estimate))));
        shown.push((
            "gas",
            match &report.gas {
                Some(gas) => thousands(gas.gas.transaction),
                None => format!("≈ {}", thousands(cost.gas_estimate)),
            },
        ));
    }
    if let Some(activity) = &report.activity {
        let error = activity.outputs.iter().map(|o| o.max_abs_error).fold(0.0, f64::max);
        shown.push(("largest error", format!("{error:.1e}")));
        let (same, all) = labels(&activity.outputs);
        if all > 0 {
            shown.push(("same labels", format!("{same} of {all}")));
        }
    }
    let items = shown.iter().map(|(what, value)| format!("<div><dt>{what}</dt><dd>{value}</dd></div>"));
    format!("<dl>{}</dl>\n", items.collect::<String>())
}

fn labels(outputs: &[Compared]) -> (usize, usize) {
    let counted = outputs.iter().filter_map(|o| o.same_label);
    counted.fold((0, 0), |(same, all), (s, a)| (same + s, all + a))
}

fn sight(compiled: &FolderReport) -> String {
    let mut rows = String::from(
        "<tr><th>part<th class=text>name<th>values<th class=text>in the statement<th class=text>who sees it</tr>\n",
    );
    for part in &compiled.disclosure.parts {
        let (stated, sees) = match part.visibility {
            Visibility::Public => (public(part), "everybody"),
            Visibility::Committed => ("a salted commitment", "the prover"),
        };
        let _ = writeln!(
            rows,
            "<tr><td>{}<td class=text>{}<td>{}<td class=text>{stated}<td class=text>{sees}</tr>",
            part.role,
            escape(&part.name),
            thousands(part.values as u64)
        );
    }
    let counts = &compiled.ledger.counts;
    format!(
        "<h2>What is proven, and who sees what</h2>\n<p>A proof says: the model with the hash below, run on the input of the statement, gave the output of the statement.</p>\n\
         <div class=wide><table>{rows}</table></div>\n{}<p>{} relations pin every number of a run down; {} of them are laid out, {} substituted, {} implied by others, each confirmed.</p>\n\
         <p class=note>{} hash <code>{}</code></p>\n",
        stays_public(&compiled.disclosure),
        thousands((counts.laid_out + counts.substituted + counts.implied) as u64),
        thousands(counts.laid_out as u64),
        thousands(counts.substituted as u64),
        thousands(counts.implied as u64),
        if compiled.disclosure.private_weights() { "architecture" } else { "model" },
        escape(&compiled.model_hash)
    )
}

/// How a public part is in the statement: weights are part of the key.
fn public(part: &Part) -> &'static str {
    if part.role == "weights" { "by the verifier's key" } else { "in clear" }
}

fn stays_public(disclosure: &Disclosure) -> String {
    if disclosure.stays_public.is_empty() {
        return String::new();
    }
    let lines = disclosure.stays_public.iter().map(|line| format!("<li>{}", escape(line)));
    format!("<p>Public although the weights are private:</p>\n<ul>{}</ul>\n", lines.collect::<String>())
}

/// Nodes from top to bottom. What a node reads lies above it: the one before it by a line, others by an arc.
fn graph(drawing: &Drawing) -> String {
    let nodes = &drawing.nodes[..drawing.nodes.len().min(NODES)];
    let mut marks = String::new();
    let spine = 110.0;
    let y = |i: usize| i as f64 * ROW + 11.0;
    for (i, node) in nodes.iter().enumerate() {
        for from in &node.reads {
            let (top, bottom) = (y(*from), y(i));
            let bulge = if i - from == 1 { 0.0 } else { (18.0 + 5.0 * (i - from) as f64).min(200.0) };
            let _ = write!(
                marks,
                "<path d=\"M{spine} {top:.0}Q{:.0} {:.0} {spine} {bottom:.0}\" fill=none stroke=\"var(--soft)\"/>",
                spine - bulge,
                top.midpoint(bottom)
            );
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        let _ = write!(
            marks,
            "<circle cx={spine} cy={:.0} r=5 fill=\"{}\"/><text x={:.0} y={:.0}>{}<tspan class=soft> {}</tspan></text>",
            y(i),
            colour(node.operator),
            spine + 14.0,
            y(i) + 4.0,
            escape(node.output.as_deref().unwrap_or(&node.name)),
            escape(&facts(node))
        );
    }
    let more = match drawing.nodes.len() - nodes.len() {
        0 => String::new(),
        more => format!(" {more} more follow."),
    };
    format!(
        "<h2>The integer model</h2>\n<p>{} nodes in the order in which they run, from the inputs at the top; an arc leads to a value that was made earlier.{more}</p>\n\
         <p class=note>{}</p>\n{}",
        thousands(drawing.nodes.len() as u64),
        [
            ("input", "input"),
            ("Contract", "multiplications"),
            ("Lookup", "functions and comparisons"),
            ("Reindex", "wiring"),
            ("Linear", "sums and the rest")
        ]
        .map(|(operator, what)| format!(
            "<span style=\"color:{}\" aria-hidden=true>●</span> {what}",
            colour(operator)
        ))
        .join(" &nbsp; "),
        svg("Nodes of the integer model and what they read", &marks, nodes.len())
    )
}

fn facts(node: &Drawn) -> String {
    let mut out = format!("{} {}, {} bits", node.operator, shape(&node.shape), node.bits);
    if node.macs > 0 {
        let _ = write!(out, ", {} multiplications", thousands(node.macs));
    }
    if let Some(error) = node.error.filter(|e| *e > 0.0) {
        let _ = write!(out, ", errs {error:.1e}");
    }
    if node.output.is_some() {
        out += ", an output";
    }
    out
}

fn colour(operator: &str) -> &'static str {
    match operator {
        "input" => "var(--green)",
        "Contract" | "Product" => "var(--blue)",
        "Lookup" | "Pieces" | "Max" | "Divide" | "ArgMax" | "Root" | "Trees" => "var(--brown)",
        "Reindex" => "var(--line)",
        _ => "var(--violet)",
    }
}

fn scatters(activity: &Activity) -> String {
    let plots: String = activity.outputs.iter().filter(|o| !o.pairs.is_empty()).map(scatter).collect();
    let refused = match activity.refused {
        0 => String::new(),
        n => format!(" The integer model refuses {n} of them: they leave its calibrated range."),
    };
    format!(
        "<h2>Float against integer</h2>\n<p>Each output of {} samples of the calibration data, as the ONNX model and as the integer model give it.{refused}</p>\n<div class=plots>{plots}</div>\n",
        thousands(activity.samples as u64)
    )
}

fn scatter(output: &Compared) -> String {
    let all = || output.pairs.iter().flat_map(|(a, b)| [*a, *b]);
    let (lo, hi) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let (lo, hi) = if hi > lo { (lo, hi) } else { (lo - 0.5, lo + 0.5) };
    let room = SIDE - 2.0 * MARGIN;
    let at = |v: f64| (v - lo) / (hi - lo) * room;
    let mut marks = format!(
        "<rect x={MARGIN} y={MARGIN} width={room} height={room} fill=\"var(--area)\"/>\
         <line x1={MARGIN} y1={:.0} x2={:.0} y2={MARGIN} stroke=\"var(--line)\"/>",
        MARGIN + room,
        MARGIN + room
    );
    for (float, integer) in &output.pairs {
        let _ = write!(
            marks,
            "<circle cx={:.1} cy={:.1} r=1.8 fill=\"var(--blue)\" fill-opacity=\".5\"/>",
            MARGIN + at(*float),
            MARGIN + room - at(*integer)
        );
    }
    let bottom = MARGIN + room + 16.0;
    let _ = write!(
        marks,
        "<text x={MARGIN} y={bottom:.0}>{lo:.3}</text><text x={:.0} y={bottom:.0} text-anchor=end>{hi:.3}</text>\
         <text x={:.0} y={:.0} text-anchor=middle class=soft>float</text>\
         <text x={:.0} y={:.0} text-anchor=end class=soft>integer</text><text x={:.0} y={:.0} text-anchor=end>{hi:.3}</text>",
        MARGIN + room,
        SIDE / 2.0,
        bottom + 14.0,
        MARGIN - 4.0,
        SIDE / 2.0,
        MARGIN - 4.0,
        MARGIN + 10.0
    );
    let name = escape(&output.name);
    let label = output.same_label.map(|(same, all)| format!(", {same} of {all} labels the same"));
    format!(
        "<figure><svg viewBox=\"0 0 {SIDE} {SIDE}\" role=img aria-label=\"{name}: integer against float\">{marks}</svg>\
         <figcaption>{name}: largest error {:.1e}, mean {:.1e}{}</figcaption></figure>\n",
        output.max_abs_error,
        output.mean_abs_error,
        label.unwrap_or_default()
    )
}

/// A row of bars for each value inside the model, logarithmic.
fn histograms(activity: &Activity) -> String {
    let shown = &activity.histograms[..activity.histograms.len().min(HISTOGRAMS)];
    if shown.is_empty() {
        return String::new();
    }
    let mut marks = String::new();
    for (i, histogram) in shown.iter().enumerate() {
        marks += &bars(histogram, i as f64 * ROW);
    }
    let more = match activity.histograms.len() - shown.len() {
        0 => String::new(),
        more => format!(" {more} more follow."),
    };
    format!(
        "<h2>Values against their bounds</h2>\n<p>Where the values of each tensor lie in the interval that it was compiled for; heights are logarithmic. An input that makes a value leave its interval is refused, never clipped.{more}</p>\n{}",
        svg("Histogram of each tensor over its interval", &marks, shown.len())
    )
}

fn bars(histogram: &Histogram, y: f64) -> String {
    let room = WIDTH - LEFT - RIGHT;
    let width = room / histogram.counts.len().max(1) as f64;
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1);
    let mut marks = format!(
        "{}<rect x={LEFT} y={:.0} width={room:.0} height=18 fill=\"var(--area)\"/>",
        label(&histogram.name, "", y),
        y + 1.0
    );
    for (i, count) in histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = 2.0 + 16.0 * (*count as f64).ln_1p() / (most as f64).ln_1p();
        let _ = write!(
            marks,
            "<rect x={:.1} y={:.1} width={:.1} height={height:.1} fill=\"var(--green)\"/>",
            LEFT + i as f64 * width,
            y + 19.0 - height,
            width - 0.6
        );
    }
    let _ = write!(
        marks,
        "<text x={:.0} y={:.0}>{} … {}<title>seen {:.4} … {:.4}</title></text>",
        WIDTH - RIGHT + 6.0,
        y + 15.0,
        short(histogram.lo),
        short(histogram.hi),
        histogram.seen_lo,
        histogram.seen_hi
    );
    marks
}

/// A bound in a few characters.
fn short(v: f64) -> String {
    match v.abs() {
        0.0 => "0".into(),
        a if !(0.01..100_000.0).contains(&a) => format!("{v:.0e}"),
        a if a >= 100.0 => format!("{v:.0}"),
        a if a >= 10.0 => format!("{v:.1}"),
        _ => format!("{v:.2}"),
    }
}

fn costs(report: &ModelReport) -> String {
    let mut out = String::new();
    if let Some(compiled) = &report.compiled {
        let head = plan::HEAD.join("<th>");
        let cells = plan::cells(&compiled.cost).join("<td>");
        let _ = writeln!(
            out,
            "<h2>What it costs</h2>\n<p>{}: {}</p>\n<div class=wide><table><tr><th>{head}</tr>\n<tr><td>{cells}</tr></table></div>",
            compiled.cost.backend.name(),
            escape(&compiled.why)
        );
    }
    if let Some(gas) = &report.gas {
        out += &measured(gas);
    }
    out
}

/// A bar in pieces, with the same as a table.
fn measured(gas: &Gas) -> String {
    let g = &gas.gas;
    let parts = [
        ("transaction base", TX_BASE, "--soft"),
        ("calldata", g.calldata, "--brown"),
        ("transcript", g.keccak, "--violet"),
        ("multi-scalar multiplication", g.msm(), "--blue"),
        ("pairing", g.pairing, "--green"),
        ("inversions", g.modexp, "--line"),
        ("arithmetic and checks", g.arithmetic, "--red"),
    ];
    let all: u64 = parts.iter().map(|(_, gas, _)| gas).sum();
    let (mut marks, mut rows, mut x) = (String::new(), String::new(), 0.0);
    for (what, gas, colour) in parts.into_iter().filter(|(_, gas, _)| *gas > 0) {
        let width = gas as f64 / all.max(1) as f64 * WIDTH;
        let _ = write!(
            marks,
            "<rect x={x:.1} y=2 width={:.1} height=26 fill=\"var({colour})\"><title>{what}: {gas}</title></rect>",
            (width - 1.0).max(0.5)
        );
        x += width;
        let _ = writeln!(
            rows,
            "<tr><td><span style=\"color:var({colour})\" aria-hidden=true>■</span> {what}<td>{}</tr>",
            thousands(gas)
        );
    }
    format!(
        "<h3>Gas of the folder's proof in the generated contract</h3>\n<svg viewBox=\"0 0 {WIDTH} 30\" role=img aria-label=\"Gas by purpose\">{marks}</svg>\n\
         <table>{rows}<tr><th>transaction<th>{}</tr></table>\n<p>{} bytes of code, deployed once for {} gas. The bytecode passed {} checks with this proof and with forged ones.</p>\n",
        thousands(g.transaction),
        thousands(gas.runtime_bytes as u64),
        thousands(gas.deploy_gas),
        gas.checks.len()
    )
}

fn proof(report: &ModelReport) -> String {
    let mut out = String::new();
    if let Some(Setup { proof_system, model_commitment, unsafe_dev_srs }) = &report.setup {
        let setup = if *unsafe_dev_srs { "development, insecure" } else { "a ceremony's" };
        let _ = writeln!(
            out,
            "<h2>Key and proof</h2>\n<table><tr><td>proof system<td class=text><code>{proof_system}</code></tr>\
             <tr><td>setup<td class=text>{setup}</tr><tr><td>model commitment, which consumers pin<td class=text><code>{model_commitment}</code></tr></table>"
        );
    }
    if let Some(proof) = &report.proof {
        out += &held(proof);
    }
    out
}

fn held(proof: &Proven) -> String {
    let mut rows = String::new();
    for output in &proof.outputs {
        let value = match &output.commitment {
            Some(commitment) => format!("committed: <code>{commitment}</code>"),
            None => escape(&table::numbers(&output.values)),
        };
        let _ = writeln!(rows, "<tr><td>{}<td class=text>{value}</tr>", escape(&output.name));
    }
    format!(
        "<p>The folder's proof of {} bytes holds. It is bound to the context <code>{}</code> and says:</p>\n<table>{rows}</table>\n",
        thousands(proof.bytes as u64),
        proof.context
    )
}

fn deployments(deployments: &[Deployed]) -> String {
    let mut out = String::new();
    for deployed in deployments {
        let other = if deployed.current { "" } else { " It is of another key than the folder's." };
        let _ = writeln!(
            out,
            "<h3>{} ({})</h3>\n<p>{}; {} gas in transactions that are mined.{other}</p>",
            escape(&deployed.chain),
            deployed.chain_id,
            escape(&deployed.status),
            thousands(deployed.gas)
        );
        let row = |(name, address): &(String, String)| {
            format!("<tr><td>{}<td class=text><code>{}</code></tr>\n", escape(name), escape(address))
        };
        let rows: String = deployed.contracts.iter().map(row).collect();
        let _ = writeln!(out, "<div class=wide><table>{rows}</table></div>");
    }
    if out.is_empty() { out } else { format!("<h2>Deployments</h2>\n{out}") }
}
