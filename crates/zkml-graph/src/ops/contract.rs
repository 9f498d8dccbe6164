//! Sum of products over shared dimensions: MatMul, Gemm, Conv, pooling averages, attention.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::{Bounds, Evaluated, Fact, GraphError, Map, OpSpec, Relation, RelationBuilder, Tensor, View};

/// `y[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n] + addend[batch, m, n]`.
///
/// Inputs: `a`, `b` and, when `addend` is given, a third tensor at the scale of the products.
/// The result has shape `output` (a reshaping of `batch ++ m ++ n`) and the sum of the operands' scales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// View of the first input, of shape `batch ++ m ++ k`.
    pub a: Map,
    /// View of the second input, of shape `batch ++ k ++ n`.
    pub b: Map,
    /// View of the third input, of shape `batch ++ m ++ n`.
    pub addend: Option<Map>,
    /// Number of dimensions of `batch`, `m`, `k`, `n`.
    pub ranks: [usize; 4],
    /// How the result is laid out: a view of the output tensor (its `source`), of shape `batch ++ m ++ n`,
    /// that shows every element exactly once.
    pub y: Map,
}

/// Sizes of the four groups of dimensions.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    batch: usize,
    m: usize,
    k: usize,
    n: usize,
}

impl Contract {
    /// Number of multiplications.
    pub fn macs(&self) -> u64 {
        let Sizes { batch, m, k, n } = self.sizes();
        [batch, m, k, n].iter().map(|&d| d as u64).product()
    }

    fn sizes(&self) -> Sizes {
        let [batch, m, k, _] = self.ranks;
        let product = |dims: &[usize]| dims.iter().product();
        Sizes {
            batch: product(&self.a.shape[..batch]),
            m: product(&self.a.shape[batch..batch + m]),
            k: product(&self.a.shape[batch + m..]),
            n: product(&self.b.shape[batch + k..]),
        }
    }

    /// Refuses views whose dimensions do not group as `ranks` says.
    fn check_shapes(&self, node: &str) -> Result<(), GraphError> {
        let [batch, m, k, n] = self.ranks;
        let (a, b, y) = (&self.a.shape, &self.b.shape, &self.y.shape);
        let rank = |parts: [usize; 3]| parts.iter().try_fold(0usize, |s, &r| s.checked_add(r));
        let wanted = [rank([batch, m, k]), rank([batch, k, n]), rank([batch, m, n])];
        let agree = wanted == [a, b, y].map(|s| Some(s.len()))
            && a[..batch] == b[..batch]
            && a[batch + m..] == b[batch..batch + k]
            && y[..batch + m] == a[..batch + m]
            && y[batch + m..] == b[batch + k..];
        if !agree {
            let ranks = self.ranks;
            return operand::misfit(
                node,
                format!("{a:?} times {b:?} is not {y:?} with dimensions {ranks:?}"),
            );
        }
        if !(self.y.is_valid() && self.y.is_bijective()) {
            return operand::misfit(node, "the result's layout does not show every element exactly once");
        }
        Ok(())
    }

    /// Exact interval of every sum, for one operand whose elements are anywhere in `free` and one that is
    /// `fixed`: `weights[i]` lists, for the rows (or columns) of the fixed operand, its positive and negative
    /// weight. Adds `addend` and returns the union.
    fn fixed_bounds(
        &self,
        free: Bounds,
        weights: &[(i128, i128)],
        fixed_is_b: bool,
        addend: &[i64],
    ) -> Bounds {
        let Sizes { batch, m, n, .. } = self.sizes();
        let interval = |(pos, neg): (i128, i128)| free.scale(pos).add(free.scale(-neg));
        let sums: Vec<Bounds> = weights.iter().map(|&w| interval(w)).collect();
        if addend.is_empty() {
            return sums.iter().copied().reduce(Bounds::union).unwrap_or(Bounds::point(0));
        }
        let at = |i: usize| if fixed_is_b { i / (m * n) * n + i % n } else { i / n };
        let total = |i: usize| sums[at(i)].add(Bounds::point(addend[i].into()));
        (0..batch * m * n).map(total).reduce(Bounds::union).unwrap_or(Bounds::point(0))
    }

    /// Positive and negative weight of every sum over `k`: one entry per `batch, n` of `b`, or per
    /// `batch, m` of `a`.
    fn weights(&self, map: &Map, values: &[i64], of_b: bool) -> Vec<(i128, i128)> {
        let Sizes { batch, m, k, n } = self.sizes();
        let mut out = vec![(0i128, 0i128); batch * if of_b { n } else { m }];
        let pad = map.pad.unwrap_or(0);
        for (i, source) in map.iter().enumerate() {
            let w = i128::from(source.map_or(pad, |s| values[s]));
            let entry = &mut out[if of_b { i / (k * n) * n + i % n } else { i / k }];
            entry.0 += w.max(0);
            entry.1 += (-w).max(0);
        }
        out
    }

