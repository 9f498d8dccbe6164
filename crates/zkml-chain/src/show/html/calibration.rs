//! What calibration found, as a page and as sections of others.

use super::{
    super::{plan, table::shape},
    LEFT, RIGHT, ROW, WIDTH, document, escape, label, svg,
};
use std::fmt::Write;
use zkml_onnx::{Alarm, CalibrationReport, LayerEffort, LayerReport};
use zkml_workspace::{steps::calibrate::CalibrateReport, verdict::suspected};

/// Layers of which it is drawn how much of a proof they are; there may be thousands.
const EFFORTS: usize = 20;

/// The page.
#[must_use]
pub fn page(report: &CalibrateReport) -> String {
    let name = escape(&report.model);
    let mut body = format!("<h1>{name}: calibration</h1>\n");
    body += &warnings(&report.calibration, report.alarm.as_ref());
    body += &outputs(&report.calibration);
    body += &errors(&report.calibration.layers);
    body += &ranges(&report.calibration.layers);
    body += &efforts(&report.calibration.efforts);
    body += &costs(report);
    let note = "It compares the integer model, which is what proofs speak about, with the float model.";
    document(&format!("{name}: calibration"), &body, note)
}

/// What a reader must not overlook, and what the front end notes.
pub(super) fn warnings(calibration: &CalibrationReport, alarm: Option<&Alarm>) -> String {
    let mut body = String::new();
    if calibration.random {
        body += "<p class=warn>Calibrated with random data: ranges and errors mean little. Calibrate with real data before relying on it.</p>\n";
    }
    if let Some(alarm) = alarm {
        let (output, times) = (escape(&alarm.output), alarm.times());
        let layer = escape(&suspected(alarm));
        let _ = writeln!(
            body,
            "<p class=warn>{output} errs {times:.1} times as much as is tolerated{layer}.</p>"
        );
    }
    for notice in &calibration.notices {
        let _ = writeln!(body, "<p class=note>{}</p>", escape(notice));
    }
    body
}

pub(super) fn outputs(calibration: &CalibrationReport) -> String {
    let mut rows = String::from("<tr><th>output<th>seen<th>largest error<th>mean error<th>same label</tr>\n");
    for o in &calibration.outputs {
        let label = o.label_agreement.map_or("–".into(), |share| format!("{:.2} %", share * 100.0));
        let _ = writeln!(
            rows,
            "<tr><td>{}<td>{:.4} … {:.4}<td>{:.1e}<td>{:.1e}<td>{label}</tr>",
            escape(&o.name),
            o.lo,
            o.hi,
            o.max_abs_error,
            o.mean_abs_error
        );
    }
    format!(
        "<h2>Outputs</h2>\n<p>{} samples gave the ranges, {} the errors. Values carry {} fraction bits, weights {}.</p>\n<div class=wide><table>{rows}</table></div>\n",
        calibration.samples, calibration.measured, calibration.activation_scale, calibration.weight_scale
    )
}

/// A logarithmic bar per layer, in SVG whose elements close with a slash: a value before it needs quotes.
/// It shows the largest error, and the mean as a tick.
pub(super) fn errors(layers: &[LayerReport]) -> String {
    let positive = |e: &f64| *e > 0.0;
    let all = || layers.iter().flat_map(|l| [l.max_abs_error, l.mean_abs_error]).filter(positive);
    let (low, high) =
        (all().fold(f64::INFINITY, f64::min).log10().floor(), all().fold(0.0, f64::max).log10().ceil());
    if !(low.is_finite() && high.is_finite()) {
        return "<h2>Error by layer</h2>\n<p>No layer differs from the float model.</p>\n".into();
    }
    let x = |e: f64| {
        LEFT + (e.max(1e-300).log10() - low).max(0.0) / (high - low).max(1.0) * (WIDTH - LEFT - RIGHT)
    };
    let mut marks = String::new();
    for decade in low as i32..=high as i32 {
        let at = x(10f64.powi(decade));
        let _ = write!(
            marks,
            "<line x1={at:.1} y1=0 x2={at:.1} y2={:.0} stroke=\"var(--line)\"/><text x={at:.1} y={:.0} text-anchor=middle>1e{decade}</text>",
            layers.len() as f64 * ROW,
            layers.len() as f64 * ROW + 16.0
        );
    }
    for (i, layer) in layers.iter().enumerate() {
        let y = i as f64 * ROW;
        let (end, mean) = (x(layer.max_abs_error), x(layer.mean_abs_error));
        let _ = write!(
            marks,
            "{}<rect x={LEFT} y={:.0} width={:.1} height=14 fill=\"var(--blue)\"/>\
             <line x1={mean:.1} y1={:.0} x2={mean:.1} y2={:.0} stroke=\"var(--red)\" stroke-width=\"3\"/>\
             <text x={:.1} y={:.0}>{:.1e}</text>",
            label(&layer.name, &shape(&layer.shape), y),
            y + 3.0,
            end - LEFT,
            y + 1.0,
            y + 19.0,
            end + 6.0,
            y + 15.0,
            layer.max_abs_error
        );
    }
    format!(
        "<h2>Error by layer</h2>\n<p>Bar: the largest error seen; red tick: the mean. Logarithmic.</p>\n{}",
        svg("Largest and mean error of each layer", &marks, layers.len())
    )
}

