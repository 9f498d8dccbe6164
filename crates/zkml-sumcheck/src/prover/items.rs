//! Items of the first sumcheck: table, contractions, and the mask. Rows are in [`super::rows`].

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use zkml_protocol::sumcheck::MaskTerm;

use crate::field::{bind, half_power, horner};

/// `x₀ (1 − x₀)`, which masks an evaluation and vanishes on the cube.
pub(super) fn bump(x: Fr) -> Fr {
    x * (Fr::ONE - x)
}

/// A sum over a cube: tables that are bound variable by variable, the highest first.
pub(crate) trait Item: Sync {
    /// Number of variables.
    fn variables(&self) -> u32;
    /// The sum over the cube.
    fn total(&self) -> Fr;
    /// Values at `0 … degree` of the sum over the variables below `v`, as a function of variable `v`.
    fn round(&self, v: u32, degree: u32) -> Vec<Fr>;
    /// Fixes variable `v`.
    fn bind(&mut self, r: Fr);
}

/// A table with what masks its evaluation.
pub(crate) struct Masked {
    /// Values on what is left of the cube.
    pub(crate) table: Vec<Fr>,
    /// Its mask `ξ`.
    pub(crate) mask: Fr,
}

impl Masked {
    /// The masked value at the point where all variables are bound, `x₀` being `r`.
    pub(crate) fn value(&self, r: Fr) -> Fr {
        self.table[0] + self.mask * bump(r)
    }

    /// Values at `0 … degree` on the line through the two halves at `x`.
    fn line(&self, v: u32, x: usize, degree: u32) -> impl Iterator<Item = Fr> + '_ {
        let half = 1usize << v;
        let (low, high) = (self.table[x], self.table[x + half]);
        let (step, masked) = (high - low, v == 0 && self.mask != Fr::ZERO);
        (0..=degree).scan(low, move |at, i| {
            let here = *at;
            *at += step;
            Some(if masked { here + self.mask * bump(Fr::from(u64::from(i))) } else { here })
        })
    }
}

/// Adds up vectors that are computed for each `x` below `2^v`.
fn sum_over(v: u32, degree: u32, f: impl Fn(usize, &mut [Fr]) + Sync) -> Vec<Fr> {
    let zero = || vec![Fr::ZERO; degree as usize + 1];
    let one = |mut acc: Vec<Fr>, x| {
        f(x, &mut acc);
        acc
    };
    (0..1usize << v).into_par_iter().with_min_len(64).fold(zero, one).reduce(zero, added)
}

/// Two vectors added up.
pub(super) fn added(mut a: Vec<Fr>, b: Vec<Fr>) -> Vec<Fr> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

/// The equation of the table: `γ^· eq(τ, x) (G (β − fp) − M) − γ^· G`.
pub(crate) struct TableItem {
    /// `eq(τ, ·)`.
    pub(crate) eq: Vec<Fr>,
    /// `G`.
    pub(crate) helper: Masked,
    /// `M`.
    pub(crate) multiplicity: Masked,
    /// `β − fp`, without outputs.
    pub(crate) denominator: Vec<Fr>,
    /// Outputs, each with its power of `θ`.
    pub(crate) outputs: Vec<(Fr, Vec<Fr>)>,
    /// Weights of the equation and of the sum.
    pub(crate) weights: (Fr, Fr),
    /// Number of variables.
    pub(crate) variables: u32,
}

impl Item for TableItem {
    fn variables(&self) -> u32 {
        self.variables
    }

    fn total(&self) -> Fr {
        -self.weights.1 * self.helper.table.iter().sum::<Fr>()
    }

    fn round(&self, v: u32, degree: u32) -> Vec<Fr> {
        let half = 1usize << v;
        let plain = |table: &[Fr], x: usize, i: Fr| table[x] + i * (table[x + half] - table[x]);
        sum_over(v, degree, |x, acc| {
            let masked = self.helper.line(v, x, degree).zip(self.multiplicity.line(v, x, degree));
            for ((i, acc), (g, m)) in acc.iter_mut().enumerate().zip(masked) {
                let at = Fr::from(i as u64);
                let outputs: Fr = self.outputs.iter().map(|(w, t)| *w * plain(t, x, at)).sum();
                let equation = plain(&self.eq, x, at) * (g * (plain(&self.denominator, x, at) - outputs) - m);
                *acc += self.weights.0 * equation - self.weights.1 * g;
            }
        })
    }

