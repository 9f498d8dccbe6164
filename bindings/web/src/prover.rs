//! The prover of one model, in memory.

use js_sys::Function;
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, collections::BTreeMap};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use zkml::{
    Binding, Commits, Compiled, CompiledFiles, Input, Keys, Observer, Opening, Preimage, Role, Salt, Stage,
    Verifier, Word, opening,
};
use zkml_protocol::{VerifierProgram, field::is_canonical};

use crate::{
    Outcome,
    fault::{Code, Fault},
    report::{ForContracts, Salted, SaltedPart, Statement, json},
};

/// The toolkit whose artifact folders are read: keys of another version would be others.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The prover of one model, with keys that were derived here.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Prover {
    keys: Keys,
    verifier: Verifier,
}

/// Options of a proof.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Context that the proof is bound to.
    #[serde(default)]
    context: Word,
    /// Salts that were kept, by the name of the input; `weights` for a model's.
    #[serde(default)]
    salts: BTreeMap<String, Salt>,
}

/// A proof with all that belongs to it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Proven {
    /// The document that `zkml-chain prove` would write.
    proof: serde_json::Value,
    statement: Statement,
    for_contracts: ForContracts,
    salts: Vec<Salted>,
    /// Outputs that the statement only commits to, by name.
    revealed: BTreeMap<String, Vec<f64>>,
}

/// Inputs and outputs of the model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About<'a> {
    model: &'a str,
    model_hash: Word,
    vk_digest: Word,
    unsafe_dev_setup: bool,
    proof_bytes: u64,
    inputs: Vec<PortReport>,
    outputs: Vec<PortReport>,
}

/// An input or output.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PortReport {
    name: String,
    shape: Vec<usize>,
    kind: String,
    scale: i32,
    lo: f64,
    hi: f64,
    committed: bool,
}

#[wasm_bindgen]
impl Prover {
    /// Derives the keys of a model from the files of its artifact folder: `graph.bin`, `plan.json`, `interface.json`, `program.json`,
    /// `proving.key`, and `weights.bin` where weights are private. Of the proving key only powers of the setup are taken.
    /// `listener` is called with the name of each stage.
    ///
    /// # Errors
    /// `artifact`, `program`, `setup` or `unsupported`, by what is wrong.
    #[wasm_bindgen(constructor)]
    pub fn new(
        graph: Vec<u8>,
        plan: Vec<u8>,
        interface: Vec<u8>,
        program: &[u8],
        key: &[u8],
        weights: Option<Vec<u8>>,
        listener: Option<Function>,
    ) -> Outcome<Self> {
        let given = crate::verifier(program)?;
        let made_by = &given.statement().toolkit_version;
        if made_by != VERSION {
            let why = format!(
                "the artifact folder was made by version {made_by} of zkml-chain, this page proves with {VERSION}: make it again"
            );
            return Err(Fault::said(Code::Artifact, why));
        }
        let files = CompiledFiles { graph, plan, interface, weights };
        let compiled = Compiled::from_files(&files).map_err(Fault::while_loading)?;
        let keys = heard(listener, || Keys::derive(compiled, &given, key, &Listener));
        Ok(Self { keys: keys.map_err(Fault::while_loading)?, verifier: given })
    }

    /// The model, its inputs and outputs, as JSON.
    ///
    /// # Errors
    /// `defect`.
    pub fn about(&self) -> Outcome<String> {
        let (statement, compiled) = (self.verifier.statement(), self.keys.compiled());
        let (graph, interface) = (compiled.graph(), compiled.interface());
        let hidden = |v: zkml::Visibility| v == zkml::Visibility::Committed;
        let inputs = interface.inputs.iter().zip(&graph.inputs).map(|(q, (_, v))| port(q, hidden(*v)));
        let outputs =
            interface.outputs.iter().zip(&graph.outputs).map(|(q, o)| port(q, hidden(o.visibility)));
        json(&About {
            model: &statement.model_name,
            model_hash: statement.model_hash,
            vk_digest: self.verifier.digest(),
            unsafe_dev_setup: self.verifier.program().srs().unsafe_dev,
            proof_bytes: self.verifier.program().proof_length() as u64,
            inputs: inputs.collect(),
            outputs: outputs.collect(),
        })
    }

    /// Runs the integer model on a sample, as JSON; the answer are numbers by output. Nothing is proven.
    ///
    /// # Errors
    /// `input` for an input that the model does not take.
    pub fn run(&self, sample: &str) -> Outcome<String> {
        let compiled = self.keys.compiled();
        let values = compiled.run(&compiled.input(sample)?)?;
        let names = compiled.interface().outputs.iter().map(|q| q.port.name.as_str());
        json(&names.zip(values).collect::<BTreeMap<_, _>>())
    }

