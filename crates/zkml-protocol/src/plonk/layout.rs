//! What lies where in a proof, and what is hashed when.

use super::{Commitment, Program};
use crate::Element;
use serde::{Deserialize, Serialize};

/// A challenge that the transcript yields, named by its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Challenge {
    /// Challenge of this index that the circuit's own gates use.
    Circuit(u32),
    /// Would fold lookup columns. These programs have none, yet halo2 squeezes it; nothing uses the value.
    Theta,
    /// Weighs positions in the permutation argument.
    Beta,
    /// Shifts the factors of the permutation argument.
    Gamma,
    /// Folds all identities into one.
    Y,
    /// The evaluation point.
    X,
    /// Folds the polynomials inside one opening set (SHPLONK's first).
    OpenY,
    /// Folds the opening sets (SHPLONK's second).
    OpenV,
    /// The point at which the folded opening is checked; squeezed after `W`.
    OpenU,
}

/// An evaluation that is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Eval {
    /// Advice query of this index ([`Program::advice_queries`]).
    Advice(u32),
    /// Fixed query of this index ([`Program::fixed_queries`]).
    Fixed(u32),
    /// Permutation polynomial of this column of the permutation, at `x`.
    Sigma(u32),
    /// Flat index among the products' evaluations: see [`Eval::product`] and its siblings.
    Product(u32),
    /// The random polynomial that blinds the opening, at `x`.
    Random,
    /// The folded quotient at `x`: computed from the identities, not carried by the proof.
    Quotient,
}

impl Eval {
    /// Product polynomial `i` at `x`.
    pub const fn product(i: u32) -> Self {
        Self::Product(3 * i)
    }

    /// Product polynomial `i` at `ωx`.
    pub const fn product_next(i: u32) -> Self {
        Self::Product(3 * i + 1)
    }

    /// Product polynomial `i` at `ω^(n−1−b) x`; the last product has none.
    pub const fn product_last(i: u32) -> Self {
        Self::Product(3 * i + 2)
    }
}

/// A part of the proof: declared in a single place, from which [`Program::layout`] derives its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotId {
    /// Commitments to the advice columns of this phase, by ascending column index.
    Advice(u8),
    /// Commitments to the permutation products.
    Products,
    /// Commitment to the random polynomial.
    Random,
    /// Commitments to the pieces of the quotient, low degree first.
    Quotient,
    /// Evaluations, by advice query.
    AdviceEvals,
    /// Evaluations, by fixed query.
    FixedEvals,
    /// Evaluation of the random polynomial.
    RandomEval,
    /// Evaluations of the permutation polynomials, by column of the permutation.
    SigmaEvals,
    /// Evaluations of the products: at `x`, at `ωx` and, except for the last product, at `ω^(n−1−b) x`.
    ProductEvals,
    /// SHPLONK's first opening commitment.
    OpeningW,
    /// SHPLONK's second opening commitment; nothing is squeezed after it.
    OpeningW2,
}

/// An array of equal elements at a fixed place of the proof.
pub type Slot = crate::Slot<SlotId>;

/// One move of the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Absorbs [`Program::vk_digest`].
    AbsorbDigest,
    /// Absorbs the number of instances as a word.
    AbsorbInstanceCount,
    /// Absorbs [`Program::key_repr`], a constant.
    AbsorbKeyRepr,
    /// Absorbs all instances in order.
    AbsorbInstances,
    /// Absorbs the bytes of a slot, which is not empty, as they stand in the proof.
    Absorb(Slot),
    /// Squeezes a challenge.
    Squeeze(Challenge),
}

/// Slots of a program's proof and the moves of its transcript.
///
/// Slots follow each other without gaps in the order of [`ProofLayout::slots`], which is also the order in which they are absorbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofLayout {
    slots: Vec<Slot>,
    steps: Vec<Step>,
    advice_offsets: Vec<usize>,
    length: usize,
}

