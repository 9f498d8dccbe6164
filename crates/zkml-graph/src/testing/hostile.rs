//! Bytes and graphs that nobody honest would write: refused or harmless, never a panic.

use proptest::prelude::*;

use super::{Case, cases};
use crate::ops::{Contract, Linear, Lookup, Max, MaxOperand, Reindex, Rescale};
use crate::{Bounds, Graph, GraphBuilder, GraphError, Map, Op, Visibility};

/// Whatever a graph that was accepted is asked for, it answers.
fn use_it(graph: &Graph) {
    let system = graph.system();
    let inputs: Vec<Vec<i64>> = graph
        .inputs
        .iter()
        .map(|(t, _)| vec![graph.tensor(*t).bounds.hi as i64; graph.tensor(*t).len()])
        .collect();
    if let Ok(trace) = graph.eval(&inputs) {
        let values = system.assign(&trace).expect("a trace fits its system");
        system.check(&values).unwrap_or_else(|e| panic!("{e}"));
    }
    let _ = (graph.macs(), graph.parameters(), system.to_string());
}

#[test]
fn truncated_and_extended_bytes_are_refused() {
    for Case { name, graph, .. } in cases() {
        let mut bytes = graph.to_bytes();
        for len in 0..bytes.len() {
            assert!(Graph::from_bytes(&bytes[..len]).is_err(), "{name}: {len} of {} bytes", bytes.len());
        }
        bytes.push(0);
        assert!(Graph::from_bytes(&bytes).is_err(), "{name}: one byte more");
    }
}

