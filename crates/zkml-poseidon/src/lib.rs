//! circomlib's Poseidon hash with three inputs over BN254's scalar field, and the commitments made of it.
//!
//! State of four elements, S-box `x⁵`, eight full and 56 partial rounds. Round constants and matrix come from the
//! Grain generator that the authors of the hash specify (Grassi et al., <https://eprint.iacr.org/2019/458>,
//! appendix F): the ones that circomlib, poseidon-lite and poseidon-solidity ship as tables.
//!
//! A constant that a partial round adds to an element other than the first only moves through the matrix, since
//! that round has no S-box there: all of them are added later, in the first full round that follows.

#![forbid(unsafe_code)]

use std::sync::OnceLock;

use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;
use zkml_curve::{scalar_from_word, scalar_word};
use zkml_protocol::{
    Code, Word,
    commitment::{self, DoesNotFit, Role, WORDS_PER_CALL},
};

/// Elements of the state.
pub const WIDTH: usize = WORDS_PER_CALL + 2;
/// Rounds with an S-box on every element.
pub const FULL_ROUNDS: usize = 8;
/// Rounds with an S-box on the first element.
pub const PARTIAL_ROUNDS: usize = 56;
const ROUNDS: usize = FULL_ROUNDS + PARTIAL_ROUNDS;

/// Whether a round has an S-box on every element.
pub fn is_full(round: usize) -> bool {
    !(FULL_ROUNDS / 2..FULL_ROUNDS / 2 + PARTIAL_ROUNDS).contains(&round)
}

/// Constants of the permutation.
#[derive(Debug)]
pub struct Constants {
    /// Added before the S-boxes of each round; zero beyond the first element in partial rounds.
    pub rounds: Vec<[Fr; WIDTH]>,
    /// `next[i] = Σ_j matrix[i][j] · state[j]`.
    pub matrix: [[Fr; WIDTH]; WIDTH],
}

/// The constants, made on first use.
pub fn constants() -> &'static Constants {
    static MADE: OnceLock<Constants> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut grain = Grain::new();
        let mut rounds = vec![[Fr::ZERO; WIDTH]; ROUNDS];
        rounds.iter_mut().flatten().for_each(|c| *c = grain.element());
        let matrix = grain.matrix();
        for r in (0..ROUNDS - 1).filter(|r| !is_full(*r)) {
            let [_, a, b, c] = rounds[r];
            rounds[r][1..].fill(Fr::ZERO);
            let moved = mix(&matrix, &[Fr::ZERO, a, b, c]);
            rounds[r + 1].iter_mut().zip(moved).for_each(|(x, m)| *x += m);
        }
        Constants { rounds, matrix }
    })
}

fn mix(matrix: &[[Fr; WIDTH]; WIDTH], state: &[Fr; WIDTH]) -> [Fr; WIDTH] {
    matrix.map(|row| row.iter().zip(state).map(|(m, s)| *m * s).sum())
}

/// Generator of constants: a shift register of 80 bits whose output is thinned out by every other bit.
struct Grain {
    bits: [bool; 80],
    at: usize,
}

impl Grain {
    fn new() -> Self {
        // Prime field, S-box by power, bits of the modulus, width, rounds; then ones.
        let fields = [(1, 2), (0, 4), (Fr::NUM_BITS, 12), (WIDTH as u32, 12)];
        let rounds = [(FULL_ROUNDS as u32, 10), (PARTIAL_ROUNDS as u32, 10), ((1 << 30) - 1, 30)];
        let mut bits = [false; 80];
        let all = fields.into_iter().chain(rounds);
        let digits = all.flat_map(|(v, n)| (0..n).rev().map(move |i| v >> i & 1 == 1));
        bits.iter_mut().zip(digits).for_each(|(b, d)| *b = d);
        let mut grain = Self { bits, at: 0 };
        (0..160).for_each(|_| {
            grain.raw();
        });
        grain
    }

    fn raw(&mut self) -> bool {
        let tap = |i: usize| self.bits[(self.at + i) % 80];
        let bit = [62, 51, 38, 23, 13, 0].into_iter().fold(false, |acc, i| acc ^ tap(i));
        self.bits[self.at] = bit;
        self.at = (self.at + 1) % 80;
        bit
    }

    fn bit(&mut self) -> bool {
        loop {
            let keep = self.raw();
            let bit = self.raw();
            if keep {
                return bit;
            }
        }
    }

    /// As many bits as the modulus has, highest first, in little-endian bytes.
    fn bytes(&mut self) -> [u8; 32] {
        let mut out = [0u8; 32];
        for i in (0..Fr::NUM_BITS as usize).rev() {
            out[i / 8] |= u8::from(self.bit()) << (i % 8);
        }
        out
    }

    /// A number below the modulus: others are drawn again.
    fn element(&mut self) -> Fr {
        loop {
            if let Some(v) = Option::<Fr>::from(Fr::from_repr(self.bytes())) {
                return v;
            }
        }
    }

    /// A number below twice the modulus, reduced.
    fn reduced(&mut self) -> Fr {
        let mut wide = [0u8; 64];
        wide[..32].copy_from_slice(&self.bytes());
        <Fr as ff::FromUniformBytes<64>>::from_uniform_bytes(&wide)
    }

