//! Proof layout, statement sections and opening sets of a committed program, computed a second time by hand.

use zkml_protocol::{
    Element, Encoding, Field, G1, G2, InstanceLayout, Word, envelope,
    plonk::{Challenge, Commitment, Eval, Replay, Sample, SlotId, Step},
};

fn sample() -> Sample {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/protocol/two_phases.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("fixture exists")).expect("fixture parses")
}

#[test]
fn offsets_are_the_sums_of_what_comes_before() {
    let program = sample().program;
    let layout = program.layout();
    let (mut at, mut points, mut scalars) = (0, Vec::new(), Vec::new());
    let mut advice = vec![None; program.advice_phases.len()];
    let phases = *program.advice_phases.iter().max().expect("there are columns") as usize + 1;
    assert!(phases > 1, "columns of two phases, so that none begins at its own index");
    let mut parts = Vec::new();
    for phase in 0..phases as u8 {
        let mine: Vec<usize> =
            (0..advice.len()).filter(|column| program.advice_phases[*column] == phase).collect();
        for (i, column) in mine.iter().enumerate() {
            advice[*column] = Some(at + 64 * i);
        }
        parts.push((SlotId::Advice(phase), mine.len(), 64));
        at += 64 * mine.len();
    }
    let products = program.products as usize;
    parts.extend([
        (SlotId::Products, products, 64),
        (SlotId::Random, 1, 64),
        (SlotId::Quotient, program.quotient_pieces as usize, 64),
        (SlotId::AdviceEvals, program.advice_queries.len(), 32),
        (SlotId::FixedEvals, program.fixed_queries.len(), 32),
        (SlotId::RandomEval, 1, 32),
        (SlotId::SigmaEvals, program.sigma_commitments.len(), 32),
        (SlotId::ProductEvals, 3 * products - 1, 32),
        (SlotId::OpeningW, 1, 64),
        (SlotId::OpeningW2, 1, 64),
    ]);
    at = 0;
    for (id, count, size) in &parts {
        let slot = layout.slot_of(*id).unwrap_or_else(|| panic!("{id:?} is missing"));
        assert_eq!((slot.id, slot.offset, slot.count, slot.element.size()), (*id, at, *count, *size));
        let offsets: Vec<usize> = (0..*count).map(|i| at + i * size).collect();
        assert_eq!((0..*count).filter_map(|i| slot.at(i)).collect::<Vec<_>>(), offsets, "{id:?}");
        assert_eq!(slot.at(*count), None, "{id:?}");
        if *size == Element::Point.size() {
            points.extend(offsets)
        } else {
            scalars.extend(offsets)
        }
        at += count * size;
    }
    assert_eq!(layout.length(), at);
    assert_eq!((layout.point_offsets(), layout.scalar_offsets()), (points, scalars));
    for (column, offset) in advice.into_iter().enumerate() {
        assert_eq!(layout.commitment_offset(Commitment::Advice(column as u32)), offset, "column {column}");
    }
    let offset = |id: SlotId, index: usize| layout.slot_of(id).and_then(|slot| slot.at(index));
    assert_eq!(layout.commitment_offset(Commitment::Product(0)), offset(SlotId::Products, 0));
    assert_eq!(layout.commitment_offset(Commitment::Random), offset(SlotId::Random, 0));
    assert_eq!(layout.commitment_offset(Commitment::Quotient), offset(SlotId::Quotient, 0));
    assert_eq!(layout.commitment_offset(Commitment::Fixed(0)), None);
    assert_eq!(layout.commitment_offset(Commitment::Sigma(0)), None);
    for (eval, id) in [
        (Eval::Advice(1), SlotId::AdviceEvals),
        (Eval::Fixed(1), SlotId::FixedEvals),
        (Eval::Sigma(1), SlotId::SigmaEvals),
        (Eval::Product(1), SlotId::ProductEvals),
    ] {
        assert_eq!(layout.eval_offset(eval), offset(id, 1), "{eval:?}");
    }
    assert_eq!(layout.eval_offset(Eval::Random), offset(SlotId::RandomEval, 0));
    assert_eq!(layout.eval_offset(Eval::Quotient), None);
}

/// Absorbing nothing would still change what the next squeeze hashes.
#[test]
fn empty_slots_are_not_absorbed() {
    let mut program = sample().program;
    program.fixed_queries.clear();
    let layout = program.layout();
    let slot = layout.slot_of(SlotId::FixedEvals).expect("it has a place");
    assert_eq!((slot.count, slot.at(0)), (0, None));
    let empty = |step: &Step| matches!(step, Step::Absorb(slot) if slot.count == 0);
    assert!(!layout.steps().iter().any(empty));
}

#[test]
fn three_evaluations_of_each_product_follow_each_other() {
    let all = |i| [Eval::product(i), Eval::product_next(i), Eval::product_last(i)];
    assert_eq!(all(0), [0, 1, 2].map(Eval::Product));
    assert_eq!(all(2), [6, 7, 8].map(Eval::Product));
}

