//! What has cells, in which rows, and what holds there: before any address is known.

use std::collections::BTreeSet;

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_graph::{
    Relation, System, VarId, View,
    intervals::{Proven, window},
};

use super::{
    block::{Affine, Block, Home, Looked, Polynomial, Role, linear_gate, product_gate},
    digits::{Digits, Plan, Space, space_digits},
    hash::Hash,
    private,
};
use crate::{
    error::{Error, Result},
    field::from_i64,
};

/// A claim over a whole index space: `Σ coefficient · view + constant = column sums of a block`.
#[derive(Clone, Debug)]
pub(crate) enum Tie {
    /// A linear relation as it stands.
    Linear(usize),
    /// A copy as it stands.
    Copy(usize),
    /// A sum of columns of a block is what a view shows: the view belongs to this relation.
    Columns { block: usize, form: Affine, view: View, relation: usize },
}

/// What is decided before addresses are.
#[derive(Clone, Debug)]
pub(crate) struct Structure {
    pub(crate) homes: Vec<Home>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) ties: Vec<Tie>,
    /// For each relation, the variable that it defines, if it does.
    pub(crate) defines: Vec<Option<VarId>>,
    /// For each range relation that is laid out: where its limbs begin.
    pub(crate) windows: Vec<Option<(i64, u32)>>,
    /// Calls of the hash, once the statement has said how many.
    pub(crate) hash: Option<Hash>,
}

/// Choices of a layout.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    /// Bits of a limb.
    pub(crate) limb_bits: u32,
    /// Blocks are merged while they have no more columns than these.
    pub(crate) columns: usize,
    /// Variables that get cells although they could go without.
    pub(crate) kept: BTreeSet<u32>,
}

/// Decides.
pub(crate) fn structure(
    system: &System,
    proven: &Proven,
    plan: &Plan,
    choices: &Choices,
) -> Result<Structure> {
    let mut s = Builder::new(system, proven, plan, choices);
    s.needs();
    s.define();
    s.group();
    for i in 0..system.relations.len() {
        if proven.needed[i] {
            s.relation(i)?;
        }
    }
    Ok(s.out)
}

struct Builder<'a> {
    system: &'a System,
    proven: &'a Proven,
    plan: &'a Plan,
    choices: &'a Choices,
    out: Structure,
    /// Variables that need cells.
    cells: BTreeSet<u32>,
    /// For each variable, the range that its limbs are of.
    ranged: Vec<Option<usize>>,
}

impl<'a> Builder<'a> {
    fn new(system: &'a System, proven: &'a Proven, plan: &'a Plan, choices: &'a Choices) -> Self {
        let count = system.relations.len();
        let homes = system.vars.iter().map(|v| match &v.constant {
            Some(c) if c.iter().all(|x| *x == c[0]) => Home::Literal(c[0]),
            Some(_) => Home::Weights,
            None => Home::Unused,
        });
        let mut homes: Vec<Home> = homes.collect();
        private::variables(system).for_each(|v| homes[v.0 as usize] = Home::Private);
        let out = Structure {
            homes,
            blocks: vec![],
            ties: vec![],
            defines: vec![None; count],
            windows: vec![None; count],
            hash: None,
        };
        let ranged = vec![None; system.vars.len()];
        Self { system, proven, plan, choices, out, cells: BTreeSet::new(), ranged }
    }

    fn is_witness(&self, view: &View) -> bool {
        self.system.vars[view.var.0 as usize].constant.is_none() && !self.is_private(view.var)
    }

    fn is_private(&self, var: VarId) -> bool {
        matches!(self.out.homes[var.0 as usize], Home::Private)
    }

    fn is_wired(&self, var: VarId) -> bool {
        matches!(self.out.homes[var.0 as usize], Home::Wired)
    }

    /// Marks what is wired, and what needs cells.
    fn needs(&mut self) {
        for (_, r) in &self.system.relations {
            if let Relation::Copy { to, .. } = r
                && !self.choices.kept.contains(&to.var.0)
            {
                self.out.homes[to.var.0 as usize] = Home::Wired;
            }
        }
        let inputs: Vec<u32> =
            self.system.inputs.iter().filter(|v| !self.is_private(**v)).map(|v| v.0).collect();
        self.cells.extend(inputs.into_iter().chain(self.choices.kept.iter().copied()));
        for (i, (_, r)) in self.system.relations.iter().enumerate() {
            if !self.proven.needed[i]
                || !matches!(r, Relation::Product { .. } | Relation::Lookup { .. } | Relation::Range { .. })
            {
                continue;
            }
            for v in r.views() {
                if v.map.is_identity() && self.is_witness(v) && !self.is_wired(v.var) {
                    self.cells.insert(v.var.0);
                    if matches!(r, Relation::Range { .. }) {
                        self.ranged[v.var.0 as usize].get_or_insert(i);
                    }
                }
            }
        }
    }

