//! One proof: sample → integers → trace → proof, checked before it is written.

use super::{compiled, compiled::Compiled, srs};
use crate::{
    artifacts::{Artifacts, file, write_whole},
    error::{Error, Result},
    output::{DIM, Report, Ui},
    progress::Progress,
    proof_file::{OutputValues, ProofFile},
    table,
};
use serde::Serialize;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use zkml_onnx::{Interface, Samples};
use zkml_protocol::Word;
use zkml_prover::{Binding, Keys, Plan};

/// What to prove.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// File with the input; the sample kept from calibration when absent.
    pub input: Option<PathBuf>,
    /// Which sample of a file of many.
    pub index: usize,
    /// What the proof is bound to.
    pub context: Option<Word>,
    /// Where to put the proof; `proofs/proof.json` in the artifact folder when absent.
    pub out: Option<PathBuf>,
}

/// What was proven.
#[derive(Debug, Clone, Serialize)]
pub struct ProveReport {
    /// The model's name.
    pub model: String,
    /// The proof file.
    pub proof: PathBuf,
    /// What the proof is bound to.
    pub context: Word,
    /// The outputs that were proven.
    pub outputs: Vec<OutputValues>,
    /// Length of the proof.
    pub proof_bytes: usize,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
    /// Time from reading the key to the checked proof.
    pub seconds: f64,
}

/// The name of a proof that was given none.
pub const DEFAULT_PROOF: &str = "proofs/proof.json";

/// Proves one run of the model and stores the proof.
///
/// # Errors
/// An input that does not fit the model or lies outside the calibrated range, a stale or damaged
/// artifact, a full disk. A proof that does not verify is never written.
pub fn run(ui: &Ui, artifacts: &mut Artifacts, request: &Request) -> Result<ProveReport> {
    let started = Instant::now();
    let compiled = Compiled::load(artifacts)?;
    let (plan, program) = (compiled::plan(artifacts)?, compiled::program(artifacts)?);
    artifacts.require_quickly(file::PROVING_KEY)?;
    let trace = compiled.graph.eval_with(&input(artifacts, request)?, &compiled.weights)?;
    if program.srs.unsafe_dev {
        srs::notice(ui);
    }
    let progress = Progress::timed(ui, "proving", estimate(&plan));
    let key = artifacts.path(file::PROVING_KEY);
    let keys = Keys::read(&key, &compiled.graph, &compiled.system, &plan, program)?;
    let context = request.context.unwrap_or(Word::ZERO);
    let binding = Binding { context, salts: vec![] };
    let proof = zkml_prover::prove(&compiled.system, &keys, &trace, &binding)?;
    // The prover has asked halo2's own verifier; a second, independent one must agree before anybody sees the proof.
    zkml_verifier::verify(&keys.program, &proof.bytes, &proof.instances)?;
    drop(progress);
    let proof_bytes = proof.bytes.len();
    let proven = ProofFile::new(&keys.program, proof.instances, proof.bytes)
        .map_err(|why| Error::Content { path: artifacts.path(file::PROGRAM), why })?;
    let path = store(artifacts, request.out.as_deref(), &proven.to_bytes())?;
    Ok(ProveReport {
        model: artifacts.model().to_owned(),
        proof: path,
        context,
        outputs: proven.outputs,
        proof_bytes,
        unsafe_dev_srs: proven.unsafe_dev_srs,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn input(artifacts: &Artifacts, request: &Request) -> Result<Vec<Vec<i64>>> {
    let text = match &request.input {
        Some(path) => fs::read(path).map_err(|e| Error::io("read", path, e))?,
        None => artifacts.load(file::SAMPLE)?,
    };
    let path = request.input.as_deref().unwrap_or(Path::new(file::SAMPLE));
    let interface: Interface = artifacts.load_json(file::INTERFACE)?;
    let samples = Samples::parse(super::text(path, &text)?, &interface.input_ports())?;
    let sample = samples.rows.get(request.index).ok_or_else(|| Error::Content {
        path: path.to_owned(),
        why: format!("it has {} samples, there is no number {}", samples.rows.len(), request.index),
    })?;
    Ok(interface.quantize_inputs(sample)?)
}

fn store(artifacts: &mut Artifacts, out: Option<&Path>, bytes: &[u8]) -> Result<PathBuf> {
    match out {
        Some(path) => {
            write_whole(path, bytes)?;
            Ok(path.to_owned())
        }
        None => {
            artifacts.hold()?;
            let mut transaction = artifacts.begin("prove");
            transaction.put(DEFAULT_PROOF, bytes, &[file::PROGRAM])?;
            transaction.commit()?;
            Ok(artifacts.path(DEFAULT_PROOF))
        }
    }
}

/// Roughly how long proving takes; for the bar only.
fn estimate(plan: &Plan) -> Duration {
    Duration::from_secs_f64(1.5e-6 * plan.commitments as f64 * (1u64 << plan.k) as f64 + 0.1)
}

impl Report for ProveReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for output in &self.outputs {
            writeln!(out, "{} = {}", output.name, show(&output.values))?;
        }
        writeln!(
            out,
            "{DIM}proof of {} bytes in {}: {}{DIM:#}",
            self.proof_bytes,
            table::seconds(self.seconds),
            self.proof.display()
        )
    }
}

/// Numbers as people read them: one alone, several in brackets, many shortened.
pub fn show(values: &[f64]) -> String {
    let number = |v: &f64| format!("{v:.5}");
    match values {
        [one] => number(one),
        few if few.len() <= 16 => format!("[{}]", few.iter().map(number).collect::<Vec<_>>().join(", ")),
        many => {
            let first: Vec<String> = many.iter().take(8).map(number).collect();
            format!("[{}, … {} more]", first.join(", "), many.len() - 8)
        }
    }
}
