//! The ledger of a laid-out system: how a back end takes care of each relation.
//!
//! Every relation is *laid out* (constraints state it), *substituted* (it defines variables that nothing else needs, and
//! what is put in their place states the rest), or *implied* (a loose range that other relations keep). There is no
//! fourth way. [`Ledger::check`] confirms what can be confirmed without knowing the back end: which variables may be
//! substituted, and the derivation of every interval that a range or a packed word rests on. It shares no code with
//! what makes a ledger. That substitution gives back the stated relations is algebra over the back end's own
//! constraints, and is confirmed there.

mod forms;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Bounds, RangeKind, Relation, System, Var, VarId, View};

/// Way in which a relation is taken care of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "standing")]
pub enum Standing {
    /// Constraints of the back end state it.
    LaidOut {
        /// Interval that it confines all values to, if it is a range.
        window: Option<Bounds>,
        /// For a contraction: returns true if each result stands alone, so that it is confined by being that sum.
        alone: bool,
    },
    /// It holds by definition: variables that nothing else needs are what it says.
    Substituted {
        /// The variables without a cell that it speaks of.
        defines: Vec<u32>,
    },
    /// A loose range that other relations keep.
    Implied {
        /// The interval that they confine the values to.
        within: Bounds,
        /// Indices of those relations.
        rests_on: Vec<usize>,
    },
}

impl Standing {
    /// Name of the way.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LaidOut { .. } => "laid out",
            Self::Substituted { .. } => "substituted",
            Self::Implied { .. } => "implied",
        }
    }
}

/// One step of a derivation: a relation confines a variable, given what earlier steps confine others to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Index of the relation.
    pub relation: usize,
    /// The variable, all of whose elements are confined.
    pub var: VarId,
    /// The interval.
    pub bounds: Bounds,
}

/// The ledger of a system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// One standing per relation.
    pub standings: Vec<Standing>,
    /// Derivation of intervals, in order.
    pub steps: Vec<Step>,
}

/// Something in a ledger that is not so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A relation has no standing, or there are standings of no relation.
    #[error("the ledger has {got} entries for {expected} relations")]
    Count {
        /// Number of relations.
        expected: usize,
        /// Number of entries.
        got: usize,
    },
    /// An entry claims what is not so.
    #[error("relation {index} ({relation}) is not {standing}: {detail}")]
    Entry {
        /// Index of the relation.
        index: usize,
        /// The relation, printed.
        relation: String,
        /// Name of the claimed standing.
        standing: &'static str,
        /// The fault.
        detail: String,
    },
    /// A step of a derivation does not follow.
    #[error(
        "step {step} does not follow: relation {relation} does not confine `{name}` to [{lo}, {hi}]: {detail}"
    )]
    Step {
        /// Number of the step.
        step: usize,
        /// Index of the relation.
        relation: usize,
        /// Name of the variable.
        name: String,
        /// Lower end of the claimed interval.
        lo: i128,
        /// Upper end of the claimed interval.
        hi: i128,
        /// The fault.
        detail: String,
    },
}

impl Ledger {
    /// Number of relations of each standing: laid out, substituted, implied.
    pub fn counts(&self) -> [usize; 3] {
        let of = |name: &str| self.standings.iter().filter(|s| s.name() == name).count();
        [of("laid out"), of("substituted"), of("implied")]
    }

    /// Indices of the relations that the interval of a variable rests on, after all steps.
    pub fn foundation(&self, system: &System, var: VarId) -> Vec<usize> {
        let mut relations = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let before = |var: VarId, end: usize| (0..end).filter(move |&s| self.steps[s].var == var);
        let mut todo: Vec<usize> = before(var, self.steps.len()).collect();
        while let Some(s) = todo.pop() {
            if !seen.insert(s) {
                continue;
            }
            let step = &self.steps[s];
            relations.insert(step.relation);
            for v in spoken_of(system, step.relation) {
                todo.extend(before(v, s));
            }
        }
        relations.into_iter().collect()
    }

    /// Confirms every entry and every step of a layout whose constraints speak of cells; returns the interval that is derived
    /// for each variable.
    ///
    /// # Errors
    /// The first entry or step that is not so.
    pub fn check(&self, system: &System) -> Result<Vec<Option<Bounds>>, LedgerError> {
        self.confirm(system, substitutable)
    }

