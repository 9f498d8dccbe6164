//! `zkml-chain report`: one page about a model.

use super::folder::Folder;
use crate::{
    error::Result,
    show::{Report, Ui, html},
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};
use zkml_workspace::{
    artifacts::{Staged, write_whole},
    steps::report,
};

/// Write one self-contained page about a model: what is proven, who sees what, errors, costs, contracts
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The page [default: report.html in the artifact folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[cfg(feature = "chain")]
    #[command(flatten)]
    records: super::chain_args::RecordArgs,
}

/// The page, and what it was made of.
#[derive(Debug, Serialize)]
struct Written {
    /// The page.
    page: PathBuf,
    #[serde(flatten)]
    report: report::ModelReport,
}

/// Runs the command.
///
/// # Errors
/// As [`report::run`]; a page that cannot be written.
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let artifacts = args.folder.open()?;
    #[cfg(feature = "chain")]
    let records = args.records.deployments.as_path();
    #[cfg(not(feature = "chain"))]
    let records = Path::new("");
    let report = report::run(ui, &artifacts, records)?;
    let page = args.out.clone().unwrap_or_else(|| artifacts.path("report.html"));
    write(&page, &report)?;
    ui.result(&Written { page, report })
}

/// Writes the page; one that tells of private weights is for its owner only.
fn write(path: &Path, report: &report::ModelReport) -> Result<()> {
    let html = html::model(report);
    if report.private {
        Staged::private(path, html.as_bytes())?.publish()?;
    } else {
        write_whole(path, html.as_bytes())?;
    }
    Ok(())
}

impl Report for Written {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.page.display())
    }
}
