//! What is an account's in a contract that pays for proofs.

use super::{DIM, GREEN, Report, YELLOW, table};
use std::io::{self, Write};
use zkml_deploy::{Address, asset::COIN};
use zkml_workspace::steps::rewards::RewardsReport;

impl Report for RewardsReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "what is {}'s in {}", self.account, self.consumer)?;
        if self.funds.is_empty() {
            writeln!(out, "  nothing to take out")?;
        }
        for funds in &self.funds {
            writeln!(out, "  {GREEN}{}{GREEN:#} {}", funds.amount, unit(funds.asset))?;
        }
        for bound in &self.waiting {
            let note =
                if bound.expired { "nobody has earned it: it can be taken back" } else { "can be earned" };
            let (amount, unit, deadline) = (&bound.amount, unit(bound.asset), &bound.deadline);
            writeln!(
                out,
                "{YELLOW}{amount}{YELLOW:#} {unit} for {}: {note}, deadline {deadline}",
                bound.request
            )?;
        }
        for sent in &self.sent {
            let gas = table::thousands(sent.gas);
            writeln!(out, "{GREEN}{}{GREEN:#} {DIM}{} for {gas} gas{DIM:#}", sent.what, sent.transaction)?;
        }
        Ok(())
    }
}

/// What an amount is of.
pub(super) fn unit(asset: Address) -> String {
    if asset == COIN { "coins".to_owned() } else { format!("of {asset}") }
}
