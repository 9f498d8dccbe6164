//! Forgeries on the circuit's own cells: a removed check is attacked where it was.
//!
//! The forger of [`crate::forge`] moves values of the system. What lies below them, states of the hash, packed words,
//! limbs, copies, is moved here: a class of cells that copies tie together is changed, and every gate but the removed
//! one is made to hold again.

use std::collections::{BTreeSet, HashMap, HashSet};

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;

use super::{columns::Columns, judge::Circuit};

/// Repairs of gates over early columns that one forgery may take.
const MAX_REPAIRS: usize = 20_000;
/// Repairs of chains, at least and at most: one for each place of the changed cell, which all chains of a contraction
/// may have among their lanes.
const LATE_REPAIRS: [usize; 2] = [4, 12];
/// Rows before the end of a chain in which a cell is looked for.
const CHAIN: u32 = 40;

/// An early cell: column and row. Instances follow the advice columns.
pub type Place = (usize, usize);

/// Classes of cells that copies tie together.
#[derive(Debug)]
pub struct Classes {
    members: HashMap<Place, Vec<Place>>,
}

impl Classes {
    /// The classes of a circuit's copies.
    pub fn new(circuit: &Circuit) -> Self {
        let mut root: HashMap<Place, Place> = HashMap::new();
        fn find(root: &mut HashMap<Place, Place>, at: Place) -> Place {
            match root.get(&at).copied() {
                Some(up) if up != at => {
                    let top = find(root, up);
                    root.insert(at, top);
                    top
                }
                _ => at,
            }
        }
        let mut all = HashSet::new();
        for [a, b] in &circuit.copies {
            let (x, y) = (find(&mut root, *a), find(&mut root, *b));
            root.insert(x, y);
            all.extend([*a, *b]);
        }
        let mut by_root: HashMap<Place, Vec<Place>> = HashMap::new();
        for at in all {
            by_root.entry(find(&mut root, at)).or_default().push(at);
        }
        let mut members = HashMap::new();
        for class in by_root.into_values() {
            class.iter().for_each(|at| drop(members.insert(*at, class.clone())));
        }
        Self { members }
    }

    /// All cells that are tied to one.
    pub fn of(&self, at: Place) -> Vec<Place> {
        self.members.get(&at).cloned().unwrap_or_else(|| vec![at])
    }
}

/// The order in which cells are tried for a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The lowest row of the circuit last: what follows is computed.
    Down,
    /// The other way.
    Up,
    /// Looked-up cells first.
    Limbs,
    /// As down, but in each row the last column first: results often lie behind what they are computed from.
    DownFromRight,
    /// As up, but in each row the last column first.
    UpFromRight,
}

impl Order {
    /// All orders; the first three find most.
    pub const ALL: [Self; 5] = [Self::Down, Self::Up, Self::Limbs, Self::DownFromRight, Self::UpFromRight];

    /// Returns true if the circuit is repaired from its end to its beginning.
    fn is_up(self) -> bool {
        matches!(self, Self::Up | Self::UpFromRight)
    }
}

fn value(columns: &mut Columns, (column, row): Place) -> &mut Fr {
    if column >= columns.early.len() { &mut columns.instance[row] } else { &mut columns.early[column][row] }
}

/// A forgery in the making.
struct Forger<'a> {
    circuit: &'a Circuit,
    classes: &'a Classes,
    columns: Columns,
    order: Order,
    frozen: HashSet<Place>,
    /// Rows and polynomials to look at, from the top: what follows is computed once all that it rests on is.
    queue: BTreeSet<(u32, u32)>,
}

/// Changes a class of cells by `delta` and repairs every gate that this breaks, those over later columns included.
/// Polynomials of the circuit are all that there is; a removed one is simply not among them.
pub fn forge(
    circuit: &Circuit,
    classes: &Classes,
    honest: &Columns,
    (start, delta): (Place, Fr),
    order: Order,
) -> Columns {
    let (columns, frozen, queue) = (honest.clone(), HashSet::new(), BTreeSet::new());
    let mut f = Forger { circuit, classes, columns, order, frozen, queue };
    let new = *value(&mut f.columns, start) + delta;
    let class = classes.of(start);
    f.set(&class, new);
    f.early();
    let [least, most] = LATE_REPAIRS;
    for _ in 0..class.len().clamp(least, most) {
        if !f.late() {
            break;
        }
    }
    super::columns::multiplicities(&mut f.columns.early, circuit);
    f.columns
}

