//! Which values the relations themselves confine.
//!
//! Packing several integers into one field element, and reading field identities as integer identities, is
//! sound only for values that some relation confines. The bounds that a graph declares for honest runs are
//! never used for that: this module derives an interval for each variable from the relations alone, and
//! finds out which loose ranges are implied by others and need no constraint of their own.

use std::collections::HashMap;

use crate::{Bounds, RangeKind, Relation, System, VarId, View, contraction::Dims, ledger::Step};

/// Magnitudes beyond this are treated as unconfined; leaves room for packing and sums in the field.
const MAX_MAGNITUDE_BITS: u32 = 100;
/// Rounds of propagation; each settles at least one variable along a path of relations.
const MAX_ROUNDS: usize = 64;

/// Bits and lowest value that a range constraint is laid out with, given limbs of `limb` bits: whole limbs from zero,
/// or around it, where the range allows, else from the range's own lower end. Never wider than
/// [`RangeKind::widest`].
pub fn window(lo: i64, bits: u32, kind: RangeKind, limb: u32) -> (i64, u32) {
    let up = |b: u32| b.max(1).div_ceil(limb) * limb;
    let own = (lo, up(bits));
    match kind {
        RangeKind::Exact => (lo, bits),
        RangeKind::AtLeast => own,
        RangeKind::Sound => {
            let hi = i128::from(lo) + (1i128 << bits) - 1;
            let need = |v: i128| 128 - v.leading_zeros();
            let centred = if lo >= 0 {
                (0, up(need(hi)))
            } else {
                let b = up(1 + need(-i128::from(lo) - 1).max(need(hi.max(0))));
                (-(1i64 << (b - 1).min(62)), b)
            };
            // Far from zero, whole limbs around it would take in much more than the range.
            let widest = kind.widest(lo, bits);
            let within = interval(centred).is_some_and(|w| widest.lo <= w.lo && w.hi <= widest.hi);
            if within { centred } else { own }
        }
    }
}

/// The interval of a window; `None` when it has more bits than integers here.
fn interval((lo, bits): (i64, u32)) -> Option<Bounds> {
    let lo = i128::from(lo);
    (bits < 100).then(|| Bounds { lo, hi: lo + (1i128 << bits) - 1 })
}

/// The interval that a range is laid out with.
pub fn window_bounds(lo: i64, bits: u32, kind: RangeKind, limb: u32) -> Option<Bounds> {
    interval(window(lo, bits, kind, limb))
}

/// Nothing confines a variable whose integer value matters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`: no relation confines its values; this is a defect of the operator that made it")]
pub struct Unconfined {
    /// Name of the variable.
    pub name: String,
}

/// What is known of a system for one limb size.
#[derive(Debug, Clone)]
pub struct Proven {
    /// Interval of each variable; `None` when nothing confines it.
    pub vars: Vec<Option<Bounds>>,
    /// For each relation, whether it must be laid out (a loose range may be implied by others).
    pub needed: Vec<bool>,
    /// For each contraction, whether its results are confined only by the contraction itself, so that they
    /// cannot share a field element.
    pub alone: Vec<bool>,
    /// Derivation of the intervals, in order.
    pub steps: Vec<Step>,
}

/// Facts about a system that do not depend on the layout.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// For each view, whether it shows every element of its variable.
    covers: HashMap<View, bool>,
    /// For each variable that copies write to, whether they together write every element.
    written: HashMap<VarId, bool>,
    /// For each variable that copies write to, these copies.
    copies: HashMap<VarId, Vec<usize>>,
    /// For each variable, the relations from which its interval says something: they speak of it, or write to what a copy of it does.
    readers: Vec<Vec<usize>>,
    /// For each relation that is a contraction with a constant operand: the largest sum of magnitudes of
    /// the weights of one result. Otherwise the number of terms of the sum.
    pub weight: Vec<i128>,
}

