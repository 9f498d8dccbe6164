//! Writes the ledger of a blueprint: how each relation is taken care of. [`certificate`](crate::certificate)
//! confirms it.

use std::collections::HashMap;

use zkml_graph::{
    Ledger, Relation, Standing, System,
    intervals::{Proven, seen, window_bounds},
};

use crate::blueprint::Blueprint;

/// The ledger of a blueprint.
pub fn ledger(system: &System, proven: &Proven, blueprint: &Blueprint) -> Ledger {
    let groups = blueprint.groups.iter().flat_map(|(_, g)| &g.substituted);
    let substituted: HashMap<usize, &Vec<u32>> = groups.map(|(i, defines)| (*i, defines)).collect();
    let limb = blueprint.shape.limb_bits;
    let standing = |(i, (_, r)): (usize, &(String, Relation))| match r {
        Relation::Range { v, .. } if !proven.needed[i] => {
            // The confirmation refuses an interval that is missing here.
            let within = seen(proven, v).unwrap_or_else(|| zkml_graph::Bounds::point(i128::MAX));
            Standing::Implied { within, rests_on: vec![] }
        }
        Relation::Range { lo, bits, kind, .. } => {
            Standing::LaidOut { window: window_bounds(*lo, *bits, *kind, limb), alone: false }
        }
        _ => match substituted.get(&i) {
            Some(defines) => Standing::Substituted { defines: (*defines).clone() },
            None => Standing::LaidOut { window: None, alone: proven.alone[i] },
        },
    };
    let standings = system.relations.iter().enumerate().map(standing).collect();
    let mut ledger = Ledger { standings, steps: proven.steps.clone() };
    for i in 0..ledger.standings.len() {
        let var = system.relations[i].1.views()[0].var;
        let foundation = match &ledger.standings[i] {
            Standing::Implied { .. } => ledger.foundation(system, var),
            _ => continue,
        };
        if let Standing::Implied { rests_on, .. } = &mut ledger.standings[i] {
            *rests_on = foundation;
        }
    }
    ledger
}
