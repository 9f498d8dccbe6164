//! The verdict of the demonstration.

use super::{
    BOLD, DIM, GREEN, RED, Report,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_workspace::steps::{
    demo::{DemoReport, Way},
    tamper::Refusal,
};

impl Report for DemoReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out)?;
        let note = format!("({} gas)", table::thousands(self.accepted.gas));
        writeln!(out, "{GREEN}accepted{GREEN:#} by the consumer contract {DIM}{note}{DIM:#}")?;
        for (name, values) in &self.accepted.outputs {
            writeln!(out, "  {name} = {}", table::numbers(values))?;
        }
        if let Some(decision) = &self.accepted.decision {
            writeln!(out, "  {BOLD}{decision}{BOLD:#}")?;
        }
        writeln!(out, "{BOLD}gas by way{BOLD:#}")?;
        let row = |w: &Way| vec![w.through.to_owned(), table::thousands(w.transaction)];
        let ways: Vec<_> = self.accepted.gas_by_way.iter().map(row).collect();
        table::print(out, &[Align::Left, Align::Right], &ways)?;
        writeln!(out, "{RED}refused{RED:#} by the consumer contract")?;
        let row = |r: &Refusal| vec![r.change.to_owned(), shortened(&r.answer)];
        table::print(out, &[Align::Left; 2], &self.refused.iter().map(row).collect::<Vec<_>>())?;
        writeln!(out)?;
        writeln!(out, "{BOLD}the verifier alone{BOLD:#}")?;
        self.verifier.print(out)?;
        writeln!(out)?;
        writeln!(
            out,
            "all of it took {}; the artifacts are in {}",
            table::seconds(self.seconds),
            self.dir.display()
        )
    }
}

/// An answer without the digits that nobody reads.
fn shortened(answer: &str) -> String {
    const LONGEST: usize = 60;
    match answer.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &answer[..end]),
        None => answer.to_owned(),
    }
}
