//! Lookups and gates of all rows: the item of the first sumcheck that takes most of the time.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use zkml_lanes::{Kernel, Lanes, Portable, left, total};
use zkml_protocol::sumcheck::{Segment, System};

use super::{
    gates::{Folding, TemplateGates},
    items::{Item, Masked, added, bump},
};
use crate::field::eq_table;

/// Elements that a thread takes at once.
const CHUNK: usize = 32;

/// A template where it holds.
struct Placed<L: Lanes> {
    gates: TemplateGates<L>,
    /// For each element of what is left of the cube, its place among the weights.
    places: Vec<Option<u32>>,
    /// `eq(τ, ·)` on the rows of the template and zero on all others, for elements in which there are some.
    weights: Vec<L::Element>,
}

impl<L: Lanes> Placed<L> {
    fn new(lanes: L, gates: TemplateGates<L>, segments: &[Segment], eq: &[Fr]) -> Self {
        let mut own = vec![Fr::ZERO; eq.len()];
        let mut places = vec![None; eq.len().div_ceil(L::WIDTH)];
        let mut count = 0;
        for s in segments {
            let rows = s.start as usize..s.start as usize + (1 << s.bits);
            own[rows.clone()].copy_from_slice(&eq[rows.clone()]);
            for place in &mut places[rows.start / L::WIDTH..rows.end.div_ceil(L::WIDTH)] {
                place.get_or_insert_with(|| {
                    count += 1;
                    count - 1
                });
            }
        }
        let mut weights = vec![lanes.zero(); count as usize];
        for (place, rows) in places.iter().zip(own.chunks(L::WIDTH)) {
            if let Some(place) = place {
                weights[*place as usize] = lanes.load(rows);
            }
        }
        Self { gates, places, weights }
    }

    #[inline(always)]
    fn weight(&self, lanes: L, x: usize) -> L::Element {
        match self.places[x] {
            Some(place) => self.weights[place as usize],
            None => lanes.zero(),
        }
    }

    /// Fixes the highest variable.
    #[inline(always)]
    fn bind(&mut self, lanes: L, r: &L::Scalar) {
        let half = self.places.len() / 2;
        let mut places = vec![None; half];
        let mut weights = Vec::with_capacity(self.weights.len());
        for (x, place) in places.iter_mut().enumerate() {
            if self.places[x].is_some() || self.places[x + half].is_some() {
                *place = Some(weights.len() as u32);
                let (low, high) = (self.weight(lanes, x), self.weight(lanes, x + half));
                weights.push(lanes.between(&low, &high, r));
            }
        }
        (self.places, self.weights) = (places, weights);
    }
}

/// The sum of a vector.
struct Sum<'a, L: Lanes>(&'a [L::Element]);

impl<L: Lanes> Kernel<L> for Sum<'_, L> {
    type Output = Fr;

    #[inline(always)]
    fn run(self, lanes: L) -> Fr {
        let mut sum = lanes.zero();
        for element in self.0 {
            sum = lanes.add(&sum, element);
        }
        total(lanes, &sum)
    }
}

/// Tables and templates on what is left of the cube.
struct Cube<'a, L: Lanes> {
    lanes: L,
    /// Columns, then helpers.
    tables: Vec<Cow<'a, [L::Element]>>,
    columns: usize,
    templates: Vec<Placed<L>>,
}

/// Values of a round's polynomial on some elements.
struct Round<'a, L: Lanes> {
    cube: &'a Cube<'a, L>,
    elements: Range<usize>,
    /// For each value, whether it is wanted.
    wanted: &'a [bool],
}

