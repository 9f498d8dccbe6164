//! From structure to a system of the protocol: rows, table, weights, relations.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_word;
use zkml_graph::{Relation, Section, System as Relations, View};
use zkml_protocol::{
    Word,
    sumcheck::{
        Affine, Axis, AxisStep, Contraction, Form, Gate, Index, Linear, Lookup, Monomial, Segment, Source,
        System, Table, TableSegment, Template, Term, Weight, bits_for,
    },
};

use super::{
    digits::{Digits, Plan, Space, Sub},
    resolve::{NeedsCells, Place, Places, Resolver, ones},
    structure::{self, Block, Home, Structure, Tie},
};
use crate::{
    error::{Error, Result},
    field::from_i64,
};

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

/// Values that share words of the statement, in a block of their own.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    /// Their block.
    pub(crate) block: usize,
}

/// What comes of assembling.
pub(crate) struct Assembled {
    pub(crate) system: System,
    /// The vector `W`, without its padding.
    pub(crate) weights: Vec<Fr>,
    /// Where each block is.
    pub(crate) places: Vec<Place>,
    /// For each block, its template; none for loose ones.
    pub(crate) templates: Vec<Option<usize>>,
}

/// Assembles a structure; lookups share helpers in groups of `per_helper`.
pub(crate) fn assemble(
    relations: &Relations,
    plan: &Plan,
    structure: &mut Structure,
    limb_bits: u32,
    per_helper: u32,
) -> Result<Assembled, Failure> {
    let packed = packed(relations, structure);
    let table_bits = table_bits(relations, limb_bits);
    let in_grid = structure.blocks.iter().filter(|b| !b.is_loose());
    let columns = in_grid.map(|b| b.columns.len()).max().unwrap_or(0).max(1) as u32;
    let (blocks, row_bits, idle, loose) = places(&structure.blocks, columns.into(), table_bits);
    let (mut weights, places) = weights(relations, plan, structure, table_bits);
    fill_outputs(relations, limb_bits, table_bits, &mut weights);
    let places = Places { blocks, row_bits, weights: places };
    let (templates, of_blocks) = templates(&structure.blocks, &places, idle, per_helper);
    let resolver = Resolver { system: relations, plan, structure, places: &places };
    let mut linears = Vec::new();
    for tie in &structure.ties {
        linears.push(tied(&resolver, tie)?);
    }
    let instances = statement(&resolver, &packed, &mut linears)?;
    let mut contractions = Vec::new();
    for i in 0..relations.relations.len() {
        contractions.extend(contraction(&resolver, i)?);
    }
    let system = System {
        row_bits,
        columns,
        lookups_per_helper: per_helper,
        templates,
        table: table(relations, limb_bits, table_bits),
        contractions,
        linears,
        instances,
        loose,
    };
    Ok(Assembled { system, weights, places: places.blocks, templates: of_blocks })
}

/// Blocks by length, the longest first, so that each begins at a multiple of its length.
fn by_length(blocks: &[Block], loose: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..blocks.len()).filter(|b| blocks[*b].is_loose() == loose).collect();
    order.sort_by_key(|b| std::cmp::Reverse(blocks[*b].digits.total_bits()));
    order
}

/// Places of all blocks; what is left over of the rows, and the number of loose cells.
fn places(blocks: &[Block], columns: u64, table_bits: u32) -> (Vec<Place>, u32, Vec<Segment>, u64) {
    let mut out = vec![Place::Loose(vec![]); blocks.len()];
    let mut at = 0u64;
    for b in by_length(blocks, false) {
        out[b] = Place::Rows(at);
        at += 1 << blocks[b].digits.total_bits();
    }
    let row_bits = bits_for(at);
    let mut idle = Vec::new();
    while at < 1 << row_bits {
        let bits = at.trailing_zeros().min(row_bits);
        idle.push(Segment { start: at, bits });
        at += 1 << bits;
    }
    let first = (columns << row_bits).next_multiple_of(1 << table_bits) + (1 << table_bits);
    let mut at = first;
    for b in by_length(blocks, true) {
        let bits = blocks[b].digits.total_bits();
        at = at.next_multiple_of(1 << bits);
        let column = |c: usize| at + ((c as u64) << bits);
        out[b] = Place::Loose((0..blocks[b].columns.len()).map(column).collect());
        at += (blocks[b].columns.len() as u64) << bits;
    }
    (out, row_bits, idle, at - first)
}

