//! Checks on the decoded file. Whatever they accept has names that resolve, no cycle, finite weights of
//! the size that they claim, and fixed input shapes.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value as Type;

use super::{bodies, node_name, own_inputs};
use crate::{Error, LoadOptions};

/// Most elements that one tensor may have.
const MAX_ELEMENTS: i64 = 1 << 28;
/// Most nodes that a graph may have.
const MAX_NODES: usize = 100_000;
/// Most graphs within each other, as bodies of nodes.
const MAX_DEPTH: usize = 8;
/// Newest operator set that exists or will soon.
const NEWEST_OPSET: i64 = 27;

fn malformed<T>(detail: impl Into<String>) -> Result<T, Error> {
    Err(Error::Malformed { detail: detail.into() })
}

/// Everything that can be checked without knowing the operators.
pub(crate) fn check(model: &pb::ModelProto, graph: &pb::GraphProto) -> Result<(), Error> {
    let standard = |o: &&pb::OperatorSetIdProto| o.domain.is_empty() || o.domain == "ai.onnx";
    if let Some(set) = model.opset_import.iter().filter(standard).find(|o| o.version > NEWEST_OPSET) {
        return malformed(format!(
            "operator set {} does not exist, {NEWEST_OPSET} is the newest known",
            set.version
        ));
    }
    if graph.output.is_empty() {
        return malformed("the graph has no output");
    }
    let count = nodes(graph, 0)?;
    if count > MAX_NODES {
        return malformed(format!("{count} nodes, more than {MAX_NODES}"));
    }
    names(graph, &HashSet::new())?;
    contents(graph)
}

/// Number of nodes, with those of bodies.
fn nodes(graph: &pb::GraphProto, depth: usize) -> Result<usize, Error> {
    if depth > MAX_DEPTH {
        return malformed(format!("graphs within graphs, more than {MAX_DEPTH} deep"));
    }
    let inner = graph.node.iter().flat_map(bodies).map(|body| nodes(body, depth + 1));
    inner.sum::<Result<usize, Error>>().map(|inner| inner.saturating_add(graph.node.len()))
}

/// Tensors and sizes that the graph itself holds, and its bodies.
fn contents(graph: &pb::GraphProto) -> Result<(), Error> {
    if !graph.sparse_initializer.is_empty() {
        return malformed("sparse weights are not supported");
    }
    let masks = masks(graph);
    graph.initializer.iter().try_for_each(|t| tensor_of(t, masks.contains(t.name.as_str())))?;
    for node in &graph.node {
        let mask = node.output.first().is_some_and(|o| masks.contains(o.as_str()));
        // What is no number ends a set of members of tree ensembles.
        let constants = node.attribute.iter().filter(|a| a.name != "membership_values");
        constants.filter_map(|a| a.t.as_ref()).try_for_each(|t| tensor_of(t, mask))?;
    }
    graph.node.iter().try_for_each(|n| made_sizes(graph, n))?;
    graph.node.iter().flat_map(bodies).try_for_each(contents)
}

/// Values that nothing but choices read: minus infinity in them is a mask.
fn masks(graph: &pb::GraphProto) -> HashSet<&str> {
    let choices = |n: &&pb::NodeProto| n.op_type == "Where";
    let read = |of: &dyn Fn(&&pb::NodeProto) -> bool| -> HashSet<&str> {
        graph.node.iter().filter(of).flat_map(|n| n.input.iter().map(String::as_str)).collect()
    };
    let (chosen, others) = (read(&choices), read(&|n| !choices(n)));
    chosen.difference(&others).copied().collect()
}

/// Operators that make tensors of a size that their constant input or attribute says: a few bytes could ask
/// for more memory than there is.
fn made_sizes(graph: &pb::GraphProto, node: &pb::NodeProto) -> Result<(), Error> {
    let name = node_name(node);
    let sizes = node.attribute.iter().filter(|a| a.name != "axes").flat_map(|a| a.ints.iter().chain([&a.i]));
    if let Some(v) = sizes
        .copied()
        .find(|v| v.unsigned_abs() > MAX_ELEMENTS as u64 && *v < i64::MAX / 2 && *v > i64::MIN / 2)
    {
        return malformed(format!("node `{name}` has the attribute value {v}"));
    }
    let slot = match node.op_type.as_str() {
        "ConstantOfShape" => 0,
        "Expand" | "Tile" | "Pad" | "Reshape" | "Upsample" => 1,
        _ => return Ok(()),
    };
    let Some(values) = node.input.get(slot).and_then(|i| constant_ints(graph, i)) else { return Ok(()) };
    let product = values.iter().try_fold(1i64, |a, v| a.checked_mul(v.saturating_abs().max(1)));
    match product {
        Some(p) if p <= MAX_ELEMENTS => Ok(()),
        _ => malformed(format!("node `{name}` ({}) asks for a tensor of size {values:?}", node.op_type)),
    }
}

