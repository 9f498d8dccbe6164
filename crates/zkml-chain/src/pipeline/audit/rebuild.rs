//! Everything made again, from the model to the bytecode.

use super::{Request, claims::Claims};
use crate::{
    artifacts::file,
    error::{Error, Result},
    folder::model_name,
    output::Ui,
    pipeline::{solidity::Sources, srs},
    progress::Progress,
};
use serde::de::DeserializeOwned;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use zkml_graph::Graph;
use zkml_halo2::{Optimize, Plan, keys};
use zkml_harness::Compiled;
use zkml_onnx::{Model, Scales, Settings};
use zkml_protocol::plonk::Program;
use zkml_srs::Srs;

/// What was rebuilt.
#[derive(Debug)]
pub(super) struct Rebuilt {
    pub(super) graph: Graph,
    /// Integers of private weights.
    pub(super) weights: Vec<Vec<i64>>,
    /// Whether the graph comes from an ONNX file.
    pub(super) from_model: bool,
    pub(super) plan: Plan,
    pub(super) program: Program,
    pub(super) sources: Sources,
    pub(super) compiled: Compiled,
}

impl Rebuilt {
    pub(super) fn make(ui: &Ui, request: &Request, claims: &Claims) -> Result<Self> {
        let progress = Progress::timed(ui, "building everything again", Duration::from_secs(10));
        let (graph, weights) = match &request.model {
            Some(model) => from_model(model, request, claims)?,
            None => (from_graph(request, claims)?, Vec::new()),
        };
        let goals = match request.optimize.or(claims.plan.as_ref().map(|p| p.optimize)) {
            Some(goal) => vec![goal],
            // Nobody said, and the choice is in the bytecode only.
            None => vec![Optimize::Prover, Optimize::Gas],
        };
        let from_model = request.model.is_some();
        let mut first = None;
        for goal in goals {
            let this = match Self::with(ui, request, graph.clone(), weights.clone(), from_model, goal) {
                // The other goal may need a larger setup than the contract does: then it is not the one.
                Err(_) if first.is_some() => continue,
                built => built?,
            };
            let runtime = &this.compiled.contract(&this.sources.names.verifier)?.runtime;
            if claims.bytecode.as_ref().is_none_or(|code| code == runtime) {
                return Ok(this);
            }
            first = first.or(Some(this));
        }
        drop(progress);
        first.ok_or(Error::NotGiven { what: "what was made cheap", flag: "--optimize" })
    }

    fn with(
        ui: &Ui,
        request: &Request,
        graph: Graph,
        weights: Vec<Vec<i64>>,
        from_model: bool,
        goal: Optimize,
    ) -> Result<Self> {
        let system = graph.system();
        let plan = zkml_halo2::plan(&system, goal)?;
        let (srs, path) = setup(ui, request, plan.k)?;
        let program = keys::setup(&graph, &system, &plan, &srs, &path.display().to_string())?.program;
        let sources = Sources::of(&program)?;
        let compiled = sources.compile()?;
        Ok(Self { graph, weights, from_model, plan, program, sources, compiled })
    }

    /// How the layout came about.
    pub(super) fn planned(&self) -> &'static str {
        match self.plan.optimize {
            Optimize::Prover => "planned again, for cheap proving",
            Optimize::Gas => "planned again, for cheap verification",
        }
    }
}

/// The trusted setup with `2^k` powers, and its file: one of ours, or the ceremony's own, checked as an import checks it.
fn setup(ui: &Ui, request: &Request, k: u32) -> Result<(Srs, PathBuf)> {
    let (srs, path) = match &request.ptau {
        Some(ptau) => (Srs::import(ptau, Some(k), &|_, _, _| ())?, ptau.clone()),
        None => {
            let chosen = srs::find(ui, k, request.srs.as_deref())?;
            (chosen.srs, chosen.path)
        }
    };
    srs::warn(ui, srs.provenance());
    Ok((srs, path))
}

/// The graph of an ONNX file under recorded settings and scales, with the integers of its private weights.
fn from_model(model: &Path, request: &Request, claims: &Claims) -> Result<(Graph, Vec<Vec<i64>>)> {
    let (settings, scales): (Settings, Scales) = (
        choice(&request.settings, request, file::SETTINGS, "--settings")?,
        choice(&request.scales, request, file::SCALES, "--scales")?,
    );
    let loaded = Model::load(model, &settings.load_options())?;
    let mut lowered = zkml_onnx::lower(&loaded, &settings, &scales)?;
    lowered.graph.name =
        request.name.clone().or_else(|| claims.name.clone()).unwrap_or_else(|| model_name(model));
    Ok((lowered.graph, lowered.weights))
}

/// The graph without a model: the architecture, checked from there on.
fn from_graph(request: &Request, claims: &Claims) -> Result<Graph> {
    if !request.architecture {
        return Err(Error::NotGiven { what: "the ONNX file", flag: "--model" });
    }
    let (path, bytes) = match (&request.graph, &claims.graph) {
        (Some(path), _) => (path.clone(), fs::read(path).map_err(|e| Error::io("read", path, e))?),
        (None, Some(bytes)) => (PathBuf::from(file::COMPILED), bytes.clone()),
        (None, None) => {
            return Err(Error::NotGiven { what: "a model or its integer graph", flag: "--graph" });
        }
    };
    Graph::from_bytes(&bytes).map_err(|e| Error::Content { path, why: e.to_string() })
}

/// A choice that was made when the model was compiled: from its flag, or from the folder.
fn choice<T: DeserializeOwned>(
    flag: &Option<PathBuf>,
    request: &Request,
    name: &'static str,
    flag_name: &'static str,
) -> Result<T> {
    let path = flag.clone().or_else(|| Some(request.dir.as_ref()?.join(name)));
    let path = path.ok_or(Error::NotGiven { what: name, flag: flag_name })?;
    let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::Content { path, why: e.to_string() })
}
