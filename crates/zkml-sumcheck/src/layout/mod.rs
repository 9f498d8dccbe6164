//! From the relations of a graph to a system of the protocol, and from a run to its cells.
//!
//! 1. [`zkml_graph::intervals`] derives an interval for every variable from the relations alone.
//! 2. `digits` decides how tensors are numbered, so that views are affine digit by digit.
//! 3. `structure` decides what has cells: ranges give limbs, what products and lookups speak of gets columns, what a sum
//!    determines gets nothing; blocks are rows that share an index space.
//! 4. `resolve` turns views into terms over cells and weights, through definitions and copies; where it cannot, the variable
//!    gets cells after all, and all is decided again.
//! 5. `assemble` makes the system, with addresses; `grid` gives rows and columns, `hash` has the rows of commitments.
//!
//! Private weights lie in a vector of their own (`private`). Relations that confine them are laid out apart, in a second system
//! about the same vector, which is proven once for each commitment: a run need not do it again.

mod assemble;
pub(crate) mod block;
mod certificate;
mod digits;
mod grid;
mod hash;
mod lens;
pub(crate) mod private;
pub(crate) mod resolve;
mod structure;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use ff::Field;
use halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};
use zkml_graph::{
    Ledger, Relation, Section, System as Relations,
    intervals::{Facts, Proven, analyse},
};
use zkml_protocol::sumcheck::{Opening, Shape, System};

use crate::{
    Integers,
    error::{Error, Result},
    field::from_i64,
    prover::{PrivateWeights, Witness},
};
use assemble::{Failure, assemble};
use block::Home;
use digits::Plan;
pub use hash::ROWS_PER_CALL;
use resolve::Place;
use structure::{Choices, Structure, structure};

/// Choices of a layout; every one of them gives a sound system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Binary logarithm of the range table, 2 to 16.
    pub limb_bits: u32,
    /// Lookups that share a helper.
    pub lookups_per_helper: u32,
    /// Blocks are merged as long as they have no more columns than these.
    pub columns: usize,
    /// Parts that a vector is committed to in, at most: more make proving quicker, and each costs a multiplication on chain.
    pub parts: u32,
    /// Whether vectors are opened as one row: three multiplications of a vector with the setup instead of one make proving slower, and
    /// a verification much cheaper.
    pub whole: bool,
    /// Binary logarithm of the number of rows up to which blocks do not share any: proving so few takes its time elsewhere, and of
    /// shorter vectors more parts are committed to, each of which costs gas.
    pub unshared_bits: u32,
}

impl Options {
    /// Checks numbers that somebody else may have written.
    fn check(&self) -> Result<()> {
        let numbers = [
            ("bits of a limb", self.limb_bits.into(), 2, 16),
            ("lookups for a helper", self.lookups_per_helper.into(), 1, 8),
            ("columns", self.columns as u64, 1, 1 << 10),
            ("parts", self.parts.into(), 1, 1 << 10),
            ("bits of unshared rows", self.unshared_bits.into(), 0, 32),
        ];
        match numbers.into_iter().find(|(_, found, least, most)| !(*least..=*most).contains(found)) {
            Some((what, found, least, most)) => Err(Error::Options { what, found, least, most }),
            None => Ok(()),
        }
    }

    /// For proving quickly.
    pub const PROVER: Self =
        Self { limb_bits: 8, lookups_per_helper: 3, columns: 8, parts: 8, whole: false, unshared_bits: 10 };
    /// For cheap verification on chain.
    pub const GAS: Self = Self { lookups_per_helper: 1, parts: 1, whole: true, ..Self::PROVER };
}

impl Default for Options {
    fn default() -> Self {
        Self::PROVER
    }
}

/// A system of the protocol with the way from a run to its cells.
#[derive(Clone, Debug)]
pub struct Layout {
    /// What holds.
    pub system: System,
    /// How vectors are opened.
    pub opening: Opening,
    /// The vector `W`, padded to whole parts.
    pub weights: Arc<Integers>,
    /// How each relation is taken care of, confirmed.
    pub ledger: Ledger,
    pub(crate) structure: Structure,
    pub(crate) places: Vec<Place>,
    /// Whether rows of zeros satisfy what holds in each block.
    pub(crate) zeros: Vec<bool>,
    /// Where each private weight is.
    pub(crate) private: Vec<private::Tensor>,
    /// What confines private weights, if there are any.
    pub(crate) ranges: Option<Box<Ranges>>,
}

