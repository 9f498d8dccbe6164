//! A system's relations as scalar constraints over single cells.
//!
//! Written from the definition of each relation kind, and from nothing that a back end or the exact checker uses, so
//! that a mistake in one of them is not repeated here.

use std::collections::HashMap;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{Relation, System, View};
use zkml_halo2::polynomial::field;

use crate::{Assignment, target::integer};

/// An element of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// Index of the variable.
    pub var: u32,
    /// Row-major index of the element.
    pub index: u32,
}

impl Cell {
    /// Its value.
    pub fn of(self, values: &Assignment) -> Fr {
        values[self.var as usize][self.index as usize]
    }

    /// Its place.
    pub fn of_mut(self, values: &mut Assignment) -> &mut Fr {
        &mut values[self.var as usize][self.index as usize]
    }
}

/// An element of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// A cell.
    Cell(Cell),
    /// The padding around a variable.
    Pad(i64),
}

impl Operand {
    fn of(self, values: &Assignment) -> Fr {
        match self {
            Self::Cell(c) => c.of(values),
            Self::Pad(v) => field(v.into()),
        }
    }

    fn cell(self) -> Option<Cell> {
        match self {
            Self::Cell(c) => Some(c),
            Self::Pad(_) => None,
        }
    }
}

/// One element of one relation.
#[derive(Debug, Clone)]
pub enum Constraint {
    /// A sum of products of at most two operands, times a coefficient, is zero.
    Zero(Vec<(i64, Operand, Option<Operand>)>, i64),
    /// A key and its row in a table.
    Row {
        /// Index of the table.
        table: usize,
        /// The key.
        key: Operand,
        /// One operand per column.
        outputs: Vec<Operand>,
    },
    /// An operand lies in the closed interval that any back end may accept at most.
    Within(Operand, i128, i128),
}

impl Constraint {
    /// All cells that it speaks of.
    pub fn cells(&self) -> Vec<Cell> {
        let all: Vec<Operand> = match self {
            Self::Zero(terms, _) => terms.iter().flat_map(|(_, a, b)| [Some(*a), *b]).flatten().collect(),
            Self::Row { key, outputs, .. } => std::iter::once(key).chain(outputs).copied().collect(),
            Self::Within(v, ..) => vec![*v],
        };
        let mut cells: Vec<Cell> = all.into_iter().filter_map(Operand::cell).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    }
}

/// All constraints of a system, and where each cell is spoken of.
#[derive(Debug)]
pub struct Board<'a> {
    system: &'a System,
    /// Constraints with the index of their relation.
    pub constraints: Vec<(usize, Constraint)>,
    touching: HashMap<Cell, Vec<usize>>,
    order: Vec<usize>,
}

impl<'a> Board<'a> {
    /// Writes out a system.
    pub fn new(system: &'a System) -> Self {
        let mut constraints = Vec::new();
        let mut order = vec![usize::MAX; system.vars.len()];
        for (i, (_, relation)) in system.relations.iter().enumerate() {
            for v in relation.views() {
                let at = &mut order[v.var.0 as usize];
                *at = (*at).min(i);
            }
            constraints.extend(expand(relation).into_iter().map(|c| (i, c)));
        }
        let mut touching: HashMap<Cell, Vec<usize>> = HashMap::new();
        for (i, (_, c)) in constraints.iter().enumerate() {
            c.cells().into_iter().for_each(|cell| touching.entry(cell).or_default().push(i));
        }
        Self { system, constraints, touching, order }
    }

    /// Constraints that speak of a cell.
    pub fn touching(&self, cell: Cell) -> &[usize] {
        self.touching.get(&cell).map_or(&[], Vec::as_slice)
    }

    /// Every cell of the system, those of constants included.
    pub fn cells(&self) -> Vec<Cell> {
        let all = self.system.vars.iter().enumerate();
        all.flat_map(|(v, var)| (0..var.len()).map(move |i| Cell { var: v as u32, index: i as u32 }))
            .collect()
    }

