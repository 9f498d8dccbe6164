//! `config show`: each value, and where it comes from.

use super::{ConfigFile, keys, keys::Key, layer::beneath};
use crate::{
    error::Result,
    show::{
        BOLD, DIM, Report,
        table::{self, Align},
    },
};
use clap::{ArgMatches, Command, parser::ValueSource};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// Values, and where they come from.
#[derive(Debug, Clone, Serialize)]
pub struct ShowReport {
    /// The command that was asked about; all keys are shown without one.
    pub command: Option<String>,
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// The values.
    pub settings: Vec<Setting>,
}

/// A value.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// Its key.
    pub key: &'static str,
    /// What it is; of a default that depends on other things, how it comes about.
    pub value: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub from: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Origin {
    /// The command line.
    Flag,
    /// The file.
    File {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// Neither.
    Default,
}

/// Says what `words`, a command and its flags, would work with; of all keys without words. A wrong command line ends the
/// process, as it would without `config show`.
///
/// # Errors
/// As [`ConfigFile::find`].
pub fn run(cli: Command, words: &[String]) -> Result<(ShowReport, bool)> {
    let file = ConfigFile::find()?;
    let path = file.as_ref().map(|file| file.path.clone());
    let file = file.unwrap_or_default();
    if words.is_empty() {
        let settings = keys::KEYS.iter().map(|key| setting(key, &file, None)).collect();
        return Ok((ShowReport { command: None, file: path, settings }, false));
    }
    let name = cli.get_name().to_owned();
    let found = beneath(cli, &file).get_matches_from(std::iter::once(&name).chain(words));
    let json = found.get_flag("json");
    let Some((command, found)) = found.subcommand() else {
        return Ok((ShowReport { command: None, file: path, settings: Vec::new() }, json));
    };
    let settings = keys::of_command(command).map(|key| setting(key, &file, Some(found))).collect();
    Ok((ShowReport { command: Some(command.to_owned()), file: path, settings }, json))
}

fn setting(key: &Key, file: &ConfigFile, found: Option<&ArgMatches>) -> Setting {
    let id = key.argument();
    let given = found.filter(|found| {
        found.try_contains_id(&id).is_ok() && found.value_source(&id) == Some(ValueSource::CommandLine)
    });
    if let Some(values) = given.and_then(|found| found.get_raw(&id)) {
        let value = values.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(" ");
        return Setting { key: key.name, value, from: Origin::Flag };
    }
    match file.get(key.name) {
        Some(entry) => Setting {
            key: key.name,
            value: entry.text.clone(),
            from: Origin::File { path: file.path.clone(), line: entry.line },
        },
        None => Setting { key: key.name, value: key.default.to_owned(), from: Origin::Default },
    }
}

impl Report for ShowReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        match &self.file {
            Some(path) => writeln!(out, "{BOLD}{}{BOLD:#}", path.display())?,
            None => writeln!(out, "{DIM}there is no zkml.toml in this folder or above{DIM:#}")?,
        }
        let rows = self.settings.iter().map(|setting| {
            let from = match &setting.from {
                Origin::Flag => "flag".to_owned(),
                Origin::File { path, line } => format!("{}:{line}", path.display()),
                Origin::Default => format!("{DIM}default{DIM:#}"),
            };
            vec![setting.key.to_owned(), setting.value.clone(), from]
        });
        table::print(out, &[Align::Left; 3], &rows.collect::<Vec<_>>())?;
        if self.command.is_some() && self.settings.is_empty() {
            writeln!(out, "{DIM}no key of zkml.toml acts on this command{DIM:#}")?;
        }
        Ok(())
    }
}
