//! Confirms that what is laid out states every relation of the system.
//!
//! A proof shows what the circuit says, so a relation that gets lost on the way to rows lets a prover choose. This
//! module takes the finished groups and contractions, and the ledger that the layout wrote, and confirms each entry:
//! it evaluates the stated relation and the laid-out constraints at random points of the field, with what has no cell
//! replaced by its definition, and demands that they are the same up to a factor. It shares no code with what groups,
//! substitutes and derives. An error of probability `3·degree/r` per relation remains.

mod rows;

use std::collections::HashMap;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{
    Bounds, Code, Ledger, Relation, Standing, System, View,
    ledger::{contracted, substitutable},
};

use crate::{
    block::{Group, Limb, Slot, Term},
    blueprint::Blueprint,
    contraction::{Contraction, FIELD_BITS},
    error::{ProverError, Result},
    polynomial::{Polynomial, field, pow2},
    shape::Shape,
};

pub use rows::confirm_rows;

/// Random points per relation: one to find the factor, the others to confirm it.
const POINTS: usize = 3;
/// Bits of a looked-up cell that holds the key of a function: as many as any domain has.
const KEY_BITS: u32 = 62;

/// Confirms a ledger against the blueprint that it describes; returns the interval of each variable.
///
/// # Errors
/// [`ProverError::Ledger`] for a ledger that is not this system's, [`ProverError::Uncertified`] for the first relation that is not
/// taken care of as it says.
pub fn confirm(system: &System, ledger: &Ledger, blueprint: &Blueprint) -> Result<Vec<Option<Bounds>>> {
    let known = ledger.check(system)?;
    let homes = homes(system, ledger, blueprint)?;
    let used = system
        .relations
        .iter()
        .enumerate()
        .flat_map(|(i, (_, r))| r.views().into_iter().map(move |v| (i, v)));
    if let Some((i, v)) = used.into_iter().find(|(_, v)| known[v.var.0 as usize].is_none()) {
        let name = &system.vars[v.var.0 as usize].name;
        return Err(uncertified(system, Some(i), format!("nothing confines `{name}`")));
    }
    for (index, standing) in ledger.standings.iter().enumerate() {
        let confirmed = match (&system.relations[index].1, standing) {
            (_, Standing::Implied { .. }) => Ok(()),
            (Relation::Contract { .. }, Standing::LaidOut { alone, .. }) => {
                let mut laid = blueprint.contractions.iter().filter(|c| c.relation == index);
                match (laid.next(), laid.next()) {
                    (Some(c), None) => packs(system, &known, c, *alone),
                    _ => Err("it is not laid out once".into()),
                }
            }
            // What copies say is how cells are found, and what the statement shows is read off its layout.
            (Relation::Copy { .. }, Standing::LaidOut { .. }) => Ok(()),
            (Relation::Public { v, code, .. }, Standing::LaidOut { .. }) => {
                code.map_or(Ok(()), |code| coded(&known, v, code))
            }
            (Relation::Commit { parts, .. }, Standing::LaidOut { .. }) => {
                parts.iter().try_for_each(|(v, code)| coded(&known, v, *code))
            }
            _ => match homes.get(&index) {
                Some(home) => home.states(index, standing),
                None => Err("no block holds it".into()),
            },
        };
        confirmed.map_err(|detail| uncertified(system, Some(index), detail))?;
    }
    Ok(known)
}

fn uncertified(system: &System, relation: Option<usize>, detail: String) -> ProverError {
    let (label, relation) = match relation.and_then(|i| system.relations.get(i)) {
        Some((label, r)) => (label.clone(), r.to_string()),
        None => ("ledger".into(), "its entries".into()),
    };
    ProverError::Uncertified { label, relation, detail }
}

/// The group of each element-wise relation, with its values at random points.
fn homes<'a>(
    system: &'a System,
    ledger: &Ledger,
    blueprint: &'a Blueprint,
) -> Result<HashMap<usize, std::rc::Rc<Home<'a>>>> {
    let mut homes: HashMap<usize, std::rc::Rc<Home<'a>>> = HashMap::new();
    let mut defined = std::collections::HashSet::new();
    for (_, group) in &blueprint.groups {
        let home = Home::new(system, &blueprint.shape, group);
        let first = group.relations.first().copied();
        home.sound(ledger, &mut defined).map_err(|detail| uncertified(system, first, detail))?;
        let home = std::rc::Rc::new(home);
        for r in &group.relations {
            if homes.insert(*r, home.clone()).is_some() {
                return Err(uncertified(system, Some(*r), "two blocks hold it".into()));
            }
        }
    }
    Ok(homes)
}

