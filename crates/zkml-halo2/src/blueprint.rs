//! Which gates, blocks and contractions a circuit has in a given shape, and how many rows at most.

use zkml_graph::{
    Relation, System,
    contraction::{Outline, outlines},
    intervals::{Facts, Proven, analyse},
};

use crate::{
    block::{Group, groups},
    contraction::{Contraction, Method, contractions},
    error::Result,
    gate::Gate,
    poseidon_rows::{self, Step},
    shape::{Shape, Sharing},
    statement::{self, StatementSize},
};

/// Everything about a circuit but its size.
#[derive(Debug, Clone)]
pub struct Blueprint {
    /// Columns.
    pub shape: Shape,
    /// Distinct gates.
    pub gates: Vec<Gate>,
    /// How gates share selector columns.
    pub sharing: Sharing,
    /// Blocks of element-wise relations, with the gate of each group; looked-up cells alone need none.
    pub groups: Vec<(Option<usize>, Group)>,
    /// Contractions.
    pub contractions: Vec<Contraction>,
    /// Number of public field elements, the context included.
    pub instances: usize,
    /// Calls of the hash.
    pub calls: usize,
    /// Rows that are used, at most.
    pub rows: usize,
    /// Entries of the lookup table.
    pub table_rows: usize,
}

/// What planning needs to know of a system, computed once.
#[derive(Debug)]
pub struct Survey<'a> {
    /// The system.
    pub system: &'a System,
    /// Facts independent of any layout.
    pub facts: Facts,
    /// Contractions.
    pub outlines: Vec<Outline>,
    /// The statement.
    pub statement: StatementSize,
}

impl<'a> Survey<'a> {
    /// Surveys a system.
    pub fn new(system: &'a System) -> Self {
        let (facts, statement) = (Facts::new(system), StatementSize::new(system));
        Self { system, facts, outlines: outlines(system), statement }
    }

    /// Confined intervals for a limb size.
    ///
    /// # Errors
    /// [`Unconfined`](zkml_graph::intervals::Unconfined) names a variable that no relation confines.
    pub fn proven(&self, limb_bits: u32) -> Result<Proven> {
        Ok(analyse(self.system, &self.facts, limb_bits)?)
    }
}

/// Draws the blueprint of a circuit in the given shape.
///
/// # Errors
/// As [`blueprint_of`], and what [`groups`] refuses.
pub fn blueprint(survey: &Survey<'_>, proven: &Proven, shape: &Shape) -> Result<Blueprint> {
    blueprint_of(survey, proven, shape, &groups(survey.system, proven, shape)?)
}

/// Draws a blueprint around groups that were made for a shape that differs at most in how it contracts.
///
/// # Errors
/// A statement or a contraction that cannot be laid out soundly; the error names the node.
pub fn blueprint_of(
    survey: &Survey<'_>,
    proven: &Proven,
    shape: &Shape,
    grouped: &[Group],
) -> Result<Blueprint> {
    let system = survey.system;
    statement::check(system, proven)?;
    let contractions = contractions(system, &survey.outlines, &survey.facts, proven, shape)?;
    let mut gates = vec![Gate::Public];
    let mut index = |g: Gate| {
        gates.iter().position(|o| *o == g).unwrap_or_else(|| {
            gates.push(g);
            gates.len() - 1
        })
    };
    let mut groups = Vec::with_capacity(grouped.len());
    for g in grouped {
        let gate = (!g.template.polys.is_empty()).then(|| index(Gate::Block(g.template.clone())));
        groups.push((gate, g.clone()));
    }
    for c in &contractions {
        index(Gate::Start);
        match c.method {
            Method::Direct => index(Gate::Dot),
            Method::Pairs => index(Gate::Pairs),
            Method::FoldCells => index(Gate::FoldCells).max(index(Gate::Shift)),
            Method::Fold if c.slots > 1 => index(Gate::Pack { width: c.width, slots: c.slots }),
            Method::Fold => 0,
        };
    }
    if !survey.statement.words.is_empty() {
        index(Gate::Start);
        index(Gate::Dot);
    }
    if survey.statement.calls > 0 {
        index(Gate::Hash(Step::Full));
        index(Gate::Hash(Step::Partial));
    }
    let constants = constant_cells(survey, &groups, &contractions);
    if constants > 0 {
        index(Gate::Constant);
    }
    let StatementSize { instances, words, calls, .. } = &survey.statement;
    let (instances, calls) = (*instances, *calls);
    let lanes = shape.a_columns.min(shape.w_columns);
    let words: usize = words.iter().map(|members| 1 + (members + 1).div_ceil(lanes)).sum();
    let hashes = calls * poseidon_rows::call_height(shape.a_columns, shape.w_columns);
    let blocks: usize = groups.iter().map(|(_, g)| g.count * g.template.height).sum();
    let accumulations: usize = contractions.iter().map(|c| c.rows(shape)).sum();
    let table_rows =
        (1usize << shape.limb_bits) + system.tables.iter().map(zkml_graph::Table::len).sum::<usize>();
    let rows = instances + constants + blocks + accumulations + words + hashes + 2;
    let sharing = Sharing::new(&gates.iter().map(Gate::degree).collect::<Vec<_>>());
    Ok(Blueprint { shape: *shape, gates, sharing, groups, contractions, instances, calls, rows, table_rows })
}

/// An upper bound of the number of distinct constants that need a cell.
fn constant_cells(
    survey: &Survey<'_>,
    groups: &[(Option<usize>, Group)],
    contractions: &[Contraction],
) -> usize {
    let system = survey.system;
    let folded = contractions.iter().any(|c| matches!(c.method, Method::Fold | Method::FoldCells));
    let pairs = contractions.iter().any(|c| c.method == Method::Pairs);
    let mut values: Vec<i64> = survey.statement.constants.clone();
    if folded {
        values.extend([0, 1]);
    }
    if pairs {
        values.extend([0, 1, -1]);
    }
    let wired: Vec<_> = system.relations.iter().filter(|(_, r)| matches!(r, Relation::Copy { .. })).collect();
    let mut include = |v: &zkml_graph::View| {
        values.extend(v.map.pad);
        if let Some(c) = &system.vars[v.var.0 as usize].constant {
            values.extend(c);
        }
    };
    groups.iter().flat_map(|(_, g)| &g.cells).for_each(|(_, v)| include(v));
    wired.iter().flat_map(|(_, r)| r.views()).for_each(&mut include);
    for c in contractions {
        if let Relation::Contract { a, b, addend, .. } = &system.relations[c.relation].1 {
            let witness: Vec<_> = match (c.method, c.swapped) {
                (Method::Pairs | Method::FoldCells, _) => [a, b].into_iter().chain(addend).collect(),
                (_, true) => vec![b],
                (_, false) => vec![a],
            };
            witness.into_iter().for_each(&mut include);
        }
    }
    values.sort_unstable();
    values.dedup();
    values.len()
}
