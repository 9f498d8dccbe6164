//! `config keys`: the keys that there are.

use super::keys::{KEYS, Key};
use crate::show::{
    DIM, Report,
    table::{self, Align},
};
use serde::Serialize;
use std::io::{self, Write};

/// All keys.
#[derive(Debug, Clone, Serialize)]
pub struct KeysReport {
    /// The keys.
    pub keys: Vec<Listed>,
    /// Print a table for the book.
    #[serde(skip)]
    markdown: bool,
}

/// A key.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Its name.
    pub key: &'static str,
    /// What it says.
    pub what: &'static str,
    /// What its value is.
    pub kind: String,
    /// What holds without it.
    pub default: &'static str,
    /// The commands that use it.
    pub commands: &'static [&'static str],
}

/// Lists the keys.
#[must_use]
pub fn run(markdown: bool) -> KeysReport {
    let listed = |key: &Key| Listed {
        key: key.name,
        what: key.what,
        kind: key.kind.describe(),
        default: key.default,
        commands: key.commands,
    };
    KeysReport { keys: KEYS.iter().map(listed).collect(), markdown }
}

impl KeysReport {
    /// The book's table.
    #[must_use]
    pub fn table(&self) -> String {
        let row = |Listed { key, what, kind, default, commands }: &Listed| {
            let default = default.replace('<', "&lt;").replace('>', "&gt;");
            format!("| `{key}` | {kind} | {what} | {default} | {} |\n", commands.join(", "))
        };
        let head = "| key | value | says | default | used by |\n|---|---|---|---|---|\n".to_owned();
        self.keys.iter().map(row).fold(head, |table, row| table + &row)
    }
}

impl Report for KeysReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.markdown {
            return out.write_all(self.table().as_bytes());
        }
        let rows = self.keys.iter().map(|key| {
            vec![
                key.key.to_owned(),
                key.what.replace('`', ""),
                format!("{DIM}[default: {}]{DIM:#}", key.default),
            ]
        });
        table::print(out, &[Align::Left; 3], &rows.collect::<Vec<_>>())
    }
}
