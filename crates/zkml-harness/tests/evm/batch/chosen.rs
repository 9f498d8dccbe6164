//! A forger that chooses every point of every pairing, the last of them once it knows the weight.

use halo2curves::{
    bn256::{Fr, G1Affine, G2Affine},
    ff::Field,
    group::Curve,
};
use zkml_contracts::Submission;
use zkml_curve::{g1_words, g2_words, scalar_from_word};
use zkml_harness::{Call, Evm, Outcome, Patch, Settings, Solc, Stack, StackCode, precompile};
use zkml_protocol::{
    Word,
    binding::{self, Registration},
    field, keccak256,
};

use super::{Removed, UNWEIGHTED, WITHOUT_POINTS, pairing, stacks_without, verifier};
use crate::support::{refused, stack_code, with_words};

const ACCEPTING: &str = include_str!("../../../../../tests/fixtures/solidity/AcceptingVerifier.sol");
const VK: Word = Word([7; 32]);
const DATA: Word = Word::from_u64(8);
const OUTPUT: Word = Word::from_u64(9);

/// A proof that is its own pairing: `e(g^left, [1]) e(g^right, -[1])`, or the second with `[1]` as well.
#[derive(Clone, Copy, Debug)]
struct Pairing {
    left: Fr,
    right: Fr,
    mirrored: bool,
}

impl Pairing {
    fn new(left: u64, right: u64) -> Self {
        Self { left: Fr::from(left), right: Fr::from(right), mirrored: false }
    }

    fn words(&self) -> Vec<Word> {
        let g1 = |scalar: Fr| g1_words(&(G1Affine::generator() * scalar).to_affine());
        let second = if self.mirrored { G2Affine::generator() } else { -G2Affine::generator() };
        let pairs = [(g1(self.left), G2Affine::generator()), (g1(self.right), second)];
        pairs.iter().flat_map(|(p, q)| [p.x, p.y].into_iter().chain(g2_words(q).words())).collect()
    }
}

/// A model whose verifier takes such proofs, on a chain of its own.
struct Chain {
    evm: Evm,
    stack: Stack,
    verifier: [u8; 20],
    id: Word,
}

impl Chain {
    fn deploy(code: &StackCode) -> Self {
        let compiled = Solc::find().unwrap().compile(&[("A.sol", ACCEPTING)], &Settings::default()).unwrap();
        let registration = Registration {
            model_hash: VK,
            circuit_hash: VK,
            vk_hash: VK,
            proof_system_id: [0xcf, 0x71, 0xbc, 0xa1],
        };
        let [length, one] = [384, 1].map(Word::from_u64);
        let shape = [VK, VK, VK, length, one, one, one, Word::ZERO];
        let mut evm = Evm::default();
        let creation = &compiled.contract("PairingVerifier").unwrap().creation;
        let verifier = evm.deploy(&with_words(creation, &shape)).unwrap().address;
        let stack = Stack::deploy(&mut evm, code, &[verifier]).unwrap();
        let id = stack.register(&mut evm, &registration).unwrap();
        Self { evm, stack, verifier: verifier.into_array(), id }
    }

    fn check(&mut self, batch: &[Pairing]) -> Call {
        let all: Vec<Submission> = (1..).zip(batch).map(|(place, each)| submission(place, each)).collect();
        self.evm.call(self.stack.verifier, &zkml_contracts::verify_batch(&all, self.id)).unwrap()
    }

    /// Forges a batch of proofs that are all wrong: the point of `last` is chosen once the weight is known that belongs to any other in
    /// its place. `weighted` is false if all weights are one.
    fn forge(&mut self, count: usize, last: Point, weighted: bool) -> Call {
        let mut batch: Vec<Pairing> = (0..count as u64).map(|i| Pairing::new(10 + i, 20 + 3 * i)).collect();
        let first = self.check(&batch);
        let seen = keccak256([super::last_pair(&first)]);
        let weight = if weighted { scalar_from_word(&field::reduce(seen)).unwrap() } else { Fr::ONE };
        let mut power = Fr::ONE;
        let (mut others, mut own) = (Fr::ZERO, Fr::ONE);
        for (place, each) in batch.iter().enumerate() {
            if place == last.proof {
                own = power;
            } else {
                others += power * (each.left - each.right);
            }
            power *= weight;
        }
        // The error of the last one that makes up for all others.
        let error = -others * own.invert().unwrap();
        let chosen = &mut batch[last.proof];
        if last.left {
            chosen.left = chosen.right + error;
        } else {
            chosen.right = chosen.left - error;
        }
        assert!(chosen.left != chosen.right, "it is wrong as well");
        self.check(&batch)
    }
}

/// Place of a point: the number of its proof, and the side.
#[derive(Clone, Copy, Debug)]
struct Point {
    proof: usize,
    left: bool,
}