/// The relations that confine private weights, and their layout: it has the same vector of them, opened alike.
#[derive(Clone, Debug)]
pub(crate) struct Ranges {
    pub(crate) relations: Relations,
    pub(crate) layout: Layout,
}

/// A layout of which nobody has confirmed that it states every relation: no key may be made with it. It is the one of a key
/// whose program has the same system, which was confirmed when that key was made.
#[derive(Clone, Debug)]
pub struct Unconfirmed(pub(crate) Layout);

impl Unconfirmed {
    /// As [`Layout::powers`].
    pub fn powers(&self) -> usize {
        self.0.powers()
    }
}

/// Lays out the relations of a graph.
///
/// # Errors
/// [`Error::Unsupported`] and [`Error::Unconfined`] name the node whose relation does not fit, [`Error::Uncertified`] a relation that
/// the layout does not state.
pub fn lay_out(relations: &Relations, options: &Options) -> Result<Layout> {
    let Unconfirmed(layout) = lay_out_unconfirmed(relations, options)?;
    if let Some(ranges) = &layout.ranges {
        certificate::confirm(&ranges.relations, &ranges.layout.ledger, &ranges.layout)?;
    }
    certificate::confirm(relations, &layout.ledger, &layout)?;
    Ok(layout)
}

/// As [`lay_out`], without the confirmation, which takes nearly all of its time.
///
/// # Errors
/// [`Error::Unsupported`] and [`Error::Unconfined`], as [`lay_out`].
pub fn lay_out_unconfirmed(relations: &Relations, options: &Options) -> Result<Unconfirmed> {
    let drafts = Drafts::new(relations, options)?;
    let opening = drafts.opening(options)?;
    Ok(drafts.finished(opening))
}

/// Layouts before it is known how vectors are opened: for all options that differ in nothing else.
pub(crate) struct Drafts {
    run: Draft,
    /// Relations that confine private weights, and their draft.
    ranges: Option<(Relations, Draft)>,
}

impl Drafts {
    pub(crate) fn new(relations: &Relations, options: &Options) -> Result<Self> {
        options.check()?;
        let plan = Plan::new(relations);
        let run = draft(relations, &plan, options, &|r| !private::is_range(relations, r))?;
        if run.assembled.private.is_empty() {
            return Ok(Self { run, ranges: None });
        }
        let (own, numbers) = private::ranges(relations);
        let ranges = draft(&own, &plan.of_some(&numbers), options, &|_| true)?;
        Ok(Self { run, ranges: Some((own, ranges)) })
    }

    /// The way that vectors are opened. Private weights are the same vector in both programs, so both are opened alike.
    pub(crate) fn opening(&self, options: &Options) -> Result<Opening> {
        let fits = |opening: &Opening| {
            let in_ranges = |(_, ranges): &(_, Draft)| Shape::of(&ranges.assembled.system, opening).is_some();
            self.run.fits(opening, options.parts) && self.ranges.as_ref().is_none_or(in_ranges)
        };
        smallest(options.whole, fits)
    }

    /// The system, and the vector `W` without its padding.
    pub(crate) fn parts(&self) -> (&System, &Integers) {
        (&self.run.assembled.system, &self.run.assembled.weights)
    }

    /// Calls of the hash behind commitments.
    pub(crate) fn hash_calls(&self) -> u64 {
        self.run.structure.hash.as_ref().map_or(0, |hash| hash.calls)
    }

    fn finished(self, opening: Opening) -> Unconfirmed {
        let ranges = self
            .ranges
            .map(|(relations, draft)| Box::new(Ranges { relations, layout: draft.finished(opening) }));
        Unconfirmed(Layout { ranges, ..self.run.finished(opening) })
    }
}

/// A layout whose vectors have no length yet.
struct Draft {
    structure: Structure,
    assembled: assemble::Assembled,
    ledger: Ledger,
}

