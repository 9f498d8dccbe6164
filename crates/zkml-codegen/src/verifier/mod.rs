//! Verifier contracts: one module per proof system.

pub(crate) mod plonk;
