//! The opening of the folded vector.

use ff::Field;
use halo2curves::bn256::{Fr, G1Affine};
use halo2curves::group::Curve;
use rayon::prelude::*;
use zkml_lanes::{Kernel, Lanes};
use zkml_protocol::sumcheck::{Challenge, SlotId, Source};

use super::{
    Entered, Masks, PrivateWeights, ProvingKey, Vectors, all_entered, rows::shifted_between, second::Folded,
    whole, writer::Writer,
};
use crate::{
    error::{Error, Result},
    field::{eq_table, horner, powers},
    vector::{Vector, all_left},
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
fn crossed<L: Lanes>(lanes: L, p: &[Fr], u: &[Fr]) -> Vec<Fr> {
    let below = (1usize << u.len()) - 1;
    let mut out = vec![Fr::ZERO; below + p.len()];
    out[below..].copy_from_slice(p);
    // Shifts of less than an element, then of whole ones.
    let (few, many) = u.split_at(u.len().min(L::WIDTH.ilog2() as usize));
    for (k, u) in few.iter().enumerate() {
        let from = below + 1 - (2 << k);
        for e in from..out.len() {
            let above = out.get(e + (1 << k)).copied().unwrap_or(Fr::ZERO);
            out[e] = out[e] + *u * (above - out[e]);
        }
    }
    let (length, mut elements) = (out.len(), all_entered(lanes, &out));
    for (k, u) in many.iter().enumerate() {
        elements = shifted_between(lanes, &elements, 1 << k, u);
    }
    let mut out = all_left(lanes, &elements);
    out.truncate(length);
    out
}

/// `S` of one product: the coefficients of `X^e` and `X^−e` together, from `e = 1` on.
pub(super) fn symmetric<L: Lanes>(lanes: L, p: &[Fr], u: &[Fr]) -> Vec<Fr> {
    let all = crossed(lanes, p, u);
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
struct Fixed<'a, L: Lanes> {
    factor: Fr,
    values: Vector<'a, L>,
    quotients: &'a [G1Affine],
}

/// `(q, g)` with `f = (X^b − α) q + g`, for rows of `f` and a coefficient after them; `q` has rows from the last to the first.
struct Divide<'a, L: Lanes> {
    rows: std::slice::Chunks<'a, L::Element>,
    last: L::Element,
    alpha: L::Scalar,
}

impl<L: Lanes> Kernel<L> for Divide<'_, L> {
    type Output = (Vec<Vec<L::Element>>, Vec<L::Element>);

    #[inline(always)]
    fn run(self, lanes: L) -> Self::Output {
        let mut quotient = Vec::with_capacity(self.rows.len());
        let mut carry = vec![lanes.zero(); self.rows.clone().next().map_or(1, <[L::Element]>::len)];
        carry[0] = self.last;
        for row in self.rows.rev() {
            let mut next = Vec::with_capacity(row.len());
            for (carry, value) in carry.iter().zip(row) {
                next.push(lanes.add(value, &lanes.scale(carry, &self.alpha)));
            }
            quotient.push(std::mem::replace(&mut carry, next));
        }
        (quotient, carry)
    }
}

/// What is opened: the part that this proof committed to as a polynomial, with all blinding coefficients, and the parts that
/// were committed to before.
struct Opened<'a, L: Lanes> {
    lanes: L,
    own: Vec<L::Element>,
    /// The coefficient at `X^N`.
    blind: Fr,
    parts: Vec<Fixed<'a, L>>,
}

