//! Inputs and chains on which an altered verifier may say something else than the genuine one.

use std::collections::BTreeMap;

use zkml_harness::{Contract, Evm, EvmConfig, HarnessError, Patch, U256, precompile, self_check};
use zkml_protocol::{
    Word, field,
    plonk::{Challenge, Replay, Sample, Step},
    tamper,
};

/// A call under certain circumstances.
struct Attack {
    name: String,
    data: Vec<u8>,
    patch: Option<(u8, Patch)>,
    stub: Option<(usize, U256)>,
    /// What the genuine verifier says.
    expected: String,
}

/// All attacks on the verifier of one sample.
pub(crate) struct Corpus {
    sample: Sample,
    attacks: Vec<Attack>,
    /// What happens when the genuine contract is deployed, by chain.
    deployments: Vec<(u64, String)>,
}

/// What a verifier says about the sample's proof.
pub(crate) fn verdict(contract: &Contract, sample: &Sample) -> Option<String> {
    let mut evm = Evm::default();
    let address = evm.deploy(&contract.creation).ok()?.address;
    Some(
        evm.call(address, &zkml_contracts::verify_proof_unchecked(&sample.proof, &sample.instances))
            .ok()?
            .describe(),
    )
}

fn deployment(contract: &Contract, chain_id: u64) -> String {
    let mut evm = Evm::new(EvmConfig { chain_id, ..EvmConfig::default() });
    match evm.deploy(&contract.creation) {
        Ok(_) => "deployed".into(),
        Err(HarnessError::DeployFailed { reason, .. }) => reason,
        Err(error) => panic!("{error}"),
    }
}

impl Corpus {
    /// Makes the attacks and asks the genuine verifier about each.
    pub(crate) fn of(genuine: Contract, sample: &Sample) -> Self {
        let mut attacks = Vec::new();
        let plain = |name: String, data: Vec<u8>| Attack {
            name,
            data,
            patch: None,
            stub: None,
            expected: String::new(),
        };
        let good = zkml_contracts::verify_proof_unchecked(&sample.proof, &sample.instances);
        attacks.extend(shapes(&good, sample).into_iter().map(|(name, data)| plain(name, data)));
        for spoiled in tamper::matrix(&sample.program, &sample.instances, &sample.proof) {
            attacks.push(plain(
                spoiled.name,
                zkml_contracts::verify_proof_unchecked(&spoiled.proof, &spoiled.instances),
            ));
        }
        for (number, patch) in patches(sample) {
            let name = format!("precompile {number}: {patch:?}");
            attacks.push(Attack { patch: Some((number, patch)), ..plain(name, good.clone()) });
        }
        for (name, stub) in stubs(sample) {
            attacks.push(Attack { stub: Some(stub), ..plain(name, good.clone()) });
        }
        let chains = zkml_contracts::chains::test_ids().chain([1, 10, 8453]);
        let deployments = chains.map(|chain| (chain, deployment(&genuine, chain))).collect();
        let mut corpus = Self { sample: sample.clone(), attacks, deployments };
        let verdicts: Vec<String> = corpus.verdicts(&genuine).collect();
        for (attack, verdict) in corpus.attacks.iter_mut().zip(verdicts) {
            assert!(!accepted(&verdict), "{} is accepted", attack.name);
            attack.expected = verdict;
        }
        corpus
    }

    /// What a verifier says about each attack.
    fn verdicts<'a>(&'a self, contract: &Contract) -> impl Iterator<Item = String> + 'a {
        let mut evm = Evm::default();
        let address = evm.deploy(&contract.creation).unwrap().address;
        self.attacks.iter().map(move |attack| {
            let patches = attack.patch.iter().map(|(number, patch)| (precompile(*number), patch.clone()));
            evm.config.patches = patches.collect::<BTreeMap<_, _>>();
            evm.config.stub_hash = attack.stub;
            evm.call(address, &attack.data).unwrap().describe()
        })
    }

    /// What notices that this is not the genuine verifier: first of all that it accepts an attack.
    pub(crate) fn notices(&self, contract: &Contract) -> Option<String> {
        for (chain, expected) in &self.deployments {
            let found = deployment(contract, *chain);
            if found != *expected {
                return Some(format!(
                    "deployment on chain {chain}: {} instead of {}",
                    short(&found),
                    short(expected)
                ));
            }
        }
        let Sample { program, proof, instances, .. } = &self.sample;
        match self_check(contract, program, proof, instances) {
            // A verifier that refuses everything is of no use, and accepts no attack.
            Err(HarnessError::SelfCheck { check, .. }) if !check.contains("refused") => {
                return Some(format!("the self-check: {check}"));
            }
            Err(HarnessError::SelfCheck { .. }) | Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
        let mut another = None;
        for (attack, found) in self.attacks.iter().zip(self.verdicts(contract)) {
            if accepted(&found) {
                return Some(format!("accepts: {}", attack.name));
            }
            if found != attack.expected && another.is_none() {
                let (found, expected) = (short(&found), short(&attack.expected));
                another = Some(format!("another error: {}: {found} instead of {expected}", attack.name));
            }
        }
        another
    }
}