impl<L: Lanes> Kernel<L> for Round<'_, L> {
    /// Sums of the gates' values, then sums of the helpers in the lower and in the upper half.
    type Output = Vec<Fr>;

    #[inline(always)]
    fn run(self, lanes: L) -> Vec<Fr> {
        let (tables, columns) = (&self.cube.tables, self.cube.columns);
        let half = tables.first().map_or(0, |t| t.len() / 2);
        let mut sums = vec![lanes.products(); self.wanted.len()];
        let mut of_helpers = [lanes.zero(); 2];
        let (mut low, mut step) = (vec![lanes.zero(); tables.len()], vec![lanes.zero(); tables.len()]);
        let (mut values, mut steps) = (Vec::new(), Vec::new());
        for x in self.elements {
            for (t, table) in tables.iter().enumerate() {
                low[t] = table[x];
                step[t] = lanes.sub(&table[x + half], &table[x]);
                if t >= columns {
                    of_helpers[0] = lanes.add(&of_helpers[0], &table[x]);
                    of_helpers[1] = lanes.add(&of_helpers[1], &table[x + half]);
                }
            }
            for template in &self.cube.templates {
                if template.places[x].is_none() && template.places[x + half].is_none() {
                    continue;
                }
                let mut weight = template.weight(lanes, x);
                let weight_step = lanes.sub(&template.weight(lanes, x + half), &weight);
                values.clear();
                template.gates.denominators(lanes, &low[..columns], &mut values);
                template.gates.others(&low[..columns], &low[columns..], &mut values);
                steps.clear();
                template.gates.slopes(lanes, &step[..columns], &mut steps);
                template.gates.others(&step[..columns], &step[columns..], &mut steps);
                for (i, sum) in sums.iter_mut().enumerate() {
                    if i > 0 {
                        weight = lanes.add(&weight, &weight_step);
                        for (value, step) in values.iter_mut().zip(&steps) {
                            *value = lanes.add(value, step);
                        }
                    }
                    if self.wanted[i] {
                        lanes.add_product(sum, &weight, &template.gates.combined(lanes, &values));
                    }
                }
            }
        }
        let mut out = Vec::with_capacity(sums.len() + 2);
        for sum in &sums {
            out.push(total(lanes, &lanes.sum(sum)));
        }
        out.extend(of_helpers.iter().map(|sum| total(lanes, sum)));
        out
    }
}

/// Fixes the highest variable of a vector, on some elements of its lower half.
struct Bind<'a, L: Lanes> {
    low: &'a mut [L::Element],
    high: &'a [L::Element],
    r: &'a L::Scalar,
}

impl<L: Lanes> Kernel<L> for Bind<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        for (low, high) in self.low.iter_mut().zip(self.high) {
            *low = lanes.between(low, high, self.r);
        }
    }
}

/// Fixes the highest variable of a template's weights.
struct BindPlaced<'a, L: Lanes>(&'a mut Placed<L>, &'a L::Scalar);

impl<L: Lanes> Kernel<L> for BindPlaced<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        self.0.bind(lanes, self.1);
    }
}

/// Fixes the highest variable of a vector that is somebody else's, on some elements of its lower half.
struct BindInto<'a, L: Lanes> {
    out: &'a mut [L::Element],
    /// Both halves; what they do not have is zero.
    low: &'a [L::Element],
    high: &'a [L::Element],
    r: &'a L::Scalar,
}

impl<L: Lanes> Kernel<L> for BindInto<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        let zero = lanes.zero();
        for (x, out) in self.out.iter_mut().enumerate() {
            let (low, high) = (self.low.get(x).unwrap_or(&zero), self.high.get(x).unwrap_or(&zero));
            *out = lanes.between(low, high, self.r);
        }
    }
}

/// `x_e + r (x_(e + shift) − x_e)` for each element, what is beyond the vector being zero.
pub(super) fn shifted_between<L: Lanes>(
    lanes: L,
    vector: &[L::Element],
    shift: usize,
    r: &Fr,
) -> Vec<L::Element> {
    const SIZE: usize = CHUNK * 8;
    let r = lanes.scalar(r);
    let mut out = vec![lanes.zero(); vector.len()];
    out.par_chunks_mut(SIZE).enumerate().for_each(|(chunk, out)| {
        let high = (chunk * SIZE + shift).min(vector.len());
        lanes.run(BindInto { out, low: &vector[chunk * SIZE..], high: &vector[high..], r: &r });
    });
    out
}