/// A group with random values for everything that it has a cell for.
struct Home<'a> {
    system: &'a System,
    shape: &'a Shape,
    group: &'a Group,
    points: [HashMap<Slot, Fr>; POINTS],
    /// Values of views that have neither a cell nor a definition: any value does.
    free: [HashMap<&'a View, Fr>; POINTS],
}

impl<'a> Home<'a> {
    fn new(system: &'a System, shape: &'a Shape, group: &'a Group) -> Self {
        let mut random = || Fr::random(rand_core::OsRng);
        let mut point = || {
            // Cells that show one view are copies of each other.
            let mut shown: HashMap<&View, Fr> = HashMap::new();
            let cells =
                group.cells.iter().map(|(slot, v)| (*slot, *shown.entry(v).or_insert_with(&mut random)));
            let mut slots: HashMap<Slot, Fr> = cells.collect();
            group.limbs.iter().for_each(|(slot, _)| {
                slots.insert(*slot, Fr::random(rand_core::OsRng));
            });
            slots
        };
        let points = std::array::from_fn(|_| point());
        let views = group.relations.iter().flat_map(|r| system.relations[*r].1.views());
        let views: Vec<&View> = views.chain(&group.free).collect();
        let free =
            std::array::from_fn(|_| views.iter().map(|v| (*v, Fr::random(rand_core::OsRng))).collect());
        Self { system, shape, group, points, free }
    }

    /// Confirms that each cell means one thing, and that what has no cell may go without.
    fn sound(
        &self,
        ledger: &Ledger,
        defined: &mut std::collections::HashSet<u32>,
    ) -> std::result::Result<(), String> {
        let group = self.group;
        let mut views = group.relations.iter().flat_map(|r| self.system.relations[*r].1.views());
        if views.any(|v| v.map.len() != group.count) {
            return Err("its block has another number of elements".into());
        }
        let (na, nu) = (self.shape.a_columns, self.shape.u_columns);
        let cells = group.cells.iter().all(|(s, _)| matches!(s, Slot::A(c, _) if usize::from(*c) < na));
        let limbs = group.limbs.iter().all(|(s, _)| matches!(s, Slot::U(c, _) if usize::from(*c) < nu));
        if !cells || !limbs {
            return Err("a limb is not looked up, or a value lies where limbs are".into());
        }
        let stray = group.limbs.iter().any(|(slot, limb)| match slot {
            Slot::U(0, row) => !self.is_key(limb) && group.template.keys.iter().any(|(r, _)| r == row),
            _ => self.is_key(limb),
        });
        if stray {
            return Err("a limb lies where a key is looked up, or a key where it is not".into());
        }
        let slots = group.cells.iter().map(|(s, _)| *s).chain(group.limbs.iter().map(|(s, _)| *s));
        let mut seen = std::collections::HashSet::new();
        for slot in slots {
            let (Slot::U(_, row) | Slot::A(_, row)) = slot;
            if !seen.insert(slot) || usize::from(row) >= group.template.height {
                return Err(format!("cell {slot:?} has two meanings, or none"));
            }
        }
        let unknown =
            group.template.polys.iter().flat_map(|p| p.0.keys().flatten()).find(|s| !seen.contains(s));
        if let Some(slot) = unknown {
            return Err(format!("a constraint speaks of {slot:?}, which holds nothing"));
        }
        for d in &group.defined {
            let var = d.view.var;
            substitutable(self.system, var)?;
            let name = &self.system.vars[var.0 as usize].name;
            if !defined.insert(var.0) || group.cells.iter().any(|(_, v)| v.var == var) {
                return Err(format!("`{name}` is defined twice, or has a cell as well"));
            }
            let strange = self.system.relations.iter().enumerate().find(|(i, (_, r))| {
                let speaks = r.views().iter().any(|v| v.var == var);
                let implied = matches!(ledger.standings[*i], Standing::Implied { .. });
                speaks && !group.relations.contains(i) && !implied
            });
            if let Some((i, _)) = strange {
                return Err(format!("`{name}` has no cell, but relation {i} in another block needs it"));
            }
            let bad = |t: &Term| match t {
                Term::Cell(slot) => !seen.contains(slot),
                Term::Free(i) => group.free.get(usize::from(*i)).is_none_or(|v| v.var == var),
            };
            if d.value.0.keys().flatten().any(bad) {
                return Err(format!("`{name}` is defined by what holds nothing"));
            }
        }
        Ok(())
    }

