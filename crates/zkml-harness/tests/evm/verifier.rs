//! The generated verifier accepts what it should, and refuses everything else with the error that fits.

use crate::support::{self, Fixture, fixtures};
use std::collections::BTreeSet;
use zkml_codegen::Favour;
use zkml_harness::{EvmConfig, Fork, HarnessError, Outcome, Patch, Settings, Solc, precompile, self_check};

use zkml_protocol::{
    Bounds, Element, Field, Word, field,
    plonk::{Challenge, Eval, ExprBuilder, Query, Replay, Step},
    tamper::{self, Refusal},
};

/// Largest runtime bytecode of the random circuits, in bytes, and of the models among the samples.
const MAX_RUNTIME: [usize; 2] = [9_000, 15_000];
/// Gas of arithmetic and hashing that random circuits and models may take besides that for each commitment.
const MAX_OWN: [u64; 2] = [3_200, 11_000];
/// Most gas that refusing a malformed point may cost beyond base and calldata.
const MAX_REFUSAL: u64 = 60_000;

#[test]
fn good_proofs_pass_the_self_check() {
    for mut fixture in fixtures() {
        let sample = fixture.sample.clone();
        let checked =
            self_check(&fixture.contract, &sample.program, &sample.proof, &sample.instances).unwrap();
        println!("{}: {} bytes of runtime, proof {}", sample.name, checked.runtime_bytes, sample.proof.len());
        println!("deploy {}\n{}", checked.deploy_gas, checked.gas);
        let kind = usize::from(!sample.program.statement.instances.inputs.is_empty());
        assert!(checked.runtime_bytes < MAX_RUNTIME[kind], "{}", checked.runtime_bytes);
        // What is not a precompile: about 400 gas for each commitment.
        let own = checked.gas.arithmetic + checked.gas.keccak;
        let allowed = MAX_OWN[kind] + 400 * u64::from(checked.gas.ec_mul_calls);
        assert!(own < allowed, "{}: {own} gas of arithmetic and hashing, {allowed} allowed", sample.name);
        assert!(fixture.verify(&sample.proof, &sample.instances).is_true());
    }
}

/// The list of spoiled proofs that the other verifiers run too.
#[test]
fn every_tampering_is_refused_for_its_reason() {
    for mut fixture in fixtures() {
        let sample = fixture.sample.clone();
        for spoiled in tamper::matrix(&sample.program, &sample.instances, &sample.proof) {
            let call = fixture.verify(&spoiled.proof, &spoiled.instances);
            let expected = match spoiled.refusal {
                Refusal::Length => "WrongProofLength(".to_owned(),
                Refusal::InstanceCount => "WrongInstanceCount(".to_owned(),
                Refusal::InstanceRange(index) => format!("ScalarOutOfRange({index})"),
                Refusal::ScalarRange => "EvaluationOutOfRange(".to_owned(),
                Refusal::CoordinateRange | Refusal::OffCurve | Refusal::Identity => {
                    "InvalidPoint(".to_owned()
                }
                Refusal::Rejected => "ProofRejected()".to_owned(),
            };
            assert!(matches!(call.outcome, Outcome::Reverted(_)), "{}: {}", sample.name, spoiled.name);
            let (name, said) = (&spoiled.name, call.describe());
            assert!(said.starts_with(&expected), "{}: {name}: {said} instead of {expected}", sample.name);
        }
    }
}

#[test]
fn no_number_has_two_spellings() {
    for mut fixture in fixtures() {
        let sample = fixture.sample.clone();
        let layout = sample.program.layout();
        for offset in layout.scalar_offsets() {
            for proof in aliases(&sample.proof, offset, field::SCALAR_MODULUS) {
                let call = fixture.verify(&proof, &sample.instances);
                assert_eq!(call.describe(), format!("EvaluationOutOfRange({offset})"));
            }
        }
        for offset in layout.point_offsets() {
            for word in [offset, offset + 32] {
                for proof in aliases(&sample.proof, word, field::BASE_MODULUS) {
                    let call = fixture.verify(&proof, &sample.instances);
                    assert_eq!(call.describe(), format!("InvalidPoint({offset})"));
                }
            }
        }
        for index in 0..sample.instances.len() {
            let flat: Vec<u8> = sample.instances.iter().flat_map(|word| word.0).collect();
            for flat in aliases(&flat, 32 * index, field::SCALAR_MODULUS) {
                let instances: Vec<_> = flat.as_chunks().0.iter().map(|word| Word(*word)).collect();
                let call = fixture.verify(&sample.proof, &instances);
                assert_eq!(call.describe(), format!("ScalarOutOfRange({index})"));
            }
        }
    }
}

