//! Reasons why the rest of a circuit does without a check, found out where it was removed.

use std::collections::{BTreeSet, HashMap};

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use zkml_graph::{
    Relation,
    intervals::{Facts, analyse, seen},
};
use zkml_halo2::{
    block::{Group, Limb, Slot},
    gate::RowOp,
    polynomial::field,
    shape::Shape,
};

use super::{
    super::{
        Laid,
        cellwise::{Classes, Place},
        columns::Columns,
        judge::Circuit,
    },
    Removal,
};
use crate::{Target, target::integer};

/// Why a range may go.
pub(super) const DERIVED: &str =
    "the interval follows from the other relations: the analysis derives it without this one";
const UNREAD: &str = "nothing reads the cells on one side of the copy";
const IDLE: &str =
    "with any value on one side of the copy, which was tried, the statement is the same and true";
const SWEPT: &str = "lanes after a contraction's last position: no result has their powers of σ, so that they are zero or \
                     multiplied by zero";
const PADDED: &str = "lanes after the last position and the last column of a contraction: no result has their product's \
                      powers of ρ and σ, so that they are zero";
const WHOLE: &str = "other equations say that each of the column's limbs is an integer, and the limb beside it that it is short";
const LOOSE: &str =
    "it says what a cell is that nothing else reads: whatever the rest is, a prover can fill that cell";

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
            Removal::Copy(i) if self.unread(*i) => Some(UNREAD),
            Removal::Copy(i) if self.swept(*i) => Some(SWEPT),
            Removal::Copy(i) => self.idle(*i).then_some(IDLE),
            Removal::Column(u) if self.whole(*u) => Some(WHOLE),
            Removal::Poly(i) if self.padding(*i, &self.circuit.polys[*i].rows) => Some(PADDED),
            Removal::Row(i, row) if self.padding(*i, &[*row]) => Some(PADDED),
            Removal::Poly(i) if self.loose(*i, &self.circuit.polys[*i].rows) => Some(LOOSE),
            Removal::Row(i, row) if self.loose(*i, &[*row]) => Some(LOOSE),
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

    /// Returns true if no polynomial depends on the cells of one side of a copy.
    fn unread(&self, copy: usize) -> bool {
        let mut circuit = self.circuit.clone();
        let pair = circuit.copies.swap_remove(copy);
        let (classes, readers) = (Classes::new(&circuit), readers(&circuit));
        pair.iter().any(|side| classes.of(*side).iter().all(|at| !readers.contains_key(at)))
    }

    /// Returns true if the cells on one side of a copy may have any value, for example because they are only multiplied
    /// by zero.
    fn idle(&self, copy: usize) -> bool {
        let mut circuit = self.circuit.clone();
        let pair = circuit.copies.swap_remove(copy);
        let classes = Classes::new(&circuit);
        pair.iter().any(|side| {
            let class = classes.of(*side);
            [Fr::ONE, Fr::from(0x9e37_79b9_7f4a_7c15), -field(1 << 40)].iter().all(|delta| {
                let mut columns = self.honest.clone();
                for (c, r) in &class {
                    let Some(column) = columns.early.get_mut(*c) else { return false };
                    column[*r] += delta;
                }
                circuit.accepts(&columns, None).is_ok() && self.falsehood(&columns).is_none()
            })
        })
    }

    /// Returns true if all cells on one side of a copy are lanes after the last position.
    fn swept(&self, copy: usize) -> bool {
        let mut circuit = self.circuit.clone();
        let pair = circuit.copies.swap_remove(copy);
        let (classes, [positions, _]) = (Classes::new(&circuit), self.lanes_after());
        pair.iter().any(|side| classes.of(*side).iter().all(|at| positions.contains(at)))
    }

    /// Returns true if a constant that is not pinned any more also fills lanes after the last position and after the
    /// last column of a contraction.
    fn padding(&self, poly: usize, rows: &[u32]) -> bool {
        let (classes, [positions, columns]) = (Classes::new(&self.circuit), self.lanes_after());
        self.circuit.polys[poly].gate == "a₀ = w₀"
            && rows.iter().all(|row| {
                let class = classes.of((0, *row as usize));
                let has = |lanes: &BTreeSet<Place>| class.iter().any(|at| lanes.contains(at));
                has(&positions) && has(&columns)
            })
    }

    /// Lanes of the one contraction of a circuit that lie after its last position, and those after the last column of
    /// its second operand. None where there are more contractions: which row belongs to which is not known here.
    fn lanes_after(&self) -> [BTreeSet<Place>; 2] {
        let layout = &self.filler.model.layout;
        let [c] = layout.blueprint.contractions.as_slice() else { return Default::default() };
        let lanes = self.circuit.shape.a_columns;
        let after = |length: usize, row: &u32| {
            let row = *row as usize;
            (length.saturating_sub(1) % lanes + 1..lanes).map(move |lane| (lane, row))
        };
        let last = layout.accumulator.iter().filter(|(_, op)| *op == RowOp::Next);
        let positions = last.flat_map(|(row, _)| after(c.dims.m, row)).collect();
        let folds = layout.accumulator.windows(2).filter(|pair| {
            let [(_, op), (_, next)] = pair else { return false };
            matches!(op, RowOp::FoldCells | RowOp::Shift) && matches!(next, RowOp::Sweep | RowOp::Next)
        });
        let columns = folds.flat_map(|pair| after(c.dims.n, &pair[0].0)).collect();
        [positions, columns]
    }

    /// Returns true if each limb in a looked-up column is an integer by other equations, and short by the lookup of the
    /// limb beside it, which is the same shifted to fill its table.
    fn whole(&self, u: usize) -> bool {
        let here = |slot: &Slot| matches!(slot, Slot::U(c, _) if usize::from(*c) == u);
        self.filler.model.layout.blueprint.groups.iter().all(|(_, group)| {
            let mut mine = group.limbs.iter().filter(|(slot, _)| here(slot)).peekable();
            if mine.peek().is_none() {
                return true;
            }
            let integers = integers(group, &here);
            let beside = |limb: &Limb| {
                let same = |l: &Limb| l.view == limb.view && l.shift == limb.shift && l.scale > 0;
                group.limbs.iter().any(|(slot, l)| !here(slot) && same(l))
            };
            let keyed = u == 0 && !group.template.keys.is_empty();
            !keyed && mine.all(|(slot, limb)| limb.scale == 0 && integers.contains(slot) && beside(limb))
        })
    }

    /// Returns true if a polynomial determines a cell in each of these rows, no instance, that no other check reads:
    /// then each witness for the rest can be completed to one that satisfies it as well.
    fn loose(&self, poly: usize, rows: &[u32]) -> bool {
        let circuit = &self.circuit;
        let (classes, readers) = (Classes::new(circuit), readers(circuit));
        rows.iter().all(|row| {
            circuit.reads(poly, *row as usize).iter().any(|at| {
                let class = classes.of(*at);
                let mut read = class.iter().flat_map(|at| readers.get(at).into_iter().flatten());
                class.iter().all(|(column, _)| *column < circuit.unknown.len())
                    && read.all(|by| *by == (poly, *row))
                    && slope(circuit, (poly, *row as usize), &class).is_some()
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

/// Polynomials, with their rows, that depend on each cell.
fn readers(circuit: &Circuit) -> HashMap<Place, Vec<(usize, u32)>> {
    let mut out: HashMap<Place, Vec<(usize, u32)>> = HashMap::new();
    for (i, p) in circuit.polys.iter().enumerate() {
        for row in &p.rows {
            circuit
                .reads(i, *row as usize)
                .into_iter()
                .for_each(|at| out.entry(at).or_default().push((i, *row)));
        }
    }
    out
}

/// The factor of a class of cells in a polynomial that is affine in it, if it is not zero and does not depend on what
/// else is in the columns.
fn slope(circuit: &Circuit, (poly, row): (usize, usize), class: &[Place]) -> Option<Fr> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut one = || {
        let mut random = || (0..circuit.rows).map(|_| Fr::random(&mut rng)).collect::<Vec<_>>();
        let mut columns =
            Columns { early: circuit.unknown.iter().map(|_| random()).collect(), instance: random() };
        let [a, b, c] = [Fr::ZERO, Fr::ONE, Fr::from(2)].map(|v| {
            class.iter().for_each(|(column, row)| columns.early[*column][*row] = v);
            circuit.value(&circuit.polys[poly].expression, row, &columns)
        });
        (b - a == c - b && a != b).then_some(b - a)
    };
    let first = one()?;
    (one()? == first).then_some(first)
}

/// Cells of a block that are small integers: what is looked up in another column, and what is their sum.
fn integers(group: &Group, gone: &dyn Fn(&Slot) -> bool) -> BTreeSet<Slot> {
    let mut known: BTreeSet<Slot> = group.limbs.iter().map(|(slot, _)| *slot).filter(|s| !gone(s)).collect();
    loop {
        let before = known.len();
        for poly in group.template.polys.iter().filter(|p| p.degree() <= 1) {
            let whole = poly.0.values().all(|c| integer(*c).is_some());
            let mut new = poly.0.iter().filter_map(|(cells, c)| Some((*cells.first()?, *c)));
            let new: Vec<_> = new.by_ref().filter(|(cell, _)| !known.contains(cell)).collect();
            if let ([(cell, c)], true) = (new.as_slice(), whole)
                && (*c == Fr::ONE || *c == -Fr::ONE)
            {
                known.insert(*cell);
            }
        }
        if known.len() == before {
            return known;
        }
    }
}
