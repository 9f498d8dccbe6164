//! Everything that a prover sends at fixed challenges, points as their logarithms: for those who ask what it says.

use ff::Field;
use halo2curves::bn256::{Fr, G1, G1Affine};
use halo2curves::group::{Curve, prime::PrimeCurveAffine};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::{collections::BTreeMap, sync::Arc};
use zkml_curve::g1_words;
use zkml_protocol::sumcheck::{Challenge, Program, Shape, SlotId, Source, Step};

use super::{TAU, program_of};
use crate::{
    Layout,
    field::{horner, powers},
    prover::{
        Masks, PrivateWeights, ProvingKey, Witness,
        adversary::{Adversary, Known},
        prove_as,
    },
};

/// A mask that a prover draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// A cell of `R`.
    Cell(u64),
    /// The random cell of `H`.
    Helper,
    /// The coefficient at `X^N` of a part of `T`, of `H`, or of `R`, by number.
    Blind(usize),
}

/// What is sent, by slot.
pub type Sent = BTreeMap<SlotId, Vec<Fr>>;

/// A layout whose prover sends logarithms.
#[derive(Debug)]
pub struct Logarithms {
    key: ProvingKey,
    /// All challenges.
    pub challenges: BTreeMap<Challenge, Fr>,
    /// Logarithms of the commitments to the parts of `W`.
    pub weights: Vec<Fr>,
    /// The private weights, if there are any: the same in all proofs.
    private: Option<Arc<PrivateWeights>>,
}

impl Logarithms {
    /// The secret of the setup.
    pub const TAU: u64 = TAU;

    /// Draws challenges.
    ///
    /// # Panics
    /// If the layout has no key.
    pub fn new(layout: &Layout, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let length = layout.opening.length() as usize;
        let weights: Vec<Fr> =
            layout.weights.all().chunks(length).map(|part| horner(part, Fr::from(TAU))).collect();
        let commitments = weights.iter().map(|w| g1_words(&(G1::generator() * w).to_affine()));
        let program = program_of(layout, commitments.collect());
        let challenge = |step: &Step| match step {
            Step::Squeeze(which) => Some((*which, Fr::random(&mut rng))),
            _ => None,
        };
        let challenges = program.layout().steps().iter().filter_map(challenge).collect();
        // No point is ever looked at.
        let nothing = vec![G1Affine::identity(); length + 1];
        let quotients = vec![vec![]; weights.len()];
        let key = ProvingKey::from_parts(program, nothing, layout.weights.clone(), quotients);
        Self { key: key.expect("a key"), challenges, weights, private: None }
    }

    /// Commits to private weights: `values` are the vector `V`.
    pub fn commit_to_weights(&mut self, values: Vec<Fr>) -> Arc<PrivateWeights> {
        let blinds = (0..self.shape().private_parts).map(|_| Fr::random(rand_core::OsRng)).collect();
        let private = Arc::new(PrivateWeights::without_points(values, blinds));
        self.private = Some(Arc::clone(&private));
        private
    }

    /// Logarithms of the commitments to the parts of `V`.
    pub fn private(&self) -> Vec<Fr> {
        let length = self.key.program.opening.length() as usize;
        let at_length = Fr::from(TAU).pow_vartime([length as u64]);
        let parts = self
            .private
            .iter()
            .flat_map(|p| p.values().chunks(length).zip(p.parts().map(|(_, blind)| blind)));
        parts.map(|(part, blind)| horner(part, Fr::from(TAU)) + at_length * blind).collect()
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.key.program
    }

    /// Its shape.
    pub fn shape(&self) -> &Shape {
        &self.key.shape
    }

    /// Masks as a prover draws them.
    pub fn masks(&self) -> Masks {
        Masks::random(&self.key.shape, &self.key.program.opening, &mut rand_core::OsRng)
    }

