//! Reads instances and proof strictly: one byte string for each value, everything in range, nothing left over.

use crate::curve::{BadPoint, Fr, point, scalar};
use crate::plonk::VerifyError;
use halo2curves::bn256::G1Affine;
use std::collections::BTreeMap;
use zkml_protocol::{
    Element, G1, Word,
    plonk::{Commitment, Eval, Program, ProofLayout, Slot, SlotId},
};

/// A proof's points and scalars by byte offset, and the instances.
pub(crate) struct Decoded {
    pub(crate) layout: ProofLayout,
    pub(crate) instances: Vec<Fr>,
    points: BTreeMap<usize, G1Affine>,
    scalars: BTreeMap<usize, Fr>,
}

impl Decoded {
    /// Reads everything. The program has been validated.
    pub(crate) fn new(program: &Program, proof: &[u8], instances: &[Word]) -> Result<Self, VerifyError> {
        let layout = program.layout();
        let expected = program.num_instances as usize;
        if instances.len() != expected {
            return Err(VerifyError::InstanceCount { expected, found: instances.len() });
        }
        if proof.len() != layout.length() {
            return Err(VerifyError::ProofLength { expected: layout.length(), found: proof.len() });
        }
        let instances = instances
            .iter()
            .enumerate()
            .map(|(index, word)| scalar(word).ok_or(VerifyError::InstanceOutOfRange { index, value: *word }));
        let instances = instances.collect::<Result<_, _>>()?;
        let (mut points, mut scalars) = (BTreeMap::new(), BTreeMap::new());
        for slot in layout.slots() {
            for index in 0..slot.count {
                let offset = slot.at(index).ok_or(VerifyError::Inconsistent("proof element"))?;
                match slot.element {
                    Element::Point => drop(points.insert(offset, read_point(proof, slot, index, offset)?)),
                    Element::Scalar => drop(scalars.insert(offset, read_scalar(proof, slot, index, offset)?)),
                }
            }
        }
        Ok(Self { layout, instances, points, scalars })
    }

    /// An evaluation from the proof.
    pub(crate) fn eval(&self, eval: Eval) -> Result<Fr, VerifyError> {
        let offset = self.layout.eval_offset(eval).ok_or(VerifyError::Inconsistent("evaluation"))?;
        self.scalars.get(&offset).copied().ok_or(VerifyError::Inconsistent("evaluation"))
    }

    /// A commitment from the proof; nothing for those in the program.
    pub(crate) fn commitment(&self, commitment: Commitment) -> Option<&G1Affine> {
        self.points.get(&self.layout.commitment_offset(commitment)?)
    }

    /// All points of a slot, in order.
    pub(crate) fn points_of(&self, id: SlotId) -> Result<Vec<&G1Affine>, VerifyError> {
        let slot = self.layout.slot_of(id).ok_or(VerifyError::Inconsistent("proof slot"))?;
        let point = |index| self.points.get(&slot.at(index)?);
        (0..slot.count).map(|index| point(index).ok_or(VerifyError::Inconsistent("proof point"))).collect()
    }

    /// The first point of a slot.
    pub(crate) fn point_of(&self, id: SlotId) -> Result<&G1Affine, VerifyError> {
        self.points_of(id)?.first().copied().ok_or(VerifyError::Inconsistent("proof point"))
    }
}

fn read_word(proof: &[u8], offset: usize) -> Result<Word, VerifyError> {
    let bytes = proof.get(offset..).and_then(|rest| rest.first_chunk::<32>());
    bytes.map(|bytes| Word(*bytes)).ok_or(VerifyError::Inconsistent("proof element"))
}

fn read_scalar(proof: &[u8], slot: &Slot, index: usize, offset: usize) -> Result<Fr, VerifyError> {
    let slot = slot.id;
    scalar(&read_word(proof, offset)?).ok_or(VerifyError::ScalarOutOfRange { slot, index, offset })
}

fn read_point(proof: &[u8], slot: &Slot, index: usize, offset: usize) -> Result<G1Affine, VerifyError> {
    let slot = slot.id;
    let words = G1 { x: read_word(proof, offset)?, y: read_word(proof, offset.saturating_add(32))? };
    if words.is_identity() {
        return Err(VerifyError::Identity { slot, index, offset });
    }
    point(&words).map_err(|bad| match bad {
        BadPoint::Range => VerifyError::CoordinateOutOfRange { slot, index, offset },
        BadPoint::OffCurve => VerifyError::NotOnCurve { slot, index, offset },
    })
}
