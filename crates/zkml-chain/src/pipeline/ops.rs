//! The support table, from the registry of the front end.

use crate::{
    output::Report,
    table::{self, Align},
};
use serde::Serialize;
use std::io::{self, Write};
use zkml_onnx::OpSupport;

/// All supported ONNX operators.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct OpsReport(Vec<&'static OpSupport>);

/// The support table, by name.
pub fn run() -> OpsReport {
    let mut ops: Vec<_> = zkml_onnx::supported_ops().iter().collect();
    ops.sort_by_key(|op| op.onnx_name);
    OpsReport(ops)
}

impl OpsReport {
    /// The table as Markdown, for the book.
    pub fn markdown(&self) -> String {
        let rows = self.0.iter().map(|op| format!("| {} | {} |\n", op.onnx_name, op.notes));
        format!("| ONNX operator | how |\n|---|---|\n{}", rows.collect::<String>())
    }
}

impl Report for OpsReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<Vec<String>> =
            self.0.iter().map(|op| vec![op.onnx_name.to_owned(), op.notes.to_owned()]).collect();
        table::print(out, &[Align::Left, Align::Left], &rows)
    }
}