fn submission(place: u64, proof: &Pairing) -> Submission {
    let context = Word::from_u64(place);
    let words = [DATA, context].into_iter().chain(proof.words());
    let blob = VK.0[..4].iter().copied().chain(words.flat_map(|word| word.0)).collect();
    Submission {
        blob,
        output: OUTPUT.0.to_vec(),
        input_commitment: binding::input_commitment(&DATA, &context),
    }
}

fn accepted(call: &Call) -> bool {
    matches!(call.outcome, Outcome::Returned(_))
}

#[test]
fn whatever_point_is_chosen_last_the_batch_is_refused() {
    let mut chain = Chain::deploy(stack_code());
    assert!(accepted(&chain.check(&[Pairing::new(1, 1), Pairing::new(2, 2), Pairing::new(0, 0)])));
    for count in 2..=4 {
        for (proof, left) in (0..count).flat_map(|proof| [(proof, true), (proof, false)]) {
            for weighted in [true, false] {
                refused(&chain.forge(count, Point { proof, left }, weighted), "BatchRejected");
            }
        }
    }
}

/// Weights that leave something out, each with the point that it leaves out.
#[test]
fn a_weight_that_leaves_a_point_out_is_forged() {
    let [left, right] = [true, false].map(|left| move |proof| Point { proof, left });
    let absorbed = "keccak256(pairs, shl(5, add(mload(pairs), 1)))";
    let absorb = "seen = ZKMLPairing.absorb(seen, instances, pairings[i]);";
    let leaks: Vec<(Removed, Point)> = vec![
        (UNWEIGHTED, left(0)),
        (WITHOUT_POINTS, left(0)),
        // The first pair alone, the second alone.
        (pairing(absorbed, "keccak256(pairs, 0xe0)"), right(1)),
        (pairing(absorbed, "keccak256(add(pairs, 0xe0), 0xc0)"), left(0)),
        // The first proof alone, and all but the first.
        (verifier(absorb, "if (i == 0) seen = ZKMLPairing.absorb(seen, instances, pairings[i]);"), left(2)),
        (verifier(absorb, "if (i != 0) seen = ZKMLPairing.absorb(seen, instances, pairings[i]);"), right(0)),
        // All but the last.
        (
            verifier(
                absorb,
                "if (i + 1 < pairings.length) seen = ZKMLPairing.absorb(seen, instances, pairings[i]);",
            ),
            left(2),
        ),
        // The hash so far is forgotten.
        (pairing("mstore(0x00, before)", "mstore(0x00, mul(0, before))"), left(1)),
    ];
    let removed: Vec<Removed> = leaks.iter().map(|(removed, _)| *removed).collect();
    for ((removed, last), code) in leaks.iter().zip(stacks_without(&removed)) {
        let weighted = removed.before != UNWEIGHTED.before;
        let call = Chain::deploy(&code).forge(3, *last, weighted);
        assert!(accepted(&call), "{removed:?}: {}", call.describe());
        refused(&Chain::deploy(stack_code()).forge(3, *last, weighted), "BatchRejected");
    }
}

/// Verifier, model, key, number and every statement are part of the weight too.
#[test]
fn the_weight_is_a_hash_of_all_that_is_claimed() {
    let mut chain = Chain::deploy(stack_code());
    let batch = [Pairing::new(1, 1), Pairing::new(2, 2)];
    let call = chain.check(&batch);
    let of_type =
        keccak256([b"ZKMLBatch(address verifier,uint256 modelId,bytes32 vkDigest,uint256 count)".as_slice()]);
    let start = [of_type, binding::address_word(&chain.verifier), chain.id, VK, Word::from_u64(2)];
    let mut seen = hash(&start);
    for (place, each) in (1..).zip(&batch) {
        let statement = [Word::from_u64(3), Word::from_u64(place), DATA, OUTPUT];
        let pairs = [vec![Word::from_u64(12)], each.words()].concat();
        seen = hash(&[hash(&[seen, hash(&statement)]), hash(&pairs)]);
    }
    assert!(accepted(&call));
    assert_eq!(keccak256([call.hashed.last().unwrap().as_slice()]), seen);
}

fn hash(words: &[Word]) -> Word {
    keccak256(words.iter().map(|word| word.0.as_slice()))
}