    /// `1 / (xᵢ + yⱼ)` of distinct numbers: a Cauchy matrix.
    fn matrix(&mut self) -> [[Fr; WIDTH]; WIDTH] {
        let drawn: [Fr; 2 * WIDTH] = std::array::from_fn(|_| self.reduced());
        let inverse = |v: Fr| Option::<Fr>::from(v.invert()).unwrap_or(Fr::ZERO);
        std::array::from_fn(|i| std::array::from_fn(|j| inverse(drawn[i] + drawn[WIDTH + j])))
    }
}

/// The S-box: `x⁵`.
pub fn sbox(x: Fr) -> Fr {
    x.square().square() * x
}

/// The permutation from the given round on, `visit` seeing the state before each round's constants.
pub fn permute(mut state: [Fr; WIDTH], mut visit: impl FnMut(usize, &[Fr; WIDTH])) -> [Fr; WIDTH] {
    let c = constants();
    for (round, added) in c.rounds.iter().enumerate() {
        visit(round, &state);
        state.iter_mut().zip(added).for_each(|(s, c)| *s += c);
        let boxes = if is_full(round) { WIDTH } else { 1 };
        state[..boxes].iter_mut().for_each(|s| *s = sbox(*s));
        state = mix(&c.matrix, &state);
    }
    state
}

/// Poseidon of three elements, as circomlib computes it.
pub fn hash3(inputs: [Fr; WIDTH - 1]) -> Fr {
    let [a, b, c] = inputs;
    permute([Fr::ZERO, a, b, c], |_, _| ())[0]
}

/// The values that the chain of a commitment goes through: one per call, the last is the commitment.
pub fn chain(start: Fr, words: &[Fr]) -> Vec<Fr> {
    let mut link = start;
    let step = |w: &[Fr]| {
        link = hash3([link, w[0], w[1]]);
        link
    };
    words.chunks_exact(WORDS_PER_CALL).map(step).collect()
}

/// The salted commitment to tensors; see [`zkml_protocol::commitment`] for what it covers.
///
/// # Errors
/// [`CommitError`] for a value that does not fit its code, or a salt that is no canonical field element.
pub fn commit(role: Role, salt: &Word, parts: &[(Code, &[i64])]) -> Result<Word, CommitError> {
    scalar_from_word(salt).ok_or(CommitError::Salt)?;
    let words = commitment::words(salt, parts)?;
    let words: Vec<Fr> = words.iter().filter_map(scalar_from_word).collect();
    let start = scalar_from_word(&commitment::domain(role, parts.len() as u32)).unwrap_or(Fr::ZERO);
    Ok(scalar_word(&chain(start, &words).pop().unwrap_or(start)))
}

/// Why nothing was committed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A value outside its code.
    #[error(transparent)]
    DoesNotFit(#[from] DoesNotFit),
    /// The salt is not below the field's modulus.
    #[error("the salt is not below the order of BN254's scalar field; draw another")]
    Salt,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Fr {
        Fr::from_str_vartime(text).expect("a number")
    }

    #[test]
    fn agrees_with_circomlib() {
        // poseidon([1, 2, 3]) of circomlibjs; more vectors are in tests/fixtures/commitment.json.
        let hash = hash3([1, 2, 3].map(Fr::from));
        assert_eq!(
            hash,
            decimal("6542985608222806190361240322586112750744169038454362455181422643027100751666")
        );
    }

    #[test]
    fn moved_constants_change_nothing() {
        let mut grain = Grain::new();
        let plain: Vec<[Fr; WIDTH]> = (0..ROUNDS).map(|_| std::array::from_fn(|_| grain.element())).collect();
        let matrix = grain.matrix();
        let mut state = [5, 6, 7, 8].map(Fr::from);
        let moved = permute(state, |_, _| ());
        for (round, added) in plain.iter().enumerate() {
            state.iter_mut().zip(added).for_each(|(s, c)| *s += c);
            let boxes = if is_full(round) { WIDTH } else { 1 };
            state[..boxes].iter_mut().for_each(|s| *s = sbox(*s));
            state = mix(&matrix, &state);
        }
        assert_eq!(state, moved);
    }

    #[test]
    fn everything_moves_a_commitment() {
        let code = Code { bits: 8, signed: true };
        let of = |role, salt: u64, values: &[i64]| {
            commit(role, &Word::from_u64(salt), &[(code, values)]).expect("it fits")
        };
        let base = of(Role::Input, 1, &[1, 2, 3]);
        assert_eq!(base, of(Role::Input, 1, &[1, 2, 3]));
        let others = [
            of(Role::Model, 1, &[1, 2, 3]),
            of(Role::Input, 2, &[1, 2, 3]),
            of(Role::Input, 1, &[1, 2]),
            of(Role::Input, 1, &[1, 2, 4]),
            of(Role::Input, 1, &[1, 2, 3, 0]),
        ];
        assert!(others.iter().all(|o| *o != base));
        assert_eq!(commit(Role::Input, &Word([255; 32]), &[]), Err(CommitError::Salt));
        let wide = commit(Role::Input, &Word::ONE, &[(code, &[128])]);
        assert!(matches!(wide, Err(CommitError::DoesNotFit(_))), "{wide:?}");
    }
}
