//! What a service says of the sources.

use super::{
    BOLD, DIM, GREEN, RED, Report, YELLOW,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_deploy::source::Verdict;
use zkml_workspace::steps::verify_source::{ContractReport, VerifySourceReport};

impl Report for VerifySourceReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let (model, chain) = (&self.model, &self.chain);
        writeln!(out, "{BOLD}{model} on {chain} (chain {}), by {}{BOLD:#}", self.chain_id, self.endpoint)?;
        let rows: Vec<Vec<String>> = self.contracts.iter().map(row).collect();
        table::print(out, &[Align::Left; 4], &rows)
    }
}

fn row(contract: &ContractReport) -> Vec<String> {
    let (word, says) = match &contract.verdict {
        Verdict::Verified(says) => (format!("{GREEN}verified{GREEN:#}"), says.as_str()),
        Verdict::Already => (format!("{GREEN}verified{GREEN:#}"), "already"),
        Verdict::Refused(why) => (format!("{RED}refused{RED:#}"), why.as_str()),
        Verdict::Skipped(why) => (format!("{YELLOW}skipped{YELLOW:#}"), why.as_str()),
    };
    vec![contract.name.clone(), contract.address.to_string(), word, format!("{DIM}{says}{DIM:#}")]
}
