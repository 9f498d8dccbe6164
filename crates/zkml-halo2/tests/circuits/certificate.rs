//! The certificate of a layout refuses whatever is missing, weakened or assumed.

use std::sync::Arc;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{
    Bounds, Code, Ledger, Relation, Standing, System, TableId, VarId, View, intervals::Proven,
    ledger::contracted, testing, wiring::Elem,
};
use zkml_halo2::{
    block::{Defined, Group, Slot, Term},
    blueprint::{Blueprint, Survey, blueprint},
    cells::Source,
    certificate::{confirm, confirm_rows},
    contraction::FIELD_BITS,
    gate::Gate,
    placement::layout,
    polynomial::Polynomial,
    shape::Shape,
    standing,
};

use crate::networks::Net;

/// A system as it is laid out.
struct Laid {
    name: String,
    system: System,
    ledger: Ledger,
    blueprint: Blueprint,
}

impl Laid {
    fn refused(&self) -> bool {
        confirm(&self.system, &self.ledger, &self.blueprint).is_err()
    }

    /// Refusals of a change at every place that has one.
    fn expect_refusals(
        &self,
        what: &str,
        places: usize,
        change: impl Fn(&mut Ledger, &mut Blueprint, usize) -> bool,
    ) {
        for i in 0..places {
            let mut changed = Self {
                ledger: self.ledger.clone(),
                blueprint: self.blueprint.clone(),
                name: String::new(),
                system: self.system.clone(),
            };
            if change(&mut changed.ledger, &mut changed.blueprint, i) {
                assert!(changed.refused(), "{}: {what} at {i} is certified", self.name);
            }
        }
    }

    fn groups(&self) -> impl Iterator<Item = (usize, &Group)> {
        self.blueprint.groups.iter().map(|(_, g)| g).enumerate()
    }
}

fn shapes() -> [Shape; 2] {
    let shape = |a_columns, u_columns, limb_bits, max_height, fold| Shape {
        a_columns,
        u_columns,
        w_columns: a_columns,
        limb_bits,
        max_height,
        fold,
        sweep: fold,
        table_outputs: 2,
    };
    [shape(2, 1, 5, 10, false), shape(3, 3, 8, 4, true)]
}

fn laid() -> Vec<Laid> {
    let cases = testing::cases().into_iter().map(|c| (c.name, c.graph));
    let private = Net::private_mlp("private", &[6, 5, 1], 1).0;
    let mut out = Vec::new();
    for (name, graph) in
        cases.chain([("mlp".into(), Net::mlp("mlp", &[6, 5, 1], true)), ("private".into(), private)])
    {
        let system = graph.system();
        let survey = Survey::new(&system);
        for shape in shapes() {
            let proven: Proven = survey.proven(shape.limb_bits).expect("confined");
            let blueprint = blueprint(&survey, &proven, &shape).expect("draws");
            let ledger = standing::ledger(&system, &proven, &blueprint);
            let name = format!("{name}, {} columns", shape.a_columns);
            out.push(Laid { name, system: system.clone(), ledger, blueprint });
        }
    }
    out
}

#[test]
fn every_layout_is_certified() {
    let mut counts = [0; 3];
    for l in laid() {
        confirm(&l.system, &l.ledger, &l.blueprint).unwrap_or_else(|e| panic!("{}: {e}", l.name));
        let layout = layout(&l.system, l.blueprint.clone()).unwrap_or_else(|e| panic!("{}: {e}", l.name));
        confirm_rows(&l.system, &layout).unwrap_or_else(|e| panic!("{}: {e}", l.name));
        counts.iter_mut().zip(l.ledger.counts()).for_each(|(a, b)| *a += b);
    }
    assert!(counts.iter().all(|c| *c > 20), "{counts:?} relations are laid out, substituted, implied");
}