/// The integers of an initializer or of a Constant node.
fn constant_ints(graph: &pb::GraphProto, name: &str) -> Option<Vec<i64>> {
    let weight = graph.initializer.iter().find(|t| t.name == name);
    let made = || {
        let node =
            graph.node.iter().find(|n| n.op_type == "Constant" && n.output.iter().any(|o| o == name))?;
        node.attribute.iter().find_map(|a| a.t.as_ref())
    };
    let t = weight.or_else(made)?;
    if t.data_type != DataType::Int64 as i32 {
        return None;
    }
    let word = |b: &[u8]| i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
    let raw = t.raw_data.chunks_exact(8).map(word);
    Some(t.int64_data.iter().copied().chain(raw).collect())
}

/// Every value is made once, and every value that is read is made; bodies read what is around them, too, and make nothing that is
/// there already.
fn names<'a>(graph: &'a pb::GraphProto, outer: &HashSet<&'a str>) -> Result<(), Error> {
    let mut known: HashSet<&str> = outer.clone();
    known.extend(graph.initializer.iter().map(|t| t.name.as_str()));
    known.extend(graph.input.iter().map(|i| i.name.as_str()));
    for node in &graph.node {
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            if !known.insert(output) {
                return malformed(format!(
                    "node `{}` makes `{output}`, which exists already",
                    node_name(node)
                ));
            }
        }
    }
    for node in &graph.node {
        if let Some(missing) = node.input.iter().find(|i| !i.is_empty() && !known.contains(i.as_str())) {
            return Err(Error::MissingTensor { node: node_name(node).into(), tensor: missing.clone() });
        }
        // The first Scan had an input more, and is refused by its operator set.
        let (given, due) = (node.input.len(), own_inputs(node) + usize::from(node.op_type == "Scan"));
        if given > due {
            let name = node_name(node);
            return malformed(format!("node `{name}` has {given} inputs, and its body takes {due}"));
        }
        bodies(node).try_for_each(|body| names(body, &known))?;
    }
    match graph.output.iter().find(|o| !known.contains(o.name.as_str())) {
        Some(o) => malformed(format!("output `{}` is computed by no node", o.name)),
        None => Ok(()),
    }
}

/// Refuses cycles: removes nodes whose inputs are ready until none is left.
pub(crate) fn cycles(graph: &pb::GraphProto) -> Result<(), Error> {
    let made: HashMap<&str, usize> = super::producers(graph);
    let mut waiting: Vec<usize> = Vec::with_capacity(graph.node.len());
    let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (i, node) in graph.node.iter().enumerate() {
        let sources: Vec<usize> = node.input.iter().filter_map(|n| made.get(n.as_str()).copied()).collect();
        waiting.push(sources.len());
        sources.into_iter().for_each(|s| readers.entry(s).or_default().push(i));
    }
    let mut ready: Vec<usize> = (0..waiting.len()).filter(|&i| waiting[i] == 0).collect();
    let mut done = 0;
    while let Some(i) = ready.pop() {
        done += 1;
        for &r in readers.get(&i).into_iter().flatten() {
            waiting[r] -= 1;
            if waiting[r] == 0 {
                ready.push(r);
            }
        }
    }
    graph.node.iter().flat_map(bodies).try_for_each(cycles)?;
    match waiting.iter().position(|&w| w > 0) {
        Some(i) if done < waiting.len() => Err(Error::Cycle { node: node_name(&graph.node[i]).into() }),
        _ => Ok(()),
    }
}

/// Number of elements that a shape claims, when it is a sane one.
pub(crate) fn elements(name: &str, dims: &[i64]) -> Result<usize, Error> {
    let mut count = 1i64;
    for &d in dims {
        count = match count.checked_mul(d) {
            Some(c) if d >= 0 && c <= MAX_ELEMENTS => c,
            _ => return malformed(format!("tensor `{name}` has the shape {dims:?}")),
        };
    }
    Ok(count as usize)
}

fn width(kind: DataType) -> Option<usize> {
    Some(match kind {
        DataType::Bool | DataType::Uint8 | DataType::Int8 => 1,
        DataType::Uint16 | DataType::Int16 | DataType::Float16 | DataType::Bfloat16 => 2,
        DataType::Float | DataType::Int32 | DataType::Uint32 => 4,
        DataType::Double | DataType::Int64 | DataType::Uint64 => 8,
        _ => return None,
    })
}

/// The size fits the shape, and float elements are finite.
pub(crate) fn tensor(t: &pb::TensorProto) -> Result<(), Error> {
    tensor_of(t, false)
}