    /// Returns true if the model fixes the cell.
    pub fn is_constant(&self, cell: Cell) -> bool {
        self.system.vars[cell.var as usize].constant.is_some()
    }

    /// Position of a cell on the way from inputs to outputs: the first relation that speaks of its variable.
    pub fn position(&self, cell: Cell) -> (usize, u32, u32) {
        (self.order[cell.var as usize], cell.var, cell.index)
    }

    /// Returns true if constraint `i` holds.
    pub fn holds(&self, i: usize, values: &Assignment) -> bool {
        match &self.constraints[i].1 {
            Constraint::Zero(terms, constant) => zero(terms, *constant, values) == Fr::ZERO,
            Constraint::Row { table, key, outputs } => self.row(*table, key.of(values)).is_some_and(|row| {
                outputs.iter().zip(row).all(|(o, wanted)| o.of(values) == field(wanted.into()))
            }),
            Constraint::Within(v, lo, hi) => {
                integer(v.of(values)).is_some_and(|v| (*lo..=*hi).contains(&i128::from(v)))
            }
        }
    }

    /// The outputs that a table gives for a key.
    fn row(&self, table: usize, key: Fr) -> Option<Vec<i64>> {
        let t = &self.system.tables[table];
        let at = usize::try_from(integer(key)?.checked_sub(t.lo)?).ok()?;
        t.columns.iter().map(|c| c.get(at).copied()).collect()
    }

    /// The value of `cell` with which constraint `i` holds, all else as it is. `None` where there is none, or where
    /// it is not unique.
    pub fn solve(&self, i: usize, cell: Cell, values: &mut Assignment) -> Option<Fr> {
        match &self.constraints[i].1 {
            Constraint::Zero(terms, constant) => {
                let before = cell.of(values);
                let mut at = |v: Fr| {
                    *cell.of_mut(values) = v;
                    zero(terms, *constant, values)
                };
                let (zero, one, two) = (at(Fr::ZERO), at(Fr::ONE), at(Fr::ONE + Fr::ONE));
                at(before);
                let slope = one - zero;
                // Affine in the cell, or not to be solved so.
                (two - one == slope).then(|| Option::<Fr>::from(slope.invert()).map(|s| -zero * s))?
            }
            Constraint::Row { table, key, outputs } => {
                let row = self.row(*table, key.of(values))?;
                if key.cell() == Some(cell) {
                    return None;
                }
                let mut wanted = outputs.iter().zip(row).filter(|(o, _)| o.cell() == Some(cell));
                wanted.next().map(|(_, v)| field(v.into()))
            }
            Constraint::Within(..) => None,
        }
    }
}

fn zero(terms: &[(i64, Operand, Option<Operand>)], constant: i64, values: &Assignment) -> Fr {
    let term = |(c, a, b): &(i64, Operand, Option<Operand>)| {
        field((*c).into()) * a.of(values) * b.map_or(Fr::ONE, |b| b.of(values))
    };
    terms.iter().map(term).sum::<Fr>() + field(constant.into())
}

fn operands(view: &View) -> Vec<Operand> {
    let pad = view.map.pad.unwrap_or(0);
    let at = |i: Option<usize>| match i {
        Some(i) => Operand::Cell(Cell { var: view.var.0, index: i as u32 }),
        None => Operand::Pad(pad),
    };
    view.map.indices().into_iter().map(at).collect()
}

