//! Reads instances and proof strictly, and follows the transcript: one byte string for each value, everything in range,
//! nothing left over.

use halo2curves::bn256::G1Affine;
use std::collections::BTreeMap;
use zkml_protocol::{
    Element, G1, Transcript, Word,
    sumcheck::{Challenge, Private, Program, ProofLayout, Slot, SlotId, Step, weights_commitment_of},
};

use super::VerifyError;
use crate::curve::{Fr, point, scalar};

/// A proof's points and scalars by slot, its challenges, and the instances.
#[derive(Clone, Debug)]
pub(super) struct Decoded {
    pub(super) instances: Vec<Fr>,
    points: BTreeMap<SlotId, Vec<G1Affine>>,
    pub(super) scalars: BTreeMap<SlotId, Vec<Fr>>,
    pub(super) challenges: BTreeMap<Challenge, Fr>,
}

impl Decoded {
    /// Reads everything. The program has been validated.
    pub(super) fn new(
        program: &Program,
        digest: &Word,
        proof: &[u8],
        instances: &[Word],
    ) -> Result<Self, VerifyError> {
        let layout = program.layout();
        let expected = program.system.instances as usize;
        if instances.len() != expected {
            return Err(VerifyError::InstanceCount { expected, found: instances.len() });
        }
        if proof.len() != layout.length() {
            return Err(VerifyError::ProofLength { expected: layout.length(), found: proof.len() });
        }
        let value = |(index, word): (usize, &Word)| {
            scalar(word).ok_or(VerifyError::InstanceOutOfRange { index, value: *word })
        };
        let values = instances.iter().enumerate().map(value).collect::<Result<_, _>>()?;
        let mut found = Self {
            instances: values,
            points: BTreeMap::new(),
            scalars: BTreeMap::new(),
            challenges: BTreeMap::new(),
        };
        let mut transcript = Transcript::new();
        for step in layout.steps() {
            match step {
                Step::AbsorbProgram => {
                    transcript = Transcript::beginning(digest, program.system.instances);
                }
                Step::AbsorbInstances => instances.iter().for_each(|word| transcript.absorb(word)),
                Step::Absorb(slot) => found.read(slot, proof, &mut transcript)?,
                Step::Squeeze(challenge) => {
                    let value =
                        scalar(&transcript.squeeze()).ok_or(VerifyError::Inconsistent("challenge"))?;
                    found.challenges.insert(*challenge, value);
                }
            }
        }
        program.system.private.map_or(Ok(()), |private| is_stated(&layout, private, proof, instances))?;
        Ok(found)
    }

    fn read(&mut self, slot: &Slot, proof: &[u8], transcript: &mut Transcript) -> Result<(), VerifyError> {
        for index in 0..slot.count {
            let offset = slot.at(index).ok_or(VerifyError::Inconsistent("proof element"))?;
            let first = read_word(proof, offset)?;
            transcript.absorb(&first);
            match slot.element {
                Element::Scalar => {
                    let value = scalar(&first);
                    let value =
                        value.ok_or(VerifyError::ScalarOutOfRange { slot: slot.id, index, offset })?;
                    self.scalars.entry(slot.id).or_default().push(value);
                }
                Element::Point => {
                    let words = G1 { x: first, y: read_word(proof, offset.saturating_add(32))? };
                    transcript.absorb(&words.y);
                    let bad = VerifyError::BadPoint { slot: slot.id, offset };
                    if words.is_identity() {
                        return Err(bad);
                    }
                    let point = point(&words).map_err(|_| bad)?;
                    self.points.entry(slot.id).or_default().push(point);
                }
            }
        }
        Ok(())
    }

    /// The scalars of a slot; none for a slot without any.
    pub(super) fn scalars(&self, id: SlotId) -> &[Fr] {
        self.scalars.get(&id).map_or(&[], Vec::as_slice)
    }

    /// A point of a slot.
    pub(super) fn point(&self, id: SlotId, at: usize) -> Result<G1Affine, VerifyError> {
        let points = self.points.get(&id).map_or(&[][..], Vec::as_slice);
        points.get(at).copied().ok_or(VerifyError::Inconsistent("proof point"))
    }

    /// A challenge.
    pub(super) fn challenge(&self, which: Challenge) -> Result<Fr, VerifyError> {
        self.challenges.get(&which).copied().ok_or(VerifyError::Inconsistent("challenge"))
    }
}

/// The statement shows the commitment to the private weights that the proof's points are.
fn is_stated(
    layout: &ProofLayout,
    private: Private,
    proof: &[u8],
    instances: &[Word],
) -> Result<(), VerifyError> {
    let slot = layout.slot_of(SlotId::Private).and_then(|slot| proof.get(slot.offset..slot.end()));
    let own = weights_commitment_of(slot.ok_or(VerifyError::Inconsistent("private weights"))?);
    if instances.get(private.instance as usize) == Some(&own) {
        Ok(())
    } else {
        Err(VerifyError::OtherWeights)
    }
}

fn read_word(proof: &[u8], offset: usize) -> Result<Word, VerifyError> {
    let bytes = proof.get(offset..).and_then(|rest| rest.first_chunk::<32>());
    bytes.map(|bytes| Word(*bytes)).ok_or(VerifyError::Inconsistent("proof element"))
}
