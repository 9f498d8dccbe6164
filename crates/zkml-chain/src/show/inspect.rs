//! What is in a model, before and after it is compiled.

use super::{
    BOLD, DIM, Report, YELLOW,
    plan::costs,
    table::{self, Align, shape},
};
use std::io::{self, Write};
use zkml_onnx::Port;
use zkml_workspace::steps::inspect::{FolderReport, InspectReport};

impl Report for FolderReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}: {} parameters, {} multiplications",
            self.model,
            table::thousands(self.parameters as u64),
            table::thousands(self.macs)
        )?;
        costs(out, std::slice::from_ref(&self.cost))?;
        writeln!(out, "{DIM}{}: {}{DIM:#}", self.cost.backend.name(), self.why)?;
        self.disclosure.print(out)?;
        self.ledger.print(out)?;
        let what = if self.disclosure.private_weights() { "architecture" } else { "model" };
        writeln!(out, "{DIM}{what} hash {}{DIM:#}", self.model_hash)
    }
}

impl Report for InspectReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let model = &self.model;
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}: {} parameters, {} multiplications",
            model.name,
            table::thousands(model.parameters),
            table::thousands(model.macs)
        )?;
        ports(out, "inputs", &model.inputs)?;
        ports(out, "outputs, which are proven", &model.outputs)?;
        for notice in &model.notices {
            writeln!(out, "{YELLOW}note:{YELLOW:#} {}", notice.text)?;
        }
        let used: Vec<String> = model.operators.iter().map(|(op, n)| format!("{op} {n}")).collect();
        writeln!(out, "{BOLD}operators{BOLD:#}  {}", used.join(", "))?;
        self.disclosure.print(out)?;
        writeln!(out, "{BOLD}what is proven of each run{BOLD:#}")?;
        let row = |node: &zkml_onnx::InspectedNode| {
            let macs =
                if node.macs == 0 { String::new() } else { format!("{} mul", table::thousands(node.macs)) };
            vec![node.kind.to_owned(), shape(&node.shape), macs, format!("{DIM}{}{DIM:#}", node.name)]
        };
        let rows: Vec<Vec<String>> = model.nodes.iter().map(row).collect();
        table::print(out, &[Align::Left, Align::Left, Align::Right, Align::Left], &rows)
    }
}

fn ports(out: &mut dyn Write, title: &str, ports: &[Port]) -> io::Result<()> {
    writeln!(out, "{BOLD}{title}{BOLD:#}")?;
    let rows: Vec<Vec<String>> =
        ports.iter().map(|p| vec![p.name.clone(), shape(&p.shape), p.kind.clone()]).collect();
    table::print(out, &[Align::Left; 3], &rows)
}
