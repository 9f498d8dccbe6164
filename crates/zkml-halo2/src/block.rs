//! Groups element-wise relations over one index space into blocks of cells.
//!
//! Relations that speak of the same elements are laid out together: limbs of ranged values go to the looked-up
//! columns, values that others need get a cell, and everything that a linear equation determines gets none.
//! Blocks with equal constraints share one template, and so one gate.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{
    Relation, System, TableId, View,
    intervals::{Proven, window},
};

use crate::{
    error::{ProverError, Result},
    polynomial::{Polynomial, field, pow2},
    shape::Shape,
};

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
    pub template: Template,
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

/// Groups all element-wise relations of a system.
///
/// # Errors
/// [`ProverError::RangeTooWide`] and [`ProverError::Unsupported`] name the node whose relation does not fit.
pub fn groups(system: &System, proven: &Proven, shape: &Shape) -> Result<Vec<Group>> {
    let grouped = Grouping::new(system, proven, shape.limb_bits).groups(shape, &mut Placed::default())?;
    // A block without rows still says what its values are.
    Ok(grouped.iter().map(|g| Group::clone(g)).collect())
}

/// Blocks of given relations that were placed before, in shapes of the same columns.
pub(crate) type Placed = HashMap<Vec<usize>, Arc<Group>>;

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
}

impl<'a> Grouping<'a> {
    pub(crate) fn new(system: &'a System, proven: &Proven, limb_bits: u32) -> Self {
        let mentions = Mentions::new(system, proven);
        let (units, views) = (units(system, proven), numbered(system));
        Self { system, limb_bits, mentions, units, views, reduced: Mutex::default() }
    }

    /// The groups in a shape; `placed` is of shapes with the same columns.
    pub(crate) fn groups(&self, shape: &Shape, placed: &mut Placed) -> Result<Vec<Arc<Group>>> {
        let mut merged: Vec<(Vec<usize>, Arc<Group>)> = Vec::new();
        // The last group in which a view occurs.
        let mut last: HashMap<usize, usize> = HashMap::new();
        for unit in &self.units {
            let views = || unit.iter().flat_map(|&i| &self.views[i]);
            let host = views().filter_map(|v| last.get(v)).max().copied();
            let mut at = None;
            if let Some(h) = host {
                let joined: Vec<usize> = merged[h].0.iter().chain(unit).copied().collect();
                let group = self.placed(shape, &joined, placed)?;
                if group.template.height <= shape.max_height {
                    merged[h] = (joined, group);
                    at = Some(h);
                }
            }
            let at = match at {
                Some(h) => h,
                None => {
                    merged.push((unit.clone(), self.placed(shape, unit, placed)?));
                    merged.len() - 1
                }
            };
            for v in views() {
                let known = last.entry(*v).or_insert(at);
                *known = at.max(*known);
            }
        }
        Ok(merged.into_iter().map(|(_, g)| g).collect())
    }

    fn placed(&self, shape: &Shape, relations: &[usize], placed: &mut Placed) -> Result<Arc<Group>> {
        if let Some(group) = placed.get(relations) {
            return Ok(group.clone());
        }
        let reduced = self.reduced(relations)?;
        let group = Arc::new(Placing { reduced: &reduced, system: self.system, shape }.place()?);
        placed.insert(relations.to_vec(), group.clone());
        Ok(group)
    }

    fn reduced(&self, relations: &[usize]) -> Result<Arc<Reduced>> {
        let known = || self.reduced.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reduced) = known().get(relations) {
            return Ok(reduced.clone());
        }
        let made = Arc::new(reduce(self.system, self.limb_bits, &self.mentions, relations)?);
        known().insert(relations.to_vec(), made.clone());
        Ok(made)
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Atom {
    Local(u16),
    Limb(u16),
}

/// A value of the block while it is being built.
#[derive(Debug)]
struct Local {
    view: View,
    internal: bool,
    /// Forced position: row of the key and output number.
    pinned: Option<(u8, u8)>,
    replaced: bool,
}

struct Builder<'a> {
    system: &'a System,
    limb_bits: u32,
    mentions: &'a Mentions,
    relations: &'a [usize],
    locals: Vec<Local>,
    limbs: Vec<Limb>,
    keys: Vec<(u16, TableId)>,
    polys: Vec<Polynomial<Atom>>,
    /// For each of `polys`, the relation that it is, if it is the whole of one.
    origins: Vec<Option<usize>>,
    /// Relations that are no constraint any more.
    spent: Vec<usize>,
    /// Locals without a cell, with what they are in terms of the others.
    defined: Vec<(u16, Polynomial<Atom>)>,
}