#[test]
fn a_missing_or_changed_constraint_is_refused() {
    for l in laid() {
        for (g, group) in l.groups() {
            // Two cells that show one view are copies, whatever a constraint says.
            let twin = |p: &Polynomial<Slot>| {
                let view = |s: &Slot| group.cells.iter().find(|(c, _)| c == s).map(|(_, v)| v);
                let mut views = p.0.keys().map(|m| m.first().and_then(view));
                p.0.len() == 2 && views.next() == views.next()
            };
            l.expect_refusals("a missing constraint", group.template.polys.len(), |_, b, i| {
                let polys = &mut Arc::make_mut(&mut b.groups[g].1.template).polys;
                !twin(&polys.remove(i))
            });
            l.expect_refusals("another coefficient", group.template.polys.len(), |_, b, i| {
                let poly = &mut Arc::make_mut(&mut b.groups[g].1.template).polys[i];
                let twin = twin(poly);
                poly.0.iter_mut().next().is_some_and(|(_, c)| {
                    *c += Fr::ONE;
                    !twin
                })
            });
            l.expect_refusals("a constraint that holds on a part", group.template.polys.len(), |_, b, i| {
                let poly = &mut Arc::make_mut(&mut b.groups[g].1.template).polys[i];
                let Some(slot) = poly.0.keys().flatten().next().copied() else { return false };
                *poly = poly.times(&Polynomial::atom(slot));
                !twin(&group.template.polys[i])
            });
        }
    }
}

#[test]
fn what_has_no_cell_must_be_the_provers_to_choose() {
    let mut constants = 0;
    for l in laid() {
        for (g, group) in l.groups() {
            // The forgery that was possible once: an equation is solved for a constant, and disappears.
            l.expect_refusals("a cell that is defined instead", group.cells.len(), |_, b, i| {
                let group = &mut b.groups[g].1;
                let (slot, view) = group.cells.remove(i);
                Arc::make_mut(&mut group.template).polys.retain(|p| !p.mentions(slot));
                group.defined.push(Defined { view, value: Polynomial::constant(Fr::ONE) });
                true
            });
            constants += group
                .cells
                .iter()
                .filter(|(_, v)| l.system.vars[v.var.0 as usize].constant.is_some())
                .count();
            l.expect_refusals("another definition", group.defined.len(), |_, b, i| {
                let defined = &mut b.groups[g].1.defined[i];
                let before = defined.value.clone();
                defined.value = before.plus(Fr::ONE, &Polynomial::constant(Fr::ONE));
                true
            });
            l.expect_refusals("a second definition", group.defined.len(), |_, b, i| {
                let again = b.groups[g].1.defined[i].clone();
                b.groups[g].1.defined.push(again);
                true
            });
            l.expect_refusals("a definition by what holds nothing", group.defined.len(), |_, b, i| {
                let value = &mut b.groups[g].1.defined[i].value;
                *value = value.clone().plus(Fr::ONE, &Polynomial::atom(Term::Free(900)));
                true
            });
            l.expect_refusals("a definition by itself", group.defined.len(), |_, b, i| {
                let group = &mut b.groups[g].1;
                let own = group.defined[i].view.clone();
                group.free.push(own);
                let last = Term::Free(group.free.len() as u16 - 1);
                group.defined[i].value = Polynomial::atom(last);
                true
            });
        }
    }
    assert!(constants > 0, "no constant has a cell");
}

