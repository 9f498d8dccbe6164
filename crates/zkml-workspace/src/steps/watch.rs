//! The prover of the inference service: a model that is read once, and inputs from events or from a folder.

use super::{
    acceptance::{Source, Traced, ready},
    compiled,
    prove::{Openings, Request as ProveRequest, input},
};
use crate::{
    artifacts::Artifacts,
    error::{Class, Error, Needed, Result},
    observer::Observer,
    private_file::{PrivateFile, beside},
    value,
};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use zkml::Keys;
use zkml_contracts::Submission;
use zkml_deploy::{Address, DeployError, error::AcceptanceError};
use zkml_protocol::{
    Program, VerifierProgram, Word,
    binding::{Request, public_data_commitment},
    envelope::{EnvelopeError, Shape},
};
use zkml_service::{Job, ProveFailure, Proven, Prover, ResultJob, Summary};

/// Proves requests with the artifacts of one model.
#[derive(Debug)]
pub struct ModelProver {
    keys: Keys,
    /// It remembers what it has checked.
    artifacts: Mutex<Artifacts>,
    observer: Arc<dyn Observer>,
    inputs: Option<InputFolder>,
    /// Where the salts of committed outputs are kept, each in the file of its request.
    kept: PathBuf,
}

impl ModelProver {
    /// Reads the model and its proving key.
    ///
    /// # Errors
    /// A missing, stale or damaged artifact; [`Error::NotGiven`], for without their folder no request about committed inputs
    /// can be served, unless it is about `results` of this account.
    pub fn load(
        observer: Arc<dyn Observer>,
        artifacts: Artifacts,
        inputs: Option<PathBuf>,
        kept: PathBuf,
        results: bool,
    ) -> Result<Self> {
        let (model, program) = (compiled::load(&artifacts)?, compiled::program(&artifacts)?);
        // Inputs of own results lie with the artifacts.
        if inputs.is_none() && model.commits_to_inputs() && !results {
            return Err(Error::NotGiven { what: Needed::Inputs });
        }
        let keys = compiled::keys(&artifacts, model, program)?;
        let inputs = inputs.map(InputFolder::new);
        Ok(Self { keys, artifacts: Mutex::new(artifacts), observer, inputs, kept })
    }

    /// What a verifier of these proofs needs.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.keys.program()
    }

    /// The integers that were asked about, and the file that they come from if they are committed to.
    fn inputs_of(&self, job: &Job) -> Result<(Vec<Vec<i64>>, Option<PathBuf>), ProveFailure> {
        if !self.keys.compiled().commits_to_inputs() {
            return Ok((self.public_inputs(job)?, None));
        }
        let path = self.committed_input(&job.id, &job.request).map_err(ProveFailure::Later)?;
        let artifacts = self.artifacts.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs = input(&artifacts, Some(&path), 0).map_err(|_| unreadable(&path))?;
        Ok((inputs, Some(path)))
    }

    /// The file with the input of a request, where it and its salts are there; else what is not.
    fn committed_input(&self, id: &Word, request: &Request) -> Result<PathBuf, String> {
        let folder = self.inputs.as_ref().ok_or_else(|| "there is no folder of inputs".to_owned())?;
        folder.committed(id, request)
    }

    /// The input of a result: what was kept when it was posted from this folder, or what its poster has left here; else what is not there.
    fn source_of(&self, poster: &[u8; 20], data_commitment: &Word) -> Result<Source, String> {
        let kept = {
            let artifacts = self.artifacts.lock().unwrap_or_else(PoisonError::into_inner);
            Source::kept(&artifacts, data_commitment)
        };
        let committed = self.keys.compiled().commits_to_inputs();
        let whole = |source: &Source| {
            source.input.is_file() && (!committed || beside(&source.input, source.index).is_file())
        };
        let left = self.inputs.as_ref().map(|folder| {
            let input = input_of(&folder.0, poster, data_commitment);
            Source { input, index: 0, salts: None }
        });
        let missing = format!("{} and what opens it are not there", kept.input.display());
        [Some(kept), left].into_iter().flatten().find(whole).ok_or(missing)
    }

    fn public_inputs(&self, job: &Job) -> Result<Vec<Vec<i64>>, ProveFailure> {
        let refuse = |why: String| ProveFailure::Permanent(why);
        let (chunks, rest) = job.input.as_chunks::<32>();
        let words: Vec<Word> = chunks.iter().map(|word| Word(*word)).collect();
        let (found, asked) = (public_data_commitment(&words), job.request.data_commitment);
        if !rest.is_empty() || found != asked {
            return Err(refuse(format!("the commitment to its input is {found}, it asks about {asked}")));
        }
        inputs_of_words(self.program(), &words)
            .ok_or_else(|| refuse("its input is not what this model takes".to_owned()))
    }

    fn openings(
        &self,
        file: Option<PathBuf>,
        inputs: &[Vec<i64>],
        trace: &zkml_graph::Trace,
    ) -> Result<Openings> {
        let artifacts = self.artifacts.lock().unwrap_or_else(PoisonError::into_inner);
        let request = ProveRequest { input: file, ..ProveRequest::default() };
        Openings::gather(&*self.observer, &artifacts, &request, &self.keys, inputs, trace)
    }

    /// Whoever proves chooses the salts of committed outputs: nobody else can open them.
    fn keep_outputs(&self, openings: &Openings, job: &Job) -> Result<()> {
        if openings.outputs.is_empty() {
            return Ok(());
        }
        let path = self.kept.join(format!("{}.outputs.private.json", job.id));
        // What an earlier run has proven may be on its way to the chain: its salts stay.
        PrivateFile::add(&path, &openings.outputs)
    }
}

