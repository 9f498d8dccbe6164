//! Views as terms over committed vectors: through definitions and copies, down to cells and weights.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::{scalar_from_word, scalar_word};
use zkml_graph::{Map, Relation, System, VarId, View};
use zkml_protocol::{
    Word,
    sumcheck::{Axis, AxisStep, Source, Term, bits_for},
};

use super::{
    block::Home,
    digits::{Plan, Space, Sub, parts},
    hash::Constants,
    lens::{Coordinate, Lens},
    structure::Structure,
};
use crate::field::from_i64;

/// A variable whose values have to be in cells, since a view of it is no sum of structured terms otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NeedsCells(pub(crate) VarId);

/// Addresses of everything.
pub(crate) struct Places {
    /// Where each block is.
    pub(crate) blocks: Vec<Place>,
    /// Binary logarithm of all rows.
    pub(crate) row_bits: u32,
    /// Address in `W` of each constant that lies there.
    pub(crate) weights: Vec<u64>,
    /// Address in `V` of each private weight.
    pub(crate) private: Vec<u64>,
    /// Addresses in `W` of the hash's constants.
    pub(crate) hash: Constants,
}

/// Where a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the grid, from this row and this column on.
    Rows { start: u64, column: usize },
    /// After the multiplicities: the address of each of its columns.
    Loose(Vec<u64>),
}

impl Places {
    /// Address in `T` of the first cell of a column of a block.
    pub(crate) fn cell(&self, block: usize, column: usize) -> u64 {
        match &self.blocks[block] {
            Place::Rows { start, column: first } => (((first + column) as u64) << self.row_bits) + start,
            Place::Loose(columns) => columns[column],
        }
    }
}

/// Resolves views.
pub(crate) struct Resolver<'a> {
    pub(crate) system: &'a System,
    pub(crate) plan: &'a Plan,
    pub(crate) structure: &'a Structure,
    pub(crate) places: &'a Places,
}

/// The constant one over some parts.
pub(crate) fn ones(coefficient: Fr, broadcast: Vec<u32>) -> Term {
    let cells = vec![(0, scalar_word(&coefficient))];
    Term { source: Source::One, axes: vec![], broadcast, cells }
}

fn scaled(term: &Term, factor: Fr) -> Term {
    let by = |w: &Word| scalar_word(&(factor * scalar_from_word(w).unwrap_or(Fr::ZERO)));
    let cells = term.cells.iter().map(|(base, w)| (*base, by(w))).collect();
    Term { cells, ..term.clone() }
}

/// What a part of an inner relation is in terms of the parts of an outer one.
struct Inner {
    offset: i64,
    steps: Vec<(usize, i64)>,
    /// Number of valid values, where others occur.
    bound: Option<u64>,
}

/// A digit that has to have one value.
struct Fixed {
    offset: i64,
    steps: Vec<(usize, i64)>,
}

