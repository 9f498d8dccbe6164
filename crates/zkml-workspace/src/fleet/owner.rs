//! The owner of requests: seals inputs, hands tasks to the fleet, and believes nothing that comes back.

use super::{
    Bundle, FleetKey, Objects,
    job::{Sealed, Secret, TaskJob},
};
use crate::{
    artifacts::Artifacts,
    error::{Error, Needed, Result},
    private_file::{PrivateFile, beside},
    steps::{
        compiled,
        prove::input,
        watch::{InputFolder, unreadable},
    },
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};
use zkml::{
    Compiled, Verifier,
    opening::{self, Opening, Preimage},
};
use zkml_contracts::Submission;
use zkml_protocol::{
    Program, Word,
    binding::{Request, public_data_commitment},
    envelope::Shape,
};
use zkml_service::{Fleet, Job, Part, ProveFailure, Proven, Prover};

/// How a fleet is told.
#[derive(Debug, Clone)]
pub struct Fleeting {
    /// Where workers find artifacts and inputs.
    pub objects: Objects,
    /// The key that inputs are sealed for.
    pub key: Option<FleetKey>,
    /// Number of tasks that are in the queue at a time.
    pub backlog: u64,
}

/// Has a fleet prove what is asked of one model.
#[derive(Debug)]
pub struct FleetProver {
    compiled: Compiled,
    verifier: Verifier,
    /// It remembers what it has checked.
    artifacts: Mutex<Artifacts>,
    inputs: Option<InputFolder>,
    fleeting: Fleeting,
    program: String,
    memory: u64,
    /// Sealed inputs of this run, to be removed when their requests are over.
    sealed: Mutex<BTreeMap<Word, Vec<Sealed>>>,
}

impl FleetProver {
    /// For a model that was published: `program` is the fleet's name for it.
    ///
    /// # Errors
    /// A missing, stale or damaged artifact; [`Error::NotGiven`] without a folder of inputs, or a key to seal them for, that the model needs;
    /// [`FleetError::Damaged`](super::FleetError::Damaged) when another model has that name.
    pub fn load(
        artifacts: Artifacts,
        inputs: Option<PathBuf>,
        fleeting: Fleeting,
        program: String,
    ) -> Result<Self> {
        let compiled = compiled::load(&artifacts)?;
        let verifier = Verifier::new(compiled::program(&artifacts)?)?;
        if compiled.commits_to_inputs() {
            let what = if inputs.is_none() { Some(Needed::Inputs) } else { None };
            if let Some(what) = what.or(fleeting.key.is_none().then_some(Needed::FleetKey)) {
                return Err(Error::NotGiven { what });
            }
        }
        let memory = Bundle::get(&fleeting.objects, &program)?.memory;
        let (inputs, sealed) = (inputs.map(InputFolder::new), Mutex::default());
        Ok(Self {
            compiled,
            verifier,
            artifacts: Mutex::new(artifacts),
            inputs,
            fleeting,
            program,
            memory,
            sealed,
        })
    }

    /// What a verifier of these proofs needs.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.verifier.program()
    }

    fn sealed(&self, job: &Job) -> Result<Option<Sealed>, ProveFailure> {
        if !self.compiled.commits_to_inputs() {
            return Ok(None);
        }
        let later = |e: Error| ProveFailure::Later(e.to_string());
        let no_folder = || ProveFailure::Later("there is no folder of inputs".to_owned());
        let folder = self.inputs.as_ref().ok_or_else(no_folder)?;
        let path = folder.committed(&job.id, &job.request).map_err(ProveFailure::Later)?;
        let inputs = {
            let artifacts = self.artifacts.lock().unwrap_or_else(PoisonError::into_inner);
            input(&artifacts, Some(&path), 0).map_err(|_| unreadable(&path))?
        };
        let openings = PrivateFile::read(&beside(&path, 0)).map_err(|_| unreadable(&path))?.openings;
        self.check(job, &inputs, &openings)?;
        let key = self
            .fleeting
            .key
            .as_ref()
            .ok_or_else(|| ProveFailure::Later("there is no key to seal for".to_owned()))?;
        let secret = Secret { request: job.id, inputs, openings };
        let sealed = Sealed::put(&self.fleeting.objects, key, &secret).map_err(later)?;
        let mut all = self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(job.id).or_default().push(sealed.clone());
        Ok(Some(sealed))
    }
}

