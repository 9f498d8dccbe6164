//! The contents of a layout's cells, and the values of variables that follow from cells: for those who forge them.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_graph::{Relation, System as Relations, View};

use crate::{
    error::{Error, Result},
    field::from_i64,
    layout::{
        Layout,
        block::{Affine, Home, Role},
        resolve::Place,
    },
};

/// A part of a number: `v = lo + Σ 2^shift · limb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limb {
    /// The smallest number.
    pub lo: i64,
    /// Binary logarithm of what it counts.
    pub shift: u32,
    /// Its number of bits.
    pub bits: u32,
    /// Returns true for the highest of its number.
    pub last: bool,
}

/// The content of a cell of `T` in an honest proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The cell.
    pub address: usize,
    /// The variable.
    pub var: usize,
    /// The element of it; none for the constant that a view shows beyond it.
    pub element: Option<usize>,
    /// That constant.
    pub pad: i64,
    /// The part that it holds; none for the number itself.
    pub limb: Option<Limb>,
}

/// The cells of the hash in a run.
#[derive(Clone, Debug, Default)]
pub struct Hashed {
    /// Cells of `T` with what they hold.
    pub cells: Vec<(usize, Fr)>,
    /// The commitments of the statement.
    pub commitments: Vec<Fr>,
}

impl Layout {
    /// Length of `T` with multiplicities and loose cells, without its padding to whole parts.
    pub fn cells(&self) -> usize {
        let grid = (self.system.columns as usize) << self.system.row_bits;
        let table = 1 << self.system.table.bits;
        grid.next_multiple_of(table) + table + self.system.loose as usize
    }

    /// Contents of the cells that show variables; others are zero, but for those of hashes.
    pub fn held(&self) -> Vec<Held> {
        let mut out = Vec::new();
        for (number, (block, zeros)) in self.structure.blocks.iter().zip(&self.zeros).enumerate() {
            let length = 1usize << block.digits.total_bits();
            for (column, role) in block.columns.iter().enumerate() {
                let Some(view) = role.view() else { continue };
                let first = self.address(number, column);
                let held = |element| Held {
                    address: first,
                    var: view.var.0 as usize,
                    element,
                    pad: view.map.pad.unwrap_or(0),
                    limb: limb(role, &block.columns),
                };
                let mut rows = vec![None; length];
                if !zeros {
                    rows.fill(view.map.iter().next().map(held));
                }
                for (i, element) in view.map.iter().enumerate() {
                    rows[block.digits.address(i as u64) as usize] = Some(held(element));
                }
                let rows = rows.into_iter().enumerate();
                out.extend(rows.filter_map(|(row, h)| Some(Held { address: first + row, ..h? })));
            }
        }
        out
    }

    /// The layout of the ranges of private weights, if there are any.
    pub fn of_ranges(&self) -> Option<&Self> {
        self.ranges.as_deref().map(|ranges| &ranges.layout)
    }

    /// Addresses of everything that proofs about private weights commit to, one after the other: `T` of a run, `V`, and `T` of the
    /// ranges. The number of cells comes last.
    pub fn vectors(&self) -> [usize; 3] {
        let private = self.cells();
        let ranges = private + self.system.private.map_or(0, |p| p.cells as usize);
        [private, ranges, ranges + self.of_ranges().map_or(0, Self::cells)]
    }

    /// As [`Layout::held`], of all these vectors.
    pub fn held_in_all(&self) -> Vec<Held> {
        let [private, ranges, _] = self.vectors();
        let mut out = self.held();
        for tensor in &self.private {
            let count = tensor.digits.radices.iter().product::<u64>();
            out.extend((0..count).map(|element| Held {
                address: private + tensor.address(element) as usize,
                var: tensor.var.0 as usize,
                element: Some(element as usize),
                pad: 0,
                limb: None,
            }));
        }
        let shifted = |held: Held| Held { address: ranges + held.address, ..held };
        out.extend(self.of_ranges().into_iter().flat_map(|layout| layout.held().into_iter().map(shifted)));
        out
    }

    fn address(&self, block: usize, column: usize) -> usize {
        match &self.places[block] {
            Place::Rows { start, column: first } => {
                ((first + column) << self.system.row_bits) + *start as usize
            }
            Place::Loose(columns) => columns[column] as usize,
        }
    }

    /// The cells of the hash for these values, and the commitments.
    ///
    /// # Errors
    /// As [`Layout::witness`].
    pub fn hashed(&self, relations: &Relations, values: &[Vec<i64>], salts: &[Fr]) -> Result<Hashed> {
        let Some(hash) = &self.structure.hash else { return Ok(Hashed::default()) };
        let called = hash.called(relations, values, salts)?;
        let cells = called.cells.into_iter();
        let cells = cells.map(|(block, column, row, v)| (self.address(block, column) + row as usize, v));
        Ok(Hashed { cells: cells.collect(), commitments: called.commitments })
    }

    /// Number of commitments of the statement.
    pub fn commitments(&self) -> usize {
        self.structure.hash.as_ref().map_or(0, |h| h.chains.len())
    }

