//! The compiled model as later steps load it.

use crate::{
    artifacts::{Artifacts, file, weights},
    error::{Error, Result},
};
pub use zkml::Compiled;
use zkml::{Keys, Layout, Plan, Verifier};
use zkml_graph::Graph;
use zkml_protocol::{Program, VerifierProgram};

/// Loads `graph.bin` with interface and plan, and `weights.bin` when the weights are private.
///
/// # Errors
/// As [`Artifacts::load`], and [`Error::Content`] for bytes that are no graph or not its weights.
pub fn load(artifacts: &Artifacts) -> Result<Compiled> {
    let graph = Graph::from_bytes(&artifacts.load(file::COMPILED)?)
        .map_err(|e| Error::content(&artifacts.path(file::COMPILED), e))?;
    let weights = if graph.weights.is_empty() {
        Vec::new()
    } else {
        let path = artifacts.path(file::WEIGHTS);
        weights::decode(&graph, &artifacts.load(file::WEIGHTS)?).map_err(|e| Error::content(&path, e))?
    };
    Ok(Compiled::from_parts(graph, weights, artifacts.load_json(file::INTERFACE)?, plan(artifacts)?))
}

/// Reads the proving key of a compiled model.
///
/// # Errors
/// A missing or stale key, and [`Error::Prover`] when it is damaged or belongs to another model.
pub fn keys(artifacts: &Artifacts, compiled: Compiled, program: Program) -> Result<Keys> {
    artifacts.require_quickly(file::PROVING_KEY)?;
    let path = artifacts.path(file::PROVING_KEY);
    match (&compiled.plan().layout, program) {
        // The key may be large: it is mapped.
        (Layout::Halo2(plan), Program::Plonk(program)) => {
            let keys = zkml_halo2::Keys::read(&path, compiled.graph(), compiled.system(), plan, *program)?;
            Ok(Keys::of_halo2(compiled, keys))
        }
        (_, program) => {
            let bytes = std::fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
            Ok(Keys::parse(compiled, &Verifier::new(program)?, &path, &bytes)?)
        }
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
    let unusable = |e| Error::content(&artifacts.path(file::PROGRAM), e);
    let program = zkml::program_from_json(&artifacts.load(file::PROGRAM)?).map_err(unusable)?;
    program.validate().map_err(|e| Error::content(&artifacts.path(file::PROGRAM), e))?;
    Ok(program)
}
