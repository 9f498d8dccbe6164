//! Writes the ledger of a layout: how each relation is taken care of. Whoever confirms it shares no code with this.

use std::collections::HashMap;

use crate::{
    Bounds, Ledger, Relation, Standing, System,
    intervals::{Proven, seen, window_bounds},
};

/// The ledger of a layout with limbs of `limb_bits` bits, in which these relations define these variables.
pub fn ledger(
    system: &System,
    proven: &Proven,
    substituted: &HashMap<usize, Vec<u32>>,
    limb_bits: u32,
) -> Ledger {
    let standing = |(i, (_, r)): (usize, &(String, Relation))| match r {
        Relation::Range { v, .. } if !proven.needed[i] => {
            // The confirmation refuses an interval that is missing here.
            let within = seen(proven, v).unwrap_or_else(|| Bounds::point(i128::MAX));
            Standing::Implied { within, rests_on: vec![] }
        }
        Relation::Range { lo, bits, kind, .. } => {
            Standing::LaidOut { window: window_bounds(*lo, *bits, *kind, limb_bits), alone: false }
        }
        _ => match substituted.get(&i) {
            Some(defines) => Standing::Substituted { defines: defines.clone() },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        intervals::{Facts, analyse},
        testing,
    };

    #[test]
    fn every_derived_interval_is_confirmed() {
        let mut implied = 0;
        for case in testing::cases() {
            let system = case.graph.system();
            for limb_bits in [5, 8, 13] {
                let place = format!("{}, limbs of {limb_bits}", case.name);
                let proven = analyse(&system, &Facts::new(&system), limb_bits).expect("all is confined");
                let ledger = ledger(&system, &proven, &HashMap::new(), limb_bits);
                let known = ledger.check(&system).unwrap_or_else(|e| panic!("{place}: {e}"));
                assert_eq!(known, proven.vars, "{place}");
                for s in &ledger.standings {
                    let Standing::Implied { rests_on, .. } = s else { continue };
                    assert!(!rests_on.is_empty(), "{place}: it rests on nothing");
                    implied += 1;
                }
            }
        }
        assert!(implied > 20, "only {implied} implied ranges");
    }

    #[test]
    fn a_sum_of_products_is_as_large_as_its_largest_column() {
        // Two contractions side by side with weights of their own: the norm is that of the larger.
        let mut found = (0, 0);
        for case in testing::cases() {
            let system = case.graph.system();
            let facts = Facts::new(&system);
            for (i, (_, r)) in system.relations.iter().enumerate() {
                let Relation::Contract { a, b, ranks: [rb, rm, rk, _], .. } = r else { continue };
                let size = |dims: &[usize]| dims.iter().product::<usize>();
                let (batch, k) = (size(&a.map.shape[..*rb]), size(&a.map.shape[rb + rm..]));
                let n = size(&b.map.shape[rb + rk..]);
                let magnitudes = |v: &crate::View| {
                    let c = system.vars[v.var.0 as usize].constant.as_ref()?;
                    Some(v.map.gather(c).into_iter().map(|w| i128::from(w).abs()).collect::<Vec<_>>())
                };
                if let (Some(rows), None) = (magnitudes(a), magnitudes(b)) {
                    let largest = rows.chunks(k).map(|row| row.iter().sum::<i128>()).max();
                    assert_eq!(Some(facts.weight[i]), largest, "{}", case.name);
                    found.1 += 1;
                }
                let Some(weights) = magnitudes(b) else { continue };
                let column =
                    |at: usize, j: usize| (0..k).map(|t| weights[(at * k + t) * n + j]).sum::<i128>();
                let largest =
                    (0..batch).flat_map(|at| (0..n).map(move |j| (at, j))).map(|(at, j)| column(at, j));
                assert_eq!(Some(facts.weight[i]), largest.max(), "{}", case.name);
                found.0 += usize::from(batch > 1);
            }
        }
        assert!(
            found.0 > 0 && found.1 > 0,
            "{found:?} contractions have a batch and weights, weights on the left"
        );
    }
}