/// Templates, equal ones once, and that of each block.
fn templates(
    blocks: &[Block],
    places: &Places,
    idle: Vec<Segment>,
    per_helper: u32,
) -> (Vec<Template>, Vec<Option<usize>>) {
    let most = blocks.iter().map(|b| b.lookups.len()).max().unwrap_or(0).max(1);
    let count = most.next_multiple_of(per_helper as usize);
    let mut out: Vec<Template> = Vec::new();
    let mut of_blocks = Vec::new();
    let mut add = |lookups: Vec<Lookup>, gates: Vec<Gate>, segments: Vec<Segment>| {
        let known = out.iter().position(|t| t.lookups == lookups && t.gates == gates);
        let at = known.unwrap_or_else(|| {
            out.push(Template { segments: vec![], lookups, gates });
            out.len() - 1
        });
        out[at].segments.extend(segments);
        at
    };
    for (block, place) in blocks.iter().zip(&places.blocks) {
        let Place::Rows(start) = place else {
            of_blocks.push(None);
            continue;
        };
        let mut lookups: Vec<Lookup> = block.lookups.iter().map(lookup).collect();
        lookups.resize(count, Lookup::default());
        let gates = block.gates.iter().map(gate).collect();
        of_blocks.push(Some(add(
            lookups,
            gates,
            vec![Segment { start: *start, bits: block.digits.total_bits() }],
        )));
    }
    if !idle.is_empty() {
        add(vec![Lookup::default(); count], vec![], idle);
    }
    (out, of_blocks)
}

fn affine(form: &structure::Affine) -> Affine {
    let terms = form.terms.iter().map(|(c, w)| (*c as u32, scalar_word(w))).collect();
    Affine { constant: scalar_word(&form.constant), terms }
}

fn lookup(l: &structure::Looked) -> Lookup {
    Lookup { key: affine(&l.key), outputs: l.outputs.iter().map(affine).collect(), tag: l.tag }
}

