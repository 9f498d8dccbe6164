//! Checks that the parts of a program fit together, whoever wrote it.

use thiserror::Error;

use super::{
    program::{Affine, Contraction, Linear, PROTOCOL_VERSION, Program, Segment, System, Template},
    view::{Automaton, Axis, Form, Index, Source, Term, Weight},
};
use crate::{StatementError, Word, field};

/// A program that contradicts itself, so that no proof of it could be checked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// Written for other rules than this crate's.
    #[error(
        "the program follows version {found} of the sumcheck protocol, this toolkit speaks {expected}: derive it again with `setup`"
    )]
    Version {
        /// Version in the program.
        found: u32,
        /// [`PROTOCOL_VERSION`].
        expected: u32,
    },
    /// A number outside of what any program of this toolkit has.
    #[error("the program has {found} {what}, {least} to {most} are supported")]
    Range {
        /// What is counted.
        what: &'static str,
        /// The number.
        found: u64,
        /// The smallest that is supported.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A part that does not fit the others.
    #[error("{what} {index} of the program does not fit: {detail}")]
    Misfit {
        /// Which part.
        what: &'static str,
        /// Its number.
        index: usize,
        /// What is wrong.
        detail: &'static str,
    },
    /// A scalar that is not below the field's order.
    #[error(
        "a coefficient of {what} {index} is not a canonical scalar (it is not below the order of the group)"
    )]
    NotCanonical {
        /// Which part.
        what: &'static str,
        /// Its number.
        index: usize,
    },
    /// The vectors have no room for the system and its masks.
    #[error("vectors of 2^{bits} elements have no room for the witness and its masks")]
    NoRoom {
        /// Binary logarithm of their length.
        bits: u32,
    },
    /// The statement contradicts itself.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A public value that no relation speaks of.
    #[error(
        "public value {index} is in {found} relations instead of one: a proof would say nothing about it"
    )]
    Instance {
        /// Its number.
        index: usize,
        /// Relations that show it.
        found: usize,
    },
}

type Checked = Result<(), ProgramError>;

fn within(what: &'static str, found: u64, least: u64, most: u64) -> Checked {
    if (least..=most).contains(&found) {
        Ok(())
    } else {
        Err(ProgramError::Range { what, found, least, most })
    }
}

/// Part of a program, for messages.
#[derive(Clone, Copy)]
struct Place {
    what: &'static str,
    index: usize,
}

impl Place {
    fn holds(self, holds: bool, detail: &'static str) -> Checked {
        let Self { what, index } = self;
        if holds { Ok(()) } else { Err(ProgramError::Misfit { what, index, detail }) }
    }

    fn canonical(self, word: &Word) -> Checked {
        let Self { what, index } = self;
        if field::is_canonical(word) { Ok(()) } else { Err(ProgramError::NotCanonical { what, index }) }
    }
}

/// Bits of addresses and of indices, at most.
const MOST_BITS: u64 = 32;
/// Parts of one kind, at most.
const MOST_PARTS: u64 = 1 << 14;
/// Terms of a sum, cells of a term, at most.
const MOST_TERMS: u64 = 1 << 16;

impl Program {
    /// Checks that all indices, counts and constants fit together, that rows and table are covered exactly, and that a
    /// relation speaks of every public value.
    ///
    /// Points are not checked here: this crate knows no curve. Readers of the program do.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn validate(&self) -> Result<(), ProgramError> {
        if self.version != PROTOCOL_VERSION {
            return Err(ProgramError::Version { found: self.version, expected: PROTOCOL_VERSION });
        }
        let (bits, column_bits) = (u64::from(self.opening.bits), u64::from(self.opening.column_bits));
        within("bits of a vector", bits, 6, MOST_BITS)?;
        if !self.opening.is_whole() {
            within("bits of a row of the opened matrix", column_bits, 3, bits - 3)?;
        }
        let chunks = self.weights.commitments.len() as u64;
        within("commitments to weights", chunks, 0, 1 << 10)?;
        self.statement.instances.check(self.system.instances)?;
        self.check_private()?;
        self.system.check_counts()?;
        let shape = self.shape().ok_or(ProgramError::NoRoom { bits: self.opening.bits })?;
        let length = |parts: u32| u64::from(parts) << self.opening.bits;
        let [witness, _] = shape.parts;
        let weights = length(self.weights.commitments.len() as u32);
        let private = length(shape.private_parts);
        self.system.check(Addresses { witness: length(witness), weights, private })
    }

    /// The commitment to private weights is what the statement's section of the model shows, and nothing else is.
    fn check_private(&self) -> Checked {
        let layout = &self.statement.instances;
        let shown = layout.model_is_commitment().then(|| layout.model_start());
        let place = Place { what: "commitment to private weights", index: 0 };
        place.holds(
            shown == self.system.private.map(|p| p.instance.into())
                && (shown.is_some() || layout.model.is_empty()),
            "the statement shows another",
        )
    }
}