    fn confirm(
        &self,
        system: &System,
        may_go: fn(&System, VarId) -> Result<(), String>,
    ) -> Result<Vec<Option<Bounds>>, LedgerError> {
        let (expected, got) = (system.relations.len(), self.standings.len());
        if expected != got {
            return Err(LedgerError::Count { expected, got });
        }
        for (index, standing) in self.standings.iter().enumerate() {
            self.entry(system, index, standing, may_go).map_err(|detail| LedgerError::Entry {
                index,
                relation: system.relations[index].1.to_string(),
                standing: standing.name(),
                detail,
            })?;
        }
        let known = self.replay(system)?;
        for (index, standing) in self.standings.iter().enumerate() {
            let Standing::Implied { within, .. } = standing else { continue };
            let var = system.relations[index].1.views()[0].var;
            if !known[var.0 as usize].is_some_and(|b| inside(b, *within)) {
                return Err(LedgerError::Entry {
                    index,
                    relation: system.relations[index].1.to_string(),
                    standing: standing.name(),
                    detail: format!("nothing confines its values to [{}, {}]", within.lo, within.hi),
                });
            }
        }
        Ok(known)
    }

    fn entry(
        &self,
        system: &System,
        index: usize,
        standing: &Standing,
        may_go: fn(&System, VarId) -> Result<(), String>,
    ) -> Result<(), String> {
        let relation = &system.relations[index].1;
        match standing {
            Standing::LaidOut { window, alone } => {
                if *alone && !matches!(relation, Relation::Contract { .. }) {
                    return Err("only a contraction has results that may stand alone".into());
                }
                match (relation, window) {
                    (Relation::Range { lo, bits, kind, .. }, Some(w)) => keeps(*w, *lo, *bits, *kind),
                    (Relation::Range { .. }, None) => Err("nothing says what it confines values to".into()),
                    (_, None) => Ok(()),
                    (_, Some(_)) => Err("only a range has a window".into()),
                }
            }
            Standing::Substituted { defines } => defines_what_may_go(system, relation, defines, may_go),
            Standing::Implied { within, rests_on } => {
                let Relation::Range { lo, bits, kind: RangeKind::Sound, .. } = relation else {
                    return Err("only a loose range may be implied".into());
                };
                let widest = RangeKind::Sound.widest(*lo, *bits);
                if !inside(*within, widest) {
                    let Bounds { lo, hi } = widest;
                    return Err(format!("[{}, {}] is not within [{lo}, {hi}]", within.lo, within.hi));
                }
                let weak = |&&r: &&usize| {
                    self.standings.get(r).is_none_or(|s| matches!(s, Standing::Implied { .. }))
                };
                rests_on
                    .iter()
                    .find(weak)
                    .map_or(Ok(()), |r| Err(format!("it rests on relation {r}, which is implied itself")))
            }
        }
    }

    /// Derives all intervals again, step by step.
    fn replay(&self, system: &System) -> Result<Vec<Option<Bounds>>, LedgerError> {
        let fixed = |c: &Vec<i64>| Bounds::of(c.iter().copied());
        let mut known: Vec<Option<Bounds>> =
            system.vars.iter().map(|v| v.constant.as_ref().map(fixed)).collect();
        for (number, step) in self.steps.iter().enumerate() {
            follows(self, system, &known, step).map_err(|detail| LedgerError::Step {
                step: number,
                relation: step.relation,
                name: system.vars.get(step.var.0 as usize).map_or_else(String::new, |v| v.name.clone()),
                lo: step.bounds.lo,
                hi: step.bounds.hi,
                detail,
            })?;
            let slot = &mut known[step.var.0 as usize];
            // What is empty has no witness; the interval from before is still right.
            *slot = Some(slot.and_then(|b| b.intersect(step.bounds)).unwrap_or(step.bounds));
        }
        Ok(known)
    }
}

