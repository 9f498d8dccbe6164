//! Sumchecks over vectors of small integers, opened by KZG with Mercury: the verifier program as data.
//!
//! A [`Program`] says everything that a verifier of one model needs, without any curve or proving code: the prover derives it,
//! the Rust verifier interprets it, and the code generator prints it as Solidity. The protocol as an executable specification
//! is in `docs/spec`.
//!
//! | question | answer |
//! |---|---|
//! | what holds? | [`System`]: templates of rows, one table, contractions, linear relations |
//! | where does a value lie, how large is a round? | [`Program::shape`], a [`Shape`] |
//! | where in the proof does a value lie, what is hashed when? | [`Program::layout`], a [`ProofLayout`] |
//! | what must the committed vectors satisfy? | [`claims()`], the one list |
//! | how is a functional evaluated without a table? | [`Automaton`] |
//! | what does a verifier compute? | [`Program::equations`], the one list |
//!
//! # The check, in one place
//!
//! Vectors of `N = 2^n` elements: the witness `T`, the model's `W`, private weights `V`, helpers `H`, masks `R`; `P̃` is the multilinear extension of
//! `P`, `eq(u, x) = Π (u_i x_i + (1 − u_i)(1 − x_i))`.
//!
//! 1. `[V]`, of which the statement shows the Keccak-256; `[T], [R]` → `θ, β`. `fp(key, out, tag) = key + Σ θ^(j+1) out_j + θ^(1 + max(#out, 1)) tag`.
//! 2. `[H]`: `H_g = Σ_{j<m} 1/(β − fp_j)` for each group of `m` lookups, `G = M/(β − fp_table)`. → `τ, γ, r`, and `χ` where sequences
//!    are compared.
//! 3. First sumcheck, highest variable first, over
//!    `eq_t(τ, x)(Σ_g γ^g (H_g Π(β − fp_j) − Σ_j Π_{i≠j}(β − fp_i)) + Σ γ^· gates)` for each template `t` on its rows,
//!    `γ^· eq(τ, x)(G(β − fp_table) − M)`, `γ^·(Σ H − Σ G)`, `γ^· A(r, x) B(r, x)` for each contraction (times `eq(r_batch, x_batch)`), and
//!    the mask `p₁`. Its sum is `S₁`. An item of `k` of `n₁` variables is constant in the others, scaled by `2^(k − n₁)`.
//! 4. Evaluations at its point, each masked by `ξ x₀ (1 − x₀)`, and the sum of masks `μ`. → `η`
//! 5. Second sumcheck, degree 2: `Σ_x T Φ_T + W Φ_W + V Φ_V + H Φ_H + R Φ_R = Σ_i η^i value_i`, where `Φ` folds the functionals of [`claims()`].
//! 6. Opening of `f = Φ_T T + Φ_W W + Φ_V V + Φ_H H + Φ_R R` at its point `ρ`, the value `v` being what the last round leaves; `P_u(X) = Π((1 − u_k) + u_k X^(2^k))`.
//!    - Whole, the matrix having one row: `f(X) P_ρ(1/X) + f(1/X) P_ρ(X) = 2v + X S(X) + S(1/X)/X` at `X = z`. With
//!      `A = z^N P_ρ(1/z) f − z^(N+1) S`, `B = z^N P_ρ(z) f − z^(N−1) S`, that is
//!      `M = (zX − 1) A + z(X − z) B = 2v z^(N+1) X + k + (X − z)(zX − 1) W`, checked at `y` by
//!      `e(κ([M] − (2v z^(N+1) y + k)[1]₁) + [W] + y[W'], [1]₂) · e(−[W'], [τ]₂) = 1`, `κ = 1/((y − z)(1 − zy))`.
//!    - By rows, `ρ = (ρ_lo, ρ_hi)`, `f` and `v` divided by `Φ_R`: `f = (X^b − α) q + g`, `h` the rows' values at `ρ_lo`;
//!      `g(X) P_lo(1/X) + g(1/X) P_lo(X) + γ(h(X) P_hi(1/X) + h(1/X) P_hi(X)) = 2(h(α) + γ v) + X S(X) + S(1/X)/X` at `X = z`;
//!      `D(z) = z^(b−1) g(1/z)`; SHPLONK over `{z, 1/z, α}` leaves `F` and `W'`, and
//!      `e(ζF + y[W'] + [f] − [g] + α[q], [1]₂) · e(−[W'], [τ]₂) · e(−[q], [τ^b]₂) = 1`.
//!
//!    One inverse is sent, from which others follow, and is checked by its product.
//!
//! # Private weights
//!
//! A program says nothing of `V`. The statement shows [`weights_commitment`] of the points `[V]`, which are hidden by a coefficient at `X^N` that
//! openings ignore and that is the same in all proofs. A run does not prove that weights are small; a second program about the same vector, opened
//! alike, proves their ranges once for each commitment. Its statement is that commitment and nothing else.
//!
//! # Error
//!
//! A false statement is accepted with probability at most the sum of: lookups and table, `(#lookups + 2^kt + tags·θ-degree) / r`;
//! `τ`, `r`: their number of coordinates over `r`; `γ`: its largest power over `r`; rounds: the sum of their degrees over `r`; `η`: the number of
//! claims over `r`; `χ`: the longest sequence over `r`; the opening: about `6D / r`, `D` being the number of powers of the setup, in the
//! algebraic group model. With `N ≤ 2^28` that is below `2^−220`. Two vectors `V` with one commitment are a collision of 253 bits of Keccak-256.

mod claims;
mod equations;
mod layout;
mod program;
mod shape;
mod validate;
mod vector;
mod view;

pub use claims::{Batch, Claim, Claimed, Factor, MaskWeight, Part, Point, claims};
pub use equations::{
    Base, Comparison, Coordinates, Equations, Inconsistent, Matching, Node, Operation, Rounds,
};
pub use layout::{Challenge, OPENINGS, ProofLayout, Slot, SlotId, Step};
pub use program::{
    Affine, Contraction, Gate, Linear, Lookup, Monomial, Opening, PROTOCOL_VERSION, Private, Program,
    Segment, System, Table, TableSegment, Template, Weights, weights_commitment, weights_commitment_of,
};
pub use shape::{Evaluated, Evaluation, MaskTerm, Shape};
pub use validate::ProgramError;
pub use vector::{Item, Number, Vector, VectorMasks};
pub use view::{Automaton, Axis, Form, Index, Source, Step as AxisStep, Term, Transition, Weight, bits_for};
