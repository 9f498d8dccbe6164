//! The second sumcheck: the committed vectors against the folded functionals.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::collections::BTreeMap;
use zkml_curve::scalar_from_word;
use zkml_protocol::sumcheck::{
    Challenge, Claim, Claimed, Factor, Index, MaskWeight, Part, Point, SlotId, Source, claims,
};

use super::{ProvingKey, Vectors, writer::Writer};
use crate::{
    error::Result,
    field::{bind, inner, powers},
    functional::{add_functional, index_weights},
};

/// The folded functionals at the point where the second sumcheck ends, by vector and part.
pub(super) type Folded = BTreeMap<(Source, usize), Fr>;

/// Challenges that functionals depend on.
struct Challenges<'a, 'b> {
    writer: &'a Writer<'b>,
}

impl Challenges<'_, '_> {
    fn weights(&self, index: &Index, point: &Point) -> Result<Vec<Fr>> {
        let bits = index.bits();
        let eq = |x: Fr| (Fr::ONE - x, x);
        let slice = |from: u32, which: fn(u32) -> Challenge| {
            (from..from + bits).map(|i| Ok(eq(self.writer.challenge(which(i))?))).collect::<Result<Vec<_>>>()
        };
        let power = |base: Fr, stride: u64| {
            let first = base.pow_vartime([stride]);
            std::iter::successors(Some(first), |p| Some(*p * p))
                .take(bits as usize)
                .map(|p| (Fr::ONE, p))
                .collect()
        };
        let pairs: Vec<(Fr, Fr)> = match point {
            Point::Relation(from) => slice(*from, Challenge::Relation)?,
            Point::Row(from) => slice(*from, Challenge::First)?,
            Point::Fixed(value) => vec![eq(Fr::from(*value)); bits as usize],
            Point::Packed(base) => power(scalar_from_word(base).unwrap_or(Fr::ZERO), 1),
            Point::Sequence(stride) => power(self.writer.challenge(Challenge::Sequence)?, *stride),
        };
        Ok(index_weights(index, &pairs))
    }

    fn factor(&self, factor: Factor) -> Result<Fr> {
        Ok(match factor {
            Factor::One => Fr::ONE,
            Factor::Gamma(power) => self.writer.challenge(Challenge::Gamma)?.pow_vartime([u64::from(power)]),
        })
    }

    fn mask(&self, weight: MaskWeight) -> Result<Fr> {
        Ok(match weight {
            MaskWeight::Shift(bits) => Fr::from(2).pow_vartime([u64::from(bits)]),
            MaskWeight::Power(variable, exponent) => {
                self.writer.challenge(Challenge::First(variable))?.pow_vartime([u64::from(exponent)])
            }
            MaskWeight::Evaluation => {
                let x = self.writer.challenge(Challenge::First(0))?;
                x * (Fr::ONE - x)
            }
        })
    }

    /// Adds a part of a claim to the tables of the vectors.
    fn add(&self, tables: &mut BTreeMap<Source, Vec<Fr>>, part: &Part, weight: Fr) -> Result<()> {
        let pairs = part.indices.iter().zip(&part.points);
        let weights = pairs.map(|(i, p)| self.weights(i, p)).collect::<Result<Vec<_>>>()?;
        let factor = weight * self.factor(part.factor)?;
        for term in &part.form.0 {
            if let Some(table) = tables.get_mut(&term.source) {
                add_functional(table, factor, term, &part.indices, &weights);
            }
        }
        Ok(())
    }
}

fn tables(vectors: &Vectors<'_>, sources: &[Source]) -> BTreeMap<Source, Vec<Fr>> {
    let length = |s: Source| vectors.of(s).map_or(0, <[Fr]>::len);
    sources.iter().map(|s| (*s, vec![Fr::ZERO; length(*s)])).collect()
}

fn all_claims(key: &ProvingKey, writer: &Writer<'_>) -> Vec<Claim> {
    writer.claims(claims(&key.program.system, &key.shape, key.program.opening.bits))
}

/// Sends what the masks add up to at the fixed points.
pub(super) fn send_mask_sum(key: &ProvingKey, vectors: &Vectors<'_>, writer: &mut Writer<'_>) -> Result<()> {
    // Nothing else is read: witness and weights are the longest vectors.
    let mut tables = tables(vectors, &[Source::Helpers, Source::Masks]);
    for claim in all_claims(key, writer).iter().filter(|c| c.value == Claimed::MaskSum) {
        for part in &claim.parts {
            Challenges { writer }.add(&mut tables, part, Fr::ONE)?;
        }
    }
    let sum = tables.iter().map(|(s, t)| vectors.of(*s).map_or(Fr::ZERO, |v| inner(v, t))).sum();
    writer.scalars(SlotId::MaskSum, &[sum])
}

/// Rounds of the second sumcheck.
pub(super) fn prove(key: &ProvingKey, vectors: &Vectors<'_>, writer: &mut Writer<'_>) -> Result<Folded> {
    let mut functionals = tables(vectors, &Source::COMMITTED);
    let claims = all_claims(key, writer);
    let etas = powers(writer.challenge(Challenge::Eta)?, claims.len());
    let known = Challenges { writer };
    for (claim, eta) in claims.iter().zip(&etas) {
        for part in &claim.parts {
            known.add(&mut functionals, part, *eta)?;
        }
        if let Some(table) = functionals.get_mut(&Source::Masks) {
            for (at, weight) in &claim.masks {
                table[*at as usize] += *eta * known.mask(*weight)?;
            }
        }
    }
    let length = key.program.opening.length() as usize;
    let mut pairs = Vec::new();
    for (source, functional) in functionals {
        let vector = vectors.of(source).unwrap_or_default();
        for (part, (v, f)) in vector.chunks(length).zip(functional.chunks(length)).enumerate() {
            pairs.push(((source, part), v.to_vec(), f.to_vec()));
        }
    }
    for v in (0..key.shape.second_variables).rev() {
        let half = 1usize << v;
        let (mut constant, mut square) = (Fr::ZERO, Fr::ZERO);
        for (_, vector, functional) in &pairs {
            let (c, s) = coefficients(vector, functional, half);
            constant += c;
            square += s;
        }
        writer.scalars(SlotId::Second(v), &[constant, square])?;
        let r = writer.challenge(Challenge::Second(v))?;
        for (_, vector, functional) in &mut pairs {
            bind(vector, r);
            bind(functional, r);
        }
    }
    Ok(pairs.into_iter().map(|(at, _, f)| (at, f[0])).collect())
}

/// Constant and quadratic coefficient of `Σ_x p(x, X) q(x, X)`.
fn coefficients(p: &[Fr], q: &[Fr], half: usize) -> (Fr, Fr) {
    let ((p0, p1), (q0, q1)) = (p.split_at(half), q.split_at(half));
    let at = |i: usize| (p0[i] * q0[i], (p1[i] - p0[i]) * (q1[i] - q0[i]));
    let add = |a: (Fr, Fr), b: (Fr, Fr)| (a.0 + b.0, a.1 + b.1);
    (0..half).into_par_iter().with_min_len(1 << 10).map(at).reduce(|| (Fr::ZERO, Fr::ZERO), add)
}