/// Confirms that a relation may define these variables.
fn defines_what_may_go(
    system: &System,
    relation: &Relation,
    defines: &[u32],
    may_go: fn(&System, VarId) -> Result<(), String>,
) -> Result<(), String> {
    if !matches!(relation, Relation::Linear { .. } | Relation::Product { .. }) {
        return Err("only sums and products define anything".into());
    }
    if defines.is_empty() {
        return Err("it defines nothing".into());
    }
    let mentioned: BTreeSet<u32> = relation.views().iter().map(|v| v.var.0).collect();
    if let Some(v) = defines.iter().find(|v| !mentioned.contains(v)) {
        return Err(format!("it does not speak of variable {v}"));
    }
    defines.iter().try_for_each(|v| may_go(system, VarId(*v)))
}

/// Largest magnitude of an interval, in bits: sums of so many such values stay far below the modulus of any field in
/// use.
const MAX_BITS: u32 = 100;

fn inside(inner: Bounds, outer: Bounds) -> bool {
    outer.lo <= inner.lo && inner.hi <= outer.hi
}

/// A range's window takes all that the range allows, and nothing that no back end may accept.
fn keeps(window: Bounds, lo: i64, bits: u32, kind: RangeKind) -> Result<(), String> {
    let Bounds { lo: low, hi: high } = window;
    let honest = Bounds { lo: i128::from(lo), hi: i128::from(lo) + (1i128 << bits) - 1 };
    if !inside(honest, window) {
        return Err(format!("[{low}, {high}] refuses honest values"));
    }
    let widest = kind.widest(lo, bits);
    if !inside(window, widest) {
        return Err(format!("[{low}, {high}] is wider than [{}, {}]", widest.lo, widest.hi));
    }
    Ok(())
}

/// A variable that is neither a constant nor an input of the model.
fn computed(system: &System, var: VarId) -> Result<&Var, String> {
    let Some(v) = system.vars.get(var.0 as usize) else {
        return Err(format!("there is no variable {}", var.0));
    };
    if v.constant.is_some() {
        return Err(format!("`{}` is a constant of the model", v.name));
    }
    if system.inputs.contains(&var) {
        return Err(format!("`{}` is an input of the model", v.name));
    }
    Ok(v)
}

/// A variable may go without a cell if it is an existential witness: the model does not fix it, the statement does not
/// show it, nothing is wired to it, no table and no contraction needs it in a place of its own, and whoever speaks of
/// it sees it whole.
///
/// # Errors
/// The reason why the variable needs a cell.
pub fn substitutable(system: &System, var: VarId) -> Result<(), String> {
    let v = computed(system, var)?;
    for (label, relation) in &system.relations {
        let mut seen = relation.views().into_iter().filter(|view| view.var == var).peekable();
        if seen.peek().is_none() {
            continue;
        }
        let bound = match relation {
            Relation::Public { .. } | Relation::Commit { .. } => Some("the statement shows it"),
            Relation::Copy { .. } => Some("it is wired"),
            Relation::Contract { .. } => Some("a contraction needs its elements one by one"),
            Relation::Lookup { outputs, .. } if outputs.iter().any(|o| o.var == var) => {
                Some("a table gives it")
            }
            _ => None,
        };
        if let Some(reason) = bound {
            return Err(format!("`{}` is needed by {label}: {reason}", v.name));
        }
        if seen.any(|view| !whole(view, v.len())) {
            return Err(format!("{label} sees only a part of `{}`, or in another order", v.name));
        }
    }
    Ok(())
}

/// Returns true if the view shows the elements of its variable one after the other.
fn whole(view: &View, len: usize) -> bool {
    view.map.len() == len && view.map.iter().enumerate().all(|(i, at)| at == Some(i))
}

/// Returns true if the view shows every element of its variable, whatever else it shows.
fn all_of(system: &System, view: &View) -> bool {
    let mut seen = vec![false; system.vars[view.var.0 as usize].len()];
    view.map.iter().flatten().for_each(|i| seen[i] = true);
    seen.into_iter().all(|s| s)
}

fn spoken_of(system: &System, relation: usize) -> BTreeSet<VarId> {
    let relations: Vec<&Relation> = match &system.relations[relation].1 {
        // What copies assemble is confined by all of them.
        Relation::Copy { to, .. } => copies_to(system, to.var).map(|(_, r)| r).collect(),
        other => vec![other],
    };
    relations.into_iter().flat_map(Relation::views).map(|v| v.var).collect()
}