#[test]
fn limbs_and_keys_must_be_whole() {
    for l in laid() {
        for (g, group) in l.groups() {
            let count = group.limbs.len();
            let change = |what: &str, f: &dyn Fn(&mut Group, usize) -> bool| {
                l.expect_refusals(what, count, |_, b, i| f(&mut b.groups[g].1, i));
            };
            change("a missing limb", &|g, i| {
                g.limbs.remove(i);
                true
            });
            // A key is looked up whole.
            change("a limb in another place", &|g, i| {
                g.limbs[i].1.shift += 1;
                g.limbs[i].1.total < 62
            });
            // The second look-up of a short limb has its length from the first.
            change("a longer limb", &|g, i| {
                g.limbs[i].1.bits += 1;
                g.limbs[i].1.scale == 0
            });
            change("a limb of a longer value", &|g, i| {
                g.limbs[i].1.total += 1;
                true
            });
            change("a limb from another end", &|g, i| {
                g.limbs[i].1.lo += 1;
                true
            });
            change("a short limb that is not shifted to the top", &|g, i| {
                let short = g.limbs[i].1.scale > 0;
                g.limbs[i].1.scale = 0;
                short
            });
            change("two meanings of a cell", &|g, i| {
                let other = (i + 1) % g.limbs.len();
                g.limbs[i].0 = g.limbs[other].0;
                other != i
            });
            // In such a row the table of a function is looked up, and no range.
            change("a limb where a key is looked up", &|g, i| {
                let (Slot::U(column, row) | Slot::A(column, row)) = g.limbs[i].0;
                let looked_up = column == 0 && g.template.keys.iter().all(|(r, _)| *r != row);
                Arc::make_mut(&mut g.template).keys.push((row, TableId(0)));
                looked_up
            });
            l.expect_refusals("a key of another table", group.template.keys.len(), |_, b, i| {
                Arc::make_mut(&mut b.groups[g].1.template).keys[i].1.0 += 1;
                true
            });
            l.expect_refusals("a key that is not looked up", group.template.keys.len(), |_, b, i| {
                Arc::make_mut(&mut b.groups[g].1.template).keys.remove(i);
                true
            });
        }
    }
}

#[test]
fn a_relation_has_one_home() {
    for l in laid() {
        for (g, group) in l.groups() {
            l.expect_refusals("a relation without a block", group.relations.len(), |_, b, i| {
                b.groups[g].1.relations.remove(i);
                true
            });
        }
        let contractions = l.blueprint.contractions.len();
        l.expect_refusals("a contraction that is not laid out", contractions, |_, b, i| {
            b.contractions.remove(i);
            true
        });
        l.expect_refusals("slots that carry", contractions, |_, b, i| {
            b.contractions[i].width = 2;
            b.contractions[i].slots > 1
        });
        l.expect_refusals("slots beyond the modulus", contractions, |_, b, i| {
            let c = &mut b.contractions[i];
            c.width = c.width.max(250 / c.slots as u32 + 4);
            c.slots > 1
        });
        l.expect_refusals("packed results that nothing else confines", contractions, |ledger, b, i| {
            let c = &b.contractions[i];
            ledger.standings[c.relation] = Standing::LaidOut { window: None, alone: true };
            c.slots > 1
        });
    }
}

#[test]
fn the_ledger_claims_nothing_that_is_not_so() {
    for l in laid() {
        let all = l.ledger.standings.len();
        let range = |i: usize| matches!(l.system.relations[i].1, Relation::Range { .. });
        let implied = |i: usize| matches!(l.ledger.standings[i], Standing::Implied { .. });
        let widest = Bounds { lo: -1, hi: 1 };
        l.expect_refusals("a relation that is only claimed to be implied", all, |ledger, _, i| {
            ledger.standings[i] = Standing::Implied { within: widest, rests_on: vec![] };
            !implied(i)
        });
        l.expect_refusals("an implied range that is laid out nowhere", all, |ledger, _, i| {
            ledger.standings[i] = Standing::LaidOut { window: None, alone: false };
            implied(i)
        });
        l.expect_refusals("an implied range that rests on itself", all, |ledger, _, i| {
            let Standing::Implied { rests_on, .. } = &mut ledger.standings[i] else { return false };
            rests_on.push(i);
            true
        });
        l.expect_refusals("an implied range that is too wide", all, |ledger, _, i| {
            let Standing::Implied { within, .. } = &mut ledger.standings[i] else { return false };
            *within = Bounds { lo: -(1 << 100), hi: 1 << 100 };
            true
        });
        l.expect_refusals("a wider window", all, |ledger, _, i| {
            let Standing::LaidOut { window: Some(w), .. } = &mut ledger.standings[i] else { return false };
            *w = Bounds { lo: w.lo, hi: w.lo + 2 * (w.hi - w.lo + 1) - 1 };
            true
        });
        l.expect_refusals("a relation that is only claimed to be substituted", all, |ledger, _, i| {
            let var = l.system.relations[i].1.views()[0].var.0;
            let before =
                std::mem::replace(&mut ledger.standings[i], Standing::Substituted { defines: vec![var] });
            matches!(before, Standing::LaidOut { .. })
        });
        l.expect_refusals("a substituted relation that defines nothing", all, |ledger, _, i| {
            let Standing::Substituted { defines } = &mut ledger.standings[i] else { return false };
            defines.clear();
            true
        });
        l.expect_refusals("a missing entry", 1, |ledger, _, _| ledger.standings.pop().is_some());
        l.expect_refusals("a step from nowhere", l.ledger.steps.len(), |ledger, _, i| {
            let step = &mut ledger.steps[i];
            // Narrower than what follows.
            step.bounds = Bounds::point(step.bounds.lo - 1);
            true
        });
        l.expect_refusals("a step by another relation", l.ledger.steps.len(), |ledger, _, i| {
            let step = &mut ledger.steps[i];
            let strange = |r: &(String, Relation)| r.1.views().iter().all(|v| v.var != step.var);
            match l.system.relations.iter().position(strange) {
                Some(r) => step.relation = r,
                None => return false,
            }
            true
        });
        assert!((0..all).any(range) || all < 3, "{}", l.name);
    }
}

