//! The file beneath the flags: what it says becomes the default of the command line.

use super::{ConfigFile, keys};
use crate::{error::Error, show::Ui};
use clap::{ArgMatches, Command, Id, builder::Resettable};
use std::ffi::OsString;

/// Parses the command line; where a flag is missing that `zkml.toml` has a key for, the file's value holds.
///
/// The file is read for commands only that use one of its keys: `--help`, say, works whatever stands in it.
///
/// # Errors
/// A file that is refused, and how the user wants to hear of it. A wrong command line ends the process, as clap does.
pub fn matches(command: Command, words: &[OsString]) -> Result<ArgMatches, (Ui, Error)> {
    let scanned = command.clone().ignore_errors(true).try_get_matches_from(words);
    let file = match scanned.as_ref().ok().and_then(ArgMatches::subcommand) {
        Some((name, _)) if keys::of_command(name).next().is_some() => ConfigFile::find(),
        _ => Ok(None),
    };
    let flag = |name| scanned.as_ref().is_ok_and(|found| found.get_flag(name));
    let command = match file {
        Ok(Some(file)) => beneath(command, &file),
        Ok(None) => command,
        Err(error) => return Err((Ui { json: flag("json"), quiet: flag("quiet") }, error)),
    };
    command.try_get_matches_from(words).map_err(|error| {
        // What cannot be read may hold the flag all the same: scripts get their answer as they asked for it.
        let json = words.iter().take_while(|word| *word != "--").any(|word| word == "--json");
        // Help and version are no errors.
        if !json || !error.use_stderr() {
            error.exit();
        }
        (Ui { json, quiet: false }, Error::usage(&error))
    })
}

/// The command line whose flags have what the file says as their defaults.
#[must_use]
pub fn beneath(command: Command, file: &ConfigFile) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(&name, |sub| keys::of_command(&name).fold(sub, |sub, key| one(sub, key, file)))
    })
}

fn one(command: Command, key: &keys::Key, file: &ConfigFile) -> Command {
    let id = key.argument();
    let there = command.get_arguments().any(|argument| argument.get_id() == id.as_str());
    let Some(entry) = file.get(key.name).filter(|_| there) else { return command };
    command.mut_arg(id, |argument| {
        // Nor is it needed where another flag is missing.
        let argument = argument.required(false).required_unless_present(Resettable::<Id>::Reset);
        argument.default_value(entry.text.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{CommandFactory, parser::ValueSource};
    use std::path::Path;

    fn parsed(file: &str, words: &[&str]) -> ArgMatches {
        let file = ConfigFile::parse(Path::new("zkml.toml"), file).expect("a good file");
        let words = [&["zkml-chain"], words].concat();
        beneath(Cli::command(), &file).try_get_matches_from(words).expect("a good command line")
    }

    #[test]
    fn flags_win_over_the_file() {
        let file = "model = \"m.onnx\"\noptimize = \"gas\"\ninputs = \"public\"";
        let found = parsed(file, &["compile", "--optimize", "prover"]);
        let (_, compile) = found.subcommand().expect("compile");
        assert_eq!(compile.value_source("optimize"), Some(ValueSource::CommandLine));
        assert_eq!(compile.value_source("inputs"), Some(ValueSource::DefaultValue));
        // The model of `compile` is another one: the key does not stand for it.
        assert_eq!(compile.value_source("model"), None);
        let found = parsed(file, &["calibrate"]);
        let (_, calibrate) = found.subcommand().expect("calibrate");
        assert_eq!(calibrate.get_one::<std::path::PathBuf>("model"), Some(&"m.onnx".into()));
    }

    #[test]
    fn defaults_conflict_with_nothing() {
        let all = "model = \"m\"\ndata = \"d\"\ninput = \"i\"\ndir = \"a\"\ninputs = \"public\"\nweights = \"committed\"\noutputs = \"public\"\n\
                   optimize = \"gas\"\nbatch = 2\naction-text = \"approve\"\nsrs = \"s\"";
        for words in [
            &["compile", "--like", "x", "--model", "y"][..],
            &["inspect", "--dir", "x"],
            &["inspect"],
            &["demo"],
            &["run"],
            &["prove"],
        ] {
            parsed(all, words);
        }
    }

    /// Each key stands for a flag of each command that it names, or it would be taken and do nothing.
    #[cfg(feature = "chain")]
    #[test]
    fn every_key_acts() {
        let cli = Cli::command();
        for key in keys::KEYS {
            for name in key.commands {
                let command =
                    cli.find_subcommand(name).unwrap_or_else(|| panic!("{}: no command {name}", key.name));
                let id = key.argument();
                assert!(
                    command.get_arguments().any(|a| a.get_id() == id.as_str()),
                    "{name} has no {}",
                    key.name
                );
            }
        }
    }

    /// And no flag of such a name is left out, unless here.
    #[cfg(feature = "chain")]
    #[test]
    fn no_flag_is_forgotten() {
        // Here the flag means something else, or its absence does.
        let other = [
            ("compile", "model"),
            ("commit", "model"),
            ("commit", "input"),
            ("init", "dir"),
            ("inspect", "dir"),
            ("man", "dir"),
            ("audit", "model"),
            ("audit", "srs"),
            ("audit", "optimize"),
            ("audit", "backend"),
            ("calldata", "owner"),
            ("watch", "inputs"),
            ("challenge", "input"),
        ];
        let cli = Cli::command();
        for command in cli.get_subcommands() {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str().replace('_', "-");
                let Some(key) = keys::find(&name) else { continue };
                let pair = (command.get_name(), key.name);
                assert!(
                    key.commands.contains(&pair.0) || other.contains(&pair),
                    "{pair:?}: a key, an exception, or another name"
                );
            }
        }
    }
}
