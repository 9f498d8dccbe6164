//! Results for less than a proof, as posters, challengers and operators run them: real contracts on a real node, real proofs.

#[path = "../../../zkml-deploy/tests/anvil/mod.rs"]
mod anvil;
mod bad_input;
mod by_hand;
mod interrupted;
mod place;
#[path = "../end_to_end/support.rs"]
#[allow(dead_code, reason = "only a part of it is used here")]
mod support;
mod watched;
