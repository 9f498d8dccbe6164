//! Groups element-wise relations over one index space into blocks of cells.
//!
//! Relations that speak of the same elements are laid out together: limbs of ranged values go to the looked-up
//! columns, values that others need get a cell, and everything that a linear equation determines gets none.
//! Blocks with equal constraints share one template, and so one gate.

mod place;
mod reduce;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use zkml_graph::{Relation, System, TableId, View, intervals::Proven};

use crate::{
    error::{ProverError, Result},
    polynomial::Polynomial,
    shape::Shape,
};
use place::{Atom, Placing, Seat, Seats, Structure};
use reduce::{Builder, Local};

/// A cell of a block: column and row within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// A looked-up column.
    U(u8, u8),
    /// A column under the permutation argument.
    A(u8, u8),
}

/// What a looked-up cell holds: `((v − lo) >> shift) mod 2^bits`, times `2^scale`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limb {
    /// The value that is split.
    pub view: View,
    /// Subtracted first.
    pub lo: i64,
    /// Position of the limb.
    pub shift: u32,
    /// Width of the limb.
    pub bits: u32,
    /// Left shift of the limb, for the check that a short limb is short.
    pub scale: u32,
    /// Width of the whole value.
    pub total: u32,
}

/// A gate shape: which cells, and what holds among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// Rows of a block.
    pub height: usize,
    /// Polynomials over slots that vanish.
    pub polys: Vec<Polynomial<Slot>>,
    /// Rows of the block whose first looked-up cell is the key of a table.
    pub keys: Vec<(u8, TableId)>,
}

impl Template {
    /// Largest degree of its polynomials.
    pub fn degree(&self) -> usize {
        self.polys.iter().map(Polynomial::degree).max().unwrap_or(0)
    }
}

/// Operand of the definition of a value without a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// A cell of the block.
    Cell(Slot),
    /// A view that no constraint speaks of any more: any value does. Its place among [`Group::free`].
    Free(u16),
}

/// A value that an equation determines, and that has no cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defined {
    /// The value.
    pub view: View,
    /// Its definition.
    pub value: Polynomial<Term>,
}

/// A template applied to every element of an index space.
#[derive(Debug, Clone)]
pub struct Group {
    /// Name of the first node, for messages.
    pub label: String,
    /// Number of elements, that is, of blocks.
    pub count: usize,
    /// The gate.
    pub template: Arc<Template>,
    /// What the cells under the permutation hold.
    pub cells: Vec<(Slot, View)>,
    /// What the looked-up cells hold.
    pub limbs: Vec<(Slot, Limb)>,
    /// Indices of the relations that the block states.
    pub relations: Vec<usize>,
    /// Values without a cell.
    pub defined: Vec<Defined>,
    /// Values that nothing constrains.
    pub free: Vec<View>,
    /// Relations of which no constraint is left, with the variables that they define.
    pub substituted: Vec<(usize, Vec<u32>)>,
}

/// What is known of structures in shapes of the same columns, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    heights: HashMap<usize, usize>,
    templates: HashMap<usize, std::result::Result<Arc<Template>, String>>,
}

/// A block of a shape, without its values.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) template: Arc<Template>,
    reduced: Arc<Reduced>,
}

impl Drawn {
    /// Number of elements, that is, of blocks.
    pub(crate) fn count(&self) -> usize {
        self.reduced.count
    }

    /// Constants in its cells.
    pub(crate) fn constants(&self) -> &[i64] {
        &self.reduced.constants
    }

    /// Gives every value that needs one its cell. `shape` is the one that the block was drawn in.
    pub(crate) fn group(&self, system: &System, shape: &Shape) -> Group {
        Placing { drawn: self, system, shape }.group()
    }
}

/// What a view shows that the model fixes, its padding included.
pub(crate) fn include(system: &System, v: &View, values: &mut Vec<i64>) {
    values.extend(v.map.pad);
    if let Some(c) = &system.vars[v.var.0 as usize].constant {
        values.extend(c);
    }
}

/// What grouping needs to know of a system, for one size of limbs: shapes share it.
#[derive(Debug)]
pub(crate) struct Grouping<'a> {
    system: &'a System,
    limb_bits: u32,
    mentions: Mentions,
    units: Vec<Vec<usize>>,
    /// For each relation, numbers of its views of what is not constant.
    views: Vec<Vec<usize>>,
    /// Blocks before they are placed, by their relations.
    reduced: Mutex<HashMap<Vec<usize>, Arc<Reduced>>>,
    /// Those that blocks have in common: the steps of a recurrent network have the same ones.
    structures: Mutex<HashMap<Arc<Structure>, usize>>,
}

