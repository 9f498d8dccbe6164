//! What a deployment would do, or did.

use super::{
    BOLD, DIM, GREEN, Report, YELLOW,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_deploy::{
    U256,
    amount::gwei,
    deploy::{GasSource, Step, Todo},
    plan::Part,
    record::{Record, Status},
};
use zkml_workspace::steps::deploy::DeployReport;

impl Report for DeployReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{} on {} (chain {}){BOLD:#}", self.model, self.chain, self.chain_id)?;
        for check in &self.preview.checks {
            writeln!(out, "  {GREEN}✓{GREEN:#} {} {DIM}{}{DIM:#}", check.name, check.detail)?;
        }
        steps(self, out)?;
        writeln!(out, "owner of router and consumer {}", self.owner)?;
        if let Some(stop) = &self.emergency_stop {
            writeln!(
                out,
                "emergency stop {} in front of {}, owned by {}",
                stop.address, stop.verifier, stop.owner
            )?;
            writeln!(out, "{DIM}its constructor's arguments {}{DIM:#}", stop.constructor_arguments)?;
        }
        writeln!(out, "model id {}", self.model_id)?;
        if !self.broadcast {
            cost(self, out)?;
        }
        if let Some(missing) = &self.missing {
            writeln!(out, "{YELLOW}{missing}{YELLOW:#}")?;
        }
        match (&self.record, &self.file) {
            (Some(record), Some(file)) => {
                let word = if record.status == Status::Complete { "complete" } else { "not complete yet" };
                writeln!(out, "{GREEN}{word}{GREEN:#}: {}", file.display())
            }
            (None, Some(file)) => {
                writeln!(out, "a dry run: nothing was sent; the plan is {}", file.display())
            }
            _ => writeln!(out, "a dry run: nothing was sent; --broadcast sends"),
        }
    }
}

fn steps(report: &DeployReport, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<Vec<String>> = report.preview.steps.iter().map(|step| row(report, step)).collect();
    table::print(out, &[Align::Left, Align::Left, Align::Right, Align::Left], &rows)?;
    for step in &report.preview.steps {
        if let Todo::Theirs { by, to, data } = &step.todo {
            writeln!(out, "{YELLOW}{}{YELLOW:#} is for {by} to send, to {to}:", step.part.name())?;
            writeln!(out, "  {data}")?;
        }
    }
    Ok(())
}

fn row(report: &DeployReport, step: &Step) -> Vec<String> {
    let address = match step.part {
        Part::Registration => format!("by {}", report.model_owner),
        _ => step.address.map(|address| address.to_string()).unwrap_or_default(),
    };
    let (gas, note) = match (&step.todo, &report.record) {
        (_, Some(record)) => done(record, step.part),
        (Todo::There, None) => (String::new(), "there already".to_owned()),
        (Todo::Waiting { active_from }, None) => (String::new(), format!("in force from {active_from}")),
        (Todo::Send { gas, source: GasSource::Chain }, None) => (table::thousands(*gas), String::new()),
        (Todo::Send { gas, source: GasSource::LocalEvm }, None) => {
            (table::thousands(*gas), format!("{DIM}in a local EVM: what it needs is not there yet{DIM:#}"))
        }
        (Todo::WithRouter, None) => (String::new(), "comes with the router".to_owned()),
        (Todo::Theirs { by, .. }, None) => (String::new(), format!("waits for {by}")),
        (Todo::Blocked { on }, None) => (String::new(), format!("waits for the {}", on.name())),
    };
    vec![step.part.name().to_owned(), address, gas, note]
}

fn cost(report: &DeployReport, out: &mut dyn Write) -> io::Result<()> {
    let (currency, preview) = (&report.currency, &report.preview);
    let (cost, balance) = (ether(preview.cost), ether(preview.balance));
    let gas = table::thousands(preview.gas);
    writeln!(out, "{gas} gas at up to {} gwei: {cost} {currency}", gwei(preview.max_fee))?;
    writeln!(out, "{DIM}what nobody takes is offered for more, up to --max-fee{DIM:#}")?;
    if preview.l1_fee > U256::ZERO {
        writeln!(out, "{DIM}of it {} {currency} for publication on Ethereum{DIM:#}", ether(preview.l1_fee))?;
    }
    writeln!(out, "{DIM}{} has {balance} {currency}{DIM:#}", preview.sender)
}

/// Gas that a part took, and how it came about.
fn done(record: &Record, part: Part) -> (String, String) {
    let transaction = record.transaction(part);
    let gas = transaction.and_then(|t| t.gas).map(table::thousands).unwrap_or_default();
    let note = match record.status(part) {
        Status::Reused => "there already".to_owned(),
        Status::Deployed => transaction.map(|t| format!("{DIM}{}{DIM:#}", t.hash)).unwrap_or_default(),
        Status::Waiting => "waits".to_owned(),
        _ => "not there".to_owned(),
    };
    (gas, note)
}

/// Wei as the chain's currency, up to six significant decimals.
fn ether(wei: U256) -> String {
    let text = zkml_deploy::format_ether(wei);
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let zeros = decimals.len() - decimals.trim_start_matches('0').len();
    let keep = if whole == "0" { zeros + 4 } else { 6 };
    let decimals = decimals.get(..keep.min(decimals.len())).unwrap_or_default().trim_end_matches('0');
    if decimals.is_empty() { whole.to_owned() } else { format!("{whole}.{decimals}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short_and_not_wrong() {
        let wei = |text: &str| text.parse::<U256>().unwrap();
        assert_eq!(ether(wei("0")), "0");
        assert_eq!(ether(wei("1000000000000000000")), "1");
        assert_eq!(ether(wei("1234567891234567891")), "1.234567");
        assert_eq!(ether(wei("123456789123456")), "0.0001234");
        assert_eq!(gwei(1_500_000_000), "1.5");
        assert_eq!(gwei(7), "0.000000007");
        assert_eq!(gwei(20_000_000_000), "20");
    }
}
