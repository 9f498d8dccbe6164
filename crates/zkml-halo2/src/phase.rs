//! Commit before challenge, by type.
//!
//! A challenge binds a prover only to what was committed before it. Columns of the first phase come from
//! [`FirstPhase`]; only its [end](FirstPhase::end) gives [`SecondPhase`], which hands out challenges and later columns,
//! and after that there is no way to a column of the first phase. So a circuit whose multiplicities, say, are chosen
//! after the challenges does not compile: they are an [`Early`] column, and [`SecondPhase`] gives [`Late`] ones.
//!
//! ```
//! use halo2_proofs::{halo2curves::bn256::Fr, plonk::ConstraintSystem};
//! use zkml_halo2::phase::{Early, FirstPhase, Late};
//!
//! let mut cs = ConstraintSystem::<Fr>::default();
//! let mut first = FirstPhase::new(&mut cs);
//! let multiplicity: Early = first.advice();
//! let mut second = first.end();
//! let alpha = second.challenge();
//! let running: Late = second.advice();
//! ```
//!
//! A column cannot be committed to once there is a challenge:
//!
//! ```compile_fail,E0382
//! # use halo2_proofs::{halo2curves::bn256::Fr, plonk::ConstraintSystem};
//! # use zkml_halo2::phase::{Early, FirstPhase, Late};
//! # let mut cs = ConstraintSystem::<Fr>::default();
//! let mut first = FirstPhase::new(&mut cs);
//! let mut second = first.end();
//! let alpha = second.challenge();
//! let multiplicity: Early = first.advice();
//! ```
//!
//! and what comes after it does not pass for what came before:
//!
//! ```compile_fail,E0308
//! # use halo2_proofs::{halo2curves::bn256::Fr, plonk::ConstraintSystem};
//! # use zkml_halo2::phase::{Early, FirstPhase, Late};
//! # let mut cs = ConstraintSystem::<Fr>::default();
//! let mut second = FirstPhase::new(&mut cs).end();
//! let multiplicity: Early = second.advice();
//! ```
//!
//! Values follow the same way: [`Challenges`] are drawn from [`Committed`], which only the assignment of the first phase
//! gives.

use ff::Field;
use halo2_proofs::{
    circuit::Region,
    halo2curves::bn256::Fr,
    plonk::{self, Advice, Challenge, Column, ConstraintSystem},
};

/// Makes columns that are committed to before there is any challenge.
#[derive(Debug)]
pub struct FirstPhase<'a>(&'a mut ConstraintSystem<Fr>);

/// Makes challenges, and columns that are committed to after them.
#[derive(Debug)]
pub struct SecondPhase<'a>(&'a mut ConstraintSystem<Fr>);

/// An advice column that is committed to before there is any challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Early(Column<Advice>);

/// An advice column that is committed to after the challenges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late(Column<Advice>);

impl<'a> FirstPhase<'a> {
    /// Begins a constraint system.
    pub fn new(cs: &'a mut ConstraintSystem<Fr>) -> Self {
        Self(cs)
    }

    /// A column.
    pub fn advice(&mut self) -> Early {
        Early(self.0.advice_column())
    }

    /// A column under the permutation argument.
    pub fn permuted(&mut self) -> Early {
        let column = self.0.advice_column();
        self.0.enable_equality(column);
        Early(column)
    }

    /// Ends the first phase: from here on there are challenges.
    pub fn end(self) -> SecondPhase<'a> {
        SecondPhase(self.0)
    }
}

impl SecondPhase<'_> {
    /// A challenge that binds every column of the first phase.
    pub fn challenge(&mut self) -> Challenge {
        self.0.challenge_usable_after(plonk::FirstPhase)
    }

    /// A column.
    pub fn advice(&mut self) -> Late {
        Late(self.0.advice_column_in(plonk::SecondPhase))
    }
}

impl From<Early> for Column<Advice> {
    fn from(column: Early) -> Self {
        column.0
    }
}

impl From<Late> for Column<Advice> {
    fn from(column: Late) -> Self {
        column.0
    }
}

/// Shows that all values of the first phase are assigned.
#[derive(Debug)]
pub struct Committed(());

impl Committed {
    /// Ends the assignment of the first phase.
    pub(crate) fn end(region: &mut Region<'_, Fr>) -> Self {
        region.next_phase();
        Self(())
    }

    /// Draws the challenges; one that a circuit does not use is one. `None` in the pass that only commits.
    pub(crate) fn draw(
        self,
        region: &Region<'_, Fr>,
        challenges: &[Option<Challenge>; 4],
    ) -> Option<Challenges> {
        let value = |challenge: &Option<Challenge>| {
            let Some(c) = challenge else { return Some(Fr::ONE) };
            let mut known = None;
            region.get_challenge(*c).map(|v| known = Some(v));
            known
        };
        let [alpha, beta, rho, sigma] = challenges.each_ref().map(value);
        Some(Challenges { alpha: alpha?, beta: beta?, rho: rho?, sigma: sigma? })
    }
}

/// Challenges of the second phase; those that a circuit does not use are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenges {
    alpha: Fr,
    beta: Fr,
    rho: Fr,
    sigma: Fr,
}

impl Challenges {
    /// None at all: for columns that do not depend on any.
    pub fn unused() -> Self {
        Self { alpha: Fr::ONE, beta: Fr::ONE, rho: Fr::ONE, sigma: Fr::ONE }
    }

    /// The challenge of the lookup argument.
    pub fn alpha(&self) -> Fr {
        self.alpha
    }

    /// Compresses keys and outputs of function tables.
    pub fn beta(&self) -> Fr {
        self.beta
    }

    /// Folds weights.
    pub fn rho(&self) -> Fr {
        self.rho
    }

    /// Sweeps over positions.
    pub fn sigma(&self) -> Fr {
        self.sigma
    }
}