/// `bytes` with `k · modulus` added to the word at `offset`, for every `k` that fits 256 bits.
fn aliases(bytes: &[u8], offset: usize, modulus: Word) -> Vec<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let mut all = Vec::new();
    loop {
        let mut carry = 0u16;
        for index in (0..32).rev() {
            let sum = u16::from(bytes[offset + index]) + u16::from(modulus.0[index]) + carry;
            bytes[offset + index] = sum as u8;
            carry = sum >> 8;
        }
        if carry > 0 {
            return all;
        }
        all.push(bytes.clone());
    }
}

#[test]
fn bad_points_are_named_before_they_can_burn_gas() {
    for mut fixture in fixtures() {
        // The floor price of calldata since Prague (EIP-7623) would hide what the refusal itself costs.
        fixture.evm.config.fork = Fork::Cancun;
        let sample = fixture.sample.clone();
        for slot in sample.program.layout().slots().iter().filter(|slot| slot.element == Element::Point) {
            for offset in (0..slot.count).map(|index| slot.at(index).unwrap()) {
                let zero = [0; 64];
                let mut off_curve = [0; 64];
                off_curve[31] = 1;
                off_curve[63] = 1;
                for point in [zero, off_curve] {
                    let mut proof = sample.proof.clone();
                    proof[offset..offset + 64].copy_from_slice(&point);
                    let call = fixture.verify(&proof, &sample.instances);
                    assert_eq!(call.describe(), format!("InvalidPoint({offset})"));
                    assert!(call.gas.execution < MAX_REFUSAL, "{}", call.gas);
                    assert_eq!(call.gas.ec_mul_calls, 0);
                }
            }
        }
    }
}

#[test]
fn only_the_canonical_calldata_is_read() {
    let mut fixture = fixtures().remove(0);
    let (proof, instances) = (fixture.sample.proof.clone(), fixture.sample.instances.clone());
    let good = zkml_contracts::verify_proof_unchecked(&proof, &instances);
    let shape = |fixture: &mut Fixture, data: &[u8]| fixture.call(data).describe();

    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(shape(&mut fixture, &longer), "NonCanonicalCalldata()");

    // The same arguments with the instances in front of the proof.
    let mut swapped = good[..4].to_vec();
    let heads = [64 + 32 + 32 * instances.len(), 64];
    swapped.extend(heads.iter().flat_map(|head| Word::from_u64(*head as u64).0));
    let split = good.len() - 32 - 32 * instances.len();
    swapped.extend_from_slice(&good[split..]);
    swapped.extend_from_slice(&good[68..split]);
    assert_eq!(swapped.len(), good.len());
    assert_eq!(shape(&mut fixture, &swapped), "NonCanonicalCalldata()");

    let cut = &proof[..proof.len() - 32];
    let (got, wanted) = (cut.len(), proof.len());
    let call = fixture.verify(cut, &instances);
    assert_eq!(call.describe(), format!("WrongProofLength({got}, {wanted})"));
    let longer = [proof.as_slice(), &[0; 32]].concat();
    assert_eq!(
        fixture.verify(&longer, &instances).describe(),
        format!("WrongProofLength({}, {wanted})", wanted + 32)
    );
    let count = instances.len();
    assert_eq!(
        fixture.verify(&proof, &instances[1..]).describe(),
        format!("WrongInstanceCount({}, {count})", count - 1)
    );
    assert_eq!(shape(&mut fixture, &good[..good.len() - 1]), "revert without data");
    assert_eq!(shape(&mut fixture, &good), format!("returned 0x{:064x}", 1));
}

