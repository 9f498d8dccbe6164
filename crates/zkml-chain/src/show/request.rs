//! A request for an inference.

use super::{DIM, GREEN, Report, table};
use std::io::{self, Write};
use zkml_workspace::steps::{paying::PaymentReport, request::RequestReport};

impl Report for RequestReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "data commitment  {}", self.data_commitment)?;
        writeln!(out, "subject          {}", self.subject)?;
        writeln!(out, "deadline         {}", self.deadline)?;
        for file in &self.shared {
            writeln!(out, "{DIM}for the service: {}{DIM:#}", file.display())?;
        }
        if let Some(reward) = &self.reward {
            paid(reward, out)?;
        }
        let Some(made) = &self.request else {
            writeln!(out, "calldata         {}", self.calldata)?;
            let Some(gas) = self.estimated_gas.map(table::thousands) else {
                return writeln!(out, "{GREEN}the first step would be taken{GREEN:#}; nothing was sent");
            };
            return writeln!(
                out,
                "{GREEN}would be taken{GREEN:#} by {}, for {gas} gas; nothing was sent",
                self.consumer
            );
        };
        writeln!(out, "transaction      {}", made.transaction)?;
        writeln!(out, "request          {}", made.id)?;
        let (block, gas) = (table::thousands(made.block), table::thousands(made.gas));
        writeln!(
            out,
            "{GREEN}{}{GREEN:#} at {}; asked in block {block}, for {gas} gas",
            made.state, self.consumer
        )
    }
}

/// What is paid, when, and when it comes back.
fn paid(reward: &PaymentReport, out: &mut dyn Write) -> io::Result<()> {
    let PaymentReport { amount, payer, source, returns_after, .. } = reward;
    let unit = reward.token.map_or("coins".to_owned(), |token| format!("of {token}"));
    writeln!(out, "reward           {amount} {unit}, by {payer}, from {source}")?;
    for step in &reward.before {
        writeln!(out, "  {DIM}before it: {step}{DIM:#}")?;
    }
    writeln!(
        out,
        "  {DIM}set aside with the request, and the prover's with the proof; after {returns_after} it can be taken back by `zkml-chain rewards --reclaim`{DIM:#}"
    )
}