/// Lays out those relations that are `stated` here.
fn draft(
    relations: &Relations,
    plan: &Plan,
    options: &Options,
    stated: &dyn Fn(&Relation) -> bool,
) -> Result<Draft> {
    let facts = Facts::new(relations);
    let proven = analyse(relations, &facts, options.limb_bits)?;
    let mut here = proven.clone();
    here.needed.iter_mut().zip(&relations.relations).for_each(|(needed, (_, r))| *needed &= stated(r));
    let mut choices =
        Choices { limb_bits: options.limb_bits, columns: options.columns, kept: BTreeSet::new() };
    loop {
        let mut structure = structure(relations, &here, plan, &choices)?;
        match assemble(relations, plan, &mut structure, options) {
            Ok(assembled) => {
                let ledger = ledger(relations, &proven, &structure, options.limb_bits);
                return Ok(Draft { structure, assembled, ledger });
            }
            Err(Failure::Refused(error)) => return Err(error),
            Err(Failure::NeedsCells(needs)) => {
                // What was committed to before has its cells already.
                let var = needs.0.0 as usize;
                let fixed = matches!(structure.homes[var], Home::Literal(_) | Home::Weights | Home::Private);
                if fixed || !choices.kept.insert(needs.0.0) {
                    let label = relations.vars[var].name.clone();
                    let detail = "a view of it is no sum of structured terms; the sumcheck back end does not support it yet, \
                                  the halo2 back end does"
                        .into();
                    return Err(Error::Unsupported { label, detail });
                }
            }
        }
    }
}

/// The smallest opening that fits, of one row or about square.
fn smallest(whole: bool, fits: impl Fn(&Opening) -> bool) -> Result<Opening> {
    (6..=32)
        .map(|bits| Opening { bits, column_bits: if whole { bits } else { bits / 2 } })
        .find(fits)
        .ok_or_else(|| Error::Defect("the vectors of this model are too long".into()))
}

fn ledger(relations: &Relations, proven: &Proven, structure: &Structure, limb_bits: u32) -> Ledger {
    let defines = structure.defines.iter().enumerate();
    let substituted: HashMap<usize, Vec<u32>> =
        defines.filter_map(|(i, var)| Some((i, vec![var.as_ref()?.0]))).collect();
    zkml_graph::standing::ledger(relations, proven, &substituted, limb_bits)
}

impl Draft {
    /// Returns true if no vector has more than so many parts.
    fn fits(&self, opening: &Opening, parts: u32) -> bool {
        let most = Shape::of(&self.assembled.system, opening).and_then(|shape| {
            let of_weights = (self.assembled.weights.len() as u64).div_ceil(opening.length()) as u32;
            shape.parts.into_iter().chain([of_weights, shape.private_parts]).max()
        });
        most.is_some_and(|found| found <= parts.max(1))
    }

    fn finished(self, opening: Opening) -> Layout {
        let Self { structure, assembled, ledger } = self;
        let assemble::Assembled { system, mut weights, private, places } = assembled;
        weights.resize((weights.len() as u64).next_multiple_of(opening.length()) as usize);
        let zeros = structure.blocks.iter().map(block::Block::zeros_hold).collect();
        Layout {
            system,
            opening,
            weights: Arc::new(weights),
            ledger,
            structure,
            places,
            zeros,
            private,
            ranges: None,
        }
    }
}

impl Layout {
    /// The vector `V` of values as [`Relations::assign`] gives them, padded to whole parts.
    pub fn private_values(&self, values: &[Vec<i64>]) -> Vec<Fr> {
        let cells = self.system.private.map_or(0, |p| p.cells);
        private::vector(&self.private, values, cells.next_multiple_of(self.opening.length()) as usize)
    }

    /// The cells of a run: `values` as [`Relations::assign`] gives them, a salt for each commitment to inputs and outputs in the
    /// statement's order.
    ///
    /// # Errors
    /// [`Error::Committed`] for values that their code cannot write, [`Error::Witness`] for another number of salts, and for a model
    /// with private weights.
    pub fn witness(
        &self,
        relations: &Relations,
        values: &[Vec<i64>],
        context: Fr,
        salts: &[Fr],
    ) -> Result<Witness> {
        self.witness_with(relations, values, context, salts, None)
    }

