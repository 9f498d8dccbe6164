//! The program of a sumcheck verifier, its digest and its canonical bytes.

use serde::{Deserialize, Serialize};

use super::{
    layout::{SlotId, Step},
    view::{Form, Index},
};
use crate::{G1, G2, Srs, Statement, Transcript, Word, field, keccak256};

/// Version of the rules in this module: transcript, layout, equations, canonical bytes.
pub const PROTOCOL_VERSION: u32 = 3;

/// Separates the program's digest from every other use of Keccak-256.
const DIGEST_TAG: &[u8] = b"zkml-chain/sumcheck-program/v3";

/// Everything that a verifier of one model needs. Plain data; see [the module's page](super) for the equations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// [`PROTOCOL_VERSION`] of the toolkit that derived it.
    pub version: u32,
    /// What holds.
    pub system: System,
    /// How the vectors are committed to and opened.
    pub opening: Opening,
    /// The model's fixed vector.
    pub weights: Weights,
    /// The trusted setup's verifier part.
    pub srs: Srs,
    /// `[τ^b]₂` of that setup, `b` being [`Opening::columns`]. Openings by rows need it.
    pub srs_b: G2,
    /// What the proof is about.
    pub statement: Statement,
}

/// What a model is to the protocol: rows with templates, one lookup table, contractions, linear relations.
///
/// The witness is a grid: column `c`, row `x` at address `c · 2^k + x` of `T`, followed by the multiplicities, and by loose cells
/// that nothing but linear claims reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Binary logarithm of the rows (`k`).
    pub row_bits: u32,
    /// Columns of the grid.
    pub columns: u32,
    /// Lookups that share a helper (`m`).
    pub lookups_per_helper: u32,
    /// What holds in which rows: every row belongs to exactly one template.
    pub templates: Vec<Template>,
    /// The table that is looked up.
    pub table: Table,
    /// Sums of products.
    pub contractions: Vec<Contraction>,
    /// Sums that vanish, or that the statement shows.
    pub linears: Vec<Linear>,
    /// Public field elements, context included.
    pub instances: u32,
    /// Cells of `T` after the multiplicities.
    pub loose: u64,
    /// Private weights, if there are any.
    pub private: Option<Private>,
}

/// The vector `V` of private weights. A program says nothing of its values: it serves all weights of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    /// Length of the vector.
    pub cells: u64,
    /// The instance that is [`weights_commitment`] of the commitments to its parts.
    pub instance: u32,
}

/// Rules of aligned row segments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Where it holds.
    pub segments: Vec<Segment>,
    /// One lookup per slot: as many in every template, a multiple of [`System::lookups_per_helper`].
    pub lookups: Vec<Lookup>,
    /// Polynomials over the columns that vanish in each of its rows.
    pub gates: Vec<Gate>,
}

/// Rows `start … start + 2^bits − 1`; `start` is a multiple of `2^bits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// First row.
    pub start: u64,
    /// Binary logarithm of the number of rows.
    pub bits: u32,
}

/// A sum of columns and a constant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// Added to the sum.
    pub constant: Word,
    /// Column and coefficient.
    pub terms: Vec<(u32, Word)>,
}

/// `(key, outputs…, tag)` is a row of the table. Its fingerprint is `key + Σ_j θ^(j+1) output_j + θ^(1 + max(outputs, 1)) tag`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// What is looked up.
    pub key: Affine,
    /// What the table gives for it; absent ones are zero.
    pub outputs: Vec<Affine>,
    /// Which function: a number of its own for each.
    pub tag: u64,
}

/// A polynomial over the columns of a row that vanishes: a sum of monomials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Gate(pub Vec<Monomial>);

/// A coefficient times columns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monomial {
    /// The coefficient.
    pub coefficient: Word,
    /// The columns, one or more.
    pub columns: Vec<u32>,
}

impl Gate {
    /// Its degree.
    pub fn degree(&self) -> usize {
        self.0.iter().map(|m| m.columns.len()).max().unwrap_or(0)
    }
}

/// One table for ranges and functions. Rows in no segment are zero throughout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Binary logarithm of its rows.
    pub bits: u32,
    /// Keys and tags, by aligned segments.
    pub segments: Vec<TableSegment>,
    /// Addresses in `W` of the columns of outputs.
    pub outputs: Vec<u64>,
}

/// Rows `start …` of the table: the keys `first_key, first_key + 1, …` of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSegment {
    /// The rows.
    pub rows: Segment,
    /// Which function.
    pub tag: u64,
    /// Key of the first row.
    pub first_key: i64,
}

/// `Σ_sum A(free, batch, sum) · B(free, batch, sum) = Y(free, batch)` for all values of the free and batch indices.
///
/// Indices are numbered: free ones, then those of the batch, then summed ones. An operand may depend on some of the free ones
/// only, and no free index on both. Indices of the batch occur in both operands and are not summed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contraction {
    /// Indices of one operand each.
    pub free: Vec<Index>,
    /// Indices that both operands share and the result has.
    pub batch: Vec<Index>,
    /// Indices that are summed over.
    pub sum: Vec<Index>,
    /// The left operand.
    pub a: Form,
    /// The right operand.
    pub b: Form,
    /// The result.
    pub y: Form,
}

