//! Derives a verifier program from a verifying key.