    /// As [`Layout::witness`], of a model with private weights: those of `values`.
    ///
    /// # Errors
    /// As [`Layout::witness`], and [`Error::Witness`] where private weights are missing.
    pub fn witness_with(
        &self,
        relations: &Relations,
        values: &[Vec<i64>],
        context: Fr,
        salts: &[Fr],
        private: Option<Arc<PrivateWeights>>,
    ) -> Result<Witness> {
        if private.is_some() != self.system.private.is_some() {
            return Err(Error::Witness("its private weights are missing, or it has none".into()));
        }
        let (grid, loose) = self.small(values);
        let chains = self.structure.hash.as_ref().map_or(0, |h| h.chains.len());
        if salts.len() != chains {
            return Err(Error::Witness(format!("{} salts for {chains} commitments", salts.len())));
        }
        let called = self.structure.hash.as_ref().map(|h| h.called(relations, values, salts)).transpose()?;
        let mut out = Witness { grid, loose, wide: vec![], instances: vec![], private };
        let mut commitments = vec![];
        if let Some(called) = called {
            let address = |block: usize, column: usize, row: u64| match &self.places[block] {
                Place::Rows { start, column: first } => {
                    ((first + column) << self.system.row_bits) + (start + row) as usize
                }
                Place::Loose(columns) => (columns[column] + row) as usize,
            };
            out.wide = called.cells.into_iter().map(|(b, c, row, v)| (address(b, c, row), v)).collect();
            commitments = called.commitments;
        }
        let of_weights = out.private.as_deref().map(PrivateWeights::instance);
        out.instances = instances(relations, values, context, commitments, of_weights)?;
        Ok(out)
    }

    /// The cells that hold small integers: those of the grid, and loose ones.
    fn small(&self, values: &[Vec<i64>]) -> (Vec<i64>, Vec<i64>) {
        let rows = 1usize << self.system.row_bits;
        let cells = self.system.columns as usize * rows;
        let first = cells.next_multiple_of(1 << self.system.table.bits) + (1 << self.system.table.bits);
        let (mut grid, mut loose) = (vec![0i64; cells], vec![0i64; self.system.loose as usize]);
        for ((block, place), zeros) in self.structure.blocks.iter().zip(&self.places).zip(&self.zeros) {
            let length = 1usize << block.digits.total_bits();
            for (c, role) in block.columns.iter().enumerate() {
                let Some(view) = role.view() else { continue };
                let shown = view.map.gather(&values[view.var.0 as usize]);
                let cells = match place {
                    Place::Rows { start, column } => {
                        &mut grid[(column + c) * rows + *start as usize..][..length]
                    }
                    Place::Loose(columns) => &mut loose[columns[c] as usize - first..][..length],
                };
                if !zeros {
                    // Rows beyond the elements hold what the first one does.
                    cells.fill(shown.first().map_or(0, |v| role.of(*v)));
                }
                for (i, v) in shown.iter().enumerate() {
                    cells[block.digits.address(i as u64) as usize] = role.of(*v);
                }
            }
        }
        (grid, loose)
    }
}

/// The public field elements of a run.
fn instances(
    relations: &Relations,
    values: &[Vec<i64>],
    context: Fr,
    commitments: Vec<Fr>,
    of_weights: Option<Fr>,
) -> Result<Vec<Fr>> {
    let mut out = vec![context];
    let mut commitments = commitments.into_iter();
    for (_, item) in assemble::statement::items(relations) {
        if let Relation::Commit { section: Section::Model, .. } = item {
            out.extend(of_weights);
            continue;
        }
        let Relation::Public { v, code, .. } = item else {
            out.extend(commitments.next());
            continue;
        };
        let shown = v.map.gather(&values[v.var.0 as usize]);
        match code {
            None => out.extend(shown.iter().map(|x| from_i64(*x))),
            Some(code) => {
                let words = hash::protocol_code(*code).pack(&shown).map_err(|i| {
                    Error::Witness(format!("public value {i} is beyond the {} bits of its code", code.bits))
                })?;
                out.extend(words.iter().map(|w| zkml_curve::scalar_from_word(w).unwrap_or(Fr::ZERO)));
            }
        }
    }
    Ok(out)
}
