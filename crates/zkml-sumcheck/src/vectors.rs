//! The specification's proofs, made again byte for byte.

use std::sync::Arc;

use ff::Field;
use halo2curves::bn256::{Fr, G1, G1Affine};
use halo2curves::group::Curve;
use zkml_curve::{g1_words, g2_words, scalar_from_word};
use zkml_protocol::{
    InstanceLayout, Srs, Statement, Word,
    sumcheck::{Number, PROTOCOL_VERSION, Program, Vector, Weights},
};

use crate::prover::{Masks, PrivateWeights, ProvingKey, Witness, prove};

pub(crate) fn scalar(n: &Number) -> Fr {
    scalar_from_word(&n.0).expect("canonical")
}

pub(crate) fn vectors() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/vectors.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("vectors")).expect("vectors")
}

/// `[τ^i]₁`.
fn powers(tau: Fr, count: usize) -> Vec<G1Affine> {
    let mut power = Fr::ONE;
    let point = |_| {
        let here = (G1::generator() * power).to_affine();
        power *= tau;
        here
    };
    (0..count).map(point).collect()
}

pub(crate) fn key(v: &Vector) -> ProvingKey {
    let tau = scalar(&v.tau);
    let power_of_g2 = |e: u64| {
        let point = halo2curves::bn256::G2::generator() * tau.pow_vartime([e]);
        g2_words(&point.to_affine())
    };
    let program = Program {
        version: PROTOCOL_VERSION,
        system: v.program.clone(),
        opening: v.opening,
        weights: Weights { commitments: v.weight_commitments() },
        srs: Srs {
            g1: g1_words(&G1::generator().to_affine()),
            g2: power_of_g2(0),
            s_g2: power_of_g2(1),
            unsafe_dev: true,
        },
        srs_b: power_of_g2(v.opening.columns()),
        statement: Statement {
            model_name: v.system.clone(),
            model_hash: Word::ZERO,
            toolkit_version: String::new(),
            instances: InstanceLayout::default(),
        },
    };
    let mut weights: Vec<Fr> = v.weights.iter().map(scalar).collect();
    let length = v.opening.length() as usize;
    weights.resize(weights.len().next_multiple_of(length), Fr::ZERO);
    let points = powers(tau, length + 1);
    ProvingKey::new(program, v.vk_digest.0, points, Arc::new(weights[..].into())).expect("a key")
}

/// The private weights of a vector, if it has some.
fn private(v: &Vector, key: &ProvingKey) -> Option<Arc<PrivateWeights>> {
    let mut values: Vec<Fr> = v.private.iter().map(scalar).collect();
    values.resize(values.len().next_multiple_of(v.opening.length() as usize), Fr::ZERO);
    let blinds = v.masks.private.iter().map(scalar).collect();
    (!values.is_empty()).then(|| Arc::new(key.private_weights(values, blinds).expect("private weights")))
}

/// The witness of a vector.
pub(crate) fn witness(v: &Vector) -> Witness {
    Witness {
        grid: v.columns.concat(),
        loose: vec![],
        wide: vec![],
        instances: v.instances.iter().map(scalar).collect(),
        private: private(v, &key(v)),
    }
}

#[test]
fn the_specifications_proofs_come_out_byte_for_byte() {
    let all = vectors();
    assert!(all.len() >= 5);
    for v in &all {
        let key = key(v);
        assert_eq!(key.program.weights.commitments, v.weight_commitments(), "{}", v.system);
        let mut vector = vec![Fr::ZERO; v.opening.length() as usize];
        v.masks.vector.iter().for_each(|(at, n)| vector[*at] = scalar(n));
        let blinds = v.masks.blinds.iter().map(scalar).collect();
        let masks = Masks { vector, helper: scalar(&v.masks.helper), blinds };
        let witness = witness(v);
        let proof = prove(&key, &witness, &masks, &|_| ()).expect("a proof");
        let expected = v.proof_bytes();
        let differs = proof.chunks(32).zip(expected.chunks(32)).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{}: word {differs:?} of {}", v.system, expected.len() / 32);
        assert_eq!(proof.len(), expected.len(), "{}", v.system);
        zkml_verifier::sumcheck::verify_with(&key.program, &v.vk_digest.0, &proof, &v.instance_words())
            .unwrap_or_else(|e| panic!("{}: {e}", v.system));
    }
}
