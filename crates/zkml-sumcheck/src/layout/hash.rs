//! Calls of the hash that commitments are made of: where their cells are, and what those hold.
//!
//! A full round has a row per element of the state, a partial round has one row:
//!
//! ```text
//! full      x  q  y               row  call · 32 + low · 16 + round · 2 + high     element 2 · high + low, rounds 0 … 7
//! partial   x  q  y  s₁ s₂ s₃     row  call · 64 + round                           rounds 0 … 55
//! ```
//!
//! `x` is an element of the state with its round's constant, `q = x²`, `y = q² · x`; the `s` go through a partial round as they
//! are. What a call takes in are elements 2 and 3 of its first round: word `n` of all calls lies in row `16 · n + 1`.

use halo2curves::bn256::Fr;
use zkml_graph::{Code, Relation, Section, System as Relations, View};
use zkml_poseidon::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH, constants, is_full, permute};
use zkml_protocol::{
    Word,
    commitment::{WORDS_PER_CALL, domain, words},
};
pub(crate) use zkml_statement::protocol_code;
use zkml_statement::role;

use super::{
    block::{self, Affine, Block, Polynomial},
    digits::Digits,
};
use crate::error::Result;

/// Bits of a row that number what a call has, in blocks of full and of partial rounds.
pub(crate) const CALL_BIT: [u32; 2] = [5, 6];
/// Rows of a call, in both blocks.
pub const ROWS_PER_CALL: usize = (1 << CALL_BIT[0]) + (1 << CALL_BIT[1]);
/// Lowest bit of the number of a word in a row.
pub(crate) const WORD_BIT: u32 = 4;

/// Row of an element of the state in a full round.
pub(crate) fn full_row(call: u64, round: usize, element: usize) -> u64 {
    let (high, low) = ((element >> 1) as u64, (element & 1) as u64);
    call << CALL_BIT[0] | low << WORD_BIT | (round as u64) << 1 | high
}

/// Row of a partial round.
pub(crate) fn partial_row(call: u64, round: usize) -> u64 {
    call << CALL_BIT[1] | round as u64
}

/// Row of a word among those of all calls.
pub(crate) fn word_row(word: u64) -> u64 {
    full_row(word / WORDS_PER_CALL as u64, 0, 2 + (word % WORDS_PER_CALL as u64) as usize)
}

/// All calls, and the chains that they make.
#[derive(Clone, Debug)]
pub(crate) struct Hash {
    /// Block of the full rounds.
    pub(crate) full: usize,
    /// Block of the partial rounds.
    pub(crate) partial: usize,
    /// Number of calls.
    pub(crate) calls: u64,
    /// One per commitment, in the order of the statement.
    pub(crate) chains: Vec<Chain>,
}

/// Round constants in `W`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Constants {
    /// Those of the full rounds, by the row of a call.
    pub(crate) full: u64,
    /// Those of the partial rounds' first elements, by round.
    pub(crate) partial: u64,
    /// Those of the words, by word: of the first round, one after the other.
    pub(crate) words: u64,
}

/// A commitment to one tensor.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// Its relation.
    pub(crate) relation: usize,
    /// Number of its first call.
    pub(crate) first: u64,
    /// Number of its calls.
    pub(crate) calls: u64,
    /// Number of words that its values are packed into.
    pub(crate) packed: u64,
    /// Block of the values, where they take several words.
    pub(crate) block: Option<usize>,
}

impl Chain {
    /// Number of its first word, the salt, among those of all calls. Header and packed values follow.
    pub(crate) fn salt(&self) -> u64 {
        self.first * WORDS_PER_CALL as u64
    }

    /// Number of the word before the values.
    pub(crate) fn header(&self) -> u64 {
        self.salt() + 1
    }

    /// Number of the first word of values.
    pub(crate) fn values(&self) -> u64 {
        self.salt() + 2
    }

    /// Number of the zero word at the end, if there is one.
    pub(crate) fn padding(&self) -> Option<u64> {
        let (end, last) = (self.values() + self.packed, (self.first + self.calls) * WORDS_PER_CALL as u64);
        (end < last).then_some(end)
    }

