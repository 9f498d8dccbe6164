//! Target of an attack: a graph, its relations, and an honest run.

use halo2_proofs::halo2curves::bn256::Fr;
use rand::Rng;
use zkml_graph::{Graph, GraphError, System, TensorId, Trace};
use zkml_halo2::polynomial::field;

use crate::Assignment;

/// A graph with an honest run of it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Name for reports.
    pub name: String,
    /// The model.
    pub graph: Graph,
    /// Its relations.
    pub system: System,
    /// Values of an honest run.
    pub trace: Trace,
    /// The same values by variable of the system.
    pub honest: Assignment,
}

impl Target {
    /// Runs a graph on the given inputs and private weights.
    ///
    /// # Errors
    /// The graph's own, for values that it does not take.
    pub fn new(
        name: &str,
        graph: Graph,
        inputs: &[Vec<i64>],
        weights: &[Vec<i64>],
    ) -> Result<Self, GraphError> {
        let trace = graph.eval_with(inputs, weights)?;
        let system = graph.system();
        let values = system
            .assign(&trace)
            .ok_or_else(|| GraphError::Decode(format!("the trace of `{name}` does not fit its system")))?;
        system.check(&values)?;
        let honest = elements(&values);
        Ok(Self { name: name.into(), graph, system, trace, honest })
    }
}

/// Way to choose the values of a tensor within its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The value nearest to zero.
    Zero,
    /// The lowest everywhere.
    Lowest,
    /// The highest everywhere.
    Highest,
    /// The lowest and the highest in turn.
    Alternating,
    /// Any.
    Random,
}

impl Choice {
    /// All ways.
    pub const ALL: [Self; 5] = [Self::Zero, Self::Lowest, Self::Highest, Self::Alternating, Self::Random];
}

impl Target {
    /// The same graph with another honest run: inputs and private weights are chosen again.
    ///
    /// # Errors
    /// The tensor without bounds, or the graph's own error, printed.
    pub fn another_run(&self, choice: Choice, rng: &mut impl Rng) -> Result<Self, String> {
        let mut chosen = |t: TensorId| -> Result<Vec<i64>, String> {
            let tensor = self.graph.tensor(t);
            let ends = [tensor.bounds.lo, tensor.bounds.hi].map(i64::try_from);
            let [Ok(lo), Ok(hi)] = ends else { return Err(format!("`{}` has no bounds", tensor.name)) };
            let value = |i: usize| match choice {
                Choice::Zero => 0.clamp(lo, hi),
                Choice::Lowest => lo,
                Choice::Highest => hi,
                Choice::Alternating => [lo, hi][i % 2],
                Choice::Random => rng.gen_range(lo..=hi),
            };
            Ok((0..tensor.len()).map(value).collect())
        };
        let graph = &self.graph;
        let inputs = graph.inputs.iter().map(|(t, _)| chosen(*t)).collect::<Result<Vec<_>, _>>()?;
        let weights = graph.weights.iter().map(|t| chosen(*t)).collect::<Result<Vec<_>, _>>()?;
        Self::new(&self.name, graph.clone(), &inputs, &weights).map_err(|e| e.to_string())
    }
}

/// Integers as field elements.
pub fn elements(values: &[Vec<i64>]) -> Assignment {
    values.iter().map(|v| v.iter().map(|x| field(i128::from(*x))).collect()).collect()
}

/// The integer of smallest magnitude that a field element stands for, if it fits 64 bits.
pub fn integer(value: Fr) -> Option<i64> {
    let small = |v: Fr| {
        let bytes: [u8; 32] = v.to_bytes();
        let (low, high) = bytes.split_at(8);
        let low = low.try_into().map(u64::from_le_bytes).ok()?;
        high.iter().all(|b| *b == 0).then(|| i64::try_from(low).ok())?
    };
    small(value).or_else(|| small(-value).map(|v| -v))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_elements_come_back_as_integers() {
        for v in [0, 1, -1, i64::MAX, -i64::MAX] {
            assert_eq!(integer(field(v.into())), Some(v));
        }
        assert_eq!(integer(field(i128::from(i64::MAX) + 1)), None);
        assert_eq!(integer(field(1) * zkml_halo2::polynomial::pow2(200)), None);
    }
}
