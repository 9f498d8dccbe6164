//! From structure to a system of the protocol: rows, table, weights, relations.

mod contraction;
mod hash;
mod packed;
pub(super) mod statement;

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_word;
use zkml_graph::{Relation, System as Relations};
use zkml_protocol::sumcheck::{
    Affine, Form, Gate, Index, Linear, Lookup, Monomial, Private, Segment, System, Table, TableSegment,
    Template, Term, bits_for,
};

use super::{
    Options,
    block::{self, Block, Home},
    digits::{Plan, Space, Sub},
    grid::{Grid, Limits, Region, by_length},
    private::{self, Tensor},
    resolve::{NeedsCells, Place, Places, Resolver, ones},
    structure::{Structure, Tie},
};
use crate::{
    Integers,
    error::{Error, Result},
    field::from_i64,
};
use packed::Packed;

/// Why there is no system.
pub(crate) enum Failure {
    /// Try again, with cells for this variable.
    NeedsCells(NeedsCells),
    /// It cannot be helped.
    Refused(Error),
}

impl From<NeedsCells> for Failure {
    fn from(n: NeedsCells) -> Self {
        Self::NeedsCells(n)
    }
}

/// What comes of assembling.
pub(crate) struct Assembled {
    pub(crate) system: System,
    /// The vector `W`, without its padding.
    pub(crate) weights: Integers,
    /// Where each private weight is.
    pub(crate) private: Vec<Tensor>,
    /// Where each block is.
    pub(crate) places: Vec<Place>,
}

/// Assembles a structure.
pub(crate) fn assemble(
    relations: &Relations,
    plan: &Plan,
    structure: &mut Structure,
    options: &Options,
) -> Result<Assembled, Failure> {
    let limb_bits = options.limb_bits;
    let packed = statement::packed(relations, structure);
    let table_bits = table_bits(relations, limb_bits);
    let blocks = &structure.blocks;
    let count = lookups_of_rows(blocks, options.lookups_per_helper);
    let in_grid = blocks.iter().filter(|b| !b.is_loose());
    let widest = in_grid.map(|b| b.columns.len()).max().unwrap_or(0);
    let columns = widest.max(options.columns);
    let limits = Limits { columns, lookups: count, unshared_bits: options.unshared_bits };
    let grid = Grid::new(blocks, limits);
    let templates = templates(blocks, &grid, count);
    let (blocks, loose) = places(blocks, &grid, table_bits);
    let (mut weights, places) = weights(relations, plan, structure, table_bits);
    fill_outputs(relations, limb_bits, table_bits, &mut weights.vector);
    let hash = structure.hash.as_ref().map(|h| hash::put(h, &mut weights)).unwrap_or_default();
    let private = private::tensors(relations, plan);
    let mut of_private = vec![0; relations.vars.len()];
    private.iter().for_each(|t| of_private[t.var.0 as usize] = t.base);
    let row_bits = grid.row_bits;
    let places = Places { blocks, row_bits, weights: places, private: of_private, hash };
    let resolver = Resolver { system: relations, plan, structure, places: &places };
    let mut linears = Vec::new();
    for tie in &structure.ties {
        linears.push(tied(&resolver, tie)?);
    }
    let shown = statement::statement(&resolver, &packed, &mut linears)?;
    let mut contractions = Vec::new();
    for i in 0..relations.relations.len() {
        contractions.extend(contraction::contraction(&resolver, i)?);
    }
    let system = System {
        row_bits,
        columns: grid.columns,
        lookups_per_helper: options.lookups_per_helper,
        templates,
        table: table(relations, limb_bits, table_bits),
        contractions,
        linears,
        instances: shown.instances,
        loose,
        private: shown.private.map(|instance| Private { cells: private::cells(&private), instance }),
    };
    Ok(Assembled { system, weights: weights.vector, private, places: places.blocks })
}

