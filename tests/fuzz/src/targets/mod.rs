//! One function for each reader of bytes that others wrote: models, samples, files of the artifact folder, proofs,
//! programs, trusted setups, and what chains and callers send.
//!
//! A target returns when the bytes are refused with an error, and goes on with what they hold when they are not. It
//! panics when a reader breaks its word: what was read is written as other bytes, two readers disagree, an honest run
//! breaks a relation, a changed proof passes. Panics of the readers themselves, hangs and huge allocations are found
//! by the fuzzer. Where a checksum or a hash would stop every changed input, the target computes it again.
//!
//! `crates/zkml-chain/tests/corpora.rs` runs the same functions over the corpora in git.

mod artifacts;
mod calldata;
mod front;
mod graph;
mod proof;
mod seeds;
mod setup;

pub use seeds::{Seed, seeds};

/// A reader under test: its name, which is that of its corpus, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("onnx", front::onnx),
    ("sample", front::sample),
    ("settings", front::settings),
    ("graph", graph::graph),
    ("weights", graph::weights),
    ("artifacts", artifacts::artifacts),
    ("context", artifacts::context),
    ("proof_file", proof::proof_file),
    ("verifier", proof::verifier),
    ("program", proof::program),
    ("calldata", calldata::calldata),
    ("ptau", setup::ptau),
    ("srs", setup::srs),
    ("key", setup::key),
];

/// Runs one target by its name.
///
/// # Panics
/// If there is no such target, and when the target finds something.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = found.unwrap_or_else(|| panic!("no target is called {name}"));
    target(data);
}

/// Puts bytes into a file for readers that take a path, in memory where the system has such a place.
fn in_a_file<T>(data: &[u8], read: impl FnOnce(&std::path::Path) -> T) -> T {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let thread = std::thread::current().id();
    let path = folder.join(format!("zkml-fuzz-{}-{thread:?}", std::process::id()));
    std::fs::write(&path, data).expect("there is room for a small file");
    let result = read(&path);
    // One that stays after a crash is small, and overwritten by the next process of that number.
    let _ = std::fs::remove_file(&path);
    result
}
