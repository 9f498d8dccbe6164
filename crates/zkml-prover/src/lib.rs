//! The halo2 back end: circuit layout, keys, trusted setup, proofs, and the verifier program of a key.

pub mod block;
pub mod bounds;
pub mod chain;
mod chain_rows;
pub mod circuit;
pub mod container;
pub mod contract;
pub mod error;
pub mod keys;
pub mod layout;
pub mod plan;
pub mod program;
pub mod prove;
pub mod shape;
pub mod srs;
pub mod sym;
pub mod transcript;
pub mod wiring;
pub mod witness;

pub use error::{ProverError, Result};
pub use keys::Keys;
pub use plan::{Optimize, Plan, plan};
pub use prove::{Proof, prove, verify};
pub use srs::Srs;
