//! What every cell of a layout holds, and what cells say of the variables: for those who forge them.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_graph::{Relation, System as Relations, View};

use crate::{
    error::{Error, Result},
    field::from_i64,
    layout::{
        Layout,
        block::{Home, Role},
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

/// What an honest prover writes into a cell of `T`.
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

impl Layout {
    /// Length of `T` with multiplicities and loose cells, without its padding to whole parts.
    pub fn cells(&self) -> usize {
        let grid = (self.system.columns as usize) << self.system.row_bits;
        let table = 1 << self.system.table.bits;
        grid.next_multiple_of(table) + table + self.system.loose as usize
    }

    /// What the cells hold that show variables; others are zero, but for those of hashes.
    pub fn held(&self) -> Vec<Held> {
        let mut out = Vec::new();
        for (number, (block, zeros)) in self.structure.blocks.iter().zip(&self.zeros).enumerate() {
            let length = 1usize << block.digits.total_bits();
            for (column, role) in block.columns.iter().enumerate() {
                let Some(view) = role.view() else { continue };
                let first = self.address(number, column);
                let held = |row: usize, element| Held {
                    address: first + row,
                    var: view.var.0 as usize,
                    element,
                    pad: view.map.pad.unwrap_or(0),
                    limb: limb(role, &block.columns),
                };
                let mut rows = vec![None; length];
                if !zeros {
                    rows.fill(view.map.iter().next().map(|element| held(0, element)));
                }
                for (i, element) in view.map.iter().enumerate() {
                    rows[block.digits.address(i as u64) as usize] = Some(held(0, element));
                }
                let rows = rows.into_iter().enumerate();
                out.extend(rows.filter_map(|(row, h)| Some(Held { address: first + row, ..h? })));
            }
        }
        out
    }

    fn address(&self, block: usize, column: usize) -> usize {
        match &self.places[block] {
            Place::Rows(start) => (column << self.system.row_bits) + *start as usize,
            Place::Loose(columns) => columns[column] as usize,
        }
    }

    /// The cells of the hash for these values, and the commitments.
    ///
    /// # Errors
    /// As [`Layout::witness`].
    pub fn hashed(
        &self,
        relations: &Relations,
        values: &[Vec<i64>],
        salts: &[Fr],
    ) -> Result<(Vec<(usize, Fr)>, Vec<Fr>)> {
        let Some(hash) = &self.structure.hash else { return Ok((vec![], vec![])) };
        let called = hash.called(relations, values, salts)?;
        let cells = called.cells.into_iter();
        let cells = cells.map(|(block, column, row, v)| (self.address(block, column) + row as usize, v));
        Ok((cells.collect(), called.commitments))
    }

    /// Number of commitments of the statement.
    pub fn commitments(&self) -> usize {
        self.structure.hash.as_ref().map_or(0, |h| h.chains.len())
    }

    /// What every variable is where the cells are these; one that no relation needs is what `otherwise` says.
    ///
    /// # Errors
    /// [`Error::Defect`] for a variable that nothing defines.
    pub fn meaning(
        &self,
        relations: &Relations,
        cells: &[Fr],
        otherwise: &[Vec<Fr>],
    ) -> Result<Vec<Vec<Fr>>> {
        let mut known = vec![None; relations.vars.len()];
        for var in 0..relations.vars.len() {
            self.mean(relations, cells, otherwise, var, &mut known, 0)?;
        }
        Ok(known.into_iter().flatten().collect())
    }

    fn mean(
        &self,
        relations: &Relations,
        cells: &[Fr],
        otherwise: &[Vec<Fr>],
        var: usize,
        known: &mut [Option<Vec<Fr>>],
        depth: usize,
    ) -> Result<()> {
        if known[var].is_some() {
            return Ok(());
        }
        let v = &relations.vars[var];
        let defect = || Error::Defect(format!("nothing says what `{}` is", v.name));
        if depth > relations.vars.len() {
            return Err(defect());
        }
        let mut values = vec![Fr::ZERO; v.len()];
        match (&v.constant, &self.structure.homes[var]) {
            (Some(c), _) => values = c.iter().map(|x| from_i64(*x)).collect(),
            (None, Home::Cells { block, form }) => {
                let digits = &self.structure.blocks[*block].digits;
                for (i, value) in values.iter_mut().enumerate() {
                    let at = |c: usize| cells[self.address(*block, c) + digits.address(i as u64) as usize];
                    *value = form.terms.iter().fold(form.constant, |sum, (c, w)| sum + *w * at(*c));
                }
            }
            (None, Home::Defined { relation, term }) => {
                let Relation::Linear { terms, constant } = &relations.relations[*relation].1 else {
                    return Err(defect());
                };
                values.fill(from_i64(*constant));
                for (_, (c, view)) in terms.iter().enumerate().filter(|(i, _)| i != term) {
                    self.mean(relations, cells, otherwise, view.var.0 as usize, known, depth + 1)?;
                    let seen = seen(view, known).ok_or_else(defect)?;
                    values.iter_mut().zip(seen).for_each(|(sum, x)| *sum += from_i64(*c) * x);
                }
                let inverse = Option::<Fr>::from((-from_i64(terms[*term].0)).invert()).ok_or_else(defect)?;
                values.iter_mut().for_each(|x| *x *= inverse);
            }
            (None, Home::Wired) => {
                for (_, r) in &relations.relations {
                    let Relation::Copy { from, to } = r else { continue };
                    if to.var.0 as usize == var {
                        self.mean(relations, cells, otherwise, from.var.0 as usize, known, depth + 1)?;
                        for (at, x) in to.map.iter().zip(seen(from, known).ok_or_else(defect)?) {
                            values[at.ok_or_else(defect)?] = x;
                        }
                    }
                }
            }
            (None, Home::Literal(c)) => values.fill(from_i64(*c)),
            (None, Home::Unused | Home::Weights) => values.clone_from(&otherwise[var]),
        }
        known[var] = Some(values);
        Ok(())
    }
}

fn limb(role: &Role, columns: &[Role]) -> Option<Limb> {
    let Role::Limb { view, lo, shift, bits } = role else { return None };
    let higher = |r: &Role| matches!(r, Role::Limb { view: v, shift: s, .. } if v == view && s > shift);
    Some(Limb { lo: *lo, shift: *shift, bits: *bits, last: !columns.iter().any(higher) })
}

/// What a view shows of what is known.
fn seen(view: &View, known: &[Option<Vec<Fr>>]) -> Option<Vec<Fr>> {
    let values = known[view.var.0 as usize].as_ref()?;
    let pad = from_i64(view.map.pad.unwrap_or(0));
    Some(view.map.iter().map(|i| i.map_or(pad, |i| values[i])).collect())
}
