//! Proofs of small random circuits, and halo2's own verdict on them.

#![allow(unreachable_pub, reason = "a binary has no public items")]

pub mod circuit;
pub mod committed;

use circuit::{RandomCircuit, Shape};
use halo2_proofs::halo2curves::bn256::{Bn256, Fr, G1Affine};
use halo2_proofs::plonk::{VerifyingKey, create_proof, keygen_pk, keygen_vk, verify_proof};
use halo2_proofs::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_proofs::poly::kzg::multiopen::{ProverSHPLONK, VerifierSHPLONK};
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use zkml_curve::{scalar_from_word, scalar_word};
use zkml_halo2::program;
use zkml_halo2::transcript::{KeccakRead, KeccakWrite};
use zkml_protocol::{Encoding, Field, InstanceLayout, Statement, Word, keccak256, plonk::Sample};

/// A circuit with its key, its program and a valid proof.
pub struct Case {
    pub params: ParamsKZG<Bn256>,
    pub vk: VerifyingKey<G1Affine>,
    pub sample: Sample,
}

impl Case {
    pub fn new(name: &str, shape: Shape) -> Self {
        let circuit = RandomCircuit::new(shape.clone());
        let params = ParamsKZG::<Bn256>::setup(shape.k, ChaCha8Rng::seed_from_u64(1));
        let vk = keygen_vk(&params, &circuit).expect("keygen");
        let program =
            program::derive(&vk, shape.k, zkml_srs::verifier_part(&params, true), statement(name, &shape))
                .expect("the shape is supported");
        let pk = keygen_pk(&params, vk.clone(), &circuit).expect("keygen");
        let mut transcript = KeccakWrite::new(&program);
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            &params,
            &pk,
            std::slice::from_ref(&circuit),
            &[&[&circuit.instances]],
            ChaCha8Rng::seed_from_u64(2),
            &mut transcript,
        )
        .expect("the witness satisfies the circuit");
        let instances = circuit.instances.iter().map(scalar_word).collect();
        let sample = Sample { name: name.into(), program, instances, proof: transcript.finish() };
        Self { params, vk, sample }
    }

    /// halo2's verdict, made strict: scalars are canonical and nothing is left over.
    pub fn halo2_accepts(&self, instances: &[Word], proof: &[u8]) -> bool {
        let scalars: Option<Vec<Fr>> = instances.iter().map(scalar_from_word).collect();
        let Some(scalars) = scalars else { return false };
        let mut transcript = KeccakRead::new(&self.sample.program, proof);
        let verdict = verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            &self.params,
            &self.vk,
            SingleStrategy::new(&self.params),
            &[&[&scalars]],
            &mut transcript,
        );
        verdict.is_ok() && transcript.rest().is_empty()
    }
}

/// One context and one output tensor.
pub fn statement(name: &str, shape: &Shape) -> Statement {
    let outputs = match shape.instances as u32 - 1 {
        0 => vec![],
        words => {
            vec![Field {
                name: "probability".into(),
                values: words,
                scale: 16,
                encoding: Encoding::Signed,
                bounds: None,
            }]
        }
    };
    Statement {
        model_name: name.into(),
        model_hash: keccak256([name.as_bytes()]),
        toolkit_version: "0.1.0".into(),
        instances: InstanceLayout { inputs: vec![], model: vec![], outputs },
    }
}
