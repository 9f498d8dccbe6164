//! The committed samples that other crates develop and test against.

use crate::support::circuit::{Factor, GateShape, Shape};
use std::path::PathBuf;

/// Name and shape of each fixture.
pub(crate) fn shapes() -> Vec<(&'static str, Shape)> {
    vec![("plain", plain()), ("two_phases", two_phases()), ("random_19", Shape::random(19))]
}

/// Where a fixture lies.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/protocol")
        .join(format!("{name}.json"))
}

/// One gate, a few copies.
fn plain() -> Shape {
    Shape {
        k: 5,
        inputs: [2, 0],
        fixed: 1,
        instances: 3,
        permuted: 2,
        copies: 2,
        reach: 1,
        gates: vec![GateShape {
            terms: vec![
                (1, vec![Factor::Advice(0, 0), Factor::Advice(1, 0)]),
                (-2, vec![Factor::Advice(0, 1)]),
                (1, vec![Factor::Fixed(0, 0)]),
            ],
            out_rotation: 0,
        }],
        seed: 1,
        ..Shape::default()
    }
}

/// Two challenges, columns of both phases, several permutation products, several opening sets.
fn two_phases() -> Shape {
    Shape {
        k: 6,
        inputs: [5, 2],
        fixed: 2,
        challenges: 2,
        instances: 5,
        permuted: 6,
        copies: 6,
        reach: 1,
        gates: vec![
            GateShape {
                terms: vec![
                    (1, vec![Factor::Advice(0, 0), Factor::Advice(1, 0), Factor::Fixed(0, 0)]),
                    (3, vec![Factor::Advice(2, -1)]),
                ],
                out_rotation: 0,
            },
            GateShape {
                terms: vec![
                    (1, vec![Factor::Challenge(0), Factor::Advice(3, 0)]),
                    (1, vec![Factor::Challenge(1), Factor::Advice(5, 0), Factor::Advice(6, 1)]),
                    (-1, vec![Factor::Instance, Factor::Fixed(1, 0)]),
                ],
                out_rotation: 1,
            },
        ],
        seed: 2,
    }
}
