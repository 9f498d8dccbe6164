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
    /// True if the addend differs between positions.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// True if the addend differs between positions: rows of the witness operand, which are columns where it is the right one.
    fn differs(added: &[i64], [batch, m, n]: [usize; 3], swapped: bool) -> bool {
        let at = |b: usize, i: usize, j: usize| added[(b * m + i) * n + j];
        let rows = || (0..batch).flat_map(|b| (0..m).map(move |i| (b, i)));
        if swapped {
            rows().any(|(b, i)| (1..n).any(|j| at(b, i, j) != at(b, i, j - 1)))
        } else {
            rows().any(|(b, i)| i > 0 && (0..n).any(|j| at(b, i, j) != at(b, i - 1, j)))
        }
    }

    #[test]
    fn outlines_say_what_their_relations_do() {
        let (mut plain, mut added, mut swaps) = (0, 0, 0);
        for case in testing::cases() {
            let system = case.graph.system();
            let found = outlines(&system);
            let is = |(_, (_, r)): &(usize, &(String, Relation))| matches!(r, Relation::Contract { .. });
            let indices: Vec<usize> =
                system.relations.iter().enumerate().filter(is).map(|(i, _)| i).collect();
            assert_eq!(found.iter().map(|o| o.relation).collect::<Vec<_>>(), indices, "{}", case.name);
            for o in found {
                let Relation::Contract { a, b, addend, ranks, .. } = &system.relations[o.relation].1 else {
                    continue;
                };
                let fixed = |v: &View| system.vars[v.var.0 as usize].constant.as_ref();
                let Dims { batch, m, k, n } = Dims::new(a, b, *ranks);
                assert_eq!(o.swapped, fixed(a).is_some() && fixed(b).is_none(), "{}", case.name);
                assert_eq!(o.pairs, fixed(a).is_none() && fixed(b).is_none(), "{}", case.name);
                let (rows, columns) = if o.swapped { (n, m) } else { (m, n) };
                assert_eq!(o.dims, Dims { batch, m: rows, k, n: columns }, "{}", case.name);
                let values = addend.as_ref().and_then(|v| Some(v.map.gather(fixed(v)?)));
                assert_eq!(o.constant_addend, addend.is_none() || values.is_some(), "{}", case.name);
                match (addend, values) {
                    (None, _) => {
                        assert!(!o.has_addend && !o.varying_addend, "{}", case.name);
                        plain += 1;
                    }
                    (Some(_), None) => assert!(o.has_addend, "{}", case.name),
                    (Some(_), Some(values)) => {
                        assert_eq!(o.has_addend, values.iter().any(|v| *v != 0), "{}", case.name);
                        assert_eq!(
                            o.varying_addend,
                            differs(&values, [batch, m, n], o.swapped),
                            "{}",
                            case.name
                        );
                        added += 1;
                    }
                }
                swaps += usize::from(o.swapped);
            }
        }
        assert!(plain > 3 && added > 2 && swaps > 0, "{plain} plain, {added} with bias, {swaps} swapped");
        // None of the cases adds what differs from row to row: here is one.
        let added = [1, 2, 1, 2, 1, 3];
        let dims = Dims { batch: 1, m: 3, k: 1, n: 2 };
        assert_eq!([varies(&added, dims, false), differs(&added, [1, 3, 2], false)], [true, true]);
        assert_eq!(
            [varies(&[1, 2, 1, 2, 1, 2], dims, false), varies(&[1, 1, 2, 2, 3, 3], dims, true)],
            [false; 2]
        );
        assert!(varies(&[1, 1, 2, 2, 3, 4], dims, true));
        let dims = Dims { batch: 2, ..dims };
        assert!(varies(&[[7; 6], [7, 7, 7, 7, 7, 8]].concat(), dims, false), "in the second of two");
    }
}
