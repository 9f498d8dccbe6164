//! Every operator's cases through layout, prover and verifier.

use std::sync::OnceLock;

use ff::Field;
use halo2curves::bn256::{Fr, G1, G1Affine, G2};
use halo2curves::group::{Curve, prime::PrimeCurveAffine};
use zkml_curve::{g1_words, g2_words, scalar_word};
use zkml_graph::{Graph, Visibility, testing};
use zkml_protocol::{
    Encoding, Field as Part, InstanceLayout, Srs, Statement, Word,
    commitment::Role,
    sumcheck::{PROTOCOL_VERSION, Program, Weights},
};

use crate::{
    Layout, Options, lay_out,
    naive::violation,
    prover::{Masks, ProvingKey, Witness, prove},
};

const TAU: u64 = 0x5eed_cafe;
const MOST: usize = 1 << 12;

fn powers() -> &'static [G1Affine] {
    static POWERS: OnceLock<Vec<G1Affine>> = OnceLock::new();
    POWERS.get_or_init(|| {
        let mut power = Fr::ONE;
        let all: Vec<G1> = (0..=MOST)
            .map(|_| {
                let here = G1::generator() * power;
                power *= Fr::from(TAU);
                here
            })
            .collect();
        let mut out = vec![G1Affine::identity(); all.len()];
        G1::batch_normalize(&all, &mut out);
        out
    })
}

fn power_of_g2(e: u64) -> zkml_protocol::G2 {
    g2_words(&(G2::generator() * Fr::from(TAU).pow_vartime([e])).to_affine())
}

/// The key of a layout, with a statement that says how many instances there are.
pub(crate) fn key(layout: &Layout) -> ProvingKey {
    let length = layout.opening.length() as usize;
    assert!(length <= MOST, "2^{}", layout.opening.bits);
    let commit = |part: &[Fr]| g1_words(&zkml_msm::full(part, powers()).to_affine());
    let field =
        |values: u32| Part { name: "y".into(), values, scale: 0, encoding: Encoding::Signed, bounds: None };
    let program = Program {
        version: PROTOCOL_VERSION,
        system: layout.system.clone(),
        opening: layout.opening,
        weights: Weights { commitments: layout.weights.chunks(length).map(commit).collect() },
        srs: Srs { g1: g1_words(&powers()[0]), g2: power_of_g2(0), s_g2: power_of_g2(1), unsafe_dev: true },
        srs_b: power_of_g2(layout.opening.columns()),
        statement: Statement {
            model_name: "m".into(),
            model_hash: Word::ZERO,
            toolkit_version: String::new(),
            instances: InstanceLayout {
                outputs: vec![field(layout.system.instances - 1)],
                ..InstanceLayout::default()
            },
        },
    };
    program.validate().expect("a valid program");
    let digest = zkml_protocol::VerifierProgram::vk_digest(&program);
    ProvingKey::new(program, digest, powers()[..=length].to_vec(), layout.weights.clone()).expect("a key")
}

pub(crate) fn proof(key: &ProvingKey, witness: &Witness) -> Vec<u8> {
    let masks = Masks::random(&key.shape, &key.program.opening, &mut rand_core::OsRng);
    prove(key, witness, &masks).expect("a proof")
}

pub(crate) fn verdict(key: &ProvingKey, proof: &[u8], instances: &[Fr]) -> Result<(), String> {
    let words: Vec<Word> = instances.iter().map(scalar_word).collect();
    zkml_verifier::sumcheck::verify(&key.program, proof, &words).map_err(|e| e.to_string())
}

/// The graph with everything in the open.
fn public(mut graph: Graph) -> Graph {
    graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Public);
    graph.outputs.iter_mut().for_each(|o| o.visibility = Visibility::Public);
    graph
}

#[test]
fn every_case_is_proven_and_false_outputs_are_refused() {
    let (mut proven, mut skipped) = (0, vec![]);
    for case in testing::cases() {
        if !case.weights.is_empty() {
            continue;
        }
        let graph = public(case.graph.clone());
        let system = graph.system();
        for (limb_bits, lookups_per_helper, columns) in [(8, 3, 8), (5, 1, 4), (6, 2, 16)] {
            let options = Options { limb_bits, lookups_per_helper, columns };
            let layout = match lay_out(&system, &options) {
                Ok(layout) => layout,
                Err(e) => {
                    skipped.push(format!("{}: {e}", case.name));
                    continue;
                }
            };
            let trace = graph.eval(&case.inputs).expect("it runs");
            let values = system.assign(&trace).expect("all values");
            let witness = layout.witness(&system, &values, Fr::from(77), &[]).expect("a witness");
            assert_eq!(violation(&layout, &witness), None, "{} {options:?}", case.name);
            let key = key(&layout);
            let proof = proof(&key, &witness);
            verdict(&key, &proof, &witness.instances).unwrap_or_else(|e| panic!("{}: {e}", case.name));
            let mut other = witness.instances.clone();
            let last = other.len() - 1;
            other[last] += Fr::ONE;
            assert!(verdict(&key, &proof, &other).is_err(), "{}", case.name);
            proven += 1;
        }
    }
    assert!(skipped.is_empty(), "{proven} proven, {} skipped: {skipped:#?}", skipped.len());
}

