//! How a call of the hash lies in the permuted columns, and what its gates demand.
//!
//! A call is a sequence of steps: each full round is one, and [`ROUNDS_PER_STEP`] partial rounds are one. A step
//! begins with the state before its constants are added, and ends where the state of the next begins:
//!
//! ```text
//! full     s₀ s₁ s₂ s₃ q₀ q₁ q₂ q₃                  qⱼ = xⱼ²,  xⱼ = sⱼ + cⱼ;   next = M·(qⱼ²·xⱼ)
//! partial  s₀ s₁ s₂ s₃ q₁ y₁ q₂ y₂ q₃ y₃ q₄ y₄      qᵣ = xᵣ²,  yᵣ = qᵣ²·xᵣ,    xᵣ linear in the sⱼ and earlier y
//! ```
//!
//! The `x` are no cells, since linear equations determine them. Cells fill the columns row by row, so one layout
//! serves any number of columns; round constants fill the weight columns of the same rows.

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;

use zkml_poseidon::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH, constants, is_full, permute, sbox};

/// Partial rounds that one step covers.
pub const ROUNDS_PER_STEP: usize = 4;

/// Kinds of steps: each is a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A full round.
    Full,
    /// Several partial rounds.
    Partial,
}

impl Step {
    /// Cells of the step.
    pub fn cells(self) -> usize {
        match self {
            Self::Full => 2 * WIDTH,
            Self::Partial => WIDTH + 2 * ROUNDS_PER_STEP,
        }
    }

    /// Round constants that the step adds.
    pub fn constants(self) -> usize {
        match self {
            Self::Full => WIDTH,
            Self::Partial => ROUNDS_PER_STEP,
        }
    }

    /// Rows of the step in so many permuted and weight columns.
    pub fn height(self, a_columns: usize, w_columns: usize) -> usize {
        self.cells().div_ceil(a_columns).max(self.constants().div_ceil(w_columns))
    }

    fn rounds(self) -> usize {
        match self {
            Self::Full => 1,
            Self::Partial => ROUNDS_PER_STEP,
        }
    }
}

/// The steps of a call, in order, each with its first round.
pub fn steps() -> impl Iterator<Item = (Step, usize)> {
    let half = FULL_ROUNDS / 2;
    let full = |from: usize| (from..from + half).map(|r| (Step::Full, r));
    let partial = (half..half + PARTIAL_ROUNDS).step_by(ROUNDS_PER_STEP).map(|r| (Step::Partial, r));
    full(0).chain(partial).chain(full(half + PARTIAL_ROUNDS))
}

/// The constants that a step adds: of all elements, or of the first one in each of its rounds.
pub fn added(step: Step, round: usize) -> Vec<Fr> {
    let rounds = &constants().rounds;
    match step {
        Step::Full => rounds[round].to_vec(),
        Step::Partial => rounds[round..round + ROUNDS_PER_STEP].iter().map(|c| c[0]).collect(),
    }
}

/// Rows of one call: its steps, and the state after the last.
pub fn call_height(a_columns: usize, w_columns: usize) -> usize {
    let steps: usize = steps().map(|(s, _)| s.height(a_columns, w_columns)).sum();
    steps + WIDTH.div_ceil(a_columns)
}

/// Rows of the given number of calls where permuted and weight columns are equally many; `inspect` shows it
/// before a circuit is planned.
pub fn rows(calls: usize, columns: usize) -> usize {
    calls * call_height(columns.max(1), columns.max(1))
}

/// What the next state and the S-box inputs of a partial step are, as sums over `s₀ … s₃, y₁ … y₄`.
#[derive(Debug)]
pub struct PartialSums {
    /// Input of each round's S-box, before its constant.
    pub inputs: Vec<Vec<Fr>>,
    /// Each element of the next state.
    pub next: Vec<Vec<Fr>>,
}

/// Unrolls the rounds of a partial step.
pub fn partial_sums() -> PartialSums {
    let terms = WIDTH + ROUNDS_PER_STEP;
    let unit = |i: usize| (0..terms).map(|j| if i == j { Fr::ONE } else { Fr::ZERO }).collect::<Vec<_>>();
    let mut state: Vec<Vec<Fr>> = (0..WIDTH).map(unit).collect();
    let mut inputs = Vec::new();
    for round in 0..ROUNDS_PER_STEP {
        inputs.push(std::mem::replace(&mut state[0], unit(WIDTH + round)));
        let sum = |row: &[Fr; WIDTH]| -> Vec<Fr> {
            (0..terms).map(|t| row.iter().zip(&state).map(|(m, s)| *m * s[t]).sum()).collect()
        };
        state = constants().matrix.iter().map(sum).collect();
    }
    PartialSums { inputs, next: state }
}

/// Values of all cells of a call on `state`: those of each step in order, then the state after the last.
pub fn values(state: [Fr; WIDTH]) -> Vec<Vec<Fr>> {
    let mut out: Vec<Vec<Fr>> = Vec::new();
    let mut left = 0;
    let rounds = &constants().rounds;
    let end = permute(state, |round, state| {
        if left == 0 {
            let step = if is_full(round) { Step::Full } else { Step::Partial };
            left = step.rounds();
            out.push(state.to_vec());
        }
        left -= 1;
        let Some(cells) = out.last_mut() else { return };
        if is_full(round) {
            cells.extend(state.iter().zip(&rounds[round]).map(|(s, c)| (*s + c).square()));
        } else {
            let x = state[0] + rounds[round][0];
            cells.extend([x.square(), sbox(x)]);
        }
    });
    out.push(end.to_vec());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_a_partial_step_are_its_rounds() {
        let sums = partial_sums();
        let all = values([0, 3, 1, 4].map(Fr::from));
        let eval = |row: &[Fr], at: &[Fr]| row.iter().zip(at).map(|(c, v)| *c * v).sum::<Fr>();
        for (i, (step, round)) in steps().enumerate() {
            let cells = &all[i];
            assert_eq!(cells.len(), step.cells());
            if step == Step::Full {
                continue;
            }
            let s = cells[..WIDTH].iter();
            let at: Vec<Fr> = s.chain(cells[WIDTH..].iter().skip(1).step_by(2)).copied().collect();
            for (r, c) in added(step, round).iter().enumerate() {
                let x = eval(&sums.inputs[r], &at) + c;
                assert_eq!([x.square(), sbox(x)], cells[WIDTH + 2 * r..][..2]);
            }
            let next: Vec<Fr> = sums.next.iter().map(|row| eval(row, &at)).collect();
            assert_eq!(next, all[i + 1][..WIDTH]);
        }
    }

    #[test]
    fn a_call_ends_with_the_hash() {
        let inputs = [7, 8, 9].map(Fr::from);
        let all = values([Fr::ZERO, inputs[0], inputs[1], inputs[2]]);
        assert_eq!(all.last().map(|end| end[0]), Some(zkml_poseidon::hash3(inputs)));
        assert_eq!(all.len(), steps().count() + 1);
    }

    #[test]
    fn heights_are_those_of_the_cells() {
        assert_eq!(call_height(4, 4), 8 * 2 + 14 * 3 + 1);
        assert_eq!(call_height(1, 1), 8 * 8 + 14 * 12 + 4);
        // Constants may need more rows than cells do.
        assert_eq!(Step::Full.height(8, 1), 4);
    }
}
