//! Element-wise maximum: Relu, MaxPool, Clip (through negation), ReduceMax.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::{Bounds, Evaluated, Fact, GraphError, Map, OpSpec, RelationBuilder, Tensor, View};

/// `y = max(a, b)` over views of one shape, or `y = max(a, constant)` when there is one input. Operands have
/// the same scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Max {
    /// View of the first input.
    pub a: Map,
    /// View of the second input, or the constant.
    pub b: MaxOperand,
}

/// Right-hand side of a maximum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaxOperand {
    /// The second input, seen through a view.
    View(Map),
    /// The same integer everywhere.
    Constant(i64),
}

impl Max {
    /// Bounds of what the two sides show.
    fn sides(&self, node: &str, inputs: &[&Tensor]) -> Result<(Bounds, Bounds), GraphError> {
        let a = operand::bounds(node, inputs[0], &self.a)?;
        let b = match &self.b {
            MaxOperand::View(map) => operand::bounds(node, inputs[1], map)?,
            MaxOperand::Constant(c) => Bounds::point((*c).into()).checked(node)?,
        };
        Ok((a, b))
    }
}

impl OpSpec for Max {
    fn kind(&self) -> &'static str {
        "Max"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 1 + usize::from(matches!(self.b, MaxOperand::View(_))))?;
        if let MaxOperand::View(map) = &self.b {
            operand::same_shape(node, &self.a.shape, &map.shape)?;
            operand::same_scale(node, inputs[0], inputs[1])?;
        }
        let (a, b) = self.sides(node, inputs)?;
        Ok(Fact { shape: self.a.shape.clone(), scale: inputs[0].scale, bounds: a.max(b) })
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        _output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let a = self.a.gather(values[0]);
        let b = match &self.b {
            MaxOperand::View(map) => map.gather(values[1]),
            MaxOperand::Constant(c) => vec![*c; a.len()],
        };
        let delta: Vec<i64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let m = delta.iter().map(|&d| if d < 0 { -1 - d } else { d }).collect();
        let s = delta.iter().map(|&d| i64::from(d >= 0)).collect();
        let mut aux = vec![m, s];
        if self.b != MaxOperand::Constant(0) {
            aux.push(delta.iter().map(|&d| d.max(0)).collect());
        }
        Ok(Evaluated { output: a.iter().zip(&b).map(|(a, b)| *a.max(b)).collect(), aux })
    }

    fn loose_bits(&self, bits: &[u32]) -> Option<u32> {
        // The result is one of the sides.
        let a = operand::seen_bits(bits[0], &self.a);
        Some(match &self.b {
            MaxOperand::View(map) => a.max(operand::seen_bits(bits[1], map)),
            MaxOperand::Constant(c) => a.max(operand::bits_of(*c)),
        })
    }

    /// With `δ = a − b`: a sign bit `s` and a magnitude `m ≥ 0` such that `δ = m` for `s = 1` and
    /// `δ = −m − 1` for `s = 0`, so that zero has one form only. With `p = s·m` that is one linear relation,
    /// `δ = 2p + s − m − 1`, and `y = b + p`. For `b = 0` the result itself is `p`.
    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], (out, y): (&Tensor, View)) {
        let tensors: Vec<&Tensor> = inputs.iter().map(|(t, _)| *t).collect();
        // The fact has been established when relations are stated, so the bounds exist.
        let Ok((a_bounds, b_bounds)) = self.sides(&out.name, &tensors) else { return };
        let delta = a_bounds.add(b_bounds.scale(-1));
        let m_max = delta.hi.max(-delta.lo - 1).max(0);
        let a = operand::through(&inputs[0].1, &self.a);
        let m = b.aux("magnitude", &out.shape, Bounds::new(0, m_max));
        let s = b.aux("sign", &out.shape, Bounds::new(0, 1));
        let p = match self.b {
            MaxOperand::Constant(0) => y.clone(),
            _ => b.aux("positive", &out.shape, Bounds::new(0, delta.hi.max(0))),
        };
        match &self.b {
            MaxOperand::View(map) => {
                let right = operand::through(&inputs[1].1, map);
                b.linear(&[(1, &a), (-1, &right), (-2, &p), (-1, &s), (1, &m)], 1);
                b.linear(&[(1, &y), (-1, &right), (-1, &p)], 0);
            }
            MaxOperand::Constant(c) => {
                b.linear(&[(1, &a), (-2, &p), (-1, &s), (1, &m)], 1 - c);
                if *c != 0 {
                    b.linear(&[(1, &y), (-1, &p)], -c);
                }
            }
        }
        b.product(&s, &s, &s);
        b.product(&m, &s, &p);
        b.at_least_zero(&m, m_max);
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, given};
    let whole = || Map::identity(&[5]);
    let against = |c| Max { a: whole(), b: MaxOperand::Constant(c) };
    let x = given(&[5], (-8, 7), &[-8, -1, 0, 1, 7]);
    let pair = Max { a: whole(), b: MaxOperand::View(whole()) };
    // Neighbours, the last one against padding that never wins.
    let next = Map { axes: vec![crate::map::Axis { offset: 1, steps: vec![1] }], pad: Some(-8), ..whole() };
    let neighbours = Max { a: whole(), b: MaxOperand::View(next) };
    vec![
        case("Max: with zero", against(0), [x.clone()], &[0, 0, 0, 1, 7]),
        case("Max: with a negative constant", against(-1), [x.clone()], &[-1, -1, 0, 1, 7]),
        case("Max: with the largest value", against(7), [x.clone()], &[7, 7, 7, 7, 7]),
        case("Max: never below", against(-20), [x.clone()], &[-8, -1, 0, 1, 7]),
        case("Max: never above", against(20), [x.clone()], &[20; 5]),
        case(
            "Max: of two, ties",
            pair,
            &[x.clone(), given(&[5], (-9, 9), &[-9, -1, 0, 2, 9])],
            &[-8, -1, 0, 2, 9],
        ),
        case("Max: padded neighbours", neighbours, &[x.clone(), x], &[-1, 0, 1, 7, 7]),
    ]
}