impl Resolver<'_> {
    /// The parts of a relation's dimensions.
    pub(crate) fn parts(&self, relation: usize) -> Vec<Sub> {
        let space = Space::of(&self.system.relations[relation].1);
        parts(&space.extents, &self.plan.splits[relation])
    }

    /// A view as a sum of terms over the parts of its relation.
    pub(crate) fn view(&self, view: &View, dims: &[usize], all: &[Sub]) -> Result<Vec<Term>, NeedsCells> {
        let var = view.var.0 as usize;
        let fail = NeedsCells(view.var);
        let shown: Vec<u32> =
            (0u32..).zip(all).filter(|(_, p)| dims.contains(&p.dim)).map(|(i, _)| i).collect();
        let home = &self.structure.homes[var];
        // Definitions and copies say what each digit is; cells and weights have addresses.
        let of = if matches!(home, Home::Defined { .. } | Home::Wired) { Lens::of } else { Lens::of_cells };
        let lens = of(&view.map, &self.plan.digits[var], dims, all);
        if let (Home::Literal(c), true) = (home, view.map.stays_inside()) {
            return Ok(vec![ones(from_i64(*c), shown)]);
        }
        let lens = lens.ok_or(fail)?;
        let mut out = match home {
            Home::Literal(c) => vec![self.seen(&lens, Source::One, vec![(0, from_i64(*c))])],
            Home::Weights => {
                vec![self.seen(&lens, Source::Weights, vec![(self.places.weights[var], Fr::ONE)])]
            }
            Home::Private => {
                vec![self.seen(&lens, Source::Private, vec![(self.places.private[var], Fr::ONE)])]
            }
            Home::Cells { block, form } => {
                let cell = |(c, w): &(usize, Fr)| (self.places.cell(*block, *c), *w);
                let mut terms = Vec::new();
                if !form.terms.is_empty() {
                    terms.push(self.seen(&lens, Source::Witness, form.terms.iter().map(cell).collect()));
                }
                if form.constant != Fr::ZERO {
                    terms.push(self.constant(&lens, form.constant, &shown));
                }
                terms
            }
            Home::Defined { relation, term } => self.defined(view.var, *relation, *term, &lens, &shown)?,
            Home::Wired => self.wired(view.var, &lens, all)?,
            Home::Unused => return Err(fail),
        };
        if let (Some(pad), true) = (view.map.pad.filter(|p| *p != 0), lens.is_padded()) {
            let pad = from_i64(pad);
            out.push(ones(pad, shown));
            out.push(self.seen(&lens, Source::One, vec![(0, -pad)]));
        }
        out.into_iter().map(|term| apart(term, all)).collect::<Option<_>>().ok_or(fail)
    }

    /// Cells through a lens.
    fn seen(&self, lens: &Lens, source: Source, cells: Vec<(u64, Fr)>) -> Term {
        let axes = lens.coordinates.iter().map(Coordinate::axis).collect();
        let broadcast = lens.broadcast.iter().map(|p| *p as u32).collect();
        Term {
            source,
            axes,
            broadcast,
            cells: cells.into_iter().map(|(b, w)| (b, scalar_word(&w))).collect(),
        }
    }

    /// A constant wherever a lens shows something.
    fn constant(&self, lens: &Lens, c: Fr, shown: &[u32]) -> Term {
        if lens.is_padded() { self.seen(lens, Source::One, vec![(0, c)]) } else { ones(c, shown.to_vec()) }
    }

    /// What a definition says, through a lens.
    fn defined(
        &self,
        var: VarId,
        relation: usize,
        term: usize,
        outer: &Lens,
        shown: &[u32],
    ) -> Result<Vec<Term>, NeedsCells> {
        let fail = NeedsCells(var);
        let Relation::Linear { terms, constant } = &self.system.relations[relation].1 else {
            return Err(fail);
        };
        let all = self.parts(relation);
        let dims: Vec<usize> = (0..terms[term].1.map.shape.len()).collect();
        let own = Lens::of(&terms[term].1.map, &self.plan.digits[var.0 as usize], &dims, &all).ok_or(fail)?;
        let mut inner: Vec<Option<Inner>> = all.iter().map(|_| None).collect();
        for (coordinate, outer) in own.coordinates.iter().zip(&outer.coordinates) {
            let ([(part, 1)], 0) = (coordinate.steps.as_slice(), coordinate.offset) else { return Err(fail) };
            inner[*part] =
                Some(Inner { offset: outer.offset, steps: outer.steps.clone(), bound: outer.bound });
        }
        let inner: Vec<Inner> = inner.into_iter().collect::<Option<_>>().ok_or(fail)?;
        let factor = -Option::<Fr>::from(from_i64(terms[term].0).invert()).ok_or(fail)?;
        let units: Vec<Fixed> = outer.coordinates[own.coordinates.len()..]
            .iter()
            .map(|c| Fixed { offset: c.offset, steps: c.steps.clone() })
            .collect();
        let mut out = Vec::new();
        if *constant != 0 {
            out.push(self.constant(outer, factor * from_i64(*constant), shown));
        }
        for (i, (c, v)) in terms.iter().enumerate() {
            if i == term {
                continue;
            }
            for t in self.view(v, &dims, &all)? {
                let t = scaled(&t, factor * from_i64(*c));
                out.push(substituted(&t, &inner, &units, &outer.broadcast).ok_or(fail)?);
            }
        }
        Ok(out)
    }

    /// What copies say, through a lens.
    fn wired(&self, var: VarId, outer: &Lens, outer_parts: &[Sub]) -> Result<Vec<Term>, NeedsCells> {
        let fail = NeedsCells(var);
        let digits = &self.plan.digits[var.0 as usize];
        let mut out = Vec::new();
        for (i, (_, r)) in self.system.relations.iter().enumerate() {
            let Relation::Copy { from, to } = r else { continue };
            if to.var != var {
                continue;
            }
            let all = self.parts(i);
            let dims: Vec<usize> = (0..to.map.shape.len()).collect();
            let own = Lens::of(&to.map, digits, &dims, &all).ok_or(fail)?;
            let Some((inner, mut fixed)) = inverse(&own, &all, outer, outer_parts).ok_or(fail)? else {
                continue;
            };
            let units = &outer.coordinates[own.coordinates.len()..];
            fixed.extend(units.iter().map(|c| Fixed { offset: c.offset, steps: c.steps.clone() }));
            for t in self.view(from, &dims, &all)? {
                out.push(substituted(&t, &inner, &fixed, &outer.broadcast).ok_or(fail)?);
            }
        }
        Ok(out)
    }

    /// Columns of a block over the parts of a relation whose space it has.
    pub(crate) fn columns(
        &self,
        block: usize,
        cells: &[(usize, Fr)],
        extents: &[u64],
        all: &[Sub],
    ) -> Option<Term> {
        let shape: Vec<usize> = extents.iter().map(|e| *e as usize).collect();
        let dims: Vec<usize> = (0..shape.len()).collect();
        let lens = Lens::of(&Map::identity(&shape), &self.structure.blocks[block].digits, &dims, all)?;
        let cell = |(c, w): &(usize, Fr)| (self.places.cell(block, *c), *w);
        Some(self.seen(&lens, Source::Witness, cells.iter().map(cell).collect()))
    }
}