impl Forger<'_> {
    fn set(&mut self, class: &[Place], v: Fr) {
        for at in class {
            *value(&mut self.columns, *at) = v;
            self.frozen.insert(*at);
            self.queue.extend(self.circuit.touching(*at).map(|(poly, row)| (row, poly)));
        }
    }

    /// Repairs gates over early columns; returns false if no cell makes one of them hold.
    fn early(&mut self) -> bool {
        let mut all = true;
        for _ in 0..MAX_REPAIRS {
            let next = if self.order.is_up() { self.queue.pop_last() } else { self.queue.pop_first() };
            let Some((row, poly)) = next else { break };
            let (row, poly) = (row as usize, poly as usize);
            if self.circuit.value(&self.circuit.polys[poly].expression, row, &self.columns) == Fr::ZERO {
                continue;
            }
            let mut cells = self.circuit.places(poly, row);
            cells.retain(|c| !self.frozen.contains(c));
            cells.sort_by_key(|(c, r)| {
                let (limb, r, c) = (self.circuit.is_looked_up(*c), *r as i64, *c as i64);
                match self.order {
                    Order::Down => (limb, -r, c),
                    Order::Up => (limb, r, c),
                    Order::Limbs => (!limb, -r, c),
                    Order::DownFromRight => (limb, -r, -c),
                    Order::UpFromRight => (limb, r, -c),
                }
            });
            let solution = cells.into_iter().find_map(|at| {
                let class = self.classes.of(at);
                let v = solve(self.circuit, (poly, row), &class, &mut self.columns)?;
                Some((class, v))
            });
            match solution {
                Some((class, v)) => self.set(&class, v),
                None => all = false,
            }
        }
        all &= self.queue.is_empty();
        self.queue.clear();
        all
    }

    /// Repairs the first chain that the later columns cannot close, by a cell in one of its rows, and what that breaks;
    /// returns true if it did. What is left of the chain is affine in a cell that is multiplied with no other that
    /// moves along. A cell that early gates let move goes before others, like a constant that one of them pins.
    fn late(&mut self) -> bool {
        let Err((_, (row, left))) = self.circuit.late(&self.columns) else { return false };
        let mut cells: Vec<Place> = Vec::new();
        for r in (row.saturating_sub(CHAIN)..=row).rev() {
            let columns = 0..self.circuit.shape.a_columns;
            match self.order {
                Order::DownFromRight => cells.extend(columns.rev().map(|c| (c, r as usize))),
                _ => cells.extend(columns.map(|c| (c, r as usize))),
            }
        }
        if self.order.is_up() {
            cells.reverse();
        }
        let mut stuck = None;
        for at in cells {
            let class = self.classes.of(at);
            if class.iter().any(|c| self.frozen.contains(c)) {
                continue;
            }
            let before = *value(&mut self.columns, at);
            let one = self.left(&class, before + Fr::ONE, row);
            let inverse = one.and_then(|one| Option::<Fr>::from((one - left).invert()));
            let repaired = inverse.is_some_and(|i| {
                self.left(&class, before - left * i, row);
                !matches!(self.circuit.late(&self.columns), Err((_, (r, _))) if r <= row)
            });
            let v = *value(&mut self.columns, at);
            class.iter().for_each(|c| *value(&mut self.columns, *c) = before);
            if repaired {
                let (columns, frozen) = (self.columns.clone(), self.frozen.clone());
                self.set(&class, v);
                if self.early() {
                    return true;
                }
                (self.columns, self.frozen) = (columns, frozen);
                stuck.get_or_insert((class, v));
            }
        }
        let Some((class, v)) = stuck else { return false };
        self.set(&class, v);
        self.early();
        true
    }

    /// Rest of the chain that ends in `row` when a class has another value.
    fn left(&mut self, class: &[Place], v: Fr, row: u32) -> Option<Fr> {
        class.iter().for_each(|c| *value(&mut self.columns, *c) = v);
        match self.circuit.late(&self.columns) {
            Err((_, (r, left))) if r == row => Some(left),
            _ => None,
        }
    }
}

/// The value of a class with which a polynomial vanishes in a row, if it is affine in it.
fn solve(
    circuit: &Circuit,
    (poly, row): (usize, usize),
    class: &[Place],
    columns: &mut Columns,
) -> Option<Fr> {
    let before: Vec<Fr> = class.iter().map(|at| *value(columns, *at)).collect();
    let mut at = |v: Fr| {
        class.iter().for_each(|c| *value(columns, *c) = v);
        circuit.value(&circuit.polys[poly].expression, row, columns)
    };
    let (zero, one, two) = (at(Fr::ZERO), at(Fr::ONE), at(Fr::ONE + Fr::ONE));
    class.iter().zip(before).for_each(|(c, v)| *value(columns, *c) = v);
    let slope = one - zero;
    (two - one == slope).then(|| Option::<Fr>::from(slope.invert()).map(|s| -zero * s))?
}