/// Fixes the highest variable of a vector, of which `half` elements are left; what it does not have of twice as many is zero.
pub(super) fn bind<L: Lanes>(lanes: L, table: &mut Cow<'_, [L::Element]>, half: usize, r: &L::Scalar) {
    const SIZE: usize = CHUNK * 8;
    let own = match table {
        Cow::Owned(own) if own.len() == 2 * half => own,
        _ => {
            let (low, high) = table.split_at(half.min(table.len()));
            let mut out = vec![lanes.zero(); half];
            out.par_chunks_mut(SIZE).enumerate().for_each(|(chunk, out)| {
                let of = |side: &'_ [L::Element]| (chunk * SIZE).min(side.len());
                let (low, high) = (&low[of(low)..], &high[of(high)..]);
                lanes.run(BindInto { out, low, high, r });
            });
            *table = Cow::Owned(out);
            return;
        }
    };
    let (low, high) = own.split_at_mut(half);
    let parts = low.par_chunks_mut(SIZE).zip(high.par_chunks(SIZE));
    parts.for_each(|(low, high)| lanes.run(Bind { low, high, r }));
    own.truncate(half);
}

impl<L: Lanes> Cube<'_, L> {
    /// Values of a round's polynomial at `0 … degree`, those of gates where they are wanted; `sums` weighs the helpers.
    fn round(&self, wanted: &[bool], sums: Fr) -> Vec<Fr> {
        let half = self.tables.first().map_or(0, |t| t.len() / 2);
        let chunks = (0..half.div_ceil(CHUNK)).into_par_iter();
        let one = |chunk: usize| {
            let elements = chunk * CHUNK..((chunk + 1) * CHUNK).min(half);
            self.lanes.run(Round { cube: self, elements, wanted })
        };
        let mut values = chunks.map(one).reduce(|| vec![Fr::ZERO; wanted.len() + 2], added);
        let helpers = values.split_off(wanted.len());
        let (mut at, step) = (sums * helpers[0], sums * (helpers[1] - helpers[0]));
        for value in &mut values {
            *value += at;
            at += step;
        }
        values
    }

    fn bind(&mut self, r: Fr) {
        let (lanes, r) = (self.lanes, self.lanes.scalar(&r));
        self.tables.par_iter_mut().for_each(|table| bind(lanes, table, table.len() / 2, &r));
        self.templates.par_iter_mut().for_each(|t| lanes.run(BindPlaced(t, &r)));
    }
}

/// The rows, eight side by side where the machine can, until few are left.
pub(crate) struct Rows<'a, L: Lanes> {
    wide: Cube<'a, L>,
    /// What is left when an element's lanes are rows that are to be bound.
    narrow: Option<Cube<'static, Portable>>,
    /// Gates of the templates, for that.
    gates: Vec<TemplateGates<Portable>>,
    /// Masks of columns and helpers.
    masks: Vec<Fr>,
    /// Weight of the sum of all helpers.
    sums: Fr,
    /// The sum of all helpers.
    helpers: Fr,
    /// The sum over what is left of the cube.
    pub(crate) claim: Fr,
    variables: u32,
}

impl<'a, L: Lanes> Rows<'a, L> {
    /// Rows of a system, with columns and helpers in `tables` and what masks each, at the point `tau`.
    pub(crate) fn new(
        lanes: L,
        system: &System,
        tables: Vec<Cow<'a, [L::Element]>>,
        masks: Vec<Fr>,
        folding: &Folding,
        tau: &[Fr],
    ) -> Self {
        let (variables, columns) = (system.row_bits, system.columns as usize);
        let eq = eq_table(&tau[..variables as usize]);
        let placed = system.templates.par_iter().map(|template| {
            let gates = TemplateGates::new(lanes, system, template, folding);
            Placed::new(lanes, gates, &template.segments, &eq)
        });
        let wide = Cube { lanes, tables, columns, templates: placed.collect() };
        let gates = system.templates.iter().map(|t| TemplateGates::new(Portable, system, t, folding));
        let sums = folding.gamma[folding.batch.sums as usize];
        let helpers = wide.tables[columns..].par_iter().map(|cells| lanes.run(Sum(cells))).sum();
        let mut rows = Self {
            wide,
            narrow: None,
            gates: gates.collect(),
            masks,
            sums,
            helpers,
            claim: sums * helpers,
            variables,
        };
        rows.narrowed(variables);
        rows
    }