/// The parts of a copy as functions of the outer parts, given where it writes and what is looked at; `Some(None)` if what is
/// looked at is elsewhere.
fn inverse(
    own: &Lens,
    parts: &[Sub],
    outer: &Lens,
    outer_parts: &[Sub],
) -> Option<Option<(Vec<Inner>, Vec<Fixed>)>> {
    let mut inner: Vec<Option<Inner>> = parts.iter().map(|_| None).collect();
    let mut fixed = Vec::new();
    for (target, looked) in own.coordinates.iter().zip(&outer.coordinates) {
        let offset = looked.offset - target.offset;
        let reach = |(part, stride): &(usize, i64)| stride * (outer_parts[*part].extent as i64 - 1);
        let last = offset + looked.steps.iter().map(reach).filter(|r| *r > 0).sum::<i64>();
        let first = offset + looked.steps.iter().map(reach).filter(|r| *r < 0).sum::<i64>();
        match target.steps.as_slice() {
            [] if last < 0 || first > 0 => return Some(None),
            [] if (first, last) == (0, 0) => {}
            [] => fixed.push(Fixed { offset, steps: looked.steps.clone() }),
            [(part, 1)] => {
                let extent = parts[*part].extent;
                if last < 0 || first >= extent as i64 {
                    return Some(None);
                }
                let inside = looked.bound.is_none() && first >= 0 && last < extent as i64;
                let bound = (!inside).then_some(extent);
                inner[*part] = Some(Inner { offset, steps: looked.steps.clone(), bound });
            }
            _ => return None,
        }
    }
    Some(Some((inner.into_iter().collect::<Option<_>>()?, fixed)))
}

