//! A forger of real proofs in both proof systems: it alters their last point, which no challenge follows.

use std::collections::BTreeSet;

use halo2curves::{
    bn256::{Fr, G1, G1Affine},
    ff::Field,
    group::Curve,
};
use zkml_codegen::{Favour, sumcheck_verifier_source};
use zkml_contracts::Submission;
use zkml_curve::{g1_from_words, g1_words, scalar_from_word};
use zkml_harness::{Address, Call, Evm, Outcome, Settings, Stack, StackCode};
use zkml_protocol::{
    G1 as Words, VerifierProgram, Word,
    binding::Registration,
    field, keccak256,
    plonk::{Challenge, Replay, SlotId},
    sumcheck,
};

use super::{UNWEIGHTED, WITHOUT_POINTS, stacks_without};
use crate::{
    sumcheck::{all, compiled, compiled_from},
    support::{self, refused, stack_code},
};

/// A verifier behind the stack.
struct Chain<'a> {
    program: &'a dyn VerifierProgram,
    evm: Evm,
    stack: Stack,
    address: Address,
    id: Word,
}

impl<'a> Chain<'a> {
    fn deploy(
        program: &'a dyn VerifierProgram,
        creation: &[u8],
        instances: &[Word],
        code: &StackCode,
    ) -> Self {
        let mut evm = Evm::default();
        let address = evm.deploy(creation).unwrap().address;
        let stack = Stack::deploy(&mut evm, code, &[address]).unwrap();
        let registration = Registration::of(program, instances).unwrap();
        let id = stack.register(&mut evm, &registration).unwrap();
        Self { program, evm, stack, address, id }
    }

    fn check(&mut self, batch: &[(&[u8], &[Word])]) -> Call {
        let all: Vec<Submission> = batch
            .iter()
            .map(|(proof, instances)| Submission::new(self.program, proof, instances).unwrap())
            .collect();
        self.evm.call(self.stack.verifier, &zkml_contracts::verify_batch(&all, self.id)).unwrap()
    }

    /// What the verifier says of one proof.
    fn alone(&mut self, proof: &[u8], instances: &[Word]) -> Call {
        self.evm.call(self.address, &zkml_contracts::verify_proof_unchecked(proof, instances)).unwrap()
    }

    /// The words of a proof's pairing.
    fn pairs(&mut self, proof: &[u8], instances: &[Word]) -> Vec<Word> {
        let data = zkml_contracts::pairing_input_unchecked(proof, instances);
        let call = self.evm.call(self.address, &data).unwrap();
        let Outcome::Returned(answer) = &call.outcome else { panic!("{}", call.describe()) };
        let (words, _) = zkml_contracts::pairs(answer).expect("pairs").as_chunks();
        words.iter().map(|word| Word(*word)).collect()
    }
}

fn accepted(call: &Call) -> bool {
    matches!(call.outcome, Outcome::Returned(_))
}

fn point(bytes: &[u8]) -> G1 {
    let word = |bytes: &[u8]| Word(bytes.try_into().unwrap());
    g1_from_words(&Words { x: word(&bytes[..32]), y: word(&bytes[32..64]) }).unwrap().into()
}

/// The proof with another point at this offset.
fn with_point(proof: &[u8], offset: usize, point: G1) -> Vec<u8> {
    let mut changed = proof.to_vec();
    changed[offset..offset + 64].copy_from_slice(&g1_words(&point.to_affine()).to_bytes());
    changed
}

