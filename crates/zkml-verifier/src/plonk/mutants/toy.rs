//! A circuit of sixteen rows that shows `y = x² + 4`: small enough that its prover is a page, and every kind of identity is in it.
//!
//! | row | a | b | c | f | gates |
//! |---|---|---|---|---|---|
//! | 0 | x | x | x² | | product |
//! | 1 | x² | any | a·b | | product, sum |
//! | 2 | y | | | | |
//! | 3 | x | y | | a + χ·b | check |
//! | 4 | x | y | | a + χ·b | check |
//!
//! Row 3 is copied from the rows above, the `b` of row 4 from the instances; the two `f` are copies, so that a random challenge
//! `χ` compares the rows.

use super::poly::{N, Values, commit, dice, interpolate, omega, rotate, secret};
use crate::curve::Fr;
use ff::{Field as _, PrimeField};
use halo2curves::bn256::{Fq, G1Affine, G2Affine};
use halo2curves::group::Curve;
use zkml_protocol::{
    Encoding, Field, G1, G2, InstanceLayout, Srs, Statement, Word,
    plonk::{
        Challenge, Domain, Eval, ExprBuilder, Node, PROTOCOL_VERSION, PermutationColumn, Program, Query,
    },
};

/// Rows at the end that hide the witness.
pub(super) const BLINDING: usize = 3;
/// The row that closes the permutation.
pub(super) const LAST: usize = N - 1 - BLINDING;
/// Permutation columns of one product.
pub(super) const CHUNK: usize = 2;
/// Advice columns, in the order of their indices.
const A: usize = 0;
const B: usize = 1;
const C: usize = 2;
pub(super) const F: usize = 3;
/// Columns of the permutation: the instances, then the advice columns.
const INSTANCE: usize = 0;

/// Cells, as column of the permutation and row, that are copies of each other.
pub(super) const CYCLES: [&[(usize, usize)]; 5] = [
    &[(INSTANCE, 1), (A + 1, 0), (B + 1, 0), (A + 1, 3)],
    &[(C + 1, 0), (A + 1, 1)],
    &[(A + 1, 2), (B + 1, 3)],
    &[(B + 1, 4), (INSTANCE, 2)],
    &[(F + 1, 3), (F + 1, 4)],
];

/// The word of a scalar.
pub(super) fn word(value: Fr) -> Word {
    Word(reversed(value.to_repr()))
}

/// The words of a point.
pub(super) fn words(point: G1Affine) -> G1 {
    G1 { x: base(point.x), y: base(point.y) }
}

pub(super) fn words2(point: G2Affine) -> G2 {
    let words = |value: halo2curves::bn256::Fq2| [base(value.c1), base(value.c0)];
    G2 { x: words(point.x), y: words(point.y) }
}

fn base(value: Fq) -> Word {
    Word(reversed(value.to_repr()))
}

fn reversed(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes.reverse();
    bytes
}

/// Separates the cosets of the permutation's columns.
fn delta() -> Fr {
    Fr::from(7)
}

/// The name of a cell in the permutation argument: `δ^column · ω^row`.
pub(super) fn cell(column: usize, row: usize) -> Fr {
    delta().pow([column as u64]) * omega().pow([row as u64])
}

/// Selectors of product, sum and check, and the constant of the sum.
pub(super) fn fixed() -> Vec<Values> {
    let rows = |rows: &[usize], value: u64| {
        let mut column = [Fr::ZERO; N];
        rows.iter().for_each(|row| column[*row] = Fr::from(value));
        column
    };
    vec![rows(&[0, 1], 1), rows(&[1], 1), rows(&[3, 4], 1), rows(&[1], 4)]
}

/// The permutation polynomials: each cell holds the name of the next in its cycle.
pub(super) fn sigma() -> Vec<Values> {
    let mut columns: Vec<Values> = (0..5).map(identity).collect();
    for cycle in CYCLES {
        for (place, (column, row)) in cycle.iter().enumerate() {
            let (next, at) = cycle[(place + 1) % cycle.len()];
            columns[*column][*row] = cell(next, at);
        }
    }
    columns
}

/// The permutation polynomial of a column without copies.
pub(super) fn identity(column: usize) -> Values {
    std::array::from_fn(|row| cell(column, row))
}

/// The program; its setup's secret is known to the tests alone.
pub(super) fn program() -> Program {
    let query = |column, rotation| Query { column, rotation };
    let committed = |columns: Vec<Values>| columns.iter().map(|c| commit(&interpolate(c))).collect();
    let g2 = G2Affine::generator();
    let mut builder = ExprBuilder::new();
    gates(&mut builder);
    let columns = [
        PermutationColumn::Instance,
        PermutationColumn::Eval(Eval::Advice(0)),
        PermutationColumn::Eval(Eval::Advice(1)),
        PermutationColumn::Eval(Eval::Advice(2)),
        PermutationColumn::Eval(Eval::Advice(3)),
    ];
    builder.permutation(&columns, CHUNK, word(delta()));
    let n_inv = Fr::from(N as u64).invert().unwrap();
    Program {
        version: PROTOCOL_VERSION,
        domain: Domain {
            k: N.ilog2(),
            omega: word(omega()),
            omega_inv: word(rotate(-1)),
            n_inv: word(n_inv),
        },
        blinding_factors: BLINDING as u32,
        num_instances: 3,
        advice_phases: vec![0, 0, 0, 1],
        challenge_phases: vec![0],
        advice_queries: vec![query(0, 0), query(1, 0), query(2, 0), query(3, 0), query(0, 1)],
        fixed_queries: (0..4).map(|column| query(column, 0)).collect(),
        fixed_commitments: committed(fixed()),
        sigma_commitments: committed(sigma()),
        products: 3,
        quotient_pieces: 3,
        constraints: builder.finish(),
        key_repr: word(dice(99)),
        srs: Srs {
            g1: words(G1Affine::generator()),
            g2: words2(g2),
            s_g2: words2((g2 * secret()).to_affine()),
            unsafe_dev: true,
        },
        statement: statement(),
    }
}

fn gates(builder: &mut ExprBuilder) {
    let [a, b, c, f, next] = [0, 1, 2, 3, 4].map(|index| builder.eval(Eval::Advice(index)));
    let [product, sum, check, constant] = [0, 1, 2, 3].map(|index| builder.eval(Eval::Fixed(index)));
    let value = builder.mul(a, b);
    let value = builder.sub(value, c);
    let value = builder.mul(product, value);
    builder.identity("product: c = a · b", value);
    let value = builder.sub(next, a);
    let value = builder.sub(value, constant);
    let value = builder.mul(sum, value);
    builder.identity("sum: next a = a + constant", value);
    let challenge = builder.node(Node::Challenge(Challenge::Circuit(0)));
    let value = builder.mul(challenge, b);
    let value = builder.add(a, value);
    let value = builder.sub(f, value);
    let value = builder.mul(check, value);
    builder.identity("check: f = a + χ · b", value);
}

fn statement() -> Statement {
    let field = |name: &str| Field {
        name: name.into(),
        values: 1,
        scale: 0,
        encoding: Encoding::Signed,
        bounds: None,
    };
    let instances = InstanceLayout { inputs: vec![field("x")], model: vec![], outputs: vec![field("y")] };
    let (model_hash, toolkit_version) = (word(dice(98)), "test".into());
    Statement { model_name: "square plus four".into(), model_hash, toolkit_version, instances }
}

/// Returns true if the instances (context, x, y) say `y = x² + 4`.
pub(super) fn is_true(instances: &[Fr]) -> bool {
    instances[2] == instances[1].square() + Fr::from(4)
}
