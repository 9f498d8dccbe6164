//! The folded functional of all claims of the second sumcheck.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use zkml_curve::scalar_from_word;
use zkml_lanes::{Kernel, Lanes};
use zkml_protocol::{
    Word,
    sumcheck::{Axis, Challenge, Claim, Factor, Index, MaskWeight, Part, Point, Source, Term, claims},
};

use super::{ProvingKey, Vectors, all_entered, pairs::Fixed, writer::Writer};
use crate::{
    error::{Error, Result},
    field::powers,
    functional::{Spread, index_weights, spread},
};

/// All claims, as the adversary wants them.
pub(super) fn all_claims(key: &ProvingKey, writer: &Writer<'_>) -> Vec<Claim> {
    writer.claims(claims(&key.program.system, &key.shape, key.program.opening.bits))
}

/// The part of a vector that a claim's part is about, and the number at which it is evaluated there in all variables.
pub(super) fn whole(part: &Part, bits: u32) -> Option<((Source, usize), u64)> {
    let ([term], [Point::Fixed(at)]) = (part.form.0.as_slice(), part.points.as_slice()) else { return None };
    let [(base, coefficient)] = term.cells.as_slice() else { return None };
    let all = part.indices == [Index::random(1 << bits)] && term.axes == [Axis::plain(0, 0, 1 << bits)];
    let plain = *coefficient == Word::ONE && part.factor == Factor::One && base % (1 << bits) == 0;
    (all && plain).then_some(((term.source, (base >> bits) as usize), *at))
}

/// Masks are summed as few cells: nothing else is known of them.
pub(super) fn unknown() -> Error {
    Error::Defect("a claim about masks is of another form".into())
}

/// The folded functional of all claims.
pub(super) struct Functional<L: Lanes> {
    /// By part of a vector; nothing for parts that no claim reaches.
    tables: BTreeMap<(Source, usize), Table<L>>,
    /// Of single cells of the masks.
    pub(super) masks: BTreeMap<usize, Fr>,
    /// Weights of whole parts.
    pub(super) fixed: BTreeMap<(Source, usize), Vec<Fixed>>,
}

/// Weights by address in a part of a vector, as far as any claim reaches.
pub(super) struct Table<L: Lanes> {
    reach: usize,
    /// Weights that follow each other, from whole elements on.
    pub(super) runs: Vec<Run<L>>,
    /// All others, if there are some.
    pub(super) rest: Vec<Fr>,
}

impl<L: Lanes> Default for Table<L> {
    fn default() -> Self {
        Self { reach: 0, runs: vec![], rest: vec![] }
    }
}

/// Weights at consecutive addresses.
pub(super) struct Run<L: Lanes> {
    /// The first element that they are at.
    pub(super) start: usize,
    pub(super) factor: Fr,
    pub(super) weights: Arc<InLanes<L>>,
    /// Those of the weights that are meant, in elements.
    pub(super) own: Range<usize>,
}

/// Weights of an index, or of several.
pub(super) struct InLanes<L: Lanes> {
    pub(super) elements: Vec<L::Element>,
    /// The weights are products, one number of each pair, for all choices; not known if there are none.
    pub(super) pairs: Vec<(Fr, Fr)>,
}

struct AddRuns<'a, L: Lanes> {
    part: &'a mut [L::Element],
    /// The number of the first element.
    start: usize,
    runs: &'a [(&'a Run<L>, L::Scalar)],
}

impl<L: Lanes> Kernel<L> for AddRuns<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        let end = self.start + self.part.len();
        for (run, factor) in self.runs {
            let (from, to) = (run.start.max(self.start), (run.start + run.own.len()).min(end));
            if from >= to {
                continue;
            }
            let weights = &run.weights.elements[run.own.clone()][from - run.start..to - run.start];
            for (cell, weight) in self.part[from - self.start..].iter_mut().zip(weights) {
                *cell = lanes.add(cell, &lanes.scale(weight, factor));
            }
        }
    }
}