/// A block whose values have no places yet.
#[derive(Debug)]
struct Reduced {
    label: String,
    count: usize,
    relations: Vec<usize>,
    locals: Vec<Local>,
    limbs: Vec<Limb>,
    keys: Vec<(u16, TableId)>,
    polys: Vec<Polynomial<Atom>>,
    spent: Vec<usize>,
    defined: Vec<(u16, Polynomial<Atom>)>,
}

/// States relations over as few values as possible; nothing in it depends on columns.
fn reduce(system: &System, limb_bits: u32, mentions: &Mentions, relations: &[usize]) -> Result<Reduced> {
    let mut b = Builder {
        system,
        limb_bits,
        mentions,
        relations,
        locals: vec![],
        limbs: vec![],
        keys: vec![],
        polys: vec![],
        origins: vec![],
        spent: vec![],
        defined: vec![],
    };
    for &i in relations {
        b.lookup(&system.relations[i].1);
    }
    for &i in relations {
        let (label, r) = &system.relations[i];
        b.range(label, r)?;
    }
    b.origins = vec![None; b.polys.len()];
    for &i in relations {
        match &system.relations[i].1 {
            Relation::Linear { terms, constant } => {
                let mut p = Polynomial::constant(field((*constant).into()));
                for (c, v) in terms {
                    p = p.plus(field((*c).into()), &b.value(v));
                }
                b.polys.push(p);
            }
            Relation::Product { a, b: f, y } => {
                let p = b.value(a).times(&b.value(f)).plus(-Fr::ONE, &b.value(y));
                b.polys.push(p);
            }
            _ => continue,
        }
        b.origins.push(Some(i));
    }
    b.eliminate();
    let count = elementwise_count(&system.relations[relations[0]].1).unwrap_or(0);
    let label = system.relations[relations[0]].0.clone();
    let Builder { locals, limbs, keys, polys, spent, defined, .. } = b;
    Ok(Reduced { label, count, relations: relations.to_vec(), locals, limbs, keys, polys, spent, defined })
}

