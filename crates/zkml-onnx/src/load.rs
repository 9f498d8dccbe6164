//! From a file to a typed, simplified tract model and the float network behind it.

use std::collections::BTreeMap;
use std::path::Path;

use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;
use zkml_graph::Visibility;

use crate::error::{Obstacle, Reason, UnsupportedNode};
use crate::guard::quietly;
use crate::kinds::span;
use crate::model::{Model, Proven};
use crate::net::{Net, NetOp, Numbers};
use crate::ops::{Lowering, TractNode, UNKNOWN, finite_mask};
use crate::proto::{Private, check, cut_labels, rewrite};
use crate::support::supported_ops;
use crate::{Error, LoadOptions, Port, forest, log_softmax, own, proto};

/// Most bytes that a model file may have; what fits in a proof is far smaller.
const MAX_BYTES: u64 = 1 << 29;

fn decode(path: &Path) -> Result<pb::ModelProto, Error> {
    let read = |e: std::io::Error| Error::Read { path: path.into(), cause: e };
    let meta = std::fs::metadata(path).map_err(read)?;
    if meta.is_dir() {
        return Err(read(std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder")));
    }
    if meta.len() > MAX_BYTES {
        return Err(Error::TooLarge { path: path.into(), size: meta.len(), limit: MAX_BYTES });
    }
    decode_bytes(path, &std::fs::read(path).map_err(read)?)
}

/// `path` is for messages.
fn decode_bytes(path: &Path, mut bytes: &[u8]) -> Result<pb::ModelProto, Error> {
    let not = |detail: String| Error::NotOnnx { path: path.into(), detail };
    if bytes.is_empty() {
        return Err(not("the file is empty".into()));
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge { path: path.into(), size: bytes.len() as u64, limit: MAX_BYTES });
    }
    let model = quietly(|| tract_onnx::onnx().proto_model_for_read(&mut bytes));
    let model = model.map_err(&not)?.map_err(|e| not(format!("{:#}", e)))?;
    if model.graph.is_none() {
        return Err(not("it holds no graph".into()));
    }
    Ok(model)
}

/// The bytes of a model file with all its weights inside, so that the file can be kept on its own. A file
/// without external weights is returned as it is.
///
/// # Errors
/// The file cannot be read or is no ONNX model, or weights that lie in other files cannot be read.
pub fn self_contained(path: &Path) -> Result<Vec<u8>, Error> {
    use prost::Message;
    let mut file = decode(path)?;
    let external = |g: &pb::GraphProto| g.initializer.iter().any(proto::is_external);
    match &mut file.graph {
        Some(graph) if external(graph) => {
            proto::inline_external(graph, Some(path.parent().unwrap_or(Path::new(""))), MAX_BYTES)?;
            Ok(file.encode_to_vec())
        }
        _ => std::fs::read(path).map_err(|cause| Error::Read { path: path.into(), cause }),
    }
}

impl Model {
    /// Loads an ONNX file. Never panics, whatever the file holds.
    ///
    /// # Errors
    /// A file that cannot be read, that is no ONNX model, or that has an operator, a type or a shape that is not supported; named.
    pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, Error> {
        load(path.as_ref(), options)
    }

    /// Loads the content of an ONNX file, under a name. Never panics, whatever it holds.
    ///
    /// # Errors
    /// As [`Model::load`]; [`Error::ExternalData`] for weights that lie in other files, since there is no folder to look in.
    pub fn from_bytes(name: &str, bytes: &[u8], options: &LoadOptions) -> Result<Self, Error> {
        load_bytes(name, bytes, options)
    }
}

/// Loads, checks, cuts, analyses and lowers.
fn load(path: &Path, options: &LoadOptions) -> Result<Model, Error> {
    options.check()?;
    let name = path.file_stem().map_or_else(|| "model".into(), |s| s.to_string_lossy().into_owned());
    build(&name, decode(path)?, Some(path.parent().unwrap_or(Path::new(""))), options)
}

/// As [`load`], of a file's content; there is no folder beside it.
fn load_bytes(name: &str, bytes: &[u8], options: &LoadOptions) -> Result<Model, Error> {
    options.check()?;
    build(name, decode_bytes(Path::new(name), bytes)?, None, options)
}

/// Everything after decoding; `folder` is where external weights lie, if they may lie anywhere.
pub(crate) fn build(
    name: &str,
    mut file: pb::ModelProto,
    folder: Option<&Path>,
    options: &LoadOptions,
) -> Result<Model, Error> {
    let Some(mut graph) = file.graph.take() else {
        return Err(Error::Malformed { detail: "there is no graph".into() });
    };
    check::check(&file, &graph)?;
    proto::open(&mut graph);
    check::cycles(&graph)?;
    proto::inline_external(&mut graph, folder, MAX_BYTES)?;
    let notices = cut_labels(&mut graph);
    proto::prune(&mut graph);
    let shapes = check::fix_dims(&mut graph, options);
    let operators = count_operators(&graph);
    proto::open_integer_layers(&mut graph);
    proto::join_quantized(&mut graph);
    let mut refused = rewrite(&mut graph);
    // What was rewritten may have brought weights.
    proto::open(&mut graph);
    refused.extend(proto::misread(&graph));
    proto::prune(&mut graph);
    let inference = parse(&file, &graph);
    refused.extend(unknown(&graph, inference.as_ref().ok()));
    if !refused.is_empty() {
        return Err(unsupported(refused));
    }
    shapes?;
    let inference = inference?;
    let private = match options.weights {
        Visibility::Public => None,
        Visibility::Committed => {
            without_trees(&graph)?;
            Some(without_weights(&file, &graph, &inference)?)
        }
    };
    let typed = typed(inference.model)?;
    // Whatever shapes a hostile file talked the analysis into must not bring lowering down either.
    let (net, inputs, outputs) = quietly(|| match &private {
        None => assemble(&typed, &graph, None),
        Some((hidden, values)) => assemble(hidden, &graph, Some(values)).map_err(|e| match e {
            Error::Unsupported { nodes, .. } => not_private(Obstacle::Nodes(nodes)),
            other => other,
        }),
    })
    .map_err(analysis)??;
    let weights = options.weights;
    Model::new(name, Proven { net, inputs, outputs, weights }, typed, notices, operators)
}

fn not_private(obstacle: Obstacle) -> Error {
    Error::NotPrivate { obstacle }
}

/// Refuses tree ensembles: what they compare is part of the verifying key.
fn without_trees(graph: &pb::GraphProto) -> Result<(), Error> {
    match graph.node.iter().find(|n| n.op_type == forest::CORE) {
        None => Ok(()),
        Some(node) => Err(not_private(Obstacle::Trees { node: proto::node_name(node).into() })),
    }
}

/// The model analysed again without its learned numbers, and these.
fn without_weights(
    file: &pb::ModelProto,
    graph: &pb::GraphProto,
    parsed: &tract_onnx::model::ParseResult,
) -> Result<(TypedModel, Private), Error> {
    let mut model = parsed.model.clone();
    quietly(|| model.analyse(true).map(|_| ())).map_err(analysis)?.map_err(analysis)?;
    let rank = |value: &str| {
        let outlet = parsed.outlets_by_name.get(value)?;
        Some(model.outlet_fact(*outlet).ok()?.shape.concretize()?.len())
    };
    let mut bare = graph.clone();
    let values = proto::take_out(&mut bare, &rank).map_err(not_private)?;
    let hidden = parse(file, &bare)
        .and_then(|p| typed(p.model))
        .map_err(|e| not_private(Obstacle::Analysis(Box::new(e))))?;
    Ok((hidden, values))
}

fn count_operators(graph: &pb::GraphProto) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    graph.node.iter().for_each(|n| *counts.entry(n.op_type.clone()).or_insert(0) += 1);
    counts
}

