//! Which gates, blocks and contractions a circuit has in a given shape, and how many rows at most.

use zkml_graph::{
    Relation, System,
    contraction::{Outline, outlines},
    intervals::{Facts, Proven, analyse},
};

use crate::{
    block::{Drawn, Group, Grouping, Placed, include},
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
/// What blocks refuse; a statement or a contraction that cannot be laid out soundly; the error names the node.
pub fn blueprint(survey: &Survey<'_>, proven: &Proven, shape: &Shape) -> Result<Blueprint> {
    statement::check(survey.system, proven)?;
    let drawn = Grouping::new(survey.system, proven, shape.limb_bits).drawn(shape, &mut Placed::default())?;
    let blocks = Blocks::new(survey, &drawn);
    let grouped = drawn.iter().map(|d| d.group(survey.system, shape));
    let Sketch { gates, sharing, contractions, instances, calls, rows, table_rows, .. } =
        sketch(survey, proven, shape, &blocks)?;
    let groups = blocks.gate_of.into_iter().zip(grouped).collect();
    Ok(Blueprint { shape: *shape, gates, sharing, groups, contractions, instances, calls, rows, table_rows })
}

/// What a blueprint costs.
#[derive(Debug)]
pub(crate) struct Sketch {
    pub(crate) shape: Shape,
    pub(crate) gates: Vec<Gate>,
    pub(crate) sharing: Sharing,
    pub(crate) contractions: Vec<Contraction>,
    pub(crate) instances: usize,
    pub(crate) calls: usize,
    pub(crate) rows: usize,
    pub(crate) table_rows: usize,
}

/// What shapes that differ at most in how they contract have in common.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// Distinct gates of blocks, after that of public values.
    gates: Vec<Gate>,
    /// Gate of each group; looked-up cells alone need none.
    gate_of: Vec<Option<usize>>,
    rows: usize,
    /// Constants in cells of blocks and in wires.
    constants: Vec<i64>,
}

impl Blocks {
    pub(crate) fn new(survey: &Survey<'_>, drawn: &[Drawn]) -> Self {
        let system = survey.system;
        let (mut gates, mut gate_of, mut rows) = (vec![Gate::Public], Vec::new(), 0);
        let mut constants = Vec::new();
        for d in drawn {
            let gate = (!d.template.polys.is_empty()).then(|| Gate::Block(d.template.clone()));
            gate_of.push(gate.map(|gate| index(&mut gates, gate)));
            rows += d.count() * d.template.height;
            constants.extend(d.constants());
        }
        let wired = system.relations.iter().filter(|(_, r)| matches!(r, Relation::Copy { .. }));
        wired.flat_map(|(_, r)| r.views()).for_each(|v| include(system, v, &mut constants));
        constants.sort_unstable();
        constants.dedup();
        Self { gates, gate_of, rows, constants }
    }
}

/// Place of a gate among the distinct ones.
fn index(gates: &mut Vec<Gate>, gate: Gate) -> usize {
    gates.iter().position(|o| *o == gate).unwrap_or_else(|| {
        gates.push(gate);
        gates.len() - 1
    })
}

/// Sketches a blueprint around blocks that were made for a shape that differs at most in how it contracts.
///
/// # Errors
/// A contraction that cannot be laid out soundly; the error names the node.
pub(crate) fn sketch(survey: &Survey<'_>, proven: &Proven, shape: &Shape, blocks: &Blocks) -> Result<Sketch> {
    let system = survey.system;
    let contractions = contractions(system, &survey.outlines, &survey.facts, proven, shape)?;
    let mut gates = blocks.gates.clone();
    let mut index = |g: Gate| index(&mut gates, g);
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
    let constants = constant_cells(survey, blocks, &contractions);
    if constants > 0 {
        index(Gate::Constant);
    }
    let StatementSize { instances, words, calls, .. } = &survey.statement;
    let (instances, calls) = (*instances, *calls);
    let lanes = shape.a_columns.min(shape.w_columns);
    let words: usize = words.iter().map(|members| 1 + (members + 1).div_ceil(lanes)).sum();
    let hashes = calls * poseidon_rows::call_height(shape.a_columns, shape.w_columns);
    let accumulations: usize = contractions.iter().map(|c| c.rows(shape)).sum();
    let table_rows =
        (1usize << shape.limb_bits) + system.tables.iter().map(zkml_graph::Table::len).sum::<usize>();
    let rows = instances + constants + blocks.rows + accumulations + words + hashes + 2;
    let sharing = Sharing::new(&gates.iter().map(Gate::degree).collect::<Vec<_>>());
    Ok(Sketch { shape: *shape, gates, sharing, contractions, instances, calls, rows, table_rows })
}

/// Constants that a view shows.
/// An upper bound of the number of distinct constants that need a cell.
fn constant_cells(survey: &Survey<'_>, blocks: &Blocks, contractions: &[Contraction]) -> usize {
    let system = survey.system;
    let folded = contractions.iter().any(|c| matches!(c.method, Method::Fold | Method::FoldCells));
    let pairs = contractions.iter().any(|c| c.method == Method::Pairs);
    let mut values: Vec<i64> = survey.statement.constants.iter().chain(&blocks.constants).copied().collect();
    if folded {
        values.extend([0, 1]);
    }
    if pairs {
        values.extend([0, 1, -1]);
    }
    for c in contractions {
        if let Relation::Contract { a, b, addend, .. } = &system.relations[c.relation].1 {
            let witness: Vec<_> = match (c.method, c.swapped) {
                (Method::Pairs | Method::FoldCells, _) => [a, b].into_iter().chain(addend).collect(),
                (_, true) => vec![b],
                (_, false) => vec![a],
            };
            witness.into_iter().for_each(|v| include(system, v, &mut values));
        }
    }
    values.sort_unstable();
    values.dedup();
    values.len()
}
