//! The one list of linear claims: all that the committed vectors must satisfy once the first sumcheck has ended.

use super::{
    program::System,
    shape::Shape,
    view::{Axis, Form, Index, Source, Term, Weight},
};
use crate::Word;

/// What weighs the values of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// `eq` at coordinates of `r`, from this one on.
    Relation(u32),
    /// `eq` at coordinates of the first sumcheck's point, from this one on.
    Row(u32),
    /// `eq` with all coordinates equal to this number.
    Fixed(u64),
    /// Powers of a constant.
    Packed(Word),
    /// Powers of `χ^stride`.
    Sequence(u64),
}

/// What a part of a claim is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Factor {
    /// One.
    One,
    /// This power of `γ`.
    Gamma(u32),
}

/// A form at points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What multiplies it.
    pub factor: Factor,
    /// The indices of its relation.
    pub indices: Vec<Index>,
    /// A point for each of them.
    pub points: Vec<Point>,
    /// The form.
    pub form: Form,
}

/// Coefficient of a cell of `R` in a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskWeight {
    /// `2^shift`.
    Shift(u32),
    /// `x_v^e` at the first sumcheck's point.
    Power(u32, u32),
    /// `x₀ (1 − x₀)` at the first sumcheck's point.
    Evaluation,
}

/// What a claim says that its functional is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claimed {
    /// The sum that the first sumcheck is about.
    Sum,
    /// What its last round leaves for the mask, once gates are taken away.
    Gates,
    /// An evaluation that the proof carries.
    Evaluation(u32),
    /// Zero, for this linear relation.
    Zero(u32),
    /// The instances of this linear relation.
    Instances(u32),
    /// What the proof says of the masks.
    MaskSum,
}

/// A linear functional of the committed vectors, with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The value; constants of the form are on the other side.
    pub value: Claimed,
    /// Forms.
    pub parts: Vec<Part>,
    /// Single cells of `R`.
    pub masks: Vec<(u64, MaskWeight)>,
}

/// Which powers of `γ` weigh what in the first sumcheck: helpers come first, with `γ^g`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Of the first gate of each template; templates hold in different rows, so they share powers.
    pub gates: u32,
    /// Of the table's equation.
    pub table: u32,
    /// Of the equation of the sums of fractions.
    pub sums: u32,
    /// Of the first contraction.
    pub contractions: u32,
}

impl Batch {
    /// The powers of a system.
    pub fn of(system: &System) -> Self {
        let gates = system.groups();
        let table = gates + system.gates() as u32;
        Self { gates, table, sums: table + 1, contractions: table + 2 }
    }
}

/// Points of a relation's indices: those that are random take the coordinates of `r` one after the other.
fn points(indices: &[Index]) -> Vec<Point> {
    let mut at = 0;
    let point = |index: &Index| match index.weight {
        Weight::Random => {
            at += index.bits();
            Point::Relation(at - index.bits())
        }
        Weight::Packed(base) => Point::Packed(base),
        Weight::Sequence { stride } => Point::Sequence(stride),
    };
    indices.iter().map(point).collect()
}

/// Points of a contraction's indices: free ones and those of the batch at `r`.
fn contraction_points(system: &System, number: usize) -> Vec<Point> {
    let c = &system.contractions[number];
    let outer: Vec<Index> = c.free.iter().chain(&c.batch).copied().collect();
    let mut out = points(&outer);
    out.extend(c.sum.iter().map(|_| Point::Row(0)));
    out
}

/// Points of an operand: indices of the batch and summed ones at the first sumcheck's point.
fn operand_points(system: &System, number: usize) -> Vec<Point> {
    let c = &system.contractions[number];
    let mut out = contraction_points(system, number);
    let (batch, sum) = (c.free.len(), c.free.len() + c.batch.len());
    let mut at = 0;
    for (i, index) in c.sum.iter().enumerate() {
        out[sum + i] = Point::Row(at);
        at += index.bits();
    }
    for (i, index) in c.batch.iter().enumerate() {
        out[batch + i] = Point::Row(at);
        at += index.bits();
    }
    out
}