/// The size fits the shape, and float elements are finite; in a mask they may be minus infinity.
fn tensor_of(t: &pb::TensorProto, mask: bool) -> Result<(), Error> {
    let count = elements(&t.name, &t.dims)?;
    let Ok(kind) = DataType::try_from(t.data_type) else {
        return malformed(format!("tensor `{}` has the unknown type {}", t.name, t.data_type));
    };
    if super::external::is_external(t) {
        return Ok(());
    }
    let given = if t.raw_data.is_empty() {
        let typed = [t.float_data.len(), t.int32_data.len(), t.int64_data.len(), t.double_data.len()];
        typed.into_iter().chain([t.uint64_data.len(), t.string_data.len()]).sum()
    } else {
        let Some(width) = width(kind) else {
            return malformed(format!("tensor `{}` of type {kind:?} has raw data", t.name));
        };
        if !t.raw_data.len().is_multiple_of(width) {
            return malformed(format!(
                "tensor `{}` has {} bytes of {width}-byte elements",
                t.name,
                t.raw_data.len()
            ));
        }
        t.raw_data.len() / width
    };
    if given != count {
        let shape = &t.dims;
        return malformed(format!(
            "tensor `{}` of shape {shape:?} has {given} elements instead of {count}",
            t.name
        ));
    }
    finite(t, kind, mask)
}

fn finite(t: &pb::TensorProto, kind: DataType, mask: bool) -> Result<(), Error> {
    let broken = |v: &(usize, f64)| !(v.1.is_finite() || mask && v.1 == f64::NEG_INFINITY);
    let f32s = t.raw_data.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
    let f64s = t
        .raw_data
        .chunks_exact(8)
        .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]));
    let bad = match kind {
        DataType::Float => f32s.chain(t.float_data.iter().map(|v| f64::from(*v))).enumerate().find(broken),
        DataType::Double => f64s.chain(t.double_data.iter().copied()).enumerate().find(broken),
        _ => None,
    };
    bad.map_or(Ok(()), |(index, v)| {
        Err(Error::NotFinite { tensor: t.name.clone(), index, value: v.to_string() })
    })
}

/// Sets dimensions of inputs that are left open: those with a name to what is said of it, other first ones to the size of the batch.
/// What remains open is refused, and so is a name that no dimension has.
pub(crate) fn fix_dims(graph: &mut pb::GraphProto, options: &LoadOptions) -> Result<(), Error> {
    let mut known: Vec<String> = Vec::new();
    let fixed = fix_inputs(graph, options, &mut known);
    known.sort_unstable();
    known.dedup();
    match options.dims.iter().find(|(name, _)| !known.iter().any(|k| k == name)) {
        Some((dim, _)) => Err(Error::UnknownDimension { dim: dim.into(), known }),
        None => fixed,
    }
}

