//! The proof as it is written: what is sent is absorbed, in the order that the layout gives.

use ff::Field;
use halo2curves::bn256::{Fr, G1Affine};
use halo2curves::group::prime::PrimeCurveAffine;
use zkml_curve::{g1_words, scalar_from_word, scalar_word};
use zkml_protocol::{
    Element, Transcript, Word,
    sumcheck::{Challenge, Claim, Program, Slot, SlotId, Source, Step},
};

use super::adversary::{Adversary, Known};
use crate::error::{Error, Result};

/// Writes a proof, and knows all challenges so far. A challenge exists only after everything before it was sent.
pub(crate) struct Writer<'a> {
    steps: std::vec::IntoIter<Step>,
    transcript: Transcript,
    bytes: Vec<u8>,
    challenges: Known,
    /// The slot that comes next, if the transcript waits for one.
    next: Option<Slot>,
    adversary: &'a mut dyn Adversary,
}

impl<'a> Writer<'a> {
    /// Begins a proof about instances.
    pub(crate) fn new(
        program: &Program,
        digest: &Word,
        instances: &[Word],
        adversary: &'a mut dyn Adversary,
    ) -> Self {
        let mut writer = Self {
            steps: program.layout().steps().to_vec().into_iter(),
            transcript: Transcript::new(),
            bytes: vec![],
            challenges: Known::new(),
            next: None,
            adversary,
        };
        writer.advance(|transcript, step| match step {
            Step::AbsorbProgram => *transcript = Transcript::beginning(digest, program.system.instances),
            _ => instances.iter().for_each(|w| transcript.absorb(w)),
        });
        writer
    }

    /// Follows the transcript to the next slot.
    fn advance(&mut self, mut begin: impl FnMut(&mut Transcript, &Step)) {
        self.next = None;
        for step in self.steps.by_ref() {
            match step {
                Step::AbsorbProgram | Step::AbsorbInstances => {
                    if self.adversary.absorbs(&step) {
                        begin(&mut self.transcript, &step);
                    }
                }
                Step::Squeeze(challenge) => {
                    let value = scalar_from_word(&self.transcript.squeeze()).unwrap_or(Fr::ZERO);
                    self.challenges.insert(challenge, self.adversary.challenge(challenge).unwrap_or(value));
                }
                Step::Absorb(slot) => {
                    self.next = Some(slot);
                    return;
                }
            }
        }
    }

    fn send(&mut self, id: SlotId, element: Element, words: &[Word]) -> Result<()> {
        let fits = |slot: &Slot| {
            (slot.id, slot.element) == (id, element) && slot.count * element.size() == 32 * words.len()
        };
        let Some(slot) = self.next.filter(fits) else {
            return Err(Error::Defect(format!("{id:?} is not what the proof continues with")));
        };
        let absorbed = self.adversary.absorbs(&Step::Absorb(slot));
        for word in words {
            if absorbed {
                self.transcript.absorb(word);
            }
            self.bytes.extend(word.0);
        }
        self.advance(|_, _| {});
        Ok(())
    }

    /// Sends a commitment.
    pub(crate) fn point(&mut self, id: SlotId, point: &G1Affine) -> Result<()> {
        self.points(id, std::slice::from_ref(point))
    }

    /// Sends commitments.
    pub(crate) fn points(&mut self, id: SlotId, points: &[G1Affine]) -> Result<()> {
        if points.iter().any(|p| bool::from(p.is_identity())) && !self.adversary.sends_identity() {
            return Err(Error::Unlucky);
        }
        let words: Vec<Word> = points.iter().map(g1_words).flat_map(|w| [w.x, w.y]).collect();
        self.send(id, Element::Point, &words)
    }

    /// Sends scalars.
    pub(crate) fn scalars(&mut self, id: SlotId, values: &[Fr]) -> Result<()> {
        let mut values = values.to_vec();
        self.adversary.scalars(id, &mut values, &self.challenges);
        let words: Vec<Word> = values.iter().map(scalar_word).collect();
        self.send(id, Element::Scalar, &words)
    }

    /// A vector as the adversary wants it. Returns true if it is another one.
    pub(crate) fn vector_of(&mut self, source: Source, cells: &mut [Fr]) -> bool {
        self.adversary.vector(source, cells, &self.challenges)
    }

    /// A polynomial as the adversary wants it.
    pub(crate) fn polynomial(&mut self, id: SlotId, mut coefficients: Vec<Fr>) -> Vec<Fr> {
        self.adversary.polynomial(id, &mut coefficients, &self.challenges);
        coefficients
    }

    /// Claims as the adversary wants them.
    pub(crate) fn claims(&self, claims: Vec<Claim>) -> Vec<Claim> {
        self.adversary.claims(claims)
    }

    /// A challenge that follows from what was sent.
    pub(crate) fn challenge(&self, which: Challenge) -> Result<Fr> {
        let missing = || Error::Defect(format!("{which:?} does not follow from what was sent"));
        self.challenges.get(&which).copied().ok_or_else(missing)
    }

    /// Challenges by number.
    pub(crate) fn vector(&self, count: u32, which: fn(u32) -> Challenge) -> Result<Vec<Fr>> {
        (0..count).map(|i| self.challenge(which(i))).collect()
    }

    /// The bytes of a whole proof.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        match self.next {
            None => Ok(self.bytes),
            Some(slot) => Err(Error::Defect(format!("the proof ends before {:?}", slot.id))),
        }
    }
}