/// The scalar constraints of a relation.
fn expand(relation: &Relation) -> Vec<Constraint> {
    match relation {
        Relation::Linear { terms, constant } => {
            let terms: Vec<(i64, Vec<Operand>)> = terms.iter().map(|(c, v)| (*c, operands(v))).collect();
            let count = terms.first().map_or(0, |(_, v)| v.len());
            let one = |i: usize| terms.iter().map(|(c, v)| (*c, v[i], None)).collect();
            (0..count).map(|i| Constraint::Zero(one(i), *constant)).collect()
        }
        Relation::Product { a, b, y } => {
            let [a, b, y] = [a, b, y].map(operands);
            let one = |i: usize| vec![(1, a[i], Some(b[i])), (-1, y[i], None)];
            (0..y.len()).map(|i| Constraint::Zero(one(i), 0)).collect()
        }
        Relation::Lookup { table, key, outputs } => {
            let (key, outputs) = (operands(key), outputs.iter().map(operands).collect::<Vec<_>>());
            let table = table.0 as usize;
            let one = |i: usize| outputs.iter().map(|o| o[i]).collect();
            (0..key.len()).map(|i| Constraint::Row { table, key: key[i], outputs: one(i) }).collect()
        }
        Relation::Range { v, lo, bits, kind } => {
            let widest = kind.widest(*lo, *bits);
            operands(v).into_iter().map(|o| Constraint::Within(o, widest.lo, widest.hi)).collect()
        }
        Relation::Copy { from, to } => {
            let pairs = operands(from).into_iter().zip(operands(to));
            pairs.map(|(f, t)| Constraint::Zero(vec![(1, f, None), (-1, t, None)], 0)).collect()
        }
        Relation::Contract { a, b, addend, y, ranks } => contract(
            [a, b, y].map(operands),
            addend.as_ref().map(operands),
            &a.map.shape,
            &b.map.shape,
            *ranks,
        ),
        Relation::Public { .. } | Relation::Commit { .. } => vec![],
    }
}

fn contract(
    [a, b, y]: [Vec<Operand>; 3],
    addend: Option<Vec<Operand>>,
    a_shape: &[usize],
    b_shape: &[usize],
    [batch, rows, summed, _]: [usize; 4],
) -> Vec<Constraint> {
    let size = |dims: &[usize]| dims.iter().product::<usize>();
    let (m, k) = (size(&a_shape[batch..batch + rows]), size(&a_shape[batch + rows..]));
    let n = size(&b_shape[batch + summed..]);
    let one = |i: usize| {
        let (group, row, column) = (i / (m * n), i / n % m, i % n);
        let left = |j: usize| a[(group * m + row) * k + j];
        let right = |j: usize| b[(group * k + j) * n + column];
        let mut terms: Vec<_> = (0..k).map(|j| (1, left(j), Some(right(j)))).collect();
        terms.extend(addend.as_ref().map(|v| (1, v[i], None)));
        terms.push((-1, y[i], None));
        Constraint::Zero(terms, 0)
    };
    (0..y.len()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;
    use zkml_graph::testing;

    #[test]
    fn constraints_hold_on_honest_runs_and_break_with_every_cell() {
        for case in testing::cases() {
            let target = Target::new(&case.name, case.graph.clone(), &case.inputs, &case.weights)
                .unwrap_or_else(|e| panic!("{}: {e}", case.name));
            let board = Board::new(&target.system);
            let mut values = target.honest.clone();
            let broken =
                |values: &Assignment| (0..board.constraints.len()).find(|&i| !board.holds(i, values));
            assert_eq!(broken(&values), None, "{}", case.name);
            for (var, index) in case.cells(&target.system) {
                let cell = Cell { var: var as u32, index: index as u32 };
                *cell.of_mut(&mut values) += Fr::ONE;
                assert!(broken(&values).is_some(), "{}: {cell:?}", case.name);
                *cell.of_mut(&mut values) -= Fr::ONE;
            }
        }
    }

    #[test]
    fn a_constraint_is_solved_for_a_cell() {
        let case = testing::cases().into_iter().find(|c| c.name == "Linear: negation").expect("exists");
        let target = Target::new(&case.name, case.graph, &case.inputs, &case.weights).expect("runs");
        let board = Board::new(&target.system);
        let (i, (_, constraint)) = board
            .constraints
            .iter()
            .enumerate()
            .find(|(_, (_, c))| matches!(c, Constraint::Zero(..)))
            .expect("a linear relation");
        let mut values = target.honest.clone();
        for cell in constraint.cells() {
            *cell.of_mut(&mut values) += Fr::from(5);
            let solved = board.solve(i, cell, &mut values).expect("unit coefficients");
            assert_eq!(solved, cell.of(&target.honest));
            *cell.of_mut(&mut values) = solved;
        }
    }
}
