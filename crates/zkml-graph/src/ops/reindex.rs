//! Wiring: reshape, transpose, slice, concatenate, pad, broadcast. Costs nothing in a proof.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::map::Marks;
use crate::tensor::elements;
use crate::{Bounds, Evaluated, Fact, GraphError, Map, OpSpec, Relation, RelationBuilder, Tensor, View};

/// `y` is assembled from parts: part `i` copies the view `from` of input `i` to the view `to` of the output.
/// Parts cover every output element exactly once. Inputs share one scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reindex {
    /// Shape of the result.
    pub shape: Vec<usize>,
    /// `(from, to)` per input; `to.source` is `shape`.
    pub parts: Vec<(Map, Map)>,
}

impl Reindex {
    /// Refuses parts that leave an output element out or write one twice.
    fn check_cover(&self, node: &str) -> Result<(), GraphError> {
        let Some(len) = elements(&self.shape) else {
            return operand::misfit(node, format!("shape {:?} is out of limits", self.shape));
        };
        let parts = || self.parts.iter().map(|(_, to)| to);
        let valid = |to: &Map| to.source == self.shape && to.is_valid() && to.stays_inside();
        if !parts().all(valid) || parts().map(Map::len).sum::<usize>() != len {
            return operand::misfit(node, format!("its parts do not add up to {:?}", self.shape));
        }
        let mut marks = Marks::new(len);
        let once = parts().flat_map(Map::iter).flatten().all(|i| marks.mark(i));
        if once && marks.is_full() {
            return Ok(());
        }
        operand::misfit(node, "its parts overlap")
    }
}

impl OpSpec for Reindex {
    fn kind(&self) -> &'static str {
        "Reindex"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, self.parts.len())?;
        let mut bounds: Option<Bounds> = None;
        for ((from, to), tensor) in self.parts.iter().zip(inputs) {
            let part = operand::bounds(node, tensor, from)?;
            operand::same_shape(node, &from.shape, &to.shape)?;
            operand::same_scale(node, inputs[0], tensor)?;
            bounds = Some(bounds.map_or(part, |b| b.union(part)));
        }
        self.check_cover(node)?;
        match bounds {
            Some(bounds) => Ok(Fact { shape: self.shape.clone(), scale: inputs[0].scale, bounds }),
            None => operand::misfit(node, "it has no parts"),
        }
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let mut out = vec![0; output.len()];
        for ((from, to), value) in self.parts.iter().zip(values) {
            let pad = from.pad.unwrap_or(0);
            let places = to.iter().flatten().zip(from.iter());
            places.for_each(|(to, from)| out[to] = from.map_or(pad, |i| value[i]));
        }
        Ok(Evaluated { output: out, aux: Vec::new() })
    }

    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View)) {
        for ((from, to), (_, v)) in self.parts.iter().zip(inputs) {
            let (from, to) = (operand::through(v, from), operand::through(&output.1, to));
            b.state(Relation::Copy { from, to });
        }
    }
}
