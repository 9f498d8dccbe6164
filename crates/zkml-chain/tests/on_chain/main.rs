//! Commands that open a connection, against a real node: anvil of the version in `package.json`.

#[path = "../../../zkml-deploy/tests/anvil/mod.rs"]
mod anvil;
mod bad_input;
mod check;
mod deploy;
mod echo;
mod node;
mod owners;
mod resume;
mod secrets;
mod submit;
#[path = "../end_to_end/support.rs"]
#[allow(dead_code, reason = "the other test binary uses the rest")]
mod support;