/// All refused nodes in one error.
fn unsupported(nodes: Vec<UnsupportedNode>) -> Error {
    let supported = supported_ops().iter().map(|o| o.onnx_name).collect::<Vec<_>>().join(", ");
    Error::Unsupported { nodes, supported }
}

fn analysis(detail: impl std::fmt::Display) -> Error {
    let text = format!("{detail:#}");
    // The library appends a trace of its own; the first lines say what is wrong.
    let short = text.split("Stack backtrace").next().unwrap_or("").trim();
    Error::Analysis { detail: short.chars().take(600).collect() }
}

fn parse(file: &pb::ModelProto, graph: &pb::GraphProto) -> Result<tract_onnx::model::ParseResult, Error> {
    let whole = pb::ModelProto { graph: Some(graph.clone()), ..file.clone() };
    let mut framework = own::framework();
    forest::register(&mut framework);
    quietly(|| framework.parse(&whole, None)).map_err(analysis)?.map_err(analysis)
}

/// Operators that are not in the table, with the shapes that inference finds for their inputs.
fn unknown(graph: &pb::GraphProto, parsed: Option<&tract_onnx::model::ParseResult>) -> Vec<UnsupportedNode> {
    let known = |n: &str| graph.initializer.iter().find(|t| t.name == n).map(|t| format!("{:?}", t.dims));
    if proto::unsupported::unknown_operators(graph, supported_ops(), &known).is_empty() {
        return Vec::new();
    }
    let analysed = parsed.and_then(|p| {
        let mut model = p.model.clone();
        quietly(|| {
            // As far as it goes: some operator has no rules.
            let _ = model.analyse(true);
            model
        })
        .ok()
    });
    let shape_of = |n: &str| {
        let (model, outlet) = (analysed.as_ref()?, parsed?.outlets_by_name.get(n)?);
        let fact = model.outlet_fact(*outlet).ok()?;
        fact.shape
            .concretize()
            .map(|dims| format!("[{}]", dims.iter().map(|d| d.to_string()).collect::<Vec<_>>().join(", ")))
    };
    proto::unsupported::unknown_operators(graph, supported_ops(), &|n| shape_of(n).or_else(|| known(n)))
}

