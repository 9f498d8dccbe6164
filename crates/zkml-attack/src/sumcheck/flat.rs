//! A system of the protocol, written out: equations over single cells of `T` and `V`, from the definition of its terms alone.

use std::collections::{BTreeMap, HashMap, HashSet};

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_curve::scalar_from_word;
use zkml_halo2::polynomial::field;
use zkml_protocol::{
    Word,
    sumcheck::{Affine, Form, Index, Linear, Source, System, Template, Term, Weight},
};
use zkml_sumcheck::Layout;

/// `constant + Σ coefficient · cell`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sum {
    /// The constant, weights included.
    pub constant: Fr,
    /// Cells with coefficients.
    pub terms: Vec<(usize, Fr)>,
}

impl Sum {
    /// Its value.
    pub fn of(&self, cells: &[Fr]) -> Fr {
        self.terms.iter().fold(self.constant, |sum, (at, w)| sum + *w * cells[*at])
    }

    fn add(&mut self, factor: Fr, other: &Self) {
        self.constant += factor * other.constant;
        self.terms.extend(other.terms.iter().map(|(at, w)| (*at, factor * w)));
    }
}

/// Something that has to hold.
#[derive(Debug, Clone)]
pub enum Equation {
    /// A row of the table.
    Row {
        /// Its key.
        key: Sum,
        /// Outputs of the table for it.
        outputs: Vec<Sum>,
        /// The function.
        tag: u64,
    },
    /// A sum of products of cells is zero.
    Gate(Vec<(Fr, Vec<usize>)>),
    /// A sum is zero.
    Zero(Sum),
    /// `Σ left · right = result`.
    Contract(Vec<(Sum, Sum)>, Sum),
}

/// What is known of the vectors of a system before any is filled, and where those lie among all cells.
#[derive(Debug, Clone, Copy)]
struct Vectors<'a> {
    /// `W`.
    weights: &'a [Fr],
    /// First cell of `T`.
    witness: usize,
    /// First cell of `V`.
    private: usize,
}

/// The systems of one model: that of a run, and that of the ranges of private weights.
#[derive(Debug, Clone)]
pub struct Flat {
    /// All that has to hold.
    pub equations: Vec<(String, Equation)>,
    /// The instances but the context, as sums of cells.
    pub shown: Vec<Sum>,
    table: HashSet<(u64, Vec<[u8; 32]>)>,
    touching: HashMap<usize, Vec<usize>>,
}

fn scalar(word: &Word) -> Fr {
    scalar_from_word(word).unwrap_or(Fr::ZERO)
}

/// All values of some of the indices, the last fastest; others are zero.
fn all(indices: &[Index], chosen: &dyn Fn(usize) -> bool) -> Vec<Vec<u64>> {
    let grow = |all: Vec<Vec<u64>>, (number, index): (usize, &Index)| {
        let extent = if chosen(number) { index.extent } else { 1 };
        all.iter().flat_map(|v| (0..extent).map(move |i| [v.as_slice(), &[i]].concat())).collect()
    };
    indices.iter().enumerate().fold(vec![vec![]], grow)
}

fn uses(term: &Term, index: usize) -> bool {
    let index = index as u32;
    term.broadcast.contains(&index) || term.axes.iter().flat_map(|a| &a.steps).any(|s| s.index == index)
}

/// A term at values of the indices: nothing where a coordinate leaves its bounds.
fn at(term: &Term, values: &[u64], vectors: Vectors<'_>) -> Sum {
    let mut address = 0usize;
    for axis in &term.axes {
        let steps = axis.steps.iter().map(|s| i128::from(s.stride) * i128::from(values[s.index as usize]));
        let coordinate = i128::from(axis.offset) + steps.sum::<i128>();
        if coordinate < 0 || coordinate >= i128::from(axis.bound) {
            return Sum::default();
        }
        address += (coordinate as usize) << axis.bit;
    }
    let mut sum = Sum::default();
    for (base, w) in &term.cells {
        let place = *base as usize + address;
        match term.source {
            Source::Witness => sum.terms.push((vectors.witness + place, scalar(w))),
            Source::Private => sum.terms.push((vectors.private + place, scalar(w))),
            Source::Weights => sum.constant += scalar(w) * vectors.weights[place],
            _ => sum.constant += scalar(w),
        }
    }
    sum
}