impl<L: Lanes> Table<L> {
    /// All weights as one vector.
    pub(super) fn summed(&self, lanes: L) -> Vec<L::Element> {
        let mut out = all_entered(lanes, &self.rest);
        out.resize(self.reach.div_ceil(L::WIDTH), lanes.zero());
        let size = out.len().div_ceil(4 * rayon::current_num_threads()).max(64);
        let runs: Vec<_> = self.runs.iter().map(|run| (run, lanes.scalar(&run.factor))).collect();
        out.par_chunks_mut(size).enumerate().for_each(|(number, part)| {
            lanes.run(AddRuns { part, start: number * size, runs: &runs });
        });
        out
    }

    /// Runs alone, up to an address.
    #[cfg(test)]
    pub(super) fn of_runs(reach: usize, runs: Vec<Run<L>>) -> Self {
        Self { reach, runs, rest: vec![] }
    }

    /// The weights that are no runs, to be added to.
    fn rest(&mut self) -> &mut [Fr] {
        self.rest.resize(self.reach, Fr::ZERO);
        &mut self.rest
    }
}

/// Weights of an index, and the same in lanes.
type Weights<L> = (Arc<Vec<Fr>>, Arc<InLanes<L>>);

/// Weights of indices that were computed already, by point and extent.
struct Known<'a, 'b, L: Lanes> {
    challenges: Challenges<'a, 'b>,
    weights: HashMap<(Point, u64), Weights<L>>,
    /// Length of a part of a vector, in numbers.
    length: usize,
}

impl<L: Lanes> Known<'_, '_, L> {
    /// The weights of an index.
    fn of(&mut self, lanes: L, index: &Index, point: &Point) -> Result<Weights<L>> {
        let at = (*point, index.extent);
        if let Some(known) = self.weights.get(&at) {
            return Ok(known.clone());
        }
        let pairs = self.challenges.pairs(index, point)?;
        let weights = index_weights(index, &pairs);
        let elements = all_entered(lanes, &weights);
        let both = (Arc::new(weights), Arc::new(InLanes { elements, pairs }));
        self.weights.insert(at, both.clone());
        Ok(both)
    }

    /// Adds a part of a claim to the tables of the vectors.
    fn add(
        &mut self,
        lanes: L,
        tables: &mut BTreeMap<(Source, usize), Table<L>>,
        part: &Part,
        weight: Fr,
    ) -> Result<()> {
        let pairs = part.indices.iter().zip(&part.points);
        let known = pairs.map(|(i, p)| self.of(lanes, i, p)).collect::<Result<Vec<_>>>()?;
        let weights: Vec<&[Fr]> = known.iter().map(|(weights, _)| weights.as_slice()).collect();
        let factor = weight * self.challenges.factor(part.factor)?;
        for term in part.form.0.iter().filter(|term| term.source != Source::One) {
            let spread = spread(factor, term, &part.indices, &weights);
            let whole = spread.bit == 0 && spread.starts.iter().all(|(start, _)| start % L::WIDTH == 0);
            if !whole || spread.own.len() < L::WIDTH / 2 {
                self.add_rest(tables, term.source, &spread);
                continue;
            }
            let entered = match spread.index {
                Some(i) if spread.own.len() == weights[i].len() => known[i].1.clone(),
                _ => Arc::new(InLanes { elements: all_entered(lanes, &spread.own), pairs: vec![] }),
            };
            let elements = self.length / L::WIDTH;
            for (start, factor) in &spread.starts {
                let (mut at, mut from) = (start / L::WIDTH, 0);
                while from < entered.elements.len() {
                    let (start, to) =
                        (at % elements, entered.elements.len().min(from + elements - at % elements));
                    let run = Run { start, factor: *factor, weights: entered.clone(), own: from..to };
                    // Beyond the reach of all claims there are only zeros.
                    if let Some(table) = tables.get_mut(&(term.source, at / elements)) {
                        table.runs.push(run);
                    }
                    (at, from) = (at + to - from, to);
                }
            }
        }
        Ok(())
    }

