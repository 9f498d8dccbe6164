//! Where the generated verifier keeps what: memory addresses and calldata offsets.

use std::collections::HashMap;

use zkml_protocol::sumcheck::{Challenge, Program, ProofLayout, SlotId, Step};

use super::super::{
    Favour,
    checks::{Input, PROOF},
};
use crate::CodegenError;

/// Start of the memory that the verifier takes. Solidity's own starts at 0x80; the room between is for variables that the
/// compiler moves to memory, which the contract checks to be enough: the pipeline through intermediate code moves a hundred.
const FREE: usize = 0x1400;
/// Bytes from [`FREE`] on that sums of points and the pairing need once the transcript is done: three pairs of points.
const POINTS: usize = 3 * super::super::points::PAIR;

/// The memory and calldata map of one verifier.
#[derive(Debug)]
pub(super) struct Map {
    /// The proof's own layout.
    pub(super) layout: ProofLayout,
    /// What a caller sends.
    pub(super) input: Input,
    /// Addresses of the challenges, in the order in which they are squeezed.
    challenges: HashMap<Challenge, usize>,
    /// Address of the first cell for values.
    cells: usize,
}

impl Map {
    pub(super) fn new(program: &Program, favour: Favour) -> Self {
        let layout = program.layout();
        let instances = program.system.instances as usize;
        let start = (FREE + 32 * (2 + instances) + layout.length()).max(FREE + POINTS);
        let squeezed = layout.steps().iter().filter_map(|step| match step {
            Step::Squeeze(challenge) => Some(*challenge),
            _ => None,
        });
        let challenges: HashMap<Challenge, usize> =
            squeezed.enumerate().map(|(at, challenge)| (challenge, start + 32 * at)).collect();
        // A word between them is for the hash of the verifier's rest.
        let cells = start + 32 * challenges.len() + 32;
        let input = Input::new(layout.slots(), instances, favour);
        Self { layout, input, challenges, cells }
    }

    /// Address of the transcript's first buffer; later of the sum of points.
    pub(super) fn buffer(&self) -> usize {
        FREE
    }

    /// Address at which the transcript keeps a copy of the proof.
    pub(super) fn proof_copy(&self) -> usize {
        FREE + 32 * (2 + self.input.instances)
    }

    /// Address of the first challenge: what lies between the buffer and it is free once the transcript is done.
    pub(super) fn challenges_at(&self) -> usize {
        self.rest_hash() - 32 * self.challenges.len()
    }

    /// Address of the hash of the code of the verifier's rest.
    pub(super) fn rest_hash(&self) -> usize {
        self.cells - 32
    }

    /// Address of a cell for values.
    pub(super) fn cell(&self, number: usize) -> usize {
        self.cells + 32 * number
    }

    /// Address of a challenge.
    pub(super) fn challenge(&self, which: Challenge) -> Result<usize, CodegenError> {
        let found = self.challenges.get(&which).copied();
        found.ok_or_else(|| CodegenError::Inconsistent(format!("no challenge {which:?}")))
    }

    /// Calldata offset of an element of the proof.
    pub(super) fn element(&self, slot: SlotId, at: u32) -> Result<usize, CodegenError> {
        let offset = self.layout.slot_of(slot).and_then(|slot| slot.at(at as usize));
        offset
            .map(|offset| PROOF + offset)
            .ok_or_else(|| CodegenError::Inconsistent(format!("no element {at} of {slot:?} in the proof")))
    }
}
