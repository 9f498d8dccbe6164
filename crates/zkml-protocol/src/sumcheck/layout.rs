//! What lies where in a proof, and what is hashed when.

use super::{program::Program, shape::Shape};
use crate::Element;

/// A challenge that the transcript yields, named by its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Challenge {
    /// Folds key, outputs and tag of a lookup into a fingerprint.
    Theta,
    /// The point of the fractions.
    Beta,
    /// Coordinate of the point at which rows and table are tested.
    Tau(u32),
    /// Folds the items of the first sumcheck.
    Gamma,
    /// Coordinate of the point at which relations are tested.
    Relation(u32),
    /// Weighs the elements of sequences.
    Sequence,
    /// The first sumcheck's point, by variable.
    First(u32),
    /// Folds all claims.
    Eta,
    /// The second sumcheck's point, by variable.
    Second(u32),
    /// Divides the opened vector into rows.
    Alpha,
    /// Folds the two inner products of the opening.
    OpenGamma,
    /// The point of their identity.
    Z,
    /// Folds the polynomials that are opened.
    Nu,
    /// The point at which the folded opening is checked.
    Y,
    /// Folds the two halves of the pairing equation; squeezed with `y`.
    Zeta,
}

/// A part of the proof: declared in a single place, from which [`Program::layout`] derives its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlotId {
    /// Commitments to the parts of `V`, the private weights.
    Private,
    /// Commitments to the parts of `T`.
    Witness,
    /// Commitment to `R`.
    Masks,
    /// Commitments to the parts of `H`.
    Helpers,
    /// `S₁`.
    Sum,
    /// A round of the first sumcheck, by variable: its coefficients but the linear one, the constant first.
    First(u32),
    /// The evaluations.
    Evaluations,
    /// The claimed sum of masks.
    MaskSum,
    /// A round of the second sumcheck, by variable.
    Second(u32),
    /// The rows' values, `[h]`.
    H,
    /// The quotient `[q]`.
    Quotient,
    /// The remainder `[g]`.
    G,
    /// `[S]`.
    S,
    /// The reversed remainder `[D]`.
    D,
    /// `g(z), g(1/z), h(z), h(1/z), h(α), S(1/z)`; of one row, the constant `k` of the remainder.
    Openings,
    /// `[W]`.
    W,
    /// `[W']`.
    W2,
    /// The inverse of a product that the verifier computes.
    Inverse,
}

/// An array of equal elements at a fixed place of the proof.
pub type Slot = crate::Slot<SlotId>;

/// A move of the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The program's digest, then the number of instances.
    AbsorbProgram,
    /// All instances.
    AbsorbInstances,
    /// A slot as it stands.
    Absorb(Slot),
    /// A challenge.
    Squeeze(Challenge),
}

/// Where everything lies in a proof, and the transcript's moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofLayout {
    slots: Vec<Slot>,
    steps: Vec<Step>,
    length: usize,
}

impl Program {
    /// Where everything lies in the proof, and the transcript's moves. Empty for a program without a shape.
    pub fn layout(&self) -> ProofLayout {
        let mut layout = ProofLayout { slots: vec![], steps: vec![], length: 0 };
        if let Some(shape) = self.shape() {
            layout.fill(self, &shape);
        }
        layout
    }

    /// Addresses, degrees and evaluations.
    pub fn shape(&self) -> Option<Shape> {
        Shape::of(&self.system, &self.opening)
    }
}

impl ProofLayout {
    fn fill(&mut self, program: &Program, shape: &Shape) {
        use Challenge as C;
        use SlotId as Id;
        self.steps.extend([Step::AbsorbProgram, Step::AbsorbInstances]);
        if shape.private_parts > 0 {
            self.slot(Id::Private, Element::Point, shape.private_parts as usize);
        }
        self.slot(Id::Witness, Element::Point, shape.parts[0] as usize);
        self.points(&[Id::Masks]);
        self.squeeze([C::Theta, C::Beta]);
        self.slot(Id::Helpers, Element::Point, shape.parts[1] as usize);
        self.squeeze((0..program.system.tau_length()).map(C::Tau));
        self.squeeze([C::Gamma]);
        self.squeeze((0..shape.point_length).map(C::Relation));
        self.squeeze(program.system.has_sequences().then_some(C::Sequence));
        self.slot(Id::Sum, Element::Scalar, 1);
        for (v, degree) in shape.degrees.iter().enumerate().rev() {
            let v = v as u32;
            self.slot(Id::First(v), Element::Scalar, *degree as usize);
            self.squeeze([C::First(v)]);
        }
        self.slot(Id::Evaluations, Element::Scalar, shape.evaluations.len());
        self.slot(Id::MaskSum, Element::Scalar, 1);
        self.squeeze([C::Eta]);
        for v in (0..shape.second_variables).rev() {
            self.slot(Id::Second(v), Element::Scalar, 2);
            self.squeeze([C::Second(v)]);
        }
        if program.opening.is_whole() {
            self.whole();
        } else {
            self.by_rows();
        }
        self.points(&[Id::W2]);
        self.slot(Id::Inverse, Element::Scalar, 1);
    }

    fn whole(&mut self) {
        use SlotId as Id;
        self.points(&[Id::S]);
        self.squeeze([Challenge::Z]);
        self.slot(Id::Openings, Element::Scalar, 1);
        self.points(&[Id::W]);
        self.squeeze([Challenge::Y]);
    }

    fn by_rows(&mut self) {
        use Challenge as C;
        use SlotId as Id;
        self.points(&[Id::H]);
        self.squeeze([C::Alpha]);
        self.points(&[Id::Quotient, Id::G]);
        self.squeeze([C::OpenGamma]);
        self.points(&[Id::S, Id::D]);
        self.squeeze([C::Z]);
        self.slot(Id::Openings, Element::Scalar, OPENINGS);
        self.squeeze([C::Nu]);
        self.points(&[Id::W]);
        self.squeeze([C::Y, C::Zeta]);
    }

    fn points(&mut self, ids: &[SlotId]) {
        ids.iter().for_each(|id| self.slot(*id, Element::Point, 1));
    }

    fn slot(&mut self, id: SlotId, element: Element, count: usize) {
        let slot = Slot { id, element, count, offset: self.length };
        self.length = slot.end();
        self.slots.push(slot);
        self.steps.push(Step::Absorb(slot));
    }

    fn squeeze(&mut self, challenges: impl IntoIterator<Item = Challenge>) {
        self.steps.extend(challenges.into_iter().map(Step::Squeeze));
    }

    /// All slots, by offset.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The slot of that name.
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
}

/// Number of evaluations that an opening by rows carries.
pub const OPENINGS: usize = 6;
