//! Gates, and what a row does to the accumulator.

use std::sync::Arc;

use crate::{block::Template, poseidon_rows::Step, shape::Shape};

/// What a gate demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// `a₀ = instance`, and the lookup sum is zero.
    Public,
    /// `a₀ = w₀`.
    Constant,
    /// The accumulator is zero and restarts at `w₀`; the folding coefficient restarts at zero.
    Start,
    /// The accumulator grows by `Σ w·a`.
    Dot,
    /// The accumulator grows by `Σ a₂ᵢ·a₂ᵢ₊₁`.
    Pairs,
    /// The last of `slots + 1` cells packs the others in slots of `width` bits.
    Pack {
        /// Bits per slot.
        width: u32,
        /// Number of slots.
        slots: usize,
    },
    /// The folding coefficient takes in a row of witnesses: `z' = z·ρ^lanes + Σ ρˡaₗ`; the accumulator stays.
    FoldCells,
    /// `t' = σ·t − z`, and the coefficient restarts with a row of witnesses.
    Shift,
    /// A step of the hash.
    Hash(Step),
    /// Element-wise relations.
    Block(Arc<Template>),
}

impl Gate {
    /// Largest degree of its constraints.
    pub fn degree(&self) -> usize {
        match self {
            Self::Public | Self::Constant | Self::Start | Self::Pack { .. } => 1,
            Self::FoldCells | Self::Shift => 1,
            Self::Dot | Self::Pairs => 2,
            Self::Hash(_) => 3,
            Self::Block(t) => t.degree().max(1),
        }
    }

    /// Rows that it speaks of.
    pub fn height(&self, shape: &Shape) -> usize {
        match self {
            Self::Pack { slots, .. } => (slots + 1).div_ceil(shape.a_columns),
            Self::Block(t) => t.height,
            Self::Hash(s) => {
                s.height(shape.a_columns, shape.w_columns) + zkml_poseidon::WIDTH.div_ceil(shape.a_columns)
            }
            _ => 1,
        }
    }
}

/// What the row does to the folding coefficient `z` and the accumulator `t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOp {
    /// [`Gate::Start`].
    Start,
    /// [`Gate::Dot`].
    Dot,
    /// [`Gate::Pairs`].
    Pairs,
    /// `t += z·Σ σˡaₗ`, and `z` restarts with the row's weights.
    Next,
    /// `z` is multiplied by `ρ^lanes` and takes in the row's weights.
    Fold,
    /// `t += z·Σ σˡaₗ`, and `z` is multiplied by `σ^lanes`.
    Sweep,
    /// [`Gate::FoldCells`].
    FoldCells,
    /// [`Gate::Shift`].
    Shift,
}

impl RowOp {
    /// Code in the fold column; zero for operations that are gates.
    pub fn fold_code(self) -> u64 {
        match self {
            Self::Next => 1,
            Self::Fold => 2,
            Self::Sweep => 3,
            _ => 0,
        }
    }
}