impl Builder<'_> {
    fn local(&mut self, view: &View) -> u16 {
        if let Some(i) = self.locals.iter().position(|l| l.view == *view) {
            return i as u16;
        }
        let internal = self.mentions.internal(self.system, self.relations, view);
        self.locals.push(Local { view: view.clone(), internal, pinned: None, replaced: false });
        self.locals.len() as u16 - 1
    }

    /// A view as a polynomial: a literal when it shows the same constant everywhere.
    fn value(&mut self, view: &View) -> Polynomial<Atom> {
        if let Some(c) = self.uniform(view) {
            return Polynomial::constant(field(c.into()));
        }
        Polynomial::atom(Atom::Local(self.local(view)))
    }

    fn uniform(&self, view: &View) -> Option<i64> {
        let c = self.system.vars[view.var.0 as usize].constant.as_ref()?;
        let first = *c.first()?;
        c.iter().chain(&view.map.pad).all(|v| *v == first).then_some(first)
    }

    fn lookup(&mut self, r: &Relation) {
        let Relation::Lookup { table, key, outputs } = r else { return };
        let lo = self.system.tables[table.0 as usize].lo;
        let number = self.keys.len() as u8;
        let limb = self.limbs.len() as u16;
        self.limbs.push(Limb { view: key.clone(), lo, shift: 0, bits: 62, scale: 0, total: 62 });
        self.keys.push((limb, *table));
        for (o, view) in outputs.iter().enumerate() {
            let l = self.local(view) as usize;
            if self.locals[l].pinned.is_none() {
                self.locals[l].pinned = Some((number, o as u8));
                continue;
            }
            // The cell beside this key is another one: a second local, tied to the first.
            let twin = Local {
                view: view.clone(),
                internal: false,
                pinned: Some((number, o as u8)),
                replaced: false,
            };
            self.locals.push(twin);
            let tied = Polynomial::atom(Atom::Local(l as u16));
            self.polys
                .push(tied.plus(-Fr::ONE, &Polynomial::atom(Atom::Local(self.locals.len() as u16 - 1))));
        }
        let value = Polynomial::constant(field(lo.into())).plus(Fr::ONE, &Polynomial::atom(Atom::Limb(limb)));
        let key = self.value(key);
        self.polys.push(key.plus(-Fr::ONE, &value));
    }

    fn range(&mut self, label: &str, r: &Relation) -> Result<()> {
        let Relation::Range { v, lo, bits, kind } = r else { return Ok(()) };
        let size = self.limb_bits;
        let (lo, bits) = window(*lo, *bits, *kind, size);
        if bits > 62 {
            return Err(ProverError::RangeTooWide { label: label.into(), bits, limit: 62 });
        }
        let mut sum = Polynomial::constant(field(lo.into()));
        let mut shift = 0;
        while shift < bits {
            let width = size.min(bits - shift);
            let limb = Atom::Limb(self.limbs.len() as u16);
            self.limbs.push(Limb { view: v.clone(), lo, shift, bits: width, scale: 0, total: bits });
            sum = sum.plus(pow2(shift), &Polynomial::atom(limb));
            shift += width;
            if width < size {
                // A short limb is short when it still fits after being shifted to the top.
                let top = Atom::Limb(self.limbs.len() as u16);
                let scale = size - width;
                self.limbs.push(Limb {
                    view: v.clone(),
                    lo,
                    shift: shift - width,
                    bits: width,
                    scale,
                    total: bits,
                });
                self.polys.push(Polynomial::atom(top).plus(-pow2(scale), &Polynomial::atom(limb)));
            }
        }
        let value = self.value(v);
        self.polys.push(value.plus(-Fr::ONE, &sum));
        Ok(())
    }

    /// Removes locals that an equation determines and that nothing else needs.
    fn eliminate(&mut self) {
        while let Some((equation, local)) = self.determined() {
            let (p, atom) = (&self.polys[equation], Atom::Local(local as u16));
            // c·l + rest = 0, so l = −rest / c.
            let c = p.linear_coefficient(atom);
            let inverse = Option::<Fr>::from(c.invert()).unwrap_or(Fr::ONE);
            let by = p.clone().plus(-c, &Polynomial::atom(atom)).scaled(-inverse);
            self.replace(equation, local, &by);
        }
        let gone = self.polys.iter().zip(&self.origins).filter(|(p, _)| p.is_zero());
        self.spent.extend(gone.filter_map(|(_, o)| *o));
        self.polys.retain(|p| !p.is_zero());
    }

    /// An equation and a local that it determines: by a linear equation if there is one, else by a product
    /// whose result is used only linearly, so that no degree grows beyond two.
    fn determined(&self) -> Option<(usize, usize)> {
        let free = |l: usize| {
            let local = &self.locals[l];
            local.internal && local.pinned.is_none() && !local.replaced
        };
        let find = |degree: usize, fits: &dyn Fn(&Polynomial<Atom>, Atom) -> bool| {
            let mut equations = self.polys.iter().enumerate().filter(|(_, p)| p.degree() == degree);
            equations.find_map(|(i, p)| {
                let local = (0..self.locals.len()).find(|&l| free(l) && fits(p, Atom::Local(l as u16)));
                local.map(|l| (i, l))
            })
        };
        let linear = |p: &Polynomial<Atom>, a: Atom| p.mentions(a);
        let product = |p: &Polynomial<Atom>, a: Atom| {
            p.linear_coefficient(a) != Fr::ZERO && self.polys.iter().all(|q| !q.nonlinear_in(a))
        };
        find(1, &linear).or_else(|| find(2, &product))
    }

    fn replace(&mut self, equation: usize, local: usize, by: &Polynomial<Atom>) {
        self.polys.remove(equation);
        self.spent.extend(self.origins.remove(equation));
        self.locals[local].replaced = true;
        let atom = Atom::Local(local as u16);
        for p in self.polys.iter_mut().chain(self.defined.iter_mut().map(|(_, value)| value)) {
            if p.mentions(atom) {
                *p = p.replaced(atom, by);
            }
        }
        self.defined.push((local as u16, by.clone()));
    }
}

/// A block whose values are given places in a shape.
struct Placing<'a> {
    reduced: &'a Reduced,
    system: &'a System,
    shape: &'a Shape,
}

