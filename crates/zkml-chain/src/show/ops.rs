//! The support table.

use super::{
    Report,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_workspace::steps::ops::OpsReport;

/// The table as Markdown, for the book.
#[must_use]
pub fn markdown(report: &OpsReport) -> String {
    let rows = report.0.iter().map(|op| format!("| {} | {} |\n", op.onnx_name, op.notes));
    format!("| ONNX operator | how |\n|---|---|\n{}", rows.collect::<String>())
}

impl Report for OpsReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<Vec<String>> =
            self.0.iter().map(|op| vec![op.onnx_name.to_owned(), op.notes.to_owned()]).collect();
        table::print(out, &[Align::Left, Align::Left], &rows)
    }
}