    /// All masks but those of evaluations, which are [`zkml_protocol::sumcheck::Evaluation::mask`].
    pub fn other_masks(&self) -> Vec<Mask> {
        let shape = &self.key.shape;
        let terms = shape.mask_terms.iter().map(|m| m.address);
        let cells = shape.opening_masks.iter().copied().chain(terms).map(Mask::Cell);
        let blinds = (0..shape.parts.iter().sum::<u32>() as usize + 1).map(Mask::Blind);
        cells.chain([Mask::Helper]).chain(blinds).collect()
    }

    /// Sent values for masks, some of which are larger by what is given.
    ///
    /// # Panics
    /// If the prover refuses the witness.
    pub fn sent(&self, witness: &Witness, masks: &Masks, more: &[(Mask, Fr)]) -> Sent {
        let mut masks = masks.clone();
        for (mask, by) in more {
            match *mask {
                Mask::Cell(at) => masks.vector[at as usize] += by,
                Mask::Helper => masks.helper += by,
                Mask::Blind(at) => masks.blinds[at] += by,
            }
        }
        let length = self.key.program.opening.length() as usize;
        let mut recorder = Recorder { challenges: &self.challenges, length, sent: Sent::new() };
        prove_as(&self.key, witness, &masks, &mut recorder, &|_| ()).expect("a proof");
        let mut sent = recorder.sent;
        sent.insert(SlotId::Masks, vec![horner(&masks.vector, Fr::from(TAU))]);
        let at_length = Fr::from(TAU).pow_vartime([length as u64]);
        sent.insert(SlotId::Private, self.private());
        let mut blinds = masks.blinds.iter();
        for id in [SlotId::Witness, SlotId::Helpers, SlotId::Masks] {
            for (log, blind) in sent.entry(id).or_default().iter_mut().zip(&mut blinds) {
                *log += at_length * blind;
            }
        }
        sent
    }

    /// Logarithm of `[(W_i − (W_i mod X^b − α)) / (X^b − α)]` for each part of `W`, and of `V` without what blinds it: what its share
    /// of the quotient is.
    pub fn weight_quotients(&self) -> (Vec<Fr>, Vec<Fr>) {
        let (length, b) =
            (self.key.program.opening.length() as usize, self.key.program.opening.columns() as usize);
        let (tau, alpha) = (Fr::from(TAU), self.challenges[&Challenge::Alpha]);
        let inverse = (tau.pow_vartime([b as u64]) - alpha).invert().unwrap_or(Fr::ZERO);
        let rest = |part: &[Fr]| -> Fr {
            let rows = part.chunks(b).zip(powers(alpha, length / b));
            rows.map(|(row, power)| power * horner(row, tau)).sum()
        };
        let quotient = |part: &[Fr]| (horner(part, tau) - rest(part)) * inverse;
        let private = self.private.iter().flat_map(|p| p.values().chunks(length)).map(quotient);
        (self.key.weights.all().chunks(length).map(quotient).collect(), private.collect())
    }
}

/// Notes what is sent, at challenges that are given.
struct Recorder<'a> {
    challenges: &'a BTreeMap<Challenge, Fr>,
    length: usize,
    sent: Sent,
}

impl Adversary for Recorder<'_> {
    fn vector(&mut self, of: Source, cells: &mut [Fr], _: &Known) -> bool {
        let id = if of == Source::Witness { SlotId::Witness } else { SlotId::Helpers };
        let logs = cells.chunks(self.length).map(|part| horner(part, Fr::from(TAU)));
        self.sent.insert(id, logs.collect());
        false
    }

    fn scalars(&mut self, id: SlotId, values: &mut [Fr], _: &Known) {
        self.sent.insert(id, values.to_vec());
    }

    fn polynomial(&mut self, id: SlotId, coefficients: &mut Vec<Fr>, _: &Known) {
        self.sent.insert(id, vec![horner(coefficients, Fr::from(TAU))]);
    }

    fn challenge(&self, which: Challenge) -> Option<Fr> {
        self.challenges.get(&which).copied()
    }

    fn sends_identity(&self) -> bool {
        true
    }
}
