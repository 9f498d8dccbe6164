//! Ways to cheat.

use zkml_protocol::plonk::{Eval, ProofLayout};

/// What the columns of the circuit hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witness {
    Honest,
    /// All is computed, but another output is stated.
    Output,
    /// The product is wrong.
    Product,
    /// The sum is wrong.
    Sum,
    /// The compared rows differ.
    Check,
    /// They differ such that a known challenge does not see it.
    CheckChosen,
    /// Copies differ such that a known `β` does not see it.
    CopiesBeta,
    /// The same for a known `γ`.
    CopiesGamma,
    /// Errors of two gates cancel under a known `y`.
    Gates,
    /// The value that is read for the ignored instance is proven, another is stated.
    Ignored,
}

/// What the permutation's products hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Products {
    Computed,
    /// Zero from the start of this product on.
    ZeroFromStart(usize),
    /// Zero from the second row of this product on.
    ZeroFromSecondRow(usize),
}

/// What is chosen later than it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    Nothing,
    /// The quotient, for a known `x`.
    Quotient,
    /// A value, so that the identities hold.
    Claim(Eval),
    /// A second value, so that the opening does not see that the first is wrong.
    Cancel(Eval, Eval),
    /// The opening's first commitment, for a known `u`.
    Opening,
    /// A value that nothing hashes.
    Value(Eval),
    /// A commitment that nothing hashes, at this byte of the proof.
    Point(usize),
    /// Instances that nothing hashes.
    Instances,
    /// The opening's second commitment, for a setup whose secret is one.
    Setup,
    /// The same proof for another meaning of the output.
    Meaning,
}

/// One way to cheat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan(pub(super) Witness, pub(super) Products, pub(super) Late);

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(witness, products, late) = self;
        write!(f, "{witness:?} {products:?} {late:?}")
    }
}

impl Plan {
    pub(super) const HONEST: Self = Self(Witness::Honest, Products::Computed, Late::Nothing);

    /// All ways that are tried.
    pub(super) fn all(layout: &ProofLayout) -> Vec<Self> {
        use Witness::*;
        let mut plans = Vec::new();
        let rows = (0..3).flat_map(|i| [Products::ZeroFromStart(i), Products::ZeroFromSecondRow(i)]);
        plans.extend(rows.chain([Products::Computed]).map(|products| Self(Output, products, Late::Nothing)));
        let witnesses = [Honest, Product, Sum, Check, CheckChosen, CopiesBeta, CopiesGamma, Gates, Ignored];
        plans.extend(witnesses.map(|witness| Self(witness, Products::Computed, Late::Nothing)));
        let late = |late| Self(Output, Products::Computed, late);
        plans.extend([Late::Quotient, Late::Opening, Late::Setup].map(late));
        let evals = (0..5).map(Eval::Advice).chain((0..4).map(Eval::Fixed)).chain((0..5).map(Eval::Sigma));
        let evals: Vec<Eval> = evals.chain((0..8).map(Eval::Product)).chain([Eval::Random]).collect();
        plans.extend(evals.iter().map(|eval| late(Late::Claim(*eval))));
        plans.extend(evals.iter().map(|eval| late(Late::Value(*eval))));
        plans.push(late(Late::Cancel(Eval::Quotient, Eval::Random)));
        plans.push(late(Late::Cancel(Eval::Advice(1), Eval::Product(0))));
        plans.extend(layout.point_offsets().into_iter().map(|offset| late(Late::Point(offset))));
        plans.extend([Late::Instances, Late::Meaning].map(|late| Self(Honest, Products::Computed, late)));
        plans
    }
}
