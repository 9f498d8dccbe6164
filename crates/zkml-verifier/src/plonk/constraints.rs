//! Values at the evaluation point: Lagrange polynomials, the instance column, the constraint nodes.
#![expect(clippy::arithmetic_side_effects, reason = "field arithmetic is total; integers use checked forms")]

use crate::curve::{Fr, scalar};
use crate::plonk::VerifyError;
use crate::plonk::decode::Decoded;
use ff::Field;
use zkml_protocol::plonk::{Challenge, Constraints, Domain, Node, NodeId, Program};

/// The evaluation point `x` and what follows from it alone.
pub(crate) struct AtX {
    pub(crate) x: Fr,
    /// `x^n`.
    pub(crate) x_to_n: Fr,
    omega: Fr,
    omega_inv: Fr,
    vanishing_inverse: Fr,
    first: Fr,
    last: Fr,
    active: Fr,
    instance: Fr,
}

impl AtX {
    /// Fails if `x` lies on the domain.
    pub(crate) fn new(program: &Program, decoded: &Decoded, x: Fr) -> Result<Self, VerifyError> {
        let Domain { k, omega, omega_inv, n_inv } = program.domain;
        let constant = |word| scalar(&word).ok_or(VerifyError::Inconsistent("domain constant"));
        let (omega, omega_inv, n_inv) = (constant(omega)?, constant(omega_inv)?, constant(n_inv)?);
        let x_to_n = (0..k).fold(x, |power, _| power.square());
        let vanishing = x_to_n - Fr::ONE;
        let vanishing_inverse = invert(vanishing).ok_or(VerifyError::PointOnDomain)?;

        // L_i(x) for the row whose root of unity is `root`.
        let lagrange = |root: Fr| Some(root * vanishing * n_inv * invert(x - root)?);
        // Σ weight_i · L_i(x) over consecutive rows from `start` on.
        let over_rows = |start: Fr, weights: &mut dyn Iterator<Item = Fr>| {
            let mut root = start;
            let mut sum = Fr::ZERO;
            for weight in weights {
                sum += weight * lagrange(root)?;
                root *= omega;
            }
            Some(sum)
        };
        let last_root = power(omega, omega_inv, program.last_rotation());
        let mut blind = (0..program.blinding_factors).map(|_| Fr::ONE);
        let values = (
            lagrange(Fr::ONE),
            lagrange(last_root),
            over_rows(last_root * omega, &mut blind),
            over_rows(Fr::ONE, &mut decoded.instances.iter().copied()),
        );
        let (Some(first), Some(last), Some(blind), Some(instance)) = values else {
            return Err(VerifyError::PointOnDomain);
        };
        let active = Fr::ONE - last - blind;
        Ok(Self { x, x_to_n, omega, omega_inv, vanishing_inverse, first, last, active, instance })
    }

    /// `value / (x^n − 1)`.
    pub(crate) fn over_vanishing(&self, value: Fr) -> Fr {
        value * self.vanishing_inverse
    }

    /// `x · ω^rotation`.
    pub(crate) fn rotated(&self, rotation: i32) -> Fr {
        self.x * power(self.omega, self.omega_inv, rotation)
    }
}

/// Values of all nodes, in order.
pub(crate) fn evaluate(
    constraints: &Constraints,
    at_x: &AtX,
    decoded: &Decoded,
    challenge: &impl Fn(Challenge) -> Result<Fr, VerifyError>,
) -> Result<Vec<Fr>, VerifyError> {
    let mut values: Vec<Fr> = Vec::with_capacity(constraints.nodes.len());
    for node in &constraints.nodes {
        let of = |id: NodeId| values.get(id.index()).copied().ok_or(VerifyError::Inconsistent("node"));
        let value = match *node {
            Node::Constant(word) => scalar(&word).ok_or(VerifyError::Inconsistent("constant"))?,
            Node::Eval(eval) => decoded.eval(eval)?,
            Node::Instance => at_x.instance,
            Node::Challenge(which) => challenge(which)?,
            Node::LagrangeFirst => at_x.first,
            Node::LagrangeLast => at_x.last,
            Node::LagrangeActive => at_x.active,
            Node::Neg(a) => -of(a)?,
            Node::Add(a, b) => of(a)? + of(b)?,
            Node::Sub(a, b) => of(a)? - of(b)?,
            Node::Mul(a, b) => of(a)? * of(b)?,
        };
        values.push(value);
    }
    Ok(values)
}

/// The inverse of anything but zero.
pub(crate) fn invert(value: Fr) -> Option<Fr> {
    Option::from(value.invert())
}

fn power(omega: Fr, omega_inv: Fr, exponent: i32) -> Fr {
    let base = if exponent < 0 { omega_inv } else { omega };
    base.pow_vartime([u64::from(exponent.unsigned_abs())])
}