fn form_at(form: &Form, values: &[u64], vectors: Vectors<'_>) -> Sum {
    let mut sum = Sum::default();
    form.0.iter().for_each(|t| sum.add(Fr::ONE, &at(t, values, vectors)));
    sum
}

/// A linear relation, value by value of its random indices: sums by power of the sequence's challenge. Other indices are
/// summed over, each term over its own.
fn linear(l: &Linear, vectors: Vectors<'_>) -> Vec<BTreeMap<u64, Sum>> {
    let random = |i: usize| l.indices[i].weight == Weight::Random;
    let value = |outer: Vec<u64>| {
        let mut sums: BTreeMap<u64, Sum> = BTreeMap::new();
        for term in &l.form.0 {
            for inner in all(&l.indices, &|i| !random(i) && uses(term, i)) {
                let values: Vec<u64> = outer.iter().zip(&inner).map(|(a, b)| a + b).collect();
                let (mut power, mut factor) = (0, Fr::ONE);
                for (i, index) in l.indices.iter().enumerate().filter(|(i, _)| uses(term, *i)) {
                    match index.weight {
                        Weight::Random => {}
                        Weight::Packed(base) => factor *= scalar(&base).pow_vartime([inner[i]]),
                        Weight::Sequence { stride } => power += stride * inner[i],
                    }
                }
                sums.entry(power).or_default().add(factor, &at(term, &values, vectors));
            }
        }
        sums
    };
    all(&l.indices, &random).into_iter().map(value).collect()
}

impl Flat {
    /// Writes the systems of a layout out; [`Layout::vectors`] says where their cells are.
    ///
    /// # Panics
    /// If ranges are looked up in two tables.
    pub fn new(layout: &Layout) -> Self {
        let [private, ranges, _] = layout.vectors();
        let mut flat =
            Self::of(&layout.system, Vectors { weights: &layout.weights.all(), witness: 0, private });
        if let Some(other) = layout.of_ranges() {
            let own =
                Self::of(&other.system, Vectors { weights: &other.weights.all(), witness: ranges, private });
            let ranges =
                |table: &HashSet<(u64, Vec<[u8; 32]>)>| table.iter().filter(|(tag, _)| *tag == 0).count();
            assert!(own.table.is_subset(&flat.table) && own.table.len() == ranges(&flat.table), "one range");
            let apart = own.equations.into_iter().map(|(name, equation)| (format!("apart {name}"), equation));
            flat.equations.extend(apart);
            flat.refresh();
        }
        flat
    }

    fn of(system: &System, vectors: Vectors<'_>) -> Self {
        let mut flat = Self {
            equations: vec![],
            shown: vec![],
            table: table(system, vectors.weights),
            touching: HashMap::new(),
        };
        for (number, template) in system.templates.iter().enumerate() {
            flat.template(system, vectors, number, template);
        }
        for (number, c) in system.contractions.iter().enumerate() {
            let (indices, outer) = (c.indices(), c.free.len() + c.batch.len());
            for values in all(&indices, &|i| i < outer) {
                let products = all(&indices, &|i| i >= outer).into_iter().map(|inner| {
                    let values: Vec<u64> = values.iter().zip(&inner).map(|(a, b)| a + b).collect();
                    (form_at(&c.a, &values, vectors), form_at(&c.b, &values, vectors))
                });
                let equation = Equation::Contract(products.collect(), form_at(&c.y, &values, vectors));
                flat.equations.push((format!("contraction {number} at {values:?}"), equation));
            }
        }
        let mut shown = BTreeMap::new();
        for (number, l) in system.linears.iter().enumerate() {
            for (place, sums) in linear(l, vectors).into_iter().enumerate() {
                match l.instances {
                    Some(first) => {
                        shown.insert(first as usize + place, sums.into_values().next().unwrap_or_default());
                    }
                    None => {
                        let name = |power| format!("linear relation {number} at {place}, {power}");
                        let equations = sums.into_iter().map(|(power, s)| (name(power), Equation::Zero(s)));
                        flat.equations.extend(equations);
                    }
                }
            }
        }
        flat.shown = shown.into_values().collect();
        flat.refresh();
        flat
    }

    /// The same without some of the equations.
    pub fn without(&self, gone: &dyn Fn(&str) -> bool) -> Self {
        let mut out = self.clone();
        out.equations.retain(|(name, _)| !gone(name));
        out.refresh();
        out
    }

    fn refresh(&mut self) {
        self.touching.clear();
        for (number, (_, equation)) in self.equations.iter().enumerate() {
            let mut cells = equation.cells();
            cells.sort_unstable();
            cells.dedup();
            cells.into_iter().for_each(|c| self.touching.entry(c).or_default().push(number));
        }
    }

