//! The opening of a vector as one row.

use ff::Field;
use halo2curves::bn256::{Fr, G1Affine};
use halo2curves::group::Curve;
use rayon::prelude::*;
use zkml_lanes::Lanes;
use zkml_protocol::sumcheck::{Challenge, SlotId};

use super::{
    ProvingKey,
    opening::{divided, symmetric},
    writer::Writer,
};
use crate::error::{Error, Result};

/// Factors of `f` and `S` in `M(X) = (zX − 1) A(X) + z(X − z) B(X)` that are the same for all `X`:
/// `A = z^N P(1/z) f − z^(N+1) S`, `z B = z^(N+1) P(z) f − z^N S`.
struct Factors {
    z: Fr,
    /// `z^N P(1/z)`, `z^(N+1) P(z)`.
    of_f: [Fr; 2],
    /// `−z^(N+1)`, `−z^N`.
    of_s: [Fr; 2],
}

impl Factors {
    fn new(point: &[Fr], z: Fr) -> Self {
        let (mut there, mut here, mut power) = (Fr::ONE, Fr::ONE, z);
        for u in point {
            let step = *u * (power - Fr::ONE);
            there *= power - step;
            here *= Fr::ONE + step;
            power = power * power;
        }
        Self { z, of_f: [z * there, z * power * here], of_s: [-z * power, -power] }
    }

    /// What `f(x)` and `S(x)` are multiplied by in `M(x)`: linear in `x`.
    fn at(&self, x: Fr) -> [Fr; 2] {
        let (above, from_z) = (self.z * x - Fr::ONE, x - self.z);
        [self.of_f, self.of_s].map(|[left, right]| above * left + from_z * right)
    }

    /// The coefficients of `M`.
    fn polynomial(&self, f: &[Fr], s: &[Fr]) -> Vec<Fr> {
        let low = self.at(Fr::ZERO);
        let both = self.at(Fr::ONE);
        let slope = [both[0] - low[0], both[1] - low[1]];
        let get = |p: &[Fr], i: usize| p.get(i).copied().unwrap_or(Fr::ZERO);
        let of = |i: usize, [a, b]: [Fr; 2]| a * get(f, i) + b * get(s, i);
        let coefficient = |i: usize| of(i, low) + if i > 0 { of(i - 1, slope) } else { Fr::ZERO };
        (0..f.len().max(s.len()) + 1).into_par_iter().with_min_len(1 << 10).map(coefficient).collect()
    }
}

/// Opens a polynomial at the point.
pub(super) fn prove<L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    f: &[Fr],
    point: &[Fr],
    writer: &mut Writer<'_>,
) -> Result<()> {
    let commit = |p: &[Fr]| -> G1Affine { zkml_msm::full(p, &key.powers).to_affine() };
    let unlucky = |x: Option<Fr>| x.ok_or(Error::Unlucky);
    let s = writer.polynomial(SlotId::S, symmetric(lanes, f, point));
    writer.point(SlotId::S, &commit(&s))?;
    let z = writer.challenge(Challenge::Z)?;
    let inverse = unlucky(z.invert().into())?;
    if z == inverse {
        return Err(Error::Unlucky);
    }
    let factors = Factors::new(point, z);
    let m = factors.polynomial(f, &s);
    // M = (X − z)((X − 1/z) q + linear) + M(z)
    let outer = divided(&m, z);
    let mut quotient = divided(&outer, inverse);
    let value = m[0] + z * outer[0];
    let linear = outer[0] + inverse * quotient[0];
    writer.scalars(SlotId::Openings, &[value - z * linear])?;
    quotient.par_iter_mut().with_min_len(1 << 10).for_each(|q| *q *= inverse);
    let w = writer.polynomial(SlotId::W, quotient);
    writer.point(SlotId::W, &commit(&w))?;
    let y = writer.challenge(Challenge::Y)?;
    let scale = unlucky(((y - z) * (Fr::ONE - z * y)).invert().into())?;
    let [of_f, of_s] = factors.at(y).map(|factor| scale * factor);
    let get = |p: &[Fr], i: usize| p.get(i).copied().unwrap_or(Fr::ZERO);
    let sum = |i: usize| of_f * get(f, i) + of_s * get(&s, i) + get(&w, i);
    let length = f.len().max(s.len()).max(w.len());
    let left: Vec<Fr> = (0..length).into_par_iter().with_min_len(1 << 10).map(sum).collect();
    let last = writer.polynomial(SlotId::W2, divided(&left, y));
    writer.point(SlotId::W2, &commit(&last))?;
    writer.scalars(SlotId::Inverse, &[scale])
}
