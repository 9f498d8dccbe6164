//! States relations over as few values as possible: what an equation determines goes.

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{Relation, System, TableId, View, intervals::window};

use super::{Limb, Mentions, place::Atom};
use crate::{
    error::{ProverError, Result},
    polynomial::{Polynomial, field, pow2},
};

/// A value of the block while it is being built.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) view: View,
    internal: bool,
    /// Forced position: row of the key and output number.
    pub(super) pinned: Option<(u8, u8)>,
    replaced: bool,
}

pub(super) struct Builder<'a> {
    system: &'a System,
    limb_bits: u32,
    mentions: &'a Mentions,
    relations: &'a [usize],
    pub(super) locals: Vec<Local>,
    pub(super) limbs: Vec<Limb>,
    pub(super) keys: Vec<(u16, TableId)>,
    pub(super) polys: Vec<Polynomial<Atom>>,
    /// For each of `polys`, the relation that it is, if it is the whole of one.
    origins: Vec<Option<usize>>,
    /// Relations that are no constraint any more.
    pub(super) spent: Vec<usize>,
    /// Locals without a cell, with what they are in terms of the others.
    pub(super) defined: Vec<(u16, Polynomial<Atom>)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        system: &'a System,
        limb_bits: u32,
        mentions: &'a Mentions,
        relations: &'a [usize],
    ) -> Self {
        Self {
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
        }
    }

    /// Turns the relations into constraints over values and limbs.
    pub(super) fn state(&mut self) -> Result<()> {
        for &i in self.relations {
            self.lookup(&self.system.relations[i].1);
        }
        for &i in self.relations {
            let (label, r) = &self.system.relations[i];
            self.range(label, r)?;
        }
        self.origins = vec![None; self.polys.len()];
        for &i in self.relations {
            match &self.system.relations[i].1 {
                Relation::Linear { terms, constant } => {
                    let mut p = Polynomial::constant(field((*constant).into()));
                    for (c, v) in terms {
                        p = p.plus(field((*c).into()), &self.value(v));
                    }
                    self.polys.push(p);
                }
                Relation::Product { a, b: f, y } => {
                    let p = self.value(a).times(&self.value(f)).plus(-Fr::ONE, &self.value(y));
                    self.polys.push(p);
                }
                _ => continue,
            }
            self.origins.push(Some(i));
        }
        Ok(())
    }

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
    pub(super) fn eliminate(&mut self) {
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