impl Facts {
    /// Measures a system.
    pub fn new(system: &System) -> Self {
        let mut covers = HashMap::new();
        for v in system.relations.iter().flat_map(|(_, r)| r.views()) {
            if !covers.contains_key(v) {
                covers.insert(v.clone(), shows_all(system, v));
            }
        }
        let weight = system.relations.iter().map(|(_, r)| match r {
            Relation::Contract { .. } => norm(system, r),
            _ => 0,
        });
        let mut copies: HashMap<VarId, Vec<usize>> = HashMap::new();
        for (i, (_, r)) in system.relations.iter().enumerate() {
            if let Relation::Copy { to, .. } = r {
                copies.entry(to.var).or_default().push(i);
            }
        }
        let readers = readers(system, &copies);
        Self { weight: weight.collect(), covers, written: written(system), copies, readers }
    }

    fn covers(&self, v: &View) -> bool {
        self.covers.get(v).copied().unwrap_or(false)
    }
}

/// For each variable, the relations whose steps depend on its interval.
fn readers(system: &System, copies: &HashMap<VarId, Vec<usize>>) -> Vec<Vec<usize>> {
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); system.vars.len()];
    for (i, (_, r)) in system.relations.iter().enumerate() {
        for v in r.views() {
            readers[v.var.0 as usize].push(i);
        }
        if let Relation::Copy { from, to } = r {
            readers[from.var.0 as usize].extend(copies.get(&to.var).into_iter().flatten());
        }
    }
    for list in &mut readers {
        list.sort_unstable();
        list.dedup();
    }
    readers
}

/// Variables that are assembled by copies, and whether no element is left out: it would be free.
fn written(system: &System) -> HashMap<VarId, bool> {
    let mut seen: HashMap<VarId, Vec<bool>> = HashMap::new();
    for (_, r) in &system.relations {
        let Relation::Copy { to, .. } = r else { continue };
        let len = system.vars[to.var.0 as usize].len();
        let seen = seen.entry(to.var).or_insert_with(|| vec![false; len]);
        to.map.indices().into_iter().flatten().for_each(|i| seen[i] = true);
    }
    seen.into_iter().map(|(var, seen)| (var, seen.into_iter().all(|s| s))).collect()
}

fn norm(system: &System, r: &Relation) -> i128 {
    let Relation::Contract { a, b, ranks, .. } = r else { return 0 };
    let dims = Dims::new(a, b, *ranks);
    let [batch, m, k, n] = [dims.batch, dims.m, dims.k, dims.n];
    let magnitudes = |v: &View| {
        let c = system.vars[v.var.0 as usize].constant.as_ref()?;
        Some(v.map.gather(c).into_iter().map(|w| i128::from(w).abs()).collect::<Vec<_>>())
    };
    if let Some(w) = magnitudes(b) {
        let column = |bt: usize, j: usize| (0..k).map(|i| w[(bt * k + i) * n + j]).sum::<i128>();
        return (0..batch)
            .flat_map(|bt| (0..n).map(move |j| (bt, j)))
            .map(|(bt, j)| column(bt, j))
            .max()
            .unwrap_or(0);
    }
    if let Some(w) = magnitudes(a) {
        return w.chunks(k.max(1)).take(batch * m).map(|row| row.iter().sum()).max().unwrap_or(0);
    }
    k as i128
}

/// Derives what is confined when limbs have `limb` bits.
///
/// # Errors
/// [`Unconfined`] names a variable that relations speak of and that none confines.
pub fn analyse(system: &System, facts: &Facts, limb: u32) -> Result<Proven, Unconfined> {
    let agenda = Agenda { due: vec![true; system.relations.len()], all: false };
    analyse_by(system, facts, limb, agenda)
}

/// The relations from which there may be something to learn.
struct Agenda {
    /// For each relation, whether something that it depends on has changed since it was looked at.
    due: Vec<bool>,
    /// All of them, in every round: slower, and the same.
    all: bool,
}

