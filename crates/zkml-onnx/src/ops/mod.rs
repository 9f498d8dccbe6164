//! One file per family of operators, and one line in the registry below, which makes it a module, too.
//!
//! tract reduces the operators of ONNX to about thirty of its own. A family says which ONNX operators it
//! stands for and lowers the tract nodes that they leave behind. The registry is the only list of what is
//! supported, with that of `proto/rewrite.rs`: refusals, `zkml-chain ops` and the book's table are printed from it.

use std::collections::{HashMap, HashSet};

use tract_onnx::prelude::{OutletId, TypedFact, TypedModel, TypedOp};
use tract_onnx::tract_core::model::Node;
use zkml_graph::Map;

use crate::error::Reason;
use crate::net::{Net, Numbers, Operand};
pub(crate) use crate::operator::{OpSupport, op};

pub(crate) type TractNode = Node<TypedFact, Box<dyn TypedOp>>;

/// What a family makes of a node: nothing when the node is not its own, else an operand or a reason why not.
type Lowered = Option<Result<Operand, Reason>>;

/// Most elements of a value or of a view of it.
const MOST_ELEMENTS: usize = 1 << 26;

/// The reason when no family takes a node.
pub(crate) const UNKNOWN: &str = "no lowering for this operator";

struct Family {
    onnx: &'static [OpSupport],
    lower: fn(&mut Lowering<'_>, &TractNode) -> Lowered,
}

macro_rules! families {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        const FAMILIES: &[Family] = &[$(Family { onnx: $module::ONNX, lower: $module::lower }),*];
    };
}

families![
    gemm, conv, integer, arithmetic, bounds, leaky_relu, inverse, functions, gelu, max_pool, sum_pool,
    reduce, normalise, softmax, argmax, axes, slice, gather, concat, pad, cast, compare, logic, round,
    wiring, along, apart, trees,
];

mod mask;

pub(crate) use mask::finite as finite_mask;

/// Operators that the loader folds or cuts before anything is lowered.
const FOLDED: &[OpSupport] = &[
    op(
        "BatchNormalization",
        "inference mode; folded into the neighbouring weights, else a scale and a shift",
    ),
    op("Constant", ""),
    op("Dropout", "inference mode: dropped"),
    op("ZipMap", "ai.onnx.ml; cut from the end, with a notice"),
    op("ConstantOfShape", "when it folds to a constant"),
    op("EyeLike", "a constant"),
    op("Range", "when it folds to a constant"),
    op("Shape", "when it folds to a constant"),
    op("Size", "when it folds to a constant"),
];

/// Operators that families lower, and those that fold or are cut before.
pub(crate) fn lowered() -> impl Iterator<Item = &'static OpSupport> {
    FAMILIES.iter().flat_map(|f| f.onnx).chain(FOLDED)
}

/// Lowers a tract model node by node.
pub(crate) struct Lowering<'a> {
    model: &'a TypedModel,
    /// The network so far.
    pub(crate) net: Net,
    seen: HashMap<OutletId, (Operand, bool)>,
    outputs: HashSet<OutletId>,
}

impl std::fmt::Debug for Lowering<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lowering").field("net", &self.net).finish_non_exhaustive()
    }
}

impl<'a> Lowering<'a> {
    /// Starts with an empty network.
    pub(crate) fn new(model: &'a TypedModel, outputs: &[OutletId]) -> Self {
        let outputs = outputs.iter().copied().collect();
        Self { model, net: Net::default(), seen: HashMap::new(), outputs }
    }

    /// Lowers one node; the reason when no family can.
    pub(crate) fn node(&mut self, node: &TractNode) -> Result<(), Reason> {
        let count: usize = self.shape(OutletId::new(node.id, 0))?.iter().product();
        if count > MOST_ELEMENTS {
            return Err(format!("a result of {count} elements, more than {MOST_ELEMENTS}").into());
        }
        let before = self.net.nodes.len();
        let result =
            FAMILIES.iter().find_map(|f| (f.lower)(self, node)).unwrap_or_else(|| Err(UNKNOWN.into()))?;
        let made = result.value >= before;
        let inherited =
            node.inputs.iter().any(|i| self.seen.get(i).is_some_and(|(o, x)| o.value == result.value && *x));
        if self.net.nodes[before..].iter().any(|n| !n.op.is_finite()) {
            return Err("one of its constants is not finite".into());
        }
        let shape = self.shape(OutletId::new(node.id, 0))?;
        if result.map.shape != shape {
            return Err(format!("lowered to shape {:?} instead of {shape:?}", result.map.shape).into());
        }
        self.set(OutletId::new(node.id, 0), result, made || inherited);
        Ok(())
    }

