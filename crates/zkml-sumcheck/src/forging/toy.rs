//! The specification's systems with their keys.

use halo2curves::bn256::Fr;
use zkml_curve::scalar_word;
use zkml_protocol::{Word, sumcheck::Vector};
use zkml_verifier::sumcheck::{VerifyError, testing::Reading, verify_with};

use crate::{
    prover::{Masks, ProvingKey, Witness, prove_as},
    testing::cheat::Cheat,
    vectors::{key, vectors, witness},
};

/// A system of the specification.
pub(super) struct Toy {
    pub(super) name: String,
    pub(super) key: ProvingKey,
    pub(super) witness: Witness,
    pub(super) weights: Vec<Fr>,
}

impl Toy {
    fn of(v: &Vector) -> Self {
        let key = key(v);
        Self { name: v.system.clone(), weights: key.weights.all(), key, witness: witness(v) }
    }

    /// All of them.
    pub(super) fn all() -> Vec<Self> {
        vectors().iter().map(Self::of).collect()
    }

    /// The one of that name.
    pub(super) fn named(name: &str) -> Self {
        let all = vectors();
        Self::of(all.iter().find(|v| v.system == name).expect("a system"))
    }

    pub(super) fn masks(&self) -> Masks {
        Masks::random(&self.key.shape, &self.key.program.opening, &mut rand_core::OsRng)
    }

    /// A cell of the grid.
    pub(super) fn at(&self, column: usize, row: usize) -> usize {
        (column << self.key.program.system.row_bits) + row
    }

    /// The honest witness with other cells: column, row, change.
    pub(super) fn edited(&self, edits: &[(usize, usize, i64)]) -> Witness {
        let mut witness = self.witness.clone();
        edits.iter().for_each(|(c, x, by)| witness.grid[self.at(*c, *x)] += by);
        witness
    }

    /// The proof of a cheat.
    pub(super) fn proof(&self, witness: &Witness, cheat: &mut Cheat<'_>) -> Vec<u8> {
        prove_as(&self.key, witness, &self.masks(), cheat, &|_| ()).expect("a proof")
    }

    /// The verifier's word.
    pub(super) fn verdict(&self, proof: &[u8], instances: &[Fr]) -> Result<(), VerifyError> {
        verify_with(&self.key.program, &self.key.digest, proof, &words(instances))
    }

    /// The verifier's word on a witness and a cheat.
    pub(super) fn tried(&self, witness: &Witness, mut cheat: Cheat<'_>) -> Result<(), VerifyError> {
        let proof = self.proof(witness, &mut cheat);
        self.verdict(&proof, &witness.instances)
    }

    /// A proof under the rules that a cheat follows: without moves, with challenges that are given.
    pub(super) fn reading(&self, proof: &[u8], instances: &[Fr], cheat: &Cheat<'_>) -> Reading {
        let absorbs = |step: &_| !cheat.unabsorbed.contains(step);
        let words = words(instances);
        let reading = Reading::new(&self.key.program, &self.key.digest, proof, &words, &absorbs);
        let mut reading = reading.expect("it is well-formed");
        reading.challenges().extend(&cheat.given);
        reading
    }
}

pub(super) fn words(values: &[Fr]) -> Vec<Word> {
    values.iter().map(scalar_word).collect()
}
