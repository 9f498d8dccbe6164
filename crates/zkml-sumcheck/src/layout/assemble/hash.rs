//! What binds the cells of the hash's calls to each other, to what they take in, and to the statement.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::{scalar_from_word, scalar_word};
use zkml_poseidon::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH, constants};
use zkml_protocol::{
    Word,
    commitment::header,
    sumcheck::{Axis, AxisStep, Form, Index, Linear, Source, Term, bits_for},
};

use super::packed::Packed;
use crate::layout::{
    hash::{
        CALL_BIT, Chain, Constants, Hash, WORD_BIT, committed, full_row, partial_row, protocol_code, start,
        word_row,
    },
    resolve::{Resolver, ones},
};

/// Rounds of a half of the full ones.
const HALF: usize = FULL_ROUNDS / 2;

/// Puts the round constants into `W`.
pub(super) fn put(hash: &Hash, weights: &mut Packed) -> Constants {
    let rounds = &constants().rounds;
    let words = word_bits(hash);
    let of_words: Vec<_> = (0..1u64 << words).map(|w| (w, rounds[0][2 + (w & 1) as usize])).collect();
    let of_partial: Vec<_> = (0..PARTIAL_ROUNDS).map(|r| (partial_row(0, r), rounds[HALF + r][0])).collect();
    let number = |r: usize| if r < HALF { r } else { r + PARTIAL_ROUNDS };
    let of_round = |r: usize| (0..WIDTH).map(move |e| (full_row(0, r, e), rounds[number(r)][e]));
    let of_full: Vec<_> = (0..FULL_ROUNDS).flat_map(of_round).collect();
    let words = weights.put_elements(words, &of_words);
    let partial = weights.put_elements(CALL_BIT[1], &of_partial);
    let full = weights.put_elements(CALL_BIT[0], &of_full);
    Constants { full, partial, words }
}

fn word_bits(hash: &Hash) -> u32 {
    bits_for(hash.calls) + 1
}

fn axis(bit: u32, bits: u32, offset: i64, index: u32) -> Axis {
    Axis { bit, bits, offset, bound: 1 << bits, steps: vec![AxisStep { index, stride: 1 }] }
}

/// An index that has to be zero.
fn fixed(index: u32) -> Axis {
    axis(0, 0, 0, index)
}

fn witness(axes: Vec<Axis>, cells: Vec<(u64, Word)>) -> Term {
    Term { source: Source::Witness, axes, broadcast: vec![], cells }
}

fn weight(axes: Vec<Axis>, broadcast: Vec<u32>, base: u64, factor: Fr) -> Term {
    Term { source: Source::Weights, axes, broadcast, cells: vec![(base, scalar_word(&factor))] }
}

fn vanishes(extents: &[u64], terms: Vec<Term>) -> Linear {
    Linear {
        indices: extents.iter().map(|e| Index::random(*e)).collect(),
        form: Form(terms),
        instances: None,
    }
}

/// Addresses of calls and constants.
pub(super) struct Calls<'a> {
    hash: &'a Hash,
    constants: Constants,
    /// First cell of each column, of full and of partial rounds.
    full: [u64; 3],
    partial: [u64; 2 + WIDTH],
}

impl<'a> Calls<'a> {
    pub(super) fn new(resolver: &Resolver<'a>, hash: &'a Hash) -> Self {
        let cell = |block: usize, column: usize| resolver.places.cell(block, column);
        Self {
            hash,
            constants: resolver.places.hash,
            full: std::array::from_fn(|c| cell(hash.full, c)),
            partial: std::array::from_fn(|c| cell(hash.partial, c)),
        }
    }

    /// The row of the matrix that makes an element of the next state, times these cells, taken away.
    fn mixed(element: usize, axes: Vec<Axis>, cells: [u64; WIDTH]) -> Term {
        let factor = |j: usize| scalar_word(&-constants().matrix[element][j]);
        witness(axes, (0..WIDTH).map(|j| (cells[j], factor(j))).collect())
    }

    /// Cells of a full round after its S-boxes, in this call.
    fn boxed(&self, call: u64, round: usize) -> [u64; WIDTH] {
        std::array::from_fn(|e| self.full[2] + full_row(call, round, e))
    }

    /// Cells of a partial round after its S-box, in the first call.
    fn passed(&self, round: usize) -> [u64; WIDTH] {
        let column = |e: usize| self.partial[2 + e];
        std::array::from_fn(|e| column(e) + partial_row(0, round))
    }

    /// Cell of an element before a partial round's S-box, in the first call.
    fn entering(&self, element: usize, round: usize) -> u64 {
        let column = if element == 0 { 0 } else { 2 + element };
        self.partial[column] + partial_row(0, round)
    }

    /// The relations that make each call a permutation.
    pub(super) fn permutations(&self) -> Vec<Linear> {
        let calls = self.hash.calls;
        let [of_full, of_partial] = CALL_BIT.map(|bit| Axis::plain(bit, 0, calls));
        let mut out = vec![self.capacity(of_full.clone())];
        for e in 0..WIDTH {
            out.extend([self.within_half(e), self.within_partial(e)]);
            // From the first half of the full rounds to the partial ones, and from those to the second half.
            let mut terms = vec![
                witness(vec![of_partial.clone()], vec![(self.entering(e, 0), Word::ONE)]),
                Self::mixed(e, vec![of_full.clone()], self.boxed(0, HALF - 1)),
            ];
            if e == 0 {
                terms.push(weight(vec![], vec![0], self.constants.partial, -Fr::ONE));
            }
            out.push(vanishes(&[calls], terms));
            let (row, last) = (full_row(0, HALF, e), self.passed(PARTIAL_ROUNDS - 1));
            out.push(vanishes(
                &[calls],
                vec![
                    witness(vec![of_full.clone()], vec![(self.full[0] + row, Word::ONE)]),
                    Self::mixed(e, vec![of_partial.clone()], last),
                    weight(vec![], vec![0], self.constants.full + row, -Fr::ONE),
                ],
            ));
        }
        out
    }

