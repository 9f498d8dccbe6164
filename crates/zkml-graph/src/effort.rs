//! How many rows of tables a run looks up, node by node, before any back end has laid it out.
//!
//! Most of a proof follows from these, the more so the larger a model is: sums and products of integers cost little, and that
//! integers are small, or values of a function, is looked up. Counted are limbs of [`LIMB_BITS`] bits, those of the ranges that
//! other relations do not imply. A width that fills its last limb is cheaper than a smaller one that does not, since part of a
//! limb is looked up twice.

use crate::{
    RangeKind, Relation, System,
    intervals::{Facts, Unconfined, analyse, window},
};

/// Bits of a limb.
pub const LIMB_BITS: u32 = 8;

/// Lookups of the relations that a node states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effort {
    /// The node's name; `inputs`, `weights` and `outputs` for those of the statement.
    pub node: String,
    /// Rows that are looked up.
    pub lookups: u64,
}

/// The lookups of every node that has some, in the order of the graph.
///
/// # Errors
/// [`Unconfined`] where values are confined by no relation: a defect of an operator.
pub fn efforts(system: &System) -> Result<Vec<Effort>, Unconfined> {
    let proven = analyse(system, &Facts::new(system), LIMB_BITS)?;
    let mut out: Vec<Effort> = vec![];
    for ((node, relation), _) in system.relations.iter().zip(&proven.needed).filter(|(_, needed)| **needed) {
        let lookups = lookups(relation);
        match out.last_mut() {
            _ if lookups == 0 => {}
            Some(last) if last.node == *node => last.lookups += lookups,
            _ => out.push(Effort { node: node.clone(), lookups }),
        }
    }
    Ok(out)
}

/// The lookups of one relation.
fn lookups(relation: &Relation) -> u64 {
    match relation {
        Relation::Range { v, lo, bits, kind } => v.map.len() as u64 * limbs(*lo, *bits, *kind),
        Relation::Lookup { .. } => relation.views().first().map_or(0, |v| v.map.len() as u64),
        _ => 0,
    }
}

/// Lookups of one number in a range.
fn limbs(lo: i64, bits: u32, kind: RangeKind) -> u64 {
    let (_, total) = window(lo, bits, kind, LIMB_BITS);
    let partly = !total.is_multiple_of(LIMB_BITS) || total == 0;
    u64::from(total.div_ceil(LIMB_BITS).max(1)) + u64::from(partly)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, GraphBuilder, Visibility, ops::Rescale};

    #[test]
    fn part_of_a_limb_is_looked_up_twice() {
        let exact = |bits| limbs(0, bits, RangeKind::Exact);
        assert_eq!([0, 1, 8, 9, 14, 16, 17].map(exact), [2, 2, 1, 3, 3, 2, 4]);
        let loose = |bits| limbs(0, bits, RangeKind::AtLeast);
        assert_eq!([1, 8, 9, 14, 16, 17].map(loose), [1, 1, 2, 2, 2, 3]);
    }

    /// Three numbers are rounded: remainders of 14 bits take three lookups each, of 16 bits two.
    #[test]
    fn nodes_are_told_apart() {
        let of = |scale: i32| {
            let mut graph = GraphBuilder::new("rounded");
            let x = graph
                .input("x", &[3], scale, Bounds::new(-(1 << 22), 1 << 22), Visibility::Public)
                .expect("an input");
            let y = graph
                .node("y", Rescale { divisor: 1 << scale, scale: 0, calibrated: None }, &[x])
                .expect("a node");
            graph.output("y", y, Visibility::Public);
            efforts(&graph.finish().expect("a graph").system()).expect("confined")
        };
        let names = |all: &[Effort]| all.iter().map(|e| e.node.clone()).collect::<Vec<_>>();
        let (odd, whole) = (of(14), of(16));
        assert_eq!(names(&odd), names(&whole));
        let total = |all: &[Effort]| all.iter().map(|e| e.lookups).sum::<u64>();
        assert_eq!(total(&odd) - total(&whole), 3, "{odd:?}, {whole:?}");
    }
}
