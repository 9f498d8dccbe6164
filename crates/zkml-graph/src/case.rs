//! What a test case is. Operators make theirs of it, and [`testing`](crate::testing) collects them.

use crate::{Bounds, Graph, GraphBuilder, GraphError, Op, System, TensorId, Trace, Visibility};

/// A graph with inputs and the outputs they must give, found without the operators' own code.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is special about it, starting with the operator.
    pub name: String,
    /// The graph.
    pub graph: Graph,
    /// Integer inputs, row-major.
    pub inputs: Vec<Vec<i64>>,
    /// Private weights, row-major; none when the weights are constants of the graph.
    pub weights: Vec<Vec<i64>>,
    /// Integer outputs, row-major.
    pub expected: Vec<Vec<i64>>,
}

impl Case {
    /// The values of a run.
    ///
    /// # Errors
    /// As [`Graph::eval_with`].
    pub fn trace(&self) -> Result<Trace, GraphError> {
        self.graph.eval_with(&self.inputs, &self.weights)
    }

    /// Every cell that the relations must pin down, as variable and element: results and auxiliary values.
    pub fn cells(&self, system: &System) -> Vec<(usize, usize)> {
        let free =
            |i: usize| system.vars[i].constant.is_none() && !system.inputs.iter().any(|v| v.0 as usize == i);
        let vars = (0..system.vars.len()).filter(|&i| free(i));
        vars.flat_map(|i| (0..system.vars[i].len()).map(move |j| (i, j))).collect()
    }
}

/// An operand of a single-operator case.
#[derive(Debug, Clone)]
pub(crate) struct Operand {
    /// Its shape.
    pub(crate) shape: Vec<usize>,
    /// Its scale.
    pub(crate) scale: i32,
    /// Its bounds; none for a constant.
    pub(crate) bounds: Option<Bounds>,
    /// Its values, row-major.
    pub(crate) values: Vec<i64>,
}

impl Operand {
    /// The operand at another scale than 0.
    pub(crate) fn at_scale(self, scale: i32) -> Self {
        Self { scale, ..self }
    }
}

/// An input within `[lo, hi]`.
pub(crate) fn given(shape: &[usize], (lo, hi): (i128, i128), values: &[i64]) -> Operand {
    Operand { shape: shape.to_vec(), scale: 0, bounds: Some(Bounds::new(lo, hi)), values: values.to_vec() }
}

/// A constant.
pub(crate) fn fixed(shape: &[usize], values: &[i64]) -> Operand {
    Operand { shape: shape.to_vec(), scale: 0, bounds: None, values: values.to_vec() }
}

/// A graph of one operator.
pub(crate) fn single(name: &str, op: impl Into<Op>, operands: &[Operand]) -> (Graph, Vec<Vec<i64>>) {
    let mut b = GraphBuilder::new(name);
    let mut inputs = Vec::new();
    let mut ids: Vec<TensorId> = Vec::new();
    for (i, o) in operands.iter().enumerate() {
        let operand = format!("x{i}");
        ids.push(match o.bounds {
            Some(bounds) => {
                inputs.push(o.values.clone());
                let id = b.input(&operand, &o.shape, o.scale, bounds, Visibility::Committed);
                id.expect("a case has sound inputs")
            }
            None => {
                b.constant(&operand, &o.shape, o.scale, o.values.clone()).expect("a case has sound constants")
            }
        });
    }
    let y = b.node("node", op, &ids).expect("a case fits its operator");
    b.output("y", y, Visibility::Public);
    (b.finish().expect("a case is a sound graph"), inputs)
}

/// A case of one operator.
pub(crate) fn case(name: &str, op: impl Into<Op>, operands: impl AsRef<[Operand]>, expected: &[i64]) -> Case {
    let (graph, inputs) = single(name, op, operands.as_ref());
    Case { name: name.into(), graph, inputs, weights: vec![], expected: vec![expected.to_vec()] }
}