/// `known` takes the names of all open dimensions.
fn fix_inputs(
    graph: &mut pb::GraphProto,
    options: &LoadOptions,
    known: &mut Vec<String>,
) -> Result<(), Error> {
    // Shapes noted for inner values would still carry the symbol.
    graph.value_info.clear();
    let weights: HashSet<String> = graph.initializer.iter().map(|t| t.name.clone()).collect();
    let shapes = graph.input.iter().filter(|i| !weights.contains(&i.name)).filter_map(|i| i.r#type.as_ref());
    let tensors = shapes.filter_map(|t| t.value.as_ref()).map(|Type::TensorType(t)| t);
    let dims = tensors.filter_map(|t| t.shape.as_ref()).flat_map(|s| &s.dim);
    known.extend(dims.filter_map(|d| match &d.value {
        Some(Dim::DimParam(name)) => Some(name.clone()),
        _ => None,
    }));
    for input in graph.input.iter_mut().filter(|i| !weights.contains(&i.name)) {
        let name = input.name.clone();
        let Some(Type::TensorType(t)) = input.r#type.as_mut().and_then(|t| t.value.as_mut()) else {
            return Err(Error::InputType { input: name, kind: "no tensor".into() });
        };
        let kind = DataType::try_from(t.elem_type).unwrap_or(DataType::Undefined);
        if width(kind).is_none() {
            return Err(Error::InputType { input: name, kind: format!("{kind:?}").to_lowercase() });
        }
        let Some(shape) = t.shape.as_mut() else {
            return Err(Error::OpenDimension { input: name, axis: 0, dim: "the whole shape".into() });
        };
        for (axis, dim) in shape.dim.iter_mut().enumerate() {
            let open = match &dim.value {
                Some(Dim::DimValue(v)) if *v > 0 => None,
                Some(Dim::DimParam(p)) => Some(p.clone()),
                _ => Some("?".into()),
            };
            match open {
                None => {}
                Some(name) if options.dims.get(&name).is_some() => {
                    dim.value = options.dims.get(&name).map(|size| Dim::DimValue(size as i64));
                }
                Some(_) if axis == 0 => dim.value = Some(Dim::DimValue(options.batch as i64)),
                Some(dim) => return Err(Error::OpenDimension { input: name, axis, dim }),
            }
        }
        let dims: Vec<i64> =
            shape.dim.iter().map(|d| if let Some(Dim::DimValue(v)) = d.value { v } else { -1 }).collect();
        elements(&name, &dims)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::standard;
    use super::*;

    fn shape(values: &[i64]) -> pb::TensorProto {
        pb::TensorProto {
            name: "shape".into(),
            dims: vec![values.len() as i64],
            data_type: DataType::Int64 as i32,
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ..Default::default()
        }
    }

    fn checked(node: pb::NodeProto, values: &[i64]) -> Result<(), Error> {
        let value = |n: &str| pb::ValueInfoProto { name: n.into(), ..Default::default() };
        let graph = pb::GraphProto {
            node: vec![node],
            initializer: vec![shape(values)],
            input: vec![value("x")],
            output: vec![value("y")],
            ..Default::default()
        };
        check(&pb::ModelProto::default(), &graph)
    }

    /// A graph whose only node has another graph as its body, and so on.
    fn nested(depth: usize) -> pb::GraphProto {
        let value = |n: &str| pb::ValueInfoProto { name: n.into(), ..Default::default() };
        let output = format!("y{depth}");
        let mut node = standard(if depth == 0 { "Neg" } else { "If" }, "n", &["x"], &output);
        if depth > 0 {
            let body = pb::GraphProto { input: Vec::new(), ..nested(depth - 1) };
            let (name, g) = ("then_branch".into(), Some(body));
            node.attribute.push(pb::AttributeProto { name, g, ..Default::default() });
        }
        pb::GraphProto {
            node: vec![node],
            input: vec![value("x")],
            output: vec![value(&output)],
            ..Default::default()
        }
    }

    fn refusal(graph: &pb::GraphProto) -> String {
        check(&pb::ModelProto::default(), graph).expect_err("refused").to_string()
    }

    #[test]
    fn bodies_are_checked_as_graphs_are() {
        let sound = nested(MAX_DEPTH);
        check(&pb::ModelProto::default(), &sound).expect("as deep as may be");
        assert!(refusal(&nested(MAX_DEPTH + 1)).contains("deep"));
        let body = |g: &mut pb::GraphProto, change: &dyn Fn(&mut pb::GraphProto)| {
            change(g.node[0].attribute[0].g.as_mut().expect("a body"));
        };
        let mut unknown = nested(1);
        body(&mut unknown, &|b| b.node[0].input[0] = "nobody".into());
        assert!(refusal(&unknown).contains("`nobody`"));
        let mut again = nested(1);
        body(&mut again, &|b| b.node[0].output[0] = "x".into());
        assert!(refusal(&again).contains("exists already"));
        let mut huge = nested(1);
        body(&mut huge, &|b| b.initializer.push(pb::TensorProto { dims: vec![1 << 40], ..shape(&[]) }));
        assert!(refusal(&huge).contains("has the shape"));
        let mut many = nested(1);
        many.node[0].input.push("x".into());
        assert!(refusal(&many).contains("has 2 inputs, and its body takes 1"));
        let mut cyclic = nested(1);
        body(&mut cyclic, &|b| {
            b.node.push(standard("Neg", "m", &["y0"], "z"));
            b.node[0].input[0] = "z".into();
        });
        check(&pb::ModelProto::default(), &cyclic).expect("names are all right");
        assert!(matches!(cycles(&cyclic), Err(Error::Cycle { .. })));
    }

    #[test]
    fn few_bytes_cannot_ask_for_much_memory() {
        let made = || standard("ConstantOfShape", "big", &["shape"], "y");
        assert!(checked(made(), &[4, 4]).is_ok());
        assert!(matches!(checked(made(), &[1 << 20, 1 << 20]), Err(Error::Malformed { .. })));
        let grown = standard("Expand", "big", &["x", "shape"], "y");
        assert!(matches!(checked(grown, &[1 << 40]), Err(Error::Malformed { .. })));
        let mut conv = standard("MaxPool", "big", &["x"], "y");
        conv.attribute.push(pb::AttributeProto {
            name: "pads".into(),
            ints: vec![1 << 40],
            ..Default::default()
        });
        assert!(matches!(checked(conv, &[1]), Err(Error::Malformed { .. })));
    }
}
