//! The opening of the folded vector.

use ff::Field;
use halo2curves::bn256::{Fr, G1Affine};
use halo2curves::group::Curve;
use rayon::prelude::*;
use zkml_protocol::sumcheck::{Challenge, SlotId, Source};

use super::{Masks, PrivateWeights, ProvingKey, Vectors, second::Folded, whole, writer::Writer};
use crate::{
    error::{Error, Result},
    field::{eq_table, horner, inner, powers},
};

/// Quotient of a polynomial by `X − x`; the remainder is dropped.
pub(super) fn divided(p: &[Fr], x: Fr) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; p.len().saturating_sub(1)];
    let mut carry = Fr::ZERO;
    for i in (1..p.len()).rev() {
        carry = carry * x + p[i];
        out[i - 1] = carry;
    }
    out
}

fn add_scaled(sum: &mut Vec<Fr>, factor: Fr, p: &[Fr]) {
    if sum.len() < p.len() {
        sum.resize(p.len(), Fr::ZERO);
    }
    sum.iter_mut().zip(p).for_each(|(s, c)| *s += factor * c);
}

/// Coefficients of `p(X) P_u(1/X)`, `P_u(X) = Π ((1 − u_k) + u_k X^(2^k))`: that of `X^e` at `e + 2^|u| − 1`.
fn crossed(p: &[Fr], u: &[Fr]) -> Vec<Fr> {
    let below = (1usize << u.len()) - 1;
    let mut out = vec![Fr::ZERO; below + p.len()];
    out[below..].copy_from_slice(p);
    let mut low = below;
    for (k, u) in u.iter().enumerate() {
        let shift = 1usize << k;
        low -= shift;
        let step = |e: usize| {
            let above = out.get(e + shift).copied().unwrap_or(Fr::ZERO);
            out[e] + *u * (above - out[e])
        };
        let next: Vec<Fr> = (low..out.len()).into_par_iter().with_min_len(1 << 10).map(step).collect();
        out[low..].copy_from_slice(&next);
    }
    out
}

/// `S` of one product: the coefficients of `X^e` and `X^−e` together, from `e = 1` on.
pub(super) fn symmetric(p: &[Fr], u: &[Fr]) -> Vec<Fr> {
    let all = crossed(p, u);
    let middle = (1usize << u.len()) - 1;
    let count = middle.max(p.len().saturating_sub(1));
    let at = |e: isize| usize::try_from(middle as isize + e).ok().and_then(|i| all.get(i).copied());
    let both = |e: isize| at(e).unwrap_or(Fr::ZERO) + at(-e).unwrap_or(Fr::ZERO);
    (1..=count as isize).map(both).collect()
}

/// What blinds the commitments: of this proof, and of private weights.
#[derive(Clone, Copy)]
pub(super) struct Hidden<'a> {
    pub(super) masks: &'a Masks,
    pub(super) private: Option<&'a PrivateWeights>,
}

/// A part of `W` or `V` with its factor, and what saves operations linear in it.
struct Fixed<'a> {
    factor: Fr,
    values: &'a [Fr],
    quotients: &'a [G1Affine],
}

/// What is opened: the part that this proof committed to as a polynomial, with all blinding coefficients, and the parts that
/// were committed to before.
struct Opened<'a> {
    own: Vec<Fr>,
    parts: Vec<Fixed<'a>>,
}

