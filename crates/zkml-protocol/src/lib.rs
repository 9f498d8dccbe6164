//! The agreement of provers, verifiers and contracts, as plain data over BN254: no curve arithmetic, no proving code.
//!
//! Common to all proof systems; nothing here uses a proof system's module, only [`ProofSystem`] names them:
//!
//! | question | answer |
//! |---|---|
//! | what is a proof about? | [`Statement`]: sections of public instances, see [`InstanceLayout`] |
//! | what does the salted Poseidon commitment to private inputs, weights or outputs cover? | [`commitment`], [`Code`] |
//! | who may use a proof, where and when, and what is a model registered with? | [`binding`], [`model_commitment`] |
//! | what travels to a contract around a proof, whose length the program fixes? | [`envelope`] |
//! | what is a proof made of? | [`Slot`]s of points and scalars; which ones is the proof system's |
//! | how is a challenge hashed? | [`Transcript`]; what is absorbed when is the proof system's |
//! | how are numbers and points of BN254 written? | [`Word`], [`G1`], [`G2`]; arithmetic for constants in [`field`] |
//! | which powers-of-tau setup does an opening check against? | [`Srs`]; every system so far has one |
//! | what must every verifier refuse? | [`tamper::matrix`] |
//! | which proof system, opening and curve included? | [`ProofSystem`] |
//! | what do statements, registrations and envelopes need of its program? | [`VerifierProgram`], which each system's program implements |
//!
//! One proof system's own, and nobody else's: a module each. They do not know each other.
//!
//! | proof system | module | holds |
//! |---|---|---|
//! | [`ProofSystem::Plonk`] | [`plonk`] | program and its checks, proof layout and the order of the transcript's moves, constraint expressions, opening sets, samples and tamperings for tests |
//! | [`ProofSystem::Sumcheck`] | [`sumcheck`] | program and its checks, proof layout and the order of the transcript's moves, structured functionals, the list of claims |
//!
//! A new one brings a module here, a program that implements [`VerifierProgram`], and a variant of [`ProofSystem`] with a name
//! that is never used again. Its digest has a tag of its own, its transcript starts at [`Transcript::beginning`] and absorbs
//! all instances, and it checks its statement by [`InstanceLayout::check`].

#![forbid(unsafe_code)]

pub mod binding;
pub mod commitment;
pub mod envelope;
pub mod field;
pub mod plonk;
mod program;
mod proof_system;
mod slot;
mod srs;
mod statement;
pub mod sumcheck;
pub mod tamper;
mod transcript;
mod word;

pub use commitment::Code;
pub use program::{AnyProgram, Program, ProgramError, VerifierProgram};
pub use proof_system::{ProofSystem, model_commitment};
pub use slot::{Element, Slot};
pub use srs::Srs;
pub use statement::{Bounds, Encoding, Field, InstanceLayout, Statement, StatementError};
pub use transcript::Transcript;
pub use word::{G1, G2, Word, keccak256};
