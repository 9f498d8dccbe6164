//! The values of a program's equations for one proof.
#![expect(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]

use ff::Field;
use zkml_protocol::sumcheck::{Challenge, Equations, Node, Operation, Rounds, Shape, SlotId};

use super::{VerifyError, decode::Decoded};
use crate::curve::{Fr, scalar};

/// A value for each operation.
pub(super) struct Values(Vec<Fr>);

impl Values {
    /// Computes all of them.
    pub(super) fn of(equations: &Equations, shape: &Shape, decoded: &Decoded) -> Result<Self, VerifyError> {
        let mut values = Self(Vec::with_capacity(equations.operations.len()));
        for operation in &equations.operations {
            let value = match operation {
                Operation::Constant(word) => scalar(word).ok_or(VerifyError::Inconsistent("constant"))?,
                Operation::Instance(at) => {
                    let value = decoded.instances.get(*at as usize).copied();
                    value.ok_or(VerifyError::Inconsistent("instance"))?
                }
                Operation::Scalar(slot, at) => {
                    let value = decoded.scalars(*slot).get(*at as usize).copied();
                    value.ok_or(VerifyError::Inconsistent("scalar"))?
                }
                Operation::Challenge(which) => decoded.challenge(*which)?,
                Operation::Add(a, b) => values.at(*a)? + values.at(*b)?,
                Operation::Sub(a, b) => values.at(*a)? - values.at(*b)?,
                Operation::Mul(a, b) => values.at(*a)? * values.at(*b)?,
                Operation::Invert(a) => {
                    Option::from(values.at(*a)?.invert()).ok_or(VerifyError::Degenerate)?
                }
                Operation::Rounds(which, claim) => rounds(*which, shape, decoded, values.at(*claim)?)?,
            };
            values.0.push(value);
        }
        Ok(values)
    }

    /// The value of an operation.
    pub(super) fn at(&self, node: Node) -> Result<Fr, VerifyError> {
        self.0.get(node.index()).copied().ok_or(VerifyError::Inconsistent("operation"))
    }
}

fn rounds(which: Rounds, shape: &Shape, decoded: &Decoded, mut claim: Fr) -> Result<Fr, VerifyError> {
    type Name = (fn(u32) -> SlotId, fn(u32) -> Challenge);
    let (variables, (slot, challenge)): (u32, Name) = match which {
        Rounds::First => (shape.first_variables, (SlotId::First, Challenge::First)),
        Rounds::Second => (shape.second_variables, (SlotId::Second, Challenge::Second)),
    };
    for v in (0..variables).rev() {
        claim = next_claim(claim, decoded.scalars(slot(v)), decoded.challenge(challenge(v))?)?;
    }
    Ok(claim)
}

/// The value at `x` of the round polynomial whose values at zero and one add up to `claim`, from its coefficients but the
/// linear one.
fn next_claim(claim: Fr, sent: &[Fr], x: Fr) -> Result<Fr, VerifyError> {
    let (constant, higher) = sent.split_first().ok_or(VerifyError::Inconsistent("round"))?;
    let linear = claim - constant - sent.iter().sum::<Fr>();
    let above = higher.iter().rev().fold(Fr::ZERO, |acc, c| acc * x + c);
    Ok((above * x + linear) * x + constant)
}