    /// Values of all variables, as the cells determine them; those that no relation needs are taken from `otherwise`.
    ///
    /// # Errors
    /// [`Error::Defect`] for a variable that nothing defines.
    pub fn meaning(
        &self,
        relations: &Relations,
        cells: &[Fr],
        otherwise: &[Vec<Fr>],
    ) -> Result<Vec<Vec<Fr>>> {
        let known = vec![None; relations.vars.len()];
        let mut meaning = Meaning { layout: self, relations, cells, otherwise, known };
        for var in 0..relations.vars.len() {
            meaning.find(var, 0)?;
        }
        Ok(meaning.known.into_iter().flatten().collect())
    }
}

/// Values of the variables that are known so far.
struct Meaning<'a> {
    layout: &'a Layout,
    relations: &'a Relations,
    cells: &'a [Fr],
    otherwise: &'a [Vec<Fr>],
    known: Vec<Option<Vec<Fr>>>,
}

impl Meaning<'_> {
    fn find(&mut self, var: usize, depth: usize) -> Result<()> {
        if self.known[var].is_some() {
            return Ok(());
        }
        let v = &self.relations.vars[var];
        if depth > self.relations.vars.len() {
            return Err(self.defect(var));
        }
        let values = match (&v.constant, &self.layout.structure.homes[var]) {
            (Some(c), _) => c.iter().map(|x| from_i64(*x)).collect(),
            (None, Home::Cells { block, form }) => {
                (0..v.len()).map(|i| self.cell(*block, form, i as u64)).collect()
            }
            (None, Home::Defined { relation, term }) => self.solved(var, *relation, *term, depth)?,
            (None, Home::Wired) => self.copied(var, depth)?,
            (None, Home::Literal(c)) => vec![from_i64(*c); v.len()],
            (None, Home::Private) => self.private(var)?,
            (None, Home::Unused | Home::Weights) => self.otherwise[var].clone(),
        };
        self.known[var] = Some(values);
        Ok(())
    }

    fn defect(&self, var: usize) -> Error {
        Error::Defect(format!("nothing says what `{}` is", self.relations.vars[var].name))
    }

    fn private(&self, var: usize) -> Result<Vec<Fr>> {
        let [first, ..] = self.layout.vectors();
        let tensor = self.layout.private.iter().find(|t| t.var.0 as usize == var);
        let tensor = tensor.ok_or_else(|| self.defect(var))?;
        let cell = |e: u64| self.cells.get(first + tensor.address(e) as usize).copied();
        let count = self.relations.vars[var].len() as u64;
        (0..count).map(|e| cell(e).ok_or_else(|| self.defect(var))).collect()
    }

    fn cell(&self, block: usize, form: &Affine, element: u64) -> Fr {
        let row = self.layout.structure.blocks[block].digits.address(element) as usize;
        let at = |c: usize| self.cells[self.layout.address(block, c) + row];
        form.terms.iter().fold(form.constant, |sum, (c, w)| sum + *w * at(*c))
    }

    /// Values that a view shows; finds its variable first.
    fn seen(&mut self, view: &View, depth: usize) -> Result<Vec<Fr>> {
        let var = view.var.0 as usize;
        self.find(var, depth)?;
        let values = self.known[var].as_ref().ok_or_else(|| self.defect(var))?;
        let pad = from_i64(view.map.pad.unwrap_or(0));
        Ok(view.map.iter().map(|i| i.map_or(pad, |i| values[i])).collect())
    }

    /// A sum of zero, solved for one of its terms.
    fn solved(&mut self, var: usize, relation: usize, term: usize, depth: usize) -> Result<Vec<Fr>> {
        let Relation::Linear { terms, constant } = &self.relations.relations[relation].1 else {
            return Err(self.defect(var));
        };
        let mut values = vec![from_i64(*constant); self.relations.vars[var].len()];
        for (_, (c, view)) in terms.iter().enumerate().filter(|(i, _)| *i != term) {
            let seen = self.seen(view, depth + 1)?;
            values.iter_mut().zip(seen).for_each(|(sum, x)| *sum += from_i64(*c) * x);
        }
        let inverse =
            Option::<Fr>::from((-from_i64(terms[term].0)).invert()).ok_or_else(|| self.defect(var))?;
        values.iter_mut().for_each(|x| *x *= inverse);
        Ok(values)
    }

    /// Values that copies write.
    fn copied(&mut self, var: usize, depth: usize) -> Result<Vec<Fr>> {
        let mut values = vec![Fr::ZERO; self.relations.vars[var].len()];
        for (_, r) in &self.relations.relations {
            let Relation::Copy { from, to } = r else { continue };
            if to.var.0 as usize == var {
                for (at, x) in to.map.iter().zip(self.seen(from, depth + 1)?) {
                    values[at.ok_or_else(|| self.defect(var))?] = x;
                }
            }
        }
        Ok(values)
    }
}

fn limb(role: &Role, columns: &[Role]) -> Option<Limb> {
    let Role::Limb { view, lo, shift, bits } = role else { return None };
    let higher = |r: &Role| matches!(r, Role::Limb { view: v, shift: s, .. } if v == view && s > shift);
    Some(Limb { lo: *lo, shift: *shift, bits: *bits, last: !columns.iter().any(higher) })
}