    /// Adds what is no run.
    fn add_rest(
        &self,
        tables: &mut BTreeMap<(Source, usize), Table<L>>,
        source: Source,
        spread: &Spread<'_>,
    ) {
        let span = (spread.own.len().saturating_sub(1) << spread.bit) + 1;
        for (start, factor) in &spread.starts {
            let (part, at) = (start / self.length, start % self.length);
            if at + span <= self.length {
                let Some(table) = tables.get_mut(&(source, part)) else { continue };
                spread.add_to(table.rest(), at, factor);
                continue;
            }
            for (i, weight) in spread.own.iter().enumerate() {
                let address = start + (i << spread.bit);
                let table = tables.get_mut(&(source, address / self.length));
                // Beyond the reach of all claims there are only zeros.
                if let Some(cell) = table.and_then(|t| t.rest().get_mut(address % self.length)) {
                    *cell += *factor * weight;
                }
            }
        }
    }
}

/// One more than the highest address that a term reads.
fn reach(term: &Term) -> usize {
    let axes: u64 = term.axes.iter().map(|a| (a.bound.min(1 << a.bits) - 1) << a.bit).sum();
    let base = term.cells.iter().map(|(base, _)| *base).max().unwrap_or(0);
    (base + axes + 1) as usize
}

impl<L: Lanes> Functional<L> {
    /// The functional of all claims.
    pub(super) fn new(
        lanes: L,
        key: &ProvingKey,
        vectors: &Vectors<'_>,
        writer: &Writer<'_>,
    ) -> Result<Self> {
        let claims = all_claims(key, writer);
        let etas = powers(writer.challenge(Challenge::Eta)?, claims.len());
        let length = key.program.opening.length() as usize;
        let mut known = Known { challenges: Challenges { writer }, weights: HashMap::new(), length };
        let mut out = Self { tables: BTreeMap::new(), masks: BTreeMap::new(), fixed: BTreeMap::new() };
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
                *out.masks.entry(*at as usize).or_default() += *eta * known.challenges.mask(*weight)?;
            }
        }
        for term in parts.iter().flat_map(|(part, _)| &part.form.0) {
            if term.source == Source::Masks {
                return Err(unknown());
            }
            let Some(vector) = vectors.of(term.source) else { continue };
            let reach = reach(term).min(vector.len());
            for part in 0..reach.div_ceil(length) {
                let table = out.tables.entry((term.source, part)).or_default();
                table.reach = table.reach.max((reach - part * length).min(length));
            }
        }
        for (part, eta) in parts {
            known.add(lanes, &mut out.tables, part, eta)?;
        }
        Ok(out)
    }

    /// The weights of a part of a vector, and those of the whole part.
    pub(super) fn of(&mut self, at: (Source, usize)) -> (Table<L>, Vec<Fixed>) {
        (self.tables.remove(&at).unwrap_or_default(), self.fixed.remove(&at).unwrap_or_default())
    }
}

/// Challenges that functionals depend on.
struct Challenges<'a, 'b> {
    writer: &'a Writer<'b>,
}

impl Challenges<'_, '_> {
    /// Pairs of numbers that the weights of an index are products of.
    fn pairs(&self, index: &Index, point: &Point) -> Result<Vec<(Fr, Fr)>> {
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
        Ok(match point {
            Point::Relation(from) => slice(*from, Challenge::Relation)?,
            Point::Row(from) => slice(*from, Challenge::First)?,
            Point::Fixed(value) => vec![eq(Fr::from(*value)); bits as usize],
            Point::Packed(base) => power(scalar_from_word(base).unwrap_or(Fr::ZERO), 1),
            Point::Sequence(stride) => power(self.writer.challenge(Challenge::Sequence)?, *stride),
        })
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
}