#[test]
fn a_chain_without_the_precompiles_accepts_nothing() {
    for mut fixture in fixtures() {
        let data = zkml_contracts::verify_proof_unchecked(&fixture.sample.proof, &fixture.sample.instances);
        for number in 5..=8 {
            for patch in [Patch::Missing, Patch::Failing, Patch::Returns(vec![0; 31]), Patch::Returns(vec![])]
            {
                fixture.evm.config.patches = [(precompile(number), patch.clone())].into();
                let call = fixture.call(&data);
                let expected = matches!(call.outcome, Outcome::Reverted(_) | Outcome::Halted(_));
                assert!(expected, "precompile {number} {patch:?}: {}", call.describe());
                if patch == Patch::Missing {
                    assert_eq!(call.describe(), "PrecompileFailed()", "precompile {number}");
                }
            }
        }
        for answer in [Word::ZERO, Word::from_u64(2), Word([0xff; 32])] {
            fixture.evm.config.patches = [(precompile(8), Patch::Returns(answer.0.to_vec()))].into();
            assert_eq!(fixture.call(&data).describe(), "ProofRejected()", "pairing says {answer}");
        }
    }
}

#[test]
fn challenges_on_the_domain_are_refused() {
    for mut fixture in fixtures() {
        let sample = fixture.sample.clone();
        let layout = sample.program.layout();
        let squeezes: Vec<_> = layout
            .steps()
            .iter()
            .filter_map(|step| if let Step::Squeeze(c) = step { Some(*c) } else { None })
            .collect();
        let index = |challenge| squeezes.iter().position(|other| *other == challenge).unwrap();
        let data = zkml_contracts::verify_proof_unchecked(&sample.proof, &sample.instances);
        for row in [0, 1, 7, -1] {
            let x = sample.program.domain.rotation(row);
            fixture.evm.config.stub_hash = Some((index(Challenge::X), x.0.into_u256()));
            assert_eq!(fixture.call(&data).describe(), "ZeroDenominator()", "x on row {row}");
        }
        // u on an opening point that the first set does not have.
        let sets = sample.program.opening_sets();
        let outside = sets.iter().flat_map(|set| &set.rotations).find(|t| !sets[0].rotations.contains(t));
        if let Some(rotation) = outside {
            let replay = Replay::of(&sample.program, &sample.instances, &sample.proof).unwrap();
            let x = replay.challenge(Challenge::X).unwrap();
            let u = field::mul(x, sample.program.domain.rotation(*rotation));
            fixture.evm.config.stub_hash = Some((index(Challenge::OpenU), u.0.into_u256()));
            assert_eq!(fixture.call(&data).describe(), "ZeroDenominator()");
        }
    }
}

trait IntoU256 {
    fn into_u256(self) -> zkml_harness::U256;
}

impl IntoU256 for [u8; 32] {
    fn into_u256(self) -> zkml_harness::U256 {
        zkml_harness::U256::from_be_bytes(self)
    }
}

#[test]
fn a_development_setup_is_refused_where_something_is_at_stake() {
    let fixture = fixtures().remove(0);
    assert!(fixture.sample.program.srs.unsafe_dev);
    for chain_id in [1, 10, 8453, 42161, 534_352, 99_999] {
        let mut evm = zkml_harness::Evm::new(EvmConfig { chain_id, ..EvmConfig::default() });
        let Err(HarnessError::DeployFailed { reason, .. }) = evm.deploy(&fixture.contract.creation) else {
            panic!("deployed on chain {chain_id}");
        };
        assert_eq!(reason, format!("UnsafeSetup({chain_id})"));
    }
    for chain_id in zkml_contracts::chains::test_ids() {
        let mut evm = zkml_harness::Evm::new(EvmConfig { chain_id, ..EvmConfig::default() });
        evm.deploy(&fixture.contract.creation).unwrap();
    }
}

#[test]
fn without_any_one_absorbed_value_the_proof_is_refused() {
    let fixture = fixtures().remove(0);
    let sample = &fixture.sample;
    let source = zkml_codegen::verifier_source(&sample.program).unwrap();
    let start = source.find("// Transcript.").unwrap();
    let end = start + source[start..].find("// x^n").unwrap();
    let mut variants = Vec::new();
    for line in source[start..end].lines().map(str::trim) {
        // Challenges land in memory by `mstore(…, mod(h, r))`; all other writes are absorbed.
        let absorbs = line.starts_with("mstore") || line.starts_with("calldatacopy");
        if absorbs && !line.contains("mod(h, r)") {
            let position = start + source[start..].find(line).unwrap();
            let without = [&source[..position], &source[position + line.len()..]].concat();
            variants.push((line.to_owned(), without));
        }
    }
    assert!(variants.len() > 8, "{}", variants.len());
    let sources: Vec<_> =
        variants.iter().map(|(_, source)| (source.clone(), sample.program.clone())).collect();
    for ((line, _), contract) in variants.iter().zip(support::compile_all(&sources, &Settings::default())) {
        let mut altered = Fixture::deploy(sample.clone(), contract);
        let call = altered.verify(&sample.proof, &sample.instances);
        assert!(matches!(call.outcome, Outcome::Reverted(_)), "accepted without `{line}`");
    }
}

