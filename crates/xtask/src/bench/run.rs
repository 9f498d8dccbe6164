//! The benchmark itself: models × goals, several runs, medians.

use super::child::{self, Cost};
use crate::error::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use zkml_chain::show::{
    Report, Ui,
    table::{self, Align},
};
use zkml_workspace::{Error as StepError, artifacts::write_whole, json};

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `zkml-chain` binary.
    pub program: PathBuf,
    /// Folder that holds `<model>/<model>.onnx` with its data.
    pub models: PathBuf,
    /// Names of the models.
    pub names: Vec<String>,
    /// `prover`, `gas`.
    pub goals: Vec<String>,
    /// Proofs per model and goal; the median is reported.
    pub runs: usize,
    /// Where artifacts and `results.json` go.
    pub out: PathBuf,
}

/// Figures of one model and goal.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    model: String,
    optimize: String,
    k: u64,
    commitments: u64,
    setup_s: f64,
    prove_s: f64,
    prove_peak_mb: f64,
    pk_bytes: u64,
    proof_bytes: u64,
    tx_gas: u64,
    exec_gas: u64,
    runtime_bytes: u64,
    max_abs_err: f64,
}

/// All figures; `results.json`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Results(Vec<Figures>);

/// Measures everything and writes `results.json` after each model, so that an interrupted run keeps what it has.
///
/// # Errors
/// The first step that fails, with its command line.
pub fn run(ui: &Ui, options: &Options) -> Result<Results> {
    let mut results = Results(Vec::new());
    for name in &options.names {
        for goal in &options.goals {
            ui.say(format_args!("{name}, --optimize {goal}"));
            results.0.push(Bench::new(options, name, goal).measure(ui)?);
            write_whole(&options.out.join("results.json"), &json::pretty(&results))?;
        }
    }
    Ok(results)
}

struct Bench<'a> {
    options: &'a Options,
    name: &'a str,
    goal: &'a str,
    data: PathBuf,
    dir: String,
}

impl<'a> Bench<'a> {
    fn new(options: &'a Options, name: &'a str, goal: &'a str) -> Self {
        let dir = options.out.join(format!("{name}-{goal}")).display().to_string();
        Self { options, name, goal, data: options.models.join(name), dir }
    }

    fn measure(&self, ui: &Ui) -> Result<Figures> {
        match fs::remove_dir_all(&self.dir) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(StepError::io("remove", Path::new(&self.dir), e).into());
            }
            _ => {}
        }
        let data = |file: &str| self.data.join(file).display().to_string();
        let model = data(&format!("{}.onnx", self.name));
        let (calibration, reference, sample) =
            (data("calibration.json"), data("reference.json"), data("sample.json"));
        let report = self.step(&["calibrate", &model, "--data", &calibration, "--evaluate", &reference])?.0;
        let plan = self.step(&["compile", "--optimize", self.goal])?.0;
        let k = number(&plan, "k")?;
        // The trusted setup is made once for all models; its time is not the model's.
        let (dev, _) = self.plain(&["srs", "dev", "--k", &k.to_string()])?;
        // By name: the cache may hold an imported one, which `setup` would prefer.
        let dev = dev["path"].as_str().unwrap_or_default();
        let (_, setup) = self.step(&["setup", "--srs", dev])?;
        let mut proofs = Vec::with_capacity(self.options.runs);
        // With the other artifacts: beside the input it would lie in the models' folder.
        let salts = Path::new(&self.dir).join("input.private.json").display().to_string();
        for _ in 0..self.options.runs.max(1) {
            proofs.push(self.step(&["prove", "--input", &sample, "--salt-file", &salts])?.1);
        }
        let gas = self.step(&["simulate"])?.0;
        let figures = Figures {
            model: self.name.to_owned(),
            optimize: self.goal.to_owned(),
            k,
            commitments: number(&plan, "commitments")?,
            setup_s: round(setup.wall.as_secs_f64(), 3),
            prove_s: round(median(proofs.iter().map(|c| c.wall.as_secs_f64())), 3),
            prove_peak_mb: round(median(proofs.iter().map(megabytes)), 1),
            pk_bytes: self.length("proving.key")?,
            proof_bytes: number(&gas, "proof_bytes")?,
            tx_gas: number(&gas, "tx_gas")?,
            exec_gas: number(&gas, "exec_gas")?,
            runtime_bytes: number(&gas, "runtime_bytes")?,
            max_abs_err: report["evaluation"]["max_abs_err"].as_f64().unwrap_or(f64::NAN),
        };
        ui.say(format_args!(
            "  {:.2} s, {:.0} MB, {} gas",
            figures.prove_s, figures.prove_peak_mb, figures.tx_gas
        ));
        Ok(figures)
    }

    fn step(&self, args: &[&str]) -> Result<(Value, Cost)> {
        self.plain(&[args, &["--dir", &self.dir]].concat())
    }

    fn plain(&self, args: &[&str]) -> Result<(Value, Cost)> {
        child::run(&self.options.program, &[args, &["--json", "--quiet"]].concat())
    }

    fn length(&self, file: &str) -> Result<u64> {
        let path = Path::new(&self.dir).join(file);
        Ok(fs::metadata(&path).map_err(|e| StepError::io("read", &path, e))?.len())
    }
}

fn number(json: &Value, key: &'static str) -> Result<u64> {
    json[key].as_u64().ok_or_else(|| Error::Child {
        command: "--json".into(),
        why: format!("its output has no number `{key}`"),
    })
}

fn megabytes(cost: &Cost) -> f64 {
    cost.peak_bytes as f64 / 1e6
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}

impl Results {
    /// The figures as a Markdown table, for the book.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head = HEAD.map(String::from);
        let rule = [&["---"; 2][..], &["---:"; HEAD.len() - 2][..]].concat().join("|");
        let rows: String = self.0.iter().map(|figures| line(&figures.cells())).collect();
        format!("{}|{rule}|\n{rows}", line(&head))
    }
}

const HEAD: [&str; 13] = [
    "model",
    "optimize",
    "k",
    "commits",
    "setup",
    "prove",
    "peak",
    "key",
    "proof",
    "tx gas",
    "exec gas",
    "code",
    "max error",
];

impl Report for Results {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = vec![HEAD.map(String::from).to_vec()];
        rows.extend(self.0.iter().map(Figures::cells));
        let mut align = vec![Align::Right; HEAD.len()];
        align[..2].fill(Align::Left);
        table::print(out, &align, &rows)
    }
}

impl Figures {
    fn cells(&self) -> Vec<String> {
        vec![
            self.model.clone(),
            self.optimize.clone(),
            self.k.to_string(),
            self.commitments.to_string(),
            table::seconds(self.setup_s),
            table::seconds(self.prove_s),
            format!("{:.0} MB", self.prove_peak_mb),
            table::size(self.pk_bytes),
            format!("{} B", table::thousands(self.proof_bytes)),
            table::thousands(self.tx_gas),
            table::thousands(self.exec_gas),
            format!("{} B", table::thousands(self.runtime_bytes)),
            format!("{:.1e}", self.max_abs_err),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_rounding() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
        assert_eq!(round(0.28449, 3), 0.284);
    }
}
