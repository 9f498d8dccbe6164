//! Standings: what may be substituted or implied, and what entries of which relations are.

use super::*;

#[test]
fn the_foundation_of_an_interval_is_all_that_its_steps_used() {
    let (mut s, [x, z, y], [left, right]) = assembled();
    s.step(left, &y, (-5, 3));
    let idle = s.ranged(2, 0, 9);
    let w = s.var(3);
    let sum = s.state(linear(&[(1, &w), (1, &y)], 0), SHOWN);
    s.step(sum, &w, (-3, 5));
    let later = s.state(range(&y, -8, 4, RangeKind::Exact), window(-8, 7));
    s.step(later, &y, (-5, 3));
    let system = &s.builder.system;
    assert_eq!(s.check().map(|_| ()), Ok(()));
    assert_eq!(s.ledger.foundation(system, x.var), [0]);
    // One of the copies speaks for both, and what both read is underneath.
    assert_eq!(s.ledger.foundation(system, w.var), [0, 1, left, sum]);
    assert_eq!(s.ledger.foundation(system, y.var), [0, 1, left, later]);
    assert_eq!(s.ledger.foundation(system, z.var), [1]);
    assert_eq!(s.ledger.foundation(system, idle.var), [right + 1]);
    assert_eq!(s.ledger.foundation(system, VarId(99)), Vec::<usize>::new());
}

#[test]
fn entries_fit_their_relations() {
    let mut s = Sketch::default();
    let x = s.ranged(2, 0, 3);
    let (y, ghost) = (s.var(2), 99);
    let sum = || linear(&[(1, &x), (1, &y)], 0);
    let defines = |defines| Standing::Substituted { defines };
    let implied = |rests_on| Standing::Implied { within: Bounds::new(0, 7), rests_on };
    let y_ = y.var.0;
    for (relation, standing, why) in [
        (sum(), window(0, 7), "only a range has a window"),
        (range(&x, 0, 3, RangeKind::Exact), SHOWN, "nothing says what"),
        (range(&y, 0, 3, RangeKind::Exact), defines(vec![y_]), "only sums and products"),
        (copy(&x, &y), defines(vec![y_]), "only sums and products"),
        (sum(), defines(vec![]), "defines nothing"),
        (linear(&[(1, &x)], 0), defines(vec![y_]), "does not speak of variable 1"),
        (sum(), defines(vec![y_, ghost]), "does not speak of variable 99"),
        (sum(), implied(vec![0]), "only a loose range"),
        (range(&x, 0, 3, RangeKind::Exact), implied(vec![0]), "only a loose range"),
        (range(&x, 0, 3, RangeKind::AtLeast), implied(vec![0]), "only a loose range"),
        (range(&x, 0, 3, RangeKind::Sound), implied(vec![0, 1]), "relation 1, which is implied itself"),
        (range(&x, 0, 3, RangeKind::Sound), implied(vec![2]), "relation 2, which is implied itself"),
        (range(&y, 0, 3, RangeKind::Sound), implied(vec![0]), "nothing confines its values"),
    ] {
        s.state(relation, standing);
        s.refuses_entry(why);
        s.builder.system.relations.pop();
        s.ledger.standings.pop();
    }
    for (relation, standing) in [
        (sum(), SHOWN),
        (sum(), defines(vec![y_])),
        (product(&x, &x, &y), defines(vec![y_])),
        (range(&x, 0, 3, RangeKind::Sound), implied(vec![0])),
    ] {
        s.state(relation, standing);
        assert_eq!(s.check().map(|_| ()), Ok(()), "{:?}", s.ledger.standings);
    }
}

#[test]
fn an_implied_range_is_as_wide_as_a_back_end_may_take_it() {
    let slack = 1i128 << 19;
    // For [0, 8): what is claimed, what is derived, and whether that is so.
    let (low, high) = (-slack, 7 + slack);
    for ((lo, hi), derived, fits) in [
        ((low, high), (low, high), true),
        ((low - 1, high), (low, high), false),
        ((low, high + 1), (low, high), false),
        ((-2, 3), (-2, 3), true),
        ((-2, 3), (-3, 3), false),
        ((-2, 3), (-2, 4), false),
    ] {
        let mut s = Sketch::default();
        let (x, y) = (s.var(2), s.var(2));
        let columns = vec![vec![derived.0 as i64, derived.1 as i64]];
        let table = s.builder.table(Table { name: "ends".into(), lo: 0, columns });
        let ends = Relation::Lookup { table, key: x, outputs: vec![y.clone()] };
        let at = s.state(ends, SHOWN);
        s.step(at, &y, derived);
        let implied = Standing::Implied { within: Bounds { lo, hi }, rests_on: vec![at] };
        s.state(range(&y, 0, 3, RangeKind::Sound), implied);
        assert_eq!(s.check().is_ok(), fits, "[{lo}, {hi}] of {derived:?}");
    }
}

