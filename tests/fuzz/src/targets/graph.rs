//! The compiled model and its private weights.

use std::sync::LazyLock;
use zkml_graph::{Bounds, Graph, GraphBuilder, Map, Visibility, ops::Linear};
use zkml_halo2::Optimize;
use zkml_workspace::artifacts::weights as file;

/// Graphs with more elements than this are read, and nothing is computed with them.
const SMALL: usize = 4_000;
/// One graph in so many is planned: the planner draws each in many shapes, and takes far longer than all else.
const PLANNED: u8 = 16;

/// `graph.bin`: read, laid out and run.
pub(crate) fn graph(data: &[u8]) {
    let Ok(graph) = Graph::from_bytes(data) else { return };
    assert_eq!(graph.to_bytes(), data, "one graph, one form");
    let _ = (graph.hash(), graph.parameters(), graph.macs());
    let small = |len: usize| len <= SMALL;
    if !small(graph.tensors.iter().map(|t| t.len().min(1 << 20)).sum()) || graph.macs() > SMALL as u64 {
        return;
    }
    let middle = |id: &zkml_graph::TensorId| {
        let tensor = graph.tensor(*id);
        let value = tensor.bounds.lo.midpoint(tensor.bounds.hi);
        vec![i64::try_from(value).unwrap_or(0); tensor.len()]
    };
    let inputs: Vec<_> = graph.inputs.iter().map(|(id, _)| middle(id)).collect();
    let weights: Vec<_> = graph.weights.iter().map(middle).collect();
    honest(&graph, &inputs, &weights);
    // Chosen by its bytes, so that an input is always treated alike.
    if !graph.hash()[0].is_multiple_of(PLANNED) {
        return;
    }
    let system = graph.system();
    let size = system.vars.iter().map(zkml_graph::Var::len).sum::<usize>();
    if small(size) && small(system.tables.iter().map(zkml_graph::Table::len).sum()) {
        // Refused or planned.
        let _ = zkml_halo2::plan(&system, Optimize::Prover);
    }
}

/// What is written is read back.
pub(crate) fn stored(graph: &Graph) {
    let bytes = graph.to_bytes();
    assert!(Graph::from_bytes(&bytes).expect("its own bytes") == *graph, "another graph was read");
}

/// An honest run keeps every relation.
pub(crate) fn honest(graph: &Graph, inputs: &[Vec<i64>], weights: &[Vec<i64>]) {
    // Values outside a range are refused when they are computed.
    let Ok(trace) = graph.eval_with(inputs, weights) else { return };
    let system = graph.system();
    let values = system.assign(&trace).expect("a run has a value for every variable");
    if let Err(error) = system.check(&values) {
        panic!("an honest run is refused: {error}");
    }
}

/// A graph with two private tensors.
pub(crate) static PRIVATE: LazyLock<Graph> = LazyLock::new(|| {
    let mut b = GraphBuilder::new("private");
    let x = b.input("x", &[2], 0, Bounds::new(-9, 9), Visibility::Public).expect("an input");
    let w = b.weight("w", &[2], 0, 16).expect("a weight");
    let v = b.weight("v", &[2], 0, 4).expect("a weight");
    let terms = vec![(1, Map::identity(&[2])); 3];
    let y = b.node("y", Linear { terms, constant: 0, scale: 0 }, &[x, w, v]).expect("a sum");
    b.output("y", y, Visibility::Public);
    b.finish().expect("a graph")
});

/// `weights.bin` of [`PRIVATE`].
pub(crate) fn weights(data: &[u8]) {
    let Ok(weights) = file::decode(&PRIVATE, data) else { return };
    assert_eq!(file::encode(&PRIVATE, &weights), data, "one set of weights, one form");
}