/// Lengths of the vectors that relations read.
#[derive(Clone, Copy)]
struct Addresses {
    witness: u64,
    weights: u64,
    private: u64,
}

impl Addresses {
    fn of(self, source: Source) -> u64 {
        match source {
            Source::Weights => self.weights,
            Source::Private => self.private,
            Source::One => u64::MAX,
            _ => self.witness,
        }
    }
}

impl System {
    /// What the shape rests on.
    fn check_counts(&self) -> Checked {
        within("bits of a row", self.row_bits.into(), 1, MOST_BITS - 4)?;
        within("bits of a row of the table", self.table.bits.into(), 1, MOST_BITS - 4)?;
        within("columns", self.columns.into(), 1, 1 << 10)?;
        within("lookups in a helper", self.lookups_per_helper.into(), 1, 8)?;
        within("templates", self.templates.len() as u64, 1, MOST_PARTS)?;
        within("contractions", self.contractions.len() as u64, 0, MOST_PARTS)?;
        within("linear relations", self.linears.len() as u64, 0, MOST_PARTS)?;
        within("instances", self.instances.into(), 1, 1 << 20)?;
        within("loose cells", self.loose, 0, 1 << MOST_BITS)?;
        within("private weights", self.private.map_or(1, |p| p.cells), 1, 1 << MOST_BITS)?;
        for c in &self.contractions {
            check_indices(Place { what: "contraction", index: 0 }, &c.indices())?;
            within("variables of a contraction", c.variables().into(), 1, MOST_BITS)?;
        }
        for l in &self.linears {
            check_indices(Place { what: "linear relation", index: 0 }, &l.indices)?;
        }
        Ok(())
    }

    fn check(&self, addresses: Addresses) -> Checked {
        for (index, template) in self.templates.iter().enumerate() {
            self.check_template(Place { what: "template", index }, template)?;
        }
        let segments = self.templates.iter().flat_map(|t| &t.segments).copied();
        let covered = partition(Place { what: "segment", index: 0 }, segments.collect())?;
        Place { what: "segments", index: 0 }
            .holds(covered == 1 << self.row_bits, "they do not cover all rows")?;
        self.check_table(addresses)?;
        for (index, c) in self.contractions.iter().enumerate() {
            c.check(Place { what: "contraction", index }, addresses)?;
        }
        for (index, l) in self.linears.iter().enumerate() {
            l.check(Place { what: "linear relation", index }, addresses)?;
        }
        self.check_instances()
    }

    fn check_template(&self, place: Place, template: &Template) -> Checked {
        let lookups = template.lookups.len();
        place
            .holds(lookups == self.templates[0].lookups.len(), "another number of lookups than the others")?;
        place.holds(
            lookups > 0 && lookups.is_multiple_of(self.lookups_per_helper as usize),
            "lookups that do not fill their helpers",
        )?;
        within("lookups of a template", lookups as u64, 1, 1 << 8)?;
        within("gates of a template", template.gates.len() as u64, 0, 1 << 10)?;
        for lookup in &template.lookups {
            place
                .holds(lookup.outputs.len() <= self.table.outputs.len(), "more outputs than the table has")?;
            for form in std::iter::once(&lookup.key).chain(&lookup.outputs) {
                self.check_affine(place, form)?;
            }
        }
        for gate in &template.gates {
            place.holds(!gate.0.is_empty(), "an empty gate")?;
            for monomial in &gate.0 {
                place.canonical(&monomial.coefficient)?;
                let known = monomial.columns.iter().all(|c| *c < self.columns);
                place.holds(known && monomial.columns.len() <= 6, "a monomial of other columns")?;
            }
        }
        Ok(())
    }

