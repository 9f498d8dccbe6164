//! The vectors of a proof in lanes.

use std::borrow::Cow;
use std::ops::Range;
use zkml_lanes::Lanes;
use zkml_protocol::sumcheck::Source;

use super::Vectors;
use crate::vector::{Kept, Vector, all_entered};

/// The vectors of one proof in lanes.
pub(super) struct Entered<'a, L: Lanes> {
    witness: Vec<L::Element>,
    weights: Kept<'a, L>,
    helpers: Vec<L::Element>,
    private: Vec<L::Element>,
}

impl<'a, L: Lanes> Entered<'a, L> {
    /// All vectors but the masks; the witness is in lanes already.
    pub(super) fn new(lanes: L, witness: Vec<L::Element>, vectors: &Vectors<'a>) -> Self {
        let [helpers, private] = [&vectors.helpers, vectors.private].map(|vector| all_entered(lanes, vector));
        let weights = Kept::new(lanes, vectors.weights);
        Self { witness, weights, helpers, private }
    }

    /// A vector, or nothing for one that is not kept in lanes.
    pub(super) fn of(&self, source: Source) -> Vector<'_, L> {
        Vector::Elements(match source {
            Source::Witness => &self.witness,
            Source::Weights => return self.weights.as_vector(),
            Source::Helpers => &self.helpers,
            Source::Private => &self.private,
            Source::One | Source::Masks => &[],
        })
    }

    /// Cells of a vector.
    pub(super) fn cut(
        &self,
        lanes: L,
        vectors: &Vectors<'_>,
        (source, cells): (Source, Range<usize>),
    ) -> Cow<'_, [L::Element]> {
        let own = self.of(source);
        let (start, end) = (cells.start / L::WIDTH, cells.end / L::WIDTH);
        match end <= own.len() && cells.start % L::WIDTH == 0 && cells.end % L::WIDTH == 0 {
            true => own.part(start..end).elements(lanes),
            false => {
                let values = vectors.of(source).map_or_else(Vec::new, |v| v.part(cells));
                Cow::Owned(zkml_lanes::entered(lanes, &values))
            }
        }
    }
}