#[test]
fn flipped_bits_never_panic() {
    for Case { graph, .. } in cases() {
        let mut bytes = graph.to_bytes();
        for i in 0..bytes.len() {
            for bit in 0..8 {
                bytes[i] ^= 1 << bit;
                if let Ok(changed) = Graph::from_bytes(&bytes) {
                    assert_ne!(changed.hash(), graph.hash());
                    use_it(&changed);
                }
                bytes[i] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn numbers_with_padding_are_refused() {
    let bytes = cases()[0].graph.to_bytes();
    // The length of the name, one byte, written in two.
    let at = b"zkml-graph/1\n".len();
    let padded = [&bytes[..at], &[bytes[at] | 0x80, 0], &bytes[at + 1..]].concat();
    let error = Graph::from_bytes(&padded).expect_err("not canonical");
    assert!(error.to_string().contains("canonical"), "{error}");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [b"zkml-graph/1\n".as_slice(), &body].concat();
        if let Ok(graph) = Graph::from_bytes(&bytes) {
            use_it(&graph);
        }
    }
}

/// A graph of one input in `[lo, hi]` of the given shape, and one operator on it.
fn build(shape: &[usize], bounds: Bounds, op: impl Into<Op>) -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new("hostile");
    let x = b.input("x", shape, 0, bounds, Visibility::Committed)?;
    let y = b.node("node", op, &[x])?;
    b.output("y", y, Visibility::Public);
    b.finish()
}

#[test]
fn huge_shapes_are_refused_without_being_allocated() {
    let small = Bounds::new(0, 1);
    let rescale = || Rescale { divisor: 2, scale: 0, calibrated: None };
    for shape in [&[usize::MAX][..], &[1 << 40, 1 << 40], &[1 << 60, 0], &[1 << 29], &[0]] {
        assert!(matches!(build(shape, small, rescale()), Err(GraphError::Shape { .. })), "{shape:?}");
    }
    let mut wide = Map::identity(&[2]);
    wide.shape = vec![1 << 50];
    wide.axes[0].steps = vec![0];
    let relu = Max { a: wide.clone(), b: MaxOperand::Constant(0) };
    assert!(matches!(build(&[2], small, relu), Err(GraphError::Shape { .. })));
    let copy = Reindex { shape: vec![1 << 50], parts: vec![(wide.clone(), Map::identity(&[1 << 50]))] };
    assert!(matches!(build(&[2], small, copy), Err(GraphError::Shape { .. })));
}

#[test]
fn bounds_that_could_overflow_are_refused_by_name() {
    let wide = Bounds::new(-(1 << 60), 1 << 60);
    let whole = || Map::identity(&[2]);
    let sum = Linear { terms: vec![(4, whole())], constant: 0, scale: 0 };
    let difference = Max { a: whole(), b: MaxOperand::Constant(i64::MIN) };
    for op in [Op::from(sum), Op::from(difference)] {
        let error = build(&[2], wide, op).expect_err("overflows");
        assert!(matches!(&error, GraphError::Overflow { node, .. } if node == "node"), "{error}");
    }
    // Both of these end within bounds, but not on the way.
    let (table, one) = (vec![0, 0], Map::identity(&[2]));
    let name = "steep".into();
    let steep =
        Lookup { name, lo: 0, fraction_bits: 4, value: table, slope: vec![1 << 59; 2], shift: 10, scale: 0 };
    let error = build(&[2], Bounds::new(0, 31), steep).expect_err("slope · fraction overflows");
    assert!(matches!(error, GraphError::Overflow { .. }), "{error}");
    let mut b = GraphBuilder::new("cancels");
    let x = b.input("x", &[2], 0, Bounds::point(1 << 60), Visibility::Committed).expect("sound");
    let w = b.constant("w", &[2], 0, vec![1 << 60, -(1 << 60)]).expect("sound");
    let op = Contract { a: one.clone(), b: one, addend: None, ranks: [0, 0, 1, 0], y: Map::identity(&[]) };
    let error = b.node("node", op, &[x, w]).expect_err("the partial sums overflow");
    assert!(matches!(error, GraphError::Overflow { limit_bits: 120, .. }), "{error}");
    assert!(matches!(
        build(&[2], Bounds::new(0, i128::MAX), Rescale { divisor: 1, scale: 0, calibrated: None }),
        Err(GraphError::Overflow { .. })
    ));
}

#[test]
fn contradictory_operators_are_refused() {
    let bounds = Bounds::new(-8, 7);
    let whole = || Map::identity(&[4]);
    let table = Lookup {
        name: "t".into(),
        lo: -8,
        fraction_bits: 2,
        value: vec![0; 4],
        slope: vec![0; 4],
        shift: 0,
        scale: 0,
    };
    assert!(build(&[4], bounds, table.clone()).is_ok());
    let refused: Vec<Op> = vec![
        Rescale { divisor: 0, scale: 0, calibrated: None }.into(),
        Rescale { divisor: -4, scale: 0, calibrated: None }.into(),
        Rescale { divisor: 4, scale: i32::MAX, calibrated: None }.into(),
        Rescale { divisor: 4, scale: 0, calibrated: Some(Bounds::new(50, 60)) }.into(),
        Lookup { slope: vec![], ..table.clone() }.into(),
        Lookup { fraction_bits: 64, ..table.clone() }.into(),
        Lookup { shift: 64, ..table.clone() }.into(),
        Lookup { value: vec![], slope: vec![], ..table.clone() }.into(),
        Lookup { slope: vec![i64::MIN; 4], ..table.clone() }.into(),
        Lookup { lo: i64::MAX, ..table.clone() }.into(),
        Lookup { lo: 8, ..table }.into(),
        Linear { terms: vec![], constant: 0, scale: 0 }.into(),
        Linear { terms: vec![(1, Map::identity(&[5]))], constant: 0, scale: 0 }.into(),
        Linear { terms: vec![(1, whole()), (1, whole())], constant: 0, scale: 0 }.into(),
        Max { a: whole(), b: MaxOperand::View(whole()) }.into(),
        Reindex { shape: vec![4], parts: vec![(whole(), Map { axes: vec![], ..whole() })] }.into(),
        Reindex {
            shape: vec![4],
            parts: vec![(
                whole(),
                Map { axes: vec![crate::map::Axis { offset: 0, steps: vec![0] }], ..whole() },
            )],
        }
        .into(),
        Contract { a: whole(), b: whole(), addend: None, ranks: [usize::MAX, 1, 1, 1], y: whole() }.into(),
    ];
    for op in refused {
        assert!(build(&[4], bounds, op.clone()).is_err(), "{op:?} is accepted");
    }
}

#[test]
fn contractions_whose_shapes_disagree_are_refused() {
    let good = |ranks, y: &[usize]| Contract {
        a: Map::identity(&[2, 3]),
        b: Map::identity(&[3, 2]),
        addend: None,
        ranks,
        y: Map::identity(y),
    };
    let attempt = |op: Contract| {
        let mut b = GraphBuilder::new("contract");
        let x = b.input("x", &[2, 3], 0, Bounds::new(-1, 1), Visibility::Committed)?;
        let w = b.constant("w", &[3, 2], 0, vec![1; 6])?;
        b.node("node", op, &[x, w])
    };
    assert!(attempt(good([0, 1, 1, 1], &[2, 2])).is_ok());
    assert!(attempt(good([0, 1, 1, 1], &[4])).is_err());
    assert!(attempt(good([1, 1, 0, 1], &[2, 3, 2])).is_err());
    assert!(attempt(good([0, 0, 2, 0], &[])).is_err());
    let twice = Map::broadcast(&[1, 2], &[2, 2]).expect("broadcasts");
    assert!(attempt(Contract { y: twice, ..good([0, 1, 1, 1], &[2, 2]) }).is_err());
    assert!(
        attempt(Contract { addend: Some(Map::identity(&[2, 2])), ..good([0, 1, 1, 1], &[2, 2]) }).is_err()
    );
}

#[test]
fn graphs_that_lie_about_themselves_are_refused() {
    let case = cases().into_iter().find(|c| c.name == "network: perceptron").expect("exists");
    let forged = |change: &dyn Fn(&mut Graph)| {
        let mut graph = case.graph.clone();
        change(&mut graph);
        Graph::from_bytes(&graph.to_bytes()).expect_err("a lie").to_string()
    };
    let output = case.graph.nodes[0].output.0 as usize;
    type Lie<'a> = (&'a str, &'a dyn Fn(&mut Graph));
    let lies: [Lie<'_>; 8] = [
        ("does not exist", &|g| g.nodes[0].inputs[0].0 = 999),
        ("out of order", &|g| g.nodes.swap(0, 1)),
        ("does not give", &|g| g.tensors[output].bounds.hi -= 1),
        ("does not give", &|g| g.tensors[output].scale += 1),
        ("constant", &|g| g.tensors[1].bounds.hi += 1),
        ("defined twice", &|g| g.inputs.push(g.inputs[0])),
        ("nothing defines", &|g| drop(g.nodes.pop())),
        ("values", &|g| g.tensors[1].shape = vec![7]),
    ];
    for (says, lie) in lies {
        let error = forged(lie);
        assert!(error.contains(says), "{error} does not say `{says}`");
    }
}