/// A bar per layer from the smallest to the largest value seen, each on its own power-of-two range.
fn ranges(layers: &[LayerReport]) -> String {
    let mut marks = String::new();
    for (i, layer) in layers.iter().enumerate() {
        let y = i as f64 * ROW;
        let bound = (f64::from(layer.bits.max(1)) - 1.0 - f64::from(layer.scale)).exp2();
        let x = |v: f64| LEFT + (v / bound).clamp(-1.0, 1.0).midpoint(1.0) * (WIDTH - LEFT - RIGHT);
        let (from, to) = (x(layer.lo), x(layer.hi));
        let _ = write!(
            marks,
            "{}<rect x={LEFT} y={:.0} width={:.0} height=14 fill=\"var(--area)\"/>\
             <rect x={from:.1} y={:.0} width={:.1} height=14 fill=\"var(--green)\"/><text x={:.0} y={:.0}>±{bound}, {} bits</text>",
            label(&layer.name, &shape(&layer.shape), y),
            y + 3.0,
            WIDTH - LEFT - RIGHT,
            y + 3.0,
            (to - from).max(1.0),
            WIDTH - RIGHT + 6.0,
            y + 15.0,
            layer.bits
        );
    }
    format!(
        "<h2>Ranges</h2>\n<p>Green: the values seen. Grey: the room that was compiled in; an input that leaves it is refused when it is proven.</p>\n{}",
        svg("Values seen of each layer, and the room for them", &marks, layers.len())
    )
}

fn costs(report: &CalibrateReport) -> String {
    let mut rows = format!("<tr><th>{}</tr>\n", plan::HEAD.join("<th>"));
    for cost in &report.costs {
        let _ = writeln!(rows, "<tr><td>{}</tr>", plan::cells(cost).join("<td>"));
    }
    let refused = report
        .refused
        .iter()
        .map(|(backend, why)| format!("<p>Not by {}: {}</p>\n", backend.name(), escape(why)));
    format!(
        "<h2>Expected costs</h2>\n<div class=wide><table>{rows}</table></div>\n{}",
        refused.collect::<String>()
    )
}

/// A bar for each of the layers that most of a proof is spent on.
pub(super) fn efforts(layers: &[LayerEffort]) -> String {
    let (all, most) =
        (layers.iter().map(|l| l.lookups).sum::<u64>(), layers.first().map_or(0, |l| l.lookups));
    if most == 0 {
        return String::new();
    }
    let shown = &layers[..layers.len().min(EFFORTS)];
    let mut marks = String::new();
    for (i, layer) in shown.iter().enumerate() {
        let y = i as f64 * ROW;
        let width = layer.lookups as f64 / most as f64 * (WIDTH - LEFT - RIGHT);
        let share = 100.0 * layer.lookups as f64 / all as f64;
        let _ = write!(
            marks,
            "{}<rect x={LEFT} y={:.0} width={width:.1} height=14 fill=\"var(--brown)\"/>\
             <text x={:.1} y={:.0}>{}, {share:.0} %</text>",
            label(&layer.name, "", y),
            y + 3.0,
            LEFT + width + 6.0,
            y + 15.0,
            layer.lookups
        );
    }
    let more = match layers.len() - shown.len() {
        0 => String::new(),
        more => format!(
            " {more} more have {} together.",
            layers[shown.len()..].iter().map(|l| l.lookups).sum::<u64>()
        ),
    };
    format!(
        "<h2>What a proof is spent on</h2>\n<p>Rows of tables that integers of a layer are looked up in, {all} in all; most of a proof's time follows them.{more}</p>\n{}",
        svg("Rows looked up for each layer", &marks, shown.len())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn layer(name: &str, max: f64) -> LayerReport {
        LayerReport {
            name: name.into(),
            shape: vec![1, 4],
            scale: 8,
            bits: 12,
            lo: -1.0,
            hi: 2.0,
            max_abs_error: max,
            mean_abs_error: max / 4.0,
        }
    }

    fn report(layers: Vec<LayerReport>) -> CalibrateReport {
        let calibration = CalibrationReport {
            samples: 3,
            measured: 3,
            random: true,
            activation_scale: 8,
            weight_scale: 8,
            outputs: vec![],
            layers,
            efforts: vec![LayerEffort { name: "<img src=y>".into(), lookups: 3 }],
            moved: vec![],
            outliers: vec![],
            notices: vec!["<b>cut</b>".into()],
        };
        CalibrateReport {
            model: "<script>".into(),
            dir: PathBuf::new(),
            calibration,
            alarm: None,
            evaluation: None,
            costs: vec![],
            refused: vec![],
        }
    }

    #[test]
    fn names_from_models_are_text() {
        let page = page(&report(vec![layer("<img src=x>", 1e-3)]));
        assert!(!page.contains("<script>") && !page.contains("<img") && !page.contains("<b>cut"));
        assert!(page.contains("&lt;img src=x&gt;") && page.contains("class=warn"));
        assert!(
            page.contains("&lt;img src=y&gt;") && page.contains(">3, 100 %<"),
            "what a proof is spent on"
        );
        assert_eq!(page.matches("<svg").count(), 3);
    }

    #[test]
    fn an_exact_model_has_no_error_plot() {
        assert!(page(&report(vec![layer("a", 0.0)])).contains("No layer differs"));
    }
}