    /// Records what an outlet shows; `owned` when nothing but its readers reads the value behind it.
    pub(crate) fn set(&mut self, outlet: OutletId, operand: Operand, owned: bool) {
        let readers = self.model.node(outlet.node).outputs.get(outlet.slot).map_or(0, |o| o.successors.len());
        let single = readers == 1 && !self.outputs.contains(&outlet);
        self.seen.insert(outlet, (operand, owned && single));
    }

    /// Something of the right shape in place of a node that was refused, so that the nodes after it can be
    /// looked at too.
    pub(crate) fn placeholder(&mut self, node: &TractNode) {
        for slot in 0..node.outputs.len() {
            let outlet = OutletId::new(node.id, slot);
            let Ok(shape) = self.shape(outlet) else { continue };
            let operand = self.net.push(&node.name, crate::net::NetOp::Input, &shape);
            self.set(outlet, operand, false);
        }
    }

    /// What an outlet shows.
    pub(crate) fn outlet(&self, outlet: OutletId) -> Option<&Operand> {
        self.seen.get(&outlet).map(|(o, _)| o)
    }

    /// An input of a node.
    fn input(&self, node: &TractNode, slot: usize) -> Result<Operand, Reason> {
        let outlet = node.inputs.get(slot).ok_or_else(|| format!("input {slot} is missing"))?;
        self.outlet(*outlet).cloned().ok_or_else(|| format!("input {slot} was not lowered").into())
    }

    /// Whether this node alone reads the value behind its input, so that it may be changed.
    fn exclusive(&self, node: &TractNode, slot: usize) -> bool {
        node.inputs.get(slot).and_then(|o| self.seen.get(o)).is_some_and(|(_, x)| *x)
    }

    /// Concrete shape of an outlet.
    pub(crate) fn shape(&self, outlet: OutletId) -> Result<Vec<usize>, Reason> {
        let fact = self.model.outlet_fact(outlet)?;
        let dims =
            fact.shape.as_concrete().ok_or_else(|| format!("its shape {:?} is not fixed", fact.shape))?;
        Ok(dims.to_vec())
    }

    /// Shape of a node's result.
    fn output_shape(&self, node: &TractNode) -> Result<Vec<usize>, Reason> {
        self.shape(OutletId::new(node.id, 0))
    }

    /// An input broadcast to the shape of the node's result.
    fn spread(&mut self, node: &TractNode, slot: usize) -> Result<Operand, Reason> {
        let (o, shape) = (self.input(node, slot)?, self.output_shape(node)?);
        if o.map.shape == shape {
            return Ok(o);
        }
        let map = Map::broadcast(&o.map.shape, &shape)
            .ok_or_else(|| format!("{:?} does not broadcast to {shape:?}", o.map.shape))?;
        Ok(self.net.view(&node.name, &o, &map))
    }

    /// Scale and shift of every element, in the input's own node if possible.
    fn affine(
        &mut self,
        node: &TractNode,
        slot: usize,
        scale: Numbers,
        shift: Numbers,
    ) -> Result<Operand, Reason> {
        let whole = self.input(node, slot)?.map.shape == self.output_shape(node)?;
        let exclusive = whole && self.exclusive(node, slot);
        let x = self.spread(node, slot)?;
        Ok(self.net.affine(&node.name, x, exclusive, scale, shift))
    }
}

/// The operator of a node, when it is a `T`.
fn is<T: tract_onnx::prelude::Op>(node: &TractNode) -> Option<&T> {
    node.op_as::<T>()
}

#[cfg(test)]
mod lowering_tests;
#[cfg(test)]
mod random_graphs;
