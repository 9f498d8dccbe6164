//! Forged assignments: one cell is changed, and all constraints but one are made to hold again.

use std::collections::{HashSet, VecDeque};

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use rand::{Rng, RngCore, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use zkml_halo2::polynomial::{field, pow2};

use crate::{
    Assignment,
    cells::{Board, Cell, Constraint},
};

/// Repairs that one forgery may take; a graph of the zoo has far fewer cells.
const MAX_REPAIRS: usize = 4096;

/// Way in which the constraints that a changed cell breaks are made to hold again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repair {
    /// Not at all: the cell alone is changed.
    None,
    /// Repair by the cell that lies farthest on the way to the outputs: what follows is computed forward.
    Forward,
    /// Repair by the cell that lies farthest on the way to the inputs: causes are found for the effect.
    Backward,
    /// Repair by any cell.
    Shuffled,
}

impl Repair {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::None, Self::Forward, Self::Backward, Self::Shuffled];
}

/// Part of the constraints that may stay broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spared {
    /// Nothing: all constraints are to hold again.
    Nothing,
    /// One constraint, by its index on the board.
    Constraint(usize),
    /// All constraints of one relation, by its index in the system.
    Relation(usize),
}

impl Spared {
    /// Returns true if a constraint may stay broken.
    fn covers(self, board: &Board<'_>, constraint: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Constraint(i) => i == constraint,
            Self::Relation(r) => board.constraints[constraint].0 == r,
        }
    }

    /// Index of the relation that may be broken.
    pub fn relation(self, board: &Board<'_>) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::Constraint(i) => Some(board.constraints[i].0),
            Self::Relation(r) => Some(r),
        }
    }
}

/// A change of one cell, or of two whose changes cancel out somewhere.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// The cell.
    pub cell: Cell,
    /// Its forged value.
    pub value: Fr,
    /// Another cell with its forged value.
    pub also: Option<(Cell, Fr)>,
    /// Constraints that may stay broken.
    pub spared: Spared,
    /// Way in which all others are repaired.
    pub repair: Repair,
    /// Seed of shuffled repairs.
    pub seed: u64,
}

/// Values that a cell is forged to: near the honest one, beyond each range and table that it has to keep, far away.
pub fn values(board: &Board<'_>, honest: &Assignment, cell: Cell, rng: &mut impl RngCore) -> Vec<Fr> {
    let v = cell.of(honest);
    let mut out = vec![v + Fr::ONE, v - Fr::ONE, -v - Fr::ONE, v + Fr::from(rng.gen_range(2..1 << 20))];
    for &i in board.touching(cell) {
        match &board.constraints[i].1 {
            Constraint::Within(_, lo, hi) => {
                // Just beyond, and as far beyond as the range is wide: what is divided keeps its remainder.
                let width = field(hi - lo + 1);
                out.extend([field(lo - 1), field(hi + 1), v + width, v - width]);
            }
            Constraint::Row { .. } => out.extend([v + Fr::from(1 << 5), v - Fr::from(1 << 8)]),
            Constraint::Zero(..) => {}
        }
    }
    // A slot away in a packed word, and anywhere in the field.
    out.extend([v + pow2(rng.gen_range(20..250)), Fr::random(rng)]);
    out.retain(|new| *new != v);
    out
}

/// The forged assignment of a change.
pub fn forge(board: &Board<'_>, honest: &Assignment, change: &Change) -> Assignment {
    let mut values = honest.clone();
    let changed = || std::iter::once((change.cell, change.value)).chain(change.also);
    changed().for_each(|(cell, value)| *cell.of_mut(&mut values) = value);
    if change.repair == Repair::None {
        return values;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(change.seed);
    let mut frozen: HashSet<Cell> = changed().map(|(cell, _)| cell).collect();
    let wanted = |i: &usize| !change.spared.covers(board, *i);
    let touched = changed().flat_map(|(cell, _)| board.touching(cell).iter().copied());
    let mut queue: VecDeque<usize> = touched.filter(wanted).collect();
    for _ in 0..MAX_REPAIRS {
        let Some(i) = queue.pop_front() else { break };
        if board.holds(i, &values) {
            continue;
        }
        let mut cells: Vec<Cell> = board.constraints[i].1.cells();
        cells.retain(|c| !frozen.contains(c) && !board.is_constant(*c));
        match change.repair {
            Repair::Forward => cells.sort_by_key(|c| std::cmp::Reverse(board.position(*c))),
            Repair::Backward => cells.sort_by_key(|c| board.position(*c)),
            Repair::None | Repair::Shuffled => cells.shuffle(&mut rng),
        }
        for cell in cells {
            let Some(value) = board.solve(i, cell, &mut values) else { continue };
            *cell.of_mut(&mut values) = value;
            frozen.insert(cell);
            queue.extend(board.touching(cell).iter().copied().filter(wanted));
            break;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;
    use zkml_graph::testing;

    #[test]
    fn all_but_the_spared_constraint_hold() {
        // A perceptron from the hidden sums on: computed forward, everything but the contraction follows.
        let case = testing::cases().into_iter().find(|c| c.name == "network: perceptron").expect("exists");
        let target = Target::new(&case.name, case.graph, &case.inputs, &case.weights).expect("runs");
        let board = Board::new(&target.system);
        let hidden = target.graph.nodes[0].output.0;
        let cell = Cell { var: hidden, index: 0 };
        let spared = board.touching(cell).iter().copied().find(|&i| {
            matches!(target.system.relations[board.constraints[i].0].1, zkml_graph::Relation::Contract { .. })
        });
        let spared = spared.expect("the contraction");
        // Far enough to change what is rescaled, and near enough to keep every range.
        let value = cell.of(&target.honest) + Fr::from(256);
        let part = Spared::Constraint(spared);
        let change = Change { cell, value, also: None, spared: part, repair: Repair::Forward, seed: 1 };
        let values = forge(&board, &target.honest, &change);
        let broken: Vec<usize> = (0..board.constraints.len()).filter(|&i| !board.holds(i, &values)).collect();
        assert!(broken.contains(&spared), "{broken:?}");
        assert_ne!(values, target.honest);
        let alone = forge(&board, &target.honest, &Change { repair: Repair::None, ..change });
        let changed: usize = alone.iter().zip(&target.honest).map(|(a, b)| usize::from(a != b)).sum();
        assert_eq!(changed, 1);
    }
}
