//! Which commitments are opened at which rotations of `x`, in halo2's order.

use super::{Eval, Program};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::Hash;

/// A polynomial commitment that takes part in the opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Commitment {
    /// Advice column of this index: from the proof.
    Advice(u32),
    /// Fixed column of this index: [`Program::fixed_commitments`].
    Fixed(u32),
    /// Column of the permutation of this index: [`Program::sigma_commitments`].
    Sigma(u32),
    /// Permutation product of this index: from the proof.
    Product(u32),
    /// The random polynomial: from the proof.
    Random,
    /// The quotient: its pieces in the proof, folded by powers of `x^n`.
    Quotient,
}

/// A commitment with its evaluations at the rotations of its set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What is opened.
    pub commitment: Commitment,
    /// Its evaluations, one for each of the set's rotations and in that order.
    pub evals: Vec<Eval>,
}

/// Commitments that are opened at the same set of rotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningSet {
    /// Rotations `t`, ascending and distinct: the points are `x · ω^t`.
    pub rotations: Vec<i32>,
    /// Members in order: member `j` is weighed by `y'^j`.
    pub members: Vec<Opened>,
}

/// A claim that `commitment` takes the value `eval` at `x · ω^rotation`.
pub(crate) struct Claim {
    pub(crate) commitment: Commitment,
    pub(crate) rotation: i32,
    pub(crate) eval: Eval,
}

/// All claims in the order in which halo2's verifier lists its queries.
pub(crate) fn claims(program: &Program) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut claim = |commitment, rotation, eval| claims.push(Claim { commitment, rotation, eval });
    for (index, query) in (0u32..).zip(&program.advice_queries) {
        claim(Commitment::Advice(query.column), query.rotation, Eval::Advice(index));
    }
    for product in 0..program.products {
        claim(Commitment::Product(product), 0, Eval::product(product));
        claim(Commitment::Product(product), 1, Eval::product_next(product));
    }
    // From the last but one down to the first.
    for product in (0..program.products.saturating_sub(1)).rev() {
        claim(Commitment::Product(product), program.last_rotation(), Eval::product_last(product));
    }
    for (index, query) in (0u32..).zip(&program.fixed_queries) {
        claim(Commitment::Fixed(query.column), query.rotation, Eval::Fixed(index));
    }
    for index in 0..program.sigma_commitments.len() as u32 {
        claim(Commitment::Sigma(index), 0, Eval::Sigma(index));
    }
    claim(Commitment::Quotient, 0, Eval::Quotient);
    claim(Commitment::Random, 0, Eval::Random);
    claims
}

/// Groups the claims by commitment, then the commitments by their set of rotations, both in order of first appearance.
pub(crate) fn opening_sets(program: &Program) -> Vec<OpeningSet> {
    let by_commitment =
        group(claims(program).into_iter().map(|claim| (claim.commitment, (claim.rotation, claim.eval))));
    let by_rotations = group(by_commitment.into_iter().map(|(commitment, mut entries)| {
        entries.sort_by_key(|(rotation, _)| *rotation);
        let (rotations, evals): (Vec<i32>, Vec<Eval>) = entries.into_iter().unzip();
        (rotations, Opened { commitment, evals })
    }));
    by_rotations.into_iter().map(|(rotations, members)| OpeningSet { rotations, members }).collect()
}

/// Collects the values of equal keys; keys keep the order in which they first appear.
fn group<K: Clone + Eq + Hash, V>(pairs: impl Iterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