    /// Lets linear relations define what needs no cells, and gives cells to the rest.
    fn define(&mut self) {
        for (i, (_, r)) in self.system.relations.iter().enumerate() {
            let Relation::Linear { terms, .. } = r else { continue };
            let term = (0..terms.len()).find(|t| self.may_define(terms, *t));
            if let Some(term) = term {
                let var = terms[term].1.var;
                self.out.homes[var.0 as usize] = Home::Defined { relation: i, term };
                self.out.defines[i] = Some(var);
            }
        }
        for (i, (_, r)) in self.system.relations.iter().enumerate() {
            if self.proven.needed[i] {
                for v in r.views() {
                    if matches!(self.out.homes[v.var.0 as usize], Home::Unused) {
                        self.cells.insert(v.var.0);
                    }
                }
            }
        }
    }

    fn may_define(&self, terms: &[(i64, View)], t: usize) -> bool {
        let (coefficient, view) = &terms[t];
        let var = view.var;
        let once = terms.iter().filter(|(_, v)| v.var == var).count() == 1;
        let others = terms.iter().map(|(_, v)| v.var).filter(|v| *v != var);
        *coefficient != 0
            && once
            && view.map.is_identity()
            && matches!(self.out.homes[var.0 as usize], Home::Unused)
            && !self.cells.contains(&var.0)
            && !self.reaches(others.collect(), var)
    }

    /// Returns true if what these variables are depends on `target`.
    fn reaches(&self, mut todo: Vec<VarId>, target: VarId) -> bool {
        let mut seen = BTreeSet::new();
        while let Some(var) = todo.pop() {
            if var == target {
                return true;
            }
            if !seen.insert(var) {
                continue;
            }
            match &self.out.homes[var.0 as usize] {
                Home::Defined { relation, .. } => {
                    todo.extend(self.system.relations[*relation].1.views().iter().map(|v| v.var));
                }
                Home::Wired => todo.extend(self.sources(var)),
                _ => {}
            }
        }
        false
    }

    fn sources(&self, var: VarId) -> Vec<VarId> {
        let of = |r: &Relation| match r {
            Relation::Copy { from, to } if to.var == var => Some(from.var),
            _ => None,
        };
        self.system.relations.iter().filter_map(|(_, r)| of(r)).collect()
    }

    /// Columns that a variable with cells takes.
    fn width(&self, var: u32) -> usize {
        self.ranged[var as usize].map_or(1, |i| self.limbs(i).len())
    }

    /// Limbs of a range: position and width of each.
    fn limbs(&self, relation: usize) -> Vec<(u32, u32)> {
        let Relation::Range { lo, bits, kind, .. } = &self.system.relations[relation].1 else {
            return vec![];
        };
        let size = self.choices.limb_bits;
        let (_, total) = window(*lo, *bits, *kind, size);
        (0..total.max(1)).step_by(size as usize).map(|at| (at, size.min(total.max(1) - at))).collect()
    }

    /// Puts variables with cells into blocks: those that products and lookups join, then those that sums join, as long as
    /// there are few columns.
    fn group(&mut self) {
        let mut class: Vec<usize> = (0..self.system.vars.len()).collect();
        let mut columns: Vec<usize> = vec![0; class.len()];
        self.cells.iter().for_each(|v| columns[*v as usize] = self.width(*v));
        let joins = |r: &Relation| matches!(r, Relation::Product { .. } | Relation::Lookup { .. });
        for (i, (_, r)) in self.system.relations.iter().enumerate() {
            if self.proven.needed[i] && joins(r) {
                self.join(&mut class, &mut columns, &r.views(), usize::MAX);
            }
        }
        for (_, r) in &self.system.relations {
            if matches!(r, Relation::Linear { .. }) {
                self.join(&mut class, &mut columns, &r.views(), self.choices.columns);
            }
        }
        let cells: Vec<u32> = self.cells.iter().copied().collect();
        for root in &cells {
            if class[*root as usize] != *root as usize {
                continue;
            }
            let members: Vec<u32> =
                cells.iter().copied().filter(|v| class[*v as usize] == *root as usize).collect();
            let var = &self.system.vars[*root as usize];
            let block = self.block(var.len() as u64, self.plan.digits[*root as usize].clone());
            for member in members {
                self.house(block, member);
            }
        }
    }

