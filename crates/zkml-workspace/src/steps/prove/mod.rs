//! One proof: sample → integers → trace → proof, checked before it is written.

mod openings;
mod phases;

pub use openings::Openings;
pub use phases::PhaseTime;

use phases::Phases;

use super::{
    commit::{self, Commitment},
    compiled,
};
use crate::{
    artifacts::{Artifacts, Staged, file},
    error::{Error, Result},
    observer::{Observer, Total, Warning},
    private_file::{Opening, PrivateFile, beside},
    proof_file::OutputValues,
};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use zkml_graph::{Graph, Trace, Visibility};
use zkml_onnx::{Interface, Sample};
use zkml_protocol::{VerifierProgram, Word};

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
    pub commitments: Vec<Commitment>,
    /// The files that open them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub private_files: Vec<PathBuf>,
    /// Outputs behind commitments, for the owner's eyes and for no file.
    #[serde(skip)]
    pub revealed: Vec<OutputValues>,
    /// Length of the proof.
    pub proof_bytes: usize,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
    /// Time from reading the key to the checked proof.
    pub seconds: f64,
    /// The same by phase, in their order.
    pub phases: Vec<PhaseTime>,
}

/// The name of a proof that was given none.
pub const DEFAULT_PROOF: &str = "proofs/proof.json";

/// Proves one run of the model and stores the proof.
///
/// # Errors
/// An input that does not fit the model or lies outside the calibrated range, a stale or damaged
/// artifact, a full disk. A proof that does not verify is never written.
pub fn run(observer: &dyn Observer, artifacts: &mut Artifacts, request: &Request) -> Result<ProveReport> {
    of(observer, artifacts, request, None).map(|(report, _)| report)
}

/// As [`run`], also for a sample that lies in no file; `request.input` and `request.index` then only say where its salts are, if
/// `request.salt_file` does not. Returns the proof as well, since another one may be in its place already.
///
/// # Errors
/// As [`run`].
pub fn of(
    observer: &dyn Observer,
    artifacts: &mut Artifacts,
    request: &Request,
    given: Option<&Sample>,
) -> Result<(ProveReport, Vec<u8>)> {
    let (started, phases) = (Instant::now(), Phases::begin("load"));
    let (model, program) = (compiled::load(artifacts)?, compiled::program(artifacts)?);
    // Before the input is looked at.
    artifacts.require_quickly(file::PROVING_KEY)?;
    phases.next("run");
    let inputs = match given {
        Some(sample) => artifacts.load_json::<Interface>(file::INTERFACE)?.quantize_inputs(sample)?,
        None => input(artifacts, request.input.as_deref(), request.index)?,
    };
    let trace = model.trace(&inputs)?;
    if program.srs().unsafe_dev {
        observer.warned(&Warning::DevSetup);
    }
    let work = observer
        .start("proving", Total::Time(Duration::from_secs_f64(model.plan().cost().seconds_estimate)))?;
    phases.next("load");
    let keys = compiled::keys(artifacts, model, program)?;
    let openings = Openings::gather(observer, artifacts, request, &keys, &inputs, &trace)?;
    let context = request.context.unwrap_or(Word::ZERO);
    observer.proceed()?;
    let proven = keys.prove_trace(&trace, &openings.all(), context, &phases)?;
    observer.proceed()?;
    drop(work);
    let phases = phases.end();
    let json = proven.to_json();
    let (path, private) = store(artifacts, request.out.as_deref(), &json, &openings.outputs)?;
    let report = ProveReport {
        model: artifacts.model().to_owned(),
        proof: path,
        context,
        revealed: revealed(keys.compiled().graph(), &trace),
        commitments: commit::stated(keys.program(), &proven.instances),
        private_files: openings.files.into_iter().chain(private).collect(),
        proof_bytes: proven.proof.len(),
        unsafe_dev_srs: proven.unsafe_dev_srs,
        outputs: proven.outputs,
        seconds: started.elapsed().as_secs_f64(),
        phases,
    };
    Ok((report, json))
}

/// The integers of a sample, one vector per input: of the file, or of the sample kept from calibration.
///
/// # Errors
/// A file that does not fit the model, a value outside the calibrated range.
pub fn input(artifacts: &Artifacts, file: Option<&Path>, index: usize) -> Result<Vec<Vec<i64>>> {
    let (interface, sample) = sample(artifacts, file, index)?;
    Ok(interface.quantize_inputs(&sample)?)
}

/// A sample as its file has it, and the inputs that it is for.
///
/// # Errors
/// A file that does not fit the model, or has no such sample.
pub fn sample(artifacts: &Artifacts, file: Option<&Path>, index: usize) -> Result<(Interface, Sample)> {
    let text = match file {
        Some(path) => fs::read(path).map_err(|e| Error::io("read", path, e))?,
        None => artifacts.load(file::SAMPLE)?,
    };
    let path = file.unwrap_or(Path::new(file::SAMPLE));
    let interface: Interface = artifacts.load_json(file::INTERFACE)?;
    let mut samples = crate::samples::parse(path, &text, &interface.input_ports())?;
    if index >= samples.rows.len() {
        let why = format!("it has {} samples, there is no number {index}", samples.rows.len());
        return Err(Error::content(path, why));
    }
    Ok((interface, samples.rows.swap_remove(index)))
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

/// Writes the proof and, beside it, what opens its outputs; the latter first, since nobody else has it, and besides what opens
/// those of earlier proofs of this name, which may be in use.
fn store(
    artifacts: &mut Artifacts,
    out: Option<&Path>,
    bytes: &[u8],
    openings: &[Opening],
) -> Result<(PathBuf, Option<PathBuf>)> {
    let path = out.map_or_else(|| artifacts.path(DEFAULT_PROOF), Path::to_owned);
    let private = (!openings.is_empty()).then(|| beside(&path, 0));
    let keep = || private.as_ref().map_or(Ok(()), |private| PrivateFile::add(private, openings));
    match out {
        Some(path) => {
            let proof = Staged::from_bytes(path, bytes)?;
            keep()?;
            proof.publish()?;
        }
        None => {
            artifacts.hold()?;
            let mut transaction = artifacts.begin("prove");
            transaction.put(DEFAULT_PROOF, bytes, &[file::PROGRAM])?;
            keep()?;
            transaction.commit()?;
        }
    }
    Ok((path, private))
}
