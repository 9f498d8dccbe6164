//! Cheating provers against the Rust verifier: the specification's forgeries, on its own systems.
//!
//! Each prover makes a proof by the prover's own phases, with something forged and all that follows from it computed again, so that
//! only the equation in question can refuse it. Where a rule exists because of an attack, the attack is run against the
//! protocol without that rule as well, and must then succeed.

mod early;
mod messages;
mod toy;
mod witness;

use toy::Toy;