    /// Puts the variables that the views show whole into one class, if that has few enough columns; `columns` has those of each
    /// class, at its first variable.
    fn join(&self, class: &mut [usize], columns: &mut [usize], views: &[&View], most: usize) {
        let mut whole: Vec<usize> = Vec::new();
        for view in views.iter().filter(|v| v.map.is_identity()) {
            self.local_variables(view.var, &mut whole, 0);
        }
        for pair in whole.windows(2) {
            let (a, b) = (class[pair[0]], class[pair[1]]);
            if a == b || self.plan.digits[pair[0]] != self.plan.digits[pair[1]] {
                continue;
            }
            if columns[a] + columns[b] <= most {
                let (low, high) = (a.min(b), a.max(b));
                columns[low] += columns[high];
                class.iter_mut().filter(|c| **c == high).for_each(|c| *c = low);
            }
        }
    }

    /// Variables with cells that an element of this one depends on at the same place.
    fn local_variables(&self, var: VarId, out: &mut Vec<usize>, depth: usize) {
        if self.cells.contains(&var.0) {
            out.push(var.0 as usize);
        } else if let Home::Defined { relation, .. } = &self.out.homes[var.0 as usize]
            && depth < 16
        {
            let views = self.system.relations[*relation].1.views();
            for v in views.into_iter().filter(|v| v.var != var && v.map.is_identity()) {
                self.local_variables(v.var, out, depth + 1);
            }
        }
    }

    fn block(&mut self, count: u64, digits: Digits) -> usize {
        self.out.blocks.push(Block { count, digits, columns: vec![], lookups: vec![], gates: vec![] });
        self.out.blocks.len() - 1
    }

    /// Gives a variable columns in a block.
    fn house(&mut self, block: usize, var: u32) {
        let shape = &self.system.vars[var as usize].shape;
        let view = View { var: VarId(var), map: zkml_graph::Map::identity(shape) };
        let form = match self.ranged[var as usize] {
            Some(relation) => self.limb_columns(block, &view, relation),
            None => Affine::column(self.column(block, Role::Value(view))),
        };
        self.out.homes[var as usize] = Home::Cells { block, form };
    }

    fn column(&mut self, block: usize, role: Role) -> usize {
        let columns = &mut self.out.blocks[block].columns;
        columns.push(role);
        columns.len() - 1
    }

    /// Columns for the limbs of a range, with their lookups; the sum that is the value.
    fn limb_columns(&mut self, block: usize, view: &View, relation: usize) -> Affine {
        let Relation::Range { lo, bits, kind, .. } = &self.system.relations[relation].1 else {
            return Affine::default();
        };
        let size = self.choices.limb_bits;
        let (lo, total) = window(*lo, *bits, *kind, size);
        self.out.windows[relation] = Some((lo, total));
        let mut form = Affine::constant(from_i64(lo));
        for (shift, bits) in self.limbs(relation) {
            let column = self.column(block, Role::Limb { view: view.clone(), lo, shift, bits });
            let power = |e: u32| Fr::from(2).pow_vartime([u64::from(e)]);
            form.add(power(shift), &Affine::column(column));
            let mut look = |factor: Fr| {
                let key = Affine { constant: Fr::ZERO, terms: vec![(column, factor)] };
                self.out.blocks[block].lookups.push(Looked { key, outputs: vec![], tag: 0 });
            };
            look(Fr::ONE);
            if total == 0 {
                // No bit at all: twice the limb's largest value is no row but for zero.
                look(power(size));
            } else if bits < size {
                look(power(size - bits));
            }
        }
        form
    }

    /// The sum of columns of a block that a view shows in each row, if it is one.
    fn local(&self, block: usize, view: &View, depth: usize) -> Option<Affine> {
        let home = &self.out.homes[view.var.0 as usize];
        if let Home::Literal(c) = home
            && view.map.pad.is_none_or(|p| p == *c || view.map.stays_inside())
        {
            return Some(Affine::constant(from_i64(*c)));
        }
        if !view.map.is_identity() || view.map.len() as u64 != self.out.blocks[block].count || depth > 16 {
            return None;
        }
        match home {
            Home::Cells { block: own, form } if *own == block => Some(form.clone()),
            Home::Defined { relation, term } => {
                let Relation::Linear { terms, constant } = &self.system.relations[*relation].1 else {
                    return None;
                };
                let inverse = Option::<Fr>::from(from_i64(terms[*term].0).invert())?;
                let mut sum = Affine::constant(-inverse * from_i64(*constant));
                for (i, (c, v)) in terms.iter().enumerate().filter(|(i, _)| i != term) {
                    let _ = i;
                    sum.add(-inverse * from_i64(*c), &self.local(block, v, depth + 1)?);
                }
                Some(sum)
            }
            _ => None,
        }
    }