fn typed(model: InferenceModel) -> Result<TypedModel, Error> {
    let simplified = || -> TractResult<TypedModel> {
        let mut typed = model.into_typed()?.into_decluttered()?;
        log_softmax::join(&mut typed)?;
        Ok(typed)
    };
    quietly(simplified).map_err(analysis)?.map_err(analysis)
}

/// Values of a constant as reals.
fn reals(tensor: &Tensor) -> TractResult<Vec<f64>> {
    let cast = tensor.cast_to_dt(DatumType::F64)?;
    let view = cast.to_plain_array_view::<f64>()?;
    Ok(view.iter().copied().collect())
}

/// What is left of a typed model: the float network, its inputs and its outputs. `private` holds the values of
/// inputs that are weights.
fn assemble(
    typed: &TypedModel,
    graph: &pb::GraphProto,
    private: Option<&Private>,
) -> Result<(Net, Vec<Port>, Vec<Port>), Error> {
    let outlets = typed.outputs.clone();
    let mut lowering = Lowering::new(typed, &outlets);
    let mut refused = Vec::new();
    for id in typed.eval_order().map_err(analysis)? {
        let node = typed.node(id);
        if let Err(reason) = lower(&mut lowering, node, private) {
            refused.push(refusal(&lowering, node, graph, &reason));
            lowering.placeholder(node);
        }
    }
    if !refused.is_empty() {
        return Err(unsupported(refused));
    }
    let mut inputs = Vec::new();
    let name_of = |o: &OutletId| typed.node(o.node).name.as_str();
    for outlet in typed.inputs.iter().filter(|o| private.is_none_or(|p| !p.contains_key(name_of(o)))) {
        let kind = typed.outlet_fact(*outlet).map_err(analysis)?.datum_type;
        let operand = match lowering.outlet(*outlet) {
            Some(operand) => operand.clone(),
            // It is part of the statement all the same.
            None => {
                let shape = lowering.shape(*outlet).map_err(analysis)?;
                lowering.net.push(name_of(outlet), NetOp::Input, &shape)
            }
        };
        note_type(&mut lowering.net, operand.value, kind);
        lowering.net.inputs.push(operand.value);
        inputs.push(Port {
            name: name_of(outlet).to_owned(),
            shape: operand.map.shape,
            kind: format!("{kind:?}").to_lowercase(),
        });
    }
    let mut outputs = Vec::new();
    for (outlet, declared) in outlets.iter().zip(&graph.output) {
        let operand = lowering.outlet(*outlet).cloned().ok_or_else(|| analysis("an output was lost"))?;
        let kind = typed.outlet_fact(*outlet).map_err(analysis)?.datum_type;
        let shape = operand.map.shape.clone();
        outputs.push(Port { name: declared.name.clone(), shape, kind: format!("{kind:?}").to_lowercase() });
        lowering.net.outputs.push((declared.name.clone(), operand));
    }
    let mut net = std::mem::take(&mut lowering.net);
    net.nodes.iter_mut().for_each(|n| n.name = readable(graph, &n.name));
    net.compact_private();
    net.mark_integers();
    net.balance();
    // Settings name inputs as the model does.
    net.inputs.iter().zip(&inputs).for_each(|(i, port)| net.nodes[*i].name.clone_from(&port.name));
    Ok((net, inputs, outputs))
}

/// Notes what the type of an input says of it.
fn note_type(net: &mut Net, value: usize, kind: DatumType) {
    let node = &mut net.nodes[value];
    (node.integer, node.span) = (kind.is_integer() || kind == DatumType::Bool, span(kind));
}

