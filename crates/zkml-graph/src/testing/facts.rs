//! What operators say of their results, and what they state, at the edges: exactly, and not only near enough.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::cases;
use crate::case::{Operand, given};
use crate::ops::{
    ArgMax, Contract, Divide, Linear, Lookup, Max, MaxOperand, Piece, Pieces, Product, Reindex, Rescale,
    Root, Split, Trees,
};
use crate::{Bounds, GraphBuilder, GraphError, Map, Op, Tensor, Visibility};

/// The result of an operator, or why there is none.
fn result(op: impl Into<Op>, operands: &[Operand]) -> Result<Tensor, GraphError> {
    let mut b = GraphBuilder::new("facts");
    let mut ids = Vec::new();
    for (i, o) in operands.iter().enumerate() {
        let name = format!("x{i}");
        ids.push(match o.bounds {
            Some(bounds) => b.input(&name, &o.shape, o.scale, bounds, Visibility::Committed)?,
            None => b.constant(&name, &o.shape, o.scale, o.values.clone())?,
        });
    }
    let y = b.node("node", op, &ids)?;
    Ok(b.tensor(y).clone())
}

fn whole() -> Map {
    Map::identity(&[2])
}

fn one(scale: i32) -> Operand {
    given(&[2], (1, 9), &[1, 2]).at_scale(scale)
}

fn table(fraction_bits: u32, shift: u32) -> Lookup {
    let slope = if fraction_bits > 0 { vec![0] } else { vec![] };
    Lookup { name: "t".into(), lo: -(1 << 60), fraction_bits, value: vec![0], slope, shift, scale: 0 }
}

/// A function of two pieces, with its first `x`, and last `x`, value and slope of the second.
fn line(lo: i64, shift: u32, last: i64, value: i64, slope: i64) -> Pieces {
    let pieces = vec![Piece { last: 0, value: 0, slope: 0 }, Piece { last, value, slope }];
    Pieces { name: "p".into(), lo, pieces, shift, scale: 0 }
}

fn divide(shift: u32) -> Divide {
    Divide { a: whole(), b: whole(), shift, calibrated: None }
}

/// A tree of one comparison on each of two features.
fn stumps() -> Trees {
    let roots = [0, 1].map(|f| Split { feature: Some(f), threshold: 2, left: 2 * f });
    Trees { x: Map::identity(&[1, 2]), depth: 1, roots: roots.to_vec(), nodes: vec![] }
}

fn root(shift: u32) -> Root {
    Root { shift, calibrated: None }
}

#[test]
fn results_have_the_scale_of_what_was_computed() {
    let (a, b) = (7, 4);
    let dot = Contract { a: whole(), b: whole(), addend: None, ranks: [0, 0, 1, 0], y: Map::identity(&[]) };
    let key = Lookup { lo: 1, value: vec![0; 9], scale: -3, ..table(0, 0) };
    let cases: [(Op, Vec<Operand>, i32); 11] = [
        (divide(2).into(), vec![one(a), one(b)], 7 - 4 + 2),
        (Product { a: whole(), b: whole() }.into(), vec![one(a), one(b)], 7 + 4),
        (dot.into(), vec![one(a), one(b)], 7 + 4),
        (Linear { terms: vec![(3, whole())], constant: 1, scale: 12 }.into(), vec![one(a)], 12),
        (Rescale { divisor: 2, scale: 6, calibrated: None }.into(), vec![one(a)], 6),
        (Max { a: whole(), b: MaxOperand::Constant(0) }.into(), vec![one(a)], 7),
        (Reindex { shape: vec![2], parts: vec![(whole(), whole())] }.into(), vec![one(a)], 7),
        (ArgMax { x: whole(), shape: vec![] }.into(), vec![one(a)], 0),
        (key.into(), vec![one(a)], -3),
        (root(5).into(), vec![one(a)], 6),
        (stumps().into(), vec![one(a)], 0),
    ];
    for (op, operands, scale) in cases {
        assert_eq!(result(op.clone(), &operands).map(|t| t.scale), Ok(scale), "{op:?}");
    }
}

