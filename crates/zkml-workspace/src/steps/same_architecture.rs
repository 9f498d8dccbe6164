//! Another model of a compiled architecture: the same graph, keys and verifier, other private weights.

use super::{
    calibrate::tolerated,
    compile::{self, CompileReport},
    compiled,
    compiled::named,
    disclosure::Disclosure,
};
use crate::{
    artifacts::{Artifacts, Transaction, file, weights},
    error::{Error, Result},
    observer::{Observer, Total},
};
use std::{fs, io, path::Path, time::Duration};
use zkml_graph::{Graph, Visibility};
use zkml_onnx::{Interface, Model, Scales, Settings};

/// What to compile, and whose architecture it has.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The folder of a compiled model whose weights are committed.
    pub from: &'a Path,
    /// The ONNX file of the other model.
    pub model: &'a Path,
    /// The folder to make.
    pub dir: &'a Path,
    /// The architecture may err more than its settings tolerate.
    pub allow_inaccurate: bool,
}

/// Compiles a model for the verifier of another one. What both share is copied, keys included.
///
/// # Errors
/// A model of another architecture, with the first difference; a weight beyond the width that the architecture
/// has for it; a folder whose weights are public.
pub fn run(observer: &dyn Observer, request: &Request<'_>) -> Result<CompileReport> {
    let from = Artifacts::open(request.from)?;
    let settings: Settings = from.load_json(file::SETTINGS)?;
    if settings.weights == Visibility::Public {
        return Err(Error::PublicWeights { dir: request.from.to_owned() });
    }
    let alarm = compile::report(&from)?.and_then(|r| r.alarm(settings.tolerance));
    tolerated(observer, alarm, request.from, request.allow_inaccurate)?;
    let scales: Scales = from.load_json(file::SCALES)?;
    let interface: Interface = from.load_json(file::INTERFACE)?;
    let bytes = from.load(file::COMPILED)?;
    let plan = compiled::plan(&from)?;
    let work = observer.start("compiling", Total::Time(Duration::from_secs(5)))?;
    let other = |difference: String| Error::OtherArchitecture {
        model: request.model.to_owned(),
        dir: request.from.to_owned(),
        difference,
    };
    let model = Model::load(request.model, &settings.load_options())?;
    ports(&model, &interface).map_err(other)?;
    let lowered = zkml_onnx::lower(&model, &settings, &scales).map_err(|e| match e {
        zkml_onnx::Error::Architecture { difference } => other(difference),
        e => e.into(),
    })?;
    let theirs = Graph::from_bytes(&bytes)?;
    let graph = named(lowered.graph, &theirs.name);
    if graph.to_bytes() != bytes {
        return Err(other(first_difference(&graph, &theirs)));
    }
    let mut artifacts = create(request.dir, &from)?;
    let onnx = zkml_onnx::self_contained(request.model)?;
    let mut transaction = artifacts.begin("compile");
    transaction.put_private(file::MODEL, &onnx, &[])?;
    for (name, sources) in [
        (file::SETTINGS, &[file::MODEL][..]),
        (file::SCALES, &[file::MODEL]),
        (file::COMPILED, &[file::MODEL, file::SETTINGS, file::SCALES]),
        (file::INTERFACE, &[file::COMPILED]),
        (file::PLAN, &[file::COMPILED]),
    ] {
        transaction.put(name, &from.load(name)?, sources)?;
    }
    let content = weights::encode(&graph, &lowered.weights);
    transaction.put_private(file::WEIGHTS, &content, &[file::MODEL, file::COMPILED])?;
    if from.entry(file::SAMPLE).is_some() {
        transaction.put(file::SAMPLE, &from.load(file::SAMPLE)?, &[])?;
    }
    let keys = [file::PROVING_KEY, file::PROGRAM].iter().all(|name| from.require(name).is_ok());
    if keys {
        observer.proceed()?;
        work.renamed("copying keys");
        [file::PROVING_KEY, file::PROGRAM]
            .iter()
            .try_for_each(|name| copied(&mut transaction, &from, name))?;
    }
    transaction.commit()?;
    drop(work);
    let disclosure = Disclosure::exact(&graph, &plan, lowered.stays_public);
    Ok(CompileReport::new(&artifacts, &graph.hash(), disclosure, plan, keys))
}

/// The folder to make, which must be another one.
fn create(dir: &Path, from: &Artifacts) -> Result<Artifacts> {
    let place = |p: &Path| p.canonicalize().ok();
    if place(dir).is_some() && place(dir) == place(from.dir()) {
        return Err(Error::SameFolder { dir: dir.to_owned() });
    }
    Artifacts::create(dir, from.model())
}

/// Streams a file that may be large from one folder to the other.
fn copied(transaction: &mut Transaction<'_>, from: &Artifacts, name: &str) -> Result<()> {
    let path = from.path(name);
    let mut source = fs::File::open(&path).map_err(|e| Error::io("read", &path, e))?;
    transaction
        .put_with(name, &[file::COMPILED, file::PLAN], |out| io::copy(&mut source, out).map(|_| ()))?;
    Ok(())
}

/// Inputs and outputs must be those of the architecture; the first difference otherwise.
fn ports(model: &Model, interface: &Interface) -> Result<(), String> {
    for (what, ours, theirs) in
        [("input", model.inputs(), &interface.inputs), ("output", model.outputs(), &interface.outputs)]
    {
        if ours.len() != theirs.len() {
            return Err(format!("it has {} {what}s instead of {}", ours.len(), theirs.len()));
        }
        for (a, b) in ours.iter().zip(theirs.iter().map(|q| &q.port)) {
            let show =
                |p: &zkml_onnx::Port| format!("`{}` of shape {:?} and type {}", p.name, p.shape, p.kind);
            if a != b {
                return Err(format!("its {what} is {} instead of {}", show(a), show(b)));
            }
        }
    }
    Ok(())
}

/// Where two graphs differ first.
fn first_difference(ours: &Graph, theirs: &Graph) -> String {
    for (a, b) in ours.tensors.iter().zip(&theirs.tensors) {
        if a.name != b.name {
            return format!("it has `{}` in place of `{}`", a.name, b.name);
        }
        if a.shape != b.shape {
            return format!("`{}` has the shape {:?} instead of {:?}", a.name, a.shape, b.shape);
        }
        if (a.scale, a.bounds) != (b.scale, b.bounds) {
            return format!("`{}` has another scale or range", a.name);
        }
        if a.constant != b.constant {
            return format!("`{}`, which is part of the architecture, has other values", a.name);
        }
    }
    let odd = ours.nodes.iter().zip(&theirs.nodes).find(|(a, b)| a != b);
    match odd {
        Some((a, _)) => format!("node `{}` ({}) has other parameters", a.name, a.op.spec().kind()),
        None => format!("it has {} nodes instead of {}", ours.nodes.len(), theirs.nodes.len()),
    }
}
