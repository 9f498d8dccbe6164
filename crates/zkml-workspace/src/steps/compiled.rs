//! The compiled model as later steps load it.

use crate::{
    artifacts::{Artifacts, file, weights},
    error::{Error, Result},
};
use std::path::Path;
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

/// Reads a model and its keys from a folder without a manifest, whose files are known to belong together: somebody has checked their digests.
///
/// # Errors
/// [`Error::Io`], [`Error::Content`] for files that are not what their names say, [`Error::Prover`] for a key of another model.
pub fn keys_in(folder: &Path) -> Result<Keys> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|e| Error::io("read", &path, e))
    };
    let wrong = |name: &str, why: String| Error::content(&folder.join(name), why);
    let graph = read(file::COMPILED)?;
    let graph = Graph::from_bytes(&graph).map_err(|e| wrong(file::COMPILED, e.to_string()))?;
    let interface = serde_json::from_slice(&read(file::INTERFACE)?);
    let interface = interface.map_err(|e| wrong(file::INTERFACE, e.to_string()))?;
    let plan = serde_json::from_slice(&read(file::PLAN)?).map_err(|e| wrong(file::PLAN, e.to_string()))?;
    let program =
        zkml::program_from_json(&read(file::PROGRAM)?).map_err(|e| wrong(file::PROGRAM, e.to_string()))?;
    program.validate().map_err(|e| wrong(file::PROGRAM, e.to_string()))?;
    if !graph.weights.is_empty() {
        return Err(wrong(file::COMPILED, "its weights are private".to_owned()));
    }
    keys_at(
        &folder.join(file::PROVING_KEY),
        Compiled::from_parts(graph, Vec::new(), interface, plan),
        program,
    )
}

/// Reads the proving key of a compiled model.
///
/// # Errors
/// A missing or stale key, and [`Error::Prover`] when it is damaged or belongs to another model.
pub fn keys(artifacts: &Artifacts, compiled: Compiled, program: Program) -> Result<Keys> {
    artifacts.require_quickly(file::PROVING_KEY)?;
    keys_at(&artifacts.path(file::PROVING_KEY), compiled, program)
}

fn keys_at(path: &Path, compiled: Compiled, program: Program) -> Result<Keys> {
    match (&compiled.plan().layout, program) {
        // The key may be large: it is mapped.
        (Layout::Halo2(plan), Program::Plonk(program)) => {
            let keys = zkml_halo2::Keys::read(path, compiled.graph(), compiled.system(), plan, *program)?;
            Ok(Keys::of_halo2(compiled, keys))
        }
        (_, program) => {
            let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
            Ok(Keys::parse(compiled, &Verifier::new(program)?, path, &bytes)?)
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