    /// Number of its last call.
    pub(crate) fn last(&self) -> u64 {
        self.first + self.calls - 1
    }
}

/// The tensor that a commitment is to; none for one to several, or to weights.
pub(crate) fn committed(relation: &Relation) -> Option<(&View, Code, Section)> {
    match relation {
        Relation::Commit { parts, section } if *section != Section::Model => match parts.as_slice() {
            [(v, code)] => Some((v, *code, *section)),
            _ => None,
        },
        _ => None,
    }
}

/// Where the chain of a commitment to one tensor starts.
pub(crate) fn start(section: Section) -> Word {
    domain(role(section), 1)
}

/// The blocks of so many calls: full rounds, then partial ones.
pub(crate) fn blocks(calls: u64) -> [Block; 2] {
    let block = |rows: u64, columns: usize| Block {
        count: rows,
        digits: Digits::grouped(1, rows),
        columns: vec![block::Role::Hash; columns],
        lookups: vec![],
        gates: vec![squared(), fifth()],
    };
    let calls = calls.next_power_of_two();
    [block(calls << CALL_BIT[0], 3), block(calls << CALL_BIT[1], 2 + WIDTH)]
}

/// `x² − q`.
fn squared() -> Polynomial {
    block::product_gate(&Affine::column(0), &Affine::column(0), &Affine::column(1))
}

/// `q² · x − y`.
fn fifth() -> Polynomial {
    vec![(Fr::from(1), vec![0, 1, 1]), (-Fr::from(1), vec![2])]
}

/// What the calls of a run hold: `(block, column, row)` with values, and the commitments.
pub(crate) struct Called {
    pub(crate) cells: Vec<(usize, usize, u64, Fr)>,
    pub(crate) commitments: Vec<Fr>,
}

impl Hash {
    /// Makes all calls.
    ///
    /// # Errors
    /// [`Error::Committed`] for values that their code cannot write.
    pub(crate) fn called(&self, relations: &Relations, values: &[Vec<i64>], salts: &[Fr]) -> Result<Called> {
        let mut out = Called { cells: vec![], commitments: vec![] };
        for (chain, salt) in self.chains.iter().zip(salts) {
            let (_, relation) = &relations.relations[chain.relation];
            let Some((v, code, section)) = committed(relation) else { continue };
            let shown = v.map.gather(&values[v.var.0 as usize]);
            let salt = zkml_curve::scalar_word(salt);
            let taken = words(&salt, &[(protocol_code(code), shown.as_slice())])?;
            let scalar = |w: &Word| zkml_curve::scalar_from_word(w).unwrap_or(Fr::from(0));
            let mut link = scalar(&start(section));
            for (call, pair) in (chain.first..).zip(taken.chunks(WORDS_PER_CALL)) {
                link =
                    self.call(call, [Fr::from(0), link, scalar(&pair[0]), scalar(&pair[1])], &mut out.cells);
            }
            out.commitments.push(link);
        }
        Ok(out)
    }

    /// One call: its cells, and its result.
    fn call(&self, call: u64, state: [Fr; WIDTH], cells: &mut Vec<(usize, usize, u64, Fr)>) -> Fr {
        let half = FULL_ROUNDS / 2;
        let end = permute(state, |round, state| {
            let constants = &constants().rounds[round];
            let mut boxed = |block: usize, row: u64, x: Fr| {
                let q = x.square();
                let all = [x, q, q.square() * x];
                cells.extend(all.into_iter().enumerate().map(|(column, v)| (block, column, row, v)));
            };
            if is_full(round) {
                let number = if round < half { round } else { round - PARTIAL_ROUNDS };
                for (element, (s, c)) in state.iter().zip(constants).enumerate() {
                    boxed(self.full, full_row(call, number, element), *s + c);
                }
                return;
            }
            let row = partial_row(call, round - half);
            boxed(self.partial, row, state[0] + constants[0]);
            let others = state.iter().enumerate().skip(1);
            cells.extend(others.map(|(element, s)| (self.partial, 2 + element, row, *s)));
        });
        end[0]
    }
}
