//! Follows wiring: which cell, or which constant, an element of a view really is.

use crate::{Relation, System, VarId, View};

/// What an element of a variable is once copies are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Elem {
    /// An element that some relation other than a copy speaks of: variable and row-major index.
    Cell(VarId, u32),
    /// A value fixed by the model.
    Const(i64),
}

/// Resolves elements through [`Relation::Copy`], so that wiring costs no rows.
#[derive(Debug)]
pub struct Wiring<'a> {
    system: &'a System,
    /// For each variable that is wired: what each of its elements is.
    wired: Vec<Option<Vec<Elem>>>,
}

impl<'a> Wiring<'a> {
    /// Follows all copies of a system; copies are stated in topological order.
    pub fn new(system: &'a System) -> Self {
        let mut w = Self { system, wired: vec![None; system.vars.len()] };
        for (_, r) in &system.relations {
            let Relation::Copy { from, to } = r else { continue };
            let source = w.elements(from);
            let var = to.var.0 as usize;
            let len = system.vars[var].len();
            let mut target = w.wired[var]
                .take()
                .unwrap_or_else(|| (0..len as u32).map(|i| Elem::Cell(to.var, i)).collect());
            for (t, s) in to.map.indices().into_iter().zip(source) {
                if let Some(t) = t {
                    target[t] = s;
                }
            }
            w.wired[var] = Some(target);
        }
        w
    }

    /// What element `index` of a variable is.
    pub fn element(&self, var: VarId, index: usize) -> Elem {
        if let Some(wired) = &self.wired[var.0 as usize] {
            return wired[index];
        }
        match &self.system.vars[var.0 as usize].constant {
            Some(c) => Elem::Const(c[index]),
            None => Elem::Cell(var, index as u32),
        }
    }

    /// What each element of a view is, in row-major order of the view.
    pub fn elements(&self, view: &View) -> Vec<Elem> {
        let pad = view.map.pad.unwrap_or(0);
        let at = |i: Option<usize>| i.map_or(Elem::Const(pad), |i| self.element(view.var, i));
        view.map.indices().into_iter().map(at).collect()
    }
}