/// Where committed inputs are, in a folder for each subject or in files of single requests.
#[derive(Debug, Clone)]
pub(crate) struct InputFolder(PathBuf);

impl InputFolder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The file with the input of a request, where it and its salts are there; else what is not.
    pub(crate) fn committed(&self, id: &Word, request: &Request) -> Result<PathBuf, String> {
        let folder = &self.0;
        let own = folder.join(format!("{id}.json"));
        // Without the salts, new ones would be made, and a commitment that nobody asked about.
        let whole = |path: &PathBuf| path.is_file() && beside(path, 0).is_file();
        let by_subject = input_of(folder, &request.subject, &request.data_commitment);
        let checksummed = folder
            .join(Address::from(request.subject).to_checksum(None))
            .join(by_subject.file_name().unwrap_or_default());
        let missing = format!("{} and its .private.json are not there yet", by_subject.display());
        [own, by_subject, checksummed].into_iter().find(whole).ok_or(missing)
    }
}

/// The file that a subject's committed input is looked for in. Whoever repeats somebody's commitment finds nothing of theirs: an input belongs to
/// who asks about it.
pub(super) fn input_of(folder: &Path, subject: &[u8; 20], commitment: &Word) -> PathBuf {
    folder.join(format!("{:#x}", Address::from(*subject))).join(format!("{commitment}.json"))
}

impl Prover for ModelProver {
    fn missing(&self, id: &Word, request: &Request, _: &[u8]) -> Option<String> {
        if !self.keys.compiled().commits_to_inputs() {
            return None;
        }
        self.committed_input(id, request).err()
    }

