//! Gives the values of a block their cells in a shape.

use zkml_graph::{System, TableId, View};

use super::{Defined, Drawn, Group, Limb, Slot, Template, Term};
use crate::{polynomial::Polynomial, shape::Shape};

/// A value of a block, or a limb of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Atom {
    Local(u16),
    Limb(u16),
}

/// Where a value of a block belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Seat {
    /// Beside a key, as one of its table's outputs.
    Beside { key: u8, output: u8 },
    /// In any cell.
    Any,
    /// In none: no constraint speaks of it.
    None,
}

/// A block without its values and places: what many blocks have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Structure {
    /// Number of limbs.
    pub(super) limbs: usize,
    /// Limbs that are keys, and their tables.
    pub(super) keys: Vec<(u16, TableId)>,
    pub(super) locals: Vec<Seat>,
    pub(super) polys: Vec<Polynomial<Atom>>,
}

impl Structure {
    /// The gate in a shape; the reason if there is none.
    pub(super) fn template(&self, shape: &Shape) -> std::result::Result<Template, String> {
        let seats = Seats::new(self, shape);
        let height = seats.height;
        if height > 200 {
            return Err(format!("a block of {height} rows is too tall for this layout"));
        }
        let mut lost = false;
        let mut placed = |x: Atom| {
            seats.at(x).unwrap_or_else(|| {
                lost = true;
                Slot::A(0, 0)
            })
        };
        let polys: Vec<_> = self.polys.iter().map(|p| p.map(&mut placed)).collect();
        if lost {
            return Err("a constraint speaks of a value that has no cell".into());
        }
        match polys.iter().find(|p| p.degree() == 0 || p.degree() > 2) {
            Some(p) => Err(format!("its relations reduce to a constraint of degree {}", p.degree())),
            None => Ok(Template { height, polys, keys: seats.keys }),
        }
    }
}

/// Cells of a block's values in a shape.
pub(super) struct Seats {
    limbs: Vec<Slot>,
    /// None of those that no constraint speaks of.
    locals: Vec<Option<Slot>>,
    /// Rows of keys, and their tables.
    keys: Vec<(u8, TableId)>,
    pub(super) height: usize,
}

impl Seats {
    pub(super) fn new(structure: &Structure, shape: &Shape) -> Self {
        let mut u = Grid::new(shape.u_columns);
        let mut a = Grid::new(shape.a_columns);
        let outputs = shape.output_slots();
        let mut limbs = vec![None; structure.limbs];
        let mut keys = Vec::with_capacity(structure.keys.len());
        // Keys sit in the first looked-up column with their outputs beside (or, with one column, below) them.
        let step = outputs.iter().map(|s| s.1 + 1).max().unwrap_or(1);
        for (n, (limb, table)) in structure.keys.iter().enumerate() {
            let row = n * step;
            u.take(0, row);
            limbs[*limb as usize] = Some((0, row));
            outputs.iter().for_each(|(c, r)| a.take(*c, row + r));
            keys.push((row as u8, *table));
        }
        let limbs = limbs.into_iter().map(|s| s.unwrap_or_else(|| u.next()));
        let limbs = limbs.map(|(c, r)| Slot::U(c as u8, r as u8)).collect();
        let seated = |seat: &Seat| match *seat {
            Seat::Beside { key, output } => {
                let (c, r) = outputs[output as usize];
                Some((c, key as usize * step + r))
            }
            Seat::Any => Some(a.next()),
            Seat::None => None,
        };
        let locals = structure.locals.iter().map(seated);
        let locals = locals.map(|s| s.map(|(c, r)| Slot::A(c as u8, r as u8))).collect();
        Self { limbs, locals, keys, height: u.height().max(a.height()) }
    }

    fn at(&self, atom: Atom) -> Option<Slot> {
        match atom {
            Atom::Limb(i) => Some(self.limbs[i as usize]),
            Atom::Local(i) => self.locals[i as usize],
        }
    }
}

/// A block whose values are given places in a shape.
pub(super) struct Placing<'a> {
    pub(super) drawn: &'a Drawn,
    pub(super) system: &'a System,
    pub(super) shape: &'a Shape,
}

impl Placing<'_> {
    /// Values without a cell in terms of cells, and the views that no constraint speaks of.
    fn definitions(&self, seats: &Seats) -> (Vec<Defined>, Vec<View>) {
        let reduced = &self.drawn.reduced;
        let mut free = Vec::new();
        let mut term = |x: Atom| match (seats.at(x), x) {
            (Some(slot), _) => Term::Cell(slot),
            (None, Atom::Local(i)) => {
                let view = &reduced.locals[i as usize];
                let known = free.iter().position(|v| v == view);
                Term::Free(known.unwrap_or_else(|| {
                    free.push(view.clone());
                    free.len() - 1
                }) as u16)
            }
            (None, Atom::Limb(_)) => Term::Free(u16::MAX),
        };
        let defined = reduced.defined.iter().map(|(local, value)| Defined {
            view: reduced.locals[*local as usize].clone(),
            value: value.map(&mut term),
        });
        (defined.collect(), free)
    }

    /// Relations of which no constraint is left, with the variables that they define.
    fn substituted(&self) -> Vec<(usize, Vec<u32>)> {
        let reduced = &self.drawn.reduced;
        let defines = |i: &usize| {
            let views = self.system.relations[*i].1.views();
            let mut vars: Vec<u32> = views.iter().map(|v| v.var.0).collect();
            vars.retain(|v| reduced.defined.iter().any(|(l, _)| reduced.locals[*l as usize].var.0 == *v));
            (*i, vars)
        };
        reduced.spent.iter().map(defines).collect()
    }

    /// Gives every remaining value a cell.
    pub(super) fn group(self) -> Group {
        let reduced = &self.drawn.reduced;
        let seats = Seats::new(&reduced.structure, self.shape);
        let (defined, free) = self.definitions(&seats);
        let cell = |(view, at): (&View, &Option<Slot>)| at.map(|slot| (slot, view.clone()));
        let limb = |(l, slot): (&Limb, &Slot)| (*slot, l.clone());
        Group {
            label: reduced.label.clone(),
            count: reduced.count,
            template: self.drawn.template.clone(),
            cells: reduced.locals.iter().zip(&seats.locals).filter_map(cell).collect(),
            limbs: reduced.limbs.iter().zip(&seats.limbs).map(limb).collect(),
            relations: reduced.relations.clone(),
            substituted: self.substituted(),
            defined,
            free,
        }
    }
}

/// Free cells of a block in some columns, handed out row by row.
struct Grid {
    columns: usize,
    taken: Vec<(usize, usize)>,
    cursor: usize,
}

impl Grid {
    fn new(columns: usize) -> Self {
        Self { columns: columns.max(1), taken: vec![], cursor: 0 }
    }

    fn take(&mut self, column: usize, row: usize) {
        self.taken.push((column, row));
    }

    fn next(&mut self) -> (usize, usize) {
        loop {
            let at = (self.cursor % self.columns, self.cursor / self.columns);
            self.cursor += 1;
            if !self.taken.contains(&at) {
                self.taken.push(at);
                return at;
            }
        }
    }

    fn height(&self) -> usize {
        self.taken.iter().map(|(_, r)| r + 1).max().unwrap_or(0)
    }
}
