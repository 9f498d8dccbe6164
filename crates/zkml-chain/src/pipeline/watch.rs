//! The prover of the inference service: a model that is read once, and inputs from events or from a folder.

use super::prove::{Model, Openings, Request as ProveRequest, Session, input};
use crate::{
    artifacts::Artifacts,
    error::{Class, Error, Result},
    output::{Report, Ui},
    private_file::{PrivateFile, beside},
    table,
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use zkml_contracts::Submission;
use zkml_protocol::{
    Word,
    binding::public_data_commitment,
    envelope::{EnvelopeError, Shape},
    plonk::Program,
};
use zkml_service::{Event, Job, Observer, ProveFailure, Proven, Prover, Summary};

/// Proves requests with the artifacts of one model.
#[derive(Debug)]
pub struct ModelProver {
    session: Session,
    /// It remembers what it has checked.
    artifacts: Mutex<Artifacts>,
    ui: Ui,
    /// Where committed inputs are.
    inputs: Option<PathBuf>,
    /// Where the salts of committed outputs are kept, each in the file of its request.
    kept: PathBuf,
}

impl ModelProver {
    /// Reads the model and its proving key.
    ///
    /// # Errors
    /// A missing, stale or damaged artifact; [`Error::NotGiven`], for without their folder no request about committed inputs
    /// can be served.
    pub fn load(ui: Ui, artifacts: Artifacts, inputs: Option<PathBuf>, kept: PathBuf) -> Result<Self> {
        let model = Model::load(&artifacts)?;
        if inputs.is_none() && model.compiled.commits_to_inputs() {
            return Err(Error::NotGiven { what: "the folder with the committed inputs", flag: "--inputs" });
        }
        let session = model.with_key(&artifacts)?;
        Ok(Self { session, artifacts: Mutex::new(artifacts), ui, inputs, kept })
    }

    /// What a verifier of these proofs needs.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.session.program()
    }

    /// The integers that were asked about, and the file that they come from if they are committed to.
    fn inputs_of(&self, job: &Job) -> Result<(Vec<Vec<i64>>, Option<PathBuf>), ProveFailure> {
        if !self.session.compiled.commits_to_inputs() {
            return Ok((self.public_inputs(job)?, None));
        }
        let commitment = job.request.data_commitment;
        let Some(folder) = &self.inputs else {
            return Err(ProveFailure::Later("--inputs names no folder".into()));
        };
        let path = folder.join(format!("{commitment}.json"));
        // Without the salts, new ones would be made, and a commitment that nobody asked about.
        for file in [&path, &beside(&path, 0)] {
            if !file.is_file() {
                return Err(ProveFailure::Later(format!("{} is not there yet", file.display())));
            }
        }
        let artifacts = self.artifacts.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs = input(&artifacts, Some(&path), 0).map_err(later)?;
        Ok((inputs, Some(path)))
    }

    fn public_inputs(&self, job: &Job) -> Result<Vec<Vec<i64>>, ProveFailure> {
        let refuse = |why: String| ProveFailure::Permanent(why);
        let (chunks, rest) = job.input.as_chunks::<32>();
        let words: Vec<Word> = chunks.iter().map(|word| Word(*word)).collect();
        let (found, asked) = (public_data_commitment(&words), job.request.data_commitment);
        if !rest.is_empty() || found != asked {
            return Err(refuse(format!("the commitment to its input is {found}, it asks about {asked}")));
        }
        self.session
            .inputs_of_words(&words)
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
        Openings::gather(&self.ui, &artifacts, &request, &self.session.compiled, inputs, trace)
    }

    /// Whoever proves chooses the salts of committed outputs: nobody else can open them.
    fn keep_outputs(&self, openings: &Openings, job: &Job) -> Result<()> {
        if openings.outputs.is_empty() {
            return Ok(());
        }
        let path = self.kept.join(format!("{}.outputs.private.json", job.request.id()));
        // What an earlier run has proven may be on its way to the chain: its salts stay.
        PrivateFile::add(&path, &openings.outputs)
    }
}

impl Prover for ModelProver {
    fn prove(&self, job: &Job) -> Result<Proven, ProveFailure> {
        let (inputs, file) = self.inputs_of(job)?;
        let committed = file.is_some();
        let never = |e: EnvelopeError| ProveFailure::Permanent(e.to_string());
        let (program, asked) = (self.session.program(), job.request.data_commitment);
        let shape = Shape::of(program).map_err(never)?;
        let compiled = &self.session.compiled;
        let trace = compiled
            .graph
            .eval_with(&inputs, &compiled.weights)
            .map_err(|e| ProveFailure::Permanent(e.to_string()))?;
        let openings = self.openings(file, &inputs, &trace).map_err(later)?;
        if committed {
            let stated = self.session.instances(&trace, &openings, job.context).map_err(failure)?;
            let found = shape.data_commitment(shape.sections(&stated).map_err(never)?.inputs);
            if found != asked {
                return Err(ProveFailure::Later(format!("the input at hand opens {found}, not {asked}")));
            }
        }
        let proof = self.session.prove(&trace, &openings, job.context).map_err(failure)?;
        self.keep_outputs(&openings, job).map_err(later)?;
        let submission = Submission::new(program, &proof.proof, &proof.instances)
            .map_err(|e| ProveFailure::Permanent(e.to_string()))?;
        Ok(Proven { output: submission.output, blob: submission.blob })
    }
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

/// Who is told what happens.
#[derive(Debug, Clone, Copy)]
pub struct Observe {
    /// One line of JSON on stdout for each event.
    pub json: bool,
}

impl Observe {
    /// As the service takes it. Logs are written by the service itself.
    #[must_use]
    pub fn observer(self) -> Observer {
        Arc::new(move |event: &Event| {
            if let (true, Ok(line)) = (self.json, serde_json::to_string(event)) {
                // Nobody may be reading any more; the journal holds it all.
                let _ = writeln!(io::stdout().lock(), "{line}");
            }
        })
    }
}

impl WatchReport {
    /// Prints it; with `--json` as the last one of the lines that tell of events.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub fn show(&self, ui: &Ui) -> Result<()> {
        if !ui.json {
            return ui.result(self);
        }
        let mut line = serde_json::json!({ "event": "ended" });
        if let (Some(line), Ok(serde_json::Value::Object(report))) =
            (line.as_object_mut(), serde_json::to_value(self))
        {
            line.extend(report);
        }
        crate::output::raw(format!("{line}\n").as_bytes())
    }
}

/// What a run of the service came to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchReport {
    /// Figures.
    pub summary: Summary,
    /// The journal.
    pub journal: PathBuf,
}

impl Report for WatchReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Summary { requests, proofs, sent, done, abandoned } = &self.summary;
        let number = |count: &u64| table::thousands(*count);
        writeln!(
            out,
            "{} proofs made, {} handed in, {} fulfilled for good",
            number(proofs),
            number(sent),
            number(done)
        )?;
        for (state, count) in requests {
            writeln!(out, "{state:<10} {}", number(count))?;
        }
        if *abandoned > 0 {
            writeln!(out, "{abandoned} proofs were not waited for")?;
        }
        writeln!(out, "journal    {}", self.journal.display())
    }
}
