//! Verdicts on the committed proofs and on everything that can be made of them.

use zkml_protocol::tamper::{self, Refusal};
use zkml_protocol::{
    Bounds, Code, Element, Encoding, Field, G1, G2, StatementError, Word, field,
    plonk::{Constraints, Identity, Node, NodeId, Program, ProgramError, Query, Sample},
};
use zkml_verifier::plonk::{VerifyError, verify};

const NAMES: [&str; 5] = ["plain", "two_phases", "random_19", "private", "private_other"];

/// A name and a change to a program.
type Edit = (&'static str, fn(&mut Program));
/// The same with a point to plant.
type PointEdit = (&'static str, fn(&mut Program, G1));

fn sample(name: &str) -> Sample {
    let path = format!("{}/../../tests/fixtures/protocol/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("fixture exists");
    serde_json::from_str(&text).expect("fixture parses")
}

fn verdict(sample: &Sample) -> Result<(), VerifyError> {
    verify(&sample.program, &sample.proof, &sample.instances)
}

fn matches(refusal: Refusal, error: &VerifyError) -> bool {
    match refusal {
        Refusal::Length => matches!(error, VerifyError::ProofLength { .. }),
        Refusal::InstanceCount => matches!(error, VerifyError::InstanceCount { .. }),
        Refusal::InstanceRange(i) => {
            matches!(error, VerifyError::InstanceOutOfRange { index, .. } if *index == i)
        }
        Refusal::ScalarRange => matches!(error, VerifyError::ScalarOutOfRange { .. }),
        Refusal::CoordinateRange => matches!(error, VerifyError::CoordinateOutOfRange { .. }),
        Refusal::OffCurve => matches!(error, VerifyError::NotOnCurve { .. }),
        Refusal::Identity => matches!(error, VerifyError::Identity { .. }),
        Refusal::Rejected => *error == VerifyError::Rejected,
    }
}

#[test]
fn committed_proofs_hold() {
    for name in NAMES {
        assert_eq!(verdict(&sample(name)), Ok(()), "{name}");
    }
}

#[test]
fn every_tampering_is_refused_by_its_own_check() {
    for name in NAMES {
        let Sample { program, instances, proof, .. } = sample(name);
        for case in tamper::matrix(&program, &instances, &proof) {
            let error = verify(&program, &case.proof, &case.instances).expect_err(&case.name);
            assert!(matches(case.refusal, &error), "{name}: {}: {error}, not {:?}", case.name, case.refusal);
        }
    }
}

#[test]
fn every_single_byte_counts() {
    let Sample { program, instances, proof, .. } = sample("plain");
    for index in 0..proof.len() {
        let mut spoiled = proof.clone();
        spoiled[index] ^= 0x10;
        assert!(verify(&program, &spoiled, &instances).is_err(), "byte {index}");
    }
}

/// Each of these changes what is verified; none of them may leave the proof valid.
#[test]
fn a_proof_is_bound_to_every_part_of_its_program() {
    let edits: [Edit; 10] = [
        ("key representation", |p| p.key_repr = Word::ONE),
        ("output scale", |p| p.statement.instances.outputs[0].scale += 1),
        ("output name", |p| p.statement.instances.outputs[0].name.push('x')),
        ("output bounds", |p| {
            p.statement.instances.outputs[0].bounds = Some(Bounds { lowest: 0, highest: 1 });
        }),
        ("setup flag", |p| p.srs.unsafe_dev = false),
        ("fixed commitments", |p| p.fixed_commitments.swap(0, 1)),
        ("permutation commitments", |p| p.sigma_commitments.swap(0, 1)),
        ("constraint order", |p| p.constraints.identities.swap(0, 1)),
        ("constraint name", |p| p.constraints.identities[0].name.push('x')),
        ("setup point", |p| p.srs.s_g2 = p.srs.g2),
    ];
    for (name, edit) in edits {
        let mut sample = sample("two_phases");
        let digest = sample.program.vk_digest();
        edit(&mut sample.program);
        assert_ne!(digest, sample.program.vk_digest(), "{name}");
        assert_eq!(verdict(&sample), Err(VerifyError::Rejected), "{name}");
    }
}

#[test]
fn names_and_versions_may_differ_between_models_of_one_verifier() {
    let mut sample = sample("plain");
    let (digest, commitment) = (sample.program.vk_digest(), sample.program.model_commitment());
    sample.program.statement.model_name = "another".into();
    sample.program.statement.toolkit_version = "9.9.9".into();
    sample.program.statement.model_hash = Word::ONE;
    assert_eq!(verdict(&sample), Ok(()));
    assert_eq!(sample.program.vk_digest(), digest);
    assert_ne!(sample.program.model_commitment(), commitment);
}

#[test]
fn hostile_programs_end_in_errors() {
    let edits: [Edit; 26] = [
        ("version", |p| p.version += 1),
        ("k = 0", |p| p.domain.k = 0),
        ("k = 29", |p| p.domain.k = 29),
        ("k = max", |p| p.domain.k = u32::MAX),
        ("omega", |p| p.domain.omega = Word::ONE),
        ("omega inverse", |p| p.domain.omega_inv = Word::ONE),
        ("n inverse", |p| p.domain.n_inv = Word([0xff; 32])),
        ("blinding", |p| p.blinding_factors = u32::MAX),
        ("no room", |p| p.blinding_factors = 60),
        ("instances", |p| p.num_instances = u32::MAX),
        ("instance count", |p| p.num_instances += 1),
        ("products", |p| p.products = u32::MAX),
        ("pieces", |p| p.quotient_pieces = u32::MAX),
        ("advice column", |p| p.advice_queries[0].column = 99),
        ("fixed column", |p| p.fixed_queries[0].column = u32::MAX),
        ("rotation", |p| p.advice_queries[0].rotation = i32::MIN),
        ("challenge phase", |p| p.challenge_phases[0] = 9),
        ("identity", |p| p.constraints.identities[0].node = NodeId(u32::MAX)),
        ("no identities", |p| p.constraints.identities.clear()),
        ("order of nodes", |p| p.constraints.nodes[0] = Node::Neg(NodeId(0))),
        ("constant", |p| p.constraints.nodes[0] = Node::Constant(field::SCALAR_MODULUS)),
        ("width of packed values", |p| {
            let code = Code { bits: 0, signed: false };
            p.statement.instances.outputs[0].encoding = Encoding::Packed(code);
        }),
        ("empty bounds", |p| {
            p.statement.instances.outputs[0].bounds = Some(Bounds { lowest: 1, highest: 0 });
        }),
        ("bounds of a commitment", |p| {
            let output = &mut p.statement.instances.outputs[0];
            let values = output.words() as u32;
            *output = Field { encoding: Encoding::Commitment, values, ..output.clone() };
            output.bounds = Some(Bounds { lowest: 0, highest: 1 });
            let words = p.statement.instances.total() as u32;
            p.num_instances = words;
        }),
        ("bounds wider than the code", |p| {
            let output = &mut p.statement.instances.outputs[0];
            output.encoding = Encoding::Packed(Code { bits: 8, signed: false });
            output.bounds = Some(Bounds { lowest: 0, highest: 256 });
            p.num_instances = p.statement.instances.total() as u32;
        }),
        ("key representation", |p| p.key_repr = field::SCALAR_MODULUS),
    ];
    for (name, edit) in edits {
        let mut sample = sample("two_phases");
        edit(&mut sample.program);
        assert!(matches!(verdict(&sample), Err(VerifyError::Program(_))), "{name}: {:?}", verdict(&sample));
    }
}

#[test]
fn double_queries_are_refused() {
    let mut plain = sample("plain");
    let first = plain.program.advice_queries[0];
    plain.program.advice_queries[1] = first;
    assert!(matches!(verdict(&plain), Err(VerifyError::Program(ProgramError::DuplicateQuery { .. }))));
    let mut plain = sample("plain");
    let rows = plain.program.domain.n() as i32;
    plain.program.advice_queries[1] = Query { column: first.column, rotation: first.rotation + rows };
    assert!(matches!(verdict(&plain), Err(VerifyError::Program(ProgramError::CongruentRotations { .. }))));
}

#[test]
fn forged_points_in_a_program_are_named() {
    let off_curve = G1 { x: Word::ONE, y: Word::ONE };
    let edits: [PointEdit; 3] = [
        ("fixed", |p, point| p.fixed_commitments[1] = point),
        ("sigma", |p, point| p.sigma_commitments[0] = point),
        ("generator", |p, point| p.srs.g1 = point),
    ];
    for (name, edit) in edits {
        let mut sample = sample("plain");
        edit(&mut sample.program, off_curve);
        assert!(matches!(verdict(&sample), Err(VerifyError::ProgramPoint { .. })), "{name}");
    }
    let mut sample = sample("plain");
    sample.program.srs.g2.x[0] = Word::ZERO;
    assert!(matches!(verdict(&sample), Err(VerifyError::ProgramPoint { .. })));
    sample.program.srs.g2 = G2::default();
    assert!(matches!(verdict(&sample), Err(VerifyError::ProgramPoint { .. })), "identity");
}

/// A program without gates of its own still needs the pairing to hold.
#[test]
fn a_weakened_program_does_not_accept_the_old_proof() {
    let mut sample = sample("plain");
    let nodes = vec![Node::Constant(Word::ZERO)];
    let identities = vec![Identity { name: "nothing".into(), node: NodeId(0) }];
    sample.program.constraints = Constraints { nodes, identities };
    assert_eq!(verdict(&sample), Err(VerifyError::Rejected));
}

#[test]
fn layout_covers_the_proof_without_gaps() {
    for name in NAMES {
        let sample = sample(name);
        let layout = sample.program.layout();
        let mut end = 0;
        for slot in layout.slots() {
            assert_eq!(slot.offset, end, "{name}: {:?}", slot.id);
            end = slot.end();
            assert_eq!(slot.element.size(), if slot.element == Element::Point { 64 } else { 32 });
        }
        assert_eq!((end, end), (layout.length(), sample.proof.len()), "{name}");
    }
}

/// Changed bytes of a serialised program: whatever still parses ends in a verdict, never in a panic.
#[test]
fn damaged_program_files_never_panic() {
    let Sample { program, instances, proof, .. } = sample("two_phases");
    let bytes = postcard::to_stdvec(&program).expect("programs serialise");
    let mut parsed = 0;
    for (index, step) in (0..bytes.len()).step_by(11).zip((1u8..=u8::MAX).cycle()) {
        for mask in [1, 0x80, step] {
            let mut damaged = bytes.clone();
            damaged[index] ^= mask;
            let Ok(damaged) = postcard::from_bytes::<Program>(&damaged) else { continue };
            parsed += 1;
            let bound = damaged.vk_digest() != program.vk_digest();
            assert_eq!(verify(&damaged, &proof, &instances).is_err(), bound, "byte {index}");
        }
    }
    assert!(parsed > 300, "only {parsed} damaged programs parsed");
}

/// Bounds are refused for their own sake, not because something else no longer fits.
#[test]
fn bounds_that_say_nothing_are_named() {
    let packed = |bits, signed| Encoding::Packed(Code { bits, signed });
    let cases = [
        (Encoding::Signed, (3, 2), false),
        (Encoding::Signed, (i64::MIN, i64::MAX), true),
        (Encoding::Signed, (2, 2), true),
        (Encoding::Commitment, (0, 0), false),
        (packed(8, false), (0, 255), true),
        (packed(8, false), (-1, 255), false),
        (packed(8, false), (0, 256), false),
        (packed(8, true), (-128, 127), true),
        (packed(8, true), (-129, 127), false),
        (packed(8, true), (5, 4), false),
    ];
    for (encoding, (lowest, highest), good) in cases {
        let mut program = sample("plain").program;
        program.statement.instances.outputs[0].encoding = encoding;
        program.statement.instances.outputs[0].bounds = Some(Bounds { lowest, highest });
        program.num_instances = program.statement.instances.total() as u32;
        let verdict = program.validate();
        let refused = matches!(verdict, Err(ProgramError::Statement(StatementError::Bounds { .. })));
        assert!(if good { verdict.is_ok() } else { refused }, "{encoding:?} {lowest} {highest}: {verdict:?}");
    }
}
