//! Small systems by brute force: near the honest values nothing else is accepted, and no relation is idle.

use crate::case::{Operand, given, single};
use crate::ops::{ArgMax, Divide, Lookup, Max, MaxOperand, Piece, Pieces, Rescale, Root, Split, Trees};
use crate::{Map, Op, RangeKind, Relation, System};

/// A cell: variable, element, and how far it may be from its value.
type Cell = (usize, usize, i64);

/// Number of assignments that `system` accepts when each of `cells` is anywhere within its reach.
fn solutions(system: &System, values: &[Vec<i64>], cells: &[Cell]) -> usize {
    let mut values = values.to_vec();
    let mut count = 0;
    let mut offsets: Vec<i64> = cells.iter().map(|&(_, _, reach)| -reach).collect();
    cells.iter().for_each(|&(i, j, reach)| values[i][j] -= reach);
    loop {
        count += usize::from(system.check(&values).is_ok());
        let Some(next) = offsets.iter().zip(cells).position(|(&o, &(_, _, reach))| o < reach) else {
            return count;
        };
        for (d, &(i, j, reach)) in cells.iter().enumerate().take(next + 1) {
            let step = if d == next { 1 } else { -2 * reach };
            offsets[d] += step;
            values[i][j] += step;
        }
    }
}

/// For all `operands`: the system has one solution near the honest one; and each relation is needed to make
/// one of them so. Ranges that only prevent wrapping have nothing to do among integers.
fn one_solution_and_no_idle_relation(op: impl Into<Op>, operands: &[Vec<Operand>], reach: i64) {
    let op = op.into();
    let mut idle: Option<Vec<bool>> = None;
    for operands in operands {
        let (graph, inputs) = single("exhaustive", op.clone(), operands);
        let system = graph.system();
        let values = system.assign(&graph.eval(&inputs).expect("evaluates")).expect("assigns");
        let free = |i: &usize| system.vars[*i].constant.is_none() && *i >= operands.len();
        // A remainder beyond its range goes with another quotient, at a distance of the divisor.
        let far = |i: usize| if system.vars[i].name.ends_with(".rem") { reach.max(2) } else { reach };
        let cells: Vec<Cell> = (0..system.vars.len())
            .filter(free)
            .flat_map(|i| (0..system.vars[i].len()).map(move |j| (i, j, far(i))))
            .collect();
        assert_eq!(solutions(&system, &values, &cells), 1, "{op:?} on {inputs:?}");
        let idle = idle.get_or_insert_with(|| vec![true; system.relations.len()]);
        for (r, idle) in idle.iter_mut().enumerate().filter(|(_, idle)| **idle) {
            let mut without = system.clone();
            without.relations.remove(r);
            *idle = solutions(&without, &values, &cells) == 1;
        }
        let loose = |(label, r): &(String, Relation)| match r {
            // What packs into field elements is ranged exactly, whether results depend on that or not.
            Relation::Range { kind, .. } => *kind == RangeKind::Sound || label == "inputs",
            other => matches!(other, Relation::Public { .. } | Relation::Commit { .. }),
        };
        (0..idle.len()).for_each(|r| idle[r] &= !loose(&system.relations[r]));
    }
    let idle = idle.unwrap_or_default();
    assert!(!idle.contains(&true), "relations {idle:?} of {op:?} could be left out");
}

fn scalars(bounds: (i128, i128)) -> Vec<Vec<Operand>> {
    (bounds.0..=bounds.1).map(|x| vec![given(&[1], bounds, &[x as i64])]).collect()
}

#[test]
fn rescale() {
    for divisor in [1, 2, 3, 4, 6] {
        let op = Rescale { divisor, scale: 0, calibrated: None };
        one_solution_and_no_idle_relation(op, &scalars((-7, 7)), divisor + 1);
    }
}

#[test]
fn max() {
    let a = || Map::identity(&[1]);
    for c in [0, 2, -2] {
        one_solution_and_no_idle_relation(Max { a: a(), b: MaxOperand::Constant(c) }, &scalars((-5, 5)), 3);
    }
    let pairs: Vec<_> =
        (-3..=3).map(|x| vec![given(&[1], (-3, 3), &[x]), given(&[1], (-3, 3), &[1])]).collect();
    one_solution_and_no_idle_relation(Max { a: a(), b: MaxOperand::View(a()) }, &pairs, 3);
}

#[test]
fn divide() {
    let one = || Map::identity(&[1]);
    let op = Divide { a: one(), b: one(), shift: 1, calibrated: None };
    let pair = |a, b| vec![given(&[1], (-6, 6), &[a]), given(&[1], (1, 3), &[b])];
    let pairs: Vec<_> = (-6..=6).flat_map(|a| (1..=3).map(move |b| pair(a, b))).collect();
    one_solution_and_no_idle_relation(op, &pairs, 3);
}

#[test]
fn root() {
    for shift in [0, 1, 2] {
        let operands: Vec<_> =
            (0..=20).map(|x| vec![given(&[1], (0, 20), &[x]).at_scale(shift as i32)]).collect();
        one_solution_and_no_idle_relation(Root { shift, calibrated: None }, &operands, 5);
    }
}

#[test]
fn lookup() {
    let exact = Lookup {
        name: "exact".into(),
        lo: -2,
        fraction_bits: 0,
        value: vec![3, 1, 1, 0],
        slope: vec![],
        shift: 0,
        scale: 0,
    };
    one_solution_and_no_idle_relation(exact.clone(), &scalars((-2, 1)), 3);
    let unrounded = Lookup { fraction_bits: 1, value: vec![3, 4, 2], slope: vec![1, -1, 0], ..exact };
    one_solution_and_no_idle_relation(unrounded.clone(), &scalars((-2, 3)), 2);
    one_solution_and_no_idle_relation(Lookup { shift: 1, ..unrounded }, &scalars((-2, 3)), 2);
}

#[test]
fn pieces() {
    let piece = |last, value, slope| Piece { last, value, slope };
    // Neighbours differ so little that a step of each cell leads from one piece to the next.
    let pieces = vec![piece(-2, 3, 1), piece(-1, 2, 0), piece(1, 3, 1)];
    let op = Pieces { name: "pieces".into(), lo: -2, pieces, shift: 1, scale: 0 };
    one_solution_and_no_idle_relation(op, &scalars((-2, 1)), 1);
}

#[test]
fn argmax() {
    let rows = [[0, 1], [1, 0], [1, 1], [-1, 2]];
    let op = ArgMax { x: Map::identity(&[2]), shape: vec![] };
    let operands: Vec<_> = rows.iter().map(|r| vec![given(&[2], (-2, 2), r)]).collect();
    one_solution_and_no_idle_relation(op, &operands, 1);
}

#[test]
fn trees() {
    let split = |feature, threshold, left| Split { feature: Some(feature), threshold, left };
    let tree = |depth, nodes| Trees { x: Map::identity(&[1, 1]), depth, roots: vec![split(0, 1, 0)], nodes };
    let x: Vec<_> = (-2..=2).map(|x| vec![given(&[1], (-2, 2), &[x])]).collect();
    one_solution_and_no_idle_relation(tree(1, vec![]), &x, 2);
}
