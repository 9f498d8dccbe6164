//! Confirms that the rows of a layout are those that its blueprint speaks of.

use std::collections::HashMap;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{Relation, System, View, wiring::Elem};

use super::uncertified;
use crate::{
    block::Slot,
    cells::Source,
    error::Result,
    gate::{Gate, RowOp},
    layout::Layout,
    polynomial::field,
};

/// Confirms that a layout has all rows that its blueprint speaks of: the gate, the keys and the cells of every block, the
/// gate of every row of the accumulator, a public row for each word of the statement, and a pinned cell for every constant.
///
/// # Errors
/// [`ProverError::Uncertified`] for the first of these that is missing.
pub fn confirm_rows(system: &System, layout: &Layout) -> Result<()> {
    let blueprint = &layout.blueprint;
    let active: HashMap<u32, usize> = layout.active.iter().copied().collect();
    let placed: HashMap<(u8, u32), Source> =
        layout.placements.iter().map(|(c, r, s)| ((*c, *r), *s)).collect();
    let missing = |index, detail: String| Err(uncertified(system, index, detail));
    if placed.len() != layout.placements.len() {
        return missing(None, "a cell shows two things".into());
    }
    let coded = |g: usize| blueprint.sharing.columns.iter().flatten().filter(|o| **o == g).count() == 1;
    if let Some(g) = (0..blueprint.gates.len()).find(|g| !coded(*g)) {
        return missing(None, format!("gate {g} has no selector of its own"));
    }
    confirm_blocks(system, layout, &active, &placed)?;
    for (row, op) in &layout.accumulator {
        let wanted = match op {
            RowOp::Start => Gate::Start,
            RowOp::Dot => Gate::Dot,
            RowOp::Pairs => Gate::Pairs,
            RowOp::FoldCells => Gate::FoldCells,
            RowOp::Shift => Gate::Shift,
            // Their gate is the folding gate, which the operation itself selects.
            RowOp::Next | RowOp::Fold | RowOp::Sweep => continue,
        };
        if active.get(row).map(|g| &blueprint.gates[*g]) != Some(&wanted) {
            return missing(None, format!("row {row} of the accumulator has no gate"));
        }
    }
    let public = |row: u32| active.get(&row).map(|g| &blueprint.gates[*g]) == Some(&Gate::Public);
    let words = layout.statement.instances.iter().enumerate();
    let unseen = words
        .map(|(i, s)| (i as u32 + 1, s))
        .find(|(row, s)| !public(*row) || placed.get(&(0, *row)) != Some(s));
    if let Some(row) = unseen.map(|(row, _)| row).or((!public(0)).then_some(0)) {
        return missing(None, format!("word {row} of the statement is not public"));
    }
    confirm_constants(system, layout, &active, &placed)
}

/// Every constant that is shown somewhere has a cell that a gate pins to its value.
fn confirm_constants(
    system: &System,
    layout: &Layout,
    active: &HashMap<u32, usize>,
    placed: &HashMap<(u8, u32), Source>,
) -> Result<()> {
    let weights: HashMap<(u8, u32), Fr> = layout.weights.iter().map(|(c, r, v)| ((*c, *r), *v)).collect();
    let pinned: std::collections::HashSet<i64> = active
        .iter()
        .filter(|(_, g)| layout.blueprint.gates[**g] == Gate::Constant)
        .filter_map(|(row, _)| match placed.get(&(0, *row)) {
            Some(Source::Elem(Elem::Const(v))) => {
                let weight = weights.get(&(0, *row)).copied().unwrap_or(Fr::ZERO);
                (weight == field((*v).into())).then_some(*v)
            }
            _ => None,
        })
        .collect();
    let free = placed.values().find_map(|s| match s {
        Source::Elem(Elem::Const(v)) if !pinned.contains(v) => Some(*v),
        _ => None,
    });
    match free {
        Some(v) => Err(uncertified(system, None, format!("no gate pins the constant {v}"))),
        None => Ok(()),
    }
}

