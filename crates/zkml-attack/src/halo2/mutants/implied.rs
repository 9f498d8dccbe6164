//! Reasons why the rest of a circuit does without a check, found out where it was removed.

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::Relation;
use zkml_prover::{
    bounds::{Facts, analyse, seen},
    shape::Shape,
    sym::field,
};

use super::{
    super::{Laid, cellwise::Classes},
    Removal,
};
use crate::Target;

/// Why a range may go.
pub(super) const DERIVED: &str =
    "the interval follows from the other relations: the analysis derives it without this one";
const UNREAD: &str = "nothing reads the cell: with any value there, the statement is the same and true";

/// Returns true if a range says no more than what the other relations say of its variable.
pub(super) fn derived(target: &Target, relation: usize, shape: &Shape) -> bool {
    let Relation::Range { v, lo, bits, kind } = &target.system.relations[relation].1 else { return false };
    let mut without = target.system.clone();
    without.relations.remove(relation);
    let Ok(proven) = analyse(&without, &Facts::new(&without), shape.limb_bits) else { return false };
    let widest = kind.widest(*lo, *bits);
    seen(&proven, v).is_some_and(|b| widest.lo <= b.lo && b.hi <= widest.hi)
}

impl Laid<'_> {
    /// The reason why the rest of the circuit does without a check, where there is one.
    pub(super) fn implied(&self, removal: &Removal) -> Option<&'static str> {
        let relations = &self.target.system.relations;
        match removal {
            Removal::Copy(i) => self.unread(*i).then_some(UNREAD),
            Removal::Poly(_) | Removal::Row(..) | Removal::Column(_) => {
                // Limbs of ranges that say nothing new.
                let named: Vec<usize> = self.relations_at(removal);
                let all = !named.is_empty()
                    && named.iter().all(|i| {
                        let range = matches!(relations[*i].1, Relation::Range { .. });
                        range && derived(self.target, *i, &self.circuit.shape)
                    });
                all.then_some(DERIVED)
            }
            Removal::Tag(_) | Removal::Entry(_) | Removal::Multiplicities => None,
        }
    }

    /// Returns true if the cells that a copy ties to the rest may have any value on one side of it.
    fn unread(&self, copy: usize) -> bool {
        let mut circuit = self.circuit.clone();
        let pair = circuit.copies.swap_remove(copy);
        let classes = Classes::new(&circuit);
        pair.iter().any(|side| {
            let class = classes.of(*side);
            // What is in no row of a block, and in no chain that reads it.
            [Fr::ONE, Fr::from(0x9e37_79b9_7f4a_7c15), -field(1 << 40)].iter().all(|delta| {
                let mut columns = self.honest.clone();
                for (c, r) in &class {
                    let Some(column) = columns.early.get_mut(*c) else { return false };
                    column[*r] += delta;
                }
                let instance = columns.instance == self.honest.instance;
                instance && circuit.accepts(&columns, None).is_ok() && self.falsehood(&columns).is_none()
            })
        })
    }

    /// Relations whose block a removed polynomial or column is in.
    pub(super) fn relations_at(&self, removal: &Removal) -> Vec<usize> {
        let layout = &self.filler.model.layout;
        let rows: Vec<usize> = match removal {
            Removal::Poly(i) if self.circuit.polys[*i].gate == "element-wise relations" => {
                self.circuit.polys[*i].rows.iter().map(|r| *r as usize).collect()
            }
            Removal::Row(i, row) if self.circuit.polys[*i].gate == "element-wise relations" => {
                vec![*row as usize]
            }
            Removal::Column(u) => self.filler.used(self.circuit.shape.a_columns + u),
            _ => vec![],
        };
        let mut out: Vec<usize> = rows
            .into_iter()
            .flat_map(|row| {
                let mut groups = layout.bases.iter().zip(&layout.blueprint.groups).rev();
                let at = groups.find(|(base, (_, g))| **base as usize <= row && g.template.height > 0);
                at.map(|(_, (_, g))| g.relations.clone()).unwrap_or_default()
            })
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}