fn analyse_by(system: &System, facts: &Facts, limb: u32, mut agenda: Agenda) -> Result<Proven, Unconfined> {
    let count = system.relations.len();
    let mut p = Proven {
        vars: system.vars.iter().map(|v| v.constant.as_ref().map(|_| v.bounds)).collect(),
        needed: system.relations.iter().map(|(_, r)| !is_sound_range(r)).collect(),
        alone: vec![false; count],
        steps: vec![],
    };
    propagate(system, facts, limb, &mut p, &mut agenda);
    // Loose ranges are added one by one, and only where the rest does not imply them.
    for i in 0..count {
        let (_, r) = &system.relations[i];
        let Relation::Range { v, lo, bits, kind: RangeKind::Sound } = r else { continue };
        let widest = RangeKind::Sound.widest(*lo, *bits);
        let implied = seen(&p, v).is_some_and(|b| widest.lo <= b.lo && b.hi <= widest.hi);
        if !implied {
            p.needed[i] = true;
            propagate(system, facts, limb, &mut p, &mut agenda);
        }
    }
    // What is left is confined only by being a sum of products of confined values.
    loop {
        let before = p.vars.iter().flatten().count();
        if let Some(i) = (0..count).find(|&i| contract_result(system, facts, &p, i).is_some()) {
            p.alone[i] = true;
            agenda.due[i] = true;
            propagate(system, facts, limb, &mut p, &mut agenda);
        }
        if p.vars.iter().flatten().count() == before {
            break;
        }
    }
    confined(system, p)
}

fn is_sound_range(r: &Relation) -> bool {
    matches!(r, Relation::Range { kind: RangeKind::Sound, .. })
}

fn confined(system: &System, p: Proven) -> Result<Proven, Unconfined> {
    let mut used = system.relations.iter().flat_map(|(_, r)| r.views());
    match used.find(|v| p.vars[v.var.0 as usize].is_none()) {
        Some(v) => Err(Unconfined { name: system.vars[v.var.0 as usize].name.clone() }),
        None => Ok(p),
    }
}

/// The interval of the result of contraction `i`, if it has none yet and its operands do.
fn contract_result(system: &System, facts: &Facts, p: &Proven, i: usize) -> Option<(VarId, Bounds)> {
    let Relation::Contract { a, b, addend, y, .. } = &system.relations[i].1 else { return None };
    if p.vars[y.var.0 as usize].is_some() {
        return None;
    }
    let constant = |v: VarId| system.vars[v.0 as usize].constant.is_some();
    let mag = |v: &View| seen(p, v).map(Bounds::magnitude);
    let (ma, mb) = (mag(a)?, mag(b)?);
    let factor = match (constant(a.var), constant(b.var)) {
        (_, true) => ma,
        (true, false) => mb,
        (false, false) => ma.checked_mul(mb)?,
    };
    let extra = addend.as_ref().map_or(Some(0), mag)?;
    let reach = facts.weight[i].checked_mul(factor)?.checked_add(extra)?;
    Some((y.var, Bounds { lo: -reach, hi: reach }))
}

/// The interval of what a view shows: its variable, and its padding.
pub fn seen(p: &Proven, view: &View) -> Option<Bounds> {
    let own = p.vars[view.var.0 as usize]?;
    Some(view.map.pad.map_or(own, |pad| own.union(Bounds::point(pad.into()))))
}

/// Narrows `p.vars[var]` to `b` by relation `i`; returns whether anything became known.
fn learn(p: &mut Proven, i: usize, var: VarId, b: Bounds) -> bool {
    let slot = &mut p.vars[var.0 as usize];
    if b.magnitude() >> MAX_MAGNITUDE_BITS != 0 {
        return false;
    }
    // An empty intersection means that no witness exists; keeping the old interval is sound.
    let new = slot.map_or(b, |old| old.intersect(b).unwrap_or(old));
    if *slot == Some(new) {
        return false;
    }
    *slot = Some(new);
    p.steps.push(Step { relation: i, var, bounds: new });
    true
}