    /// As [`Builder::local`]; a view that is none gets a column that a tie holds to it.
    fn localized(&mut self, block: usize, view: &View, relation: usize) -> Affine {
        if let Some(form) = self.local(block, view, 0) {
            return form;
        }
        let known = self.out.blocks[block].columns.iter().position(|r| *r == Role::Value(view.clone()));
        let column = known.unwrap_or_else(|| {
            let column = self.column(block, Role::Value(view.clone()));
            let tie = Tie::Columns { block, form: Affine::column(column), view: view.clone(), relation };
            self.out.ties.push(tie);
            column
        });
        Affine::column(column)
    }

    /// The block of a variable that is shown whole.
    fn home_of(&self, views: &[&View]) -> Option<usize> {
        views.iter().find_map(|v| match &self.out.homes[v.var.0 as usize] {
            Home::Cells { block, .. } if v.map.is_identity() => Some(*block),
            _ => None,
        })
    }

    /// The block in which a relation over these views is stated: that of a variable which is shown whole, or a new one.
    fn block_of(&mut self, relation: usize, views: &[&View]) -> usize {
        if let Some(block) = self.home_of(views) {
            return block;
        }
        let space = Space::of(&self.system.relations[relation].1);
        let digits = space_digits(&space.extents, &self.plan.splits[relation]);
        self.block(space.extents.iter().product(), digits)
    }

    /// States that a polynomial over the columns of a block vanishes.
    fn gate(&mut self, relation: usize, block: usize, polynomial: Polynomial) -> Result<()> {
        if polynomial.iter().any(|(_, columns)| !columns.is_empty()) {
            self.out.blocks[block].gates.push(polynomial);
            return Ok(());
        }
        if polynomial.is_empty() {
            return Ok(());
        }
        let label = self.system.relations[relation].0.clone();
        Err(Error::Unsupported { label, detail: "a sum of constants is not zero".into() })
    }

    /// A sum of views as a sum of columns, where it is one.
    fn local_sum(&self, block: usize, terms: &[(i64, View)], constant: i64) -> Option<Affine> {
        let mut sum = Affine::constant(from_i64(constant));
        for (c, v) in terms {
            sum.add(from_i64(*c), &self.local(block, v, 0)?);
        }
        Some(sum)
    }

    fn lookup(&mut self, i: usize, table: u32, key: &View, outputs: &[View]) {
        let views: Vec<&View> = std::iter::once(key).chain(outputs).collect();
        let block = self.block_of(i, &views);
        let mut forms: Vec<Affine> = views.into_iter().map(|v| self.localized(block, v, i)).collect();
        let mut key = forms.remove(0);
        // Keys of the table count from zero.
        key.constant -= from_i64(self.system.tables[table as usize].lo);
        self.out.blocks[block].lookups.push(Looked { key, outputs: forms, tag: u64::from(table) + 1 });
    }

    fn relation(&mut self, i: usize) -> Result<()> {
        match &self.system.relations[i].1 {
            Relation::Product { a, b, y } => {
                let block = self.block_of(i, &[y, a, b]);
                let [a, b, y] = [a, b, y].map(|v| self.localized(block, v, i));
                self.gate(i, block, product_gate(&a, &b, &y))
            }
            Relation::Lookup { table, key, outputs } => {
                self.lookup(i, table.0, key, outputs);
                Ok(())
            }
            Relation::Range { v, .. } if self.out.windows[i].is_none() => {
                let block = self.block_of(i, &[v]);
                let mut form = self.limb_columns(block, v, i);
                let Some(value) = self.local(block, v, 0) else {
                    self.out.ties.push(Tie::Columns { block, form, view: v.clone(), relation: i });
                    return Ok(());
                };
                form.add(-Fr::ONE, &value);
                self.gate(i, block, linear_gate(&form))
            }
            Relation::Linear { terms, constant } if self.out.defines[i].is_none() => {
                let views: Vec<&View> = terms.iter().map(|(_, v)| v).collect();
                let home = self.home_of(&views);
                match home.and_then(|block| Some((block, self.local_sum(block, terms, *constant)?))) {
                    Some((block, sum)) => self.gate(i, block, linear_gate(&sum)),
                    None => {
                        self.out.ties.push(Tie::Linear(i));
                        Ok(())
                    }
                }
            }
            Relation::Copy { to, .. } if !self.is_wired(to.var) => {
                self.out.ties.push(Tie::Copy(i));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