fn lower(l: &mut Lowering<'_>, node: &TractNode, private: Option<&Private>) -> Result<(), Reason> {
    for (slot, output) in node.outputs.iter().enumerate() {
        let outlet = OutletId::new(node.id, slot);
        if let Some(values) = private.and_then(|p| p.get(&node.name)) {
            if values.iter().any(|v| !v.is_finite()) {
                return Err("it is not finite".into());
            }
            let shape = l.shape(outlet)?;
            let operand = l.net.push_const(&node.name, Numbers::private(values.clone(), &node.name), &shape);
            l.set(outlet, operand, false);
        } else if let Some(constant) = &output.fact.konst {
            let values = reals(constant)?.into_iter().map(finite_mask).collect::<Vec<_>>();
            // Single numbers without dimension belong to the architecture; tables that the analysis computed may not.
            let numbers = match private {
                Some(_) if values.len() > 1 => Numbers::private(values, &node.name),
                _ => Numbers::public(values),
            };
            let operand = l.net.push_const(&node.name, numbers, constant.shape());
            l.set(outlet, operand, false);
        } else if node.op_is::<tract_onnx::tract_core::ops::source::TypedSource>() {
            let shape = l.shape(outlet)?;
            let operand = l.net.push(&node.name, NetOp::Input, &shape);
            note_type(&mut l.net, operand.value, output.fact.datum_type);
            l.set(outlet, operand, false);
        } else if slot == 0 {
            l.node(node)?;
        }
    }
    Ok(())
}

/// The ONNX node from which a tract node comes: tract appends parts to the names.
fn origin<'a>(graph: &'a pb::GraphProto, name: &str) -> Option<&'a pb::NodeProto> {
    let from = |n: &&pb::NodeProto| {
        let own = proto::node_name(n);
        let rest = name.strip_prefix(own).filter(|_| !own.is_empty());
        rest.is_some_and(|r| r.is_empty() || r.starts_with(['.', '-']))
    };
    graph.node.iter().filter(from).max_by_key(|n| proto::node_name(n).len())
}

/// Parts that tract adds to the name of a node that it splits, and that say nothing to a reader.
const PARTS: [&str; 6] = [".ab", ".low", ".high", ".einsum", ".sum", ".norm"];

/// Parts that tract adds to names of what it gives other dimensions, and numbers in an order that changes from run to run.
const NUMBERED: [&str; 2] = [".fix-rank", "_add_axis"];

/// The name of a value as the ONNX model has it.
fn readable(graph: &pb::GraphProto, name: &str) -> String {
    let Some(node) = origin(graph, name) else {
        let weights = graph.initializer.iter().map(|w| w.name.as_str()).filter(|w| !w.is_empty());
        let copied = |w: &&str| name.strip_prefix(w).is_some_and(|rest| rest.starts_with(NUMBERED[1]));
        return weights.filter(copied).max_by_key(|w| w.len()).unwrap_or(name).to_owned();
    };
    let own = proto::node_name(node);
    let rest = &name[own.len()..];
    let numbered = NUMBERED.iter().filter_map(|part| rest.find(part)).min();
    let rest = numbered.map_or(rest, |at| &rest[..at]);
    // So it does with parts of a value that it takes before an operator instead of behind it; our own numbers are the same in each run.
    let copy = rest.strip_prefix('.').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let rest = if copy && !own::is_wired(&node.op_type) { "" } else { rest };
    let rest = PARTS.iter().find_map(|p| rest.strip_prefix(p)).unwrap_or(rest);
    format!("{own}{rest}")
}

fn refusal(l: &Lowering<'_>, node: &TractNode, graph: &pb::GraphProto, reason: &Reason) -> UnsupportedNode {
    let onnx = origin(graph, &node.name);
    let notes = onnx.and_then(|n| supported_ops().iter().find(|o| o.onnx_name == n.op_type)).map(|o| o.notes);
    let reason = reason.to_string();
    let reason = match notes {
        Some(notes) if reason == UNKNOWN && !notes.is_empty() => format!("supported is: {notes}"),
        _ => reason,
    };
    let shapes = node.inputs.iter().filter_map(|i| l.shape(*i).ok()).map(|s| format!("{s:?}"));
    UnsupportedNode {
        name: onnx.map_or(node.name.as_str(), proto::node_name).to_owned(),
        op: onnx.map_or_else(|| node.op.name().to_string(), |n| n.op_type.clone()),
        shape: shapes.collect::<Vec<_>>().join(" × "),
        reason,
    }
}