impl<'a> Opened<'a> {
    fn new(key: &'a ProvingKey, vectors: &Vectors<'_>, hidden: Hidden<'a>, folded: &Folded) -> Self {
        let length = key.program.opening.length() as usize;
        let factor = |s: Source, part: usize| folded.get(&(s, part)).copied().unwrap_or(Fr::ZERO);
        let mut own = vec![Fr::ZERO; length + 1];
        let mut blinds = hidden.masks.blinds.iter();
        for source in [Source::Witness, Source::Helpers, Source::Masks] {
            for (part, vector) in vectors.of(source).unwrap_or_default().chunks(length).enumerate() {
                let f = factor(source, part);
                own.par_iter_mut().with_min_len(1 << 10).zip(vector).for_each(|(o, v)| *o += f * v);
                own[length] += f * blinds.next().unwrap_or(&Fr::ZERO);
            }
        }
        let mut parts = Vec::new();
        for (i, (values, quotients)) in key.weights.chunks(length).zip(&key.quotients).enumerate() {
            parts.push(Fixed { factor: factor(Source::Weights, i), values, quotients });
        }
        for (i, (values, quotients, blind)) in hidden.private.iter().flat_map(|p| p.parts(length)).enumerate()
        {
            let factor = factor(Source::Private, i);
            own[length] += factor * blind;
            parts.push(Fixed { factor, values, quotients });
        }
        Self { own, parts }
    }

    /// All of it.
    fn combined(self) -> Vec<Fr> {
        let Self { mut own, parts } = self;
        for Fixed { factor, values, .. } in parts {
            own.par_iter_mut().with_min_len(1 << 10).zip(values).for_each(|(o, v)| *o += factor * v);
        }
        own
    }

    /// `h_i = Σ_j eq(u_lo, j) f_{ib + j}`.
    fn rows(&self, low: &[Fr]) -> Vec<Fr> {
        let b = low.len();
        let mut h: Vec<Fr> =
            self.own.par_chunks(b).map(|row| row.iter().zip(low).map(|(f, e)| *f * e).sum()).collect();
        for Fixed { factor, values, .. } in &self.parts {
            h.par_iter_mut().zip(values.par_chunks(b)).for_each(|(h, row)| *h += *factor * inner(row, low));
        }
        h
    }

    /// `(q, g)` with `f = (X^b − α) q + g`; `q` without the parts that were committed to before.
    fn divided(&self, alpha: Fr, b: usize) -> (Vec<Fr>, Vec<Fr>) {
        let rows: Vec<&[Fr]> = self.own.chunks(b).collect();
        let mut quotient = vec![Fr::ZERO; self.own.len() - b];
        let mut carry = vec![Fr::ZERO; b];
        for (i, row) in rows.iter().enumerate().skip(1).rev() {
            let place = &mut quotient[(i - 1) * b..];
            for (j, c) in carry.iter_mut().enumerate() {
                *c = *c * alpha + row.get(j).copied().unwrap_or(Fr::ZERO);
                if let Some(q) = place.get_mut(j) {
                    *q = *c;
                }
            }
        }
        let mut g: Vec<Fr> = rows[0].iter().zip(&carry).map(|(f, c)| *f + alpha * c).collect();
        for Fixed { factor, values, .. } in &self.parts {
            let rows: Vec<&[Fr]> = values.chunks(b).collect();
            let column = |j: usize| rows.iter().rev().fold(Fr::ZERO, |acc, row| acc * alpha + row[j]);
            g.par_iter_mut().enumerate().for_each(|(j, g)| *g += *factor * column(j));
        }
        (quotient, g)
    }
}

