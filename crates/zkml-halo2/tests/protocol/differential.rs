//! halo2 and our verifier give the same verdict on random circuits, on good proofs and on spoiled ones.

use crate::support::{
    self, Case,
    circuit::{Factor, GateShape, Shape},
};
use ff::Field;
use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner};
use halo2_proofs::halo2curves::bn256::{Bn256, Fr};
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Error, Expression, keygen_vk, verify_proof};
use halo2_proofs::poly::Rotation;
use halo2_proofs::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_proofs::poly::kzg::multiopen::VerifierSHPLONK;
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use zkml_curve::scalar_from_word;
use zkml_halo2::program::{self, DeriveError};
use zkml_halo2::transcript::KeccakRead;
use zkml_protocol::tamper::{self, Refusal};
use zkml_protocol::{
    Encoding,
    plonk::{ProgramError, Replay, Sample},
};
use zkml_verifier::plonk::{VerifyError, verify};

const SEEDS: std::ops::Range<u64> = 0..16;

fn case(seed: u64) -> Case {
    Case::new(&format!("random {seed}"), Shape::random(seed))
}

#[test]
fn both_accept_good_proofs() {
    for seed in SEEDS {
        let case = case(seed);
        let Sample { program, instances, proof, .. } = &case.sample;
        assert_eq!(verify(program, proof, instances), Ok(()), "seed {seed}");
        assert!(case.halo2_accepts(instances, proof), "seed {seed}");
    }
}

#[test]
fn both_refuse_what_the_layout_suggests() {
    for seed in SEEDS.step_by(3) {
        let case = case(seed);
        let Sample { program, instances, proof, .. } = &case.sample;
        for spoiled in tamper::matrix(program, instances, proof) {
            let name = format!("seed {seed}: {}", spoiled.name);
            assert!(verify(program, &spoiled.proof, &spoiled.instances).is_err(), "{name}");
            // halo2 pads instances with zeros and does not count them; the program does.
            if spoiled.refusal != Refusal::InstanceCount {
                assert!(!case.halo2_accepts(&spoiled.instances, &spoiled.proof), "{name}");
            }
        }
    }
}

#[test]
fn hash_inputs_are_halo2s_byte_for_byte() {
    for seed in SEEDS {
        let case = case(seed);
        let Sample { program, instances, proof, .. } = &case.sample;
        let scalars: Vec<Fr> = instances.iter().filter_map(scalar_from_word).collect();
        let mut transcript = KeccakRead::new(program, proof).traced();
        verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            &case.params,
            &case.vk,
            SingleStrategy::new(&case.params),
            &[&[&scalars]],
            &mut transcript,
        )
        .expect("the proof holds");
        let replay = Replay::of(program, instances, proof).expect("lengths fit");
        assert_eq!(replay.hash_inputs, transcript.trace(), "seed {seed}");
    }
}

#[test]
fn a_proof_of_one_circuit_is_none_of_another() {
    let shape = Shape::random(0);
    let one = Case::new("one", shape.clone());
    let other = Case::new("other", Shape { seed: shape.seed + 100, ..shape });
    let Sample { program, instances, .. } = &one.sample;
    assert_eq!(verify(program, &other.sample.proof, instances), Err(VerifyError::Rejected));
    assert!(!one.halo2_accepts(instances, &other.sample.proof));
}

/// What a circuit is made of that the verifier lacks.
#[derive(Clone, Copy, Debug, Default)]
enum Unsupported {
    #[default]
    Lookup,
    TwoInstanceColumns,
    NoInstanceColumn,
    InstanceUnused,
    NextInstance,
    HighDegree,
}

#[derive(Clone, Copy, Debug, Default)]
struct UnsupportedCircuit(Unsupported);

impl Circuit<Fr> for UnsupportedCircuit {
    type Config = ();
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Unsupported;

    fn without_witnesses(&self) -> Self {
        *self
    }

    fn params(&self) -> Unsupported {
        self.0
    }

