//! What is known of contractions before any layout: sizes, which operand the model fixes, what is added.

use crate::{Relation, System, View};

/// Sizes of the four groups of dimensions of a contraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dims {
    /// Independent contractions.
    pub batch: usize,
    /// Rows of the result.
    pub m: usize,
    /// Summed dimension.
    pub k: usize,
    /// Columns of the result.
    pub n: usize,
}

impl Dims {
    /// Reads the sizes off the operands' views: `a` is `batch ++ m ++ k`, `b` is `batch ++ k ++ n`.
    pub fn new(a: &View, b: &View, ranks: [usize; 4]) -> Self {
        let [rb, rm, rk, rn] = ranks;
        let size =
            |shape: &[usize], from: usize, len: usize| -> usize { shape[from..from + len].iter().product() };
        Self {
            batch: size(&a.map.shape, 0, rb),
            m: size(&a.map.shape, rb, rm),
            k: size(&a.map.shape, rb + rm, rk),
            n: size(&b.map.shape, rb + rk, rn),
        }
    }
}

/// What does not depend on the layout, for each contraction of a system.
#[derive(Debug, Clone)]
pub struct Outline {
    /// Index of the relation.
    pub relation: usize,
    /// Name of the node.
    pub label: String,
    /// Sizes; rows are positions of the witness operand, columns are results.
    pub dims: Dims,
    /// Whether the roles of the operands, and of `m` and `n`, are exchanged, so that the constant one is the right one.
    pub swapped: bool,
    /// Whether both operands are witnesses.
    pub pairs: bool,
    /// Whether what is added differs between positions.
    pub varying_addend: bool,
    /// Whether anything is added.
    pub has_addend: bool,
    /// Whether what is added is fixed by the model.
    pub constant_addend: bool,
}

/// Outlines all contractions.
pub fn outlines(system: &System) -> Vec<Outline> {
    let mut out = Vec::new();
    for (relation, (label, r)) in system.relations.iter().enumerate() {
        let Relation::Contract { a, b, addend, ranks, .. } = r else { continue };
        let constant = |v: &View| system.vars[v.var.0 as usize].constant.is_some();
        let swapped = constant(a) && !constant(b);
        let d = Dims::new(a, b, *ranks);
        let dims = if swapped { Dims { m: d.n, n: d.m, ..d } } else { d };
        let pairs = !constant(a) && !constant(b);
        let addend_constant = addend.as_ref().and_then(|v| system.vars[v.var.0 as usize].constant.as_ref());
        // Where a witness is added, what may differ is which of its elements is.
        let added: Option<Vec<i64>> = addend.as_ref().map(|v| match addend_constant {
            Some(c) => v.map.gather(c),
            None => v.map.indices().into_iter().map(|i| i.map_or(-1, |i| i as i64)).collect(),
        });
        let varying = added.as_ref().is_some_and(|v| varies(v, d, swapped));
        let constant_addend = addend.is_none() || addend_constant.is_some();
        let has_addend = added.is_some_and(|v| !constant_addend || v.iter().any(|x| *x != 0));
        out.push(Outline {
            relation,
            label: label.clone(),
            dims,
            swapped,
            pairs,
            varying_addend: varying,
            has_addend,
            constant_addend,
        });
    }
    out
}

/// Whether what is added (laid out `batch, m, n` before any swap) depends on the position.
fn varies(values: &[i64], d: Dims, swapped: bool) -> bool {
    let at = |b: usize, i: usize, j: usize| values[(b * d.m + i) * d.n + j];
    (0..d.batch).any(|b| {
        (0..d.m).any(|i| {
            (0..d.n).any(|j| if swapped { at(b, i, j) != at(b, i, 0) } else { at(b, i, j) != at(b, 0, j) })
        })
    })
}

impl Outline {
    /// Whether the same weights serve several positions.
    pub fn has_positions(&self) -> bool {
        self.dims.m > 1
    }
}