/// A run with one value changed, and the statement made of the changed values: the relations refuse it, or the verifier does.
#[test]
fn a_run_with_one_other_value_is_refused() {
    let (mut by_relations, mut by_verifier, mut without_cells) = (0, 0, 0);
    for case in testing::cases().into_iter().filter(|c| c.weights.is_empty()) {
        let graph = public(case.graph.clone());
        let system = graph.system();
        let layout =
            lay_out(&system, &Options { limb_bits: 6, ..Options::default() }).expect("it is laid out");
        let values = system.assign(&graph.eval(&case.inputs).expect("it runs")).expect("all values");
        let honest = layout.witness(&system, &values, Fr::ZERO, &[]).expect("a witness");
        let key = key(&layout);
        for (var, element) in case.cells(&system) {
            for by in [1, -1, 64] {
                let mut changed = values.clone();
                changed[var][element] += by;
                let Ok(forged) = layout.witness(&system, &changed, Fr::ZERO, &[]) else { continue };
                let place = format!("{}: `{}` {element} by {by}", case.name, system.vars[var].name);
                let same_cells = (&forged.grid, &forged.loose) == (&honest.grid, &honest.loose);
                if same_cells && forged.instances == honest.instances {
                    // A value that a sum determines has no cell: there is nothing to change.
                    without_cells += 1;
                } else if !same_cells && violation(&layout, &forged).is_some() {
                    by_relations += 1;
                } else {
                    assert!(verdict(&key, &proof(&key, &forged), &forged.instances).is_err(), "{place}");
                    by_verifier += 1;
                }
            }
        }
    }
    let counts =
        format!("{by_relations} by relations, {by_verifier} by the verifier, {without_cells} without cells");
    assert!(by_relations > 1000 && by_verifier > 20, "{counts}");
}

/// Inputs and outputs behind commitments: those of the hash, and no others are accepted.
#[test]
fn commitments_are_those_of_the_hash() {
    let (mut proven, mut calls) = (0, std::collections::BTreeSet::new());
    for case in testing::cases().into_iter().filter(|c| c.weights.is_empty()) {
        let mut graph = case.graph.clone();
        graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Committed);
        graph.outputs.iter_mut().for_each(|o| o.visibility = Visibility::Committed);
        let system = graph.system();
        let layout = lay_out(&system, &Options::default()).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let values = system.assign(&graph.eval(&case.inputs).expect("it runs")).expect("all values");
        let count = graph.inputs.len() + graph.outputs.len();
        let salts: Vec<Fr> = (0..count).map(|i| -Fr::from(i as u64 + 1)).collect();
        let witness = layout.witness(&system, &values, Fr::ZERO, &salts).expect("a witness");
        assert_eq!(violation(&layout, &witness), None, "{}", case.name);
        let inputs = graph.inputs.iter().map(|(t, _)| (Role::Input, *t));
        let outputs = graph.outputs.iter().map(|o| (Role::Output, o.tensor));
        for (i, (role, tensor)) in inputs.chain(outputs).enumerate() {
            let code = zkml_graph::Code::of(graph.tensor(tensor).bounds);
            let code = zkml_protocol::Code { bits: code.bits, signed: code.signed };
            let parts = [(code, values[tensor.0 as usize].as_slice())];
            let commitment = zkml_poseidon::commit(role, &scalar_word(&salts[i]), &parts).expect("it fits");
            assert_eq!(scalar_word(&witness.instances[i + 1]), commitment, "{}", case.name);
        }
        calls.insert(layout.system.linears.len());
        let key = key(&layout);
        let honest = proof(&key, &witness);
        verdict(&key, &honest, &witness.instances).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let mut salts = salts;
        salts[0] += Fr::ONE;
        let other = layout.witness(&system, &values, Fr::ZERO, &salts).expect("a witness");
        assert!(verdict(&key, &honest, &other.instances).is_err(), "{}: another salt", case.name);
        assert!(verdict(&key, &proof(&key, &other), &witness.instances).is_err(), "{}", case.name);
        proven += 1;
    }
    assert!(proven > 40 && calls.len() > 3, "{proven}: {calls:?}");
}

/// Any other element of a call's state makes a proof that is refused.
#[test]
fn a_call_with_one_other_cell_is_refused() {
    let case = testing::cases().into_iter().find(|c| c.weights.is_empty()).expect("a case");
    let mut graph = case.graph.clone();
    graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Committed);
    let system = graph.system();
    let layout = lay_out(&system, &Options::default()).expect("it is laid out");
    let values = system.assign(&graph.eval(&case.inputs).expect("it runs")).expect("all values");
    let salts = vec![Fr::from(5); graph.inputs.len()];
    let honest = layout.witness(&system, &values, Fr::ZERO, &salts).expect("a witness");
    assert!(layout.witness(&system, &values, Fr::ZERO, &salts[1..]).is_err(), "a salt is missing");
    let key = key(&layout);
    for cell in (0..honest.wide.len()).step_by(honest.wide.len() / 60) {
        let mut forged = honest.clone();
        forged.wide[cell].1 += Fr::ONE;
        assert!(violation(&layout, &forged).is_some(), "cell {cell}");
        assert!(verdict(&key, &proof(&key, &forged), &forged.instances).is_err(), "cell {cell}");
    }
}
