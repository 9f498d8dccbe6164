//! The `zkml-chain` binary.
fn main() {}
