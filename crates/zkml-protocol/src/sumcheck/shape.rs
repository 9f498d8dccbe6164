//! What follows from a system and the shape of its opening: addresses, degrees, evaluations, masks.

use super::{
    program::{Contraction, Opening, System, Weights},
    view::{Axis, Form, Index, Source, Term, Weight},
};
use crate::Word;

/// Cells of the first row and of the first column of the matrix `R` that mask the opening, the first one being shared.
const CROSS: u64 = 6;
/// Parts of a vector, at most.
const MOST_PARTS: u32 = 1 << 8;

/// What an evaluation at the end of the first sumcheck is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evaluated {
    /// A column of the grid.
    Column(u32),
    /// A helper: the sum of the fractions of its lookups.
    Helper(u32),
    /// How often each row of the table is looked up.
    Multiplicity,
    /// The fractions of the table.
    TableHelper,
    /// A column of the table's outputs.
    TableOutput(u32),
    /// The left operand of a contraction.
    Left(u32),
    /// The right operand of a contraction.
    Right(u32),
}

/// An evaluation at the end of the first sumcheck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// What it is of.
    pub of: Evaluated,
    /// Its cells.
    pub form: Form,
    /// Address in `R` of its mask `ξ`: what is sent is the value plus `ξ · x₀ (1 − x₀)`. None for what is public.
    pub mask: Option<u64>,
}

/// A coefficient of `p₁(x) = a₀ + Σ_v Σ_d a_{v,d} x_v^d`, which masks the rounds of the first sumcheck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskTerm {
    /// Address in `R`.
    pub address: u64,
    /// Variable and exponent; none for the constant.
    pub power: Option<(u32, u32)>,
}

/// Addresses, degrees and evaluations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Address in `T` of the multiplicities.
    pub multiplicities: u64,
    /// Address in `H` of the table's helper.
    pub table_helper: u64,
    /// Address in `H` of the one random cell there.
    pub helper_mask: u64,
    /// Groups of lookups, each with a helper.
    pub groups: u32,
    /// Variables of the first sumcheck.
    pub first_variables: u32,
    /// Variables of the second sumcheck.
    pub second_variables: u32,
    /// Parts of `N` elements that `T` and `H` are committed to in.
    pub parts: [u32; 2],
    /// Parts that `V` is committed to in; none without private weights.
    pub private_parts: u32,
    /// Degrees of the rounds of the first sumcheck, by variable.
    pub degrees: Vec<u32>,
    /// Coordinates of the point `r` at which relations are tested.
    pub point_length: u32,
    /// Evaluations, in the order in which they are sent.
    pub evaluations: Vec<Evaluation>,
    /// Coefficients of `p₁`.
    pub mask_terms: Vec<MaskTerm>,
    /// Addresses in `R` of cells that nothing reads but the claim on the masks.
    pub opening_masks: Vec<u64>,
}

/// The next multiple of `2^bits` from `at` on.
fn aligned(at: u64, bits: u32) -> u64 {
    at.next_multiple_of(1 << bits)
}

impl Shape {
    /// The shape of a system; nothing if the vectors have no room for its masks, or too many parts.
    ///
    /// Meaningful for systems within the limits that validation checks.
    pub fn of(system: &System, opening: &Opening) -> Option<Self> {
        let (rows, table) = (1u64 << system.row_bits, system.table.bits);
        let groups = system.groups();
        let multiplicities = aligned(u64::from(system.columns) * rows, table);
        let table_helper = aligned(u64::from(groups) * rows, table);
        let helper_mask = table_helper + (1 << table);
        let first_variables = system.first_variables();
        let second_variables = opening.bits;
        let parts =
            |length: u64| u32::try_from(length.div_ceil(opening.length())).ok().filter(|n| *n <= MOST_PARTS);
        let private_parts = parts(system.private.map_or(0, |p| p.cells))?;
        let parts = [parts(multiplicities + (1 << table) + system.loose)?, parts(helper_mask + 1)?];
        let degrees: Vec<u32> = (0..first_variables).map(|v| system.round_degree(v)).collect();
        let mut evaluations = system.evaluations(multiplicities, table_helper);
        let opening_masks = opening_masks(opening, second_variables);
        let mut free = (0..opening.length()).filter(|a| opening_masks.binary_search(a).is_err());
        let mut mask_terms = vec![MaskTerm { address: free.next()?, power: None }];
        for (variable, degree) in (0u32..).zip(&degrees) {
            for exponent in 1..=*degree {
                mask_terms.push(MaskTerm { address: free.next()?, power: Some((variable, exponent)) });
            }
        }
        for evaluation in &mut evaluations {
            if evaluation.form.reads(&Source::SECRET) {
                evaluation.mask = Some(free.next()?);
            }
        }
        let point_length = system.point_length();
        Some(Self {
            multiplicities,
            table_helper,
            helper_mask,
            groups,
            first_variables,
            second_variables,
            parts,
            private_parts,
            degrees,
            point_length,
            evaluations,
            mask_terms,
            opening_masks,
        })
    }

    /// Parts that a vector is committed to in.
    pub fn parts_of(&self, source: Source, weights: &Weights) -> u32 {
        match source {
            Source::Witness => self.parts[0],
            Source::Helpers => self.parts[1],
            Source::Weights => weights.commitments.len() as u32,
            Source::Private => self.private_parts,
            Source::Masks | Source::One => 1,
        }
    }
}

