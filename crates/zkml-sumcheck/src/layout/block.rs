//! Blocks: rows that share an index space, what their columns hold, and what holds there.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_graph::View;

use super::digits::Digits;

/// A sum of columns of a block, and a constant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Affine {
    pub(crate) constant: Fr,
    pub(crate) terms: Vec<(usize, Fr)>,
}

impl Affine {
    pub(crate) fn constant(c: Fr) -> Self {
        Self { constant: c, terms: vec![] }
    }

    pub(crate) fn column(c: usize) -> Self {
        Self { constant: Fr::ZERO, terms: vec![(c, Fr::ONE)] }
    }

    /// Adds `factor · other`.
    pub(crate) fn add(&mut self, factor: Fr, other: &Self) {
        self.constant += factor * other.constant;
        for (c, w) in &other.terms {
            match self.terms.iter_mut().find(|(o, _)| o == c) {
                Some((_, own)) => *own += factor * w,
                None => self.terms.push((*c, factor * w)),
            }
        }
        self.terms.retain(|(_, w)| *w != Fr::ZERO);
    }
}

/// Where the values of a variable are.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    /// One number everywhere.
    Literal(i64),
    /// In `W`.
    Weights,
    /// In `V`: a private weight.
    Private,
    /// In the rows of a block.
    Cells { block: usize, form: Affine },
    /// Nowhere: this relation, solved for the term of that number, says what it is.
    Defined { relation: usize, term: usize },
    /// Elsewhere: copies say where.
    Wired,
    /// No relation needs it.
    Unused,
}

/// What a column holds in the rows of a block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Role {
    /// `((v − lo) >> shift) mod 2^bits`.
    Limb { view: View, lo: i64, shift: u32, bits: u32 },
    /// The values of a view.
    Value(View),
    /// Elements of the state of the hash, or what S-boxes make of them.
    Hash,
}

impl Role {
    /// The view that it shows, or has a part of.
    pub(crate) fn view(&self) -> Option<&View> {
        match self {
            Self::Limb { view, .. } | Self::Value(view) => Some(view),
            Self::Hash => None,
        }
    }

    /// What the column holds where the view shows `v`.
    pub(crate) fn of(&self, v: i64) -> i64 {
        match self {
            Self::Value(_) | Self::Hash => v,
            Self::Limb { lo, shift, bits, .. } => {
                let shifted = (i128::from(v) - i128::from(*lo)) >> shift;
                (shifted & ((1 << bits) - 1)) as i64
            }
        }
    }
}

/// A lookup in the rows of a block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Looked {
    pub(crate) key: Affine,
    pub(crate) outputs: Vec<Affine>,
    pub(crate) tag: u64,
}

/// A polynomial over the columns of a block that vanishes.
pub(crate) type Polynomial = Vec<(Fr, Vec<usize>)>;

/// Rows that share an index space.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Number of elements.
    pub(crate) count: u64,
    /// How elements are numbered.
    pub(crate) digits: Digits,
    /// What each column holds.
    pub(crate) columns: Vec<Role>,
    /// What is looked up in every row.
    pub(crate) lookups: Vec<Looked>,
    /// What vanishes in every row.
    pub(crate) gates: Vec<Polynomial>,
}

impl Block {
    /// Returns true if nothing is looked up in its rows, and nothing vanishes there: linear claims alone read it.
    pub(crate) fn is_loose(&self) -> bool {
        self.lookups.is_empty() && self.gates.is_empty()
    }

    /// Returns true if rows of zeros satisfy what holds here.
    pub(crate) fn zeros_hold(&self) -> bool {
        let gates = self.gates.iter().flatten().all(|(_, columns)| !columns.is_empty());
        let range = |l: &Looked| l.tag == 0 && l.key.constant == Fr::ZERO;
        gates && self.lookups.iter().all(range)
    }
}

pub(crate) fn linear_gate(sum: &Affine) -> Polynomial {
    let mut out: Polynomial = sum.terms.iter().map(|(c, w)| (*w, vec![*c])).collect();
    if sum.constant != Fr::ZERO {
        out.push((sum.constant, vec![]));
    }
    out
}

/// `a · b − y`.
pub(crate) fn product_gate(a: &Affine, b: &Affine, y: &Affine) -> Polynomial {
    let mut sum = Affine::default();
    sum.add(a.constant, b);
    let mut without = a.clone();
    without.constant = Fr::ZERO;
    sum.add(b.constant, &without);
    sum.add(-Fr::ONE, y);
    let mut out = linear_gate(&sum);
    for (c, x) in &a.terms {
        for (d, z) in &b.terms {
            let mut columns = vec![*c, *d];
            columns.sort_unstable();
            match out.iter_mut().find(|(_, m)| *m == columns) {
                Some((own, _)) => *own += *x * z,
                None => out.push((*x * z, columns)),
            }
        }
    }
    out.retain(|(w, _)| *w != Fr::ZERO);
    out
}
