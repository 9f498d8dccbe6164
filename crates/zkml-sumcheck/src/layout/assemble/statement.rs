//! What the statement shows: values, words that several of them share, and where those come from.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_word;
use zkml_graph::{Code, Relation, Section, System as Relations, View};
use zkml_protocol::{
    Word,
    sumcheck::{Axis, AxisStep, Form, Index, Linear, Source, Term, Weight, bits_for},
};

use super::{Failure, random, scaled};
use crate::{
    error::Error,
    field::from_i64,
    layout::{
        block::{self, Block},
        digits::{Digits, Sub},
        resolve::{Resolver, ones},
        structure::Structure,
    },
};

/// Values that share words of the statement, in a block of their own.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    /// Their block.
    pub(super) block: usize,
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
fn per_word(code: Code) -> u64 {
    u64::from(zkml_protocol::Code { bits: code.bits, signed: code.signed }.per_word())
}

/// Blocks for values that are packed into more than one word.
pub(super) fn packed(relations: &Relations, structure: &mut Structure) -> Vec<Packed> {
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
            columns: vec![block::Role::Value(v.clone())],
            lookups: vec![],
            gates: vec![],
        });
        out.push(Packed { block: structure.blocks.len() - 1 });
    }
    out
}

/// Values of the statement with their code: `base^i` is the weight of value `i` in a word.
struct Coded<'a> {
    view: &'a View,
    all: &'a [Sub],
    /// The values.
    form: Vec<Term>,
    /// Number of values, and how many share a word.
    count: u64,
    inner: u64,
    base: Fr,
    /// Added to each value.
    offset: Fr,
}

impl Coded<'_> {
    /// Number of the first value of a part's next value.
    fn stride(&self, part: &Sub) -> u64 {
        let after = &self.view.map.shape[part.dim + 1..];
        part.divisor * after.iter().map(|n| *n as u64).product::<u64>()
    }

    /// The one word that all values share.
    fn word(self, instance: u32) -> Linear {
        let index = |p: &Sub| Index {
            extent: p.extent,
            weight: Weight::Packed(scalar_word(&self.base.pow_vartime([self.stride(p)]))),
        };
        let indices = self.all.iter().map(index).collect();
        let every = (0..self.all.len() as u32).collect();
        let mut form = self.form;
        if self.offset != Fr::ZERO {
            form.push(ones(self.offset, every));
        }
        Linear { indices, form: Form(form), instances: Some(instance) }
    }

    /// A block holds the same sequence of values, and its words are what the statement shows.
    fn words(self, cells: Vec<Term>, instance: u32) -> [Linear; 2] {
        let words = self.count.div_ceil(self.inner);
        let sequence = |extent, stride| Index { extent, weight: Weight::Sequence { stride } };
        let mut indices: Vec<Index> = self.all.iter().map(|p| sequence(p.extent, self.stride(p))).collect();
        let shift = indices.len() as u32;
        indices.extend([sequence(words, self.inner), sequence(self.inner, 1)]);
        let mut same = self.form;
        same.extend(scaled(cells.iter().map(|t| shifted(t, shift)).collect(), -Fr::ONE));
        let same = Linear { indices, form: Form(same), instances: None };
        let one =
            |t: &Term| Term { source: Source::One, cells: vec![(0, scalar_word(&self.offset))], ..t.clone() };
        let offsets: Vec<Term> = cells.iter().filter(|_| self.offset != Fr::ZERO).map(one).collect();
        let weight = Weight::Packed(scalar_word(&self.base));
        let indices = vec![Index::random(words), Index { extent: self.inner, weight }];
        let form = Form(cells.into_iter().chain(offsets).collect());
        [same, Linear { indices, form, instances: Some(instance) }]
    }
}

/// Linear relations for all that the statement shows; the number of instances.
pub(super) fn statement(
    resolver: &Resolver<'_>,
    packed: &[Packed],
    linears: &mut Vec<Linear>,
) -> Result<u32, Failure> {
    let mut next = 1u32;
    let mut packed = packed.iter();
    for (number, item) in items(resolver.system) {
        let Relation::Public { v, code, .. } = item else {
            let label = resolver.system.relations[number].0.clone();
            let detail = "values that the statement only commits to are not supported by the sumcheck back end yet; make \
                          inputs and outputs public, or use the halo2 back end"
                .into();
            return Err(Failure::Refused(Error::Unsupported { label, detail }));
        };
        let all = resolver.parts(number);
        let dims: Vec<usize> = (0..v.map.shape.len()).collect();
        let form = resolver.view(v, &dims, &all)?;
        let count = v.map.len() as u64;
        let Some(code) = code else {
            linears.push(Linear { indices: random(&all), form: Form(form), instances: Some(next) });
            next += count as u32;
            continue;
        };
        let base = Fr::from(2).pow_vartime([u64::from(code.bits)]);
        let (inner, offset) = (per_word(*code), from_i64(-code.lo()));
        let coded = Coded { view: v, all: &all, form, count, inner, base, offset };
        if count <= inner {
            linears.push(coded.word(next));
        } else {
            let own = packed.next();
            let own =
                own.ok_or_else(|| Failure::Refused(Error::Defect("packed values without a block".into())))?;
            let cells = word_terms(resolver, own.block, count.div_ceil(inner), count, inner);
            linears.extend(coded.words(cells, next));
        }
        next += count.div_ceil(inner) as u32;
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
