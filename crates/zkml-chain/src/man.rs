//! Manual pages from the definition of the command line.

use crate::{
    error::Result,
    show::{DIM, Report},
};
use clap::Command;
use clap_mangen::Man;
use serde::Serialize;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};
use zkml_workspace::{Error as StepError, artifacts::write_whole};

/// Pages that were written.
#[derive(Debug, Clone, Serialize)]
pub struct ManReport {
    /// The files.
    pub files: Vec<PathBuf>,
}

/// Writes a page for the program and for each of its commands, theirs included.
///
/// # Errors
/// [`Io`](StepError::Io) when a file cannot be written.
pub fn run(mut command: Command, dir: &Path) -> Result<ManReport> {
    command.build();
    let mut files = Vec::new();
    pages(&command, command.get_name(), dir, &mut files)?;
    Ok(ManReport { files })
}

fn pages(command: &Command, name: &str, dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let path = dir.join(format!("{name}.1"));
    let mut page = Vec::new();
    let man = Man::new(command.clone().name(name.to_owned()));
    // Without a date the same program writes the same pages.
    man.render(&mut page).map_err(|e| StepError::io("write", &path, e))?;
    write_whole(&path, &page)?;
    files.push(path);
    let shown = |sub: &&Command| !sub.is_hide_set() && sub.get_name() != "help";
    command
        .get_subcommands()
        .filter(shown)
        .try_for_each(|sub| pages(sub, &format!("{name}-{}", sub.get_name()), dir, files))
}

impl Report for ManReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        self.files.iter().try_for_each(|file| writeln!(out, "{}", file.display()))?;
        let first = self.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        writeln!(out, "{DIM}man {first}{DIM:#}")
    }
}