/// Two statements that are false, and proofs of them that pass together where the weight is known before the last points are: the
/// sums of both groups' points are made zero, which takes no secret of the setup.
#[test]
fn two_false_statements_pass_where_the_weight_is_known_and_nowhere_else() {
    let fixture = support::fixtures().remove(0);
    let sample = &fixture.sample;
    let creation = &fixture.contract.creation;
    let last = sample.program.layout().slot_of(SlotId::OpeningW2).unwrap().offset;
    let lies = [1, 2].map(|by| {
        let mut instances = sample.instances.clone();
        let output = instances.last_mut().unwrap();
        *output = field::add(*output, Word::from_u64(by));
        instances
    });
    let removed = [UNWEIGHTED, WITHOUT_POINTS];
    let leaking = stacks_without(&removed);
    for (code, weighted, passes) in [
        (&leaking[0], false, true),
        (&leaking[1], true, true),
        (stack_code(), false, false),
        (stack_code(), true, false),
    ] {
        let mut chain = Chain::deploy(&sample.program, creation, &sample.instances, code);
        let batch = lies.each_ref().map(|lie| (sample.proof.as_slice(), lie.as_slice()));
        let first = chain.check(&batch);
        refused(&first, "BatchRejected");
        let seen = keccak256([super::last_pair(&first)]);
        let weight = if weighted { scalar_from_word(&field::reduce(seen)).unwrap() } else { Fr::ONE };
        // Without its last point, the first group's sum of each; and what that point is multiplied by in it.
        let [(a, u), (b, v)] = lies.each_ref().map(|lie| {
            let u = Replay::of(&sample.program, lie, &sample.proof).unwrap().challenge(Challenge::OpenU);
            let u = scalar_from_word(&u.unwrap()).unwrap();
            let sum: Vec<u8> = chain.pairs(&sample.proof, lie)[..2].iter().flat_map(|word| word.0).collect();
            (point(&sum) - point(&sample.proof[last..]) * u, u)
        });
        let second = -(a + b * weight) * (weight * (v - u)).invert().unwrap();
        let forged =
            [with_point(&sample.proof, last, -(second * weight)), with_point(&sample.proof, last, second)];
        for (proof, lie) in forged.iter().zip(&lies) {
            refused(&chain.alone(proof, lie), "ProofRejected");
        }
        let call = chain.check(&[(&forged[0], &lies[0]), (&forged[1], &lies[1])]);
        assert_eq!(accepted(&call), passes, "{}", call.describe());
        assert!(passes || call.describe() == "BatchRejected()", "{}", call.describe());
    }
}

/// Good proofs by sumcheck pass in batches of verifiers of one contract and of two, with pairings of two pairs and of three; a wrong one
/// spoils its batch, and so do two whose errors cancel.
#[test]
fn batches_of_sumchecks_hold_if_all_their_proofs_do() {
    let mut all = all();
    all.truncate(2);
    // Whoever registers a model names it by the hash of its integer graph.
    all.iter_mut().for_each(|p| p.program.statement.model_hash = Word([3; 32]));
    let halves = |p: &crate::sumcheck::Proven| sumcheck_verifier_source(&p.program, Favour::Gas, 0).unwrap();
    let contracts = [compiled(&all, &Settings::default()), compiled_from(&all, &Settings::default(), halves)];
    let unweighted = stacks_without(&[UNWEIGHTED]).remove(0);
    let mut lengths = BTreeSet::new();
    for (p, contract) in contracts.iter().flat_map(|contracts| all.iter().zip(contracts)) {
        let good = (p.proof.as_slice(), p.instances.as_slice());
        let last = p.program.layout().slot_of(sumcheck::SlotId::W2).unwrap().offset;
        let moved = |by: Fr| with_point(&p.proof, last, point(&p.proof[last..]) + G1Affine::generator() * by);
        let (above, below) = (moved(Fr::from(5)), moved(-Fr::from(5)));
        let cancelling = [(above.as_slice(), good.1), good, (below.as_slice(), good.1)];
        let mut chain = Chain::deploy(&p.program, &contract.creation, &p.instances, stack_code());
        lengths.insert(chain.pairs(good.0, good.1).len());
        for count in [1, 2, 5] {
            let call = chain.check(&vec![good; count]);
            assert!(accepted(&call), "{}: {}", p.name, call.describe());
        }
        for place in 0..3 {
            let mut batch = vec![good; 3];
            batch[place].0 = &above;
            refused(&chain.check(&batch), "BatchRejected");
        }
        refused(&chain.alone(&above, good.1), "ProofRejected");
        refused(&chain.alone(&below, good.1), "ProofRejected");
        refused(&chain.check(&cancelling), "BatchRejected");
        let mut chain = Chain::deploy(&p.program, &contract.creation, &p.instances, &unweighted);
        assert!(accepted(&chain.check(&cancelling)), "{}: they cancel", p.name);
    }
    assert_eq!(lengths, BTreeSet::from([12, 18]), "two pairs, and three");
}
