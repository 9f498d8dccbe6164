//! The fuzz targets of `tests/fuzz` on their corpora in git, and on changed copies of them: what was once found stays
//! found, without the fuzzer.
//!
//! `ZKML_SEEDS=folder cargo test -p zkml-chain --test corpora` writes inputs to begin with, one folder for each target.

#[path = "../../../tests/fuzz/src/targets/mod.rs"]
pub mod targets;

use std::{
    fs,
    path::{Path, PathBuf},
};
use targets::TARGETS;

/// Inputs of a target, by name.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let list = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = list.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn seeds_run() {
    let folder = std::env::var_os("ZKML_SEEDS").map(PathBuf::from);
    let seeds = targets::seeds();
    for (target, _) in TARGETS {
        assert!(seeds.iter().any(|(name, ..)| name == target), "{target} has nothing to begin with");
    }
    for (target, name, bytes) in seeds {
        if let Some(folder) = &folder {
            fs::create_dir_all(folder.join(target)).expect("a folder");
            fs::write(folder.join(target).join(name), &bytes).expect("room for a seed");
        }
        targets::run(target, &bytes);
    }
}

/// Changed copies of each input that are tried, so that the whole takes seconds.
const COPIES: u64 = 8;

/// An input with one change: a byte, a number of bytes taken out, doubled or moved, or an end that is missing.
fn changed(input: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let at = random(bytes.len() + 1);
    let length = random(9).min(bytes.len() - at);
    match random(5) {
        0 if length > 0 => bytes[at] = random(256) as u8,
        1 if length > 0 => bytes[at] ^= 1 << random(8),
        2 => drop(bytes.drain(at..at + length)),
        3 => {
            let to = random(bytes.len() + 1);
            let piece = bytes[at..at + length].to_vec();
            drop(bytes.splice(to..to, piece));
        }
        _ => bytes.truncate(at),
    }
    bytes
}

#[test]
fn corpora_run() {
    let mut state = 1u64;
    // Knuth's multiplier; its upper bits are random enough to choose places.
    let mut random = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % bound
    };
    for (target, run) in TARGETS {
        let files = corpus(target);
        assert!(!files.is_empty(), "{target} has no corpus");
        for file in files {
            let input = fs::read(&file).expect("an input");
            run(&input);
            (0..COPIES).for_each(|_| run(&changed(&input, &mut random)));
        }
    }
}