fn gate(polynomial: &structure::Polynomial) -> Gate {
    let monomial = |(w, columns): &(Fr, Vec<usize>)| Monomial {
        coefficient: scalar_word(w),
        columns: columns.iter().map(|c| *c as u32).collect(),
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

/// The vector `W`: outputs of functions, then constants, the largest first.
fn weights(relations: &Relations, plan: &Plan, structure: &Structure, bits: u32) -> (Vec<Fr>, Vec<u64>) {
    let mut out = vec![Fr::ZERO; outputs(relations) << bits];
    let constants = structure.homes.iter().enumerate().filter(|(_, h)| matches!(h, Home::Weights));
    let mut order: Vec<usize> = constants.map(|(v, _)| v).collect();
    order.sort_by_key(|v| std::cmp::Reverse(plan.digits[*v].total_bits()));
    let mut places = vec![0; relations.vars.len()];
    for v in order {
        let digits = &plan.digits[v];
        let base = (out.len() as u64).next_multiple_of(1 << digits.total_bits());
        places[v] = base;
        out.resize((base + (1 << digits.total_bits())) as usize, Fr::ZERO);
        for (i, x) in relations.vars[v].constant.iter().flatten().enumerate() {
            out[(base + digits.address(i as u64)) as usize] = from_i64(*x);
        }
    }
    (out, places)
}

/// Writes the outputs of the functions into `W`.
fn fill_outputs(relations: &Relations, limb_bits: u32, bits: u32, weights: &mut [Fr]) {
    let mut row = 0usize;
    for (part, of, first) in table_parts(relations, limb_bits) {
        for (j, column) in of.iter().flat_map(|i| &relations.tables[*i].columns).enumerate() {
            for offset in 0..1usize << part {
                weights[(j << bits) + row + offset] = from_i64(column[first as usize + offset]);
            }
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

/// A contraction, if the relation is one.
fn contraction(resolver: &Resolver<'_>, number: usize) -> Result<Option<Contraction>, Failure> {
    let relation = &resolver.system.relations[number].1;
    let Relation::Contract { a, b, addend, y, ranks: [rb, rm, rk, _] } = relation else { return Ok(None) };
    let all = resolver.parts(number);
    let space = Space::of(relation);
    let kind = |p: &Sub| match p.dim {
        d if d < *rb => Kind::Batch,
        d if d < rb + rm => Kind::Free,
        d if d < rb + rm + rk => Kind::Sum,
        _ => Kind::Free,
    };
    let mut kinds: Vec<Kind> = all.iter().map(kind).collect();
    let mut extra = None;
    if !kinds.iter().any(|k| *k != Kind::Free) {
        // Nothing is summed over: the rows, or the columns, or one value stand for a batch.
        match kinds.first_mut() {
            Some(first) => *first = Kind::Batch,
            None => extra = Some(Index::random(2)),
        }
    }
    let numbered = |wanted: Kind| (0..all.len()).filter(move |i| kinds[*i] == wanted);
    let order: Vec<usize> = numbered.clone()(Kind::Free)
        .chain(numbered.clone()(Kind::Batch))
        .chain(numbered.clone()(Kind::Sum))
        .collect();
    let place = |i: u32| order.iter().position(|o| *o == i as usize).unwrap_or(0) as u32;
    let renumber = |mut t: Term| {
        t.broadcast.iter_mut().for_each(|i| *i = place(*i));
        t.axes.iter_mut().flat_map(|a| &mut a.steps).for_each(|s| s.index = place(s.index));
        t
    };
    let form = |v: &View| -> Result<Vec<Term>, Failure> {
        let (_, dims) = space
            .views
            .iter()
            .find(|(o, _)| std::ptr::eq(*o, v))
            .ok_or_else(|| Failure::Refused(Error::Defect("a view of another relation".into())))?;
        Ok(resolver.view(v, dims, &all)?.into_iter().map(renumber).collect())
    };
    let (mut left, right, mut result) = (form(a)?, form(b)?, form(y)?);
    if let Some(addend) = addend {
        result.extend(scaled(form(addend)?, -Fr::ONE));
    }
    let indices = |wanted: Kind| numbered.clone()(wanted).map(|i| Index::random(all[i].extent)).collect();
    let mut sum: Vec<Index> = indices(Kind::Sum);
    if let Some(index) = extra {
        // One value: an index of two values, of which the left operand has the first.
        let steps = vec![AxisStep { index: 0, stride: 1 }];
        left.iter_mut()
            .for_each(|t| t.axes.push(Axis { bit: 0, bits: 0, offset: 0, bound: 1, steps: steps.clone() }));
        sum.push(index);
    }
    let right = right.into_iter().map(|mut t| {
        t.broadcast.extend(extra.map(|_| 0));
        t
    });
    Ok(Some(Contraction {
        free: indices(Kind::Free),
        batch: indices(Kind::Batch),
        sum,
        a: Form(left),
        b: Form(right.collect()),
        y: Form(result),
    }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Free,
    Batch,
    Sum,
}

/// Relations of the statement in its order: inputs, model, outputs.
pub(crate) fn items(relations: &Relations) -> Vec<(usize, &Relation)> {
    let of = |wanted: Section| {
        relations.relations.iter().enumerate().map(|(i, (_, r))| (i, r)).filter(move |(_, r)| match r {
            Relation::Public { section, .. } | Relation::Commit { section, .. } => *section == wanted,
            _ => false,
        })
    };
    [Section::Input, Section::Model, Section::Output].into_iter().flat_map(of).collect()
}

/// Values per word of a code.
fn per_word(code: zkml_graph::Code) -> u64 {
    u64::from(zkml_protocol::Code { bits: code.bits, signed: code.signed }.per_word())
}

/// Blocks for values that are packed into more than one word.
fn packed(relations: &Relations, structure: &mut Structure) -> Vec<Packed> {
    let mut out = Vec::new();
    for (_, r) in items(relations) {
        let Relation::Public { v, code: Some(code), .. } = r else { continue };
        let (count, inner) = (v.map.len() as u64, per_word(*code));
        if count <= inner {
            continue;
        }
        let words = count.div_ceil(inner);
        structure.blocks.push(Block {
            count: words * inner,
            digits: Digits::grouped(words, inner),
            columns: vec![structure::Role::Value(v.clone())],
            lookups: vec![],
            gates: vec![],
        });
        out.push(Packed { block: structure.blocks.len() - 1 });
    }
    out
}

/// Linear relations for all that the statement shows; the number of instances.
fn statement(resolver: &Resolver<'_>, packed: &[Packed], linears: &mut Vec<Linear>) -> Result<u32, Failure> {
    let mut next = 1u32;
    let mut packed = packed.iter();
    for (number, item) in items(resolver.system) {
        let label = resolver.system.relations[number].0.clone();
        let Relation::Public { v, code, .. } = item else {
            let detail = "values that the statement only commits to are not supported by the sumcheck back end yet; make \
                          inputs and outputs public, or use the halo2 back end"
                .into();
            return Err(Failure::Refused(Error::Unsupported { label, detail }));
        };
        let all = resolver.parts(number);
        let dims: Vec<usize> = (0..v.map.shape.len()).collect();
        let form = resolver.view(v, &dims, &all)?;
        let Some(code) = code else {
            linears.push(Linear { indices: random(&all), form: Form(form), instances: Some(next) });
            next += v.map.len() as u32;
            continue;
        };
        let (count, inner) = (v.map.len() as u64, per_word(*code));
        let base = Fr::from(2).pow_vartime([u64::from(code.bits)]);
        let offset = from_i64(-code.lo());
        let extents: Vec<u64> = v.map.shape.iter().map(|n| *n as u64).collect();
        let weight_of = |p: &Sub| p.divisor * extents[p.dim + 1..].iter().product::<u64>();
        if count <= inner {
            let every = (0..all.len() as u32).collect();
            let index = |p: &Sub| Index {
                extent: p.extent,
                weight: Weight::Packed(scalar_word(&base.pow_vartime([weight_of(p)]))),
            };
            let mut form = form;
            if offset != Fr::ZERO {
                form.push(ones(offset, every));
            }
            linears.push(Linear {
                indices: all.iter().map(index).collect(),
                form: Form(form),
                instances: Some(next),
            });
            next += 1;
            continue;
        }
        let Some(own) = packed.next() else {
            return Err(Failure::Refused(Error::Defect("packed values without a block".into())));
        };
        let words = count.div_ceil(inner);
        let cells = word_terms(resolver, own.block, words, count, inner);
        // The block holds the same sequence …
        let sequence =
            |p: &Sub| Index { extent: p.extent, weight: Weight::Sequence { stride: weight_of(p) } };
        let mut indices: Vec<Index> = all.iter().map(sequence).collect();
        let shift = indices.len() as u32;
        indices.push(Index { extent: words, weight: Weight::Sequence { stride: inner } });
        indices.push(Index { extent: inner, weight: Weight::Sequence { stride: 1 } });
        let mut same = form;
        same.extend(scaled(cells.iter().map(|t| shifted(t, shift)).collect(), -Fr::ONE));
        linears.push(Linear { indices, form: Form(same), instances: None });
        // … and its words are what the statement shows.
        let one =
            |t: &Term| Term { source: Source::One, cells: vec![(0, scalar_word(&offset))], ..t.clone() };
        let offsets: Vec<Term> = cells.iter().filter(|_| offset != Fr::ZERO).map(one).collect();
        let indices =
            vec![Index::random(words), Index { extent: inner, weight: Weight::Packed(scalar_word(&base)) }];
        let form = cells.into_iter().chain(offsets).collect();
        linears.push(Linear { indices, form: Form(form), instances: Some(next) });
        next += words as u32;
    }
    Ok(next)
}

fn shifted(term: &Term, by: u32) -> Term {
    let mut out = term.clone();
    out.broadcast.iter_mut().for_each(|i| *i += by);
    out.axes.iter_mut().flat_map(|a| &mut a.steps).for_each(|s| s.index += by);
    out
}

/// Cells of a packed block over word (index 0) and place (index 1): full words, and what the last one has.
fn word_terms(resolver: &Resolver<'_>, block: usize, words: u64, count: u64, inner: u64) -> Vec<Term> {
    let (start, bits) = (resolver.places.cell(block, 0), bits_for(inner));
    let full = count / inner;
    let term = |base: u64, word: Axis, places: u64| {
        let place = Axis { bound: places.min(1 << bits), ..Axis::plain(0, 1, inner) };
        Term {
            source: Source::Witness,
            axes: vec![word, place],
            broadcast: vec![],
            cells: vec![(start + base, Word::ONE)],
        }
    };
    let plain = Axis::plain(bits, 0, words);
    let mut out = vec![term(0, Axis { bound: full.min(plain.bound), ..plain }, 1 << bits)];
    if full < words {
        let steps = vec![AxisStep { index: 0, stride: 1 }];
        let last = Axis { bit: bits, bits: 0, offset: -(full as i64), bound: 1, steps };
        out.push(term(full << bits, last, count - full * inner));
    }
    out
}