/// Learns from relation after relation until there is nothing to learn.
fn propagate(system: &System, facts: &Facts, limb: u32, p: &mut Proven, agenda: &mut Agenda) {
    for _ in 0..MAX_ROUNDS {
        let mut changed = false;
        for i in 0..system.relations.len() {
            let due = std::mem::replace(&mut agenda.due[i], !p.needed[i]);
            if !p.needed[i] || !(due || agenda.all) {
                continue;
            }
            let before = p.steps.len();
            changed |= step(system, facts, limb, p, i);
            for learnt in &p.steps[before..] {
                facts.readers[learnt.var.0 as usize].iter().for_each(|r| agenda.due[*r] = true);
            }
        }
        if !changed {
            return;
        }
    }
}

fn step(system: &System, facts: &Facts, limb: u32, p: &mut Proven, i: usize) -> bool {
    let get = seen;
    match &system.relations[i].1 {
        Relation::Range { v, lo, bits, kind } => {
            let window = window_bounds(*lo, *bits, *kind, limb);
            window.is_some_and(|w| facts.covers(v) && learn(p, i, v.var, w))
        }
        Relation::Lookup { table, key, outputs } => {
            let t = &system.tables[table.0 as usize];
            let mut changed = facts.covers(key)
                && learn(p, i, key.var, Bounds::new(t.lo.into(), i128::from(t.lo) + t.len() as i128 - 1));
            for (o, column) in outputs.iter().zip(&t.columns) {
                changed |= facts.covers(o) && learn(p, i, o.var, Bounds::of(column.iter().copied()));
            }
            changed
        }
        Relation::Product { a, b, y } => {
            if a == b && b == y {
                return facts.covers(a) && learn(p, i, a.var, Bounds { lo: 0, hi: 1 });
            }
            match (get(p, a), get(p, b)) {
                (Some(x), Some(z)) => facts.covers(y) && learn(p, i, y.var, x.mul(z)),
                _ => false,
            }
        }
        Relation::Linear { terms, constant } => {
            let mut changed = false;
            for (j, (c, v)) in terms.iter().enumerate() {
                let others = terms.iter().enumerate().filter(|(o, _)| *o != j);
                let sum = others
                    .map(|(_, (c, v))| Some(get(p, v)?.scale(i128::from(*c))))
                    .try_fold(Bounds::point(i128::from(*constant)), |acc, b: Option<Bounds>| {
                        Some(acc.add(b?))
                    });
                // Only a unit coefficient confines: the field would happily divide by any other.
                let Some(s) = sum.filter(|_| c.abs() == 1 && facts.covers(v)) else { continue };
                changed |= learn(p, i, v.var, s.scale(-i128::from(*c)));
            }
            changed
        }
        Relation::Copy { .. } => {
            // Wiring may assemble a variable from parts: it is confined when all its parts are.
            learn_copy(system, facts, p, i)
        }
        Relation::Contract { y, .. } => {
            if !p.alone[i] {
                return false;
            }
            contract_result(system, facts, p, i)
                .is_some_and(|(var, b)| facts.covers(y) && learn(p, i, var, b))
        }
        Relation::Public { .. } | Relation::Commit { .. } => false,
    }
}

fn shows_all(system: &System, v: &View) -> bool {
    let len = system.vars[v.var.0 as usize].len();
    if v.map.is_identity() {
        return true;
    }
    let mut seen = vec![false; len];
    v.map.indices().into_iter().flatten().for_each(|i| seen[i] = true);
    seen.into_iter().all(|s| s)
}

