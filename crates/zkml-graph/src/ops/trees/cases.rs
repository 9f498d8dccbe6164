//! Test cases.

use super::{Split, Trees};
use crate::Map;
use crate::case::{Case, case, given};

fn split(feature: u32, threshold: i64, left: u32) -> Split {
    Split { feature: Some(feature), threshold, left }
}

/// One comparison each: both sides of a threshold, on it, always and never.
fn stumps() -> Case {
    let roots = vec![split(0, 3, 0), split(0, 4, 2), split(1, -2, 4), split(2, 100, 6), split(2, -50, 8)];
    let op = Trees { x: Map::identity(&[1, 3]), depth: 1, roots, nodes: vec![] };
    case("Trees: stumps", op, &[given(&[1, 3], (-9, 9), &[3, -3, 0])], &[1, 2, 4, 6, 9])
}

/// A tree of two levels, one with a leaf at its root's left, and one that compares nothing.
fn uneven(rows: usize, x: &[i64], expected: &[i64]) -> Case {
    let roots = vec![split(1, 0, 0), split(0, 5, 2), Split { feature: None, threshold: 7, left: 4 }];
    let nodes = vec![
        split(0, -3, 6),
        split(2, 2, 8),
        Split::leaf(2),
        split(1, 1, 10),
        Split::leaf(4),
        Split::leaf(5),
    ];
    let op = Trees { x: Map::identity(&[rows, 3]), depth: 2, roots, nodes };
    case(&format!("Trees: uneven, {rows} rows"), op, &[given(&[rows, 3], (-9, 9), x)], expected)
}

/// Trees that go on as one behind their roots, with features in several rows of several columns.
fn deep() -> Case {
    let left = |i: u32| if i < 6 { 2 * i + 2 } else { 14 + 2 * (i - 6) };
    let nodes = (0..14).map(|i| split((7 * i + 3) % 10, i64::from(i) - 6, left(i)));
    let roots = vec![split(6, 0, 0), split(5, 10, 0), split(0, -7, 0)];
    let x: Vec<i64> = vec![-7, 4, 0, -2, 9, 2, -1, 3, 6];
    // Padding in front: feature 0 is −5, feature f is x[f − 1] else.
    let mut map = Map::identity(&[9]);
    map.shape = vec![1, 10];
    map.axes[0].steps = vec![0, 1];
    map.axes[0].offset = -1;
    map.pad = Some(-5);
    let op = Trees { x: map, depth: 4, roots, nodes: nodes.collect() };
    // Seen: −5 −7 4 0 −2 9 2 −1 3 6.
    case("Trees: deep, padded", op, &[given(&[9], (-9, 9), &x)], &[28, 20, 28])
}

/// The cases.
pub(in super::super) fn cases() -> Vec<Case> {
    vec![
        stumps(),
        uneven(1, &[5, -1, 3], &[7, 10, 4]),
        uneven(2, &[-4, -1, 3, 4, 0, 1], &[6, 2, 4, 8, 2, 4]),
        deep(),
    ]
}