/// A term in which no part occurs in two axes: such axes are made one, as the diagonal of a matrix is one walk through it.
fn apart(mut term: Term, all: &[Sub]) -> Option<Term> {
    let shares = |a: &Axis, b: &Axis| a.steps.iter().any(|s| b.steps.iter().any(|t| t.index == s.index));
    let clash = |axes: &[Axis]| {
        let pairs = (0..axes.len()).flat_map(|i| (0..i).map(move |j| (j, i)));
        pairs.into_iter().find(|(j, i)| shares(&axes[*i], &axes[*j]))
    };
    while let Some((i, j)) = clash(&term.axes) {
        if !is_inside(&term.axes[i], all) || !is_inside(&term.axes[j], all) {
            return None;
        }
        let (first, second) = (term.axes[i].clone(), term.axes.remove(j));
        let (low, high) = if first.bit < second.bit { (first, second) } else { (second, first) };
        if low.bit + low.bits != high.bit {
            return None;
        }
        let mut steps = low.steps;
        for step in high.steps {
            let stride = step.stride.checked_mul(1 << low.bits)?;
            match steps.iter_mut().find(|s| s.index == step.index) {
                Some(own) => own.stride += stride,
                None => steps.push(AxisStep { stride, ..step }),
            }
        }
        let bits = low.bits + high.bits;
        let offset = low.offset + (high.offset << low.bits);
        term.axes[i] = Axis { bit: low.bit, bits, offset, bound: 1 << bits, steps };
    }
    Some(term)
}

/// Returns true if a coordinate is within its bits, and its bound, for all values of the parts.
fn is_inside(axis: &Axis, all: &[Sub]) -> bool {
    let reach = |s: &AxisStep| i128::from(s.stride) * (i128::from(all[s.index as usize].extent) - 1);
    let reaches: Vec<i128> = axis.steps.iter().map(reach).collect();
    let ends = |wanted: fn(&i128) -> bool| reaches.iter().copied().filter(wanted).sum::<i128>();
    let first = i128::from(axis.offset) + ends(|r| *r < 0);
    first >= 0 && i128::from(axis.offset) + ends(|r| *r > 0) < i128::from(axis.bound.min(1 << axis.bits))
}

/// A term with its parts replaced.
fn substituted(term: &Term, inner: &[Inner], fixed: &[Fixed], broadcast: &[usize]) -> Option<Term> {
    let one = term.source == Source::One;
    let mut out =
        Term { axes: vec![], broadcast: broadcast.iter().map(|p| *p as u32).collect(), ..term.clone() };
    let step = |(part, stride): &(usize, i64), by: i64| AxisStep { index: *part as u32, stride: stride * by };
    for axis in &term.axes {
        let mut new = Axis { offset: axis.offset, steps: vec![], ..axis.clone() };
        for s in &axis.steps {
            let by = &inner[s.index as usize];
            new.offset += s.stride * by.offset;
            new.steps.extend(by.steps.iter().map(|p| step(p, s.stride)));
            if let Some(bound) = by.bound {
                let whole = axis.steps.len() == 1 && s.stride == 1 && axis.offset == 0;
                if !whole {
                    return None;
                }
                new.bound = new.bound.min(bound);
            }
        }
        out.axes.push(new);
    }
    // The constant one has no address: its axes only say what is valid.
    for part in &term.broadcast {
        let by = &inner[*part as usize];
        match by.bound {
            None => out.broadcast.extend(by.steps.iter().map(|(p, _)| *p as u32)),
            Some(bound) if one => {
                let bits = bits_for(bound);
                let steps = by.steps.iter().map(|p| step(p, 1)).collect();
                out.axes.push(Axis { bit: 0, bits, offset: by.offset, bound, steps });
            }
            Some(_) => return None,
        }
    }
    for f in fixed {
        let steps = f.steps.iter().map(|p| step(p, 1)).collect();
        out.axes.push(Axis { bit: 0, bits: 0, offset: f.offset, bound: 1, steps });
    }
    Some(out)
}
