//! What planned proofs cost.

use super::{
    DIM,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml::{Cost, Optimize};

/// A table of costs.
///
/// # Errors
/// What the writer returns.
pub(super) fn costs(out: &mut dyn Write, costs: &[Cost]) -> io::Result<()> {
    let mut rows = vec![HEAD.map(|h| format!("{DIM}{h}{DIM:#}")).to_vec()];
    rows.extend(costs.iter().map(|cost| cells(cost).to_vec()));
    let mut align = [Align::Right; 10];
    align[..2].fill(Align::Left);
    table::print(out, &align, &rows)
}

/// Columns of a table of costs.
pub(super) const HEAD: [&str; 10] =
    ["backend", "optimize", "k", "commitments", "proof", "gas", "code", "time", "memory", "key"];

/// A row of a table of costs.
pub(super) fn cells(cost: &Cost) -> [String; 10] {
    [
        cost.backend.name().to_owned(),
        goal(cost.optimize).to_owned(),
        cost.k.to_string(),
        cost.commitments.to_string(),
        table::size(cost.proof_bytes as u64),
        format!("≈ {}", table::thousands(cost.gas_estimate)),
        format!("≈ {}", table::size(cost.code_bytes_estimate)),
        format!("≈ {}", table::seconds(cost.seconds_estimate)),
        format!("≈ {} MB", cost.memory_mb_estimate),
        format!("≈ {}", table::size(cost.key_bytes_estimate)),
    ]
}

/// The name of a goal on the command line.
#[must_use]
pub fn goal(optimize: Optimize) -> &'static str {
    match optimize {
        Optimize::Prover => "prover",
        Optimize::Gas => "gas",
    }
}