impl Contraction {
    /// All indices, in the order of their numbers.
    pub fn indices(&self) -> Vec<Index> {
        [&self.free, &self.batch, &self.sum].into_iter().flatten().copied().collect()
    }

    /// Variables of its item in the first sumcheck: summed ones first, then those of the batch.
    pub fn variables(&self) -> u32 {
        self.sum_bits() + self.batch.iter().map(Index::bits).sum::<u32>()
    }

    /// Number of variables that are summed over without a weight.
    pub fn sum_bits(&self) -> u32 {
        self.sum.iter().map(Index::bits).sum()
    }
}

/// `form = 0`, or what the instances show, for every value of the indices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// The indices.
    pub indices: Vec<Index>,
    /// The sum.
    pub form: Form,
    /// The first of the instances that it equals, in row-major order of the random indices; zero everywhere when absent.
    pub instances: Option<u32>,
}

/// The shape of the opening: vectors of `2^n` elements, read as a matrix. One that has a single row is opened whole: dearer to prove,
/// cheaper to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Binary logarithm of the length of a vector (`n`).
    pub bits: u32,
    /// Binary logarithm of the length of a row of the matrix (`log₂ b`).
    pub column_bits: u32,
}

impl Opening {
    /// Length of a vector, `N`.
    pub fn length(&self) -> u64 {
        1 << self.bits
    }

    /// Length of a row of the matrix, `b`.
    pub fn columns(&self) -> u64 {
        1 << self.column_bits
    }

    /// Number of rows of the matrix, `a`.
    pub fn rows(&self) -> u64 {
        1 << (self.bits - self.column_bits)
    }

    /// Returns true if the matrix has a single row.
    pub fn is_whole(&self) -> bool {
        self.column_bits == self.bits
    }
}

/// What the model fixes: weights, constants, outputs of functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Commitments to its parts of `N` elements; none where the model fixes nothing. One that is zero throughout is the
    /// identity, (0, 0).
    pub commitments: Vec<G1>,
}

impl Program {
    /// The canonical bytes of all that decides whether a proof is accepted or what an output means.
    ///
    /// These are [postcard](https://postcard.jamesmunns.com/wire-format) bytes of the fields in declaration order.
    /// Left out is what may differ between models that share one verifier: name, hash and toolkit version.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        // Taken apart without `..`: a new field must be given its place here before this compiles.
        let Self { version, system, opening, weights, srs, srs_b, statement } = self;
        let Statement { model_name: _, model_hash: _, toolkit_version: _, instances } = statement;
        // Only a serializer that reports an unknown length could fail here, and no field has one.
        postcard::to_stdvec(&(version, system, opening, weights, srs, srs_b, instances)).unwrap_or_default()
    }

    /// A canonical scalar that every proof absorbs first: it covers all that [`Program::canonical_bytes`] does.
    pub fn vk_digest(&self) -> Word {
        field::reduce(keccak256([DIGEST_TAG, self.canonical_bytes().as_slice()]))
    }

    /// The input of every hash of a proof: of the commitments to private weights, then of the transcript. Nothing if the proof
    /// has another length, or another number of instances is given.
    pub fn hash_inputs(&self, instances: &[Word], proof: &[u8]) -> Option<Vec<Vec<u8>>> {
        let layout = self.layout();
        if proof.len() != layout.length() || instances.len() != self.system.instances as usize {
            return None;
        }
        let private = layout.slot_of(SlotId::Private).and_then(|slot| proof.get(slot.offset..slot.end()));
        let mut transcript = Transcript::new().traced();
        for step in layout.steps() {
            match step {
                Step::AbsorbProgram => {
                    transcript.absorb(&self.vk_digest());
                    transcript.absorb(&Word::from_u64(self.system.instances.into()));
                }
                Step::AbsorbInstances => instances.iter().for_each(|word| transcript.absorb(word)),
                Step::Absorb(slot) => transcript.absorb_bytes(proof.get(slot.offset..slot.end())?),
                Step::Squeeze(_) => drop(transcript.squeeze()),
            }
        }
        Some(private.map(<[u8]>::to_vec).into_iter().chain(transcript.into_trace()).collect())
    }

    /// The transcript that every proof of this program begins with; the instances follow.
    pub fn transcript(&self) -> Transcript {
        Transcript::beginning(&self.vk_digest(), self.system.instances)
    }
}

/// What the statement shows of private weights: Keccak-256 of the coordinates of the commitments to their parts, of which 253
/// bits are kept, so that it is below the field's order.
pub fn weights_commitment(points: &[G1]) -> Word {
    let bytes: Vec<u8> = points.iter().flat_map(|p| [p.x.0, p.y.0]).flatten().collect();
    weights_commitment_of(&bytes)
}

/// The same of points as a proof has them.
pub fn weights_commitment_of(points: &[u8]) -> Word {
    let mut hash = keccak256([points]);
    hash.0[0] &= 0x1f;
    hash
}
