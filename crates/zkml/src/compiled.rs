//! A compiled model: the integer graph, how its circuit is laid out, and what it takes and gives.

use serde::de::DeserializeOwned;
use zkml_graph::{Graph, System, Trace, Visibility};
use zkml_interface::{Interface, QuantizedPort, Sample};
use zkml_protocol::Word;

use crate::{Error, Observer, Plan, Result, Stage, Wish, observer::begin, weights};

/// The integer graph of a model, planned for proving. Its weights may be secret: debugging shows none.
pub struct Compiled {
    pub(crate) graph: Graph,
    pub(crate) system: System,
    pub(crate) weights: Vec<Vec<i64>>,
    interface: Interface,
    pub(crate) plan: Plan,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("model_hash", &self.model_hash()).finish_non_exhaustive()
    }
}

/// A compiled model as the four files of an artifact folder that carry it.
#[derive(Clone)]
pub struct CompiledFiles {
    /// `graph.bin`: the integer graph. With public weights it holds them; else it is the architecture alone.
    pub graph: Vec<u8>,
    /// `plan.json`: how it is proven.
    pub plan: Vec<u8>,
    /// `interface.json`: names, shapes and scales of inputs and outputs.
    pub interface: Vec<u8>,
    /// `weights.bin`: private weights, for their owner only.
    pub weights: Option<Vec<u8>>,
}

impl std::fmt::Debug for CompiledFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let private = self.weights.is_some();
        f.debug_struct("CompiledFiles")
            .field("graph", &self.graph.len())
            .field("private", &private)
            .finish_non_exhaustive()
    }
}

/// An input of a compiled model, as the integers that it computes with. They may be secret: debugging shows none.
#[derive(Clone, PartialEq, Eq)]
pub struct Input(pub(crate) Vec<Vec<i64>>);

impl Input {
    /// Integers as they are, one vector per input of the model; whether they fit it, whoever uses them says.
    pub fn of_values(values: Vec<Vec<i64>>) -> Self {
        Self(values)
    }

    /// The integers, one vector per input of the model.
    pub fn into_values(self) -> Vec<Vec<i64>> {
        self.0
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Input({} tensors)", self.0.len())
    }
}

fn from_json<T: DeserializeOwned>(what: &'static str, json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|e| Error::Malformed { what, why: e.into() })
}

/// Refuses a plan of halo2 by its name, before the rest of it is read: a parser would only say that the name is unknown.
#[cfg(not(feature = "halo2"))]
fn refuse_halo2(plan: &[u8]) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Named {
        layout: std::collections::BTreeMap<String, serde::de::IgnoredAny>,
    }
    match serde_json::from_slice::<Named>(plan) {
        Ok(named) if named.layout.contains_key(crate::Backend::Halo2.name()) => Err(Error::SumcheckOnly),
        _ => Ok(()),
    }
}

impl Compiled {
    /// Plans the proofs of a graph.
    ///
    /// # Errors
    /// As [`Plan::new`], [`Error::Cancelled`].
    pub fn plan_graph(
        graph: Graph,
        weights: Vec<Vec<i64>>,
        interface: Interface,
        wish: impl Into<Wish>,
        observer: &dyn Observer,
    ) -> Result<Self> {
        begin(observer, Stage::Plan)?;
        let system = graph.system();
        let plan = Plan::new(&system, wish)?;
        Ok(Self { graph, system, weights, interface, plan })
    }

    /// Puts together what belongs together: private weights, one vector per tensor of [`Graph::weights`], and interface and
    /// plan of the same graph.
    pub fn from_parts(graph: Graph, weights: Vec<Vec<i64>>, interface: Interface, plan: Plan) -> Self {
        Self { system: graph.system(), graph, weights, interface, plan }
    }

    /// Reads what [`Compiled::to_files`] wrote, or those files of an artifact folder.
    ///
    /// # Errors
    /// [`Error::Graph`], [`Error::Malformed`] or [`Error::Weights`], by which part is wrong; [`Error::SumcheckOnly`] for a plan of halo2
    /// in a build without it.
    pub fn from_files(files: &CompiledFiles) -> Result<Self> {
        #[cfg(not(feature = "halo2"))]
        refuse_halo2(&files.plan)?;
        let graph = Graph::from_bytes(&files.graph)?;
        let weights = match &files.weights {
            Some(bytes) => weights::decode(&graph, bytes)?,
            None if graph.weights.is_empty() => Vec::new(),
            None => {
                return Err(Error::Malformed { what: "private weights", why: "they were not given".into() });
            }
        };
        let (interface, plan) = (from_json("interface", &files.interface)?, from_json("plan", &files.plan)?);
        Ok(Self::from_parts(graph, weights, interface, plan))
    }

