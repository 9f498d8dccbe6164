//! `zkml-chain prove`: one run of the model, proven.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_protocol::Word;
use zkml_workspace::{context_file::ContextFile, steps::prove};

/// Prove what the model says about an input
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The input: {"inputs": {"name": [numbers]}}, or a file of samples as `calibrate --data` takes them [default: the first calibration sample]
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Which sample of a file of samples
    #[arg(long, default_value_t = 0, value_name = "N")]
    index: usize,
    /// What the proof is bound to: a 253-bit number as 0x and 64 hexadecimal digits [default: nothing]
    #[arg(long, value_name = "HEX", value_parser = context)]
    context: Option<Word>,
    /// The same as a file of `zkml-chain context --out`, whose parts are checked
    #[arg(long, value_name = "FILE", conflicts_with = "context")]
    context_file: Option<PathBuf>,
    /// Where to put the proof [default: proofs/proof.json in the artifact folder]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Private file with the salts of committed inputs [default: beside the input, as NAME.private.json]
    #[arg(long, value_name = "FILE")]
    salt_file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// As [`prove::run`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    // A file that contradicts itself is refused before anything else is looked at.
    let bound = args.context_file.as_deref().map(ContextFile::read).transpose()?;
    let mut artifacts = args.folder.open()?;
    let Args { input, index, context, out, salt_file, .. } = args;
    let context = context.or(bound.map(|context| context.digest()));
    let request = prove::Request { input, index, context, out, salt_file };
    let report = prove::run(ui, &mut artifacts, &request)?;
    if let Some(bound) = &bound {
        // `calldata` finds it there, with the subject and the deadline that contracts want to know.
        ContextFile::keep(bound, &report.proof)?;
    }
    ui.result(&report)
}

fn context(text: &str) -> Result<Word, String> {
    let word = Word::from_hex(text)?;
    if word.0[0] >= 1 << 5 {
        return Err("a context has 253 bits: the first three bits must be zero".into());
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_fits_the_field() {
        assert!(context(&format!("0x1f{}", "ff".repeat(31))).is_ok());
        assert!(context(&format!("0x20{}", "00".repeat(31))).is_err());
        assert!(context("0x1").is_err() || context("0x1").unwrap() == Word::ONE);
    }
}