fn learn_copy(system: &System, facts: &Facts, p: &mut Proven, i: usize) -> bool {
    let Relation::Copy { from, to } = &system.relations[i].1 else { return false };
    let copies = facts.copies.get(&to.var).into_iter().flatten();
    let parts = copies.filter_map(|c| match &system.relations[*c].1 {
        Relation::Copy { from, .. } => Some(from),
        _ => None,
    });
    let union = parts
        .map(|f| p.vars[f.var.0 as usize].map(|b| f.map.pad.map_or(b, |v| b.union(Bounds::point(v.into())))))
        .try_fold(None, |acc: Option<Bounds>, b| Some(Some(acc.map_or(b?, |a| a.union(b.unwrap_or(a))))));
    let whole = facts.written.get(&to.var).copied().unwrap_or(false);
    let forward = whole && union.flatten().is_some_and(|b| learn(p, i, to.var, b));
    // An unpadded copy that shows all of its source confines the source as well.
    let back =
        p.vars[to.var.0 as usize].filter(|_| facts.covers(from)).is_some_and(|b| learn(p, i, from.var, b));
    forward | back
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// Systems of all cases without ranges on what copies write, so that nothing but the copies confines it.
    fn wired() -> Vec<System> {
        let bare = testing::cases().into_iter().map(|case| {
            let mut system = case.graph.system();
            let to = |r: &Relation| if let Relation::Copy { to, .. } = r { Some(to.var) } else { None };
            let copied: Vec<VarId> = system.relations.iter().filter_map(|(_, r)| to(r)).collect();
            let range = |r: &Relation| matches!(r, Relation::Range { v, .. } if copied.contains(&v.var));
            system.relations.retain(|(_, r)| !range(r));
            system
        });
        bare.collect()
    }

    #[test]
    fn windows_take_the_range_and_no_more_than_it_allows() {
        let lows = [0, 1, -1, 5, -5, 127, -128, 999, 1_000_000, -1_000_000, 1 << 40, -(1 << 40)];
        for kind in [RangeKind::Exact, RangeKind::AtLeast, RangeKind::Sound] {
            for (lo, bits) in lows.iter().flat_map(|lo| (0..40).map(move |bits| (*lo, bits))) {
                let (widest, first) = (kind.widest(lo, bits), i128::from(lo));
                for limb in 5..=16 {
                    let w = window_bounds(lo, bits, kind, limb).expect("below 100 bits");
                    let place = format!("{kind:?} from {lo}, {bits} bits, limbs of {limb}: {w:?}");
                    assert!(
                        w.lo <= first && first + (1 << bits) - 1 <= w.hi,
                        "{place} refuses honest values"
                    );
                    assert!(widest.lo <= w.lo && w.hi <= widest.hi, "{place} is wider than {widest:?}");
                }
            }
        }
        assert_eq!(window(1_000_000, 1, RangeKind::Sound, 14), (1_000_000, 14));
        assert_eq!(window(-100, 7, RangeKind::Sound, 8), (-128, 8), "around zero where that is near");
    }

    /// Looking only at what may have changed finds the same, step by step.
    #[test]
    fn what_is_not_due_has_nothing_to_tell() {
        let (mut systems, mut steps) = (wired(), 0);
        systems.extend(testing::cases().into_iter().map(|case| case.graph.system()));
        for system in &systems {
            let facts = Facts::new(system);
            let found = |all| {
                let agenda = Agenda { due: vec![true; system.relations.len()], all };
                analyse_by(system, &facts, 8, agenda).map(|p| (p.vars, p.needed, p.alone, p.steps)).ok()
            };
            let (quick, slow) = (found(false), found(true));
            assert_eq!(quick, slow);
            steps += quick.map_or(0, |q| q.3.len());
        }
        assert!(steps > 100, "only {steps} steps");
    }

    #[test]
    fn elements_that_no_copy_writes_are_free() {
        let refused = |s: &System| matches!(analyse(s, &Facts::new(s), 8), Err(Unconfined { .. }));
        let mut parts = 0;
        for system in wired().iter().filter(|s| !refused(s)) {
            for i in 0..system.relations.len() {
                let Relation::Copy { to, .. } = &system.relations[i].1 else { continue };
                // What a table confines too is known by that, and the harness finds the missing copy.
                let key = |r: &Relation| matches!(r, Relation::Lookup { key, .. } if key.var == to.var);
                if shows_all(system, to) || system.relations.iter().any(|(_, r)| key(r)) {
                    continue;
                }
                let mut without = system.clone();
                without.relations.remove(i);
                assert!(refused(&without), "without {}", system.relations[i].1);
                parts += 1;
            }
        }
        assert!(parts > 1, "only {parts} partial copies");
    }
}
