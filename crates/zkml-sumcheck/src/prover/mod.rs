//! Proofs of a program: any witness of the right shape gives one, and a bad one gives a proof that verifiers refuse.

pub(crate) mod adversary;
mod entered;
mod first;
mod fractions;
mod functionals;
mod gates;
mod halves;
mod items;
mod made;
mod masks;
mod opening;
mod pairs;
mod private;
mod rows;
mod second;
mod whole;
mod writer;

use halo2curves::bn256::{Fr, G1, G1Affine};
use halo2curves::group::Curve;
use rayon::prelude::*;
use std::{ops::Range, sync::Arc};
use zkml_curve::scalar_word;
use zkml_lanes::{Choice, Lanes};
use zkml_protocol::{
    Word,
    sumcheck::{Challenge, Opening, Program, Shape, SlotId, Source},
};

pub use made::Made;
pub(crate) use made::made;
pub use masks::Masks;
pub use private::PrivateWeights;

use crate::{
    error::{Error, Result},
    field::from_i64,
    integers::{Cells, Integers},
    vector::all_entered,
};
use adversary::{Adversary, Honest};
use entered::Entered;
use writer::Writer;

/// A program with what its prover needs besides.
#[derive(Debug)]
pub struct ProvingKey {
    pub(crate) program: Program,
    pub(crate) digest: Word,
    pub(crate) shape: Shape,
    /// `[τ^i]₁` for `i` up to `N`.
    pub(crate) powers: Vec<G1Affine>,
    /// The vector `W`, padded to whole parts.
    pub(crate) weights: Arc<Integers>,
    /// For each part of `W`: `[Σ_{i>d} X^(b(i−d−1)) W_i(X)]₁`, by row `d` of the matrix.
    pub(crate) quotients: Vec<Vec<G1Affine>>,
}

/// Values of a run: the grid, column by column, and the instances.
#[derive(Clone, Default)]
pub struct Witness {
    /// Small integers, by address.
    pub grid: Vec<i64>,
    /// Small integers after the multiplicities.
    pub loose: Vec<i64>,
    /// Cells that hold field elements, by address; zero in `grid`.
    pub wide: Vec<(usize, Fr)>,
    /// Public field elements.
    pub instances: Vec<Fr>,
    /// Private weights, where the program has some.
    pub private: Option<Arc<PrivateWeights>>,
}

/// Values are secret.
impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness").field("cells", &self.grid.len()).finish_non_exhaustive()
    }
}

/// The committed vectors of one proof.
struct Vectors<'a> {
    witness: Vec<Fr>,
    weights: &'a Integers,
    helpers: Vec<Fr>,
    masks: &'a [Fr],
    private: &'a [Fr],
}

impl Vectors<'_> {
    fn of(&self, source: Source) -> Option<Cells<'_>> {
        match source {
            Source::One => None,
            Source::Witness => Some(Cells::Elements(&self.witness)),
            Source::Weights => Some(Cells::Integers(self.weights)),
            Source::Helpers => Some(Cells::Elements(&self.helpers)),
            Source::Masks => Some(Cells::Elements(self.masks)),
            Source::Private => Some(Cells::Elements(self.private)),
        }
    }
}

impl ProvingKey {
    /// What its proofs are verified with.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The key of a program whose proofs begin with `digest`. `powers` are `[τ^i]₁` up to `N`, `weights` the vector `W`.
    ///
    /// # Errors
    /// [`Error::Defect`] for vectors of other lengths.
    pub fn new(
        program: Program,
        digest: Word,
        powers: Vec<G1Affine>,
        weights: Arc<Integers>,
    ) -> Result<Self> {
        let shape = program.shape().ok_or_else(|| Error::Defect("the program has no shape".into()))?;
        let length = program.opening.length() as usize;
        if powers.len() <= length || weights.len() != length * program.weights.commitments.len() {
            return Err(Error::Defect("setup or weights do not fit the program".into()));
        }
        let quotients = quotients(&weights, &program.opening, &powers);
        Ok(Self { program, digest, shape, powers, weights, quotients })
    }

    /// A key from points that were made before.
    pub(crate) fn from_parts(
        program: Program,
        powers: Vec<G1Affine>,
        weights: Arc<Integers>,
        quotients: Vec<Vec<G1Affine>>,
    ) -> Result<Self> {
        let shape = program.shape().ok_or_else(|| Error::Defect("the program has no shape".into()))?;
        let digest = program.vk_digest();
        Ok(Self { program, digest, shape, powers, weights, quotients })
    }

