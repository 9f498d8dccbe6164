//! Small multivariate polynomials over the cells of one block.

use std::collections::BTreeMap;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;

/// A polynomial: monomials (sorted atoms) with their coefficients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Polynomial<A: Ord>(pub BTreeMap<Vec<A>, Fr>);

impl<A: Ord + Copy> Polynomial<A> {
    /// The constant `c`.
    pub fn constant(c: Fr) -> Self {
        let mut s = Self(BTreeMap::new());
        s.add_term(vec![], c);
        s
    }

    /// The atom itself.
    pub fn atom(a: A) -> Self {
        Self(BTreeMap::from([(vec![a], Fr::ONE)]))
    }

    fn add_term(&mut self, monomial: Vec<A>, c: Fr) {
        let slot = self.0.entry(monomial).or_insert(Fr::ZERO);
        *slot += c;
    }

    fn trimmed(mut self) -> Self {
        self.0.retain(|_, c| *c != Fr::ZERO);
        self
    }

    /// `self + c · other`.
    pub fn plus(mut self, c: Fr, other: &Self) -> Self {
        other.0.iter().for_each(|(m, x)| self.add_term(m.clone(), c * x));
        self.trimmed()
    }

    /// `self · other`.
    pub fn times(&self, other: &Self) -> Self {
        let mut out = Self(BTreeMap::new());
        for (m, x) in &self.0 {
            for (n, y) in &other.0 {
                let mut monomial: Vec<A> = m.iter().chain(n).copied().collect();
                monomial.sort_unstable();
                out.add_term(monomial, *x * y);
            }
        }
        out.trimmed()
    }

    /// `c · self`.
    pub fn scaled(&self, c: Fr) -> Self {
        Self(BTreeMap::new()).plus(c, self)
    }

    /// Replaces atom `a` by `by` everywhere.
    pub fn replaced(&self, a: A, by: &Self) -> Self {
        let mut out = Self(BTreeMap::new());
        for (m, c) in &self.0 {
            let kept: Vec<A> = m.iter().copied().filter(|x| *x != a).collect();
            let mut term = Self(BTreeMap::from([(kept.clone(), *c)]));
            for _ in kept.len()..m.len() {
                term = term.times(by);
            }
            out = out.plus(Fr::ONE, &term);
        }
        out
    }

    /// Degree; zero for constants.
    pub fn degree(&self) -> usize {
        self.0.keys().map(Vec::len).max().unwrap_or(0)
    }

    /// Coefficient of the monomial that is `a` alone.
    pub fn linear_coefficient(&self, a: A) -> Fr {
        self.0.get(&vec![a]).copied().unwrap_or(Fr::ZERO)
    }

    /// Whether `a` occurs.
    pub fn mentions(&self, a: A) -> bool {
        self.0.keys().any(|m| m.contains(&a))
    }

    /// Whether `a` occurs in a monomial of degree two or more.
    pub fn nonlinear_in(&self, a: A) -> bool {
        self.0.keys().any(|m| m.len() > 1 && m.contains(&a))
    }

    /// Whether there is nothing left.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The same polynomial over other atoms.
    pub fn map<B: Ord + Copy>(&self, mut f: impl FnMut(A) -> B) -> Polynomial<B> {
        let mut out = Polynomial(BTreeMap::new());
        for (m, c) in &self.0 {
            let mut n: Vec<B> = m.iter().map(|a| f(*a)).collect();
            n.sort_unstable();
            out.add_term(n, *c);
        }
        out.trimmed()
    }
}

/// An integer as a field element; negative ones from above.
pub fn field(v: i128) -> Fr {
    let f = |m: u128| match (m >> 64) as u64 {
        0 => Fr::from(m as u64),
        high => Fr::from(m as u64) + Fr::from(high) * pow2(64),
    };
    if v < 0 { -f(v.unsigned_abs()) } else { f(v as u128) }
}

/// `2^e` as a field element.
pub fn pow2(e: u32) -> Fr {
    if e < 64 { Fr::from(1u64 << e) } else { Fr::from(2).pow_vartime([u64::from(e)]) }
}
