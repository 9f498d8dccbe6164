//! A result under a policy.

use super::{DIM, GREEN, RED, Report, YELLOW, rewards::unit, table};
use std::io::{self, Write};
use zkml_deploy::asset::COIN;
use zkml_workspace::steps::acceptance::report::{ResultReport, ResultView};

impl Report for ResultReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        view(&self.result, out)?;
        match self.right {
            Some(true) => {
                writeln!(out, "{GREEN}right{GREEN:#}            the model gives its output for this input")?
            }
            Some(false) => {
                writeln!(out, "{RED}wrong{RED:#}            the model gives another output for this input")?
            }
            None => {}
        }
        for file in &self.kept {
            writeln!(out, "{DIM}kept for the proof: {}{DIM:#}", file.display())?;
        }
        if let Some(sign) = &self.to_sign {
            writeln!(out, "for keys to sign {sign}")?;
        }
        for step in &self.before {
            writeln!(out, "  {DIM}before it: {step}{DIM:#}")?;
        }
        match (&self.transaction, self.estimated_gas) {
            (Some(sent), _) => {
                let (block, gas) = (table::thousands(sent.block), table::thousands(sent.gas));
                writeln!(out, "transaction      {}", sent.hash)?;
                writeln!(
                    out,
                    "{GREEN}{}{GREEN:#} at {} in block {block}, for {gas} gas",
                    self.result.state, self.consumer
                )?;
            }
            (None, Some(gas)) => {
                let gas = table::thousands(gas);
                writeln!(
                    out,
                    "{GREEN}{} would be taken{GREEN:#} by {}, for {gas} gas",
                    self.call, self.consumer
                )?;
            }
            (None, None) => {
                writeln!(out, "{GREEN}the first step would be taken{GREEN:#} by {}", self.consumer)?
            }
        }
        writeln!(out, "{DIM}{}{DIM:#}", self.next)
    }
}

/// The result, what is at stake, and until when.
fn view(result: &ResultView, out: &mut dyn Write) -> io::Result<()> {
    let unit = unit(result.token.unwrap_or(COIN));
    writeln!(out, "result           {}", result.id)?;
    writeln!(out, "poster           {}", result.poster)?;
    writeln!(out, "data commitment  {}", result.data_commitment)?;
    let (paths, required) = (result.paths.join(", "), result.required);
    writeln!(out, "policy           {paths}; {required} of {} has to hold", result.paths.len())?;
    if !result.held.is_empty() {
        writeln!(out, "holds            {}", result.held.join(", "))?;
    }
    writeln!(
        out,
        "at stake         {YELLOW}{}{YELLOW:#} {unit}; a challenger's deposit is {}",
        result.bond, result.deposit
    )?;
    if let Some(end) = result.challenge_until {
        writeln!(out, "challenge until  {end}")?;
    }
    if let Some(end) = result.answer_until {
        writeln!(out, "proof due until  {end}")?;
    }
    if let Some(round) = result.round {
        writeln!(out, "drawn by round   {round}")?;
    }
    writeln!(out, "deadline         {}", result.deadline)
}