impl ProofLayout {
    /// Lays out the proof of `program`, which must have passed [`Program::validate`].
    pub(crate) fn of(program: &Program) -> Self {
        let mut layout = Self { slots: Vec::new(), steps: Vec::new(), advice_offsets: Vec::new(), length: 0 };
        layout.steps.extend([
            Step::AbsorbDigest,
            Step::AbsorbInstanceCount,
            Step::AbsorbKeyRepr,
            Step::AbsorbInstances,
        ]);
        layout.phases(program);
        layout.steps.extend([Challenge::Theta, Challenge::Beta, Challenge::Gamma].map(Step::Squeeze));
        layout.slot(SlotId::Products, Element::Point, program.products as usize);
        layout.slot(SlotId::Random, Element::Point, 1);
        layout.steps.push(Step::Squeeze(Challenge::Y));
        layout.slot(SlotId::Quotient, Element::Point, program.quotient_pieces as usize);
        layout.steps.push(Step::Squeeze(Challenge::X));
        layout.slot(SlotId::AdviceEvals, Element::Scalar, program.advice_queries.len());
        layout.slot(SlotId::FixedEvals, Element::Scalar, program.fixed_queries.len());
        layout.slot(SlotId::RandomEval, Element::Scalar, 1);
        layout.slot(SlotId::SigmaEvals, Element::Scalar, program.sigma_commitments.len());
        layout.slot(SlotId::ProductEvals, Element::Scalar, program.product_evals());
        layout.steps.extend([Challenge::OpenY, Challenge::OpenV].map(Step::Squeeze));
        layout.slot(SlotId::OpeningW, Element::Point, 1);
        layout.steps.push(Step::Squeeze(Challenge::OpenU));
        layout.slot(SlotId::OpeningW2, Element::Point, 1);
        layout
    }

    /// Advice commitments and circuit challenges, phase by phase.
    fn phases(&mut self, program: &Program) {
        self.advice_offsets = vec![0; program.advice_phases.len()];
        let last = program.advice_phases.iter().copied().max().unwrap_or(0);
        for phase in 0..=last {
            let columns = program.advice_phases.iter().enumerate().filter(|(_, of)| **of == phase);
            let columns: Vec<usize> = columns.map(|(column, _)| column).collect();
            for (index, column) in columns.iter().enumerate() {
                self.advice_offsets[*column] = self.length + index * Element::Point.size();
            }
            self.slot(SlotId::Advice(phase), Element::Point, columns.len());
            for (index, _) in program.challenge_phases.iter().enumerate().filter(|(_, of)| **of == phase) {
                self.steps.push(Step::Squeeze(Challenge::Circuit(index as u32)));
            }
        }
    }

    fn slot(&mut self, id: SlotId, element: Element, count: usize) {
        let slot = Slot { id, element, count, offset: self.length };
        self.length = slot.end();
        self.slots.push(slot);
        if count > 0 {
            self.steps.push(Step::Absorb(slot));
        }
    }

    /// All slots, by offset.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The slot of that name. Absent only for a phase that the program does not have.
    pub fn slot_of(&self, id: SlotId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.id == id)
    }

    /// The transcript's moves from first to last.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Length of the proof in bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Byte offset of a commitment that the proof carries (64 bytes); the first piece for the quotient.
    /// Nothing for fixed and permutation commitments, which are constants of the program.
    pub fn commitment_offset(&self, commitment: Commitment) -> Option<usize> {
        match commitment {
            Commitment::Advice(column) => self.advice_offsets.get(column as usize).copied(),
            Commitment::Product(index) => self.slot_of(SlotId::Products)?.at(index as usize),
            Commitment::Random => self.slot_of(SlotId::Random)?.at(0),
            Commitment::Quotient => self.slot_of(SlotId::Quotient)?.at(0),
            Commitment::Fixed(_) | Commitment::Sigma(_) => None,
        }
    }

    /// Byte offset of an evaluation (32 bytes); nothing for the quotient's, which is computed.
    pub fn eval_offset(&self, eval: Eval) -> Option<usize> {
        let (slot, index) = match eval {
            Eval::Advice(index) => (SlotId::AdviceEvals, index),
            Eval::Fixed(index) => (SlotId::FixedEvals, index),
            Eval::Sigma(index) => (SlotId::SigmaEvals, index),
            Eval::Product(index) => (SlotId::ProductEvals, index),
            Eval::Random => (SlotId::RandomEval, 0),
            Eval::Quotient => return None,
        };
        self.slot_of(slot)?.at(index as usize)
    }

    /// Byte offsets of all points, ascending.
    pub fn point_offsets(&self) -> Vec<usize> {
        self.offsets(Element::Point)
    }

    /// Byte offsets of all scalars, ascending.
    pub fn scalar_offsets(&self) -> Vec<usize> {
        self.offsets(Element::Scalar)
    }

    fn offsets(&self, element: Element) -> Vec<usize> {
        let slots = self.slots.iter().filter(|slot| slot.element == element);
        slots.flat_map(|slot| (0..slot.count).filter_map(|index| slot.at(index))).collect()
    }
}