    /// Bounds of the result.
    fn bounds(&self, node: &str, inputs: &[&Tensor]) -> Result<Bounds, GraphError> {
        let a = operand::bounds(node, inputs[0], &self.a)?;
        let b = operand::bounds(node, inputs[1], &self.b)?;
        let mut addend = Vec::new();
        let mut extra = Bounds::point(0);
        if let Some(map) = &self.addend {
            extra = operand::bounds(node, inputs[2], map)?;
            operand::same_shape(node, &map.shape, &self.y.shape)?;
            if let Some(values) = &inputs[2].constant {
                addend = map.gather(values);
                extra = Bounds::point(0);
            }
        }
        let k = self.sizes().k as i128;
        operand::summable(node, a.magnitude().saturating_mul(b.magnitude()).saturating_mul(k))?;
        Ok(match (&inputs[0].constant, &inputs[1].constant) {
            (_, Some(w)) => self.fixed_bounds(a, &self.weights(&self.b, w, true), true, &addend).add(extra),
            (Some(w), None) => {
                self.fixed_bounds(b, &self.weights(&self.a, w, false), false, &addend).add(extra)
            }
            (None, None) => a.mul(b).scale(k).add(Bounds::of(addend)).add(extra),
        })
    }
}

impl OpSpec for Contract {
    fn kind(&self) -> &'static str {
        "Contract"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 2 + usize::from(self.addend.is_some()))?;
        let scale = operand::scale(node, i64::from(inputs[0].scale) + i64::from(inputs[1].scale))?;
        if let Some(t) = inputs.get(2)
            && t.scale != scale
        {
            return operand::misfit(
                node,
                format!("`{}` has scale {}, the products have {scale}", t.name, t.scale),
            );
        }
        // The views are walked below only once their sizes are known to be sane.
        for (map, tensor) in [&self.a, &self.b].into_iter().zip(inputs) {
            operand::bounds(node, tensor, map)?;
        }
        self.check_shapes(node)?;
        let bounds = self.bounds(node, inputs)?;
        Ok(Fact { shape: self.y.source.clone(), scale, bounds })
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let [rb, rm, rk, _] = self.ranks;
        let (a, b) = (self.a.flatten(values[0]), self.b.flatten(values[1]));
        let (sa, sb) = (&self.a.shape, &self.b.shape);
        // Both operands are affine now, so an index is the sum of a part per group of dimensions.
        let a_row = walk(a.offset, &sa[..rb + rm], &a.steps[..rb + rm]);
        let a_k = walk(0, &sa[rb + rm..], &a.steps[rb + rm..]);
        let b_batch = walk(b.offset, &sb[..rb], &b.steps[..rb]);
        let b_k = walk(0, &sb[rb..rb + rk], &b.steps[rb..rb + rk]);
        let b_n = walk(0, &sb[rb + rk..], &b.steps[rb + rk..]);
        let m = a_row.len() / b_batch.len();
        let mut out = vec![0i64; output.len()];
        let mut layout = self.y.iter().flatten();
        let mut addend = self.addend.as_ref().map(|map| map.gather(values[2]).into_iter());
        for (row, &a0) in a_row.iter().enumerate() {
            for &n in &b_n {
                let b0 = b_batch[row / m] + n;
                let products = a_k.iter().zip(&b_k).map(|(&ka, &kb)| {
                    i128::from(a.data[(a0 + ka) as usize]) * i128::from(b.data[(b0 + kb) as usize])
                });
                let sum = products.sum::<i128>()
                    + i128::from(addend.as_mut().and_then(Iterator::next).unwrap_or(0));
                if let Some(i) = layout.next() {
                    out[i] = exact(sum, output, i)?;
                }
            }
        }
        Ok(Evaluated { output: out, aux: Vec::new() })
    }

    fn loose_bits(&self, bits: &[u32]) -> Option<u32> {
        let products = operand::seen_bits(bits[0], &self.a) + operand::seen_bits(bits[1], &self.b);
        let sum = products + usize::BITS - self.sizes().k.leading_zeros();
        Some(sum.max(bits.get(2).copied().unwrap_or(0)) + 1)
    }

    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View)) {
        b.state(Relation::Contract {
            a: operand::through(&inputs[0].1, &self.a),
            b: operand::through(&inputs[1].1, &self.b),
            addend: self.addend.as_ref().map(|map| operand::through(&inputs[2].1, map)),
            y: operand::through(&output.1, &self.y),
            ranks: self.ranks,
        });
    }
}

/// `sum` as an element of `output`, within its bounds.
fn exact(sum: i128, output: &Tensor, index: usize) -> Result<i64, GraphError> {
    let outside = || crate::graph::out_of_bounds(output, index, sum, output.bounds);
    i64::try_from(sum).map_err(|_| outside())
}

