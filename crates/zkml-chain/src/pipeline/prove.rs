//! One proof: sample → integers → trace → proof, checked before it is written.

use super::{
    commit::{self, Shown},
    compiled,
    compiled::Compiled,
    srs,
};
use crate::{
    artifacts::{Artifacts, Staged, file},
    error::{Error, Result},
    output::{DIM, Report, Ui},
    private_file::{Opening, PrivateFile, beside},
    progress::Progress,
    proof_file::{OutputValues, ProofFile},
    table,
};
use serde::Serialize;
use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use zkml_graph::{Graph, Trace, Visibility};
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
    /// The private file with the salts of the inputs; the one beside the input when absent.
    pub salt_file: Option<PathBuf>,
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
    /// The outputs that were proven; without values where the statement commits to them.
    pub outputs: Vec<OutputValues>,
    /// The commitments that the proof carries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<Shown>,
    /// The files that open them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub private_files: Vec<PathBuf>,
    /// Outputs behind commitments, for the owner's terminal and for nothing else.
    #[serde(skip)]
    revealed: Vec<OutputValues>,
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
    let inputs = input(artifacts, request.input.as_deref(), request.index)?;
    let trace = compiled.graph.eval_with(&inputs, &compiled.weights)?;
    if program.srs.unsafe_dev {
        srs::notice(ui);
    }
    let progress = Progress::timed(ui, "proving", estimate(&plan));
    let key = artifacts.path(file::PROVING_KEY);
    let keys = Keys::read(&key, &compiled.graph, &compiled.system, &plan, program)?;
    let openings = Openings::gather(ui, artifacts, request, &compiled, &inputs, &trace)?;
    let binding = Binding { context: request.context.unwrap_or(Word::ZERO), salts: openings.salts() };
    let proof = zkml_prover::prove(&compiled.system, &keys, &trace, &binding)?;
    // The prover has asked halo2's own verifier; a second, independent one must agree before anybody sees the proof.
    zkml_verifier::verify(&keys.program, &proof.bytes, &proof.instances)?;
    drop(progress);
    let proof_bytes = proof.bytes.len();
    let proven = ProofFile::new(&keys.program, proof.instances, proof.bytes)
        .map_err(|why| Error::Content { path: artifacts.path(file::PROGRAM), why })?;
    let commitments = commit::stated(&keys.program, &proven.instances);
    openings.agree(&commitments)?;
    let (path, private) =
        store(artifacts, request.out.as_deref(), &proven.to_bytes(), openings.outputs.clone())?;
    Ok(ProveReport {
        model: artifacts.model().to_owned(),
        proof: path,
        context: binding.context,
        revealed: revealed(&compiled.graph, &trace),
        outputs: proven.outputs,
        commitments,
        private_files: openings.files.into_iter().chain(private).collect(),
        proof_bytes,
        unsafe_dev_srs: proven.unsafe_dev_srs,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Openings of all commitments of a statement, in its order.
#[derive(Debug)]
struct Openings {
    known: Vec<Opening>,
    outputs: Vec<Opening>,
    /// Where those of inputs and weights are kept.
    files: Vec<PathBuf>,
}

impl Openings {
    /// Finds the openings of inputs and weights in their private files, or makes them; those of outputs are always new.
    fn gather(
        ui: &Ui,
        artifacts: &Artifacts,
        request: &Request,
        compiled: &Compiled,
        inputs: &[Vec<i64>],
        trace: &Trace,
    ) -> Result<Self> {
        let graph = &compiled.graph;
        let (input, salts) = (request.input.as_deref(), request.salt_file.as_deref());
        let preimages = commit::inputs(graph, inputs);
        let mut kept = Vec::new();
        if !preimages.is_empty() {
            let path = commit::private_path(artifacts, input, request.index, salts);
            kept.push(PrivateFile::keep(&path, commit::model_hash(graph), &preimages)?);
        }
        kept.extend(commit::weights(artifacts, compiled)?);
        for made in kept.iter().filter(|k| !k.reused) {
            ui.say(format_args!("a new salt is kept in {}: keep a copy, publish none", made.path.display()));
        }
        let fresh = |p: &_| Opening::fresh(commit::model_hash(graph), p);
        let outputs = commit::outputs(graph, trace).iter().map(fresh).collect::<Result<_>>()?;
        let files = kept.iter().map(|k| k.path.clone()).collect();
        Ok(Self { known: kept.into_iter().flat_map(|k| k.openings).collect(), outputs, files })
    }

    fn all(&self) -> impl Iterator<Item = &Opening> {
        self.known.iter().chain(&self.outputs)
    }

    fn salts(&self) -> Vec<Word> {
        self.all().map(|o| o.salt.reveal()).collect()
    }

    /// The circuit must have come to the very commitments that the private files open.
    fn agree(&self, stated: &[Shown]) -> Result<()> {
        let differs =
            |why: String| Error::Disagreement { accepts: "the prover", refuses: "the private file", why };
        if self.all().count() != stated.len() {
            return Err(differs(format!(
                "there are {} commitments and {} openings",
                stated.len(),
                self.all().count()
            )));
        }
        match self.all().zip(stated).find(|(o, s)| o.commitment != s.commitment) {
            None => Ok(()),
            Some((o, s)) => Err(differs(format!(
                "`{}` has the commitment {} in the proof, {} in the file",
                o.name, s.commitment, o.commitment
            ))),
        }
    }
}

/// The integers of a sample, one vector per input: of the file, or of the sample kept from calibration.
///
/// # Errors
/// A file that does not fit the model, a value outside the calibrated range.
pub fn input(artifacts: &Artifacts, file: Option<&Path>, index: usize) -> Result<Vec<Vec<i64>>> {
    let text = match file {
        Some(path) => fs::read(path).map_err(|e| Error::io("read", path, e))?,
        None => artifacts.load(file::SAMPLE)?,
    };
    let path = file.unwrap_or(Path::new(file::SAMPLE));
    let interface: Interface = artifacts.load_json(file::INTERFACE)?;
    let samples = Samples::parse(super::text(path, &text)?, &interface.input_ports())?;
    let sample = samples.rows.get(index).ok_or_else(|| Error::Content {
        path: path.to_owned(),
        why: format!("it has {} samples, there is no number {index}", samples.rows.len()),
    })?;
    Ok(interface.quantize_inputs(sample)?)
}

/// Outputs that the statement only commits to, decoded.
fn revealed(graph: &Graph, trace: &Trace) -> Vec<OutputValues> {
    let hidden = graph.outputs.iter().filter(|o| o.visibility == Visibility::Committed);
    let decode = |o: &zkml_graph::Output| {
        let (tensor, integers) = (graph.tensor(o.tensor), trace.values[o.tensor.0 as usize].clone());
        let values = integers.iter().map(|v| tensor.real(i128::from(*v))).collect();
        OutputValues { name: o.name.clone(), scale: tensor.scale, commitment: None, integers, values }
    };
    hidden.map(decode).collect()
}

/// Writes the proof and, beside it, what opens its outputs; the latter first, since nobody else has it.
fn store(
    artifacts: &mut Artifacts,
    out: Option<&Path>,
    bytes: &[u8],
    openings: Vec<Opening>,
) -> Result<(PathBuf, Option<PathBuf>)> {
    let path = out.map_or_else(|| artifacts.path(DEFAULT_PROOF), Path::to_owned);
    let private = (!openings.is_empty()).then(|| beside(&path, 0));
    let staged = private.as_ref().map(|p| PrivateFile::new(openings).stage(p)).transpose()?;
    match out {
        Some(path) => {
            let proof = Staged::from_bytes(path, bytes)?;
            staged.map(Staged::publish).transpose()?;
            proof.publish()?;
        }
        None => {
            artifacts.hold()?;
            let mut transaction = artifacts.begin("prove");
            transaction.put(DEFAULT_PROOF, bytes, &[file::PROGRAM])?;
            staged.map(Staged::publish).transpose()?;
            transaction.commit()?;
        }
    }
    Ok((path, private))
}

/// Roughly how long proving takes; for the bar only.
fn estimate(plan: &Plan) -> Duration {
    Duration::from_secs_f64(1.5e-6 * plan.commitments as f64 * (1u64 << plan.k) as f64 + 0.1)
}

impl Report for ProveReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for output in self.outputs.iter().filter(|o| o.commitment.is_none()) {
            writeln!(out, "{} = {}", output.name, show(&output.values))?;
        }
        // A terminal is for the owner's eyes; a pipe or a log may be for anybody's.
        for output in self.revealed.iter().filter(|_| io::stdout().is_terminal()) {
            writeln!(out, "{} = {} {DIM}(private){DIM:#}", output.name, show(&output.values))?;
        }
        commit::show(out, &self.commitments)?;
        for file in &self.private_files {
            writeln!(out, "{DIM}opened by {}{DIM:#}", file.display())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private_file::{Part, Preimage};
    use zkml_protocol::{Code, commitment::Role};

    /// A private file that does not open what was proven would be noticed years later, by a judge.
    #[test]
    fn openings_must_be_those_of_the_proof() {
        let code = Code { bits: 8, signed: true };
        let parts = vec![Part { code, values: vec![1] }];
        let preimage = Preimage { role: Role::Input, name: "x".into(), parts };
        let opening = Opening::fresh(Word::ONE, &preimage).expect("commits");
        let shown = Shown::from(&opening);
        let openings = Openings { known: vec![opening], outputs: vec![], files: vec![] };
        openings.agree(std::slice::from_ref(&shown)).expect("the same");
        let other = Shown { commitment: Word::ONE, ..shown };
        assert!(matches!(openings.agree(&[other]), Err(Error::Disagreement { .. })));
        assert!(openings.agree(&[]).is_err(), "a commitment that the proof does not carry");
    }
}