    /// A commitment to a part of a vector and its blinding coefficient.
    fn blinded(&self, part: G1, blind: Fr) -> G1Affine {
        (part + self.powers[self.program.opening.length() as usize] * blind).to_affine()
    }

    /// Commitments to all parts of a vector of field elements.
    fn commit(&self, vector: &[Fr], blinds: &[Fr]) -> Vec<G1Affine> {
        let parts = vector.chunks(self.program.opening.length() as usize).zip(blinds);
        parts.map(|(part, blind)| self.blinded(zkml_msm::full(part, &self.powers), *blind)).collect()
    }
}

/// Number of the last row of a part that is not zero.
fn last_row(values: &Integers, part: Range<usize>, b: usize) -> usize {
    let start = part.start;
    values.last(part).map_or(0, |at| (at - start) / b)
}

/// Points that a key has for each part of a vector.
pub(crate) fn quotient_lengths(values: &Integers, opening: &Opening) -> Vec<usize> {
    let b = opening.columns() as usize;
    values.parts(opening.length() as usize).map(|part| last_row(values, part, b)).collect()
}

/// For each part, `[Σ_{i>d} X^(b(i−d−1)) W_i(X)]₁` for each row `d` of the matrix up to the last that is not zero.
fn quotients(values: &Integers, opening: &Opening, powers: &[G1Affine]) -> Vec<Vec<G1Affine>> {
    let b = opening.columns() as usize;
    let of_part = |part: Range<usize>| {
        let (start, last) = (part.start, last_row(values, part, b));
        // Rows after the last that is not zero give the identity.
        let end = start + (last + 1) * b;
        let of = |d: usize| values.sum(start + (d + 1) * b..end.min(values.len()), powers).to_affine();
        (0..last).into_par_iter().map(of).collect()
    };
    values.parts(opening.length() as usize).map(of_part).collect()
}

/// A phase of a proof, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Committing to the witness and the masks.
    Commit,
    /// Fractions of the lookups, and the commitment to them.
    Lookups,
    /// Both sumchecks.
    Sumchecks,
    /// Opening what is left of them.
    Opening,
}

/// Makes a proof, and tells what it is at. Nothing about the witness is checked.
///
/// # Errors
/// [`Error::Witness`] for one of another shape, [`Error::Unlucky`] if a challenge is degenerate: then other masks help.
pub fn prove(key: &ProvingKey, witness: &Witness, masks: &Masks, begins: &dyn Fn(Phase)) -> Result<Vec<u8>> {
    prove_as(key, witness, masks, &mut Honest, begins)
}

/// Makes a proof as an adversary wants it.
///
/// # Errors
/// As [`prove`].
pub(crate) fn prove_as(
    key: &ProvingKey,
    witness: &Witness,
    masks: &Masks,
    adversary: &mut dyn Adversary,
    begins: &dyn Fn(Phase),
) -> Result<Vec<u8>> {
    zkml_lanes::best(Proof { key, witness, masks, adversary, begins })
}

/// A proof that is about to be made.
pub(crate) struct Proof<'a> {
    pub(crate) key: &'a ProvingKey,
    pub(crate) witness: &'a Witness,
    pub(crate) masks: &'a Masks,
    pub(crate) adversary: &'a mut dyn Adversary,
    pub(crate) begins: &'a dyn Fn(Phase),
}

