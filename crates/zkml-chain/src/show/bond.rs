//! Bonds.

use super::{
    DIM, Report,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_workspace::steps::bond::BondReport;

impl Report for BondReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let rows = [
            ("optimistic", &self.optimistic),
            ("sampled", &self.sampled),
            ("sampled, against who proposes the block", &self.sampled_against_a_proposer),
            ("a challenger's deposit: a proof", &Some(self.proof.clone())),
        ];
        let rows = rows.into_iter().filter_map(|(what, bond)| Some(vec![what.to_owned(), bond.clone()?]));
        table::print(out, &[Align::Left, Align::Right], &rows.collect::<Vec<_>>())?;
        let gas = table::thousands(self.gas);
        writeln!(out, "{DIM}coins, at least; bonds are no less than a proof costs, of {gas} gas{DIM:#}")
    }
}