fn copies_to(system: &System, var: VarId) -> impl Iterator<Item = (usize, &Relation)> {
    let all = system.relations.iter().enumerate();
    all.filter_map(move |(i, (_, r))| match r {
        Relation::Copy { to, .. } if to.var == var => Some((i, r)),
        _ => None,
    })
}

/// The interval of what a view shows, its padding included.
fn shown(known: &[Option<Bounds>], view: &View) -> Result<Bounds, String> {
    let own =
        known[view.var.0 as usize].ok_or_else(|| format!("nothing confines variable {}", view.var.0))?;
    Ok(view.map.pad.map_or(own, |p| own.union(Bounds::point(p.into()))))
}

/// Confirms one step of a derivation.
fn follows(ledger: &Ledger, system: &System, known: &[Option<Bounds>], step: &Step) -> Result<(), String> {
    let (Some(standing), Some(var)) =
        (ledger.standings.get(step.relation), system.vars.get(step.var.0 as usize))
    else {
        return Err("there is no such relation or variable".into());
    };
    if matches!(standing, Standing::Implied { .. }) {
        return Err("the relation itself is only implied".into());
    }
    if step.bounds.magnitude() >> MAX_BITS != 0 || step.bounds.lo > step.bounds.hi {
        return Err("the interval is empty, or too wide".into());
    }
    let relation = &system.relations[step.relation].1;
    let own: Vec<&View> = relation.views().into_iter().filter(|v| v.var == step.var).collect();
    // All elements have to be spoken of; for what copies assemble, see below.
    let covered = || own.iter().any(|v| all_of(system, v));
    let confined = match (relation, standing) {
        (Relation::Range { .. }, Standing::LaidOut { window: Some(w), .. }) => vec![*w],
        (Relation::Lookup { table, key, outputs }, _) => {
            let t = &system.tables[table.0 as usize];
            let domain = Bounds::new(t.lo.into(), i128::from(t.lo) + t.len() as i128 - 1);
            let keys = (key.var == step.var && all_of(system, key)).then_some(domain);
            let given = outputs.iter().zip(&t.columns);
            let given = given.filter(|(o, _)| o.var == step.var && all_of(system, o));
            keys.into_iter().chain(given.map(|(_, c)| Bounds::of(c.iter().copied()))).collect()
        }
        (Relation::Product { a, b, y }, _) if a == b && b == y => vec![Bounds { lo: 0, hi: 1 }],
        (Relation::Product { a, b, y }, _) if y.var == step.var && all_of(system, y) => {
            vec![shown(known, a)?.mul(shown(known, b)?)]
        }
        (Relation::Linear { terms, constant }, _) => solutions(system, known, terms, *constant, step.var),
        (Relation::Copy { .. }, _) => return follows_copies(system, known, step),
        (Relation::Contract { y, .. }, Standing::LaidOut { alone: true, .. }) if y.var == step.var => {
            vec![contracted(system, known, relation)?]
        }
        _ => vec![],
    };
    if !covered() {
        return Err(format!("it does not speak of every element of `{}`", var.name));
    }
    let within = confined.into_iter().reduce(|a, b| a.intersect(b).unwrap_or(a));
    match within {
        // A narrower interval follows together with what was known before.
        Some(b) if inside(meet(b, known[step.var.0 as usize]), step.bounds) => Ok(()),
        Some(b) => Err(format!("it gives [{}, {}]", b.lo, b.hi)),
        None => Err("such a relation confines nothing".into()),
    }
}

fn meet(b: Bounds, known: Option<Bounds>) -> Bounds {
    known.and_then(|k| k.intersect(b)).unwrap_or(b)
}

/// What a sum of zero says about each view of a variable that occurs with coefficient one or minus one; any other
/// coefficient is divided by in the field, and says nothing about size.
fn solutions(
    system: &System,
    known: &[Option<Bounds>],
    terms: &[(i64, View)],
    constant: i64,
    var: VarId,
) -> Vec<Bounds> {
    let mut out = Vec::new();
    for (j, (c, view)) in terms.iter().enumerate() {
        if view.var != var || c.abs() != 1 || !all_of(system, view) {
            continue;
        }
        let mut sum = Some(Bounds::point(constant.into()));
        for (_, (c, v)) in terms.iter().enumerate().filter(|(o, _)| *o != j) {
            let b = shown(known, v).ok().map(|b| b.scale(i128::from(*c)));
            sum = sum.zip(b).map(|(s, b)| s.add(b));
        }
        out.extend(sum.map(|s| s.scale(-i128::from(*c))));
    }
    out
}

