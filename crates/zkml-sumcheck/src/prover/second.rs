//! The second sumcheck: the committed vectors against the folded functionals.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::collections::BTreeMap;
use zkml_curve::scalar_from_word;
use zkml_lanes::Lanes;
use zkml_protocol::{
    Word,
    sumcheck::{
        Axis, Challenge, Claim, Claimed, Factor, Index, MaskWeight, Part, Point, SlotId, Source, Term, claims,
    },
};

use super::{
    ProvingKey, Vectors,
    pairs::{Fixed, Pair, Sparse, at_fixed},
    writer::Writer,
};
use crate::{
    error::{Error, Result},
    field::powers,
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

fn all_claims(key: &ProvingKey, writer: &Writer<'_>) -> Vec<Claim> {
    writer.claims(claims(&key.program.system, &key.shape, key.program.opening.bits))
}

/// The part of a vector that a claim's part is about, and the number at which it is evaluated there in all variables.
fn whole(part: &Part, bits: u32) -> Option<((Source, usize), u64)> {
    let ([term], [Point::Fixed(at)]) = (part.form.0.as_slice(), part.points.as_slice()) else { return None };
    let [(base, coefficient)] = term.cells.as_slice() else { return None };
    let all = part.indices == [Index::random(1 << bits)] && term.axes == [Axis::plain(0, 0, 1 << bits)];
    let plain = *coefficient == Word::ONE && part.factor == Factor::One && base % (1 << bits) == 0;
    (all && plain).then_some(((term.source, (base >> bits) as usize), *at))
}

/// The vector without zeros in the end.
fn trimmed(vector: &[Fr]) -> &[Fr] {
    &vector[..vector.iter().rposition(|v| *v != Fr::ZERO).map_or(0, |last| last + 1)]
}

/// Sends what the masks add up to at the fixed points.
pub(super) fn send_mask_sum<L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    vectors: &Vectors<'_>,
    writer: &mut Writer<'_>,
) -> Result<()> {
    let (bits, length) = (key.program.opening.bits, key.program.opening.length() as usize);
    let mut sum = Fr::ZERO;
    for part in all_claims(key, writer).iter().filter(|c| c.value == Claimed::MaskSum).flat_map(|c| &c.parts)
    {
        let ((source, number), at) = whole(part, bits).ok_or_else(unknown)?;
        let vector = vectors.of(source).and_then(|v| v.chunks(length).nth(number)).unwrap_or_default();
        let fixed = Fixed { at: Fr::from(at), factor: Fr::ONE };
        sum += if source == Source::Masks {
            Sparse::new(vector, BTreeMap::new(), vec![fixed]).inner(bits)
        } else {
            at_fixed(lanes, trimmed(vector), fixed.at, bits)
        };
    }
    writer.scalars(SlotId::MaskSum, &[sum])
}

fn unknown() -> Error {
    Error::Defect("a claim about masks is of another form".into())
}

/// The folded functional of all claims.
#[derive(Default)]
struct Functional {
    /// Weights by address, as far as any claim reaches.
    tables: BTreeMap<Source, Vec<Fr>>,
    /// Of single cells of the masks.
    masks: BTreeMap<usize, Fr>,
    /// Weights of whole parts.
    fixed: BTreeMap<(Source, usize), Vec<Fixed>>,
}

/// One more than the highest address that a term reads.
fn reach(term: &Term) -> usize {
    let axes: u64 = term.axes.iter().map(|a| (a.bound.min(1 << a.bits) - 1) << a.bit).sum();
    let base = term.cells.iter().map(|(base, _)| *base).max().unwrap_or(0);
    (base + axes + 1) as usize
}

impl Functional {
    fn new(key: &ProvingKey, vectors: &Vectors<'_>, writer: &Writer<'_>) -> Result<Self> {
        let claims = all_claims(key, writer);
        let etas = powers(writer.challenge(Challenge::Eta)?, claims.len());
        let known = Challenges { writer };
        let mut out = Self::default();
        let mut parts = Vec::new();
        for (claim, eta) in claims.iter().zip(&etas) {
            for part in &claim.parts {
                match whole(part, key.program.opening.bits) {
                    Some((of, at)) => {
                        let fixed = Fixed { at: Fr::from(at), factor: *eta };
                        out.fixed.entry(of).or_default().push(fixed);
                    }
                    None => parts.push((part, *eta)),
                }
            }
            for (at, weight) in &claim.masks {
                *out.masks.entry(*at as usize).or_default() += *eta * known.mask(*weight)?;
            }
        }
        for term in parts.iter().flat_map(|(part, _)| &part.form.0) {
            let Some(vector) = vectors.of(term.source) else { continue };
            let table = out.tables.entry(term.source).or_default();
            table.resize(table.len().max(reach(term).min(vector.len())), Fr::ZERO);
        }
        if out.tables.contains_key(&Source::Masks) {
            return Err(unknown());
        }
        for (part, eta) in parts {
            known.add(&mut out.tables, part, eta)?;
        }
        Ok(out)
    }
}

/// Rounds of the second sumcheck.
pub(super) fn prove<L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    vectors: &Vectors<'_>,
    writer: &mut Writer<'_>,
) -> Result<Folded> {
    let functional = Functional::new(key, vectors, writer)?;
    let (bits, length) = (key.program.opening.bits, key.program.opening.length() as usize);
    let fixed = functional.fixed;
    let fixed = |at: (Source, usize)| fixed.get(&at).map_or(&[][..], Vec::as_slice);
    let parts = [Source::Witness, Source::Weights, Source::Helpers].into_iter().flat_map(|source| {
        let functional = functional.tables.get(&source).map_or(&[][..], Vec::as_slice);
        let mut functional = functional.chunks(length);
        let parts = vectors.of(source).unwrap_or_default().chunks(length).enumerate();
        parts.map(move |(part, vector)| ((source, part), vector, functional.next().unwrap_or_default()))
    });
    let parts: Vec<_> = parts.collect();
    let pair = |(at, vector, functional): &((Source, usize), &[Fr], &[Fr])| {
        (*at, Pair::new(lanes, trimmed(vector), functional, fixed(*at), bits))
    };
    let mut pairs: Vec<((Source, usize), Pair<L>)> = parts.par_iter().map(pair).collect();
    let mut masks = Sparse::new(vectors.masks, functional.masks, fixed((Source::Masks, 0)).to_vec());
    drop(parts);
    for v in (0..key.shape.second_variables).rev() {
        let (mut constant, mut square) = masks.round(v);
        for (c, s) in pairs.par_iter().map(|(_, pair)| pair.round(v)).collect::<Vec<_>>() {
            constant += c;
            square += s;
        }
        writer.scalars(SlotId::Second(v), &[constant, square])?;
        let r = writer.challenge(Challenge::Second(v))?;
        masks.bind(v, r);
        pairs.par_iter_mut().for_each(|(_, pair)| pair.bind(v, r));
    }
    let masks = ((Source::Masks, 0), masks.value());
    Ok(pairs.into_iter().map(|(at, pair)| (at, pair.value())).chain([masks]).collect())
}