/// Checks of batches that are taken away, each with a batch that then passes.
#[test]
fn every_removed_check_lets_a_wrong_batch_pass() {
    let (good, bad) = (Pairing::new(2, 2), Pairing::new(2, 3));
    // Right with the other's points of the second group.
    let mirrored = Pairing { mirrored: true, ..good };
    let cases = [
        (
            verifier(
                "if (!ZKMLPairing.hold(pairings, seen)) revert BatchRejected();",
                "ZKMLPairing.hold(pairings, seen);",
            ),
            vec![good, bad],
            "BatchRejected",
        ),
        (
            pairing("for (uint256 i = last; i > 0; --i)", "for (uint256 i = last; i > 1; --i)"),
            vec![bad, good],
            "BatchRejected",
        ),
        (pairing("if (!same) revert PairingMismatch();", "same;"), vec![mirrored, good], "PairingMismatch"),
        (
            pairing("word := add(word, 0x20)", "word := add(word, 0x80)"),
            vec![mirrored, good],
            "PairingMismatch",
        ),
    ];
    let removed: Vec<Removed> = cases.iter().map(|(removed, ..)| *removed).collect();
    for ((removed, batch, error), code) in cases.iter().zip(stacks_without(&removed)) {
        let call = Chain::deploy(&code).check(batch);
        assert!(accepted(&call), "{removed:?}: {}", call.describe());
        refused(&Chain::deploy(stack_code()).check(batch), error);
    }
}

/// A precompile that is missing, fails or answers something else.
#[test]
fn a_chain_without_the_precompiles_accepts_no_batch() {
    let batch = [Pairing::new(1, 1), Pairing::new(2, 2), Pairing::new(3, 3)];
    let mut chain = Chain::deploy(stack_code());
    for number in 6..=8 {
        let long = [Word::ONE.0, [0; 32], [0; 32]].concat();
        let patches = [Patch::Missing, Patch::Failing, Patch::Returns(vec![0; 31]), Patch::Returns(long)];
        let calls = if number == 8 { 1 } else { 4 };
        for patch in patches.into_iter().chain((0..calls).map(Patch::RevertsAt)) {
            chain.evm.config.patches = [(precompile(number), patch.clone())].into();
            let call = chain.check(&batch);
            let failed = call.describe() == "PrecompileFailed()";
            assert!(failed, "{number}, {patch:?}: {}", call.describe());
        }
    }
    for answer in [Word::ZERO, Word::from_u64(2), Word([0xff; 32])] {
        chain.evm.config.patches = [(precompile(8), Patch::Returns(answer.0.to_vec()))].into();
        refused(&chain.check(&batch), "BatchRejected");
    }
}

/// The calls of precompiles, and looks at the lengths of what two of them return.
const MULTIPLIED: &str = "ok := and(ok, staticcall(gas(), 7, free, 0x60, free, 0x40))";
const ADDED: &str = "ok := and(ok, staticcall(gas(), 6, free, 0x80, to, 0x40))";
const PAIRED: &str = "ok := staticcall(gas(), 8, add(pairs, 0x20), shl(5, mload(pairs)), 0x00, 0x20)";
const LENGTH_OF_PRODUCT: &str = "returns nothing.\n                ok := and(ok, eq(returndatasize(), 0x40))";
const LENGTH_OF_SUM: &str = "to, 0x40))\n                ok := and(ok, eq(returndatasize(), 0x40))";

/// Each look at what a precompile has answered, taken away, with a chain on which a wrong batch then passes.
#[test]
fn every_removed_look_at_a_precompile_lets_a_batch_pass() {
    let [missing, reverting] = [Patch::Missing, Patch::RevertsAt(0)];
    let long = Patch::Returns([Word::ONE.0, [0; 32]].concat());
    let cases = [
        (pairing(MULTIPLIED, "pop(staticcall(gas(), 7, free, 0x60, free, 0x40))"), 7, &reverting),
        (pairing(ADDED, "pop(staticcall(gas(), 6, free, 0x80, to, 0x40))"), 6, &reverting),
        (
            pairing(
                PAIRED,
                "ok := or(1, staticcall(gas(), 8, add(pairs, 0x20), shl(5, mload(pairs)), 0x00, 0x20))",
            ),
            8,
            &reverting,
        ),
        (pairing(LENGTH_OF_PRODUCT, ""), 7, &missing),
        (pairing(LENGTH_OF_SUM, "to, 0x40))"), 6, &missing),
        (pairing("ok := and(ok, eq(returndatasize(), 0x20))", ""), 8, &long),
    ];
    let removed: Vec<Removed> = cases.iter().map(|(removed, ..)| *removed).collect();
    for ((removed, number, patch), code) in cases.iter().zip(stacks_without(&removed)) {
        // Without products, errors cancel; without sums, the last proof counts alone.
        let batch = match (number, patch) {
            (7, Patch::Missing) => vec![Pairing::new(2, 1), Pairing::new(1, 2)],
            (6, Patch::Missing) => vec![Pairing::new(2, 1), Pairing::new(1, 1)],
            _ => vec![Pairing::new(1, 1), Pairing::new(1, 1)],
        };
        let patches = [(precompile(*number), (*patch).clone())];
        for (code, expected) in [(&code, None), (stack_code(), Some("PrecompileFailed"))] {
            let mut chain = Chain::deploy(code);
            chain.evm.config.patches = patches.clone().into();
            let call = chain.check(&batch);
            match expected {
                None => assert!(accepted(&call), "{removed:?}: {}", call.describe()),
                Some(error) => refused(&call, error),
            }
        }
    }
}
