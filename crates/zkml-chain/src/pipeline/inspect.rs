//! What is in a model and what would be proven, before anything is calibrated.

use crate::{
    error::Result,
    output::{BOLD, DIM, Report, YELLOW},
    table::{self, Align},
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::Path,
};
use zkml_onnx::{Inspection, LoadOptions, Model, Port};

/// A model as `inspect` shows it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct InspectReport(Inspection);

/// Loads a model and describes it.
///
/// # Errors
/// A file that is no model, or a model that cannot be proven, with all reasons.
pub fn run(model: &Path, batch: usize) -> Result<InspectReport> {
    Ok(InspectReport(Model::load(model, &LoadOptions { batch, ..Default::default() })?.inspect()))
}

impl Report for InspectReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let model = &self.0;
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

/// `1×28×28`.
pub fn shape(dims: &[usize]) -> String {
    match dims {
        [] => "scalar".into(),
        dims => dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
    }
}
