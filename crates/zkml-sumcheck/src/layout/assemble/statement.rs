//! What the statement shows: values, words that several of them share, and where those come from.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_word;
use zkml_graph::{Code, Relation, Section, System as Relations, View};
use zkml_protocol::{
    Word,
    sumcheck::{Axis, AxisStep, Form, Index, Linear, Source, Term, Weight, bits_for},
};

use super::{Failure, hash::Calls, random, scaled};
use crate::{
    error::Error,
    field::from_i64,
    layout::{
        block::{self, Block},
        digits::{Digits, Sub},
        hash::{self, Chain, Hash, committed, protocol_code},
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
    u64::from(protocol_code(code).per_word())
}

/// Blocks for values that are packed into more than one word, and for the calls of the hash.
pub(super) fn packed(relations: &Relations, structure: &mut Structure) -> Vec<Packed> {
    let mut out = Vec::new();
    let mut chains: Vec<Chain> = Vec::new();
    for (relation, r) in items(relations) {
        if let Relation::Public { v, code: Some(code), .. } = r {
            out.extend(own_block(structure, v, *code).map(|block| Packed { block }));
        } else if let Some((v, code, _)) = committed(r) {
            let packed = (v.map.len() as u64).div_ceil(per_word(code));
            let calls = zkml_protocol::commitment::calls([(protocol_code(code), v.map.len())]) as u64;
            let first = chains.last().map_or(0, |c| c.last() + 1);
            let block = own_block(structure, v, code);
            chains.push(Chain { relation, first, calls, packed, block });
        }
    }
    if let Some(last) = chains.last() {
        let calls = last.last() + 1;
        let full = structure.blocks.len();
        structure.blocks.extend(hash::blocks(calls));
        structure.hash = Some(Hash { full, partial: full + 1, calls, chains });
    }
    out
}

/// A block of its own for values that are packed into more than one word.
fn own_block(structure: &mut Structure, v: &View, code: Code) -> Option<usize> {
    let (count, inner) = (v.map.len() as u64, per_word(code));
    if count <= inner {
        return None;
    }
    let words = count.div_ceil(inner);
    structure.blocks.push(Block {
        count: words * inner,
        digits: Digits::grouped(words, inner),
        columns: vec![block::Role::Value(v.clone())],
        lookups: vec![],
        gates: vec![],
    });
    Some(structure.blocks.len() - 1)
}

/// Where words are to be found.
#[derive(Clone, Copy)]
enum Target<'a> {
    /// In the statement, from this instance on.
    Statement(u32),
    /// Among what calls of the hash take in, from this word on.
    Calls(&'a Calls<'a>, u64),
}

impl Target<'_> {
    /// The relation that a form is what is to be found, along one of its indices or in one place; the others are zero there.
    fn relation(self, indices: Vec<Index>, mut form: Vec<Term>, along: Option<u32>) -> Linear {
        let instances = match self {
            Self::Statement(first) => Some(first),
            Self::Calls(calls, word) => {
                let zero: Vec<u32> = (0..indices.len() as u32).filter(|i| along != Some(*i)).collect();
                form.extend(calls.taken(word, along, &zero));
                None
            }
        };
        Linear { indices, form: Form(form), instances }
    }
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
    fn word(self, target: Target<'_>) -> Linear {
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
        target.relation(indices, form, None)
    }

    /// A block holds the same sequence of values, and its words are what is to be found.
    fn words(self, cells: Vec<Term>, target: Target<'_>) -> [Linear; 2] {
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
        let form = cells.into_iter().chain(offsets).collect();
        [same, target.relation(indices, form, Some(0))]
    }

    /// The relations that hold the words of these values, in a block of their own or in none, to what is to be found.
    fn stated(self, resolver: &Resolver<'_>, block: Option<usize>, target: Target<'_>) -> Vec<Linear> {
        match block {
            None => vec![self.word(target)],
            Some(block) => {
                let words = self.count.div_ceil(self.inner);
                let cells = word_terms(resolver, block, words, self.count, self.inner);
                self.words(cells, target).to_vec()
            }
        }
    }
}

/// What the statement shows.
pub(super) struct Shown {
    /// Number of instances, the context included.
    pub(super) instances: u32,
    /// The one that commits to private weights.
    pub(super) private: Option<u32>,
}

/// Linear relations for all that the statement shows.
pub(super) fn statement(
    resolver: &Resolver<'_>,
    packed: &[Packed],
    linears: &mut Vec<Linear>,
) -> Result<Shown, Failure> {
    let (mut next, mut private) = (1u32, None);
    let mut packed = packed.iter();
    let calls = resolver.structure.hash.as_ref().map(|hash| (hash, Calls::new(resolver, hash)));
    if let Some((_, calls)) = &calls {
        linears.extend(calls.permutations());
    }
    let mut chains = calls.iter().flat_map(|(hash, calls)| hash.chains.iter().map(move |c| (c, calls)));
    for (number, item) in items(resolver.system) {
        if let Relation::Commit { section: Section::Model, .. } = item {
            // The verifier hashes the commitments to `V` themselves.
            private = Some(next);
            next += 1;
            continue;
        }
        let Relation::Public { v, code, .. } = item else {
            let Some((chain, calls)) = committed(item).and_then(|_| chains.next()) else {
                return Err(Failure::Refused(unsupported(resolver, number)));
            };
            linears.extend(committed_to(resolver, chain, calls, next)?);
            next += 1;
            continue;
        };
        let count = v.map.len() as u64;
        let Some(code) = code else {
            let all = resolver.parts(number);
            let dims: Vec<usize> = (0..v.map.shape.len()).collect();
            let form = Form(resolver.view(v, &dims, &all)?);
            linears.push(Linear { indices: random(&all), form, instances: Some(next) });
            next += count as u32;
            continue;
        };
        let all = resolver.parts(number);
        let coded = coded(resolver, v, *code, &all)?;
        let words = count.div_ceil(coded.inner);
        let block = if words > 1 { packed.next().map(|p| p.block) } else { None };
        linears.extend(coded.stated(resolver, block, Target::Statement(next)));
        next += words as u32;
    }
    Ok(Shown { instances: next, private })
}

fn unsupported(resolver: &Resolver<'_>, number: usize) -> Error {
    let label = resolver.system.relations[number].0.clone();
    let detail = "a commitment to several tensors is not supported by the sumcheck back end".into();
    Error::Unsupported { label, detail }
}

fn coded<'a>(
    resolver: &Resolver<'_>,
    view: &'a View,
    code: Code,
    all: &'a [Sub],
) -> Result<Coded<'a>, Failure> {
    let dims: Vec<usize> = (0..view.map.shape.len()).collect();
    Ok(Coded {
        view,
        all,
        form: resolver.view(view, &dims, all)?,
        count: view.map.len() as u64,
        inner: per_word(code),
        base: Fr::from(2).pow_vartime([u64::from(code.bits)]),
        offset: from_i64(-code.lo()),
    })
}

/// A chain, what it takes in, and its result.
fn committed_to(
    resolver: &Resolver<'_>,
    chain: &Chain,
    calls: &Calls<'_>,
    instance: u32,
) -> Result<Vec<Linear>, Failure> {
    let mut out = calls.chain(resolver, chain);
    if let Some((v, code, _)) = committed(&resolver.system.relations[chain.relation].1) {
        let all = resolver.parts(chain.relation);
        let target = Target::Calls(calls, chain.values());
        out.extend(coded(resolver, v, code, &all)?.stated(resolver, chain.block, target));
    }
    out.push(calls.commitment(chain, instance));
    Ok(out)
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