/// All claims in their order: claim `i` is weighed by `η^i`.
pub fn claims(system: &System, shape: &Shape, bits: u32) -> Vec<Claim> {
    let mut out = vec![sum(system, shape), gates(shape)];
    for (number, evaluation) in shape.evaluations.iter().enumerate() {
        out.push(evaluated(system, number, evaluation));
    }
    for (number, relation) in (0u32..).zip(&system.linears) {
        let part = Part {
            factor: Factor::One,
            points: points(&relation.indices),
            indices: relation.indices.clone(),
            form: relation.form.clone(),
        };
        let value =
            if relation.instances.is_some() { Claimed::Instances(number) } else { Claimed::Zero(number) };
        out.push(Claim { value, parts: vec![part], masks: vec![] });
    }
    out.push(mask_sum(bits, shape.helper_mask));
    out
}

/// `S₁ = Σ γ^· Y + Σ_x p₁(x)`.
fn sum(system: &System, shape: &Shape) -> Claim {
    let batch = Batch::of(system);
    let parts = system.contractions.iter().enumerate().map(|(i, c)| Part {
        factor: Factor::Gamma(batch.contractions + i as u32),
        points: contraction_points(system, i),
        indices: c.indices(),
        form: c.y.clone(),
    });
    let all = shape.first_variables;
    let mask = |m: &super::MaskTerm| {
        (m.address, MaskWeight::Shift(if m.power.is_some() { all.saturating_sub(1) } else { all }))
    };
    Claim { value: Claimed::Sum, parts: parts.collect(), masks: shape.mask_terms.iter().map(mask).collect() }
}

/// `p₁` at the first sumcheck's point.
fn gates(shape: &Shape) -> Claim {
    let weight = |power: Option<(u32, u32)>| {
        power.map_or(MaskWeight::Shift(0), |(variable, exponent)| MaskWeight::Power(variable, exponent))
    };
    let masks = shape.mask_terms.iter().map(|m| (m.address, weight(m.power)));
    Claim { value: Claimed::Gates, parts: vec![], masks: masks.collect() }
}

fn evaluated(system: &System, number: usize, evaluation: &super::Evaluation) -> Claim {
    use super::Evaluated::{Left, Right};
    let (indices, points) = match evaluation.of {
        Left(i) | Right(i) => (system.contractions[i as usize].indices(), operand_points(system, i as usize)),
        _ => {
            let bits = evaluation.form.0.iter().flat_map(|t| &t.axes).map(|a| a.bits).max().unwrap_or(0);
            (vec![Index::random(1 << bits)], vec![Point::Row(0)])
        }
    };
    let part = Part { factor: Factor::One, indices, points, form: evaluation.form.clone() };
    let masks = evaluation.mask.map(|address| (address, MaskWeight::Evaluation));
    Claim { value: Claimed::Evaluation(number as u32), parts: vec![part], masks: masks.into_iter().collect() }
}

/// `⟨eq(2…2, ·) + eq(3…3, ·), R + H⟩`: two fixed points give two degrees of freedom in each round of the second sumcheck.
fn mask_sum(bits: u32, helper_mask: u64) -> Claim {
    let whole = |(source, base), value| {
        let axes = vec![Axis::plain(0, 0, 1 << bits)];
        Part {
            factor: Factor::One,
            indices: vec![Index::random(1 << bits)],
            points: vec![Point::Fixed(value)],
            form: Form(vec![Term { source, axes, broadcast: vec![], cells: vec![(base, Word::ONE)] }]),
        }
    };
    // Of `H`, the part that has the random cell.
    let sources = [(Source::Masks, 0), (Source::Helpers, helper_mask >> bits << bits)];
    let parts = sources.into_iter().flat_map(|s| [2, 3].map(|v| whole(s, v)));
    Claim { value: Claimed::MaskSum, parts: parts.collect(), masks: vec![] }
}