    /// The first element of every call is zero before its constant.
    fn capacity(&self, call: Axis) -> Linear {
        let row = full_row(0, 0, 0);
        let own = witness(vec![call], vec![(self.full[0] + row, Word::ONE)]);
        let constant = weight(vec![], vec![0], self.constants.full + row, -Fr::ONE);
        vanishes(&[self.hash.calls], vec![own, constant])
    }

    /// From one full round to the next, in calls (index 0), halves (1) and rounds (2).
    fn within_half(&self, element: usize) -> Linear {
        let call = Axis::plain(CALL_BIT[0], 0, self.hash.calls);
        let half = axis(3, 1, 0, 1);
        let round = |offset: i64| axis(1, 2, offset, 2);
        let row = full_row(0, 0, element);
        vanishes(
            &[self.hash.calls, 2, HALF as u64 - 1],
            vec![
                witness(vec![call.clone(), half.clone(), round(1)], vec![(self.full[0] + row, Word::ONE)]),
                Self::mixed(element, vec![call, half.clone(), round(0)], self.boxed(0, 0)),
                weight(vec![half, round(1)], vec![0], self.constants.full + row, -Fr::ONE),
            ],
        )
    }

    /// From one partial round to the next, in calls (index 0) and rounds (1).
    fn within_partial(&self, element: usize) -> Linear {
        let call = Axis::plain(CALL_BIT[1], 0, self.hash.calls);
        let round = |offset: i64| axis(0, CALL_BIT[1], offset, 1);
        let mut terms = vec![
            witness(vec![call.clone(), round(1)], vec![(self.entering(element, 0), Word::ONE)]),
            Self::mixed(element, vec![call, round(0)], self.passed(0)),
        ];
        if element == 0 {
            terms.push(weight(vec![round(1)], vec![0], self.constants.partial, -Fr::ONE));
        }
        vanishes(&[self.hash.calls, PARTIAL_ROUNDS as u64 - 1], terms)
    }

    /// The relations of a chain but those of its values: where it starts, what links its calls, header, padding.
    pub(super) fn chain(&self, resolver: &Resolver<'_>, chain: &Chain) -> Vec<Linear> {
        let Some((v, code, section)) = committed(&resolver.system.relations[chain.relation].1) else {
            return vec![];
        };
        let row = full_row(0, 0, 1);
        let constant = |broadcast: Vec<u32>| weight(vec![], broadcast, self.constants.full + row, -Fr::ONE);
        let first = self.full[0] + full_row(chain.first, 0, 1);
        let less = |w: Word| ones(-scalar_from_word(&w).unwrap_or(Fr::ZERO), vec![]);
        let mut out = vec![vanishes(
            &[],
            vec![witness(vec![], vec![(first, Word::ONE)]), constant(vec![]), less(start(section))],
        )];
        if chain.calls > 1 {
            let bits = bits_for(self.hash.calls);
            let call = |offset: u64| vec![axis(CALL_BIT[0], bits, offset as i64, 0)];
            out.push(vanishes(
                &[chain.calls - 1],
                vec![
                    witness(call(chain.first + 1), vec![(self.full[0] + row, Word::ONE)]),
                    Self::mixed(0, call(chain.first), self.boxed(0, FULL_ROUNDS - 1)),
                    constant(vec![0]),
                ],
            ));
        }
        let values = header(v.map.len() as u32, protocol_code(code));
        let fixed = [(Some(chain.header()), values), (chain.padding(), Word::ZERO)];
        for (word, value) in fixed.into_iter().filter_map(|(at, value)| Some((at?, value))) {
            let mut terms = self.taken(word, None, &[]).to_vec();
            terms.push(ones(scalar_from_word(&value).unwrap_or(Fr::ZERO), vec![]));
            out.push(vanishes(&[], terms));
        }
        out
    }

    /// The result of a chain is what the statement shows.
    pub(super) fn commitment(&self, chain: &Chain, instance: u32) -> Linear {
        let cells = self.boxed(chain.last(), FULL_ROUNDS - 1);
        let factor = |j: usize| scalar_word(&constants().matrix[0][j]);
        let term = witness(vec![], (0..WIDTH).map(|j| (cells[j], factor(j))).collect());
        Linear { indices: vec![], form: Form(vec![term]), instances: Some(instance) }
    }

    /// A word, or all of them from that one on along an index, taken away where indices that are fixed are zero.
    pub(super) fn taken(&self, word: u64, along: Option<u32>, zero: &[u32]) -> [Term; 2] {
        let axes = |bit: u32| -> Vec<Axis> {
            let along = along.map(|index| axis(bit, word_bits(self.hash), word as i64, index));
            along.into_iter().chain(zero.iter().map(|i| fixed(*i))).collect()
        };
        let own = if along.is_some() { 0 } else { word };
        let minus = scalar_word(&-Fr::ONE);
        [
            witness(axes(WORD_BIT), vec![(self.full[0] + word_row(own), minus)]),
            weight(axes(0), vec![], self.constants.words + own, Fr::ONE),
        ]
    }
}
