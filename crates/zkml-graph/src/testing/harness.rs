//! Every case through evaluation, relations and perturbation.

use std::collections::BTreeSet;

use super::{Case, cases};
use crate::case::{fixed, given, single};
use crate::ops::{Contract, Linear, Lookup, Max, MaxOperand, Product, Reindex, Rescale, Root};
use crate::{Bounds, Graph, GraphBuilder, GraphError, Map, Op, RangeKind, Relation, System, Visibility};

/// The values of all variables of a case, which satisfy its system.
fn assigned(case: &Case, system: &System) -> Vec<Vec<i64>> {
    let trace = case.trace().unwrap_or_else(|e| panic!("{}: {e}", case.name));
    system.assign(&trace).unwrap_or_else(|| panic!("{}: auxiliary values do not fit", case.name))
}

#[test]
fn evaluation_gives_what_was_found_by_hand() {
    for case in cases() {
        let trace = case.trace().unwrap_or_else(|e| panic!("{}: {e}", case.name));
        for (output, expected) in case.graph.outputs.iter().zip(&case.expected) {
            assert_eq!(&trace.values[output.tensor.0 as usize], expected, "{}, {}", case.name, output.name);
        }
    }
}

#[test]
fn relations_hold_on_every_trace() {
    for case in cases() {
        let system = case.graph.system();
        let values = assigned(&case, &system);
        system.check(&values).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    }
}

#[test]
fn honest_values_keep_their_bounds() {
    for case in cases() {
        let system = case.graph.system();
        for (var, values) in system.vars.iter().zip(assigned(&case, &system)) {
            let outside = values.iter().find(|&&v| !var.bounds.contains(v.into()));
            assert_eq!(outside, None, "{}: {} in {:?}", case.name, var.name, var.bounds);
        }
    }
}

#[test]
fn changing_any_cell_breaks_a_relation() {
    for case in cases() {
        let system = case.graph.system();
        let mut values = assigned(&case, &system);
        for (i, j) in case.cells(&system) {
            let honest = values[i][j];
            let random = (i as i64 * 7919 + j as i64 * 104_729 + 12_345) % 100_000 + 2;
            for delta in [1, -1, random, -random] {
                values[i][j] = honest + delta;
                let verdict = system.check(&values);
                let name = &system.vars[i].name;
                assert!(verdict.is_err(), "{}: {name}[{j}] = {honest} {delta:+} is accepted", case.name);
            }
            values[i][j] = honest;
        }
    }
}

#[test]
fn constants_cannot_change() {
    for case in cases() {
        let system = case.graph.system();
        let mut values = assigned(&case, &system);
        for i in (0..system.vars.len()).filter(|&i| system.vars[i].constant.is_some()) {
            values[i][0] += 1;
            assert!(system.check(&values).is_err(), "{}: {} changed", case.name, system.vars[i].name);
            values[i][0] -= 1;
        }
    }
}

#[test]
fn values_of_the_wrong_shape_are_refused() {
    let case = &cases()[0];
    let system = case.graph.system();
    let mut values = assigned(case, &system);
    values[1].push(0);
    assert!(matches!(system.check(&values), Err(GraphError::Count { .. })));
    values.pop();
    assert!(matches!(system.check(&values), Err(GraphError::InputCount { .. })));
}

