//! Everything made again, from the model to the bytecode.

use super::{Request, claims::Claims};
use crate::{
    artifacts::file,
    error::{Error, Needed, Result},
    folder::model_name,
    observer::{Observer, Total},
    steps::{solidity::Sources, srs},
};
use serde::de::DeserializeOwned;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use zkml::{Backend, Keys, Optimize, Plan, Wish};
use zkml_graph::Graph;
use zkml_harness::Compiled;
use zkml_onnx::{Model, Scales, Settings};
use zkml_protocol::{Program, ProofSystem, VerifierProgram};
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
    pub(super) keys: Keys,
    pub(super) sources: Sources,
    pub(super) compiled: Compiled,
}

impl Rebuilt {
    pub(super) fn make(observer: &dyn Observer, request: &Request, claims: &Claims) -> Result<Self> {
        let work = observer.start("building everything again", Total::Time(Duration::from_secs(10)))?;
        let (graph, weights) = match &request.model {
            Some(model) => from_model(model, request, claims)?,
            None => (from_graph(request, claims)?, Vec::new()),
        };
        let wishes = wishes(request, claims);
        let from_model = request.model.is_some();
        let mut first = None;
        for wish in wishes {
            let this = match Self::with(observer, request, graph.clone(), weights.clone(), from_model, wish) {
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                // Another wish may need a larger setup than the contract does: then it is not the one.
                Err(_) if first.is_some() => continue,
                built => built?,
            };
            let runtime = &this.compiled.contract(&this.sources.names.verifier)?.runtime;
            if claims.bytecode.as_ref().is_none_or(|code| code == runtime) {
                return Ok(this);
            }
            first = first.or(Some(this));
        }
        drop(work);
        first.ok_or(Error::NotGiven { what: Needed::Goal })
    }

    fn with(
        observer: &dyn Observer,
        request: &Request,
        graph: Graph,
        weights: Vec<Vec<i64>>,
        from_model: bool,
        wish: Wish,
    ) -> Result<Self> {
        let plan = Plan::new(&graph.system(), wish)?;
        let (srs, path) = setup(observer, request, plan.k())?;
        observer.proceed()?;
        let interface = zkml::Interface { inputs: vec![], outputs: vec![] };
        let model = zkml::Compiled::from_parts(graph.clone(), weights.clone(), interface, plan.clone());
        let keys = model.setup_from(&srs, &path.display().to_string(), &())?;
        let program = keys.program().clone();
        let sources = Sources::print(&program)?;
        let compiled = sources.compile()?;
        Ok(Self { graph, weights, from_model, plan, program, keys, sources, compiled })
    }

    /// How the layout came about.
    pub(super) fn planned(&self) -> &'static str {
        match self.plan.optimize {
            Optimize::Prover => "planned again, for cheap proving",
            Optimize::Gas => "planned again, for cheap verification",
        }
    }
}

/// The goals and proof systems that are tried: those that somebody named, else those that the folder claims.
fn wishes(request: &Request, claims: &Claims) -> Vec<Wish> {
    let goals = match request.optimize.or(claims.plan.as_ref().map(|p| p.optimize)) {
        Some(goal) => vec![goal],
        // Nobody said, and the choice is in the bytecode only.
        None => vec![Optimize::Prover, Optimize::Gas],
    };
    let of_program = |program: &Program| match program.proof_system() {
        ProofSystem::Plonk => Some(Backend::Halo2),
        ProofSystem::Sumcheck => Some(Backend::Sumcheck),
        _ => None,
    };
    let claimed = claims.plan.as_ref().map(Plan::backend).or(claims.program.as_ref().and_then(of_program));
    let backends = match request.backend.or(claimed) {
        Some(backend) => vec![Some(backend)],
        // As the model would be compiled.
        None if claims.bytecode.is_none() => vec![None],
        None => Backend::ALL.map(Some).to_vec(),
    };
    let all = |backend| goals.iter().map(move |goal| Wish { optimize: *goal, backend });
    backends.into_iter().flat_map(all).collect()
}

/// The trusted setup with `2^k` powers, and its file: one of ours, or the ceremony's own, checked as an import checks it.
fn setup(observer: &dyn Observer, request: &Request, k: u32) -> Result<(Srs, PathBuf)> {
    let (srs, path) = match &request.ptau {
        Some(ptau) => (Srs::import(ptau, Some(k), &|_, _, _| ())?, ptau.clone()),
        None => {
            let chosen = srs::find(observer, k, request.srs.as_deref())?;
            (chosen.srs, chosen.path)
        }
    };
    srs::warn(observer, srs.provenance());
    Ok((srs, path))
}

/// The graph of an ONNX file under recorded settings and scales, with the integers of its private weights.
fn from_model(model: &Path, request: &Request, claims: &Claims) -> Result<(Graph, Vec<Vec<i64>>)> {
    let (settings, scales): (Settings, Scales) = (
        choice(&request.settings, request, Needed::Settings)?,
        choice(&request.scales, request, Needed::Scales)?,
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
        return Err(Error::NotGiven { what: Needed::Model });
    }
    let (path, bytes) = match (&request.graph, &claims.graph) {
        (Some(path), _) => (path.clone(), fs::read(path).map_err(|e| Error::io("read", path, e))?),
        (None, Some(bytes)) => (PathBuf::from(file::COMPILED), bytes.clone()),
        (None, None) => {
            return Err(Error::NotGiven { what: Needed::Graph });
        }
    };
    Graph::from_bytes(&bytes).map_err(|e| Error::content(&path, e))
}

/// A choice that was made when the model was compiled: from a file that was named, or from the folder's, which is called like it.
fn choice<T: DeserializeOwned>(named: &Option<PathBuf>, request: &Request, what: Needed) -> Result<T> {
    let path = named.clone().or_else(|| Some(request.dir.as_ref()?.join(what.to_string())));
    let path = path.ok_or(Error::NotGiven { what })?;
    let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::content(&path, e))
}
