//! Forges proofs: tries to make a proving back end accept what no model says.
//!
//! A test that changes a value and keeps the statement tests the public gate only: it refuses, whatever the rest of
//! the circuit allows. Here the statement is always computed again from the forged values, so that each relation has
//! to object by itself.
//!
//! - [`zoo`] makes graphs: every operator with every kind of operand in every position, all pairs, random ones.
//! - [`cells`] writes a system's tensor relations out as scalar constraints, from the relations' definition alone.
//! - [`forge`] changes a cell and repairs all constraints but one, so that only that one can object.
//! - A [`Backend`] says whether a proof of the forged assignment would be accepted. The prover's later rounds are the
//!   adversary's, too: a back end judges whether *any* choice in them is accepted.
//! - [`oracle`] judges what was accepted: the outputs of the statement are those that the model computes from
//!   its inputs and weights, and all relations hold.
//! - [`campaign`] runs all of it within a budget, and counts.
//! - [`agree`] sees that honest runs of random graphs are accepted by all there is, down to the contract.
//!
//! [`halo2`] plugs in the halo2 back end, [`sumcheck`] the other one; [`halo2::mutants`] removes checks one at a time, as data, to
//! see that the forger would notice.

#![forbid(unsafe_code)]

pub mod agree;
pub mod campaign;
pub mod cells;
pub mod forge;
pub mod halo2;
pub mod oracle;
pub mod report;
pub mod sumcheck;
pub mod target;
pub mod zoo;

use halo2_proofs::halo2curves::bn256::Fr;

use cells::Cell;
pub use target::Target;

/// Values of all variables of a system as field elements: one row-major vector per variable.
pub type Assignment = Vec<Vec<Fr>>;

/// A proving back end under attack.
pub trait Backend: Sync {
    /// Name for reports.
    fn name(&self) -> &'static str;

    /// Number of ways in which a system may be laid out.
    fn variants(&self) -> usize;

    /// Returns true if the back end proves such models at all.
    fn takes(&self, _target: &Target) -> bool {
        true
    }

    /// Lays out the system of a target in one of those ways.
    ///
    /// # Errors
    /// The back end's reason not to lay it out so, printed.
    fn prepare<'a>(&self, target: &'a Target, variant: usize) -> Result<Box<dyn Prepared + 'a>, String>;
}

/// A system that a back end has laid out.
pub trait Prepared {
    /// Judges a forged assignment, the statement being computed from it.
    fn judge(&self, forged: &Assignment) -> Judgement;

    /// Pairs of cells that the back end holds in one field element, and the bits between the first and the second:
    /// what one of them takes of the other does not show in their sum.
    fn neighbours(&self) -> Vec<(Cell, Cell, u32)>;
}

/// A back end's answer to a forged assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// No proof of it would be accepted.
    Refused,
    /// A proof of it would be accepted. Variables that the back end has no cell for are given as it computes them
    /// from others.
    Accepted(Assignment),
}