    fn configure(_: &mut ConstraintSystem<Fr>) {}

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, kind: Unsupported) {
        let (advice, fixed) = (meta.advice_column(), meta.fixed_column());
        let columns = match kind {
            Unsupported::TwoInstanceColumns => 2,
            Unsupported::NoInstanceColumn => 0,
            _ => 1,
        };
        let instances: Vec<_> = (0..columns).map(|_| meta.instance_column()).collect();
        if matches!(kind, Unsupported::Lookup) {
            let table = meta.lookup_table_column();
            meta.lookup("table", |cells| vec![(cells.query_advice(advice, Rotation::cur()), table)]);
        }
        meta.create_gate("gate", |cells| {
            let advice = cells.query_advice(advice, Rotation::cur());
            let fixed = cells.query_fixed(fixed, Rotation::cur());
            let product = match kind {
                Unsupported::HighDegree => (0..6).fold(fixed, |product, _| product * advice.clone()),
                _ => fixed * advice,
            };
            let rotation = Rotation(i32::from(matches!(kind, Unsupported::NextInstance)));
            let unused = matches!(kind, Unsupported::InstanceUnused);
            let instances = instances.iter().filter(|_| !unused);
            let sum = instances.fold(Expression::Constant(Fr::ZERO), |sum, column| {
                sum + cells.query_instance(*column, rotation)
            });
            vec![product * (sum + Expression::Constant(Fr::ONE))]
        });
    }

    fn synthesize(&self, (): (), _: impl Layouter<Fr>) -> Result<(), Error> {
        Ok(())
    }
}

fn refusal(kind: Unsupported) -> DeriveError {
    let params = ParamsKZG::<Bn256>::setup(5, ChaCha8Rng::seed_from_u64(1));
    let vk = keygen_vk(&params, &UnsupportedCircuit(kind)).expect("keygen");
    let statement = support::statement("unsupported", &Shape { instances: 1, ..Shape::default() });
    program::derive(&vk, 5, zkml_srs::verifier_part(&params, true), statement).expect_err("unsupported")
}

#[test]
fn what_the_verifier_lacks_is_refused_by_name() {
    use Unsupported as U;
    assert!(matches!(refusal(U::Lookup), DeriveError::ClassicLookups(1)));
    assert!(matches!(refusal(U::TwoInstanceColumns), DeriveError::InstanceColumns(2)));
    assert!(matches!(refusal(U::NoInstanceColumn), DeriveError::InstanceColumns(0)));
    assert!(matches!(refusal(U::InstanceUnused), DeriveError::InstanceUnused));
    assert!(matches!(refusal(U::NextInstance), DeriveError::InstanceRotation(1)));
    let high = refusal(U::HighDegree);
    assert!(matches!(high, DeriveError::Degree { degree: 8, supported: 5, .. }), "{high}");
}

#[test]
fn more_rows_than_the_field_has_are_refused() {
    let case = case(0);
    let error = program::derive(&case.vk, 28, case.sample.program.srs, case.sample.program.statement.clone());
    assert!(matches!(error, Err(DeriveError::TooManyRows { k: 28, .. })));
}

#[test]
fn a_statement_of_another_shape_is_refused() {
    let case = case(0);
    let mut statement = case.sample.program.statement.clone();
    statement.instances.outputs.push(zkml_protocol::Field {
        name: "extra".into(),
        values: 1 << 15,
        scale: 0,
        encoding: Encoding::Signed,
        bounds: None,
    });
    let error = program::derive(&case.vk, case.sample.program.domain.k, case.sample.program.srs, statement);
    assert!(matches!(error, Err(DeriveError::Program(ProgramError::TooMany { what: "instances", .. }))));
}

#[test]
fn rotations_that_name_one_row_are_refused() {
    // 32 rows: eight rows on and 24 rows back are the same cell. The reach leaves no row for the gates to fill in.
    let gate = |rotation| GateShape { terms: vec![(1, vec![Factor::Advice(0, rotation)])], out_rotation: 0 };
    let mut shape = Shape { k: 5, inputs: [1, 0], instances: 1, permuted: 1, ..Shape::default() };
    shape.gates = vec![gate(8), gate(-24)];
    let params = ParamsKZG::<Bn256>::setup(5, ChaCha8Rng::seed_from_u64(1));
    let circuit = support::circuit::RandomCircuit::new(Shape { reach: 24, ..shape.clone() });
    let vk = keygen_vk(&params, &circuit).expect("keygen");
    let error =
        program::derive(&vk, 5, zkml_srs::verifier_part(&params, true), support::statement("rows", &shape));
    assert!(matches!(
        error,
        Err(DeriveError::Program(ProgramError::CongruentRotations { first: 8, second: -24, k: 5 }))
    ));
}