/// Every block has its gate, its keys and its cells, in rows of its own that are looked up.
fn confirm_blocks(
    system: &System,
    layout: &Layout,
    active: &HashMap<u32, usize>,
    placed: &HashMap<(u8, u32), Source>,
) -> Result<()> {
    let keys: HashMap<u32, u32> = layout.keys.iter().copied().collect();
    let sources = Sources::new(system);
    let (mut keyed, mut end) = (0, layout.blueprint.instances);
    for ((gate, group), base) in layout.blueprint.groups.iter().zip(&layout.bases) {
        let index = group.relations.first().copied();
        let missing = |detail: String| Err(uncertified(system, index, detail));
        let stated = gate.map(|g| &layout.blueprint.gates[g]);
        let right = match stated {
            Some(Gate::Block(t)) => *t == group.template,
            _ => group.template.polys.is_empty(),
        };
        if !right {
            return missing("its block has the gate of another".into());
        }
        let height = group.template.height;
        if (*base as usize) < end {
            return missing(format!("its block in row {base} lies on other rows"));
        }
        end = *base as usize + group.count * height;
        for i in 0..group.count {
            let row = base + (i * height) as u32;
            let held =
                group.template.keys.iter().all(|(r, t)| keys.get(&(row + u32::from(*r))) == Some(&t.0));
            if !held || gate.is_some_and(|g| active.get(&row) != Some(&g)) {
                return missing(format!("its block in row {row} is not active"));
            }
        }
        keyed += group.count * group.template.keys.len();
        for (slot, view) in &group.cells {
            let Slot::A(c, r) = slot else { continue };
            for (i, elem) in sources.of(view).enumerate() {
                let row = base + (i * height) as u32 + u32::from(*r);
                if placed.get(&(*c, row)) != Some(&Source::Elem(elem)) {
                    return missing(format!("column {c}, row {row} shows something else"));
                }
            }
        }
    }
    if end > layout.rows || keyed != layout.keys.len() {
        return Err(uncertified(system, None, "there are keys or rows of no block".into()));
    }
    Ok(())
}

/// Source of each element, copies followed one by one.
struct Sources<'a> {
    system: &'a System,
    /// For each variable that copies write to: where its elements come from.
    from: HashMap<u32, HashMap<usize, Elem>>,
}

impl<'a> Sources<'a> {
    fn new(system: &'a System) -> Self {
        let mut from: HashMap<u32, HashMap<usize, Elem>> = HashMap::new();
        for (_, r) in &system.relations {
            let Relation::Copy { from: source, to } = r else { continue };
            let pad = source.map.pad.unwrap_or(0);
            let written = from.entry(to.var.0).or_default();
            for (t, s) in to.map.iter().zip(source.map.iter()) {
                let Some(t) = t else { continue };
                written.insert(t, s.map_or(Elem::Const(pad), |s| Elem::Cell(source.var, s as u32)));
            }
        }
        Self { system, from }
    }

    fn of(&self, view: &View) -> impl Iterator<Item = Elem> + '_ {
        let (var, pad) = (view.var, view.map.pad.unwrap_or(0));
        let all = view.map.indices().into_iter();
        all.map(move |i| i.map_or(Elem::Const(pad), |i| self.follow(Elem::Cell(var, i as u32))))
    }

    /// Follows copies; they were stated in topological order, so that the way ends.
    fn follow(&self, mut elem: Elem) -> Elem {
        for _ in 0..=self.system.relations.len() {
            let Elem::Cell(var, i) = elem else { return elem };
            match self.from.get(&var.0).and_then(|w| w.get(&(i as usize))) {
                Some(next) => elem = *next,
                None => break,
            }
        }
        match elem {
            Elem::Cell(var, i) => match &self.system.vars[var.0 as usize].constant {
                Some(c) => Elem::Const(c[i as usize]),
                None => elem,
            },
            constant => constant,
        }
    }
}
