//! The certificate refuses whatever is missing, weakened or assumed.

use std::sync::{Arc, OnceLock};

use zkml_graph::{
    Bounds, Graph, GraphBuilder, Map, Relation, Section, Standing, System as Relations, Visibility,
    ops::{Max, MaxOperand},
    testing,
};
use zkml_poseidon::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH};
use zkml_protocol::{
    Word, field,
    sumcheck::{Form, Source, System},
};

use super::confirm;
use crate::layout::{
    Layout, Options, Ranges,
    hash::{full_row, partial_row},
    lay_out,
};

/// Adds one to a cell of `W`.
fn one_more(layout: &mut Layout, at: usize) {
    let weights = Arc::make_mut(&mut layout.weights);
    let value = weights.get(at).expect("a cell") + halo2curves::bn256::Fr::from(1);
    weights.set(at, value);
}

fn layouts() -> &'static [(String, Relations, Layout)] {
    static LAYOUTS: OnceLock<Vec<(String, Relations, Layout)>> = OnceLock::new();
    LAYOUTS.get_or_init(|| {
        let mut out = Vec::new();
        for case in testing::cases().into_iter().filter(|c| c.weights.is_empty()) {
            let mut graph: Graph = case.graph;
            show(&mut graph, Visibility::Public);
            let relations = graph.system();
            for options in [
                Options::default(),
                Options { limb_bits: 5, lookups_per_helper: 1, columns: 4, ..Options::default() },
            ] {
                let layout = lay_out(&relations, &options).expect("it is laid out");
                out.push((case.name.clone(), relations.clone(), layout));
            }
        }
        out.extend(committed());
        out.extend(private());
        out
    })
}

fn show(graph: &mut Graph, visibility: Visibility) {
    graph.inputs.iter_mut().for_each(|(_, v)| *v = visibility);
    graph.outputs.iter_mut().for_each(|o| o.visibility = visibility);
}

/// A graph that takes in so many values that they fill several words.
fn long() -> (String, Graph) {
    let mut b = GraphBuilder::new("long");
    let x = b.input("x", &[70], 0, Bounds::new(-2000, 2000), Visibility::Committed).expect("an input");
    let positive = Max { a: Map::identity(&[70]), b: MaxOperand::Constant(0) };
    let y = b.node("relu", positive, &[x]).expect("a node");
    b.output("y", y, Visibility::Committed);
    ("long".into(), b.finish().expect("a graph"))
}

/// Layouts with private weights, and those of the ranges of these weights.
fn private() -> Vec<(String, Relations, Layout)> {
    let mut out = Vec::new();
    for case in crate::private_tests::cases() {
        let relations = case.graph.system();
        let layout = lay_out(&relations, &Options::default()).expect("it is laid out");
        let ranges = layout.ranges.clone().expect("private weights");
        out.push((format!("ranges of {}", case.name), ranges.relations, ranges.layout));
        out.push((case.name, relations, layout));
    }
    out
}

/// Layouts with commitments: to values in one word and in several, in one call and in several.
fn committed() -> Vec<(String, Relations, Layout)> {
    let mut out: Vec<(String, Relations, Layout)> = Vec::new();
    let cases = testing::cases().into_iter().filter(|c| c.weights.is_empty()).map(|c| (c.name, c.graph));
    for (name, mut graph) in cases.chain([long()]) {
        show(&mut graph, Visibility::Committed);
        let relations = graph.system();
        let layout = lay_out(&relations, &Options::default()).expect("it is laid out");
        let kind = |l: &Layout| {
            let chains = l.structure.hash.iter().flat_map(|h| &h.chains);
            chains.map(|c| (c.block.is_some(), c.padding().is_some(), c.calls > 1)).collect::<Vec<_>>()
        };
        if out.iter().all(|(.., other)| kind(other) != kind(&layout)) {
            out.push((format!("{name}, committed"), relations, layout));
        }
    }
    out
}

impl Layout {
    /// Returns true if a form reads this element of `W`, by all values of its indices.
    fn reads(&self, at: usize) -> bool {
        let evaluator = super::evaluate::Evaluator::new(self);
        let mut other = self.clone();
        one_more(&mut other, at);
        let changed = super::evaluate::Evaluator::with_cells_of(&other, &evaluator);
        self.system.linears.iter().any(|l| evaluator.linear(l) != changed.linear(l))
    }
}

/// Tries changes of the system, numbered from zero until there is no such one; each has to be refused.
fn refused(what: &str, allowed: usize, change: impl Fn(&mut System, usize) -> Option<bool>) {
    let (mut tried, mut accepted) = (0, Vec::new());
    for (name, relations, whole) in layouts() {
        let mut layout = whole.clone();
        for i in 0.. {
            layout.system = whole.system.clone();
            match change(&mut layout.system, i) {
                None => break,
                Some(false) => continue,
                Some(true) => {}
            }
            tried += 1;
            if confirm(relations, &layout.ledger, &layout).is_ok() {
                accepted.push(format!("{name}: {what} {i}"));
            }
        }
    }
    assert!(tried > 30, "{what}: only {tried} tried");
    assert!(accepted.len() <= allowed, "{tried} tried, {} accepted: {accepted:#?}", accepted.len());
}

