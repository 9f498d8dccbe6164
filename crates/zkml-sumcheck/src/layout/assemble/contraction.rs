//! Sums of products: which parts of their dimensions are free, shared, summed over.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_graph::{Relation, View};
use zkml_protocol::sumcheck::{Axis, AxisStep, Contraction, Form, Index, Term};

use super::{Failure, scaled};
use crate::{
    error::Error,
    layout::{
        digits::{Space, Sub},
        resolve::Resolver,
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Free,
    Batch,
    Sum,
}

/// The parts of a contraction's dimensions, by kind.
struct Parts<'a> {
    all: &'a [Sub],
    kinds: Vec<Kind>,
    /// One product alone has no part: an index of two values is summed over, for the second of which it is zero.
    single: bool,
}

impl<'a> Parts<'a> {
    fn new(all: &'a [Sub], [batch, rows, summed, _]: [usize; 4]) -> Self {
        let kind = |p: &Sub| match p.dim {
            d if d < batch => Kind::Batch,
            d if (batch + rows..batch + rows + summed).contains(&d) => Kind::Sum,
            _ => Kind::Free,
        };
        let mut kinds: Vec<Kind> = all.iter().map(kind).collect();
        if kinds.iter().all(|k| *k == Kind::Free) {
            // Nothing is summed over: a part of the rows or columns stands for a batch.
            kinds.iter_mut().take(1).for_each(|k| *k = Kind::Batch);
        }
        Self { all, single: kinds.is_empty(), kinds }
    }

    fn of(&self, wanted: Kind) -> impl Iterator<Item = usize> + '_ {
        (0..self.all.len()).filter(move |i| self.kinds[*i] == wanted)
    }

    fn indices(&self, wanted: Kind) -> Vec<Index> {
        let single = self.single && wanted == Kind::Sum;
        let own = self.of(wanted).map(|i| Index::random(self.all[i].extent));
        own.chain(single.then_some(Index::random(2))).collect()
    }

    /// A term with its indices numbered as those of the contraction: free, batch, summed.
    fn numbered(&self, mut term: Term) -> Term {
        let kinds = [Kind::Free, Kind::Batch, Kind::Sum];
        let order: Vec<usize> = kinds.into_iter().flat_map(|k| self.of(k)).collect();
        let place = |i: u32| order.iter().position(|o| *o == i as usize).unwrap_or(0) as u32;
        term.broadcast.iter_mut().for_each(|i| *i = place(*i));
        term.axes.iter_mut().flat_map(|a| &mut a.steps).for_each(|s| s.index = place(s.index));
        term
    }
}

/// A contraction, if the relation is one.
pub(super) fn contraction(resolver: &Resolver<'_>, number: usize) -> Result<Option<Contraction>, Failure> {
    let relation = &resolver.system.relations[number].1;
    let Relation::Contract { a, b, addend, y, ranks } = relation else { return Ok(None) };
    let all = resolver.parts(number);
    let parts = Parts::new(&all, *ranks);
    let space = Space::of(relation);
    let form = |v: &View| -> Result<Vec<Term>, Failure> {
        let strange = || Failure::Refused(Error::Defect("a view of another relation".into()));
        let (_, dims) = space.views.iter().find(|(o, _)| std::ptr::eq(*o, v)).ok_or_else(strange)?;
        Ok(resolver.view(v, dims, &all)?.into_iter().map(|t| parts.numbered(t)).collect())
    };
    let (mut left, mut right, mut result) = (form(a)?, form(b)?, form(y)?);
    if let Some(addend) = addend {
        result.extend(scaled(form(addend)?, -Fr::ONE));
    }
    if parts.single {
        let steps = vec![AxisStep { index: 0, stride: 1 }];
        let first = Axis { bit: 0, bits: 0, offset: 0, bound: 1, steps };
        left.iter_mut().for_each(|t| t.axes.push(first.clone()));
        right.iter_mut().for_each(|t| t.broadcast.push(0));
    }
    Ok(Some(Contraction {
        free: parts.indices(Kind::Free),
        batch: parts.indices(Kind::Batch),
        sum: parts.indices(Kind::Sum),
        a: Form(left),
        b: Form(right),
        y: Form(result),
    }))
}