    fn check_affine(&self, place: Place, form: &Affine) -> Checked {
        place.canonical(&form.constant)?;
        form.terms.iter().try_for_each(|(column, coefficient)| {
            place.holds(*column < self.columns, "a lookup of another column")?;
            place.canonical(coefficient)
        })
    }

    fn check_table(&self, addresses: Addresses) -> Checked {
        let place = Place { what: "table", index: 0 };
        let rows = 1u64 << self.table.bits;
        // Rows in no segment are zero, so segments need only be apart.
        let mut taken: Vec<Segment> = self.table.segments.iter().map(|s| s.rows).collect();
        taken.sort_by_key(|s| s.start);
        let mut at = 0;
        for (index, s) in taken.iter().enumerate() {
            let place = Place { what: "table segment", index };
            aligned(place, s)?;
            place.holds(s.start >= at, "it overlaps another")?;
            at = s.start + (1 << s.bits);
        }
        place.holds(at <= rows, "its segments are longer than it")?;
        within("outputs of the table", self.table.outputs.len() as u64, 0, 4)?;
        let length = addresses.of(Source::Weights);
        let fits =
            |base: &u64| base.is_multiple_of(rows) && base.checked_add(rows).is_some_and(|e| e <= length);
        place.holds(
            self.table.outputs.iter().all(fits),
            "its outputs lie beyond the weights, or are not aligned",
        )
    }

    /// Every instance but the context, which the transcript binds, is shown by one relation.
    fn check_instances(&self) -> Checked {
        let mut shown = vec![0usize; self.instances as usize];
        shown[0] = 1;
        if let Some(private) = self.private {
            let own = shown.get_mut(private.instance as usize);
            *own.ok_or(ProgramError::Instance { index: private.instance as usize, found: 0 })? += 1;
        }
        for (index, l) in self.linears.iter().enumerate() {
            let Some(first) = l.instances else { continue };
            let mut random = l.indices.iter().filter(|i| i.weight == Weight::Random);
            let count = random.try_fold(1u64, |acc, i| acc.checked_mul(i.extent)).unwrap_or(u64::MAX);
            let end = u64::from(first).saturating_add(count);
            Place { what: "linear relation", index }
                .holds(end <= shown.len() as u64, "it shows instances that do not exist")?;
            (u64::from(first)..end).for_each(|i| shown[i as usize] += 1);
        }
        match shown.iter().position(|n| *n != 1) {
            Some(index) => Err(ProgramError::Instance { index, found: shown[index] }),
            None => Ok(()),
        }
    }
}

fn aligned(place: Place, s: &Segment) -> Checked {
    let fits = u64::from(s.bits) <= MOST_BITS && s.start <= 1 << MOST_BITS;
    place.holds(fits && s.start.is_multiple_of(1 << s.bits), "it does not begin at a multiple of its length")
}

/// The end of segments that follow each other without a gap from zero on.
fn partition(place: Place, mut segments: Vec<Segment>) -> Result<u64, ProgramError> {
    segments.sort_by_key(|s| s.start);
    let mut at = 0;
    for (index, s) in segments.iter().enumerate() {
        let place = Place { index, ..place };
        aligned(place, s)?;
        place.holds(s.start == at, "it overlaps another, or leaves rows out")?;
        at += 1 << s.bits;
    }
    Ok(at)
}

impl Contraction {
    fn check(&self, place: Place, addresses: Addresses) -> Checked {
        let indices = self.indices();
        check_indices(place, &indices)?;
        let random = indices.iter().all(|i| i.weight == Weight::Random);
        place.holds(random, "an index that is not random")?;
        within("variables of a contraction", self.variables().into(), 0, MOST_BITS)?;
        let (free, outer) = (self.free.len() as u32, (self.free.len() + self.batch.len()) as u32);
        for form in [&self.a, &self.b, &self.y] {
            check_form(place, form, &indices, addresses)?;
        }
        let all = |form: &Form, index: u32| form.0.iter().all(|t| mentions(t, index));
        let none = |form: &Form, index: u32| form.0.iter().all(|t| !mentions(t, index));
        for index in 0..indices.len() as u32 {
            let (in_a, in_b) = (all(&self.a, index), all(&self.b, index));
            if index < free {
                let one_side = (in_a && none(&self.b, index)) || (in_b && none(&self.a, index));
                place.holds(one_side, "a free index that is not one operand's")?;
            } else {
                place.holds(in_a || in_b, "an index that no operand bounds")?;
            }
            let shown = if index < outer { all(&self.y, index) } else { none(&self.y, index) };
            place.holds(shown, "a result with other indices")?;
        }
        Ok(())
    }
}

