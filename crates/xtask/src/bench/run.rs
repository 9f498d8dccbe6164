//! The benchmark itself: models × back ends, several runs, medians.

use super::{
    child::{self, Cost},
    figures::{Figures, Results},
};
use crate::error::{Error, Result};
use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use zkml_chain::show::Ui;
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
    /// `halo2`, `sumcheck`.
    pub backends: Vec<String>,
    /// Goals: `prover`, `gas`.
    pub goals: Vec<String>,
    /// Proofs per model and back end; the median is reported.
    pub runs: usize,
    /// Where artifacts and `results.json` go.
    pub out: PathBuf,
}

impl Options {
    /// Figures of every model by every back end and goal, each handed to `step` as soon as it is there.
    ///
    /// # Errors
    /// The first step that fails, with its command line, and those of `step`.
    pub(super) fn figures(&self, ui: &Ui, mut step: impl FnMut(Figures) -> Result<()>) -> Result<()> {
        for name in &self.names {
            for backend in &self.backends {
                for goal in &self.goals {
                    ui.say(format_args!("{name}, --backend {backend} --optimize {goal}"));
                    step(Bench::new(self, name, backend, goal)?.measure(ui)?)?;
                }
            }
        }
        Ok(())
    }
}

/// Measures everything and writes `results.json` after each model, so that an interrupted run keeps what it has.
///
/// # Errors
/// The first step that fails, with its command line.
pub fn run(ui: &Ui, options: &Options) -> Result<Results> {
    let mut results = Results(Vec::new());
    options.figures(ui, |figures| {
        results.0.push(figures);
        write_whole(&options.out.join("results.json"), &json::pretty(&results))?;
        Ok(())
    })?;
    Ok(results)
}

struct Bench<'a> {
    options: &'a Options,
    name: &'a str,
    backend: &'a str,
    goal: &'a str,
    /// The model's folder: its `zkml.toml` holds for every step.
    data: PathBuf,
    dir: String,
}

impl<'a> Bench<'a> {
    fn new(options: &'a Options, name: &'a str, backend: &'a str, goal: &'a str) -> Result<Self> {
        let absolute = |path: PathBuf| {
            std::path::absolute(&path).map_err(|e| Error::from(StepError::io("find", &path, e)))
        };
        let dir = absolute(options.out.join(format!("{name}-{backend}-{goal}")))?;
        let data = absolute(options.models.join(name))?;
        Ok(Self { options, name, backend, goal, data, dir: dir.display().to_string() })
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
        let plan = self.step(&["compile", "--backend", self.backend, "--optimize", self.goal])?.0;
        let k = number(&plan, "k")?;
        // The trusted setup is made once for all models; its time is not the model's.
        let (dev, _) = self.plain(&["srs", "dev", "--k", &k.to_string()])?;
        // By name: the cache may hold an imported one, which `setup` would prefer.
        let dev = dev["path"].as_str().unwrap_or_default();
        let (keys, setup) = self.step(&["setup", "--srs", dev])?;
        let mut proofs = Vec::with_capacity(self.options.runs);
        // With the other artifacts: beside the input it would lie in the models' folder.
        let salts = Path::new(&self.dir).join("input.private.json").display().to_string();
        for _ in 0..self.options.runs.max(1) {
            proofs.push(self.step(&["prove", "--input", &sample, "--salt-file", &salts])?);
        }
        let gas = self.step(&["simulate"])?.0;
        let figures = Figures {
            model: self.name.to_owned(),
            backend: self.backend.to_owned(),
            optimize: self.goal.to_owned(),
            k,
            commitments: number(&plan, "commitments")?,
            setup_s: round(setup.wall.as_secs_f64(), 3),
            prove_s: round(median(proofs.iter().map(|(_, c)| c.wall.as_secs_f64())), 3),
            prove_peak_mb: round(median(proofs.iter().map(|(_, cost)| megabytes(cost))), 1),
            phases: phases(&proofs),
            pk_bytes: number(&keys, "pk_bytes")?,
            proof_bytes: number(&gas, "proof_bytes")?,
            tx_gas: number(&gas, "tx_gas")?,
            exec_gas: number(&gas, "exec_gas")?,
            runtime_bytes: number(&gas, "runtime_bytes")?,
            max_abs_err: report["evaluation"]["max_abs_err"].as_f64().unwrap_or(f64::NAN),
        };
        let Figures { prove_s, prove_peak_mb, tx_gas, .. } = figures;
        ui.say(format_args!("  {prove_s:.2} s, {prove_peak_mb:.0} MB, {tx_gas} gas"));
        Ok(figures)
    }

    fn step(&self, args: &[&str]) -> Result<(Value, Cost)> {
        self.plain(&[args, &["--dir", &self.dir]].concat())
    }

    fn plain(&self, args: &[&str]) -> Result<(Value, Cost)> {
        child::run(&self.options.program, &self.data, &[args, &["--json", "--quiet"]].concat())
    }
}

fn number(json: &Value, key: &'static str) -> Result<u64> {
    json[key].as_u64().ok_or_else(|| Error::Child {
        command: "--json".into(),
        why: format!("its output has no number `{key}`"),
    })
}

/// Medians of the seconds of each phase, in their order.
fn phases(proofs: &[(Value, Cost)]) -> Vec<(String, f64)> {
    let of = |report: &Value| report["phases"].as_array().cloned().unwrap_or_default();
    let names = proofs.first().map(|(report, _)| of(report)).unwrap_or_default();
    let named = |name: &str| {
        let seconds = |(report, _): &(Value, Cost)| {
            of(report).iter().find(|p| p["phase"] == name).and_then(|p| p["seconds"].as_f64())
        };
        round(median(proofs.iter().filter_map(seconds)), 4)
    };
    names.iter().filter_map(|p| p["phase"].as_str()).map(|name| (name.to_owned(), named(name))).collect()
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