fn accepted(verdict: &str) -> bool {
    verdict.starts_with("returned")
}

/// An error without its arguments.
fn short(verdict: &str) -> &str {
    verdict.split('(').next().unwrap_or(verdict)
}

/// The good call in other encodings and lengths.
fn shapes(good: &[u8], sample: &Sample) -> Vec<(String, Vec<u8>)> {
    let words = 32 * sample.instances.len();
    let split = good.len() - 32 - words;
    let mut longer = good.to_vec();
    longer.push(0);
    let mut swapped = good[..4].to_vec();
    swapped.extend([64 + 32 + words, 64].iter().flat_map(|head| Word::from_u64(*head as u64).0));
    swapped.extend_from_slice(&good[split..]);
    swapped.extend_from_slice(&good[68..split]);
    // The head names a second copy of the proof, or of the instances, behind the first arguments.
    let moved = |head: usize, from: usize, to: usize| {
        let mut data = good.to_vec();
        data[4 + 32 * head..36 + 32 * head].copy_from_slice(&Word::from_u64((good.len() - 4) as u64).0);
        data.extend_from_slice(&good[from..to]);
        data
    };
    // Of the one length that is taken: the head names a place inside the proof, where the length stands as well.
    let inside = |head: usize, place: usize, length: usize| {
        let mut data = good.to_vec();
        data[4 + 32 * head..36 + 32 * head].copy_from_slice(&Word::from_u64((place - 4) as u64).0);
        data[place..place + 32].copy_from_slice(&Word::from_u64(length as u64).0);
        data
    };
    vec![
        ("calldata: one byte more".into(), longer),
        ("calldata: instances in front of the proof".into(), swapped),
        ("calldata: another copy of the proof".into(), moved(0, 68, split)),
        ("calldata: another copy of the instances".into(), moved(1, split, good.len())),
        ("calldata: the proof one word later".into(), inside(0, 100, sample.proof.len())),
        ("calldata: the instances inside the proof".into(), inside(1, 132, sample.instances.len())),
    ]
}

/// Precompiles that are missing, fail, lie, or say that they failed, one call after the other.
fn patches(sample: &Sample) -> Vec<(u8, Patch)> {
    let mut all = Vec::new();
    for number in 5..=8 {
        let whole = [Patch::Missing, Patch::Failing, Patch::Returns(vec![0; 31]), Patch::Returns(vec![])];
        all.extend(whole.map(|patch| (number, patch)));
        // Each term is multiplied and added.
        let calls = if matches!(number, 6 | 7) { terms(sample) } else { 1 };
        all.extend((0..calls).map(|call| (number, Patch::RevertsAt(call))));
    }
    for answer in [Word::ZERO, Word::from_u64(2), Word([0xff; 32])] {
        all.push((8, Patch::Returns(answer.0.to_vec())));
    }
    let long = [Word::from_u64(1).0, [0; 32]].concat();
    all.push((8, Patch::Returns(long)));
    all
}

/// Number of multiplications: all commitments but the first, which has no factor, all pieces, and three points of the opening.
fn terms(sample: &Sample) -> usize {
    let program = &sample.program;
    let members: usize = program.opening_sets().iter().map(|set| set.members.len()).sum();
    let zeros = program.fixed_commitments.iter().filter(|point| point.is_identity()).count();
    members - 1 - zeros + program.quotient_pieces as usize - 1 + 3
}

/// Challenges that practically never come: the evaluation point on each row, `u` on each opening point.
fn stubs(sample: &Sample) -> Vec<(String, (usize, U256))> {
    let program = &sample.program;
    let layout = program.layout();
    let squeezes =
        layout.steps().iter().filter_map(|step| if let Step::Squeeze(c) = step { Some(*c) } else { None });
    let squeezes: Vec<_> = squeezes.collect();
    let index = |challenge| squeezes.iter().position(|other| *other == challenge).unwrap();
    let word = |word: Word| U256::from_be_bytes(word.0);
    let row = |row: i32| {
        let x = program.domain.rotation(row);
        (format!("x on row {row}"), (index(Challenge::X), word(x)))
    };
    let mut all: Vec<_> = (0..program.domain.n() as i32).map(row).collect();
    all.push(("x is zero".into(), (index(Challenge::X), U256::ZERO)));
    let replay = Replay::of(program, &sample.instances, &sample.proof).unwrap();
    let x = replay.challenge(Challenge::X).unwrap();
    let rotations = program.opening_sets().into_iter().flat_map(|set| set.rotations);
    for rotation in rotations.collect::<std::collections::BTreeSet<i32>>() {
        let u = field::mul(x, program.domain.rotation(rotation));
        all.push((
            format!("u on the opening point of rotation {rotation}"),
            (index(Challenge::OpenU), word(u)),
        ));
    }
    // Hashes that were not reduced, for every challenge.
    for (at, challenge) in squeezes.iter().enumerate() {
        all.push((format!("the hash of {challenge:?} is all ones"), (at, U256::MAX)));
    }
    all
}
