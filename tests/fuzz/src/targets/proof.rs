//! Proof files, programs, and proofs before the verifier.

use std::{path::Path, sync::LazyLock};
use zkml_codegen::verifier_source;
use zkml_contracts::{Submission, verify_proof};
use zkml_protocol::{
    Word,
    envelope::Shape,
    field,
    plonk::{Program, Sample},
};
use zkml_verifier::plonk::verify;
use zkml_workspace::proof_file;

/// Programs with a proof each: small ones of many shapes.
pub(crate) static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../../fixtures/protocol/random_19.json"),
        include_str!("../../../fixtures/protocol/plain.json"),
        include_str!("../../../fixtures/protocol/two_phases.json"),
        include_str!("../../../fixtures/protocol/private.json"),
    ];
    texts.into_iter().map(|text| serde_json::from_str(text).expect("a fixture")).collect()
});

/// Programs with more constraint nodes than this are not printed as Solidity.
const SMALL: usize = 2_000;

/// A proof file of the second program.
pub(crate) fn proof_file(data: &[u8]) {
    let sample = &SAMPLES[1];
    let Ok(file) = proof_file::parse(Path::new("proof.json"), data, &sample.program) else { return };
    let again = proof_file::parse(Path::new("again.json"), &file.to_json(), &sample.program);
    assert_eq!(again.expect("its own bytes").instances, file.instances);
    if verify(&sample.program, &file.proof, &file.instances).is_ok() {
        assert!(file.proof == sample.proof && file.instances == sample.instances, "a changed proof passes");
        verify_proof(&sample.program, &file.proof, &file.instances).expect("what verifies has calldata");
        Submission::new(&sample.program, &file.proof, &file.instances).expect("and an envelope");
    }
}

/// What the bytes say, one after another; zero where they end.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, bound: usize) -> usize {
        let drawn = usize::from(self.byte()) << 8 | usize::from(self.byte());
        if bound == 0 { 0 } else { drawn % bound }
    }
}

/// Adds a modulus to a word where that still fits: another spelling of the same element.
fn aliased(word: &mut [u8], modulus: Word) {
    let mut carry = 0u16;
    let before = word.to_vec();
    for (digit, more) in word.iter_mut().zip(modulus.0).rev() {
        carry += u16::from(*digit) + u16::from(more);
        *digit = carry as u8;
        carry >>= 8;
    }
    if carry != 0 {
        word.copy_from_slice(&before);
    }
}

/// One change of a proof and its instances.
fn change(edit: &mut Choices<'_>, proof: &mut Vec<u8>, instances: &mut [Word]) {
    let words = proof.len() / 32;
    let word = |i: usize| 32 * i..32 * i + 32;
    match edit.byte() % 10 {
        0 if !proof.is_empty() => {
            let at = edit.below(proof.len());
            proof[at] = edit.byte();
        }
        1 if words > 0 => {
            let at = edit.below(words);
            let modulus =
                if edit.byte().is_multiple_of(2) { field::SCALAR_MODULUS } else { field::BASE_MODULUS };
            aliased(&mut proof[word(at)], modulus);
        }
        2 if words > 0 => {
            let (from, to) = (edit.below(words), edit.below(words));
            proof.copy_within(word(from), 32 * to);
        }
        // Points are two words.
        3 if words > 1 => {
            let (from, to) = (edit.below(words - 1), edit.below(words - 1));
            proof.copy_within(32 * from..32 * from + 64, 32 * to);
        }
        4 => proof.truncate(edit.below(proof.len() + 1)),
        5 => proof.extend((0..edit.byte() % 65).map(|i| i ^ edit.0.first().copied().unwrap_or(0))),
        6 if !instances.is_empty() => {
            let at = edit.below(instances.len());
            instances[at].0[usize::from(edit.byte() % 32)] = edit.byte();
        }
        7 if !instances.is_empty() => {
            let at = edit.below(instances.len());
            aliased(&mut instances[at].0, field::SCALAR_MODULUS);
        }
        8 if !instances.is_empty() => {
            let (from, to) = (edit.below(instances.len()), edit.below(instances.len()));
            instances[to] = instances[from];
        }
        _ if words > 0 => {
            let at = edit.below(words);
            proof[word(at)].fill(0);
            proof[word(at)][31] = edit.byte();
        }
        _ => {}
    }
}

/// A good proof, changed in up to 16 places, before a program that may be changed too: nothing but the original passes.
pub(crate) fn verifier(data: &[u8]) {
    let mut edit = Choices(data);
    let sample = &SAMPLES[edit.below(SAMPLES.len())];
    let (mut proof, mut instances) = (sample.proof.clone(), sample.instances.clone());
    let mut program = sample.program.clone();
    if edit.byte() % 4 == 0 {
        let mut bytes = postcard::to_stdvec(&program).expect("writes");
        let at = edit.below(bytes.len());
        bytes[at] = edit.byte();
        let Ok(changed) = postcard::from_bytes(&bytes) else { return };
        program = changed;
    }
    for _ in 0..16 {
        if edit.0.is_empty() {
            break;
        }
        change(&mut edit, &mut proof, &mut instances);
    }
    let original = proof == sample.proof
        && instances == sample.instances
        && program.canonical_bytes() == sample.program.canonical_bytes();
    let verdict = verify(&program, &proof, &instances);
    assert_eq!(verdict.is_ok(), original, "{verdict:?}");
}

/// A program, as JSON as it lies in its folder or in the shorter form that its digest is made of, with a proof behind:
/// checked, printed, asked for a verdict.
pub(crate) fn program(data: &[u8]) {
    let (program, rest): (Program, &[u8]) = if data.first() == Some(&b'{') {
        let Ok(program) = serde_json::from_slice(data) else { return };
        (program, &[])
    } else {
        let Ok(read) = postcard::take_from_bytes(data) else { return };
        read
    };
    // For the verifier, whatever the program's own check says. A program may be made so that it takes anything.
    let blank = vec![Word::ONE; (program.num_instances as usize).min(64)];
    let _ = verify(&program, rest, &blank);
    if program.validate().is_err() {
        return;
    }
    let length = program.layout().length();
    let _ = (program.opening_sets(), program.vk_digest(), program.model_commitment());
    if length < 1 << 16 {
        // As long as it asks for, with the point (1, 2) and small numbers in turn.
        let mut proof = rest.to_vec();
        let words =
            (0u8..).map(|i| Word::from_u64(u64::from(i % 2) + 1).0).take(length.div_ceil(32)).flatten();
        proof.extend(words.skip(rest.len().min(length)));
        proof.truncate(length);
        let _ = verify(&program, &proof, &blank);
        if blank.len() == program.num_instances as usize {
            verify_proof(&program, &proof, &blank).expect("lengths fit");
            if Shape::of(&program).is_ok() {
                Submission::new(&program, &proof, &blank).expect("lengths fit");
            }
        }
    }
    if program.constraints.nodes.len() < SMALL && length < 1 << 16 {
        let _ = verifier_source(&program);
    }
}