    /// The model as files.
    pub fn to_files(&self) -> CompiledFiles {
        let private = !self.graph.weights.is_empty();
        CompiledFiles {
            graph: self.graph.to_bytes(),
            plan: crate::json::pretty(&self.plan),
            interface: crate::json::pretty(&self.interface),
            weights: private.then(|| weights::encode(&self.graph, &self.weights)),
        }
    }

    /// How proofs are made, and what they cost.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the model takes and gives.
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    /// The integer graph: the definition of what is proven.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What must hold on every run of the graph.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// The private weights, one vector per tensor of [`Graph::weights`]; none when they are public.
    pub fn weights(&self) -> &[Vec<i64>] {
        &self.weights
    }

    /// Checks that the interface is the graph's: a proof says nothing of scales, so a file that was changed would have numbers
    /// proven that nobody typed.
    pub(crate) fn confirm_interface(&self) -> Result<()> {
        let ports = |own: &[QuantizedPort]| own.iter().map(|q| q.port.clone()).collect::<Vec<_>>();
        let Interface { inputs, outputs } = &self.interface;
        let same = Interface::new(&self.graph, &ports(inputs), &ports(outputs)) == self.interface;
        let graph = &self.graph;
        let fits = |q: &QuantizedPort, name: &str, id: zkml_graph::TensorId| {
            q.port.name == name && q.port.len() == graph.tensor(id).len()
        };
        let fit_in =
            inputs.iter().zip(&graph.inputs).all(|(q, (id, _))| fits(q, &graph.tensor(*id).name, *id));
        let fit_out = outputs.iter().zip(&graph.outputs).all(|(q, o)| fits(q, &o.name, o.tensor));
        if same && fit_in && fit_out {
            return Ok(());
        }
        let why = "its names, sizes and scales are not those of the graph";
        Err(Error::Malformed { what: "interface", why: why.into() })
    }

    /// Keccak-256 of the graph: names the model in every proof, or its architecture when weights are private.
    pub fn model_hash(&self) -> Word {
        Word(self.graph.hash())
    }

    /// Whether some input is committed to: then nobody but its owner knows it.
    pub fn commits_to_inputs(&self) -> bool {
        self.graph.inputs.iter().any(|(_, visibility)| *visibility != Visibility::Public)
    }

    /// The integers of a sample: `{"inputs": {name: numbers}}`; the first of several.
    ///
    /// # Errors
    /// [`Error::Sample`] names the input, the element and its range.
    pub fn input(&self, json: &str) -> Result<Input> {
        let ports = self.interface.input_ports();
        let mut samples = zkml_interface::Samples::parse(json, &ports)?;
        self.quantize(&samples.rows.swap_remove(0))
    }

    /// The integers of a sample.
    ///
    /// # Errors
    /// As [`Compiled::input`].
    pub fn quantize(&self, sample: &Sample) -> Result<Input> {
        Ok(Input(self.interface.quantize_inputs(sample)?))
    }

    /// Runs the integer model: one vector of numbers per output. Nothing is proven.
    ///
    /// # Errors
    /// [`Error::Graph`] for an input outside of what the model was calibrated for.
    pub fn run(&self, input: &Input) -> Result<Vec<Vec<f64>>> {
        let trace = self.trace(&input.0)?;
        let of = |o: &zkml_graph::Output| trace.values[o.tensor.0 as usize].clone();
        let outputs: Vec<Vec<i64>> = self.graph.outputs.iter().map(of).collect();
        Ok(self.interface.dequantize_outputs(&outputs))
    }

    /// Every tensor of a run on integers, one vector per input.
    ///
    /// # Errors
    /// [`Error::Graph`] for an input outside of what the model was calibrated for.
    pub fn trace(&self, inputs: &[Vec<i64>]) -> Result<Trace> {
        Ok(self.graph.eval_with(inputs, &self.weights)?)
    }
}