impl<'a> Grouping<'a> {
    pub(crate) fn new(system: &'a System, proven: &Proven, limb_bits: u32) -> Self {
        let mentions = Mentions::new(system, proven);
        let (units, views) = (units(system, proven), numbered(system));
        Self {
            system,
            limb_bits,
            mentions,
            units,
            views,
            reduced: Mutex::default(),
            structures: Mutex::default(),
        }
    }

    /// The blocks in a shape; `placed` is of shapes with the same columns.
    ///
    /// # Errors
    /// [`ProverError::RangeTooWide`] and [`ProverError::Unsupported`] name the node whose relation does not fit.
    pub(crate) fn drawn(&self, shape: &Shape, placed: &mut Placed) -> Result<Vec<Drawn>> {
        let mut out = Vec::new();
        for reduced in self.merged(shape, &mut placed.heights)? {
            let known = placed.templates.entry(reduced.number);
            match known.or_insert_with(|| reduced.structure.template(shape).map(Arc::new)) {
                Ok(template) => out.push(Drawn { template: template.clone(), reduced }),
                Err(detail) => {
                    let (label, detail) = (reduced.label.clone(), detail.clone());
                    return Err(ProverError::Unsupported { label, detail });
                }
            }
        }
        Ok(out)
    }

    /// Merges blocks that share a view as long as none becomes too tall.
    fn merged(&self, shape: &Shape, heights: &mut HashMap<usize, usize>) -> Result<Vec<Arc<Reduced>>> {
        let mut merged: Vec<Arc<Reduced>> = Vec::new();
        // The last block in which a view occurs.
        let mut last: HashMap<usize, usize> = HashMap::new();
        for unit in &self.units {
            let views = || unit.iter().flat_map(|&i| &self.views[i]);
            let host = views().filter_map(|v| last.get(v)).max().copied();
            let mut at = None;
            if let Some(h) = host {
                let joined: Vec<usize> = merged[h].relations.iter().chain(unit).copied().collect();
                let joined = self.reduced(&joined)?;
                let height = heights.entry(joined.number);
                if *height.or_insert_with(|| Seats::new(&joined.structure, shape).height) <= shape.max_height
                {
                    merged[h] = joined;
                    at = Some(h);
                }
            }
            let at = match at {
                Some(h) => h,
                None => {
                    merged.push(self.reduced(unit)?);
                    merged.len() - 1
                }
            };
            for v in views() {
                let known = last.entry(*v).or_insert(at);
                *known = at.max(*known);
            }
        }
        Ok(merged)
    }

    fn reduced(&self, relations: &[usize]) -> Result<Arc<Reduced>> {
        let known = || self.reduced.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reduced) = known().get(relations) {
            return Ok(reduced.clone());
        }
        let made = Arc::new(self.reduce(relations)?);
        known().insert(relations.to_vec(), made.clone());
        Ok(made)
    }

    /// States relations over as few values as possible; nothing in it depends on columns.
    fn reduce(&self, relations: &[usize]) -> Result<Reduced> {
        let mut b = Builder::new(self.system, self.limb_bits, &self.mentions, relations);
        b.state()?;
        b.eliminate();
        let (label, first) = &self.system.relations[relations[0]];
        let (label, count) = (label.clone(), elementwise_count(first).unwrap_or(0));
        let mut wanted = vec![false; b.locals.len()];
        for atom in b.polys.iter().flat_map(|p| p.0.keys().flatten()) {
            if let Atom::Local(i) = atom {
                wanted[*i as usize] = true;
            }
        }
        let seated = |(l, wanted): (&Local, bool)| match l.pinned {
            Some((key, output)) => Seat::Beside { key, output },
            None if wanted => Seat::Any,
            None => Seat::None,
        };
        let locals: Vec<Seat> = b.locals.iter().zip(wanted).map(seated).collect();
        let mut constants = Vec::new();
        let shown = b.locals.iter().zip(&locals).filter(|(_, s)| **s != Seat::None);
        shown.for_each(|(l, _)| include(self.system, &l.view, &mut constants));
        constants.sort_unstable();
        constants.dedup();
        let Builder { locals: values, limbs, keys, polys, spent, defined, .. } = b;
        let (structure, number) = self.numbered(Structure { limbs: limbs.len(), keys, locals, polys });
        let relations = relations.to_vec();
        let locals = values.into_iter().map(|l| l.view).collect();
        Ok(Reduced { label, count, relations, locals, limbs, constants, structure, number, spent, defined })
    }

    /// The one structure that equals this one, and its number.
    fn numbered(&self, structure: Structure) -> (Arc<Structure>, usize) {
        let mut known = self.structures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((structure, number)) = known.get_key_value(&structure) {
            return (structure.clone(), *number);
        }
        let (structure, number) = (Arc::new(structure), known.len());
        known.insert(structure.clone(), number);
        (structure, number)
    }
}