    /// Columns and helpers with their masks at the point, `x₀` being `r`.
    pub(crate) fn values(&self, r: Fr) -> Vec<Fr> {
        let tables = self.narrow.iter().flat_map(|cube| &cube.tables);
        let masked =
            |(table, mask): (&Cow<'_, [Fr]>, &Fr)| Masked { table: table.to_vec(), mask: *mask }.value(r);
        tables.zip(&self.masks).map(masked).collect()
    }

    /// Takes rows one by one once `variables` that are left are no more than lanes have, and before the last round.
    fn narrowed(&mut self, variables: u32) {
        let length = 1usize << variables;
        if self.narrow.is_some() || length > L::WIDTH.max(2) {
            return;
        }
        let lanes = self.wide.lanes;
        let template = |(placed, gates): (&Placed<L>, TemplateGates<Portable>)| Placed {
            gates,
            weights: left(lanes, &placed.weights, placed.weights.len() * L::WIDTH),
            places: (0..length)
                .map(|row| Some(placed.places[row / L::WIDTH]? * L::WIDTH as u32 + (row % L::WIDTH) as u32))
                .collect(),
        };
        self.narrow = Some(Cube {
            lanes: Portable,
            tables: self.wide.tables.iter().map(|t| Cow::Owned(left(lanes, t, length))).collect(),
            columns: self.wide.columns,
            templates: self
                .wide
                .templates
                .iter()
                .zip(std::mem::take(&mut self.gates))
                .map(template)
                .collect(),
        });
        self.wide.tables.clear();
        self.wide.templates.clear();
    }
}

impl Cube<'_, Portable> {
    /// Values of the last round, in which masks count.
    fn last_round(&self, degree: u32, masks: &[Fr], sums: Fr) -> Vec<Fr> {
        let value = |i: u32| {
            let at = Fr::from(u64::from(i));
            let line = |ends: &[Fr]| ends[0] + at * (ends[1] - ends[0]);
            let row: Vec<Fr> =
                self.tables.iter().zip(masks).map(|(t, mask)| line(t) + *mask * bump(at)).collect();
            let (columns, helpers) = row.split_at(self.columns);
            let mut values = Vec::new();
            let mut sum = sums * helpers.iter().sum::<Fr>();
            for template in &self.templates {
                let ends = [template.weight(Portable, 0), template.weight(Portable, 1)];
                values.clear();
                template.gates.denominators(Portable, columns, &mut values);
                template.gates.others(columns, helpers, &mut values);
                sum += line(&ends) * template.gates.combined(Portable, &values);
            }
            sum
        };
        (0..=degree).map(value).collect()
    }
}

impl<L: Lanes> Item for Rows<'_, L> {
    fn variables(&self) -> u32 {
        self.variables
    }

    fn total(&self) -> Fr {
        // Gates vanish on the cube.
        self.sums * self.helpers
    }

    fn round(&self, v: u32, degree: u32) -> Vec<Fr> {
        // Gates vanish on the cube; of the values at zero and one, the claim gives the second.
        let on_cube = v + 1 == self.variables;
        let wanted: Vec<bool> = (0..=degree).map(|i| i > 1 || (i == 0 && !on_cube)).collect();
        let mut values = match &self.narrow {
            Some(cube) if v == 0 => cube.last_round(degree, &self.masks, self.sums),
            Some(cube) => cube.round(&wanted, self.sums),
            None => self.wide.round(&wanted, self.sums),
        };
        if let [at_zero, at_one, ..] = values.as_mut_slice() {
            *at_one = self.claim - *at_zero;
        }
        values
    }

    fn bind(&mut self, r: Fr) {
        match &mut self.narrow {
            Some(cube) => cube.bind(r),
            None => {
                self.wide.bind(r);
                let length = self.wide.tables.first().map_or(1, |t| t.len() * L::WIDTH);
                self.narrowed(length.ilog2());
            }
        }
    }
}
