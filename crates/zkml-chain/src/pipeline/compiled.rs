//! The compiled model as later steps load it.

use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
};
use zkml_graph::{Graph, System};
use zkml_protocol::Program;
use zkml_prover::Plan;

/// The integer graph and its relations.
#[derive(Debug)]
pub struct Compiled {
    /// The graph.
    pub graph: Graph,
    /// What must hold on every run of it.
    pub system: System,
}

impl Compiled {
    /// Loads `graph.bin`.
    ///
    /// # Errors
    /// As [`Artifacts::load`], and [`Error::Content`] for bytes that are no graph.
    pub fn load(artifacts: &Artifacts) -> Result<Self> {
        let graph = Graph::from_bytes(&artifacts.load(file::COMPILED)?)
            .map_err(|e| Error::Content { path: artifacts.path(file::COMPILED), why: e.to_string() })?;
        let system = graph.system();
        Ok(Self { graph, system })
    }
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
    program
        .validate()
        .map_err(|e| Error::Content { path: artifacts.path(file::PROGRAM), why: e.to_string() })?;
    Ok(program)
}
