//! Scales, errors and expected costs of a calibration.

use super::{
    BOLD, DIM, RED, Report, YELLOW,
    plan::costs,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_onnx::{CalibrationReport, LayerEffort};
use zkml_workspace::steps::{
    calibrate::CalibrateReport,
    evaluate::{Evaluation, OutputError},
};

/// Outliers that are told; as a rule they are alike.
const OUTLIERS: usize = 3;
/// Layers of which it is told how much of a proof they are.
const EFFORTS: usize = 3;
/// Share of labels that integers have to give as the float model does.
const AGREEMENT: f64 = 0.999;

impl Report for CalibrateReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#} calibrated in {}", self.model, self.dir.display())?;
        print_calibration(out, &self.calibration)?;
        if let Some(evaluation) = &self.evaluation {
            evaluation.print(out)?;
        }
        writeln!(out, "{BOLD}expected costs{BOLD:#}")?;
        costs(out, &self.costs)?;
        for (backend, why) in &self.refused {
            writeln!(out, "{DIM}not by {}: {why}{DIM:#}", backend.name())?;
        }
        if let Some(alarm) = &self.alarm {
            let (output, times) = (&alarm.output, alarm.times());
            writeln!(out, "{RED}`{output}` errs {times:.1} times as much as is tolerated{RED:#}")?;
        }
        if self.calibration.random {
            writeln!(out, "{YELLOW}calibrated with random data: errors and ranges mean little{YELLOW:#}")?;
        }
        writeln!(out, "{DIM}next: zkml-chain compile --dir {}{DIM:#}", self.dir.display())
    }
}

fn print_calibration(out: &mut dyn Write, report: &CalibrationReport) -> io::Result<()> {
    writeln!(
        out,
        "  {} samples; {} fraction bits for values, {} for weights",
        report.samples, report.activation_scale, report.weight_scale
    )?;
    let head = ["output", "seen", "largest error", "mean error", "same label"];
    let mut rows = vec![head.map(|h| format!("{DIM}{h}{DIM:#}")).to_vec()];
    rows.extend(report.outputs.iter().map(|o| {
        let label = o.label_agreement.map_or("–".into(), |share| format!("{:.2} %", share * 100.0));
        vec![
            o.name.clone(),
            format!("{:.4} … {:.4}", o.lo, o.hi),
            format!("{:.1e}", o.max_abs_error),
            format!("{:.1e}", o.mean_abs_error),
            label,
        ]
    }));
    let mut align = [Align::Right; 5];
    align[0] = Align::Left;
    table::print(out, &align, &rows)?;
    if let Some(most) = efforts(report) {
        writeln!(out, "  {most}")?;
    }
    report.moved.iter().try_for_each(|moved| writeln!(out, "  {}", moved.text(report.measured)))?;
    report
        .outliers
        .iter()
        .take(OUTLIERS)
        .try_for_each(|o| writeln!(out, "{YELLOW}{}{YELLOW:#}", o.text()))?;
    if let Some(more) = report.outliers.len().checked_sub(OUTLIERS).filter(|more| *more > 0) {
        writeln!(out, "{YELLOW}and {more} more like it: see calibration.json{YELLOW:#}")?;
    }
    // Labels of random inputs are as good as ties.
    let other = report.outputs.iter().filter_map(|o| Some((&o.name, o.label_agreement?)));
    let mut other = other.filter(|(_, share)| !report.random && *share < AGREEMENT);
    other.try_for_each(|(name, share)| {
        let percent = (1.0 - share) * 100.0;
        writeln!(out, "{YELLOW}`{name}`: on {percent:.2} % of the samples the integers give another label: finer with --tolerance{YELLOW:#}")
    })
}

/// The layers that are most of a proof, in words.
fn efforts(report: &CalibrationReport) -> Option<String> {
    let all: u64 = report.efforts.iter().map(|e| e.lookups).sum();
    let share = |e: &LayerEffort| format!("`{}` {:.0} %", e.name, 100.0 * e.lookups as f64 / all as f64);
    let shown: Vec<String> =
        report.efforts.iter().take(EFFORTS).filter(|e| e.lookups > 0).map(share).collect();
    (!shown.is_empty())
        .then(|| format!("{all} rows of tables are looked up in a proof: {}", shown.join(", ")))
}

impl Report for Evaluation {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{BOLD}against the reference{BOLD:#}  {} samples: largest error {:.1e}, mean {:.1e}; {} outside the calibrated range",
            self.samples, self.max_abs_err, self.mean_abs_err, self.refused
        )?;
        let several = if self.outputs.len() > 1 { self.outputs.as_slice() } else { &[] };
        several.iter().try_for_each(|output| {
            let OutputError { name, max_abs_err, mean_abs_err } = output;
            writeln!(out, "  {name}: largest error {max_abs_err:.1e}, mean {mean_abs_err:.1e}")
        })
    }
}