#[test]
fn a_table_is_split_and_rounded_by_fewer_bits_than_values_have() {
    let x = [given(&[1], (-(1 << 60), -(1 << 60)), &[-(1 << 60)])];
    let refused = |t: Lookup| {
        let verdict = result(t, &x);
        matches!(verdict, Err(GraphError::Shape { ref detail, .. }) if detail.contains("contradicts itself"))
    };
    for (fraction_bits, shift) in [(60, 0), (1, 60), (60, 60), (0, 0)] {
        assert!(!refused(table(fraction_bits, shift)), "{fraction_bits} and {shift} bits");
    }
    // An exact table is not rounded.
    for (fraction_bits, shift) in [(61, 0), (1, 61), (0, 1)] {
        assert!(refused(table(fraction_bits, shift)), "{fraction_bits} and {shift} bits");
    }
    // Values and slopes are as large as any integer may be, of either sign.
    let limit = 1i64 << 61;
    for (v, fits) in [(limit - 1, true), (1 - limit, true), (limit, false), (-limit, false)] {
        let large = |t: Lookup| matches!(result(t, &x), Err(GraphError::Overflow { .. }));
        assert_eq!(!large(Lookup { value: vec![v], ..table(0, 0) }), fits, "value {v}");
        assert_eq!(!large(Lookup { slope: vec![v], ..table(1, 0) }), fits, "slope {v}");
    }
}

#[test]
fn divisors_and_shifts_end_where_they_say() {
    let zero = given(&[2], (0, 0), &[0, 0]);
    for (shift, fits) in [(0, true), (60, true), (61, false)] {
        assert_eq!(result(divide(shift), &[zero.clone(), one(0)]).is_ok(), fits, "shift {shift}");
    }
    for (lo, fits) in [(1, true), (0, false), (-1, false)] {
        let by = given(&[2], (lo, 9), &[1, 2]);
        assert_eq!(result(divide(0), &[zero.clone(), by]).is_ok(), fits, "divisor from {lo}");
    }
    let limit = 1i64 << 61;
    for (divisor, fits) in [(0, false), (1, true), (limit, true), (limit + 1, false)] {
        let op = Rescale { divisor, scale: 0, calibrated: None };
        assert_eq!(result(op, &[one(0)]).is_ok(), fits, "divisor {divisor}");
    }
}

#[test]
fn quotients_lie_between_those_of_the_ends() {
    for (a, b, shift, expected) in [
        ((-7, 7), (2, 3), 0, (-4, 3)),
        ((5, 7), (2, 3), 0, (1, 3)),
        ((-7, -5), (2, 3), 0, (-4, -2)),
        ((-7, 7), (2, 3), 2, (-14, 14)),
    ] {
        let operands = [given(&[2], a, &[0, 0]), given(&[2], b, &[2, 2])];
        let Bounds { lo, hi } = result(divide(shift), &operands).expect("divides").bounds;
        assert_eq!((lo, hi), expected, "{a:?}·2^{shift} / {b:?}");
    }
}

#[test]
fn roots_lie_between_those_of_the_ends() {
    for (x, shift, expected) in [
        ((4, 8), 0, Some((2, 2))),
        ((3, 9), 0, Some((1, 3))),
        ((-7, 9), 2, Some((0, 6))),
        ((-7, 0), 60, Some((0, 0))),
        ((-7, -1), 0, None),
        ((0, 1), 60, Some((0, 1 << 30))),
        ((0, 2), 60, None),
        ((0, 0), 62, None),
    ] {
        let bounds = result(root(shift), &[given(&[2], x, &[0, 0])]).ok().map(|t| (t.bounds.lo, t.bounds.hi));
        assert_eq!(bounds, expected, "{x:?}·2^{shift}");
    }
    for (scale, shift, fits) in [(3, 1, true), (3, 2, false), (-3, 1, true), (-3, 0, false)] {
        assert_eq!(result(root(shift), &[one(scale)]).is_ok(), fits, "scale {scale} and {shift} bits");
    }
}

