//! What a planned circuit costs.

use super::{
    DIM,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_halo2::{Optimize, Plan};

/// A table of plans.
///
/// # Errors
/// What the writer returns.
pub(super) fn costs(out: &mut dyn Write, plans: &[Plan]) -> io::Result<()> {
    let head = ["optimize", "k", "rows", "commitments", "proof", "gas", "memory", "key"];
    let mut rows = vec![head.map(|h| format!("{DIM}{h}{DIM:#}")).to_vec()];
    rows.extend(plans.iter().map(|plan| {
        vec![
            goal(plan.optimize).to_owned(),
            plan.k.to_string(),
            table::thousands(plan.rows as u64),
            plan.commitments.to_string(),
            table::size(plan.proof_bytes as u64),
            format!("≈ {}", table::thousands(plan.gas_estimate)),
            format!("≈ {} MB", plan.memory_mb_estimate),
            format!("≈ {}", table::size(plan.key_bytes_estimate)),
        ]
    }));
    let mut align = [Align::Right; 8];
    align[0] = Align::Left;
    table::print(out, &align, &rows)
}

/// The name of a goal on the command line.
#[must_use]
pub fn goal(optimize: Optimize) -> &'static str {
    match optimize {
        Optimize::Prover => "prover",
        Optimize::Gas => "gas",
    }
}
