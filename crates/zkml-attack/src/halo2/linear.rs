//! Sparse linear equations over the field: is there any solution?

use std::collections::HashMap;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;

/// `constant + Σ coefficient · unknown`, sorted by unknown, without zeros.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// The constant part.
    pub constant: Fr,
    /// Unknowns with their coefficients.
    pub terms: Vec<(u32, Fr)>,
}

impl Form {
    /// A constant.
    pub fn constant(constant: Fr) -> Self {
        Self { constant, terms: vec![] }
    }

    /// An unknown.
    pub fn unknown(index: u32) -> Self {
        Self { constant: Fr::ZERO, terms: vec![(index, Fr::ONE)] }
    }

    /// Returns true if nothing is left.
    pub fn is_zero(&self) -> bool {
        self.terms.is_empty() && self.constant == Fr::ZERO
    }

    /// `self + factor · other`.
    pub fn plus(&self, factor: Fr, other: &Self) -> Self {
        let mut terms = Vec::with_capacity(self.terms.len() + other.terms.len());
        let (mut a, mut b) = (self.terms.iter().peekable(), other.terms.iter().peekable());
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            let (x, y) = (**x, **y);
            let (unknown, value) = match x.0.cmp(&y.0) {
                std::cmp::Ordering::Less => (x.0, x.1),
                std::cmp::Ordering::Greater => (y.0, y.1 * factor),
                std::cmp::Ordering::Equal => (x.0, x.1 + y.1 * factor),
            };
            if x.0 <= y.0 {
                a.next();
            }
            if y.0 <= x.0 {
                b.next();
            }
            terms.push((unknown, value));
        }
        terms.extend(a.copied());
        terms.extend(b.map(|(u, c)| (*u, *c * factor)));
        terms.retain(|(_, c)| *c != Fr::ZERO);
        Self { constant: self.constant + other.constant * factor, terms }
    }

    /// `factor · self`.
    pub fn scaled(mut self, factor: Fr) -> Self {
        if factor == Fr::ZERO {
            return Self::default();
        }
        self.constant *= factor;
        self.terms.iter_mut().for_each(|(_, c)| *c *= factor);
        self
    }
}

/// Equations, each solved for its last unknown in terms of earlier ones.
#[derive(Debug, Default)]
pub struct Equations {
    solved: HashMap<u32, Form>,
}

impl Equations {
    /// Takes in `form = 0`.
    ///
    /// # Errors
    /// The rest of it, if it contradicts those before.
    pub fn require(&mut self, form: Form) -> Result<(), Fr> {
        let mut form = form;
        // From the last unknown down, so that what is put in for it is reduced as well.
        let mut kept: Vec<(u32, Fr)> = Vec::new();
        while let Some((unknown, c)) = form.terms.pop() {
            match self.solved.get(&unknown) {
                Some(by) => form = form.plus(c, by),
                None => kept.push((unknown, c)),
            }
        }
        // The largest unknown that stays is what this equation determines.
        let Some((unknown, c)) = kept.first().copied() else {
            return if form.constant == Fr::ZERO { Ok(()) } else { Err(form.constant) };
        };
        let inverse = -Option::<Fr>::from(c.invert()).unwrap_or(Fr::ONE);
        let terms = kept.into_iter().skip(1).rev().map(|(u, x)| (u, x * inverse)).collect();
        self.solved.insert(unknown, Form { constant: form.constant * inverse, terms });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(constant: i64, terms: &[(u32, i64)]) -> Form {
        let f = |v: i64| zkml_halo2::polynomial::field(v.into());
        Form { constant: f(constant), terms: terms.iter().map(|(u, c)| (*u, f(*c))).collect() }
    }

    #[test]
    fn contradictions_are_found_and_freedom_is_kept() {
        let mut e = Equations::default();
        assert_eq!(e.require(form(0, &[(0, 1), (1, -2)])), Ok(()));
        assert_eq!(e.require(form(-6, &[(0, 1), (2, 3)])), Ok(()));
        assert_eq!(e.require(form(-10, &[(1, 1)])), Ok(()));
        // x₁ = 10, x₀ = 20, x₂ = −14/3.
        assert_eq!(e.require(form(14, &[(2, 3)])), Ok(()));
        assert_eq!(e.require(form(15, &[(2, 3)])), Err(Fr::ONE));
        assert_eq!(e.require(form(0, &[(7, 5)])), Ok(()), "another unknown is free");
    }

    #[test]
    fn forms_add_up() {
        let sum = form(1, &[(0, 2), (3, 4)]).plus(Fr::from(2), &form(5, &[(1, 1), (3, -2)]));
        assert_eq!(sum, form(11, &[(0, 2), (1, 2)]));
    }
}
