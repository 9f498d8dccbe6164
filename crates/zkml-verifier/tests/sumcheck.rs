//! Proofs of the executable specification: accepted as they are, refused after any change; hostile programs never panic.

use ff::{Field, PrimeField};
use halo2curves::bn256::{Fr, G1, G2};
use halo2curves::group::Curve;
use zkml_protocol::{
    Element, Encoding, Field as Part, G1 as Point, G2 as Point2, InstanceLayout, Srs, Statement, Word, field,
    sumcheck::{PROTOCOL_VERSION, Program, ProgramError, Vector, Weights},
};
use zkml_verifier::sumcheck::{VerifyError, verify, verify_with};

fn word(mut repr: [u8; 32]) -> Word {
    repr.reverse();
    Word(repr)
}

fn scalar(word: &Word) -> Fr {
    let mut repr = word.0;
    repr.reverse();
    Option::from(Fr::from_repr(repr)).expect("canonical")
}

fn point2(scalar: Fr) -> Point2 {
    let point = (G2::generator() * scalar).to_affine();
    let pair = |c: halo2curves::bn256::Fq2| [word(c.c1.to_repr()), word(c.c0.to_repr())];
    Point2 { x: pair(point.x), y: pair(point.y) }
}

fn vectors() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/vectors.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("vectors")).expect("vectors")
}

fn program(v: &Vector) -> Program {
    let tau = scalar(&v.tau.0);
    let g1 = G1::generator().to_affine();
    let outputs = Part {
        name: "y".into(),
        values: v.program.instances - 1,
        scale: 0,
        encoding: Encoding::Signed,
        bounds: None,
    };
    Program {
        version: PROTOCOL_VERSION,
        system: v.program.clone(),
        opening: v.opening,
        weights: Weights { commitments: v.weight_commitments() },
        srs: Srs {
            g1: Point { x: word(g1.x.to_repr()), y: word(g1.y.to_repr()) },
            g2: point2(Fr::ONE),
            s_g2: point2(tau),
            unsafe_dev: true,
        },
        srs_b: point2(tau.pow_vartime([v.opening.columns()])),
        statement: Statement {
            model_name: v.system.clone(),
            model_hash: Word::ZERO,
            toolkit_version: String::new(),
            instances: InstanceLayout { outputs: vec![outputs], ..InstanceLayout::default() },
        },
    }
}

fn verdict(v: &Vector, program: &Program, proof: &[u8], instances: &[Word]) -> Result<(), VerifyError> {
    verify_with(program, &v.vk_digest.0, proof, instances)
}

#[test]
fn proofs_of_the_specification_are_accepted_and_every_change_is_refused() {
    let mut refused = 0;
    for v in vectors() {
        let (program, proof, instances) = (program(&v), v.proof_bytes(), v.instance_words());
        verdict(&v, &program, &proof, &instances).unwrap_or_else(|e| panic!("{}: {e}", v.system));
        let layout = program.layout();
        for slot in layout.slots() {
            for index in 0..slot.count {
                let at = slot.at(index).expect("an element");
                let mut changed = proof.clone();
                let before = Word(changed[at..at + 32].try_into().expect("a word"));
                let beyond = match slot.element {
                    Element::Scalar => field::SCALAR_MODULUS,
                    Element::Point => field::BASE_MODULUS,
                };
                // Another value, the same one written otherwise, zero.
                for new in [field::add(before, Word::ONE), beyond, Word::ZERO] {
                    changed[at..at + 32].copy_from_slice(&new.0);
                    let place = format!("{}: {:?} {index} as {new}", v.system, slot.id);
                    assert!(new == before || verdict(&v, &program, &changed, &instances).is_err(), "{place}");
                    refused += 1;
                }
            }
        }
        for i in 0..instances.len() {
            let mut other = instances.clone();
            other[i] = field::add(other[i], Word::ONE);
            let of_weights = program.system.private.is_some_and(|p| p.instance as usize == i);
            let expected = if of_weights { VerifyError::OtherWeights } else { VerifyError::Rejected };
            assert_eq!(verdict(&v, &program, &proof, &other), Err(expected), "{}: {i}", v.system);
            other[i] = field::SCALAR_MODULUS;
            let range = verdict(&v, &program, &proof, &other);
            assert!(matches!(range, Err(VerifyError::InstanceOutOfRange { .. })), "{range:?}");
        }
        let longer = [proof.as_slice(), &[0; 32]].concat();
        for bytes in [&proof[32..], &longer, &[]] {
            let length = verdict(&v, &program, bytes, &instances);
            assert!(matches!(length, Err(VerifyError::ProofLength { .. })), "{length:?}");
        }
        let count = verdict(&v, &program, &proof, &instances[1..]);
        assert!(matches!(count, Err(VerifyError::InstanceCount { .. })), "{count:?}");
        // Another setup, another opening shape.
        let mut other = program.clone();
        if v.opening.is_whole() {
            other.srs.s_g2 = point2(Fr::from(7));
        } else {
            other.srs_b = point2(Fr::from(7));
        }
        assert_eq!(verdict(&v, &other, &proof, &instances), Err(VerifyError::Rejected));
        // Neither a matrix of a few rows nor one row.
        let mut narrow = program.clone();
        narrow.opening.column_bits = v.opening.bits - 1;
        let range = verify(&narrow, &proof, &instances);
        assert!(matches!(range, Err(VerifyError::Program(ProgramError::Range { .. }))), "{range:?}");
    }
    assert!(refused > 1000, "{refused}");
}

/// A small generator, so that failures come back.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Programs of the first version mask their proofs too little.
#[test]
fn programs_of_another_version_are_refused_with_a_way_out() {
    let vectors = vectors();
    let v = vectors.first().expect("a vector");
    for version in [PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1] {
        let other = Program { version, ..program(v) };
        let said = verify(&other, &v.proof_bytes(), &v.instance_words()).expect_err("another version");
        assert!(said.to_string().contains("derive it again with `setup`"), "{said}");
        assert_ne!(other.vk_digest(), program(v).vk_digest());
    }
}

#[test]
fn hostile_programs_are_refused_without_a_panic() {
    let mut state = 7;
    let (mut decoded, mut valid) = (0, 0);
    for v in vectors() {
        let whole = program(&v);
        let bytes = postcard::to_stdvec(&whole).expect("bytes");
        let (proof, instances) = (v.proof_bytes(), v.instance_words());
        for _ in 0..1500 {
            let mut changed = bytes.clone();
            for _ in 0..1 + next(&mut state) % 3 {
                let at = next(&mut state) as usize % changed.len();
                changed[at] = next(&mut state) as u8;
            }
            let Ok(hostile) = postcard::from_bytes::<Program>(&changed) else { continue };
            decoded += 1;
            valid += usize::from(hostile.validate().is_ok());
            let same = hostile.vk_digest() == whole.vk_digest();
            assert!(same || verify(&hostile, &proof, &instances).is_err());
        }
    }
    assert!(decoded > 1000, "{decoded} decoded, {valid} valid");
}