impl Linear {
    fn check(&self, place: Place, addresses: Addresses) -> Checked {
        check_indices(place, &self.indices)?;
        for index in &self.indices {
            if let Weight::Packed(base) = &index.weight {
                place.canonical(base)?;
            }
        }
        check_form(place, &self.form, &self.indices, addresses)?;
        // Two layouts of a sequence have indices of their own.
        let bounded = |i: &Index| !matches!(i.weight, Weight::Sequence { .. });
        let complete = |t: &Term| (0u32..).zip(&self.indices).all(|(n, i)| !bounded(i) || mentions(t, n));
        place.holds(self.form.0.iter().all(complete), "a term that an index does not bound")
    }
}

fn mentions(term: &Term, index: u32) -> bool {
    term.broadcast.contains(&index) || term.axes.iter().flat_map(|a| &a.steps).any(|s| s.index == index)
}

fn check_indices(place: Place, indices: &[Index]) -> Checked {
    within("indices of a relation", indices.len() as u64, 0, 24)?;
    let sane = |i: &Index| (1..=1 << MOST_BITS).contains(&i.extent);
    place.holds(indices.iter().all(sane), "an index without values, or with too many")?;
    let stride = |i: &Index| match i.weight {
        Weight::Sequence { stride } => stride <= 1 << MOST_BITS,
        _ => true,
    };
    place.holds(indices.iter().all(stride), "a sequence with too large a step")?;
    within("bits of a relation's indices", indices.iter().map(|i| u64::from(i.bits())).sum(), 0, 64)
}

fn check_form(place: Place, form: &Form, indices: &[Index], addresses: Addresses) -> Checked {
    within("terms of a sum", form.0.len() as u64, 0, MOST_TERMS)?;
    for term in &form.0 {
        within("cells of a term", term.cells.len() as u64, 1, MOST_TERMS)?;
        let hidden = matches!(term.source, Source::Helpers | Source::Masks);
        place.holds(!hidden, "a relation over helpers or masks")?;
        let mut seen: Vec<u32> = term.broadcast.clone();
        seen.extend(term.axes.iter().flat_map(|a| &a.steps).map(|s| s.index));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        place.holds(
            seen.len() == count && seen.iter().all(|i| (*i as usize) < indices.len()),
            "an index that is used twice, or unknown",
        )?;
        // All addresses that axes can reach lie within the vector.
        let own = addresses.of(term.source);
        let mut covered = 0u64;
        for axis in &term.axes {
            check_axis(place, axis, indices)?;
            if term.source != Source::One {
                let bits = ((1u64 << axis.bits) - 1) << axis.bit;
                place.holds(covered & bits == 0, "two axes in the same bits")?;
                covered |= bits;
            }
        }
        for (base, coefficient) in &term.cells {
            place.canonical(coefficient)?;
            let inside = base & covered == 0 && (base | covered) < own;
            place
                .holds(inside || term.source == Source::One, "a cell beyond its vector, or within an axis")?;
        }
    }
    Ok(())
}

fn check_axis(place: Place, axis: &Axis, indices: &[Index]) -> Checked {
    within("steps of an axis", axis.steps.len() as u64, 0, 6)?;
    place.holds(
        axis.bit.checked_add(axis.bits).is_some_and(|end| u64::from(end) <= MOST_BITS),
        "an axis beyond its vector",
    )?;
    let limit = 1i64 << MOST_BITS;
    let small = axis.offset.abs() <= limit && axis.steps.iter().all(|s| s.stride.abs() <= limit);
    place.holds(small, "an axis with too large a step")?;
    place.holds(axis.bound >= 1 && axis.bound <= 1 << axis.bits, "an axis with another bound")?;
    place.holds(Automaton::of(axis, indices).is_some(), "an axis with too many states")
}
