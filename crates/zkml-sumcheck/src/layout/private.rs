//! Private weights: where they lie in `V`, and the relations that confine them.

use halo2curves::bn256::Fr;
use zkml_graph::{Relation, Section, System as Relations, VarId};

use super::digits::{Digits, Plan};
use crate::field::from_i64;

/// A private weight's place in `V`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tensor {
    /// Its variable.
    pub(crate) var: VarId,
    /// Address of its first element.
    pub(crate) base: u64,
    /// How its elements are numbered.
    pub(crate) digits: Digits,
}

impl Tensor {
    /// Address of an element.
    pub(crate) fn address(&self, element: u64) -> u64 {
        self.base + self.digits.address(element)
    }
}

/// The variables that the statement's section of the model commits to.
pub(crate) fn variables(relations: &Relations) -> impl Iterator<Item = VarId> + '_ {
    let parts = relations.relations.iter().filter_map(|(_, r)| match r {
        Relation::Commit { parts, section: Section::Model } => Some(parts),
        _ => None,
    });
    parts.flatten().map(|(v, _)| v.var)
}

/// Returns true for a relation that confines a private weight: it is stated apart, once for each commitment.
pub(crate) fn is_range(relations: &Relations, relation: &Relation) -> bool {
    matches!(relation, Relation::Range { v, .. } if variables(relations).any(|var| var == v.var))
}

/// Places of all private weights, the largest first. They follow from the relations alone, whatever else is laid out.
pub(crate) fn tensors(relations: &Relations, plan: &Plan) -> Vec<Tensor> {
    let mut vars: Vec<VarId> = variables(relations).collect();
    vars.sort_by_key(|v| std::cmp::Reverse(plan.digits[v.0 as usize].total_bits()));
    let mut at = 0u64;
    let place = |var: VarId| {
        let digits = plan.digits[var.0 as usize].clone();
        let base = at.next_multiple_of(1 << digits.total_bits());
        at = base + (1 << digits.total_bits());
        Tensor { var, base, digits }
    };
    vars.into_iter().map(place).collect()
}

/// Length of `V`.
pub(crate) fn cells(tensors: &[Tensor]) -> u64 {
    tensors.iter().map(|t| t.base + (1 << t.digits.total_bits())).max().unwrap_or(0)
}

/// The vector `V` of these values, `length` cells long.
pub(crate) fn vector(tensors: &[Tensor], values: &[Vec<i64>], length: usize) -> Vec<Fr> {
    let mut out = vec![Fr::from(0); length];
    for tensor in tensors {
        for (i, value) in (0u64..).zip(values.get(tensor.var.0 as usize).into_iter().flatten()) {
            out[tensor.address(i) as usize] = from_i64(*value);
        }
    }
    out
}

/// The relations that confine private weights, and the one that commits to them; and of each its number among all. Nothing is
/// fixed there, and no function is looked up.
pub(crate) fn ranges(relations: &Relations) -> (Relations, Vec<usize>) {
    let of_weights = |r: &Relation| {
        is_range(relations, r) || matches!(r, Relation::Commit { section: Section::Model, .. })
    };
    let all = relations.relations.iter().enumerate();
    let (numbers, stated) =
        all.filter(|(_, (_, r))| of_weights(r)).map(|(i, relation)| (i, relation.clone())).unzip();
    let vars = relations.vars.iter().map(|v| zkml_graph::Var { constant: None, ..v.clone() });
    let own = Relations { vars: vars.collect(), relations: stated, ..Relations::default() };
    (own, numbers)
}
