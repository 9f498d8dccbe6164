//! The halo2 back end: circuit layout, keys, proofs, and the verifier program of a key.
//!
//! # From relations to rows
//!
//! 1. [`zkml_graph::intervals`] derives, from the relations alone, an interval for every variable. Bounds that a graph declares
//!    are never trusted; a loose range that others imply costs nothing.
//! 2. [`block`] groups element-wise relations that speak of the same elements. What a linear equation determines
//!    gets no cell; blocks with equal constraints share one [`block::Template`], that is, one gate.
//! 3. [`contraction`] decides how each contraction is checked. With a constant operand, several results share one field
//!    element: `Σ_s 2^{ws}·(acc_s − y_s) = 0` says that all differences are zero when each is below `2^w` and the
//!    whole below the modulus. *Direct* ones give every packed weight a row; *folded* ones fold a whole column
//!    of weights with a challenge `ρ` into one coefficient `z`, and sweep it over positions with powers of `σ`
//!    (Freivalds), so that an operand element costs one cell however many results it serves.
//!    Where both operands are witnesses (private weights, attention), the columns that fold hold witnesses as well.
//!    [`standing`] writes down how each relation is taken care of, and [`certificate`] confirms it before a key exists.
//! 4. [`statement`] says which cells the statement shows; what is committed to goes through [`poseidon_rows`].
//! 5. [`plan()`] compares shapes (columns of each kind, limb size, method) by an explicit cost model.
//! 6. [`placement`] assigns rows, giving a [`layout`], [`circuit`] turns them into a halo2 circuit, [`witness`] fills in values.
//!
//! # Columns
//!
//! | column | holds |
//! |---|---|
//! | `a` (advice, permuted) | values that are shown in more than one place, equal elements being copies; states of the hash |
//! | `u` (advice) | limbs and table keys: every cell of these columns is looked up, unused ones hold zero |
//! | `m`, `φ`, `h` (advice) | one LogUp argument for all `u`: multiplicities, running sum, helper sums |
//! | `t`, `z` (advice) | accumulator of the contractions, folding coefficient |
//! | `w`, table, tag, selectors (fixed) | packed public weights, round constants, one table for ranges and functions, which table a key means, gates |
//!
//! The lookup argument follows Haböck, *Multivariate lookups based on logarithmic derivatives* (2022/1530), with
//! a running sum over rows. Commitments are what a verifier pays for, so gates share selector columns as far as
//! degree [`shape::MAX_DEGREE`] allows, and small models get few columns and more rows.

#![deny(unsafe_code)]

pub mod block;
pub mod blueprint;
pub mod cells;
pub mod certificate;
pub mod circuit;
pub mod contraction;
mod contraction_rows;
pub mod error;
pub mod gate;
pub mod keys;
pub mod layout;
pub mod phase;
pub mod placement;
pub mod plan;
pub mod polynomial;
pub mod poseidon_rows;
pub mod program;
pub mod prove;
pub mod shape;
pub mod standing;
pub mod statement;
mod stored_key;
pub mod transcript;
pub mod witness;

pub use error::{ProverError, Refusal, Result};
pub use keys::Keys;
pub use plan::{Plan, plan};
pub use prove::{Binding, Proof, prove, verify};
pub use zkml_graph::Optimize;
