//! Contractions as rows of an accumulator.
//!
//! Results of one contraction share field elements: with every result confined to `w` bits, the identity
//! `Σ_s 2^{ws}·(acc_s − y_s) = 0` over the field says that all `acc_s = y_s`, because no carry can reach the
//! next slot and the whole stays below the modulus. That divides the number of weight cells by the number of
//! slots. With a challenge, the packed columns of a constant matrix are then folded into one coefficient each.

use zkml_graph::{
    Bounds, Relation, System, View,
    contraction::{Dims, Outline},
    intervals::{Facts, Proven},
};

use crate::{
    error::{ProverError, Result},
    shape::Shape,
};

/// Bits that a packed sum may have, so that it cannot wrap around the field (`r > 2^253`).
pub const FIELD_BITS: u32 = 253;

/// How one contraction is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Every product has its place in a row; results are packed into slots.
    Direct,
    /// Weights folded with a challenge, then one product per operand element.
    Fold,
    /// Both operands are witnesses: products of pairs, one result at a time.
    Pairs,
    /// Both operands are witnesses: one is folded with a challenge, the other swept over, like the results.
    FoldCells,
}

/// A contraction, oriented so that the constant operand (if any) is the right one.
#[derive(Debug, Clone)]
pub struct Contraction {
    /// Index of the relation.
    pub relation: usize,
    /// Name of the node.
    pub label: String,
    /// Sizes; rows are positions of the witness operand, columns are results.
    pub dims: Dims,
    /// Whether the roles of the operands, and of `m` and `n`, are exchanged.
    pub swapped: bool,
    /// How it is checked.
    pub method: Method,
    /// Width of a slot in bits.
    pub width: u32,
    /// Results per field element.
    pub slots: usize,
    /// Whether a constant is added that differs between positions.
    pub varying_addend: bool,
    /// Whether anything is added.
    pub has_addend: bool,
    /// Whether what is added is fixed by the model.
    pub constant_addend: bool,
}

impl Contraction {
    /// Groups of results: field elements per position.
    pub fn groups(&self) -> usize {
        self.dims.n.div_ceil(self.slots)
    }

    /// Rows of weights per folded column.
    pub fn chunks(&self, shape: &Shape) -> usize {
        self.groups().div_ceil(shape.w_columns)
    }

    /// Rows that it takes at most.
    pub fn rows(&self, shape: &Shape) -> usize {
        let Dims { batch, m, k, n } = self.dims;
        match self.method {
            Method::Direct => {
                let lanes = shape.a_columns.min(shape.w_columns);
                let added = if self.constant_addend { 0 } else { self.slots };
                let full = 1 + (k + self.slots + added).div_ceil(lanes);
                batch * m * self.groups() * full
            }
            Method::Pairs => {
                let lanes = (shape.a_columns / 2).max(1);
                batch * m * n * (1 + (k + 1 + usize::from(self.has_addend)).div_ceil(lanes))
            }
            Method::FoldCells => {
                let (fold, sweep) = (n.div_ceil(shape.a_columns), m.div_ceil(shape.a_columns));
                batch * (2 + m * fold + (k + usize::from(self.has_addend)) * (fold + sweep))
            }
            Method::Fold => {
                let columns = k + self.groups() + usize::from(self.has_addend);
                let each = self.chunks(shape) - 1 + m.div_ceil(shape.a_columns);
                let pack = if self.slots > 1 { m * self.groups() * self.pack_height(shape) } else { 0 };
                batch * (2 + columns * each + pack)
            }
        }
    }

    /// Rows of a block that packs one field element of results.
    pub fn pack_height(&self, shape: &Shape) -> usize {
        (self.slots + 1).div_ceil(shape.a_columns)
    }
}

/// Decides how each contraction is checked in a given shape.
///
/// # Errors
/// [`ProverError::FieldOverflow`] names a contraction whose sums could wrap around.
pub fn contractions(
    system: &System,
    outlines: &[Outline],
    facts: &Facts,
    proven: &Proven,
    shape: &Shape,
) -> Result<Vec<Contraction>> {
    outlines.iter().map(|o| decide(system, o, facts, proven, shape)).collect()
}

fn decide(
    system: &System,
    o: &Outline,
    facts: &Facts,
    proven: &Proven,
    shape: &Shape,
) -> Result<Contraction> {
    let Relation::Contract { a, b, addend, y, .. } = &system.relations[o.relation].1 else {
        return Err(ProverError::Unsupported { label: o.label.clone(), detail: "not a contraction".into() });
    };
    let mag = |v: &View| {
        let own = proven.vars[v.var.0 as usize].map_or(i128::MAX >> 2, Bounds::magnitude);
        own.max(i128::from(v.map.pad.unwrap_or(0)).abs())
    };
    let witness = if o.swapped { b } else { a };
    let factor = if o.pairs { mag(a).saturating_mul(mag(b)) } else { mag(witness) };
    let sum = facts.weight[o.relation].saturating_mul(factor);
    let reach = sum.saturating_add(addend.as_ref().map_or(0, mag)).saturating_add(mag(y));
    let width = 128 - reach.leading_zeros();
    if width > 120 {
        return Err(ProverError::FieldOverflow { label: o.label.clone(), bits: width, limit: 120 });
    }
    let alone = o.pairs || proven.alone[o.relation];
    let slots = if alone { 1 } else { ((FIELD_BITS / width.max(1)) as usize).clamp(1, o.dims.n.max(1)) };
    let base = Contraction {
        relation: o.relation,
        label: o.label.clone(),
        dims: o.dims,
        swapped: o.swapped,
        method: if o.pairs { Method::Pairs } else { Method::Direct },
        width,
        slots,
        varying_addend: o.varying_addend,
        has_addend: o.has_addend,
        constant_addend: o.constant_addend,
    };
    let method = if o.pairs { Method::FoldCells } else { Method::Fold };
    let folded = Contraction { method, ..base.clone() };
    let may_fold =
        shape.fold && !o.varying_addend && (o.pairs || o.constant_addend) && (shape.sweep || o.dims.m == 1);
    Ok(if may_fold && folded.rows(shape) < base.rows(shape) { folded } else { base })
}
