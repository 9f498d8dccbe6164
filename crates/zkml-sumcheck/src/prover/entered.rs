//! The vectors of a proof in lanes.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use zkml_lanes::{Kernel, Lanes};
use zkml_protocol::sumcheck::Source;

use super::Vectors;
use crate::Integers;

/// Elements that a thread takes at once.
const CHUNK: usize = 512;

/// Elements of a long vector.
pub(super) fn all_entered<L: Lanes>(lanes: L, values: &[Fr]) -> Vec<L::Element> {
    let mut out = vec![lanes.zero(); values.len().div_ceil(L::WIDTH)];
    let parts = out.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK * L::WIDTH));
    parts.for_each(|(out, values)| zkml_lanes::enter(lanes, values, out));
    out
}

/// Elements of a long vector of integers.
fn integers_entered<L: Lanes>(lanes: L, values: &Integers) -> Vec<L::Element> {
    let mut out = vec![lanes.zero(); values.len().div_ceil(L::WIDTH)];
    let cells = |part: usize| values.cells(part * CHUNK * L::WIDTH..(part + 1) * CHUNK * L::WIDTH);
    let parts = out.par_chunks_mut(CHUNK).enumerate();
    parts.for_each(|(part, out)| zkml_lanes::enter(lanes, &cells(part), out));
    out
}

/// The numbers of elements.
pub(super) fn all_left<L: Lanes>(lanes: L, elements: &[L::Element]) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; elements.len() * L::WIDTH];
    let parts = elements.par_chunks(CHUNK).zip(out.par_chunks_mut(CHUNK * L::WIDTH));
    parts.for_each(|(elements, out)| zkml_lanes::leave(lanes, elements, out));
    out
}

/// Adds a multiple of a vector to another.
struct AddScaled<'a, L: Lanes> {
    sum: &'a mut [L::Element],
    vector: &'a [L::Element],
    factor: L::Scalar,
}

impl<L: Lanes> Kernel<L> for AddScaled<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        for (sum, value) in self.sum.iter_mut().zip(self.vector) {
            *sum = lanes.add(sum, &lanes.scale(value, &self.factor));
        }
    }
}

/// Adds a multiple of a vector to another, on all cores.
pub(super) fn add_elements<L: Lanes>(lanes: L, sum: &mut [L::Element], factor: &Fr, vector: &[L::Element]) {
    const SIZE: usize = 128;
    let factor = lanes.scalar(factor);
    let parts = sum.par_chunks_mut(SIZE).zip(vector.par_chunks(SIZE));
    parts.for_each(|(sum, vector)| lanes.run(AddScaled { sum, vector, factor }));
}

/// The vectors of one proof in lanes.
pub(super) struct Entered<L: Lanes> {
    witness: Vec<L::Element>,
    weights: Vec<L::Element>,
    helpers: Vec<L::Element>,
    private: Vec<L::Element>,
}

impl<L: Lanes> Entered<L> {
    /// All vectors but the masks; the witness is in lanes already.
    pub(super) fn new(lanes: L, witness: Vec<L::Element>, vectors: &Vectors<'_>) -> Self {
        let [helpers, private] = [&vectors.helpers, vectors.private].map(|vector| all_entered(lanes, vector));
        let weights = integers_entered(lanes, vectors.weights);
        Self { witness, weights, helpers, private }
    }

    /// A vector, or nothing for one that is not kept in lanes.
    pub(super) fn of(&self, source: Source) -> &[L::Element] {
        match source {
            Source::Witness => &self.witness,
            Source::Weights => &self.weights,
            Source::Helpers => &self.helpers,
            Source::Private => &self.private,
            Source::One | Source::Masks => &[],
        }
    }

    /// Cells of a vector.
    pub(super) fn cut<'a>(
        &'a self,
        lanes: L,
        vectors: &Vectors<'_>,
        (source, cells): (Source, Range<usize>),
    ) -> Cow<'a, [L::Element]> {
        let own = self.of(source);
        let (start, end) = (cells.start / L::WIDTH, cells.end / L::WIDTH);
        match own.get(start..end) {
            Some(elements) if cells.start % L::WIDTH == 0 && cells.end % L::WIDTH == 0 => {
                Cow::Borrowed(elements)
            }
            _ => {
                let values = vectors.of(source).map_or_else(Vec::new, |v| v.part(cells));
                Cow::Owned(zkml_lanes::entered(lanes, &values))
            }
        }
    }
}