#[test]
fn a_wrong_constant_fails_the_self_check() {
    let fixture = fixtures().remove(0);
    let sample = &fixture.sample;
    let source = zkml_codegen::verifier_source(&sample.program).unwrap();
    let program = &sample.program;
    let constants = [
        program.domain.omega,
        program.domain.n_inv,
        program.key_repr,
        program.vk_digest(),
        program.fixed_commitments[0].x,
        program.sigma_commitments[0].y,
        program.srs.s_g2.x[0],
    ];
    let sources = constants.map(|constant| {
        let mut wrong = constant;
        wrong.0[31] ^= 1;
        assert!(source.contains(&constant.to_string()), "{constant}");
        (source.replace(&constant.to_string(), &wrong.to_string()), program.clone())
    });
    let contracts = support::compile_all(&sources, &Settings::default());
    for (constant, contract) in constants.iter().zip(contracts) {
        let error = self_check(&contract, program, &sample.proof, &sample.instances).unwrap_err();
        assert!(matches!(error, HarnessError::SelfCheck { .. }), "{constant}: {error}");
    }
}

/// The answers about the statement are checked before any proof: each altered one is noticed there.
#[test]
fn a_wrong_answer_about_the_statement_fails_the_self_check() {
    let mut sample = support::samples().remove(0);
    let output = sample.program.statement.instances.outputs[0].clone();
    let bounds = Some(Bounds { lowest: -5, highest: 1_234_567 });
    let bounded = Field { values: 1, bounds, ..output.clone() };
    sample.program.statement.instances.outputs = vec![bounded, Field { values: 1, ..output }];
    let program = &sample.program;
    let source = support::on_lines(&zkml_codegen::verifier_source(program).unwrap());
    let hash = format!("modelCommitment, {}, PROOF_LENGTH, 0, 2, false, false", program.statement.model_hash);
    let other = format!("modelCommitment, {}, PROOF_LENGTH, 0, 2, false, false", Word::ONE);
    let flags = |from: &'static str, to: &'static str| (from.to_owned(), to.to_owned());
    let edits = [
        (String::new(), String::new()),
        (hash, other),
        flags("PROOF_LENGTH, 0, 2, false, false)", "PROOF_LENGTH + 1, 0, 2, false, false)"),
        flags("PROOF_LENGTH, 0, 2, false, false)", "PROOF_LENGTH, 1, 2, false, false)"),
        flags("PROOF_LENGTH, 0, 2, false, false)", "PROOF_LENGTH, 0, 3, false, false)"),
        flags("PROOF_LENGTH, 0, 2, false, false)", "PROOF_LENGTH, 0, 2, true, false)"),
        flags("PROOF_LENGTH, 0, 2, false, false)", "PROOF_LENGTH, 0, 2, false, true)"),
        flags("return (-5, 1234567)", "return (-4, 1234567)"),
        flags("return (-5, 1234567)", "return (-5, 1234566)"),
        flags("if (index < 1)", "if (index < 2)"),
        flags("if (index < 2)", "if (index < 3)"),
    ];
    let edited = edits.iter().map(|(from, to)| {
        assert!(source.contains(from), "{from}");
        (if from.is_empty() { source.clone() } else { source.replace(from, to) }, program.clone())
    });
    let contracts = support::compile_all(&edited.collect::<Vec<_>>(), &Settings::default());
    for ((from, to), contract) in edits.iter().zip(contracts) {
        let error = self_check(&contract, program, &sample.proof, &sample.instances).unwrap_err();
        let HarnessError::SelfCheck { check, detail } = error else { panic!("{error}") };
        // The proof is one of another statement: without an edit, that is what is found.
        let statement = check == "shape and bounds of the statement are the program's";
        assert_eq!(statement, !from.is_empty(), "{from} → {to}: {check}: {detail}");
    }
}