impl<'a, L: Lanes> Opened<'a, L> {
    fn new(
        lanes: L,
        key: &'a ProvingKey,
        (vectors, entered): (&Vectors<'_>, &'a Entered<'a, L>),
        hidden: Hidden<'a>,
        folded: &Folded,
    ) -> Self {
        let length = key.program.opening.length() as usize;
        let elements = length / L::WIDTH;
        let factor = |s: Source, part: usize| folded.get(&(s, part)).copied().unwrap_or(Fr::ZERO);
        let (mut own, mut blind) = (vec![lanes.zero(); elements], Fr::ZERO);
        let mut blinds = hidden.masks.blinds.iter();
        let masks = all_entered(lanes, vectors.masks);
        let own_vectors = [Source::Witness, Source::Helpers].map(|source| (source, entered.of(source)));
        for (source, vector) in own_vectors.into_iter().chain([(Source::Masks, Vector::Elements(&masks))]) {
            for (part, vector) in vector.chunks(elements).enumerate() {
                let f = factor(source, part);
                vector.add_to(lanes, &mut own, &f);
                blind += f * blinds.next().unwrap_or(&Fr::ZERO);
            }
        }
        let mut parts = Vec::new();
        let fixed = entered.of(Source::Weights).chunks(elements).zip(&key.quotients);
        for (i, (values, quotients)) in fixed.enumerate() {
            parts.push(Fixed { factor: factor(Source::Weights, i), values, quotients });
        }
        let private = hidden.private.iter().flat_map(|private| private.parts());
        for (i, (values, (quotients, of_part))) in
            entered.of(Source::Private).chunks(elements).zip(private).enumerate()
        {
            let factor = factor(Source::Private, i);
            blind += factor * of_part;
            parts.push(Fixed { factor, values, quotients });
        }
        Self { lanes, own, blind, parts }
    }

    /// All of it.
    fn combined(self) -> Vec<Fr> {
        let Self { lanes, mut own, blind, parts } = self;
        for Fixed { factor, values, .. } in parts {
            values.add_to(lanes, &mut own, &factor);
        }
        let mut out = all_left(lanes, &own);
        out.push(blind);
        out
    }

    /// `h_i = Σ_j eq(u_lo, j) f_{ib + j}`.
    fn rows(&self, low: &[Fr]) -> Vec<Fr> {
        let weights = all_entered(self.lanes, low);
        let (lanes, length) = (self.lanes, weights.len());
        let of = |vector: Vector<'_, L>| -> Vec<Fr> {
            let row = |i: usize| vector.part(i * length..(i + 1) * length).dot(lanes, &weights);
            (0..vector.len().div_ceil(length)).into_par_iter().map(row).collect()
        };
        let mut h = of(Vector::Elements(&self.own));
        for Fixed { factor, values, .. } in &self.parts {
            add_scaled(&mut h, *factor, &of(*values));
        }
        h.push(self.blind * low[0]);
        h
    }

    /// `(q, g)` with `f = (X^b − α) q + g`; `q` without the parts that were committed to before.
    fn divided(&self, alpha: Fr, b: usize) -> (Vec<Fr>, Vec<Fr>) {
        let (lanes, elements) = (self.lanes, b / L::WIDTH);
        let rows = self.own.chunks(elements);
        let divide = Divide { rows, last: lanes.load(&[self.blind]), alpha: lanes.scalar(&alpha) };
        let (mut quotient, mut g) = lanes.run(divide);
        quotient.reverse();
        let mut quotient = all_left(lanes, &quotient.concat());
        // Of the last row there is one coefficient.
        quotient.truncate(quotient.len() + 1 - b);
        for Fixed { factor, values, .. } in &self.parts {
            let count = values.len().div_ceil(elements);
            let factors = powers(alpha, count).into_iter().enumerate();
            let runs: Vec<(usize, L::Scalar)> =
                factors.map(|(row, power)| (row * elements, lanes.scalar(&(power * factor)))).collect();
            let sum = values.sum_of_runs(lanes, &runs, elements);
            Vector::Elements(&sum).add_to(lanes, &mut g, &Fr::ONE);
        }
        (quotient, all_left(lanes, &g))
    }
}

/// Opens the folded vector at the point.
pub(super) fn prove<L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    vectors: (&Vectors<'_>, &Entered<'_, L>),
    hidden: Hidden<'_>,
    folded: &Folded,
    point: &[Fr],
    writer: &mut Writer<'_>,
) -> Result<()> {
    let opening = &key.program.opening;
    if opening.is_whole() {
        return whole::prove(
            lanes,
            key,
            &Opened::new(lanes, key, vectors, hidden, folded).combined(),
            point,
            writer,
        );
    }
    let of_masks = folded.get(&(Source::Masks, 0)).copied().unwrap_or(Fr::ZERO);
    let inverse = Option::<Fr>::from(of_masks.invert()).ok_or(Error::Unlucky)?;
    let folded: Folded = folded.iter().map(|(at, factor)| (*at, *factor * inverse)).collect();
    let commit = |p: &[Fr]| -> G1Affine { zkml_msm::full(p, &key.powers).to_affine() };
    let (low, high) = point[..opening.bits as usize].split_at(opening.column_bits as usize);
    let b = opening.columns() as usize;
    let f = Opened::new(lanes, key, vectors, hidden, &folded);
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
    let mut s = symmetric(lanes, &g, low);
    add_scaled(&mut s, gamma, &symmetric(lanes, &h, high));
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