    fn prove(&self, job: &Job) -> Result<Proven, ProveFailure> {
        let (inputs, file) = self.inputs_of(job)?;
        let committed = file.is_some();
        let never = |e: EnvelopeError| ProveFailure::Permanent(e.to_string());
        let (program, asked) = (self.keys.program(), job.request.data_commitment);
        let shape = Shape::of(program).map_err(never)?;
        let trace = self.keys.compiled().trace(&inputs).map_err(|e| match &file {
            Some(path) => ProveFailure::Permanent(not_taken(path)),
            None => failure(e.into()),
        })?;
        let openings = self.openings(file, &inputs, &trace).map_err(later)?;
        let opened = openings.all();
        if committed {
            let stated = self.keys.instances(&trace, &opened, job.context).map_err(|e| failure(e.into()))?;
            let found = shape.data_commitment(shape.sections(&stated).map_err(never)?.inputs);
            if found != asked {
                return Err(ProveFailure::Later(format!("the input at hand opens {found}, not {asked}")));
            }
        }
        let proof =
            self.keys.prove_trace(&trace, &opened, job.context, &()).map_err(|e| failure(e.into()))?;
        self.keep_outputs(&openings, job).map_err(later)?;
        let submission =
            Submission::new(program, &proof.proof, &proof.instances).map_err(|e| failure(e.into()))?;
        Ok(Proven { output: submission.output, blob: submission.blob })
    }

    fn missing_of_result(&self, poster: &[u8; 20], data_commitment: &Word) -> Option<String> {
        self.source_of(poster, data_commitment).err()
    }

    fn prove_result(&self, job: &ResultJob) -> Result<Proven, ProveFailure> {
        let ResultJob { id, result, context } = job;
        let source = self.source_of(&result.poster, &result.data_commitment).map_err(ProveFailure::Later)?;
        let ready = {
            let artifacts = self.artifacts.lock().unwrap_or_else(PoisonError::into_inner);
            let traced =
                Traced::of(&artifacts, &self.keys, &source).map_err(|_| unreadable(&source.input))?;
            ready(&*self.observer, &artifacts, &self.keys, (*id, result), *context, &source, traced)
        };
        let ready = ready.map_err(|e| match &e {
            // Another file may be put there; another output never follows from it.
            Error::Deploy(DeployError::Acceptance(AcceptanceError::WrongResult { .. })) => failure(e),
            // A file can be mended, and a bond is worth every attempt.
            _ => later(e),
        })?;
        let Submission { output, blob, .. } = ready.prove(&self.keys).map_err(later)?;
        Ok(Proven { output, blob })
    }
}

/// The integers of public inputs from the words of a statement's input section; none if these are not such words.
pub(crate) fn inputs_of_words(program: &Program, mut words: &[Word]) -> Option<Vec<Vec<i64>>> {
    let mut inputs = Vec::new();
    for field in &program.statement().instances.inputs {
        let (own, rest) = words.split_at_checked(usize::try_from(field.words()).ok()?)?;
        inputs.push(field.integers(own)?);
        words = rest;
    }
    words.is_empty().then_some(inputs)
}

/// A file of a committed input that cannot be used.
pub(crate) fn unreadable(path: &Path) -> ProveFailure {
    ProveFailure::Later(not_taken(path))
}

/// Says which file is refused. Why it is, might repeat a value of it, and what is said here is seen by many.
fn not_taken(path: &Path) -> String {
    format!("{} is no input that this model takes: `zkml-chain prove --input FILE` says why", path.display())
}

/// Files can be mended.
fn later(error: Error) -> ProveFailure {
    ProveFailure::Later(error.to_string())
}

/// What the system lacks may be there later; what the prover refuses, it refuses again.
fn failure(error: Error) -> ProveFailure {
    match error.class() {
        Class::System => later(error),
        _ => ProveFailure::Permanent(error.to_string()),
    }
}

/// Subjects that a file names, one a line; `#` begins a remark.
///
/// # Errors
/// [`Error::Io`], and [`Error::Content`] with the line that is no address, or for a file without any: nobody would be served.
pub fn subjects_of_file(path: &Path) -> Result<Vec<[u8; 20]>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let mut subjects = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let address = value::address(line);
            subjects.push(address.map_err(|e| Error::content(path, format!("line {number}: {e}")))?);
        }
    }
    if subjects.is_empty() {
        return Err(Error::content(path, "it names no subject: nobody would be served"));
    }
    Ok(subjects)
}

/// What a run of the service came to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchReport {
    /// Figures.
    pub summary: Summary,
    /// The journal: its file, or its server and schema.
    pub journal: String,
}