/// For each element-wise relation, numbers of its views of what is not constant: equal ones have equal numbers.
fn numbered(system: &System) -> Vec<Vec<usize>> {
    let mut numbers: HashMap<(usize, &View), usize> = HashMap::new();
    let mut out = Vec::with_capacity(system.relations.len());
    for (_, r) in &system.relations {
        let mut all = Vec::new();
        if let Some(count) = elementwise_count(r) {
            for v in r.views().into_iter().filter(|v| system.vars[v.var.0 as usize].constant.is_none()) {
                let next = numbers.len();
                all.push(*numbers.entry((count, v)).or_insert(next));
            }
        }
        out.push(all);
    }
    out
}

fn elementwise_count(r: &Relation) -> Option<usize> {
    match r {
        Relation::Linear { .. }
        | Relation::Product { .. }
        | Relation::Lookup { .. }
        | Relation::Range { .. } => r.views().first().map(|v| v.map.len()),
        _ => None,
    }
}

/// Relations of one node that speak of the same elements.
fn units(system: &System, proven: &Proven) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = Vec::new();
    let mut label = "";
    let mut first = 0;
    for (i, (l, r)) in system.relations.iter().enumerate() {
        if elementwise_count(r).is_none() || !proven.needed[i] {
            continue;
        }
        if l != label {
            (label, first) = (l, out.len());
        }
        let mut unit = vec![i];
        // A relation may join several units of its node into one.
        for j in (first..out.len()).rev() {
            if shares_view(system, &out[j], &[i]) {
                unit.extend(out.remove(j));
            }
        }
        unit.sort_unstable();
        out.push(unit);
    }
    out
}

fn shares_view(system: &System, a: &[usize], b: &[usize]) -> bool {
    let views =
        |rels: &[usize]| -> Vec<&View> { rels.iter().flat_map(|&i| system.relations[i].1.views()).collect() };
    let count = |rels: &[usize]| rels.first().and_then(|&i| elementwise_count(&system.relations[i].1));
    let free = |v: &View| system.vars[v.var.0 as usize].constant.is_none();
    let of_b = views(b);
    count(a) == count(b) && views(a).into_iter().any(|v| free(v) && of_b.contains(&v))
}

/// Where variables are spoken of.
#[derive(Debug)]
struct Mentions(Vec<Vec<usize>>);

impl Mentions {
    fn new(system: &System, proven: &Proven) -> Self {
        let mut m = vec![Vec::new(); system.vars.len()];
        for (i, (_, r)) in system.relations.iter().enumerate().filter(|(i, _)| proven.needed[*i]) {
            r.views().iter().for_each(|v| m[v.var.0 as usize].push(i));
        }
        Self(m)
    }

    /// Returns true if the prover may choose the variable, only `relations` speak of it, and all through the same full
    /// view. What the model fixes is never the prover's: an equation that is solved for a constant is lost.
    fn internal(&self, system: &System, relations: &[usize], view: &View) -> bool {
        let same = |i: &usize| {
            system.relations[*i].1.views().iter().filter(|v| v.var == view.var).all(|v| *v == view)
        };
        let witness =
            system.vars[view.var.0 as usize].constant.is_none() && !system.inputs.contains(&view.var);
        witness
            && view.map.is_identity()
            && self.0[view.var.0 as usize].iter().all(|i| relations.contains(i) && same(i))
    }
}

/// A block whose values have no places yet.
#[derive(Debug)]
struct Reduced {
    label: String,
    count: usize,
    relations: Vec<usize>,
    locals: Vec<View>,
    limbs: Vec<Limb>,
    /// Values of those of `locals` that have cells and that the model fixes, and of their padding.
    constants: Vec<i64>,
    structure: Arc<Structure>,
    /// Of the structure, among those of the grouping.
    number: usize,
    spent: Vec<usize>,
    defined: Vec<(u16, Polynomial<Atom>)>,
}