#[test]
fn rows_must_be_active() {
    for l in laid() {
        let layout = layout(&l.system, l.blueprint.clone()).expect("lays out");
        let expect = |what: &str, change: &dyn Fn(&mut zkml_halo2::layout::Layout)| {
            let mut changed = layout.clone();
            change(&mut changed);
            assert!(confirm_rows(&l.system, &changed).is_err(), "{}: {what} is certified", l.name);
        };
        let hash = |i: &usize| {
            matches!(layout.blueprint.gates[layout.active[*i].1], Gate::Hash(_) | Gate::Pack { .. })
        };
        // Gates of the hash and of packing are what the forger attacks.
        let gates: Vec<usize> = (0..layout.active.len()).filter(|i| !hash(i)).collect();
        for i in gates.iter().step_by(gates.len().div_ceil(40).max(1)) {
            expect("a missing gate", &|l| {
                let _ = l.active.remove(*i);
            });
        }
        let constants: Vec<usize> = gates
            .iter()
            .copied()
            .filter(|i| layout.blueprint.gates[layout.active[*i].1] == Gate::Constant)
            .collect();
        for i in constants {
            expect("a constant that nothing pins", &|l| {
                let _ = l.active.remove(i);
            });
        }
        for i in 0..layout.keys.len().min(4) {
            expect("a key of another table", &|l| l.keys[i].1 += 1);
            expect("a missing key", &|l| {
                let _ = l.keys.remove(i);
            });
        }
        expect("a key of no block", &|l| l.keys.push((l.rows as u32, 0)));
        expect("a gate without a selector", &|l| drop(l.blueprint.sharing.columns.pop()));
        expect("a cell with two meanings", &|l| l.placements.push(l.placements[0]));
        expect("rows of two blocks", &|l| l.bases.iter_mut().for_each(|b| *b = 0));
        let first = layout.bases[0];
        let blocks = layout.placements.iter().enumerate().filter(|(_, p)| {
            let last = layout.blueprint.groups.last().zip(layout.bases.last());
            let end = last.map_or(0, |((_, g), b)| b + (g.count * g.template.height) as u32);
            (first..end).contains(&p.1)
        });
        let blocks: Vec<usize> = blocks.map(|(i, _)| i).collect();
        for i in blocks.iter().step_by(blocks.len().div_ceil(8).max(1)) {
            expect("a cell that shows nothing", &|l| {
                let _ = l.placements.remove(*i);
            });
            expect("a cell that shows something else", &|l| {
                l.placements[*i].2 = Source::Elem(Elem::Const(123_456));
            });
        }
    }
}

