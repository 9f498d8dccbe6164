//! What binds a proof to its use.

use super::{DIM, Report};
use std::io::{self, Write};
use zkml_workspace::steps::context::ContextReport;

impl Report for ContextReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.content.context)?;
        match &self.file {
            Some(file) => writeln!(out, "{DIM}with its parts: {}{DIM:#}", file.display()),
            None => Ok(()),
        }
    }
}