#[test]
fn what_goes_without_a_cell_is_needed_by_nobody() {
    let mut s = Sketch::default();
    let (x, y) = (s.ranged(2, 0, 3), s.var(2));
    let table = s.builder.table(Table { name: "t".into(), lo: 0, columns: vec![vec![0, 1]] });
    let lookup =
        |key: &View, out: &View| Relation::Lookup { table, key: key.clone(), outputs: vec![out.clone()] };
    let dot = |a: &View, b: &View| Relation::Contract {
        a: View { var: a.var, map: Map::identity(&[1, 2]) },
        b: View { var: b.var, map: Map::identity(&[2, 1]) },
        addend: None,
        y: View { map: Map::slice(&[2, 1], &[0, 0], &[1, 1]), ..x.clone() },
        ranks: [0, 1, 1, 1],
    };
    let shown = |v: &View| Relation::Public { v: v.clone(), section: Section::Output, code: None };
    let cases = [
        (linear(&[(1, &x), (2, &y)], 0), None),
        (product(&y, &y, &x), None),
        (range(&y, 0, 3, RangeKind::Exact), None),
        (lookup(&y, &x), None),
        (lookup(&x, &x), None),
        (lookup(&x, &y), Some("a table gives it")),
        (shown(&x), None),
        (shown(&y), Some("the statement shows it")),
        (Relation::Commit { parts: vec![], section: Section::Output }, None),
        (copy(&x, &y), Some("it is wired")),
        (copy(&y, &x), Some("it is wired")),
        (dot(&x, &y), Some("one by one")),
        (linear(&[(1, &x), (1, &swapped(&y))], 0), Some("in another order")),
        (linear(&[(1, &x), (1, &y), (1, &repeated(&y))], 0), Some("in another order")),
        (linear(&[(1, &padded(&y, 0))], 0), Some("sees only a part")),
    ];
    for (relation, why) in cases {
        s.state(relation, SHOWN);
        let verdict = substitutable(&s.builder.system, y.var);
        match why {
            None => assert_eq!(verdict, Ok(())),
            Some(why) => assert!(verdict.as_ref().is_err_and(|e| e.contains(why)), "{verdict:?}, not {why}"),
        }
        s.builder.system.relations.pop();
        s.ledger.standings.pop();
    }
    s.state(linear(&[(1, &first(&y))], 0), SHOWN);
    assert!(substitutable(&s.builder.system, y.var).is_err_and(|e| e.contains("sees only a part")));
}

#[test]
fn what_the_model_or_the_statement_fixes_keeps_its_cells() {
    let mut s = Sketch::default();
    let (x, c) = (s.var(2), s.builder.constant("c", &[2], vec![1, 2]));
    let sum = linear(&[(1, &x), (1, &c)], 0);
    s.state(sum.clone(), Standing::Substituted { defines: vec![c.var.0] });
    s.refuses_entry("is a constant of the model");
    s.ledger.standings[0] = Standing::Substituted { defines: vec![x.var.0] };
    assert_eq!(s.check().map(|_| ()), Ok(()));
    // The forgery that was possible once: an output is defined, so that nothing has to hold.
    let parts = vec![(x.clone(), Code { bits: 4, signed: true })];
    for relation in [
        Relation::Public { v: x.clone(), section: Section::Output, code: None },
        Relation::Commit { parts, section: Section::Output },
    ] {
        s.state(relation, SHOWN);
        let error = s.check().expect_err("the statement shows it");
        assert!(matches!(&error, LedgerError::Entry { index: 0, .. }), "{error}");
        assert!(error.to_string().contains("the statement shows it"), "{error}");
        s.builder.system.relations.pop();
        s.ledger.standings.pop();
    }
    s.builder.system.inputs.push(x.var);
    s.refuses_entry("is an input of the model");
    let nobody = substitutable(&s.builder.system, VarId(2));
    assert_eq!(nobody, Err("there is no variable 2".to_owned()));
}