#[test]
fn a_block_has_all_elements_and_all_limbs_are_looked_up() {
    for l in laid() {
        for (g, group) in l.groups() {
            l.expect_refusals("one element less", 1, |_, b, _| {
                b.groups[g].1.count -= 1;
                !group.relations.is_empty()
            });
            l.expect_refusals("a limb that is not looked up", group.limbs.len(), |_, b, i| {
                let (Slot::U(c, r) | Slot::A(c, r)) = b.groups[g].1.limbs[i].0;
                b.groups[g].1.limbs[i].0 = Slot::A(c, r + 100);
                true
            });
            l.expect_refusals("a value among the limbs", group.cells.len(), |_, b, i| {
                let (Slot::U(c, r) | Slot::A(c, r)) = b.groups[g].1.cells[i].0;
                b.groups[g].1.cells[i].0 = Slot::U(c, r + 100);
                true
            });
        }
        l.expect_refusals("values that nothing confines", 1, |ledger, _, _| {
            ledger.steps.clear();
            true
        });
    }
}

#[test]
fn a_constant_is_never_substituted() {
    let l = laid();
    for l in &l {
        for (i, var) in l.system.vars.iter().enumerate() {
            let verdict = zkml_graph::ledger::substitutable(&l.system, VarId(i as u32));
            let shown = l.system.inputs.contains(&VarId(i as u32));
            assert!(verdict.is_err() || !(var.constant.is_some() || shown), "{}: {}", l.name, var.name);
        }
    }
}

#[test]
fn packed_values_lie_within_their_code() {
    let (mut fit, mut refused) = (0, 0);
    for l in laid() {
        let known = confirm(&l.system, &l.ledger, &l.blueprint).expect("certified");
        let within = |v: &View, code: Code| {
            let (own, wanted) = (known[v.var.0 as usize].expect("confined"), code.bounds());
            wanted.lo <= own.lo && own.hi <= wanted.hi
        };
        let others = |c: Code| {
            [Code { bits: c.bits - 1, ..c }, Code { signed: !c.signed, ..c }, Code { bits: c.bits + 1, ..c }]
        };
        for (i, (_, relation)) in l.system.relations.iter().enumerate() {
            let shown: Vec<(View, Code)> = match relation {
                Relation::Public { v, code: Some(code), .. } => vec![(v.clone(), *code)],
                Relation::Commit { parts, .. } => parts.clone(),
                _ => continue,
            };
            for (part, (view, code)) in shown.iter().enumerate() {
                for other in others(*code).into_iter().filter(|c| c.bits > 0) {
                    let mut system = l.system.clone();
                    match &mut system.relations[i].1 {
                        Relation::Public { code, .. } => *code = Some(other),
                        Relation::Commit { parts, .. } => parts[part].1 = other,
                        _ => continue,
                    }
                    let verdict = confirm(&system, &l.ledger, &l.blueprint).is_ok();
                    assert_eq!(verdict, within(view, other), "{}: {relation} with {other}", l.name);
                    *(if verdict { &mut fit } else { &mut refused }) += 1;
                }
            }
        }
    }
    assert!(fit > 20 && refused > 20, "{fit} codes fit, {refused} are refused");
}

#[test]
fn slots_are_as_wide_as_differences_and_no_more_than_the_field_has() {
    let mut packed = 0;
    for l in laid() {
        let known = confirm(&l.system, &l.ledger, &l.blueprint).expect("certified");
        for (i, c) in l.blueprint.contractions.iter().enumerate().filter(|(_, c)| c.slots > 1) {
            let relation = &l.system.relations[c.relation].1;
            let Relation::Contract { y, .. } = relation else { panic!("{relation} is no contraction") };
            let own = known[y.var.0 as usize].expect("confined").magnitude();
            let reach = contracted(&l.system, &known, relation).expect("confined").magnitude() + own;
            let width = 128 - reach.leading_zeros();
            let verdict = |width: u32, slots: usize| {
                let mut blueprint = l.blueprint.clone();
                (blueprint.contractions[i].width, blueprint.contractions[i].slots) = (width, slots);
                confirm(&l.system, &l.ledger, &blueprint).is_ok()
            };
            let most = FIELD_BITS / width;
            assert!(verdict(width, 2) && !verdict(width - 1, 2), "{}: {reach} in {width} bits", l.name);
            assert!(verdict(width, most as usize), "{}: {most} slots of {width} bits", l.name);
            assert!(!verdict(width, most as usize + 1), "{}: {} slots of {width} bits", l.name, most + 1);
            packed += 1;
        }
    }
    assert!(packed > 5, "only {packed} contractions pack their results");
}
