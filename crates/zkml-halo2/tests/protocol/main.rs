//! Programs that come from circuits: derived, proven and verified, by halo2 and by our verifier.

mod differential;
mod fixtures;
mod support;
