//! Prints the transcript: one copy of the proof, one hash per challenge; loops where hashes are alike.

use zkml_contracts::errors;
use zkml_protocol::{
    Word,
    sumcheck::{Program, SlotId, Step},
};

use super::{
    super::checks::{PROOF, fail},
    memory::Map,
};
use crate::{
    CodegenError,
    text::{Text, at, literal},
};

/// Consecutive hashes that absorb equally much.
struct Run {
    /// Bytes that each absorbs.
    absorbed: usize,
    /// Address behind what the first absorbs.
    end: usize,
    /// Address of the first challenge.
    to: usize,
    count: usize,
}

/// Hashes the statement and the proof into challenges; each lands in its cell.
pub(super) fn print(text: &mut Text, map: &Map, program: &Program) -> Result<(), CodegenError> {
    text.section(
        "Transcript. The proof is copied once; each hash replaces the word in front of what it absorbs.",
    );
    let start = map.buffer();
    let copies = [
        (start + 64, map.input.instances_at(), 32 * map.input.instances),
        (map.proof_copy(), PROOF, map.input.length),
    ];
    let words = [program.vk_digest(), Word::from_u64(program.system.instances.into())];
    for (index, (word, what)) in words.iter().zip(["verifying key digest", "number of instances"]).enumerate()
    {
        text.line(format_args!("mstore({}, {}) // {what}", at(start + 32 * index), literal(word)));
    }
    for (to, from, length) in copies {
        text.line(format_args!("calldatacopy({}, {}, {})", at(to), at(from), at(length)));
    }
    private(text, map, program)?;
    text.line("mstore8(0x20, 1) // follows the last hash where nothing is absorbed");
    let mut runs = runs(map)?.into_iter();
    if let Some(first) = runs.next() {
        text.line(format_args!("let h := keccak256({}, {})", at(start), at(first.end - start)));
        text.line(format_args!("mstore({}, mod(h, r))", at(first.to)));
    }
    runs.for_each(|run| hashes(text, &run));
    Ok(())
}

/// The statement shows the hash of the commitments to private weights.
fn private(text: &mut Text, map: &Map, program: &Program) -> Result<(), CodegenError> {
    let Some(private) = program.system.private else { return Ok(()) };
    let slot = map.layout.slot_of(SlotId::Private);
    let slot = slot.ok_or_else(|| CodegenError::Inconsistent("no commitments to weights".to_owned()))?;
    let (from, length) = (map.proof_copy() + slot.offset, slot.end() - slot.offset);
    let shown = at(map.input.instances_at() + 32 * private.instance as usize);
    text.line(
        "// The private weights are those of the statement, by 253 bits of the hash of their commitments.",
    );
    let hash = format!("and(keccak256({}, {}), sub(shl(253, 1), 1))", at(from), at(length));
    let fail = fail(&errors::PROOF_REJECTED, &[]);
    text.line(format_args!("if iszero(eq({hash}, calldataload({shown}))) {{ {fail} }}"));
    Ok(())
}

/// All hashes in order; the first, which nothing precedes, is a run of its own.
fn runs(map: &Map) -> Result<Vec<Run>, CodegenError> {
    let proof = map.proof_copy();
    let (mut absorbed, mut end) = (proof - map.buffer(), proof);
    let mut runs: Vec<Run> = Vec::new();
    for step in map.layout.steps() {
        match step {
            Step::AbsorbProgram | Step::AbsorbInstances => {}
            Step::Absorb(slot) => {
                if proof + slot.offset != end {
                    return Err(CodegenError::Inconsistent(
                        "the transcript does not absorb the proof from front to back".to_owned(),
                    ));
                }
                absorbed += slot.end() - slot.offset;
                end = proof + slot.end();
            }
            Step::Squeeze(challenge) => {
                let to = map.challenge(*challenge)?;
                let first = runs.len() == 1;
                match runs.last_mut() {
                    Some(run) if run.absorbed == absorbed && !first => run.count += 1,
                    _ => runs.push(Run { absorbed, end, to, count: 1 }),
                }
                absorbed = 0;
            }
        }
    }
    Ok(runs)
}

/// Hashes that are printed one by one rather than in a loop.
const FLAT: usize = 2;

fn hashes(text: &mut Text, run: &Run) {
    let length = run.absorbed + 32;
    if run.count <= FLAT {
        for index in 0..run.count {
            let front = run.end + index * run.absorbed - length;
            let hash = if run.absorbed == 0 {
                text.line("mstore(0, h)");
                "keccak256(0, 33)".to_owned()
            } else {
                text.line(format_args!("mstore({}, h)", at(front)));
                format!("keccak256({}, {})", at(front), at(length))
            };
            text.line(format_args!("h := {hash}"));
            text.line(format_args!("mstore({}, mod(h, r))", at(run.to + 32 * index)));
        }
        return;
    }
    let last = at(run.to + 32 * run.count);
    let (front, step, hash) = if run.absorbed == 0 {
        (String::new(), String::new(), "mstore(0, h) h := keccak256(0, 33)".to_owned())
    } else {
        (
            format!("let p := {} ", at(run.end - length)),
            format!("p := add(p, {}) ", at(run.absorbed)),
            format!("mstore(p, h) h := keccak256(p, {})", at(length)),
        )
    };
    text.line(format_args!(
        "for {{ {front}let c := {} }} lt(c, {last}) {{ {step}c := add(c, 32) }} {{ {hash} mstore(c, mod(h, r)) }}",
        at(run.to)
    ));
}