impl Placing<'_> {
    /// The constraints over cells; the reason if one cannot be a gate.
    fn constraints(
        &self,
        at: impl Fn(Atom) -> Option<Slot>,
    ) -> std::result::Result<Vec<Polynomial<Slot>>, String> {
        let mut lost = false;
        let mut placed = |x: Atom| {
            at(x).unwrap_or_else(|| {
                lost = true;
                Slot::A(0, 0)
            })
        };
        let polys: Vec<_> = self.reduced.polys.iter().map(|p| p.map(&mut placed)).collect();
        if lost {
            return Err("a constraint speaks of a value that has no cell".into());
        }
        match polys.iter().find(|p| p.degree() == 0 || p.degree() > 2) {
            Some(p) => Err(format!("its relations reduce to a constraint of degree {}", p.degree())),
            None => Ok(polys),
        }
    }

    /// Values without a cell in terms of cells, and the views that no constraint speaks of.
    fn definitions(&self, at: impl Fn(Atom) -> Option<Slot>) -> (Vec<Defined>, Vec<View>) {
        let mut free = Vec::new();
        let mut term = |x: Atom| match (at(x), x) {
            (Some(slot), _) => Term::Cell(slot),
            (None, Atom::Local(i)) => {
                let view = &self.reduced.locals[i as usize].view;
                let known = free.iter().position(|v| v == view);
                Term::Free(known.unwrap_or_else(|| {
                    free.push(view.clone());
                    free.len() - 1
                }) as u16)
            }
            (None, Atom::Limb(_)) => Term::Free(u16::MAX),
        };
        let defined = self.reduced.defined.iter().map(|(local, value)| Defined {
            view: self.reduced.locals[*local as usize].view.clone(),
            value: value.map(&mut term),
        });
        (defined.collect(), free)
    }

    /// Relations of which no constraint is left, with the variables that they define.
    fn substituted(&self) -> Vec<(usize, Vec<u32>)> {
        let defines = |i: &usize| {
            let views = self.system.relations[*i].1.views();
            let mut vars: Vec<u32> = views.iter().map(|v| v.var.0).collect();
            vars.retain(|v| {
                self.reduced.defined.iter().any(|(l, _)| self.reduced.locals[*l as usize].view.var.0 == *v)
            });
            (*i, vars)
        };
        self.reduced.spent.iter().map(defines).collect()
    }

    /// Gives every remaining value a cell.
    fn place(self) -> Result<Group> {
        let (label, count) = (self.reduced.label.clone(), self.reduced.count);
        let (na, nu) = (self.shape.a_columns, self.shape.u_columns);
        let mut u = Grid::new(nu);
        let mut a = Grid::new(na);
        let mut limb_slot = vec![None; self.reduced.limbs.len()];
        let mut key_rows = Vec::new();
        // Keys sit in the first looked-up column with their outputs beside (or, with one column, below) them.
        let step = self.shape.output_slots().iter().map(|s| s.1 + 1).max().unwrap_or(1);
        for (n, (limb, table)) in self.reduced.keys.iter().enumerate() {
            let row = n * step;
            u.take(0, row);
            limb_slot[*limb as usize] = Some((0, row));
            self.shape.output_slots().iter().for_each(|(c, r)| a.take(*c, row + r));
            key_rows.push((row as u8, *table));
        }
        for slot in limb_slot.iter_mut().filter(|s| s.is_none()) {
            *slot = Some(u.next());
        }
        let mut cells = Vec::new();
        let mut local_slot = vec![None; self.reduced.locals.len()];
        for (i, l) in self.reduced.locals.iter().enumerate() {
            let wanted = self.reduced.polys.iter().any(|p| p.mentions(Atom::Local(i as u16)));
            let at = match l.pinned {
                Some((key, output)) => {
                    let (c, r) = self.shape.output_slots()[output as usize];
                    (c, key as usize * step + r)
                }
                None if wanted => a.next(),
                None => continue,
            };
            let slot = Slot::A(at.0 as u8, at.1 as u8);
            local_slot[i] = Some(slot);
            cells.push((slot, l.view.clone()));
        }
        let at = |atom: Atom| match atom {
            Atom::Limb(i) => limb_slot[i as usize].map(|(c, r)| Slot::U(c as u8, r as u8)),
            Atom::Local(i) => local_slot[i as usize],
        };
        let height = u.height().max(a.height());
        if height > 200 {
            let detail = format!("a block of {height} rows is too tall for this layout");
            return Err(ProverError::Unsupported { label, detail });
        }
        let polys = match self.constraints(at) {
            Ok(polys) => polys,
            Err(detail) => return Err(ProverError::Unsupported { label, detail }),
        };
        let (defined, free) = self.definitions(at);
        let relations = self.reduced.relations.to_vec();
        let substituted = self.substituted();
        let limbs = self
            .reduced
            .limbs
            .iter()
            .cloned()
            .zip(limb_slot)
            .filter_map(|(l, s)| s.map(|(c, r): (usize, usize)| (Slot::U(c as u8, r as u8), l)));
        let limbs = limbs.collect();
        let template = Template { height, polys, keys: key_rows };
        Ok(Group { label, count, template, cells, limbs, relations, defined, free, substituted })
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