/// Addresses of the cells of `R` that mask the opening and the second sumcheck, ascending: six of the first row, six of the first
/// column and one beside them where there are others, and two more for each variable of the second sumcheck.
///
/// In the round of variable `v`, all cells below `2^v` act as two numbers together, which earlier rounds have shown. Two cells
/// whose highest bit is `v` give the two numbers that this round needs, unless their addresses have equally many ones.
fn opening_masks(opening: &Opening, variables: u32) -> Vec<u64> {
    let b = opening.columns();
    let row = 0..CROSS;
    let mut cells: Vec<u64> = if opening.is_whole() {
        row.collect()
    } else {
        row.flat_map(|i| [i * b, i]).chain([b + 1]).collect()
    };
    for variable in 0..variables {
        let mut ones = None;
        for _ in 0..2 {
            let fits = |a: &u64| !cells.contains(a) && Some(a.count_ones()) != ones;
            let next = (1u64 << variable..).find(fits);
            ones = next.map(u64::count_ones);
            cells.extend(next);
        }
    }
    cells.sort_unstable();
    cells.dedup();
    cells
}

impl System {
    /// Groups of lookups.
    pub fn groups(&self) -> u32 {
        let lookups = self.templates.first().map_or(0, |t| t.lookups.len()) as u32;
        lookups / self.lookups_per_helper.max(1)
    }

    /// Largest degree of a gate.
    pub fn gate_degree(&self) -> u32 {
        self.templates.iter().flat_map(|t| &t.gates).map(|g| g.degree() as u32).max().unwrap_or(0)
    }

    /// Largest number of gates of a template.
    pub fn gates(&self) -> usize {
        self.templates.iter().map(|t| t.gates.len()).max().unwrap_or(0)
    }

    /// Coordinates of the point `τ` at which rows and table are tested.
    pub fn tau_length(&self) -> u32 {
        self.row_bits.max(self.table.bits)
    }

    /// Returns true if a relation compares two layouts of a sequence.
    pub fn has_sequences(&self) -> bool {
        let sequence = |i: &Index| matches!(i.weight, Weight::Sequence { .. });
        self.linears.iter().flat_map(|l| &l.indices).any(sequence)
    }

    fn first_variables(&self) -> u32 {
        let contractions = self.contractions.iter().map(Contraction::variables);
        contractions.chain([self.row_bits, self.table.bits]).max().unwrap_or(0)
    }

    /// Degree of the round polynomial of a variable. Items of fewer variables have not joined: they add constants. In the
    /// last round, of variable zero, each masked evaluation has degree two.
    fn round_degree(&self, v: u32) -> u32 {
        let masked = if v == 0 { 2 } else { 1 };
        let mut degree = 1;
        if self.row_bits > v {
            degree =
                degree.max(1 + masked * (self.lookups_per_helper + 1)).max(1 + masked * self.gate_degree());
        }
        if self.table.bits > v {
            // eq · G · (β − fingerprint), G being masked.
            degree = degree.max(2 + masked);
        }
        for c in &self.contractions {
            if c.variables() > v {
                let side = |form: &Form| if is_secret(form) { masked } else { 1 };
                let weighed = u32::from(v >= c.sum_bits());
                degree = degree.max(side(&c.a) + side(&c.b) + weighed);
            }
        }
        degree
    }

    fn point_length(&self) -> u32 {
        let bits = |indices: &[Index]| -> u32 {
            indices.iter().filter(|i| i.weight == Weight::Random).map(Index::bits).sum()
        };
        let of = self.contractions.iter().map(|c| bits(&c.free) + bits(&c.batch));
        of.chain(self.linears.iter().map(|l| bits(&l.indices))).max().unwrap_or(0)
    }

    fn evaluations(&self, multiplicities: u64, table_helper: u64) -> Vec<Evaluation> {
        let (k, kt) = (self.row_bits, self.table.bits);
        let plain = |of, source, base, bits| {
            let axes = if bits == 0 { vec![] } else { vec![Axis::plain(0, 0, 1u64 << bits)] };
            let form = Form(vec![Term { source, axes, broadcast: vec![], cells: vec![(base, Word::ONE)] }]);
            Evaluation { of, form, mask: None }
        };
        let column = |c: u32| plain(Evaluated::Column(c), Source::Witness, u64::from(c) << k, k);
        let helper = |g: u32| plain(Evaluated::Helper(g), Source::Helpers, u64::from(g) << k, k);
        let mut out: Vec<Evaluation> =
            (0..self.columns).map(column).chain((0..self.groups()).map(helper)).collect();
        out.push(plain(Evaluated::Multiplicity, Source::Witness, multiplicities, kt));
        out.push(plain(Evaluated::TableHelper, Source::Helpers, table_helper, kt));
        for (j, base) in (0u32..).zip(&self.table.outputs) {
            out.push(plain(Evaluated::TableOutput(j), Source::Weights, *base, kt));
        }
        for (i, c) in (0u32..).zip(&self.contractions) {
            for (of, form) in [(Evaluated::Left(i), &c.a), (Evaluated::Right(i), &c.b)] {
                out.push(Evaluation { of, form: form.clone(), mask: None });
            }
        }
        out
    }
}

/// Returns true if the form reads what is secret.
fn is_secret(form: &Form) -> bool {
    form.reads(&Source::SECRET)
}