    /// The value of a view at a point.
    fn value(&self, view: &View, point: usize) -> Fr {
        // A constant may have cells although it shows one value everywhere; constraints speak of those then.
        if let Some((slot, _)) = self.group.cells.iter().find(|(_, v)| v == view) {
            return self.points[point][slot];
        }
        if let Some(c) = self.literal(view) {
            return field(c.into());
        }
        match self.group.defined.iter().find(|d| d.view == *view) {
            Some(d) => self.defined(&d.value, point),
            None => self.free[point].get(view).copied().unwrap_or(Fr::ZERO),
        }
    }

    fn defined(&self, value: &Polynomial<Term>, point: usize) -> Fr {
        let term = |t: &Term| match t {
            Term::Cell(slot) => self.points[point].get(slot).copied().unwrap_or(Fr::ZERO),
            Term::Free(i) => self.group.free.get(usize::from(*i)).map_or(Fr::ZERO, |v| self.free[point][v]),
        };
        value.0.iter().map(|(m, c)| *c * m.iter().map(term).product::<Fr>()).sum()
    }

    /// The value that a constant shows everywhere, if it does.
    fn literal(&self, view: &View) -> Option<i64> {
        let constant = self.system.vars[view.var.0 as usize].constant.as_ref()?;
        let shown = view.map.gather(constant);
        let first = *shown.first()?;
        shown.iter().all(|v| *v == first).then_some(first)
    }

    /// Confirms one relation of the group.
    fn states(&self, index: usize, standing: &Standing) -> std::result::Result<(), String> {
        match &self.system.relations[index].1 {
            Relation::Linear { terms, constant } => {
                let sum = |p: usize| {
                    let terms = terms.iter().map(|(c, v)| field((*c).into()) * self.value(v, p));
                    terms.sum::<Fr>() + field((*constant).into())
                };
                self.equation(std::array::from_fn(sum), standing)
            }
            Relation::Product { a, b, y } => {
                let difference = |p: usize| self.value(a, p) * self.value(b, p) - self.value(y, p);
                self.equation(std::array::from_fn(difference), standing)
            }
            Relation::Range { v, .. } => match standing {
                Standing::LaidOut { window: Some(w), .. } => self.limbs(v, *w),
                _ => Err("it is not laid out".into()),
            },
            Relation::Lookup { table, key, outputs } => {
                let lo = self.system.tables[table.0 as usize].lo;
                self.looks_up(table.0, key, outputs, lo)
            }
            _ => Err("it is not element-wise".into()),
        }
    }

    /// A stated equation, by its values at the points, is one of the constraints, or holds by definition.
    fn equation(&self, values: [Fr; POINTS], standing: &Standing) -> std::result::Result<(), String> {
        let vanishes = values.iter().all(|v| *v == Fr::ZERO);
        match standing {
            Standing::Substituted { defines } if vanishes => {
                let has = |v: &u32| self.group.defined.iter().any(|d| d.view.var.0 == *v);
                if defines.iter().all(has) { Ok(()) } else { Err("it defines what has a cell".into()) }
            }
            Standing::LaidOut { .. } if self.constrained(values) => Ok(()),
            _ if vanishes => Err("nothing is left of it".into()),
            _ => Err("no constraint states it".into()),
        }
    }

    /// Some constraint of the block is this polynomial, up to a factor.
    fn constrained(&self, values: [Fr; POINTS]) -> bool {
        self.group.template.polys.iter().any(|poly| {
            let at = |p: usize| -> Fr {
                let cell = |s: &Slot| self.points[p].get(s).copied().unwrap_or(Fr::ZERO);
                poly.0.iter().map(|(m, c)| *c * m.iter().map(cell).product::<Fr>()).sum()
            };
            let first = Option::<Fr>::from(at(0).invert()).map(|i| values[0] * i);
            first.is_some_and(|factor| factor != Fr::ZERO && (1..POINTS).all(|p| values[p] == factor * at(p)))
        })
    }

    /// An equation that needs no entry of its own: a constraint states it, or it holds by definition.
    fn holds(&self, f: impl Fn(usize) -> Fr) -> bool {
        let values: [Fr; POINTS] = std::array::from_fn(f);
        values.iter().all(|v| *v == Fr::ZERO) || self.constrained(values)
    }