impl Choice for Proof<'_> {
    type Output = Result<Vec<u8>>;

    fn with<L: Lanes>(self, lanes: L) -> Result<Vec<u8>> {
        let Self { key, witness, masks, adversary, begins } = self;
        let (program, shape) = (&key.program, &key.shape);
        let instances: Vec<Word> = witness.instances.iter().map(scalar_word).collect();
        let cells = (program.system.columns as usize) << program.system.row_bits;
        let loose = witness.loose.len() as u64 != program.system.loose;
        if witness.grid.len() != cells || loose || instances.len() != program.system.instances as usize {
            let (got, values) = (witness.grid.len(), instances.len());
            return Err(Error::Witness(format!("{got} cells and {values} public values")));
        }
        let private = key.private_of(witness)?;
        begins(Phase::Commit);
        let mut writer = Writer::new(program, &key.digest, &instances, adversary);
        if let Some(private) = private {
            writer.points(SlotId::Private, private.commitments())?;
        }
        let (of_witness, of_helpers) = masks.blinds.split_at(shape.parts[0] as usize);
        let (of_helpers, of_masks) = of_helpers.split_at(shape.parts[1] as usize);
        let (mut values, mut commitments) = committed_witness(key, witness, of_witness);
        if writer.vector_of(Source::Witness, &mut values) {
            commitments = key.commit(&values, of_witness);
        }
        writer.points(SlotId::Witness, &commitments)?;
        writer.points(SlotId::Masks, &key.commit(&masks.vector, of_masks))?;
        begins(Phase::Lookups);
        let folding = first::folding(key, &writer)?;
        let witness = all_entered(lanes, &values);
        let mut helpers = fractions::helpers(lanes, key, &folding, (&values, &witness), masks)?;
        writer.vector_of(Source::Helpers, &mut helpers);
        writer.points(SlotId::Helpers, &key.commit(&helpers, of_helpers))?;
        begins(Phase::Sumchecks);
        let vectors = Vectors {
            witness: values,
            weights: &key.weights,
            helpers,
            masks: &masks.vector,
            private: private.map_or(&[], PrivateWeights::values),
        };
        let entered = Entered::new(lanes, witness, &vectors);
        first::prove(lanes, key, &vectors, &entered, folding, &mut writer)?;
        second::send_mask_sum(lanes, key, &vectors, &mut writer)?;
        let folded = second::prove(lanes, key, &vectors, &entered, &mut writer)?;
        begins(Phase::Opening);
        let point = writer.vector(shape.second_variables, Challenge::Second)?;
        let hidden = opening::Hidden { masks, private };
        opening::prove(lanes, key, (&vectors, &entered), hidden, &folded, &point, &mut writer)?;
        writer.finish()
    }
}

/// The vector `T`, and commitments to its parts.
fn committed_witness(key: &ProvingKey, witness: &Witness, blinds: &[Fr]) -> (Vec<Fr>, Vec<G1Affine>) {
    let length = key.program.opening.length() as usize;
    let mut small = with_multiplicities(key, witness);
    small.extend(&witness.loose);
    small.resize(length * key.shape.parts[0] as usize, 0);
    let mut values: Vec<Fr> = small.iter().map(|v| from_i64(*v)).collect();
    witness.wide.iter().for_each(|(at, v)| values[*at] = *v);
    let commit = |(part, (small, blind)): (usize, (&[i64], &Fr))| {
        let inside = witness.wide.iter().filter(|(at, _)| at / length == part);
        let (bases, wide): (Vec<G1Affine>, Vec<Fr>) =
            inside.map(|(at, v)| (key.powers[at % length], *v)).unzip();
        key.blinded(zkml_msm::small(small, &key.powers) + zkml_msm::full(&wide, &bases), *blind)
    };
    let commitments = small.chunks(length).zip(blinds).enumerate().map(commit).collect();
    (values, commitments)
}

/// The grid, followed by how often each row of the table is looked up.
fn with_multiplicities(key: &ProvingKey, witness: &Witness) -> Vec<i64> {
    let system = &key.program.system;
    let (base, rows) = (key.shape.multiplicities as usize, 1usize << system.row_bits);
    let mut out = witness.grid.clone();
    out.resize(base + (1 << system.table.bits), 0);
    let (grid, counts) = out.split_at_mut(base);
    for template in &system.templates {
        for lookup in &template.lookups {
            // Keys are sums of small integers with small coefficients.
            let small = |w: &Word| zkml_protocol::field::to_i64(w).unwrap_or(0);
            let constant = small(&lookup.key.constant);
            let terms: Vec<(usize, i64)> =
                lookup.key.terms.iter().map(|(c, w)| (*c as usize * rows, small(w))).collect();
            let segments: Vec<_> = system.table.segments.iter().filter(|s| s.tag == lookup.tag).collect();
            for row in template.segments.iter().flat_map(|s| s.start..s.start + (1 << s.bits)) {
                let sum = terms.iter().map(|(at, w)| i128::from(*w) * i128::from(grid[at + row as usize]));
                let value = i128::from(constant) + sum.sum::<i128>();
                let place = segments.iter().find_map(|s| {
                    let offset = usize::try_from(value - i128::from(s.first_key)).ok()?;
                    (offset < 1 << s.rows.bits).then(|| s.rows.start as usize + offset)
                });
                // What is in no row of the table is not counted: the proof will be refused.
                if let Some(place) = place {
                    counts[place] += 1;
                }
            }
        }
    }
    out
}