impl FleetProver {
    /// An input that does not open what is asked about is refused here: at a worker it would cost a proof, and tell nothing else.
    fn check(&self, job: &Job, inputs: &[Vec<i64>], openings: &[Opening]) -> Result<(), ProveFailure> {
        let asked = job.request.data_commitment;
        let model = self.compiled.model_hash();
        let committed = opening::inputs(self.compiled.graph(), inputs);
        let opens = |preimage: &Preimage| {
            openings
                .iter()
                .find(|opening| opening.opens(model, preimage).unwrap_or(false))
                .map(Opening::stated)
        };
        let Some(stated) = committed.iter().map(opens).collect::<Option<Vec<_>>>() else {
            let why = format!(
                "the input at hand and its salts do not belong together: they open nothing, not {asked}"
            );
            return Err(ProveFailure::Later(why));
        };
        // Beside other inputs, what is asked about covers more than this commitment.
        match stated.as_slice() {
            [stated] if self.compiled.graph().inputs.len() == 1 && stated.commitment != asked => Err(
                ProveFailure::Later(format!("the input at hand opens {}, not {asked}", stated.commitment)),
            ),
            _ => Ok(()),
        }
    }
}

impl Prover for FleetProver {
    fn missing(&self, id: &Word, request: &Request, _: &[u8]) -> Option<String> {
        if !self.compiled.commits_to_inputs() {
            return None;
        }
        self.inputs.as_ref()?.committed(id, request).err()
    }

    fn prove(&self, _: &Job) -> Result<zkml_service::Proven, ProveFailure> {
        Err(ProveFailure::Later("the fleet proves".to_owned()))
    }

    fn fleet(&self) -> Option<&dyn Fleet> {
        Some(self)
    }
}

impl Fleet for FleetProver {
    fn backlog(&self) -> u64 {
        self.fleeting.backlog
    }

    fn seals_for(&self) -> String {
        self.fleeting.key.as_ref().map_or_else(String::new, FleetKey::digits)
    }

    fn pack(&self, job: &Job) -> Result<Vec<Part>, ProveFailure> {
        if !self.compiled.commits_to_inputs() {
            let (words, rest) = job.input.as_chunks::<32>();
            let words: Vec<Word> = words.iter().map(|word| Word(*word)).collect();
            let (found, asked) = (public_data_commitment(&words), job.request.data_commitment);
            if !rest.is_empty() || found != asked {
                let why = format!("the commitment to its input is {found}, it asks about {asked}");
                return Err(ProveFailure::Permanent(why));
            }
        }
        let sealed = self.sealed(job)?;
        let sealed_for = if sealed.is_some() { self.seals_for() } else { String::new() };
        let task = TaskJob { version: 1, context: job.context, input: hex::encode(&job.input), sealed };
        let bytes = serde_json::to_vec(&task).map_err(|e| ProveFailure::Permanent(e.to_string()))?;
        let (program, memory) = (self.program.clone(), self.memory);
        Ok(vec![Part { part: 0, parts: 0, program, memory, sealed_for, job: bytes }])
    }

    fn open(&self, job: &Job, result: &[u8]) -> Result<Proven, String> {
        let (verifier, program) = (&self.verifier, self.verifier.program());
        let proof = zkml::Proof::from_json(result, program).map_err(|e| e.to_string())?;
        let verified = verifier.verify(&proof).map_err(|e| e.to_string())?;
        if verified.context != job.context {
            return Err("it is bound to something else".to_owned());
        }
        let shape = Shape::of(program).map_err(|e| e.to_string())?;
        let sections = shape.sections(&proof.instances).map_err(|e| e.to_string())?;
        let (found, asked) = (shape.data_commitment(sections.inputs), job.request.data_commitment);
        if found != asked {
            return Err(format!("it is about the input {found}, not {asked}"));
        }
        let submission =
            Submission::new(program, &proof.proof, &proof.instances).map_err(|e| e.to_string())?;
        Ok(Proven { output: submission.output, blob: submission.blob })
    }

    fn forget(&self, request: &Word) {
        let sealed =
            self.sealed.lock().unwrap_or_else(PoisonError::into_inner).remove(request).unwrap_or_default();
        for sealed in sealed {
            // What stays is sealed, and named nowhere any more.
            if let Err(error) = self.fleeting.objects.remove(&sealed.object()) {
                tracing::debug!("a sealed input stays: {error}");
            }
        }
    }
}