/// Opens the folded vector at the point.
pub(super) fn prove(
    key: &ProvingKey,
    vectors: &Vectors<'_>,
    hidden: Hidden<'_>,
    folded: &Folded,
    point: &[Fr],
    writer: &mut Writer<'_>,
) -> Result<()> {
    let opening = &key.program.opening;
    if opening.is_whole() {
        return whole::prove(key, &Opened::new(key, vectors, hidden, folded).combined(), point, writer);
    }
    let of_masks = folded.get(&(Source::Masks, 0)).copied().unwrap_or(Fr::ZERO);
    let inverse = Option::<Fr>::from(of_masks.invert()).ok_or(Error::Unlucky)?;
    let folded: Folded = folded.iter().map(|(at, factor)| (*at, *factor * inverse)).collect();
    let commit = |p: &[Fr]| -> G1Affine { zkml_msm::full(p, &key.powers).to_affine() };
    let (low, high) = point[..opening.bits as usize].split_at(opening.column_bits as usize);
    let b = opening.columns() as usize;
    let f = Opened::new(key, vectors, hidden, &folded);
    let h = writer.polynomial(SlotId::H, f.rows(&eq_table(low)));
    writer.point(SlotId::H, &commit(&h))?;
    let alpha = writer.challenge(Challenge::Alpha)?;
    let (quotient, g) = f.divided(alpha, b);
    let quotient = writer.polynomial(SlotId::Quotient, quotient);
    let g = writer.polynomial(SlotId::G, g);
    let mut q = zkml_msm::full(&quotient, &key.powers);
    for Fixed { factor, quotients, .. } in &f.parts {
        let scalars: Vec<Fr> = powers(alpha, quotients.len()).into_iter().map(|p| p * factor).collect();
        q += zkml_msm::full(&scalars, quotients);
    }
    writer.point(SlotId::Quotient, &q.to_affine())?;
    writer.point(SlotId::G, &commit(&g))?;
    let gamma = writer.challenge(Challenge::OpenGamma)?;
    let mut s = symmetric(&g, low);
    add_scaled(&mut s, gamma, &symmetric(&h, high));
    let reversed: Vec<Fr> = g.iter().rev().copied().collect();
    let s = writer.polynomial(SlotId::S, s);
    writer.point(SlotId::S, &commit(&s))?;
    let reversed = writer.polynomial(SlotId::D, reversed);
    writer.point(SlotId::D, &commit(&reversed))?;
    let polynomials = [&g, &s, &reversed, &h];
    folded_opening(key, &polynomials, alpha, of_masks, writer)
}

/// SHPLONK over `{z, 1/z, α}` for `g`, `S`, `D` and `h`.
fn folded_opening(
    key: &ProvingKey,
    [g, s, d, h]: &[&Vec<Fr>; 4],
    alpha: Fr,
    of_masks: Fr,
    writer: &mut Writer<'_>,
) -> Result<()> {
    let commit = |p: &[Fr]| -> G1Affine { zkml_msm::full(p, &key.powers).to_affine() };
    let z = writer.challenge(Challenge::Z)?;
    let zi = Option::<Fr>::from(z.invert()).ok_or(Error::Unlucky)?;
    if z == Fr::ONE || z == -Fr::ONE || z == alpha || zi == alpha {
        return Err(Error::Unlucky);
    }
    let values = [horner(g, z), horner(g, zi), horner(h, z), horner(h, zi), horner(h, alpha), horner(s, zi)];
    writer.scalars(SlotId::Openings, &values)?;
    let nu = powers(writer.challenge(Challenge::Nu)?, 4);
    let sets: [(&Vec<Fr>, &[Fr]); 4] = [(g, &[z, zi]), (s, &[z, zi]), (d, &[z]), (h, &[z, zi, alpha])];
    let mut w = Vec::new();
    for ((p, points), weight) in sets.iter().zip(&nu) {
        let quotient = points.iter().fold((*p).clone(), |p, x| divided(&p, *x));
        add_scaled(&mut w, *weight, &quotient);
    }
    let w = writer.polynomial(SlotId::W, w);
    writer.point(SlotId::W, &commit(&w))?;
    let (y, zeta) = (writer.challenge(Challenge::Y)?, writer.challenge(Challenge::Zeta)?);
    let all = [z, zi, alpha];
    let vanishing = |points: &[Fr]| points.iter().map(|x| y - x).product::<Fr>();
    let mut left = Vec::new();
    for ((p, points), weight) in sets.iter().zip(&nu) {
        let others: Vec<Fr> = all.iter().filter(|x| !points.contains(x)).copied().collect();
        add_scaled(&mut left, zeta * weight * vanishing(&others), p);
    }
    add_scaled(&mut left, -zeta * vanishing(&all), &w);
    let last = writer.polynomial(SlotId::W2, divided(&left, y));
    writer.point(SlotId::W2, &commit(&last))?;
    let product = of_masks * z * (z.square() - Fr::ONE) * (z - alpha) * (Fr::ONE - alpha * z);
    let inverse = Option::<Fr>::from(product.invert()).ok_or(Error::Unlucky)?;
    writer.scalars(SlotId::Inverse, &[inverse])
}