/// Hundreds of deep and shared expressions compile without running out of stack.
#[test]
fn large_circuits_compile() {
    let mut program = support::samples().remove(0).program;
    let mut builder = ExprBuilder::new();
    let mut nodes: Vec<_> = (0..4).map(|index| builder.eval(Eval::Advice(index))).collect();
    for index in 0..600usize {
        let pick = |salt: usize| nodes[(index * salt + salt) % nodes.len()];
        let (newest, a, b) = (nodes[nodes.len() - 1], pick(7), pick(13));
        let product = builder.mul(newest, a);
        let node = match index % 3 {
            0 => builder.add(product, b),
            1 => builder.sub(b, product),
            _ => builder.mul(product, b),
        };
        nodes.push(node);
        if index % 3 == 0 {
            builder.identity(format!("identity {index}"), node);
        }
    }
    program.constraints = builder.finish();
    let source = zkml_codegen::verifier_source(&program).unwrap();
    for runs in [1, 1_000] {
        let settings = Settings { runs, ..Settings::default() };
        let contracts = support::compile_all(&[(source.clone(), program.clone())], &settings);
        println!("{runs} runs: {} bytes", contracts[0].runtime.len());
    }
}

/// Products over many opening points compile without running out of stack.
#[test]
fn many_rotations_compile() {
    let mut program = support::samples().remove(0).program;
    for column in 0..program.advice_phases.len() as u32 {
        for rotation in (2..8 + column as i32).chain(-9..-6) {
            program.advice_queries.push(Query { column, rotation });
        }
    }
    let rotations: BTreeSet<i32> =
        program.opening_sets().iter().flat_map(|set| set.rotations.clone()).collect();
    assert!(rotations.len() > 12, "{}", rotations.len());
    let source = zkml_codegen::verifier_source(&program).unwrap();
    for runs in [1, 1_000] {
        let settings = Settings { runs, ..Settings::default() };
        support::compile_all(&[(source.clone(), program.clone())], &settings);
    }
}

/// Loops and flat code say the same.
#[test]
fn small_code_gives_the_same_verdicts() {
    let samples = support::samples();
    let sources = samples.iter().map(|sample| {
        let source = zkml_codegen::verifier_source_favouring(&sample.program, Favour::Size).unwrap();
        (source, sample.program.clone())
    });
    let contracts = support::compile_all(&sources.collect::<Vec<_>>(), &Settings::default());
    for ((sample, contract), flat) in samples.iter().zip(contracts).zip(fixtures()) {
        assert!(contract.runtime.len() < flat.contract.runtime.len());
        self_check(&contract, &sample.program, &sample.proof, &sample.instances).unwrap();
        let mut small = Fixture::deploy(sample.clone(), contract);
        let layout = sample.program.layout();
        for offset in layout.scalar_offsets() {
            for proof in aliases(&sample.proof, offset, field::SCALAR_MODULUS) {
                let call = small.verify(&proof, &sample.instances);
                assert_eq!(call.describe(), format!("EvaluationOutOfRange({offset})"));
            }
        }
        for offset in layout.point_offsets() {
            let mut proof = sample.proof.clone();
            proof[offset + 63] ^= 1;
            assert_eq!(small.verify(&proof, &sample.instances).describe(), format!("InvalidPoint({offset})"));
        }
    }
}

/// The committed interfaces are what generated verifiers have, no less and no more.
#[test]
fn the_interface_is_complete() {
    let interface = include_str!("../../../../contracts/src/interfaces/IModelVerifier.sol");
    let pairing = include_str!("../../../../contracts/src/interfaces/IModelPairing.sol");
    let files = [("I.sol", interface), ("P.sol", pairing)];
    let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
    let functions = |abi: &serde_json::Value| -> BTreeSet<String> {
        let entries = abi.as_array().unwrap().iter().filter(|entry| entry["type"] == "function");
        // A struct of words is encoded as its members are.
        let parts = |arg: &serde_json::Value| match arg["components"].as_array() {
            Some(members) => members.clone(),
            None => vec![arg.clone()],
        };
        let types = |list: &serde_json::Value| -> Vec<String> {
            let parts = list.as_array().unwrap().iter().flat_map(parts);
            parts.map(|arg| arg["type"].as_str().unwrap().to_owned()).collect()
        };
        entries
            .map(|entry| {
                format!("{}{:?}{:?}", entry["name"], types(&entry["inputs"]), types(&entry["outputs"]))
            })
            .collect()
    };
    let mut expected = functions(&compiled.contract("IModelVerifier").unwrap().abi);
    expected.extend(functions(&compiled.contract("IModelPairing").unwrap().abi));
    assert_eq!(functions(&fixtures()[0].contract.abi), expected);
}
