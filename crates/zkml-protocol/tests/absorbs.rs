//! Nothing that a prover chooses escapes the transcript: taking away any absorb fails here.

use zkml_protocol::{
    Word, keccak256,
    plonk::{Challenge, Replay, Sample, SlotId, Step},
};

fn sample() -> Sample {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/protocol/two_phases.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("fixture exists")).expect("fixture parses")
}

/// Challenges that change when `change` is made, by name.
fn moved(change: impl FnOnce(&mut Sample)) -> Vec<Challenge> {
    let replay =
        |sample: &Sample| Replay::of(&sample.program, &sample.instances, &sample.proof).expect("lengths fit");
    let honest = sample();
    let mut changed = honest.clone();
    change(&mut changed);
    let (before, after) = (replay(&honest).challenges, replay(&changed).challenges);
    before.iter().zip(&after).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect()
}

fn all() -> Vec<Challenge> {
    moved(|sample| sample.instances[0] = Word::ONE)
}

#[test]
fn constants_and_instances_move_every_challenge() {
    assert_eq!(all().len(), 10, "two of the circuit and eight of the protocol");
    assert_eq!(moved(|sample| sample.program.key_repr = Word::ONE), all());
    assert_eq!(moved(|sample| sample.program.constraints.identities.swap(0, 1)), all());
    for index in 0..sample().instances.len() {
        assert_eq!(moved(|sample| sample.instances[index] = Word::from_u64(77)), all(), "instance {index}");
    }
}

#[test]
fn every_byte_of_a_slot_moves_all_challenges_after_it() {
    let layout = sample().program.layout();
    let mut later = all();
    for step in layout.steps() {
        match step {
            Step::Squeeze(challenge) => {
                assert_eq!(later.remove(0), *challenge);
            }
            Step::Absorb(slot) => {
                for byte in slot.offset..slot.end() {
                    assert_eq!(moved(|sample| sample.proof[byte] ^= 1), later, "{:?}, byte {byte}", slot.id);
                }
            }
            _ => {}
        }
    }
    assert!(later.is_empty());
}

#[test]
fn only_the_last_commitment_follows_the_last_challenge() {
    let layout = sample().program.layout();
    let [.., w, u, w2] = layout.steps() else { panic!("a proof has more steps") };
    assert!(matches!(w, Step::Absorb(slot) if slot.id == SlotId::OpeningW));
    assert_eq!(*u, Step::Squeeze(Challenge::OpenU));
    assert!(matches!(w2, Step::Absorb(slot) if slot.id == SlotId::OpeningW2));
}

#[test]
fn hash_inputs_are_the_ones_a_contract_builds() {
    let Sample { program, instances, proof, .. } = sample();
    let replay = Replay::of(&program, &instances, &proof).expect("lengths fit");
    let first = &replay.hash_inputs[0];
    let words: Vec<&[u8]> = first.chunks(32).collect();
    assert_eq!(words[0], program.vk_digest().0);
    assert_eq!(words[1], Word::from_u64(instances.len() as u64).0);
    assert_eq!(words[2], program.key_repr.0);
    assert_eq!(words[3], instances[0].0);
    let advice = program.layout().slots()[0];
    assert_eq!(first[first.len() - advice.end()..], proof[..advice.end()]);
    assert_eq!(replay.hash_inputs[1][..32], keccak256([first.as_slice()]).0);
    assert!(Replay::of(&program, &instances[1..], &proof).is_none());
    assert!(Replay::of(&program, &instances, &proof[1..]).is_none());
}

#[test]
fn programs_survive_both_encodings() {
    let program = sample().program;
    let text = serde_json::to_string(&program).expect("serialises");
    assert_eq!(serde_json::from_str::<zkml_protocol::plonk::Program>(&text).expect("parses"), program);
    let bytes = postcard::to_stdvec(&program).expect("serialises");
    assert_eq!(postcard::from_bytes::<zkml_protocol::plonk::Program>(&bytes).expect("parses"), program);
    let unknown = text.replacen("\"version\"", "\"surprise\":1,\"version\"", 1);
    assert!(serde_json::from_str::<zkml_protocol::plonk::Program>(&unknown).is_err());
}
