//! Writes the ledger of a blueprint: how each relation is taken care of. [`certificate`](crate::certificate)
//! confirms it.

use std::collections::HashMap;

use zkml_graph::{Ledger, System, intervals::Proven};

use crate::blueprint::Blueprint;

/// The ledger of a blueprint.
pub fn ledger(system: &System, proven: &Proven, blueprint: &Blueprint) -> Ledger {
    let groups = blueprint.groups.iter().flat_map(|(_, g)| &g.substituted);
    let substituted: HashMap<usize, Vec<u32>> = groups.map(|(i, defines)| (*i, defines.clone())).collect();
    zkml_graph::standing::ledger(system, proven, &substituted, blueprint.shape.limb_bits)
}
