//! What is in a model and what would be proven, before anything is calibrated.

use super::{calibrate::costs, compiled, disclosure::Disclosure, relations::Relations};
use crate::{
    artifacts::{Artifacts, file},
    error::Result,
    output::{BOLD, DIM, Report, YELLOW},
    table::{self, Align},
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::Path,
};
use zkml_graph::{Graph, Visibility};
use zkml_halo2::Plan;
use zkml_onnx::{Inspection, Model, Port, Settings};

/// A model as `inspect` shows it.
#[derive(Debug, Serialize)]
pub struct InspectReport {
    /// What is in it.
    #[serde(flatten)]
    pub model: Inspection,
    /// Who would see what.
    pub disclosure: Disclosure,
}

/// A compiled model as `inspect` shows it.
#[derive(Debug, Serialize)]
pub struct FolderReport {
    /// Its name.
    pub model: String,
    /// Keccak-256 of the compiled graph.
    pub model_hash: String,
    /// Number of constant elements.
    pub parameters: usize,
    /// Number of multiplications of one inference.
    pub macs: u64,
    /// How its circuit is laid out.
    pub plan: Plan,
    /// Who sees what.
    pub disclosure: Disclosure,
    /// Standing of each relation in the circuit.
    pub ledger: Relations,
}

/// Loads a model and describes it, with the effect of settings that it may be calibrated with.
///
/// # Errors
/// A file that is no model, or a model that cannot be proven, with all reasons; settings that are not for it.
pub fn run(model: &Path, settings: &Settings) -> Result<InspectReport> {
    let model = Model::load(model, &settings.load_options())?;
    settings.fit(&model)?;
    let model = model.inspect();
    let disclosure = Disclosure::expected(&model, settings);
    Ok(InspectReport { model, disclosure })
}

/// Describes the compiled model of a folder.
///
/// # Errors
/// As [`Artifacts::load`]; private weights are needed to say what stays public of them. A relation that the circuit
/// does not take care of.
pub fn folder(artifacts: &Artifacts, relations: bool) -> Result<FolderReport> {
    let graph = Graph::from_bytes(&artifacts.load(file::COMPILED)?)?;
    let settings: Settings = artifacts.load_json(file::SETTINGS)?;
    let plan = compiled::plan(artifacts)?;
    let stays_public = match settings.weights {
        Visibility::Public => Vec::new(),
        Visibility::Committed => {
            Model::load(artifacts.path(file::MODEL), &settings.load_options())?.inspect().stays_public
        }
    };
    Ok(FolderReport {
        model: artifacts.model().to_owned(),
        model_hash: format!("0x{}", hex::encode(graph.hash())),
        parameters: graph.parameters(),
        macs: graph.macs(),
        disclosure: Disclosure::exact(&graph, &plan, stays_public),
        ledger: Relations::of(&graph, &plan, relations)?,
        plan,
    })
}

impl Report for FolderReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}: {} parameters, {} multiplications",
            self.model,
            table::thousands(self.parameters as u64),
            table::thousands(self.macs)
        )?;
        costs(out, std::slice::from_ref(&self.plan))?;
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

/// `1×28×28`.
pub fn shape(dims: &[usize]) -> String {
    match dims {
        [] => "scalar".into(),
        dims => dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
    }
}