    fn template(&mut self, system: &System, vectors: Vectors<'_>, number: usize, template: &Template) {
        let rows = template.segments.iter().flat_map(|s| s.start..s.start + (1 << s.bits));
        for row in rows {
            let cell = |column: u32| vectors.witness + ((column as usize) << system.row_bits) + row as usize;
            let sum = |a: &Affine| Sum {
                constant: scalar(&a.constant),
                terms: a.terms.iter().map(|(c, w)| (cell(*c), scalar(w))).collect(),
            };
            for (slot, l) in template.lookups.iter().enumerate() {
                let equation = Equation::Row {
                    key: sum(&l.key),
                    outputs: l.outputs.iter().map(sum).collect(),
                    tag: l.tag,
                };
                self.equations.push((format!("lookup {slot} of template {number}, row {row}"), equation));
            }
            for (slot, gate) in template.gates.iter().enumerate() {
                let monomials = gate
                    .0
                    .iter()
                    .map(|m| (scalar(&m.coefficient), m.columns.iter().map(|c| cell(*c)).collect()));
                let equation = Equation::Gate(monomials.collect());
                self.equations.push((format!("gate {slot} of template {number}, row {row}"), equation));
            }
        }
    }

    /// The first thing that does not hold among all that reads one of these cells.
    pub fn objection(&self, cells: &[Fr], changed: &[usize]) -> Option<&str> {
        let mut read: Vec<usize> =
            changed.iter().flat_map(|c| self.touching.get(c)).flatten().copied().collect();
        read.sort_unstable();
        read.dedup();
        let broken = read.into_iter().find(|e| !self.holds(&self.equations[*e].1, cells))?;
        Some(&self.equations[broken].0)
    }

    fn holds(&self, equation: &Equation, cells: &[Fr]) -> bool {
        match equation {
            Equation::Row { key, outputs, tag } => {
                let row = std::iter::once(key).chain(outputs).map(|s| s.of(cells).to_bytes());
                self.table.contains(&(*tag, trimmed(row.collect())))
            }
            Equation::Gate(monomials) => {
                let product = |(w, cs): &(Fr, Vec<usize>)| cs.iter().fold(*w, |p, c| p * cells[*c]);
                monomials.iter().map(product).sum::<Fr>() == Fr::ZERO
            }
            Equation::Zero(sum) => sum.of(cells) == Fr::ZERO,
            Equation::Contract(products, result) => {
                products.iter().map(|(a, b)| a.of(cells) * b.of(cells)).sum::<Fr>() == result.of(cells)
            }
        }
    }
}

impl Equation {
    fn cells(&self) -> Vec<usize> {
        let of = |s: &Sum| s.terms.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        match self {
            Self::Row { key, outputs, .. } => std::iter::once(key).chain(outputs).flat_map(of).collect(),
            Self::Gate(monomials) => monomials.iter().flat_map(|(_, cells)| cells.clone()).collect(),
            Self::Zero(sum) => of(sum),
            Self::Contract(products, result) => {
                products.iter().flat_map(|(a, b)| [of(a), of(b)].concat()).chain(of(result)).collect()
            }
        }
    }
}

/// A row without the zeros at its end: outputs that a lookup does not name are zero.
fn trimmed(mut row: Vec<[u8; 32]>) -> Vec<[u8; 32]> {
    while row.len() > 1 && row.last() == Some(&[0; 32]) {
        row.pop();
    }
    row
}

/// Rows of the table: tag, key and outputs, without zeros at the end. Rows of no segment are zero throughout.
fn table(system: &System, weights: &[Fr]) -> HashSet<(u64, Vec<[u8; 32]>)> {
    let mut out = HashSet::new();
    let mut taken = 0u64;
    for s in &system.table.segments {
        taken += 1 << s.rows.bits;
        for offset in 0..1u64 << s.rows.bits {
            let key = field(i128::from(s.first_key) + i128::from(offset));
            let output = |base: &u64| weights[(base + s.rows.start + offset) as usize];
            let row = std::iter::once(key).chain(system.table.outputs.iter().map(output));
            out.insert((s.tag, trimmed(row.map(|v| v.to_bytes()).collect())));
        }
    }
    if taken < 1 << system.table.bits {
        out.insert((0, vec![[0; 32]]));
    }
    out
}
