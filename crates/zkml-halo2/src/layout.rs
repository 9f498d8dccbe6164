//! Assigns every block, chain and public value its rows.

use std::collections::BTreeSet;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{Relation, System};

use crate::{
    block::{Group, Template, groups},
    bounds::{Facts, Proven, analyse},
    chain::{Contraction, Method, Outline, contractions, outlines},
    chain_rows,
    error::{ProverError, Result},
    poseidon_rows::{self, Step},
    shape::{Shape, Sharing},
    shown::{self, Packed, Shown, Size},
    sym::field,
    wiring::{Elem, Wiring},
};

/// What a cell under the permutation argument shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// An element of the system, or a constant.
    Elem(Elem),
    /// A field element that several values share.
    Packed(u32),
    /// The salt of a commitment.
    Salt(u32),
    /// The result of a call of the hash.
    Link(u32),
}

/// What a gate demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// `a₀ = instance`, and the lookup sum is zero.
    Public,
    /// `a₀ = w₀`.
    Constant,
    /// The accumulator is zero and restarts at `w₀`; the folding coefficient restarts at zero.
    Start,
    /// The accumulator grows by `Σ w·a`.
    Dot,
    /// The accumulator grows by `Σ a₂ᵢ·a₂ᵢ₊₁`.
    Pairs,
    /// The last of `slots + 1` cells packs the others in slots of `width` bits.
    Pack {
        /// Bits per slot.
        width: u32,
        /// Number of slots.
        slots: usize,
    },
    /// The folding coefficient takes in a row of witnesses: `z' = z·ρ^lanes + Σ ρˡaₗ`; the accumulator stays.
    FoldCells,
    /// `t' = σ·t − z`, and the coefficient restarts with a row of witnesses.
    Shift,
    /// A step of the hash.
    Hash(Step),
    /// Element-wise relations.
    Block(Template),
}

impl Gate {
    /// Largest degree of its constraints.
    pub fn degree(&self) -> usize {
        match self {
            Self::Public | Self::Constant | Self::Start | Self::Pack { .. } => 1,
            Self::FoldCells | Self::Shift => 1,
            Self::Dot | Self::Pairs => 2,
            Self::Hash(_) => 3,
            Self::Block(t) => t.degree().max(1),
        }
    }

    /// Rows that it speaks of.
    pub fn height(&self, shape: &Shape) -> usize {
        match self {
            Self::Pack { slots, .. } => (slots + 1).div_ceil(shape.a_columns),
            Self::Block(t) => t.height,
            Self::Hash(s) => {
                s.height(shape.a_columns, shape.w_columns) + zkml_poseidon::WIDTH.div_ceil(shape.a_columns)
            }
            _ => 1,
        }
    }
}

/// What the row does to the folding coefficient `z` and the accumulator `t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOp {
    /// [`Gate::Start`].
    Start,
    /// [`Gate::Dot`].
    Dot,
    /// [`Gate::Pairs`].
    Pairs,
    /// `t += z·Σ σˡaₗ`, and `z` restarts with the row's weights.
    Next,
    /// `z` is multiplied by `ρ^lanes` and takes in the row's weights.
    Fold,
    /// `t += z·Σ σˡaₗ`, and `z` is multiplied by `σ^lanes`.
    Sweep,
    /// [`Gate::FoldCells`].
    FoldCells,
    /// [`Gate::Shift`].
    Shift,
}

impl RowOp {
    /// Code in the fold column; zero for operations that are gates.
    pub fn fold_code(self) -> u64 {
        match self {
            Self::Next => 1,
            Self::Fold => 2,
            Self::Sweep => 3,
            _ => 0,
        }
    }
}

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
    pub shown: Size,
}

impl<'a> Survey<'a> {
    /// Surveys a system.
    pub fn new(system: &'a System) -> Result<Self> {
        let (facts, shown) = (Facts::new(system), Size::new(system));
        Ok(Self { system, facts, outlines: outlines(system)?, shown })
    }

    /// Confined intervals for a limb size.
    pub fn proven(&self, limb_bits: u32) -> Result<Proven> {
        analyse(self.system, &self.facts, limb_bits)
    }
}

/// Draws the blueprint of a circuit in the given shape.
pub fn blueprint(survey: &Survey<'_>, proven: &Proven, shape: &Shape) -> Result<Blueprint> {
    blueprint_of(survey, proven, shape, &groups(survey.system, proven, shape)?)
}

