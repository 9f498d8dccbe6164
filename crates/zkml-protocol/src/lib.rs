//! What provers, verifiers and contracts agree on, without any curve or proving code.
//!
//! Common to all proof systems:
//!
//! | question | answer |
//! |---|---|
//! | what is a proof about? | [`Statement`]: sections of public instances, see [`InstanceLayout`] |
//! | what does a commitment to private values cover? | [`commitment`] |
//! | how is a statement tied to its surroundings? | [`binding`] |
//! | what do contracts take for a proof? | [`envelope`] |
//! | how do challenges follow from what was said before? | [`Transcript`] |
//! | how are numbers and points written? | [`Word`], [`G1`], [`G2`], [`field`] |
//! | which trusted setup? | [`Srs`] |
//! | which proof system, and what does everybody else need of it? | [`ProofSystem`], [`VerifierProgram`] |
//!
//! One proof system's own, and nobody else's: a module each. They do not know each other.
//!
//! | proof system | module | holds |
//! |---|---|---|
//! | [`ProofSystem::Plonk`] | [`plonk`] | program, proof layout, constraint expressions, opening scheme |

#![forbid(unsafe_code)]

pub mod binding;
pub mod commitment;
pub mod envelope;
pub mod field;
pub mod plonk;
mod proof_system;
mod srs;
mod statement;
mod transcript;
mod word;

pub use commitment::Code;
pub use proof_system::{ProofSystem, VerifierProgram, model_commitment};
pub use srs::Srs;
pub use statement::{Bounds, Encoding, Field, InstanceLayout, Statement, StatementError};
pub use transcript::Transcript;
pub use word::{G1, G2, Word, keccak256};