#[test]
fn operands_are_as_many_as_an_operator_takes() {
    let dot =
        |addend| Contract { a: whole(), b: whole(), addend, ranks: [0, 0, 1, 0], y: Map::identity(&[]) };
    let cases: [(Op, usize); 13] = [
        (divide(0).into(), 2),
        (Product { a: whole(), b: whole() }.into(), 2),
        (dot(None).into(), 2),
        (dot(Some(Map::slice(&[2], &[0], &[]))).into(), 3),
        (Linear { terms: vec![(1, whole()), (1, whole())], constant: 0, scale: 0 }.into(), 2),
        (Rescale { divisor: 2, scale: 0, calibrated: None }.into(), 1),
        (Max { a: whole(), b: MaxOperand::Constant(0) }.into(), 1),
        (Max { a: whole(), b: MaxOperand::View(whole()) }.into(), 2),
        (Reindex { shape: vec![2], parts: vec![(whole(), whole())] }.into(), 1),
        (ArgMax { x: whole(), shape: vec![] }.into(), 1),
        (root(0).into(), 1),
        (stumps().into(), 1),
        (Lookup { lo: 1, value: vec![0; 9], ..table(0, 0) }.into(), 1),
    ];
    for (op, takes) in cases {
        for n in [takes - 1, takes + 1] {
            let says = format!("it takes {takes} operands, {n} are given");
            match result(op.clone(), &vec![one(0); n]) {
                Err(GraphError::Shape { detail, .. }) => assert_eq!(detail, says, "{op:?}"),
                other => panic!("{op:?} of {n}: {other:?}"),
            }
        }
    }
}

