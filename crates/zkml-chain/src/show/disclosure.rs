//! Who sees what of a model.

use super::{
    BOLD, DIM, Report,
    table::{self, Align},
};
use std::io::{self, Write};
use zkml_graph::Visibility;
use zkml_workspace::steps::disclosure::{ADDED_BITS, BITS, COLUMNS, Disclosure, Part};

impl Report for Disclosure {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}who sees what{BOLD:#}")?;
        let row = |p: &Part| {
            let (sees, cost) = match p.visibility {
                Visibility::Public => ("public", String::new()),
                // Committed to by the proof system itself.
                Visibility::Committed if p.hash_calls == 0 => {
                    ("committed", "ranges are proven once, by `commit --model`".to_owned())
                }
                Visibility::Committed => (
                    "committed",
                    format!(
                        "{} hash calls, {} rows",
                        table::thousands(p.hash_calls as u64),
                        table::thousands(p.hash_rows as u64)
                    ),
                ),
            };
            let values = format!("{} values", table::thousands(p.values as u64));
            vec![p.role.to_owned(), p.name.clone(), sees.to_owned(), values, cost]
        };
        let rows: Vec<Vec<String>> = self.parts.iter().map(row).collect();
        let align = [Align::Left, Align::Left, Align::Left, Align::Right, Align::Right];
        table::print(out, &align, &rows)?;
        if self.hash_calls > 0 && !self.exact {
            writeln!(
                out,
                "{DIM}before calibration: with {BITS} bits a value ({ADDED_BITS} for biases) and {COLUMNS} columns{DIM:#}"
            )?;
        }
        if self.private_weights() {
            writeln!(out, "{BOLD}stays public although the weights are private{BOLD:#}")?;
            self.stays_public.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
            writeln!(
                out,
                "  operators, shapes, names, attributes, indices and other integers; powers of two of all scales and ranges; the \
                     width of each weight tensor"
            )?;
        }
        Ok(())
    }
}
