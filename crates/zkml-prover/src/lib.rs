//! The halo2 back end: circuit layout, keys, trusted setup, proofs, and the verifier program of a key.

pub mod program;
pub mod transcript;