#[test]
fn trees_whose_walks_go_astray_are_refused() {
    let split = |feature, threshold, left| Split { feature: Some(feature), threshold, left };
    let tree = |depth, root: Split, nodes: &[Split]| Trees {
        depth,
        roots: vec![root],
        nodes: nodes.to_vec(),
        ..stumps()
    };
    let inner = [split(1, 3, 2), Split::leaf(1)];
    let refused = |op: Trees| match result(op, &[one(0)]) {
        Err(GraphError::Shape { detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(result(tree(2, split(0, 2, 0), &inner), &[one(0)]).map(|t| t.bounds), Ok(Bounds::new(1, 3)));
    let early = refused(tree(3, split(0, 2, 0), &inner));
    assert_eq!(early, "comparison 2 of 3 leads to 2, which is none of the 2 nodes");
    assert_eq!(
        refused(tree(2, split(0, 2, 1), &inner)),
        "comparison 1 of 2 leads to 2, which is none of the 2 nodes"
    );
    let feature = refused(tree(1, split(2, 7, 0), &[]));
    assert_eq!(feature, "a comparison of feature Some(2) of 2 with 7");
    assert!(refused(tree(1, split(0, 1 << 61, 0), &[])).contains("with 2305843009213693952"));
    assert!(refused(tree(1, split(0, 0, u32::MAX), &[])).contains("too large a number"));
    for depth in [0, 65] {
        assert!(refused(tree(depth, split(0, 2, 0), &inner)).contains(&format!("of depth {depth}")));
    }
    assert!(refused(Trees { roots: vec![], ..stumps() }).contains("0 trees"));
    assert!(refused(Trees { x: Map::identity(&[2]), ..stumps() }).contains("features of shape [2]"));
    // A difference needs one bit more than what it is made of.
    let wide = [given(&[1, 2], (-(1 << 60), 1 << 60), &[0, 0])];
    let far = |t: i64| result(tree(1, split(0, t, 0), &[]), &wide);
    assert!(far((1 << 60) - 1).is_ok());
    assert!(matches!(far(-(1 << 60)), Err(GraphError::Overflow { .. })));
    let many = |features: usize| {
        let x = Map::identity(&[1, features]);
        result(Trees { x, ..stumps() }, &[given(&[1, features], (0, 1), &vec![0; features])])
    };
    assert!(many(Trees::MAX_FEATURES).is_ok());
    let error = many(Trees::MAX_FEATURES + 1).expect_err("too many").to_string();
    assert!(error.contains("897 features take 61 bits to choose from, more than 60"), "{error}");
}

#[test]
fn operands_that_differ_in_shape_or_scale_are_refused() {
    let three = Map::identity(&[3]);
    let wide = || given(&[3], (1, 9), &[1, 2, 3]);
    let terms = |b: &Map| vec![(1, whole()), (1, b.clone())];
    let differ: [Op; 4] = [
        Divide { b: three.clone(), ..divide(0) }.into(),
        Product { a: whole(), b: three.clone() }.into(),
        Max { a: whole(), b: MaxOperand::View(three.clone()) }.into(),
        Linear { terms: terms(&three), constant: 0, scale: 0 }.into(),
    ];
    for op in differ {
        let error = result(op.clone(), &[one(0), wide()]).expect_err("shapes differ");
        assert!(error.to_string().contains("operands of shapes [2] and [3]"), "{op:?}: {error}");
    }
    let halves = |start: usize| Map::slice(&[4], &[start], &[2]);
    let same: [Op; 2] = [
        Max { a: whole(), b: MaxOperand::View(whole()) }.into(),
        Reindex { shape: vec![4], parts: vec![(whole(), halves(0)), (whole(), halves(2))] }.into(),
    ];
    for op in same {
        assert!(result(op.clone(), &[one(3), one(3)]).is_ok(), "{op:?}");
        let error = result(op.clone(), &[one(3), one(4)]).expect_err("scales differ");
        assert!(error.to_string().contains("has scale 3 and `x1` has scale 4"), "{op:?}: {error}");
    }
}

#[test]
fn no_relation_speaks_of_no_element() {
    for case in cases() {
        for (label, relation) in case.graph.system().relations {
            let views = relation.views();
            assert!(views.iter().all(|v| !v.map.is_empty()), "{}: {label}: {relation}", case.name);
        }
    }
}

#[test]
fn the_relations_of_every_operator_are_pinned() {
    // Bounds of auxiliary variables too: with wider ones honest values still fit, and ranges cost more.
    let mut seen = BTreeSet::new();
    let mut page = String::new();
    for case in crate::ops::cases() {
        let special = ["one element", "interpolated", "shared divisor", "uneven, 2 rows"]
            .iter()
            .any(|s| case.name.ends_with(s));
        let kind = case.graph.nodes[0].op.spec().kind();
        let rounded = case.name.ends_with("interpolated and rounded");
        if seen.insert(kind) || special || rounded {
            writeln!(page, "# {}\n{}", case.name, case.graph.system()).expect("strings take all");
        }
    }
    insta::assert_snapshot!(page);
}

/// Bits that hold the magnitude of a number.
fn bits(v: i128) -> u32 {
    128 - v.unsigned_abs().leading_zeros()
}

#[test]
fn what_relations_leave_loose_is_at_least_what_results_reach() {
    let confined = ["ArgMax", "Divide", "Lookup", "Pieces", "Root", "Trees"];
    let mut seen = BTreeSet::new();
    for case in cases() {
        for node in &case.graph.nodes {
            let spec = node.op.spec();
            // As loose as the bounds of the operands are, and a hundred bits looser.
            for more in [0, 100] {
                let of = |t: &crate::TensorId| bits(case.graph.tensor(*t).bounds.magnitude()) + more;
                let loose = spec.loose_bits(&node.inputs.iter().map(of).collect::<Vec<_>>());
                let rounds = matches!(&node.op, Op::Rescale(r) if r.divisor != 1);
                if confined.contains(&spec.kind()) || rounds {
                    assert_eq!(loose, None, "{}", case.name);
                    continue;
                }
                let result = bits(case.graph.tensor(node.output).bounds.magnitude());
                let loose =
                    loose.unwrap_or_else(|| panic!("{}: {} confines nothing", case.name, spec.kind()));
                let least = if more == 0 { result } else { result + more };
                // A result that is fixed by constants does not grow with its operands.
                let grows = !matches!(&node.op, Op::Max(_) | Op::Reindex(_));
                assert!(loose >= if grows { least.max(more) } else { more.max(1) }, "{}: {loose}", case.name);
                seen.insert(spec.kind());
            }
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["Contract", "Linear", "Max", "Product", "Reindex", "Rescale"]
    );
}

#[test]
fn what_is_left_loose_holds_for_the_largest_operands_and_constants() {
    let largest = (1i64 << 10) - 1;
    for terms in 1..6 {
        let op =
            Linear { terms: vec![(-largest, Map::identity(&[2])); terms], constant: (1 << 20) - 1, scale: 0 };
        let sum = terms as i128 * i128::from(largest).pow(2) + i128::from(op.constant);
        let loose = Op::from(op).spec().loose_bits(&vec![10; terms]);
        assert!(loose.is_some_and(|loose| loose >= bits(sum)), "{terms} terms: {loose:?} for {sum}");
    }
    let padded = Map { pad: Some(-largest), ..Map::identity(&[2]) };
    let op = Linear { terms: vec![(1, padded)], constant: 0, scale: 0 };
    assert!(Op::from(op).spec().loose_bits(&[1]).is_some_and(|loose| loose >= 10), "padding counts");
}

#[test]
fn pieces_are_in_order_and_not_empty() {
    let x = [given(&[1], (0, 0), &[0])];
    let refused = |op: Pieces| {
        let verdict = result(op, &x);
        matches!(verdict, Err(GraphError::Shape { ref detail, .. }) if detail.contains("contradict each other"))
    };
    let limit = 1i64 << 61;
    for (op, fits) in [
        (line(0, 1, 1, 0, 0), true),
        // Nothing before the first piece, nothing in the second.
        (line(1, 1, 2, 0, 0), false),
        (line(0, 1, 0, 0, 0), false),
        (line(0, 1, -1, 0, 0), false),
        (line(0, 0, 1, 0, 0), false),
        (line(0, 60, 1, 0, 0), true),
        (line(0, 61, 1, 0, 0), false),
        (line(1 - limit, 1, 1, 0, 0), true),
        (line(-limit, 1, 1, 0, 0), false),
        (line(i64::MIN, 1, 1, 0, 0), false),
        (line(0, 1, limit - 1, 0, 0), true),
        (line(0, 1, limit, 0, 0), false),
        (line(0, 1, 1, limit - 1, 0), true),
        (line(0, 1, 1, -limit, 0), false),
        (line(0, 1, 1, 0, 1 - limit), true),
        (line(0, 1, 1, 0, limit), false),
        (Pieces { pieces: vec![], ..line(0, 1, 1, 0, 0) }, false),
    ] {
        assert_eq!(!refused(op.clone()), fits, "{op:?}");
    }
    let steep = result(line(0, 1, 1 << 40, 0, 1 << 40), &x);
    assert!(matches!(steep, Err(GraphError::Overflow { .. })), "{steep:?}");
    let large = result(line(0, 1, 9, limit - 1, 1), &x);
    assert!(large.is_ok(), "{large:?}");
    let apart = result(line(0, 1, 1, 0, 0), &[given(&[1], (2, 9), &[2])]);
    assert!(apart.expect_err("no piece").to_string().contains("does not meet"));
}

#[test]
fn bounds_of_pieces_are_those_of_their_values() {
    let piece = |last, value, slope| Piece { last, value, slope };
    let pieces = vec![piece(-7, 3, 9), piece(-3, -7, 4), piece(0, 20, -9), piece(7, 5, 2)];
    let op = Pieces { name: "p".into(), lo: -8, pieces, shift: 2, scale: 0 };
    let alone = |x: i64| result(op.clone(), &[given(&[1], (x.into(), x.into()), &[x])]).map(|t| t.bounds);
    for (from, to) in (-8..=7).flat_map(|from| (from..=7).map(move |to| (from, to))) {
        let all = result(op.clone(), &[given(&[1], (from.into(), to.into()), &[from])]).map(|t| t.bounds);
        let union = (from..=to).map(|x| alone(x).expect("a value")).reduce(Bounds::union);
        assert_eq!(all.ok(), union, "[{from}, {to}]");
    }
}

#[test]
fn bounds_of_a_table_are_those_of_its_values() {
    let mut tried = 0;
    for (lo, fraction_bits, shift) in [(-8, 0, 0), (-8, 1, 1), (-5, 2, 3), (0, 3, 0)] {
        let values = [3, -7, 20, 0, 5, -1];
        let slope = if fraction_bits > 0 { vec![4, -9, 0, 7, -2, 11] } else { vec![] };
        let op =
            Lookup { name: "t".into(), lo, fraction_bits, value: values.to_vec(), slope, shift, scale: 0 };
        let last = lo + (6 << fraction_bits) - 1;
        // Every interval within the domain, against each of its values alone.
        let alone = |x: i64| result(op.clone(), &[given(&[1], (x.into(), x.into()), &[x])]).map(|t| t.bounds);
        for (from, to) in (lo..=last).flat_map(|from| (from..=last).map(move |to| (from, to))) {
            let all = result(op.clone(), &[given(&[1], (from.into(), to.into()), &[from])]).map(|t| t.bounds);
            let union = (from..=to).map(|x| alone(x).expect("a value")).reduce(Bounds::union);
            assert_eq!(all.ok(), union, "[{from}, {to}] of {op:?}");
            tried += 1;
        }
    }
    assert!(tried > 500, "{tried}");
}