/// Places of all blocks, and the number of loose cells.
fn places(blocks: &[Block], grid: &Grid, table_bits: u32) -> (Vec<Place>, u64) {
    let in_rows = |origin: &Option<(u64, usize)>| match origin {
        Some((start, column)) => Place::Rows { start: *start, column: *column },
        None => Place::Loose(vec![]),
    };
    let mut out: Vec<Place> = grid.origins.iter().map(in_rows).collect();
    let cells = u64::from(grid.columns) << grid.row_bits;
    let first = cells.next_multiple_of(1 << table_bits) + (1 << table_bits);
    let mut at = first;
    for b in by_length(blocks, true) {
        let bits = blocks[b].digits.total_bits();
        at = at.next_multiple_of(1 << bits);
        let column = |c: usize| at + ((c as u64) << bits);
        out[b] = Place::Loose((0..blocks[b].columns.len()).map(column).collect());
        at += (blocks[b].columns.len() as u64) << bits;
    }
    (out, at - first)
}

/// Lookups of a row: as many as those of the block that has the most, in whole groups.
fn lookups_of_rows(blocks: &[Block], per_helper: u32) -> usize {
    let most = blocks.iter().map(|b| b.lookups.len()).max().unwrap_or(0).max(1);
    most.next_multiple_of(per_helper as usize)
}

/// Templates, equal ones once.
fn templates(blocks: &[Block], grid: &Grid, count: usize) -> Vec<Template> {
    let mut out: Vec<Template> = Vec::new();
    for Region { segment, members } in &grid.regions {
        let own = members.iter().filter_map(|b| Some((&blocks[*b], grid.origins[*b]?.1)));
        let mut lookups: Vec<Lookup> =
            own.clone().flat_map(|(b, first)| b.lookups.iter().map(move |l| lookup(l, first))).collect();
        lookups.resize(count, Lookup::default());
        let gates: Vec<Gate> =
            own.flat_map(|(b, first)| b.gates.iter().map(move |g| gate(g, first))).collect();
        match out.iter_mut().find(|t| t.lookups == lookups && t.gates == gates) {
            Some(known) => known.segments.push(*segment),
            None => out.push(Template { segments: vec![*segment], lookups, gates }),
        }
    }
    out
}

/// A sum of columns of a block whose first column is `first`.
fn affine(form: &block::Affine, first: usize) -> Affine {
    let terms = form.terms.iter().map(|(c, w)| ((first + c) as u32, scalar_word(w))).collect();
    Affine { constant: scalar_word(&form.constant), terms }
}

fn lookup(l: &block::Looked, first: usize) -> Lookup {
    let outputs = l.outputs.iter().map(|o| affine(o, first)).collect();
    Lookup { key: affine(&l.key, first), outputs, tag: l.tag }
}

fn gate(polynomial: &block::Polynomial, first: usize) -> Gate {
    let monomial = |(w, columns): &(Fr, Vec<usize>)| Monomial {
        coefficient: scalar_word(w),
        columns: columns.iter().map(|c| (first + c) as u32).collect(),
    };
    Gate(polynomial.iter().map(monomial).collect())
}

/// Parts of the tables, each a power of two long, the largest first: table and first entry. The range is none.
fn table_parts(relations: &Relations, limb_bits: u32) -> Vec<(u32, Option<usize>, u64)> {
    let mut out = vec![(limb_bits, None, 0)];
    for (i, t) in relations.tables.iter().enumerate() {
        let (length, mut at) = (t.len() as u64, 0);
        while at < length {
            let bits = (length - at).ilog2();
            out.push((bits, Some(i), at));
            at += 1 << bits;
        }
    }
    out.sort_by_key(|(bits, ..)| std::cmp::Reverse(*bits));
    out
}

fn table_bits(relations: &Relations, limb_bits: u32) -> u32 {
    bits_for(table_parts(relations, limb_bits).iter().map(|(bits, ..)| 1 << bits).sum())
}

/// Columns of outputs that the tables have.
fn outputs(relations: &Relations) -> usize {
    relations.tables.iter().map(|t| t.columns.len()).max().unwrap_or(0)
}