fn bump(word: &mut Word) {
    *word = field::add(*word, Word::ONE);
}

fn forms(system: &mut System) -> Vec<&mut Form> {
    let contractions = system.contractions.iter_mut().flat_map(|c| [&mut c.a, &mut c.b, &mut c.y]);
    contractions.chain(system.linears.iter_mut().map(|l| &mut l.form)).collect()
}

#[test]
fn every_layout_is_certified() {
    let all = layouts();
    assert!(all.len() > 80);
    for (name, relations, layout) in all {
        confirm(relations, &layout.ledger, layout).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn a_missing_or_changed_gate_is_refused() {
    let gate = |s: &mut System, i: usize| {
        let all: Vec<(usize, usize)> = s
            .templates
            .iter()
            .enumerate()
            .flat_map(|(t, x)| (0..x.gates.len()).map(move |g| (t, g)))
            .collect();
        all.get(i).copied()
    };
    refused("a missing gate", 0, |s, i| {
        let (t, g) = gate(s, i)?;
        s.templates[t].gates.remove(g);
        Some(true)
    });
    refused("another coefficient of a gate", 0, |s, i| {
        let (t, g) = gate(s, i)?;
        let gate = &mut s.templates[t].gates[g].0;
        bump(&mut gate[0].coefficient);
        // With one monomial it is the same gate, up to a factor.
        Some(gate.len() > 1)
    });
    refused("a gate times a column", 0, |s, i| {
        let (t, g) = gate(s, i)?;
        s.templates[t].gates[g].0.iter_mut().for_each(|m| m.columns.push(0));
        Some(true)
    });
}

#[test]
fn a_missing_or_changed_lookup_is_refused() {
    let lookup = |s: &System, i: usize| {
        let all = s.templates.iter().enumerate().flat_map(|(t, x)| (0..x.lookups.len()).map(move |l| (t, l)));
        let used = all.filter(|(t, l)| !s.templates[*t].lookups[*l].key.terms.is_empty());
        used.collect::<Vec<_>>().get(i).copied()
    };
    refused("a missing lookup", 0, |s, i| {
        let (t, l) = lookup(s, i)?;
        s.templates[t].lookups[l] = zkml_protocol::sumcheck::Lookup::default();
        Some(true)
    });
    refused("another key", 0, |s, i| {
        let (t, l) = lookup(s, i)?;
        bump(&mut s.templates[t].lookups[l].key.constant);
        Some(true)
    });
    refused("another tag", 0, |s, i| {
        let (t, l) = lookup(s, i)?;
        s.templates[t].lookups[l].tag += 1;
        Some(true)
    });
    refused("a template that ends early", 0, |s, i| {
        let (t, l) = lookup(s, i)?;
        s.templates[t].segments.pop();
        Some(l == 0)
    });
}

#[test]
fn another_table_is_refused() {
    refused("a wider range", 0, |s, i| {
        let range = s.table.segments.iter_mut().find(|x| x.tag == 0)?;
        range.rows.bits += 1;
        (i == 0).then_some(true)
    });
    refused("a key more", 0, |s, i| {
        let segment = s.table.segments.get_mut(i)?;
        segment.first_key += 1;
        Some(true)
    });
}

#[test]
fn a_changed_form_is_refused() {
    refused("another coefficient of a form", 0, |s, i| {
        let mut all = forms(s);
        let terms: Vec<_> = all.iter_mut().flat_map(|f| &mut f.0).collect();
        let term = terms.into_iter().nth(i)?;
        bump(&mut term.cells[0].1);
        Some(true)
    });
    refused("another cell", 0, |s, i| {
        let mut all = forms(s);
        let terms: Vec<_> = all.iter_mut().flat_map(|f| &mut f.0).collect();
        let term = terms.into_iter().nth(i)?;
        let free = (0..40).find(|bit| term.axes.iter().all(|a| *bit < a.bit || *bit >= a.bit + a.bits))?;
        term.cells[0].0 ^= 1 << free;
        Some(matches!(term.source, Source::Witness | Source::Private))
    });
    refused("a missing term", 0, |s, i| {
        let mut left = i;
        for form in forms(s) {
            if left < form.0.len() {
                let term = form.0.remove(left);
                // A literal zero says nothing.
                return Some(term.cells.iter().any(|(_, w)| !w.is_zero()));
            }
            left -= form.0.len();
        }
        None
    });
}

#[test]
fn another_constant_of_the_hash_is_refused() {
    let mut tried = 0;
    for (name, relations, whole) in committed() {
        let wide = |w: Option<halo2curves::bn256::Fr>| w.is_some_and(|w| crate::field::to_i64(&w).is_none());
        let constants: Vec<usize> =
            (0..whole.weights.len()).filter(|i| wide(whole.weights.get(*i))).collect();
        for at in constants.into_iter().step_by(7) {
            let mut layout = whole.clone();
            one_more(&mut layout, at);
            // Words of calls that nobody makes, and constants of words where elements have theirs.
            let unread = confirm(&relations, &layout.ledger, &layout).is_ok();
            assert!(!unread || !whole.reads(at), "{name}: constant {at}");
            tried += usize::from(!unread);
        }
    }
    assert!(tried > 30, "only {tried} refused");
}

/// Calls are in the rows of their blocks, all of them.
#[test]
fn a_call_beyond_its_block_is_refused() {
    for (name, relations, whole) in committed() {
        let Some(hash) = whole.structure.hash.clone() else { continue };
        let full = full_row(hash.calls - 1, FULL_ROUNDS - 1, WIDTH - 1);
        let partial = partial_row(hash.calls - 1, PARTIAL_ROUNDS - 1);
        for (block, last) in [(hash.full, full), (hash.partial, partial)] {
            let mut layout = whole.clone();
            assert!(layout.structure.blocks[block].count > last, "{name}");
            layout.structure.blocks[block].count = last;
            let said = confirm(&relations, &layout.ledger, &layout).expect_err("a call beyond its block");
            assert!(said.to_string().contains("share cells"), "{name}: {said}");
        }
    }
}

#[test]
fn values_in_several_words_are_among_the_layouts() {
    let words = |l: &Layout| l.structure.hash.iter().flat_map(|h| &h.chains).map(|c| c.packed).max();
    assert!(committed().iter().any(|(.., layout)| words(layout) > Some(3)));
}

#[test]
fn a_missing_relation_is_refused() {
    refused("a missing linear relation", 0, |s, i| {
        if i >= s.linears.len() {
            return None;
        }
        s.linears.remove(i);
        Some(true)
    });
    refused("another public value", 0, |s, i| {
        let l = s.linears.get_mut(i)?;
        let shown = l.instances.is_some();
        l.instances = l.instances.map(|n| n + 1);
        Some(shown)
    });
}

/// Ranges of private weights that a layout leaves to another one, which says something else.
#[test]
fn ranges_apart_are_of_the_same_weights() {
    type Change = fn(&mut Layout);
    let changes: [(&str, Change); 9] = [
        ("nothing states them", |l| l.ranges = None),
        ("a relation is missing", |l| {
            of_ranges(l).relations.relations.remove(0);
        }),
        ("a relation is another", |l| {
            let of = of_ranges(l);
            if let Relation::Range { lo, .. } = &mut of.relations.relations[0].1 {
                *lo -= 1;
            }
        }),
        ("another window", |l| {
            if let Standing::LaidOut { window: Some(w), .. } = &mut of_ranges(l).layout.ledger.standings[0] {
                w.hi += 1;
            }
        }),
        ("another length of the vector", |l| of_ranges(l).layout.opening.bits += 1),
        ("another shape of the matrix", |l| of_ranges(l).layout.opening.column_bits -= 1),
        ("another place", |l| of_ranges(l).layout.private[0].base += 1),
        ("another numbering", |l| of_ranges(l).layout.private[0].digits.bits[0] += 1),
        ("another vector", |l| of_ranges(l).layout.system.private.as_mut().expect("private").cells += 1),
    ];
    for (name, relations, whole) in private().into_iter().filter(|(.., l)| l.ranges.is_some()) {
        confirm(&relations, &whole.ledger, &whole).expect("as it is");
        for (what, change) in changes {
            let mut layout = whole.clone();
            change(&mut layout);
            assert!(confirm(&relations, &layout.ledger, &layout).is_err(), "{name}: {what}");
        }
    }
}

fn of_ranges(layout: &mut Layout) -> &mut Ranges {
    layout.ranges.as_deref_mut().expect("ranges")
}

/// The statement commits to all private weights, to nothing else, and at the instance that the verifier compares.
#[test]
fn other_private_weights_are_refused() {
    type Change = fn(&mut Layout, &mut Relations);
    let changes: [(&str, Change); 5] = [
        ("another instance", |l, _| l.system.private.as_mut().expect("private").instance += 1),
        ("no instance", |l, _| l.system.private = None),
        ("a weight without a place", |l, _| {
            l.private.remove(0);
        }),
        ("a weight that is not committed to", |_, r| {
            for (_, relation) in &mut r.relations {
                if let Relation::Commit { parts, section: Section::Model } = relation {
                    parts.remove(0);
                }
            }
        }),
        ("a weight that is partly committed to", |_, r| {
            for (_, relation) in &mut r.relations {
                if let Relation::Commit { parts, section: Section::Model } = relation {
                    parts[0].0.map.axes[0].offset += 1;
                }
            }
        }),
    ];
    for (name, relations, whole) in private() {
        for (what, change) in changes {
            let (mut layout, mut relations) = (whole.clone(), relations.clone());
            change(&mut layout, &mut relations);
            assert!(confirm(&relations, &layout.ledger, &layout).is_err(), "{name}: {what}");
        }
    }
}