/// `offset + Σ_d steps[d]·i[d]` for every index `i` of `shape`, in row-major order.
fn walk(offset: i64, shape: &[usize], steps: &[i64]) -> Vec<i64> {
    let mut out = vec![offset];
    for (&n, &step) in shape.iter().zip(steps) {
        out = out.iter().flat_map(|&o| (0..n as i64).map(move |i| o + step * i)).collect();
    }
    out
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
fn matrix(a: &[usize], b: &[usize], ranks: [usize; 4], y: &[usize]) -> Contract {
    let [a, b, y] = [a, b, y].map(Map::identity);
    Contract { a, b, addend: None, ranks, y }
}

#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    [matrices(), batches_and_windows()].concat()
}

#[cfg(any(test, feature = "testing"))]
fn batches_and_windows() -> Vec<crate::case::Case> {
    use crate::case::{case, fixed, given};
    let batch = matrix(&[2, 1, 2], &[2, 2, 1], [1, 1, 1, 1], &[2, 1, 1]);
    // Windows of three that skip every other element, over five elements padded by two with the value 0.
    let axis = crate::map::Axis { offset: -2, steps: vec![2, 1] };
    let window = Map { source: vec![5], shape: vec![3, 5], axes: vec![axis], pad: Some(0) };
    let dilated = Contract { b: window, ..matrix(&[2, 3], &[3, 5], [0, 1, 1, 1], &[2, 5]) };
    let rows = given(&[4, 2], (-4, 4), &[1, 2, 3, -4, 0, 0, 4, 4]);
    let filters = fixed(&[2, 3], &[1, 10, 100, -1, 0, 2]);
    let signal = given(&[5], (-5, 5), &[1, 2, 3, 4, 5]);
    vec![
        case(
            "Contract: batch",
            batch,
            &[given(&[2, 1, 2], (-4, 4), &[1, 2, 3, 4]), given(&[2, 2, 1], (-4, 4), &[-1, 1, 2, -2])],
            &[1, -2],
        ),
        case(
            "Contract: batch of fixed weights",
            matrix(&[2, 1, 2], &[2, 2, 2], [1, 1, 1, 1], &[2, 1, 2]),
            &[given(&[2, 1, 2], (-4, 4), &[1, 2, 3, 4]), fixed(&[2, 2, 2], &[1, 0, 2, -1, 5, 7, -3, 100])],
            &[5, -2, 3, 421],
        ),
        case(
            "Contract: rows with themselves",
            matrix(&[4, 2], &[4, 2], [1, 0, 1, 0], &[4]),
            &[rows.clone(), rows],
            &[5, 25, 0, 32],
        ),
        case(
            "Contract: column times row",
            matrix(&[3, 1], &[1, 2], [0, 1, 1, 1], &[3, 2]),
            &[given(&[3, 1], (-4, 4), &[1, -2, 4]), given(&[1, 2], (-4, 4), &[3, -1])],
            &[3, -1, -6, 2, 12, -4],
        ),
        case(
            "Contract: column times one number",
            matrix(&[4, 1], &[1], [0, 1, 1, 0], &[4]),
            &[given(&[4, 1], (-4, 4), &[1, -2, 3, 4]), fixed(&[1], &[3])],
            &[3, -6, 9, 12],
        ),
        case(
            "Contract: dilated and padded convolution",
            dilated,
            &[filters, signal],
            &[310, 420, 531, 42, 53, 6, 8, 9, -2, -3],
        ),
    ]
}

#[cfg(any(test, feature = "testing"))]
fn matrices() -> Vec<crate::case::Case> {
    use crate::case::{case, fixed, given};
    let x = given(&[2, 3], (-9, 9), &[1, -2, 3, 9, -9, 0]);
    let w = fixed(&[3, 2], &[4, -5, 0, 7, 6, 1]);
    let plain = || matrix(&[2, 3], &[3, 2], [0, 1, 1, 1], &[2, 2]);
    let bias = Contract { addend: Map::broadcast(&[2], &[2, 2]), ..plain() };
    let transposed = Contract { y: Map::permuted(&[2, 2], &[1, 0]), ..plain() };
    let dot = matrix(&[3], &[3], [0, 0, 1, 0], &[]);
    vec![
        case("Contract: matrices", plain(), &[x.clone(), w.clone()], &[22, -16, 36, -108]),
        case(
            "Contract: bias",
            bias.clone(),
            &[x.clone(), w.clone(), fixed(&[2], &[100, -1])],
            &[122, -17, 136, -109],
        ),
        case(
            "Contract: private weights and bias",
            bias.clone(),
            &[x.clone(), given(&[3, 2], (-8, 7), &[4, -5, 0, 7, 6, 1]), given(&[2], (-128, 127), &[100, -1])],
            &[122, -17, 136, -109],
        ),
        case(
            "Contract: private bias",
            bias,
            &[x.clone(), w.clone(), given(&[2], (-128, 127), &[100, -1])],
            &[122, -17, 136, -109],
        ),
        case("Contract: transposed result", transposed, &[x, w], &[22, 36, -16, -108]),
        case(
            "Contract: dot product of two inputs",
            dot,
            &[given(&[3], (-4, 4), &[1, -4, 4]), given(&[3], (0, 7), &[7, 5, 0])],
            &[-13],
        ),
    ]
}
