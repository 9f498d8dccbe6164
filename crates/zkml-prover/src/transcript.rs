//! Keccak-256 transcript for halo2's transcript traits.
