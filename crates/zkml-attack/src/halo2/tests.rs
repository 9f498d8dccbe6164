//! The judge against halo2's own checker, and against checks that are known to have survived once.

use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{
    campaign::{self, Order, changes},
    cells::Board,
    forge::forge,
    zoo::{Kind, Recipe, Role},
};

fn halo2() -> Halo2 {
    Halo2::new().expect("plans")
}

#[test]
fn honest_runs_are_accepted() {
    let backend = halo2();
    for (i, kind) in Kind::ALL.into_iter().enumerate() {
        let target = Recipe::Single(kind, vec![Role::Input; kind.arity()]).build(3).expect("builds");
        backend.prepare(&target, i).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
    }
}

/// The same verdict as halo2's checker, with the lookup argument solved and with its entries compared.
#[test]
fn the_judge_agrees_with_halo2() {
    let backend = halo2();
    let (mut accepted, mut refused) = (0, 0);
    for (kind, variant) in [(Kind::Relu, 0), (Kind::Contract, 1), (Kind::Interpolated, 3), (Kind::Divide, 4)]
    {
        let target = Recipe::Single(kind, vec![Role::Input; kind.arity()]).build(3).expect("builds");
        let (model, k) = backend.circuit(&target, variant).expect("lays out");
        let laid = Laid::new(&target, (model, k)).expect("satisfied");
        let mut solved = laid.circuit.clone();
        solved.lookup_intact = false;
        let board = Board::new(&target.system);
        let all = changes(&target, &board, &mut ChaCha8Rng::seed_from_u64(5));
        for change in all.iter().step_by(all.len() / 12) {
            let forged = forge(&board, &target.honest, change);
            let columns = laid.filler.fill(&forged, Response::Wrap, &laid.circuit);
            let Some((circuit, instances)) = laid.filler.circuit(&columns) else { continue };
            let ours = laid.circuit.accepts(&columns, Some(&laid.honest)).is_ok();
            assert_eq!(ours, laid.circuit.accepts(&columns, None).is_ok(), "{kind:?}: only what differs");
            assert_eq!(ours, solved.accepts(&columns, None).is_ok(), "{kind:?}: lookups solved");
            let mock = MockProver::<Fr>::run(k, &circuit, vec![instances]).expect("runs");
            assert_eq!(ours, mock.verify().is_ok(), "{kind:?}: {change:?}");
            if ours { accepted += 1 } else { refused += 1 }
        }
    }
    assert!(refused > 20 && accepted > 0, "{accepted} accepted, {refused} refused");
}

/// Every operator with every kind of operand, a few forgeries of each: `make attack` tries the rest.
#[test]
fn nothing_false_is_accepted() {
    let order = Order { budget: std::time::Duration::from_secs(600), seed: 3, random: 20, stride: 500 };
    let report = campaign::run(&halo2(), order, &|_, _, _| ());
    let total = report.total();
    assert_eq!((total.wrongly, report.findings.first()), (0, None));
    assert_eq!(report.refusals, Vec::<String>::new());
    assert!(report.complete && total.refused > 2_000, "{total:?}");
}

/// Every third forgery of every case: most values of a walk are in the middle of long chains.
#[test]
fn walks_down_trees_leave_no_choice() {
    let backend = halo2();
    let mut report = campaign::Report::default();
    let cases = zkml_graph::testing::cases().into_iter().filter(|c| c.name.starts_with("Trees"));
    for (variant, case) in cases.enumerate() {
        report.merge(campaign::attack(
            &backend,
            &Recipe::Case(case.name),
            variant % backend.variants(),
            3,
            3,
        ));
    }
    let total = report.total();
    assert_eq!((total.wrongly, report.findings.first()), (0, None));
    assert_eq!((report.graphs, report.refusals), (4, vec![]));
    assert!(total.refused > 500, "{total:?}");
}

/// Two checks whose removal no test noticed once, both of the second phase, and one of each other kind.
#[test]
fn removed_checks_are_noticed() {
    let (backend, targets) = (halo2(), mutants::targets());
    let mut outcomes = mutants::Outcomes::new();
    for (name, variant) in
        [("Contract, [Intermediate, Weight]", 1), ("Contract, [Intermediate, Weight]", 0), ("Table", 0)]
    {
        let target = targets.iter().find(|t| t.name.contains(name)).expect("is among the targets");
        // Whole gates here; `make mutants` removes them in single rows as well.
        let whole = |id: &str| !id.starts_with("row of");
        mutants::circuit(&backend, target, variant, variant == 0, &whole, &mut outcomes);
    }
    for id in [
        "gate: t = 0, t' = w₀, z' = 0 (2)",
        "gate: z' = z·ρ^lanes + Σ ρˡaₗ, t' = t (1)",
        "gate: a₀ = w₀ (0)",
        "gate: q = x², s' = M·(q²·x) (0)",
        "copy: of an element",
        "copy: of a packed word",
        "lookup: a column",
        "lookup: the tag of a key",
        "table: one wrong entry more",
        "phase: multiplicities after the challenges",
        "relation: contract",
    ] {
        let outcome = outcomes.get(id).unwrap_or_else(|| panic!("nothing like `{id}` was removed"));
        assert!(outcome.noticed > 0, "{id}: {outcome:?}");
    }
    let blind: Vec<_> = outcomes.iter().filter(|(id, o)| o.noticed == 0 && !mutants::may_go(id)).collect();
    assert!(blind.is_empty(), "{blind:?}");
}
