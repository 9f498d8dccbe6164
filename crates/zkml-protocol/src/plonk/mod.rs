//! Columns, gates and copies, opened by KZG with SHPLONK: the verifier program as data.
//!
//! A [`Program`] says everything that a verifier of one circuit needs, without any curve or proving code:
//! the prover derives it from its verifying key, the Rust verifier interprets it, and the code generator
//! prints it as Solidity. What can be computed from it is computed here, once:
//!
//! | question | answer |
//! |---|---|
//! | where in the proof does a value lie? | [`Program::layout`], a [`ProofLayout`] |
//! | what is hashed when, and which challenge comes out? | [`ProofLayout::steps`], [`Replay`] |
//! | which equations must hold at `x`? | [`Program::constraints`] |
//! | which commitments are opened where, in which order? | [`Program::opening_sets`] |
//! | what ties a proof to this program? | [`Program::vk_digest`], [`Program::model_commitment`] |
//! | what must every verifier refuse? | [`tamper::matrix`](crate::tamper::matrix) |
//!
//! # The check, in one place
//!
//! With `n = 2^k`, `ω` the domain's generator and `L_i(x) = ω^i (x^n − 1) / (n (x − ω^i))`:
//!
//! 1. Length of the proof, range of every scalar, curve membership of every point, range of every instance.
//! 2. Replay [`ProofLayout::steps`]: it yields all challenges.
//! 3. Instance value `Σ instance_i · L_i(x)`; `L_first = L_0(x)`, `L_last = L_{n−1−b}(x)`,
//!    `L_active = 1 − Σ_{i ≥ n−1−b} L_i(x)`, with `b` the number of blinding rows.
//! 4. Evaluate the constraint nodes in order; fold the identities: `acc ← acc · y + identity`.
//!    The quotient's value must be `acc / (x^n − 1)`. Its commitment is `Σ_j x^{nj} · piece_j`.
//! 5. SHPLONK. `T` is the union of all rotations that are opened, and `S_i` those of set `i`; `Z_A(u) = Π_{t ∈ A} (u − x·ω^t)`.
//!    `D_i = Z_{T∖S_i}(u) / Z_{T∖S_0}(u)`, so `D_0 = 1`. For member `j` of set `i`, `R_ij(X)` interpolates its values over `S_i`. Then
//!    `e(W', s·G2) = e(Σ_i v^i D_i Σ_j y'^j (C_ij − R_ij(u)·G1) − Z_{S_0}(u)·W + u·W', G2)`.
//!
//! Proof words that are zero denominators (`x` on the domain, `u` on an opening point) are errors, never unwrapped.

mod error;
mod expr;
mod layout;
mod opening;
mod program;
mod replay;
mod sample;

pub use error::ProgramError;
pub use expr::{Constraints, ExprBuilder, Identity, Node, NodeId, PermutationColumn};
pub use layout::{Challenge, Eval, ProofLayout, Slot, SlotId, Step};
pub use opening::{Commitment, Opened, OpeningSet};
pub use program::{Domain, Limits, PROTOCOL_VERSION, Program, Query};
pub use replay::Replay;
pub use sample::Sample;