/// Draws a blueprint around groups that were made for a shape that differs at most in how it contracts.
pub fn blueprint_of(
    survey: &Survey<'_>,
    proven: &Proven,
    shape: &Shape,
    grouped: &[Group],
) -> Result<Blueprint> {
    let system = survey.system;
    shown::check(system, proven)?;
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
    if !survey.shown.words.is_empty() {
        index(Gate::Start);
        index(Gate::Dot);
    }
    if survey.shown.calls > 0 {
        index(Gate::Hash(Step::Full));
        index(Gate::Hash(Step::Partial));
    }
    let constants = constant_cells(survey, &groups, &contractions);
    if constants > 0 {
        index(Gate::Constant);
    }
    let Size { instances, words, calls, .. } = &survey.shown;
    let (instances, calls) = (*instances, *calls);
    let lanes = shape.a_columns.min(shape.w_columns);
    let words: usize = words.iter().map(|members| 1 + (members + 1).div_ceil(lanes)).sum();
    let hashes = calls * poseidon_rows::call_height(shape.a_columns, shape.w_columns);
    let blocks: usize = groups.iter().map(|(_, g)| g.count * g.template.height).sum();
    let chains: usize = contractions.iter().map(|c| c.rows(shape)).sum();
    let table_rows =
        (1usize << shape.limb_bits) + system.tables.iter().map(zkml_graph::Table::len).sum::<usize>();
    let rows = instances + constants + blocks + chains + words + hashes + 2;
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
    let mut values: Vec<i64> = survey.shown.constants.clone();
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

/// One row of the lookup table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableRow {
    /// Key plus one; never zero, so that it also marks the rows in use.
    pub key: Fr,
    /// Tag of the table (zero for the range), then its outputs times the tag. The tag is an entry of its own:
    /// were it only mixed into key and outputs, a prover could choose those so that an entry of the range
    /// passes for one of a function.
    pub tagged: [Fr; 3],
}

/// A circuit with all its rows assigned.
#[derive(Debug, Clone)]
pub struct Layout {
    /// What it was drawn from.
    pub blueprint: Blueprint,
    /// What the cells under the permutation show: column, row, source.
    pub placements: Vec<(u8, u32, Source)>,
    /// Weights: column, row, value.
    pub weights: Vec<(u8, u32, Fr)>,
    /// Active gates: row, gate.
    pub active: Vec<(u32, usize)>,
    /// Rows of chains, in order.
    pub chain: Vec<(u32, RowOp)>,
    /// First row of each group's blocks.
    pub bases: Vec<u32>,
    /// The statement.
    pub shown: Shown,
    /// Field elements that several values share: those of the statement first.
    pub packed: Vec<Packed>,
    /// First row of each call of the hash, in order of the chains.
    pub hashes: Vec<u32>,
    /// Key lookups: row and table.
    pub keys: Vec<(u32, u32)>,
    /// First free row.
    pub rows: usize,
}

/// Collects rows in order.
pub(crate) struct Rows {
    pub(crate) layout: Layout,
    constants: BTreeSet<i64>,
}

impl Rows {
    /// The next free row; takes `height` rows.
    pub(crate) fn take(&mut self, height: usize) -> u32 {
        let row = self.layout.rows as u32;
        self.layout.rows += height;
        row
    }

    pub(crate) fn put(&mut self, column: usize, row: u32, source: Source) {
        if let Source::Elem(Elem::Const(v)) = source {
            self.constants.insert(v);
        }
        self.layout.placements.push((column as u8, row, source));
    }

    pub(crate) fn weight(&mut self, column: usize, row: u32, value: Fr) {
        if value != Fr::ZERO {
            self.layout.weights.push((column as u8, row, value));
        }
    }

    pub(crate) fn gate(&mut self, row: u32, gate: &Gate) -> Result<()> {
        let at = self.layout.blueprint.gates.iter().position(|g| g == gate);
        let at = at.ok_or_else(|| ProverError::Unsupported {
            label: "layout".into(),
            detail: format!("the gate {gate:?} was not planned"),
        })?;
        self.layout.active.push((row, at));
        Ok(())
    }

    pub(crate) fn op(&mut self, op: RowOp) -> u32 {
        let row = self.take(1);
        self.layout.chain.push((row, op));
        row
    }
}

