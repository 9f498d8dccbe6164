//! CDist of com.microsoft.

use tract_onnx::pb;

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{int_attribute, node_name, standard, text_attribute};

/// The operator.
pub(super) const ONNX: OpSupport = op(
    "CDist",
    "com.microsoft; euclidean and sqeuclidean; in front of TopK the roots are those of its results",
);

/// Distances of each row of one matrix to each row of another: sums of squared differences, and their roots.
///
/// Roots keep the order, but rounded ones make near distances equal. So where only TopK reads distances, it gets the squares, and the roots
/// are taken of the few that it puts out.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let (a, y) = (ctx.input()?.to_owned(), ctx.output(0)?.to_owned());
    let b = ctx.node.input.get(1).cloned().ok_or("the second matrix is missing")?;
    let root = match text_attribute(ctx.node, "metric", "sqeuclidean").as_str() {
        "sqeuclidean" => false,
        "euclidean" => true,
        other => return Err(format!("the metric {other}; euclidean and sqeuclidean are supported")),
    };
    let name = node_name(ctx.node).to_owned();
    let part = |p: &str| format!("{name}.{p}");
    let (column, away, squares) = (part("rows"), part("away"), part("squares"));
    let axis = ctx.indices("axis", &[1]);
    let last = ctx.indices("last", &[2]);
    let mut sum = standard("ReduceSum", &name, &[&squares, &last], &y);
    sum.attribute.push(int_attribute("keepdims", 0));
    let mut nodes = vec![
        standard("Unsqueeze", &column, &[&a, &axis], &column),
        standard("Sub", &away, &[&column, &b], &away),
        standard("Mul", &squares, &[&away, &away], &squares),
    ];
    if root && !ctx.graph.node.iter().any(|n| is_top(ctx.graph, n, &y)) {
        sum.output = vec![part("sum")];
        nodes.extend([sum, standard("Sqrt", &part("root"), &[&part("sum")], &y)]);
    } else {
        nodes.push(sum);
    }
    Ok(nodes)
}

/// Returns true if a node is a TopK of distances that nothing else reads.
fn is_top(graph: &pb::GraphProto, node: &pb::NodeProto, distances: &str) -> bool {
    let reads = |n: &&pb::NodeProto| n.input.iter().any(|i| i == distances);
    let others =
        graph.node.iter().filter(reads).count() + graph.output.iter().filter(|o| o.name == distances).count();
    node.op_type == "TopK" && reads(&node) && others == 1
}

/// The root of what a TopK puts out, when it chooses among euclidean distances.
pub(super) fn roots(graph: &pb::GraphProto, node: &pb::NodeProto) -> Option<Vec<pb::NodeProto>> {
    let distances = node.input.first()?;
    let maker = graph.node.iter().find(|n| n.output.first() == Some(distances))?;
    let euclidean = maker.op_type == "CDist" && text_attribute(maker, "metric", "sqeuclidean") == "euclidean";
    let values = node.output.first().filter(|v| !v.is_empty())?;
    if !euclidean || !is_top(graph, node, distances) {
        return None;
    }
    let squares = format!("{}.squares", node_name(node));
    let mut top = node.clone();
    top.output[0].clone_from(&squares);
    Some(vec![top, standard("Sqrt", &format!("{}.root", node_name(node)), &[&squares], values)])
}

impl Rewriter<'_> {
    /// Adds a constant of indices named after the node.
    pub(super) fn indices(&mut self, part: &str, values: &[i64]) -> String {
        let name = format!("{}.{part}", node_name(self.node));
        self.weights.push(pb::TensorProto {
            name: name.clone(),
            dims: vec![values.len() as i64],
            data_type: pb::tensor_proto::DataType::Int64 as i32,
            int64_data: values.to_vec(),
            ..Default::default()
        });
        name
    }
}