    /// The limbs of a value add up to it, follow each other without a gap, and none is longer than it may be.
    fn limbs(&self, v: &View, window: Bounds) -> std::result::Result<(), String> {
        let lo = i64::try_from(window.lo).map_err(|_| "its window is beyond 64 bits".to_owned())?;
        let total = 128 - (window.hi - window.lo).leading_zeros();
        if window.hi - window.lo + 1 != 1i128 << total {
            return Err("its window is not one of limbs".into());
        }
        let own = |l: &Limb| l.view == *v && l.lo == lo && l.total == total && !self.is_key(l);
        let mine: Vec<(Slot, &Limb)> =
            self.group.limbs.iter().filter(|(_, l)| own(l)).map(|(s, l)| (*s, l)).collect();
        let mut parts: Vec<(Slot, &Limb)> = mine.iter().filter(|(_, l)| l.scale == 0).copied().collect();
        parts.sort_by_key(|(_, l)| l.shift);
        parts.dedup_by_key(|(_, l)| l.shift);
        let mut at = 0;
        for (slot, limb) in &parts {
            if limb.shift != at {
                return Err(format!("its limbs leave a gap at bit {at}"));
            }
            at += limb.bits;
            let size = self.shape.limb_bits;
            if limb.bits > size {
                return Err(format!("a limb of {} bits is looked up in a table of {size}", limb.bits));
            }
            let short = limb.bits < size;
            // A short limb is looked up a second time, shifted to the top.
            let again = |(s, l): &(Slot, &Limb)| {
                l.shift == limb.shift
                    && l.scale == size - limb.bits
                    && self.holds(|p| self.points[p][s] - pow2(size - limb.bits) * self.points[p][slot])
            };
            if short && !mine.iter().filter(|(s, _)| s != slot).any(again) {
                return Err(format!("a limb of {} bits may have {size}", limb.bits));
            }
        }
        if at != total {
            return Err(format!("its limbs have {at} bits, its window {total}"));
        }
        let sum = |p: usize| {
            let limbs = parts.iter().map(|(s, l)| pow2(l.shift) * self.points[p][s]);
            self.value(v, p) - field(lo.into()) - limbs.sum::<Fr>()
        };
        if self.holds(sum) { Ok(()) } else { Err("its limbs do not add up to it".into()) }
    }

    fn is_key(&self, limb: &Limb) -> bool {
        limb.total == KEY_BITS && limb.bits == KEY_BITS
    }

    /// A key lies in a row that means its table, with the outputs where the lookup argument takes them from.
    fn looks_up(&self, table: u32, key: &View, outputs: &[View], lo: i64) -> std::result::Result<(), String> {
        let group = self.group;
        let found = group.limbs.iter().any(|(slot, limb)| {
            let Slot::U(0, row) = slot else { return false };
            let keyed = group.template.keys.iter().any(|(r, t)| r == row && t.0 == table);
            let beside = outputs.iter().zip(self.shape.output_slots()).all(|(view, (c, r))| {
                let at = Slot::A(*c as u8, *row + *r as u8);
                group.cells.iter().any(|(s, v)| *s == at && v == view)
            });
            let counted = outputs.len() <= self.shape.output_slots().len();
            self.is_key(limb)
                && limb.view == *key
                && limb.lo == lo
                && keyed
                && beside
                && counted
                && self.holds(|p| self.value(key, p) - field(lo.into()) - self.points[p][slot])
        });
        if found { Ok(()) } else { Err("no key of its table holds it".into()) }
    }
}

/// Results that share a field element cannot reach each other's slots, nor the modulus.
fn packs(
    system: &System,
    known: &[Option<Bounds>],
    c: &Contraction,
    alone: bool,
) -> std::result::Result<(), String> {
    let relation = &system.relations[c.relation].1;
    let Relation::Contract { y, .. } = relation else { return Err("it is no contraction".into()) };
    // Below 2^127 wherever it is known, and so far from any modulus.
    let sum = contracted(system, known, relation)?.magnitude();
    if c.slots <= 1 {
        return Ok(());
    }
    if alone {
        return Err("results that only their sum confines share a field element".into());
    }
    let own = known[y.var.0 as usize].ok_or("nothing confines its results")?;
    let pad = y.map.pad.map_or(0, |p| i128::from(p).abs());
    let reach = sum.checked_add(own.magnitude().max(pad)).ok_or("its sums are beyond 127 bits")?;
    if c.width >= 127 || reach >= 1i128 << c.width {
        return Err(format!("differences reach {reach}, slots have {} bits", c.width));
    }
    if c.width as usize * c.slots > FIELD_BITS as usize {
        return Err(format!("{} slots of {} bits reach the modulus", c.slots, c.width));
    }
    Ok(())
}

/// Packed values lie within their code.
fn coded(known: &[Option<Bounds>], v: &View, code: Code) -> std::result::Result<(), String> {
    let wanted = code.bounds();
    let own = known[v.var.0 as usize].ok_or("nothing confines what is packed")?;
    let all = v.map.pad.map_or(own, |p| own.union(Bounds::point(p.into())));
    if wanted.contains(all.lo) && wanted.contains(all.hi) {
        return Ok(());
    }
    Err(format!("[{}, {}] is packed as {code}", all.lo, all.hi))
}