#[test]
fn every_operator_has_cases_and_names_are_unique() {
    let all = cases();
    let kinds: BTreeSet<&str> =
        all.iter().flat_map(|c| c.graph.nodes.iter().map(|n| n.op.spec().kind())).collect();
    let expected = [
        "ArgMax", "Contract", "Divide", "Linear", "Lookup", "Max", "Pieces", "Product", "Reindex", "Rescale",
        "Root", "Trees",
    ];
    assert!(kinds.iter().eq(&expected), "{kinds:?}");
    let names: BTreeSet<&str> = all.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn wired_elements_have_one_source() {
    for case in cases() {
        let mut wired = BTreeSet::new();
        for (label, relation) in case.graph.system().relations {
            if let Relation::Copy { to, .. } = relation {
                let once = to.map.iter().all(|i| i.is_some_and(|i| wired.insert((to.var, i))));
                assert!(once, "{}: {label} wires an element twice", case.name);
            }
        }
    }
}

#[test]
fn graphs_survive_their_bytes_and_hash_alike() {
    for case in cases() {
        let bytes = case.graph.to_bytes();
        let back = Graph::from_bytes(&bytes).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert_eq!(back, case.graph, "{}", case.name);
        assert_eq!((back.to_bytes(), back.hash()), (bytes, case.graph.hash()), "{}", case.name);
    }
}

fn network(name: &str) -> Case {
    let found = cases().into_iter().find(|c| c.name == format!("network: {name}"));
    found.expect("the network is among the cases")
}

#[test]
fn the_hash_of_a_graph_is_pinned() {
    // A change here changes the hash of every compiled model: raise the version in the magic bytes with it.
    // This network has no table that floating point computes.
    let hash: String = network("convolution").graph.hash().iter().map(|b| format!("{b:02x}")).collect();
    insta::assert_snapshot!(hash);
}

#[test]
fn a_system_prints() {
    insta::assert_snapshot!(network("perceptron").graph.system());
}

#[test]
fn private_weights_are_no_part_of_a_graph() {
    let (public, private) = (network("perceptron"), network("private perceptron"));
    assert_eq!(private.graph.parameters(), public.graph.parameters());
    assert!(private.graph.tensors.iter().all(|t| t.constant.is_none()));
    assert!(matches!(
        private.graph.eval(&private.inputs),
        Err(GraphError::WeightCount { expected: 4, got: 0 })
    ));
    let mut wide = private.clone();
    wide.weights[0][0] = 1 << 15;
    let error = wide.trace().expect_err("beyond 16 bits");
    assert!(
        matches!(error, GraphError::OutOfBounds { ref tensor, index: 0, .. } if tensor == "w1"),
        "{error}"
    );
    insta::assert_snapshot!(private.graph.system());
}

#[test]
fn a_graph_counts_its_parts() {
    let graph = network("perceptron").graph;
    assert_eq!((graph.parameters(), graph.macs()), (6 + 2 + 2 + 1, 6 + 2));
}

#[test]
fn values_outside_a_table_or_the_calibrated_range_are_refused_by_name() {
    let table = Lookup {
        name: "narrow".into(),
        lo: 0,
        fraction_bits: 1,
        value: vec![1, 2],
        slope: vec![0, 0],
        shift: 0,
        scale: 0,
    };
    for x in [-1, 4] {
        let (graph, inputs) = single("narrow", table.clone(), &[given(&[3], (-9, 9), &[0, x, 3])]);
        let error = graph.eval(&inputs).expect_err("outside the table");
        let GraphError::OutOfBounds { tensor, index: 1, value, .. } = error else { panic!("{error}") };
        assert_eq!((tensor.as_str(), value), ("x0", i128::from(x)));
    }
    let root = Root { shift: 0, calibrated: Some(Bounds::new(2, 3)) };
    for (x, wrong) in [(-1, "x0"), (3, "node"), (4, ""), (15, ""), (16, "node")] {
        let (graph, inputs) = single("root", root.clone(), &[given(&[2], (-9, 99), &[4, x])]);
        match graph.eval(&inputs) {
            Ok(_) => assert_eq!(wrong, "", "{x}"),
            Err(GraphError::OutOfBounds { tensor, index: 1, .. }) => assert_eq!(tensor, wrong, "{x}"),
            Err(error) => panic!("{x}: {error}"),
        }
    }
    let rescale = Rescale { divisor: 2, scale: 0, calibrated: Some(Bounds::new(-1, 1)) };
    let (graph, inputs) = single("calibrated", rescale, &[given(&[2], (-9, 9), &[0, 3])]);
    let error = graph.eval(&inputs).expect_err("outside what was calibrated");
    assert!(
        matches!(error, GraphError::OutOfBounds { ref tensor, index: 1, value: 2, .. } if tensor == "node")
    );
    let (graph, _) =
        single("input", Rescale { divisor: 2, scale: 0, calibrated: None }, &[given(&[1], (0, 9), &[0])]);
    for (x, accepted) in [(-1, false), (0, true), (9, true), (10, false)] {
        assert_eq!(graph.eval(&[vec![x]]).is_ok(), accepted, "{x}");
    }
    assert!(matches!(graph.eval(&[]), Err(GraphError::InputCount { expected: 1, got: 0 })));
    assert!(matches!(graph.eval(&[vec![1, 2]]), Err(GraphError::Count { expected: 1, got: 2, .. })));
}

#[test]
fn products_of_loose_factors_are_confined_before_they_wrap() {
    // Signs stay signs, but each range check is loose by 16 bits, which every squaring doubles.
    let mut b = GraphBuilder::new("powers");
    let mut x = b.input("x", &[1], 0, Bounds::new(-1, 1), Visibility::Committed).expect("sound");
    for i in 0..8 {
        let op = Product { a: Map::identity(&[1]), b: Map::identity(&[1]) };
        x = b.node(&format!("square.{i}"), op, &[x, x]).expect("fits");
    }
    b.output("y", x, Visibility::Public);
    let system = b.finish().expect("sound").system();
    let confined =
        |label: &String, r: &Relation| matches!(r, Relation::Range { .. }) && label.starts_with("square");
    let labels: Vec<&str> =
        system.relations.iter().filter(|(l, r)| confined(l, r)).map(|(l, _)| l.as_str()).collect();
    assert_eq!(labels, ["square.2", "square.5"]);
    for case in cases() {
        let needless = case.graph.system().relations.into_iter().any(|(_, r)| match r {
            Relation::Range { v, kind: RangeKind::Sound, .. } => {
                let node = case.graph.nodes.iter().find(|n| n.output.0 == v.var.0);
                let kind = node.map_or("input", |n| n.op.spec().kind());
                let is_output = case.graph.outputs.iter().any(|o| o.tensor.0 == v.var.0);
                !is_output && ["Contract", "Linear", "Max", "Product", "Reindex"].contains(&kind)
            }
            _ => false,
        });
        assert!(!needless, "{}: a result that cannot wrap is ranged", case.name);
    }
}

#[test]
fn static_bounds_are_attained() {
    let line = |lo: i64, hi: i64| (lo..=hi).collect::<Vec<i64>>();
    let domain = line(-9, 12);
    let whole = Map::identity(&[domain.len()]);
    let x = || given(&[domain.len()], (-9, 12), &domain);
    let table = |fraction_bits, n: i64| Lookup {
        name: "bent".into(),
        lo: -16,
        fraction_bits,
        value: line(0, n - 1).iter().map(|v| (v * 37) % 11 - 5).collect(),
        slope: if fraction_bits > 0 {
            line(0, n - 1).iter().map(|v| (v * 5) % 7 - 3).collect()
        } else {
            vec![]
        },
        shift: fraction_bits,
        scale: 0,
    };
    let mut padded = Map { shape: vec![23], pad: Some(99), ..whole.clone() };
    padded.axes[0].offset = -1;
    let unary: Vec<Op> = vec![
        Rescale { divisor: 5, scale: 0, calibrated: None }.into(),
        Max { a: whole.clone(), b: MaxOperand::Constant(3) }.into(),
        Linear { terms: vec![(-3, whole)], constant: 2, scale: 0 }.into(),
        table(0, 32).into(),
        table(2, 8).into(),
        Reindex { shape: vec![23], parts: vec![(padded, Map::identity(&[23]))] }.into(),
    ];
    for op in unary {
        let (graph, inputs) = single("unary", op, &[x()]);
        let output = graph.outputs[0].tensor;
        let trace = graph.eval(&inputs).expect("the whole domain evaluates");
        let reached = Bounds::of(trace.values[output.0 as usize].iter().copied());
        assert_eq!(graph.tensor(output).bounds, reached, "{:?}", graph.nodes[0].op);
    }
}

#[test]
fn bounds_of_a_contraction_follow_its_weights() {
    // Both corners of the input box, per output: the sum of |w| decides, not the largest product.
    let weights = [[4, -5], [0, 7], [-6, 1]];
    let bias = [10, -20];
    let (lo, hi) = (-3, 8);
    let op = Contract {
        a: Map::identity(&[1, 3]),
        b: Map::identity(&[3, 2]),
        addend: Map::broadcast(&[2], &[1, 2]),
        ranks: [0, 1, 1, 1],
        y: Map::identity(&[1, 2]),
    };
    let operands = [
        given(&[1, 3], (lo.into(), hi.into()), &[0; 3]),
        fixed(&[3, 2], &weights.concat()),
        fixed(&[2], &bias),
    ];
    let (graph, _) = single("contract", op, &operands);
    let mut reached = Vec::new();
    for corner in 0..8 {
        let x = (0..3).map(|i| if corner >> i & 1 == 0 { lo } else { hi }).collect();
        let trace = graph.eval(&[x]).expect("corners are admissible");
        reached.extend(trace.values[graph.outputs[0].tensor.0 as usize].clone());
    }
    assert_eq!(graph.tensor(graph.outputs[0].tensor).bounds, Bounds::of(reached));
}