/// Lays out a circuit.
pub fn layout(system: &System, blueprint: Blueprint) -> Result<Layout> {
    let wiring = Wiring::new(system);
    let shown = Shown::new(system, &wiring);
    let mut rows = Rows {
        layout: Layout {
            blueprint,
            placements: vec![],
            weights: vec![],
            active: vec![],
            chain: vec![],
            bases: vec![],
            packed: shown.words.clone(),
            shown,
            hashes: vec![],
            keys: vec![],
            rows: 0,
        },
        constants: BTreeSet::new(),
    };
    public_rows(&mut rows)?;
    block_rows(&wiring, &mut rows)?;
    hash_rows(&mut rows)?;
    chain_rows::lay_all(system, &wiring, &mut rows)?;
    constant_rows(&mut rows)?;
    Ok(rows.layout)
}

fn public_rows(rows: &mut Rows) -> Result<()> {
    let context = rows.take(1);
    rows.gate(context, &Gate::Public)?;
    for source in rows.layout.shown.instances.clone() {
        let row = rows.take(1);
        rows.gate(row, &Gate::Public)?;
        rows.put(0, row, source);
    }
    Ok(())
}

/// The calls of the hash. Only what goes in and what comes out is wired; the cells between hold what the gates say.
fn hash_rows(rows: &mut Rows) -> Result<()> {
    let Shape { a_columns, w_columns, .. } = rows.layout.blueprint.shape;
    for chain in rows.layout.shown.chains.clone() {
        let mut link = Source::Elem(Elem::Const(chain.domain));
        for words in chain.words.chunks(zkml_protocol::commitment::WORDS_PER_CALL) {
            let call = rows.layout.hashes.len() as u32;
            let base = rows.take(poseidon_rows::call_height(a_columns, w_columns));
            rows.layout.hashes.push(base);
            let state = [Source::Elem(Elem::Const(0)), link].into_iter().chain(words.iter().copied());
            for (i, source) in state.enumerate() {
                rows.put(i % a_columns, base + (i / a_columns) as u32, source);
            }
            let mut row = base;
            for (step, round) in poseidon_rows::steps() {
                rows.gate(row, &Gate::Hash(step))?;
                for (i, c) in poseidon_rows::added(step, round).into_iter().enumerate() {
                    rows.weight(i % w_columns, row + (i / w_columns) as u32, c);
                }
                row += step.height(a_columns, w_columns) as u32;
            }
            link = Source::Link(call);
            rows.put(0, row, link);
        }
    }
    Ok(())
}

fn block_rows(wiring: &Wiring<'_>, rows: &mut Rows) -> Result<()> {
    for g in 0..rows.layout.blueprint.groups.len() {
        let (gate, group) = rows.layout.blueprint.groups[g].clone();
        let height = group.template.height;
        let base = rows.take(group.count * height);
        rows.layout.bases.push(base);
        for i in 0..group.count {
            let row = base + (i * height) as u32;
            rows.layout.active.extend(gate.map(|g| (row, g)));
            for (r, table) in &group.template.keys {
                rows.layout.keys.push((row + u32::from(*r), table.0));
            }
        }
        for (slot, view) in &group.cells {
            let crate::block::Slot::A(c, r) = slot else { continue };
            for (i, e) in wiring.elements(view).into_iter().enumerate() {
                rows.put(*c as usize, base + (i * height) as u32 + u32::from(*r), Source::Elem(e));
            }
        }
    }
    Ok(())
}

/// Gives every constant that is shown somewhere one cell that is pinned to its value.
fn constant_rows(rows: &mut Rows) -> Result<()> {
    for v in std::mem::take(&mut rows.constants) {
        let row = rows.take(1);
        rows.gate(row, &Gate::Constant)?;
        rows.put(0, row, Source::Elem(Elem::Const(v)));
        rows.weight(0, row, field(v.into()));
    }
    Ok(())
}

/// All rows of the lookup table; the first is the entry for zero.
pub fn table(system: &System, limb_bits: u32) -> Vec<TableRow> {
    let range = (0..1u64 << limb_bits).map(|v| TableRow { key: Fr::from(v + 1), tagged: [Fr::ZERO; 3] });
    let functions = system.tables.iter().enumerate().flat_map(|(i, t)| {
        let tag = Fr::from(i as u64 + 1);
        (0..t.len()).map(move |j| TableRow {
            key: Fr::from(j as u64 + 1),
            tagged: [
                tag,
                tag * field(t.columns[0][j].into()),
                t.columns.get(1).map_or(Fr::ZERO, |c| tag * field(c[j].into())),
            ],
        })
    });
    range.chain(functions).collect()
}
