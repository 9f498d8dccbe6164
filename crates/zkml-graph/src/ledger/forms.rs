//! Ledgers of layouts in which definitions stand for variables everywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ledger, LedgerError, Standing, computed, copies_to, whole};
use crate::{Bounds, Relation, System, VarId};

impl Ledger {
    /// As [`Ledger::check`], for a layout in which everything that speaks of a variable, the statement and contractions as
    /// well, speaks of its definition instead. Then a variable may be defined if it is an existential witness: the model
    /// does not fix it, it is no input, no copy writes it, and it is defined once, by what does not depend on it.
    ///
    /// # Errors
    /// The first entry or step that is not so.
    pub fn check_forms(&self, system: &System) -> Result<Vec<Option<Bounds>>, LedgerError> {
        let known = self.confirm(system, definable)?;
        let mut by: BTreeMap<u32, usize> = BTreeMap::new();
        for (index, standing) in self.standings.iter().enumerate() {
            let Standing::Substituted { defines } = standing else { continue };
            let bad = |detail: String| LedgerError::Entry {
                index,
                relation: system.relations[index].1.to_string(),
                standing: standing.name(),
                detail,
            };
            let (Relation::Linear { terms, .. }, [var]) = (&system.relations[index].1, defines.as_slice())
            else {
                return Err(bad("a definition is a sum, of one variable".into()));
            };
            let own: Vec<_> = terms.iter().filter(|(_, v)| v.var.0 == *var).collect();
            let len = system.vars[*var as usize].len();
            if !matches!(own.as_slice(), [(c, v)] if *c != 0 && whole(v, len)) {
                return Err(bad(format!("it cannot be solved for variable {var}")));
            }
            if by.insert(*var, index).is_some() {
                return Err(bad(format!("variable {var} is defined twice")));
            }
            if depends(system, &self.standings, index, *var) {
                return Err(bad(format!("variable {var} is defined by itself")));
            }
        }
        Ok(known)
    }
}

/// A variable may be defined everywhere if the model does not fix it, it is no input, and no copy writes it.
fn definable(system: &System, var: VarId) -> Result<(), String> {
    let v = computed(system, var)?;
    if copies_to(system, var).next().is_some() {
        return Err(format!("`{}` is wired", v.name));
    }
    Ok(())
}

/// Returns true if what relation `index` says of `var` depends on `var` through other definitions or copies.
fn depends(system: &System, standings: &[Standing], index: usize, var: u32) -> bool {
    let spoken = |i: usize| system.relations[i].1.views().into_iter().map(|v| v.var.0);
    let mut todo: Vec<u32> = spoken(index).filter(|v| *v != var).collect();
    let mut seen = BTreeSet::new();
    while let Some(v) = todo.pop() {
        if v == var {
            return true;
        }
        if !seen.insert(v) {
            continue;
        }
        for (i, standing) in standings.iter().enumerate() {
            let defined = matches!(standing, Standing::Substituted { defines } if defines.contains(&v));
            let wired = matches!(&system.relations[i].1, Relation::Copy { to, .. } if to.var.0 == v);
            if defined || wired {
                todo.extend(spoken(i).filter(|other| *other != v));
            }
        }
    }
    false
}
