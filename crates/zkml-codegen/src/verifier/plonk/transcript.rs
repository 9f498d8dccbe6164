//! Prints the transcript: one copy of the proof, one hash per challenge.

use zkml_protocol::plonk::{Challenge, Program, Step};

use super::{
    super::checks::PROOF,
    memory::{Cell, Map},
};
use crate::{
    CodegenError,
    text::{Text, at, literal},
};

/// The buffer between two hashes: it lies where the proof's copy has those bytes anyway.
struct Buffer {
    start: usize,
    end: usize,
    /// Whether anything was absorbed since the last hash.
    absorbed: bool,
    /// Whether the last hash still has to be put in front of what is absorbed next.
    pending: bool,
}

/// Hashes the statement and the proof into challenges; each lands in its cell.
pub(crate) fn print(text: &mut Text, map: &mut Map, program: &Program) -> Result<(), CodegenError> {
    text.section(
        "Transcript. The proof is copied once; each hash replaces the word in front of what it absorbs.",
    );
    let constants =
        [program.vk_digest(), zkml_protocol::Word::from_u64(program.num_instances.into()), program.key_repr];
    let start = map.buffer();
    let instances = start + 96;
    let proof = map.proof_copy();
    let mut buffer = Buffer { start, end: start, absorbed: false, pending: false };
    text.line(format_args!(
        "calldatacopy({}, {}, {})",
        at(instances),
        at(map.input.instances_at()),
        at(32 * map.input.instances)
    ));
    text.line(format_args!("calldatacopy({}, {}, {})", at(proof), at(PROOF), at(map.layout.length())));
    text.line("let h");
    for step in map.layout.steps().to_vec() {
        match step {
            Step::AbsorbDigest => constant(text, &mut buffer, "verifying key digest", &constants[0]),
            Step::AbsorbInstanceCount => constant(text, &mut buffer, "number of instances", &constants[1]),
            Step::AbsorbKeyRepr => constant(text, &mut buffer, "representation of the key", &constants[2]),
            Step::AbsorbInstances => absorb(&mut buffer, instances, 32 * map.input.instances)?,
            Step::Absorb(slot) => absorb(&mut buffer, proof + slot.offset, slot.end() - slot.offset)?,
            Step::Squeeze(challenge) => squeeze(text, map, &mut buffer, challenge),
        }
    }
    Ok(())
}

fn constant(text: &mut Text, buffer: &mut Buffer, what: &str, value: &zkml_protocol::Word) {
    text.line(format_args!("mstore({}, {}) // {what}", at(buffer.end), literal(value)));
    buffer.end += 32;
    buffer.absorbed = true;
}

fn absorb(buffer: &mut Buffer, from: usize, len: usize) -> Result<(), CodegenError> {
    if from != buffer.end {
        return Err(CodegenError::Inconsistent(
            "the transcript does not absorb the proof from front to back".to_owned(),
        ));
    }
    buffer.end += len;
    buffer.absorbed = true;
    Ok(())
}

fn squeeze(text: &mut Text, map: &mut Map, buffer: &mut Buffer, challenge: Challenge) {
    if buffer.absorbed {
        if buffer.pending {
            text.line(format_args!("mstore({}, h)", at(buffer.start)));
        }
        text.line(format_args!("h := keccak256({}, {})", at(buffer.start), at(buffer.end - buffer.start)));
    } else {
        // Nothing absorbed in between: the byte 1 follows the hash.
        text.line("mstore(0, h)");
        text.line("mstore8(32, 1)");
        text.line("h := keccak256(0, 33)");
    }
    *buffer = Buffer { start: buffer.end - 32, end: buffer.end, absorbed: false, pending: true };
    if challenge != Challenge::Theta {
        let store = map.store(Cell::Challenge(challenge), "mod(h, r)");
        text.line(format_args!("{store} // {challenge:?}"));
    }
}
