//! Interprets a verifier program over hostile proof bytes; never panics, knows no prover.