    fn bind(&mut self, r: Fr) {
        let outputs = self.outputs.iter_mut().map(|(_, t)| t);
        let own = [&mut self.eq, &mut self.helper.table, &mut self.multiplicity.table, &mut self.denominator];
        own.into_iter().chain(outputs).for_each(|t| bind(t, r));
    }
}

/// `γ^· A B`, times `eq` on the batch.
pub(crate) struct Product {
    /// The operands.
    pub(crate) operands: [Masked; 2],
    /// `eq(r, ·)` on the variables of the batch, constant in the others; none without a batch.
    pub(crate) eq: Option<Vec<Fr>>,
    /// Its weight.
    pub(crate) weight: Fr,
    /// Number of variables.
    pub(crate) variables: u32,
}

impl Item for Product {
    fn variables(&self) -> u32 {
        self.variables
    }

    fn total(&self) -> Fr {
        let [a, b] = &self.operands;
        let pairs = a.table.par_iter().with_min_len(1 << 10).zip(&b.table);
        self.weight
            * match &self.eq {
                None => pairs.map(|(a, b)| *a * b).sum::<Fr>(),
                Some(eq) => pairs.zip(eq).map(|((a, b), e)| *a * b * e).sum(),
            }
    }

    fn round(&self, v: u32, degree: u32) -> Vec<Fr> {
        let half = 1usize << v;
        let [a, b] = &self.operands;
        sum_over(v, degree, |x, acc| {
            let lines = a.line(v, x, degree).zip(b.line(v, x, degree));
            let (mut eq, step) = match &self.eq {
                Some(eq) => (self.weight * eq[x], self.weight * (eq[x + half] - eq[x])),
                None => (self.weight, Fr::ZERO),
            };
            for (acc, (a, b)) in acc.iter_mut().zip(lines) {
                *acc += eq * a * b;
                eq += step;
            }
        })
    }

    fn bind(&mut self, r: Fr) {
        self.operands.iter_mut().for_each(|t| bind(&mut t.table, r));
        self.eq.iter_mut().for_each(|t| bind(t, r));
    }
}

/// `p₁(x) = a₀ + Σ_v Σ_d a_{v,d} x_v^d`: never a table.
pub(crate) struct Libra {
    constant: Fr,
    /// Coefficients of the powers of each variable, from the first power on.
    powers: Vec<Vec<Fr>>,
    /// What is bound already, from the highest variable down.
    bound: Fr,
}

impl Libra {
    /// Reads the coefficients off the masks.
    pub(crate) fn new(terms: &[MaskTerm], masks: &[Fr], variables: u32) -> Self {
        let mut libra =
            Self { constant: Fr::ZERO, powers: vec![vec![]; variables as usize], bound: Fr::ZERO };
        for term in terms {
            let value = masks[term.address as usize];
            match term.power {
                None => libra.constant = value,
                Some((variable, _)) => libra.powers[variable as usize].push(value),
            }
        }
        libra
    }

    fn part(&self, v: usize, x: Fr) -> Fr {
        horner(&self.powers[v], x) * x
    }

    /// The sum over the cube.
    pub(crate) fn total(&self) -> Fr {
        let n = self.powers.len() as u32;
        let sums: Fr = self.powers.iter().flatten().sum();
        (self.constant.double() + sums) * Fr::from(2).pow_vartime([u64::from(n)]) * half_power(1)
    }

    /// Values at `0 … degree` of the sum over the variables below `v`.
    pub(crate) fn round(&self, v: u32, degree: u32) -> Vec<Fr> {
        let size = Fr::from(2).pow_vartime([u64::from(v)]);
        let below: Fr = self.powers[..v as usize].iter().flatten().sum();
        let fixed = self.constant + self.bound;
        let value = |x: u32| {
            (fixed + self.part(v as usize, Fr::from(u64::from(x)))) * size + below * size * half_power(1)
        };
        (0..=degree).map(value).collect()
    }

    /// Fixes variable `v`.
    pub(crate) fn bind(&mut self, v: u32, r: Fr) {
        self.bound += self.part(v as usize, r);
    }
}
