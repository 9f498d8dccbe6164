//! The compiled model as later steps load it.

use crate::{
    artifacts::{Artifacts, file, weights},
    error::{Error, Result},
};
use zkml_graph::{Graph, System, Visibility};
use zkml_halo2::Plan;
use zkml_protocol::plonk::Program;

/// The integer graph and its relations.
#[derive(Debug)]
pub struct Compiled {
    /// The graph.
    pub graph: Graph,
    /// What must hold on every run of it.
    pub system: System,
    /// Values of its private weights, one vector per tensor of [`Graph::weights`].
    pub weights: Vec<Vec<i64>>,
}

impl Compiled {
    /// Whether some input is committed to: then nobody but its owner knows it.
    #[must_use]
    pub fn commits_to_inputs(&self) -> bool {
        self.graph.inputs.iter().any(|(_, visibility)| *visibility != Visibility::Public)
    }

    /// Loads `graph.bin`, and `weights.bin` when the weights are private.
    ///
    /// # Errors
    /// As [`Artifacts::load`], and [`Error::Content`] for bytes that are no graph or not its weights.
    pub fn load(artifacts: &Artifacts) -> Result<Self> {
        let graph = Graph::from_bytes(&artifacts.load(file::COMPILED)?)
            .map_err(|e| Error::content(&artifacts.path(file::COMPILED), e))?;
        let weights = if graph.weights.is_empty() {
            Vec::new()
        } else {
            let path = artifacts.path(file::WEIGHTS);
            weights::decode(&graph, &artifacts.load(file::WEIGHTS)?).map_err(|e| Error::content(&path, e))?
        };
        let system = graph.system();
        Ok(Self { graph, system, weights })
    }
}

/// A graph under the name of its artifacts: the copy in the folder is called model.onnx, whatever the model is called.
pub fn named(graph: Graph, name: &str) -> Graph {
    Graph { name: name.to_owned(), ..graph }
}

/// Loads `plan.json`.
///
/// # Errors
/// As [`Artifacts::load_json`].
pub fn plan(artifacts: &Artifacts) -> Result<Plan> {
    artifacts.load_json(file::PLAN)
}

/// Loads `program.json` and checks that its parts fit together.
///
/// # Errors
/// As [`Artifacts::load_json`], and [`Error::Content`] for a program that contradicts itself.
pub fn program(artifacts: &Artifacts) -> Result<Program> {
    let program: Program = artifacts.load_json(file::PROGRAM)?;
    program.validate().map_err(|e| Error::content(&artifacts.path(file::PROGRAM), e))?;
    Ok(program)
}
