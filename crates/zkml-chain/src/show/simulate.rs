//! The verdict of the EVM, and where the gas went.

use super::{
    BOLD, DIM, GREEN, RED, Report,
    commit::commitments,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_workspace::{
    proof_file::OutputValues,
    steps::{
        simulate::{SimulateReport, batch::BatchReport},
        tamper::Refusal,
    },
};

/// What every transaction pays first.
const TX_BASE: u64 = 21_000;

impl Report for SimulateReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{GREEN}accepted{GREEN:#} by the contract in the local EVM")?;
        outputs(out, &self.outputs)?;
        commitments(out, &self.commitments)?;
        writeln!(out, "{BOLD}gas{BOLD:#}")?;
        table::print(out, &[Align::Left, Align::Right, Align::Left], &gas_rows(self))?;
        refusals(out, &self.refusals)
    }
}

impl Report for BatchReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let count = self.proofs.len() as u64;
        writeln!(
            out,
            "{GREEN}accepted{GREEN:#} by the contract in the local EVM: {count} proofs in one transaction"
        )?;
        for each in &self.proofs {
            writeln!(out, "{}", each.proof.display())?;
            outputs(out, &each.outputs)?;
            commitments(out, &each.commitments)?;
        }
        writeln!(out, "{BOLD}gas, through registry and router{BOLD:#}")?;
        let row = |what: &str, gas: u64| vec![what.to_owned(), table::thousands(gas)];
        let rows = [
            row("deploy, once", self.deploy_gas),
            row("the batch", self.tx_gas),
            row("for each proof", self.gas_per_proof),
            row("for each proof, sent alone", self.alone_gas.div_ceil(count.max(1))),
        ];
        table::print(out, &[Align::Left, Align::Right], &rows)?;
        refusals(out, &self.refusals)
    }
}

fn outputs(out: &mut dyn Write, outputs: &[OutputValues]) -> io::Result<()> {
    for output in outputs.iter().filter(|o| o.commitment.is_none()) {
        writeln!(out, "  {} = {}", output.name, table::numbers(&output.values))?;
    }
    Ok(())
}

fn refusals(out: &mut dyn Write, refusals: &[Refusal]) -> io::Result<()> {
    if refusals.is_empty() {
        return Ok(());
    }
    writeln!(out, "{RED}refused{RED:#}")?;
    let row =
        |r: &Refusal| vec![r.change.to_owned(), r.answer.clone(), format!("{} gas", table::thousands(r.gas))];
    table::print(
        out,
        &[Align::Left, Align::Left, Align::Right],
        &refusals.iter().map(row).collect::<Vec<_>>(),
    )
}

fn gas_rows(report: &SimulateReport) -> Vec<Vec<String>> {
    let gas = &report.gas;
    let row = |what: &str, gas: u64, note: String| {
        vec![what.to_owned(), table::thousands(gas), format!("{DIM}{note}{DIM:#}")]
    };
    let none = String::new;
    let multiplications = format!("{} multiplications, {} additions", gas.ec_mul_calls, gas.ec_add_calls);
    let mut rows = vec![
        row(
            "deploy, once",
            report.deploy_gas,
            format!("{} bytes of code", table::thousands(report.runtime_bytes as u64)),
        ),
        row("transaction base", TX_BASE, none()),
        row(
            "calldata",
            gas.calldata,
            format!("{} bytes of proof", table::thousands(report.proof_bytes as u64)),
        ),
        row("transcript", gas.keccak, format!("{} hashes", gas.keccak_calls)),
        row("multi-scalar multiplication", gas.msm(), multiplications),
        row("pairing", gas.pairing, none()),
        row("modular inversion", gas.modexp, none()),
        row("arithmetic and checks", gas.arithmetic, none()),
        row(
            "total per proof",
            report.tx_gas,
            if gas.floor_applied { "calldata floor (EIP-7623)".into() } else { none() },
        ),
        row("the same through registry and router", report.routed_tx_gas, none()),
    ];
    rows.iter_mut().for_each(|r| {
        if r[2] == format!("{DIM}{DIM:#}") {
            r.pop();
        }
    });
    rows
}
