//! The ledger of a model.

use super::{
    BOLD, DIM, Report,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_workspace::steps::relations::{Entry, Relations};

impl Report for Relations {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#}", self.counts.sentence())?;
        let row = |e: &Entry| {
            let node = format!("{DIM}{}{DIM:#}", e.node);
            vec![e.index.to_string(), e.standing.to_owned(), e.relation.clone(), e.reason.clone(), node]
        };
        let rows: Vec<Vec<String>> = self.relations.iter().map(row).collect();
        table::print(out, &[Align::Right, Align::Left, Align::Left, Align::Left, Align::Left], &rows)
    }
}