    /// Proves a run of the model. `sample` is `{"inputs": {name: numbers}}` as JSON, `options` `{"context": word, "salts": {name: word}}`.
    /// The proof has been accepted by a verifier when it comes out.
    ///
    /// # Errors
    /// `input`, `option`, `randomness`; `refused` and `defect` would be mistakes of this toolkit.
    pub fn prove(&self, sample: &str, options: &str, listener: Option<Function>) -> Outcome<String> {
        let options: Options =
            serde_json::from_str(options).map_err(|e| Fault::said(Code::Option, format!("options: {e}")))?;
        let compiled = self.keys.compiled();
        let input = compiled.input(sample)?;
        let binding = self.binding(&input, options)?;
        let made = heard(listener, || self.keys.prove(&input, &binding, &Listener))?;
        let proof = serde_json::to_value(&made.proof).map_err(|e| Fault::new(Code::Defect, &e))?;
        let hidden = made.proof.outputs.iter().filter(|output| output.commitment.is_some());
        json(&Proven {
            proof,
            statement: Statement::of(&self.verifier, &made.proof),
            for_contracts: ForContracts::of(&self.verifier, &made.proof)?,
            salts: made.openings.iter().map(salted).collect(),
            revealed: hidden.map(|output| output.name.clone()).zip(made.revealed.iter().cloned()).collect(),
        })
    }
}

impl Prover {
    /// Openings of what the salts that were kept are for.
    fn binding(&self, input: &Input, options: Options) -> Outcome<Binding> {
        let Options { context, mut salts } = options;
        if !is_canonical(&context) {
            return Err(Fault::said(Code::Option, "the context is not below the order of the scalar field"));
        }
        let compiled = self.keys.compiled();
        let preimages = opening::inputs(compiled.graph(), &input.clone().into_values())
            .into_iter()
            .chain(opening::model(compiled.graph(), compiled.weights()));
        let mut openings = Vec::new();
        for preimage in preimages {
            if let Some(salt) = salts.remove(&preimage.name) {
                openings.push(self.opening(preimage, salt)?);
            }
        }
        match salts.into_keys().next() {
            None => Ok(Binding { context, openings }),
            Some(name) => {
                let why = format!("there is a salt for `{name}`, which is no input that is committed to");
                Err(Fault::said(Code::Option, why))
            }
        }
    }

    fn opening(&self, preimage: Preimage, salt: Salt) -> Outcome<Opening> {
        if !is_canonical(&salt.reveal()) {
            let why = format!("the salt of `{}` is not below the order of the scalar field", preimage.name);
            return Err(Fault::said(Code::Option, why));
        }
        let commitment = self.keys.commit(&preimage, &salt).map_err(|e| Fault::new(Code::Option, &e))?;
        let (program, model_hash) =
            (Commits::program(&self.keys, &preimage), self.keys.compiled().model_hash());
        let Preimage { role, name, parts } = preimage;
        Ok(Opening { role, name, model_hash, commitment, salt, program, parts })
    }
}

fn port(q: &zkml::QuantizedPort, committed: bool) -> PortReport {
    let (name, shape, kind) = (q.port.name.clone(), q.port.shape.clone(), q.port.kind.clone());
    PortReport { name, shape, kind, scale: q.scale, lo: q.lo, hi: q.hi, committed }
}

fn salted(opening: &Opening) -> Salted {
    // Private weights lie in their own file, which their owner has.
    let values = |part: &opening::Part| match opening.role {
        Role::Model => vec![],
        Role::Input | Role::Output => part.values.iter().map(ToString::to_string).collect(),
    };
    let parts = opening.parts.iter().map(|part| SaltedPart { code: part.code, values: values(part) });
    Salted {
        role: opening.role,
        name: opening.name.clone(),
        commitment: opening.commitment,
        salt: opening.salt.reveal(),
        parts: parts.collect(),
    }
}

thread_local! {
    /// The listener that is told of stages. JavaScript's values belong to their thread, an observer to all of them.
    static LISTENER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Tells [`LISTENER`]. To cancel, a page ends the worker.
struct Listener;

impl Observer for Listener {
    fn begins(&self, stage: Stage) {
        let listener = LISTENER.with_borrow(Clone::clone);
        if let Some(listener) = listener {
            // It is told, not asked: an exception of its own is its own.
            let _ = listener.call1(&JsValue::UNDEFINED, &name(stage).into());
        }
    }
}

/// Does something while `listener` is told of it.
fn heard<T>(listener: Option<Function>, act: impl FnOnce() -> T) -> T {
    let before = LISTENER.replace(listener);
    let done = act();
    LISTENER.set(before);
    done
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Plan => "layout",
        Stage::Srs => "setup",
        Stage::Keys => "keys",
        Stage::Run => "run",
        Stage::Prove => "prove",
        Stage::Commit => "commit",
        Stage::Lookups => "lookups",
        Stage::Sumchecks => "sumchecks",
        Stage::Open => "open",
        Stage::Verify => "verify",
        _ => "other",
    }
}