/// A variable that copies assemble lies where its parts do, if they leave no element out; the source of an unpadded
/// copy that shows all of it lies where the target does.
fn follows_copies(system: &System, known: &[Option<Bounds>], step: &Step) -> Result<(), String> {
    let Relation::Copy { from, to } = &system.relations[step.relation].1 else {
        return Err("no copy".into());
    };
    let current = known[step.var.0 as usize];
    let back = known[to.var.0 as usize].filter(|_| from.var == step.var && all_of(system, from));
    if back.is_some_and(|b| inside(meet(b, current), step.bounds)) {
        return Ok(());
    }
    if to.var != step.var {
        return Err("the copy does not write it".into());
    }
    let mut written = vec![false; system.vars[to.var.0 as usize].len()];
    let mut union: Option<Bounds> = None;
    for (_, r) in copies_to(system, to.var) {
        let Relation::Copy { from, to } = r else { continue };
        to.map.iter().flatten().for_each(|i| written[i] = true);
        let b = shown(known, from)?;
        union = Some(union.map_or(b, |u| u.union(b)));
    }
    if !written.into_iter().all(|w| w) {
        return Err("copies leave elements out".into());
    }
    match union {
        Some(b) if inside(meet(b, current), step.bounds) => Ok(()),
        Some(b) => Err(format!("its parts lie in [{}, {}]", b.lo, b.hi)),
        None => Err("no copy writes it".into()),
    }
}

/// The interval of the results of a contraction: per result, the sum of what its products may reach.
///
/// # Errors
/// Names what nothing confines.
pub fn contracted(system: &System, known: &[Option<Bounds>], relation: &Relation) -> Result<Bounds, String> {
    let Relation::Contract { a, b, addend, ranks, .. } = relation else {
        return Err("no contraction".into());
    };
    let constant = |v: &View| {
        let c = system.vars[v.var.0 as usize].constant.as_ref();
        c.map(|c| v.map.gather(c).into_iter().map(|w| i128::from(w).abs()).collect::<Vec<_>>())
    };
    let [batch, m, k, n] = sizes(&a.map.shape, &b.map.shape, *ranks);
    let reach = |v: &View| shown(known, v).map(Bounds::magnitude);
    let wide = || "the sum is beyond 127 bits".to_owned();
    let sum = match (constant(a), constant(b)) {
        (_, Some(w)) => {
            // Result column j of batch i takes the weights w[i, ·, j].
            let column = |i: usize, j: usize| (0..k).map(|t| w[(i * k + t) * n + j]).sum::<i128>();
            let all = (0..batch).flat_map(|i| (0..n).map(move |j| (i, j)));
            all.map(|(i, j)| column(i, j)).max().unwrap_or(0).checked_mul(reach(a)?)
        }
        (Some(w), None) => {
            let rows = (0..batch * m).map(|r| w[r * k..(r + 1) * k].iter().sum::<i128>());
            rows.max().unwrap_or(0).checked_mul(reach(b)?)
        }
        (None, None) => reach(a)?.checked_mul(reach(b)?).and_then(|p| p.checked_mul(k as i128)),
    };
    let extra = addend.as_ref().map_or(Ok(0), reach)?;
    let total = sum.and_then(|s| s.checked_add(extra)).ok_or_else(wide)?;
    Ok(Bounds { lo: -total, hi: total })
}

/// Numbers of independent contractions, rows, terms and columns: `a` is `batch ++ m ++ k`, `b` is `batch ++ k ++ n`.
fn sizes(a: &[usize], b: &[usize], [batch, rows, summed, _]: [usize; 4]) -> [usize; 4] {
    let size = |dims: &[usize]| dims.iter().product::<usize>();
    [size(&a[..batch]), size(&a[batch..batch + rows]), size(&a[batch + rows..]), size(&b[batch + summed..])]
}