fn table(relations: &Relations, limb_bits: u32, bits: u32) -> Table {
    let mut at = 0;
    let mut segments = Vec::new();
    for (part, of, first) in table_parts(relations, limb_bits) {
        let tag = of.map_or(0, |i| i as u64 + 1);
        segments.push(TableSegment { rows: Segment { start: at, bits: part }, tag, first_key: first as i64 });
        at += 1 << part;
    }
    Table { bits, segments, outputs: (0..outputs(relations) as u64).map(|j| j << bits).collect() }
}

/// The vector `W`: outputs of functions, then constants, the largest first, each where it is free first: where extents are no powers
/// of two, smaller ones lie between the elements of larger ones.
fn weights(relations: &Relations, plan: &Plan, structure: &Structure, bits: u32) -> (Packed, Vec<u64>) {
    let mut out = Packed::after(outputs(relations) << bits);
    let constants = structure.homes.iter().enumerate().filter(|(_, h)| matches!(h, Home::Weights));
    let mut order: Vec<usize> = constants.map(|(v, _)| v).collect();
    order.sort_by_key(|v| std::cmp::Reverse(plan.digits[*v].total_bits()));
    let mut places = vec![0; relations.vars.len()];
    for v in order {
        let values = relations.vars[v].constant.as_deref().unwrap_or_default();
        places[v] = out.put(&plan.digits[v], values);
    }
    (out, places)
}

/// Writes the outputs of the functions into `W`.
fn fill_outputs(relations: &Relations, limb_bits: u32, bits: u32, weights: &mut Integers) {
    let mut row = 0usize;
    for (part, of, first) in table_parts(relations, limb_bits) {
        for (j, column) in of.iter().flat_map(|i| &relations.tables[*i].columns).enumerate() {
            let (start, count) = ((j << bits) + row, 1usize << part);
            let own = weights.small_mut(start..start + count);
            own.copy_from_slice(&column[first as usize..first as usize + count]);
        }
        row += 1 << part;
    }
}

fn random(all: &[Sub]) -> Vec<Index> {
    all.iter().map(|p| Index::random(p.extent)).collect()
}

fn scaled(terms: Vec<Term>, factor: Fr) -> Vec<Term> {
    let by = |t: Term| Term {
        cells: t
            .cells
            .iter()
            .map(|(b, w)| (*b, scalar_word(&(factor * zkml_curve::scalar_from_word(w).unwrap_or(Fr::ZERO)))))
            .collect(),
        ..t
    };
    terms.into_iter().map(by).collect()
}

/// A tie as a linear relation.
fn tied(resolver: &Resolver<'_>, tie: &Tie) -> Result<Linear, Failure> {
    let number = match tie {
        Tie::Linear(i) | Tie::Copy(i) | Tie::Columns { relation: i, .. } => *i,
    };
    let (label, relation) = &resolver.system.relations[number];
    let all = resolver.parts(number);
    let space = Space::of(relation);
    let dims: Vec<usize> = (0..space.extents.len()).collect();
    let every: Vec<u32> = (0..all.len() as u32).collect();
    let mut form = Vec::new();
    match (tie, relation) {
        (Tie::Linear(_), Relation::Linear { terms, constant }) => {
            for (c, v) in terms {
                form.extend(scaled(resolver.view(v, &dims, &all)?, from_i64(*c)));
            }
            if *constant != 0 {
                form.push(ones(from_i64(*constant), every));
            }
        }
        (Tie::Copy(_), Relation::Copy { from, to }) => {
            form.extend(resolver.view(from, &dims, &all)?);
            form.extend(scaled(resolver.view(to, &dims, &all)?, -Fr::ONE));
        }
        (Tie::Columns { block, form: own, view, .. }, _) => {
            let columns = resolver.columns(*block, &own.terms, &space.extents, &all);
            form.push(columns.ok_or_else(|| {
                let detail = "its elements are not numbered as those of its block".into();
                Failure::Refused(Error::Unsupported { label: label.clone(), detail })
            })?);
            if own.constant != Fr::ZERO {
                form.push(ones(own.constant, every));
            }
            form.extend(scaled(resolver.view(view, &dims, &all)?, -Fr::ONE));
        }
        _ => return Err(Failure::Refused(Error::Defect("a tie of another relation".into()))),
    }
    Ok(Linear { indices: random(&all), form: Form(form), instances: None })
}
