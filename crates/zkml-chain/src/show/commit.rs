//! Commitments, one to a line.

use super::{DIM, GREEN, Report};
use std::io::{self, Write};
use zkml_protocol::commitment::Role;
use zkml_workspace::steps::commit::{CommitReport, Commitment};

/// Prints commitments, one to a line.
///
/// # Errors
/// What the writer returns.
pub(super) fn commitments(out: &mut dyn Write, shown: &[Commitment]) -> io::Result<()> {
    shown.iter().try_for_each(|c| {
        let role = match c.role {
            Role::Input => "input",
            Role::Model => "model",
            Role::Output => "output",
        };
        writeln!(out, "{DIM}commitment to {role} {}: {}{DIM:#}", c.name, c.commitment)
    })
}

impl Report for CommitReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for c in &self.commitments {
            writeln!(out, "{} {}", c.commitment, c.name)?;
        }
        if let Some(ranges) = &self.ranges {
            let file = ranges.display();
            writeln!(
                out,
                "{DIM}ranges of the weights proven in {file}: publish it with the commitment{DIM:#}"
            )?;
        }
        let file = self.private_file.display();
        match (&self.model, self.reused) {
            (None, _) => writeln!(out, "{GREEN}opened{GREEN:#} {DIM}by {file}{DIM:#}"),
            (_, true) => writeln!(out, "{DIM}salt found in {file}{DIM:#}"),
            (_, false) => {
                writeln!(out, "{DIM}salt kept in {file}: without it, nobody proves under this{DIM:#}")
            }
        }
    }
}