#[test]
fn every_evaluation_is_opened_once() {
    let program = sample().program;
    let sets = program.opening_sets();
    let mut seen = Vec::new();
    for set in &sets {
        assert!(set.rotations.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", set.rotations);
        assert!(!set.members.is_empty());
        for member in &set.members {
            assert_eq!(member.evals.len(), set.rotations.len());
            for (rotation, eval) in set.rotations.iter().zip(&member.evals) {
                match (member.commitment, eval) {
                    (Commitment::Advice(column), Eval::Advice(i)) => {
                        let query = program.advice_queries[*i as usize];
                        assert_eq!((query.column, query.rotation), (column, *rotation));
                    }
                    (Commitment::Fixed(column), Eval::Fixed(i)) => {
                        let query = program.fixed_queries[*i as usize];
                        assert_eq!((query.column, query.rotation), (column, *rotation));
                    }
                    (Commitment::Sigma(i), Eval::Sigma(j)) => assert_eq!((i, *rotation), (*j, 0)),
                    (Commitment::Product(i), Eval::Product(j)) => {
                        assert_eq!(i, j / 3);
                        assert_eq!(*rotation, [0, 1, program.last_rotation()][*j as usize % 3]);
                    }
                    (Commitment::Random, Eval::Random) | (Commitment::Quotient, Eval::Quotient) => {
                        assert_eq!(*rotation, 0);
                    }
                    (commitment, eval) => panic!("{commitment:?} is opened to {eval:?}"),
                }
                seen.push(*eval);
            }
        }
    }
    let expected = program.advice_queries.len()
        + program.fixed_queries.len()
        + program.sigma_commitments.len()
        + 3 * program.products as usize
        - 1
        + 2;
    let distinct: std::collections::HashSet<Eval> = seen.iter().copied().collect();
    assert_eq!((seen.len(), distinct.len()), (expected, expected));
    let rotations: std::collections::HashSet<&Vec<i32>> = sets.iter().map(|set| &set.rotations).collect();
    assert_eq!(rotations.len(), sets.len(), "sets of the same rotations are one");
}

#[test]
fn challenges_are_found_by_name() {
    let Sample { program, instances, proof, .. } = sample();
    let replay = Replay::of(&program, &instances, &proof).expect("lengths fit");
    for (name, value) in &replay.challenges {
        assert_eq!(replay.challenge(*name), Some(*value));
    }
    assert_eq!(replay.challenge(Challenge::Circuit(1000)), None);
    // The state that a prover starts from is what a replay begins with.
    let mut transcript = program.transcript().traced();
    transcript.squeeze();
    assert_eq!(transcript.trace()[0], replay.hash_inputs[0][..64], "digest and number of instances");
}

fn field(values: u32, encoding: Encoding) -> Field {
    Field { name: "x".into(), values, scale: 0, encoding, bounds: None }
}

#[test]
fn sections_follow_each_other() {
    let layout = InstanceLayout {
        inputs: vec![field(5, Encoding::Signed), field(9, Encoding::Commitment)],
        model: vec![field(1000, Encoding::Commitment)],
        outputs: vec![field(3, Encoding::Signed), field(7, Encoding::Commitment)],
    };
    assert_eq!((layout.inputs_start(), layout.model_start(), layout.outputs_start()), (1, 7, 8));
    assert_eq!((layout.input_words(), layout.output_words(), layout.total()), (6, 4, 12));
    assert_eq!(layout.commitments().map(|f| f.values).collect::<Vec<_>>(), [9, 1000, 7]);
    let inputs = |inputs| InstanceLayout { inputs, ..InstanceLayout::default() }.input_is_commitment();
    assert!(inputs(vec![field(9, Encoding::Commitment)]));
    assert!(!inputs(vec![field(1, Encoding::Signed)]));
    assert!(!inputs(vec![field(9, Encoding::Commitment); 2]));
    let model = |model| InstanceLayout { model, ..InstanceLayout::default() }.model_is_commitment();
    assert!(model(vec![field(9, Encoding::Commitment)]));
    assert!(!model(vec![field(1, Encoding::Signed)]) && !model(vec![field(9, Encoding::Commitment); 2]));
}

#[test]
fn words_and_points_are_told_apart() {
    let (one, zero) = (Word::ONE, Word::ZERO);
    assert!(G1 { x: zero, y: zero }.is_identity());
    assert!(!G1 { x: one, y: zero }.is_identity() && !G1 { x: zero, y: one }.is_identity());
    let [two, three, four] = [2, 3, 4].map(Word::from_u64);
    assert_eq!(G1 { x: one, y: two }.to_bytes().as_slice(), [one.0, two.0].concat());
    assert_eq!(G2 { x: [one, two], y: [three, four] }.words(), [one, two, three, four]);
    assert_eq!(envelope::output_bytes(&[one, zero]), [[vec![0; 31], vec![1]].concat(), vec![0; 32]].concat());
}
