//! What proofs say about outputs: bounds that follow from the relations as they are laid out.

use std::collections::BTreeSet;

use zkml_graph::{Bounds as Declared, Graph, Relation, Section, System, Visibility, testing};
use zkml_halo2::keys;
use zkml_protocol::{Bounds, Encoding, InstanceLayout};
use zkml_srs::Srs;

use crate::networks::Net;

/// Sizes of limbs that planners choose from.
const LIMBS: [u32; 4] = [5, 8, 11, 14];

fn layout(graph: &Graph, system: &System, limb_bits: u32) -> InstanceLayout {
    zkml_statement::of(graph, system, limb_bits).expect("everything is confined").instances
}

fn bounds(layout: &InstanceLayout) -> Vec<Option<Bounds>> {
    layout.inputs.iter().chain(&layout.model).chain(&layout.outputs).map(|field| field.bounds).collect()
}

/// All cases with inputs and outputs that everybody sees.
fn public() -> Vec<testing::Case> {
    let mut cases = testing::cases();
    for case in &mut cases {
        case.graph.inputs.iter_mut().for_each(|i| i.1 = Visibility::Public);
        case.graph.outputs.iter_mut().for_each(|o| o.visibility = Visibility::Public);
    }
    cases
}

#[test]
fn outputs_of_real_runs_lie_in_them() {
    for case in public() {
        let system = case.graph.system();
        let trace = case.trace().expect("evaluates");
        for limb_bits in LIMBS {
            let layout = layout(&case.graph, &system, limb_bits);
            let ids =
                case.graph.inputs.iter().map(|i| i.0).chain(case.graph.outputs.iter().map(|o| o.tensor));
            for (field, id) in layout.inputs.iter().chain(&layout.outputs).zip(ids) {
                let Some(bounds) = field.bounds else { panic!("{}: {} has none", case.name, field.name) };
                for v in &trace.values[id.0 as usize] {
                    assert!(bounds.contains(*v), "{}: {v} is not in {bounds:?}", case.name);
                }
                if let Encoding::Packed(code) = field.encoding {
                    assert!(code.writes(bounds.lowest) && code.writes(bounds.highest), "{}", case.name);
                }
            }
        }
    }
}

#[test]
fn what_a_graph_declares_does_not_move_them() {
    let mut wider = 0;
    for case in public() {
        let (graph, system) = (&case.graph, case.graph.system());
        for limb_bits in LIMBS {
            let proven = layout(graph, &system, limb_bits);
            // The same relations under other declarations, of all that is no constant.
            let (mut liar, mut lying) = (graph.clone(), system.clone());
            let free = liar.tensors.iter_mut().filter(|t| t.constant.is_none());
            free.for_each(|t| t.bounds = Declared::point(0));
            let free = lying.vars.iter_mut().filter(|v| v.constant.is_none());
            free.for_each(|v| v.bounds = Declared::point(0));
            assert_eq!(bounds(&layout(&liar, &lying, limb_bits)), bounds(&proven), "{}", case.name);
            for (field, output) in proven.outputs.iter().zip(&graph.outputs) {
                let (Some(b), declared) = (field.bounds, graph.tensor(output.tensor).bounds) else {
                    continue;
                };
                wider +=
                    usize::from(i128::from(b.lowest) < declared.lo || i128::from(b.highest) > declared.hi);
            }
        }
        // And a file that declares less than its operators give is refused.
        for output in &graph.outputs {
            if graph.nodes.iter().all(|n| n.output != output.tensor) {
                continue;
            }
            let mut narrow = graph.clone();
            let tensor = &mut narrow.tensors[output.tensor.0 as usize];
            tensor.bounds = Declared { lo: tensor.bounds.lo, hi: tensor.bounds.hi - 1 };
            assert!(Graph::from_bytes(&narrow.to_bytes()).is_err(), "{}", case.name);
        }
    }
    assert!(wider > 10, "proven and declared bounds differ in {wider} cases only");
}

#[test]
fn they_move_with_the_relation_that_confines_an_output() {
    let mut moved = BTreeSet::new();
    for case in public() {
        let system = case.graph.system();
        let before = layout(&case.graph, &system, 8).outputs;
        let shown = |r: &Relation| match r {
            Relation::Public { v, section: Section::Output, .. } => Some(v.var),
            _ => None,
        };
        let outputs: Vec<_> = system.relations.iter().filter_map(|(_, r)| shown(r)).collect();
        for i in 0..system.relations.len() {
            let mut wide = system.clone();
            let Relation::Range { v, bits, .. } = &mut wide.relations[i].1 else { continue };
            let Some(at) = outputs.iter().position(|o| *o == v.var) else { continue };
            *bits += 9;
            let Ok(after) = zkml_statement::of(&case.graph, &wide, 8) else { continue };
            let (old, new) = (before[at].bounds, after.instances.outputs[at].bounds);
            if let (Some(old), Some(new)) = (old, new) {
                assert!(new.contains(old.lowest) && new.contains(old.highest), "{}", case.name);
                if new != old {
                    moved.insert(case.name.clone());
                }
            }
        }
    }
    assert!(moved.len() > 5, "only {moved:?}");
}

#[test]
fn commitments_have_none_and_keys_carry_them() {
    let (private, _) = Net::private_mlp("private", &[16, 8, 1], 1);
    let open = Net::mlp("open", &[4, 3, 1], false);
    let sizes: Vec<_> = (5..=14).map(|limb| layout(&open, &open.system(), limb).outputs[0].bounds).collect();
    assert!(sizes.iter().any(|b| *b != sizes[0]), "the size of limbs matters here: {sizes:?}");
    for graph in [private, open] {
        let system = graph.system();
        let plan = zkml_halo2::plan(&system, zkml_halo2::Optimize::Gas).expect("plans");
        let srs = Srs::dev(plan.k).expect("setup");
        let keys = keys::setup(&graph, &system, &plan, &srs, "dev").expect("keys");
        let told = &keys.program.statement.instances;
        assert_eq!(*told, layout(&graph, &system, plan.shape.limb_bits), "at the limb size of the plan");
        for field in told.inputs.iter().chain(&told.model).chain(&told.outputs) {
            assert_eq!(field.bounds.is_none(), field.encoding == Encoding::Commitment, "{field:?}");
        }
        assert!(told.outputs[0].bounds.is_some());
    }
}
