//! The values of a program's equations for one proof.
#![expect(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]

use ff::Field;
use zkml_protocol::sumcheck::{
    Challenge, Coordinates, Equations, Matching, Node, Operation, Rounds, Shape, SlotId,
};

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
                Operation::Rounds(which, claim) => rounds(*which, shape, decoded, values.at(*claim)?)?,
                Operation::Matching(matching) => sum(matching, decoded)?,
                Operation::RowPolynomial(from, count, at) => {
                    product(decoded, *from, *count, values.at(*at)?, |u, x| Fr::ONE + u * (x - Fr::ONE))?
                }
                Operation::ReversedPolynomial(from, count, at) => {
                    product(decoded, *from, *count, values.at(*at)?, |u, x| x - u * (x - Fr::ONE))?
                }
            };
            values.0.push(value);
        }
        Ok(values)
    }

    /// The values of all operations.
    #[cfg(feature = "testing")]
    pub(super) fn all(&self) -> &[Fr] {
        &self.0
    }

    /// The value of an operation.
    pub(super) fn at(&self, node: Node) -> Result<Fr, VerifyError> {
        self.0.get(node.index()).copied().ok_or(VerifyError::Inconsistent("operation"))
    }
}

/// A coordinate of the point that begins with this challenge.
fn coordinate(decoded: &Decoded, first: Challenge, at: u32) -> Result<Fr, VerifyError> {
    decoded.challenge(first.after(at).ok_or(VerifyError::Inconsistent("coordinate"))?)
}

/// The sum over all indices below the extent, bit by bit from the lowest.
fn sum(matching: &Matching, decoded: &Decoded) -> Result<Fr, VerifyError> {
    let mut weights = Vec::with_capacity(matching.bits as usize);
    for bit in 0..matching.bits {
        weights.push(match &matching.weights {
            Coordinates::From(first) => coordinate(decoded, *first, bit)?,
            Coordinates::All(word) => scalar(word).ok_or(VerifyError::Inconsistent("coordinate"))?,
        });
    }
    // Of the bits so far: all indices, and those below the extent's.
    let (mut all, mut below) = (Fr::ONE, Fr::ZERO);
    for (bit, weight) in (0u32..).zip(weights) {
        let address = coordinate(decoded, matching.address, bit)?;
        let ones = weight * address;
        let zeros = Fr::ONE - weight - address + ones;
        let set = matching.extent.checked_shr(bit).unwrap_or(0) & 1 == 1;
        below = if set { zeros * all + ones * below } else { zeros * below };
        all *= zeros + ones;
    }
    let whole = matching.extent.checked_shr(matching.bits).unwrap_or(0) != 0;
    Ok(if whole { all } else { below })
}

/// The product of the factors of all coordinates, each at a square of the one before.
fn product(
    decoded: &Decoded,
    from: Challenge,
    count: u32,
    mut x: Fr,
    factor: impl Fn(Fr, Fr) -> Fr,
) -> Result<Fr, VerifyError> {
    let mut product = Fr::ONE;
    for k in 0..count {
        product *= factor(coordinate(decoded, from, k)?, x);
        x = x * x;
    }
    Ok(product)
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
