//! Private weights: the statement commits to all of them and to nothing else, and what confines them is stated apart.

use std::collections::BTreeSet;

use zkml_graph::{Bounds, Code, Relation, Standing, View};

use super::{Check, Confirmed};
use crate::layout::block::Home;

impl Check<'_> {
    /// Returns true for a range of a private weight where such ranges have a layout of their own.
    pub(super) fn is_apart(&self, index: usize) -> bool {
        match &self.relations.relations[index].1 {
            Relation::Range { v, .. } => self.layout.ranges.is_some() && self.is_private(v),
            _ => false,
        }
    }

    fn is_private(&self, view: &View) -> bool {
        matches!(self.layout.structure.homes[view.var.0 as usize], Home::Private)
    }

    /// Confirms that the layout of ranges, which was confirmed itself, states this one of the very cells that this layout has.
    pub(super) fn stated_apart(&self, index: usize, window: Option<Bounds>) -> Confirmed {
        let ranges = self.layout.ranges.as_deref().ok_or("nothing confines private weights")?;
        let (other, own) = (&ranges.layout, self.layout);
        if other.opening != own.opening
            || other.system.private.map(|p| p.cells) != own.system.private.map(|p| p.cells)
        {
            return Err("what confines private weights is about another vector".into());
        }
        let relation = &self.relations.relations[index];
        let number = ranges.relations.relations.iter().position(|r| r == relation);
        let standing = number.and_then(|i| other.ledger.standings.get(i));
        if !matches!(standing, Some(Standing::LaidOut { window: Some(w), .. }) if Some(*w) == window) {
            return Err("nothing confines these private weights".into());
        }
        let place = |layout: &crate::Layout| {
            let var = relation.1.views()[0].var;
            layout.private.iter().find(|t| t.var == var).cloned()
        };
        if place(other).is_some() && place(other) == place(own) {
            Ok(())
        } else {
            Err("what confines these private weights is about other cells".into())
        }
    }

    /// Confirms that these are the private weights: each of them whole, and no other variable lies among them.
    pub(super) fn weights(&self, parts: &[(View, Code)]) -> Confirmed {
        let homes = self.layout.structure.homes.iter().enumerate();
        let found: BTreeSet<usize> =
            homes.filter(|(_, home)| matches!(home, Home::Private)).map(|(var, _)| var).collect();
        let listed: BTreeSet<usize> = parts.iter().map(|(v, _)| v.var.0 as usize).collect();
        let placed: BTreeSet<usize> = self.layout.private.iter().map(|t| t.var.0 as usize).collect();
        if found == listed && placed == listed && parts.iter().all(|(v, _)| v.map.is_identity()) {
            Ok(())
        } else {
            Err("the private weights are not those of its commitment".into())
        }
    }
}
