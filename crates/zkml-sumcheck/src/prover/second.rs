//! The second sumcheck: the committed vectors against the folded functionals.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::collections::BTreeMap;
use zkml_lanes::Lanes;
use zkml_protocol::sumcheck::{Challenge, Claimed, SlotId, Source};

use super::{
    Entered, ProvingKey, Vectors, all_entered,
    functionals::{Functional, Table, all_claims, unknown, whole},
    halves::{Halves, HalvesPair},
    pairs::{Coefficients, Fixed, Pair, Sparse, at_fixed},
    writer::Writer,
};
use crate::{error::Result, vector::Vector};

/// The folded functionals at the point where the second sumcheck ends, by vector and part.
pub(super) type Folded = BTreeMap<(Source, usize), Fr>;

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
        let part = number * length..(number + 1) * length;
        let vector = vectors.of(source).map_or_else(Vec::new, |v| v.part(part));
        let fixed = Fixed { at: Fr::from(at), factor: Fr::ONE };
        sum += if source == Source::Masks {
            Sparse::new(&vector, BTreeMap::new(), vec![fixed]).inner(bits)
        } else {
            at_fixed(lanes, &all_entered(lanes, &vector), fixed.at, bits)
        };
    }
    writer.scalars(SlotId::MaskSum, &[sum])
}

/// A part of a vector against its functional.
enum Summed<'a, L: Lanes> {
    Whole(Pair<'a, L>),
    Halves(HalvesPair<'a, L>),
}

impl<'a, L: Lanes> Summed<'a, L> {
    /// The vector is zero after the elements given, of `2^variables` numbers.
    fn new(lanes: L, vector: Vector<'a, L>, (table, fixed): &(Table<L>, Vec<Fixed>), variables: u32) -> Self {
        match Halves::new(lanes, table, fixed, variables, vector.len() * L::WIDTH) {
            Some(halves) => Self::Halves(HalvesPair::new(lanes, vector, halves)),
            None => {
                Self::Whole(Pair::new(lanes, vector.elements(lanes), table.summed(lanes), fixed, variables))
            }
        }
    }

    fn round(&self, v: u32) -> Coefficients {
        match self {
            Self::Whole(pair) => pair.round(v),
            Self::Halves(pair) => pair.round(v),
        }
    }

    fn bind(&mut self, v: u32, r: Fr) {
        match self {
            Self::Whole(pair) => pair.bind(v, r),
            Self::Halves(pair) => pair.bind(v, r),
        }
    }

    fn value(&self) -> Fr {
        match self {
            Self::Whole(pair) => pair.value(),
            Self::Halves(pair) => pair.value(),
        }
    }
}

/// Rounds of the second sumcheck.
pub(super) fn prove<L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    vectors: &Vectors<'_>,
    entered: &Entered<'_, L>,
    writer: &mut Writer<'_>,
) -> Result<Folded> {
    let mut functional = Functional::new(lanes, key, vectors, writer)?;
    let (bits, length) = (key.program.opening.bits, key.program.opening.length() as usize);
    let mut pairs = Vec::new();
    for source in Source::COMMITTED.into_iter().filter(|source| *source != Source::Masks) {
        let Some(values) = vectors.of(source) else { continue };
        for (part, vector) in entered.of(source).chunks(length / L::WIDTH).enumerate() {
            // Zeros in the end are left out.
            let (start, end) = (part * length, values.len().min((part + 1) * length));
            let used = values.last(start..end).map_or(0, |last| last + 1 - start);
            let (vector, at) = (vector.part(0..used.div_ceil(L::WIDTH)), (source, part));
            pairs.push((at, Summed::new(lanes, vector, &functional.of(at), bits)));
        }
    }
    let (_, fixed) = functional.of((Source::Masks, 0));
    let mut masks = Sparse::new(vectors.masks, functional.masks, fixed);
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
