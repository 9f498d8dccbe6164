//! Ledgers by hand: right ones are confirmed, and each that is wrong in one way is refused with what is wrong.

use crate::{
    Bounds, Code, Ledger, LedgerError, Map, RangeKind, Relation, RelationBuilder, Section, Standing, Table,
    VarId, View,
    ledger::{Step, contracted, substitutable},
};

mod entries;

/// A system and its ledger, drawn together.
#[derive(Default)]
struct Sketch {
    builder: RelationBuilder,
    ledger: Ledger,
}

const SHOWN: Standing = Standing::LaidOut { window: None, alone: false };
const ALONE: Standing = Standing::LaidOut { window: None, alone: true };

fn bounds((lo, hi): (i128, i128)) -> Bounds {
    Bounds { lo, hi }
}

fn window(lo: i128, hi: i128) -> Standing {
    Standing::LaidOut { window: Some(Bounds { lo, hi }), alone: false }
}

/// The first of two elements.
fn first(v: &View) -> View {
    View { var: v.var, map: Map::slice(&[2], &[0], &[1]) }
}

fn swapped(v: &View) -> View {
    let mut map = Map::identity(&[2]);
    map.axes[0].offset = 1;
    map.axes[0].steps = vec![-1];
    View { var: v.var, map }
}

/// The first of two elements, twice.
fn repeated(v: &View) -> View {
    let mut map = Map::identity(&[2]);
    map.axes[0].steps = vec![0];
    View { var: v.var, map }
}

/// A variable of two elements and a third one from outside.
fn padded(v: &View, pad: i64) -> View {
    View { var: v.var, map: Map { shape: vec![3], pad: Some(pad), ..Map::identity(&[2]) } }
}

fn linear(terms: &[(i64, &View)], constant: i64) -> Relation {
    Relation::Linear { terms: terms.iter().map(|(c, v)| (*c, (*v).clone())).collect(), constant }
}

fn product(a: &View, b: &View, y: &View) -> Relation {
    Relation::Product { a: a.clone(), b: b.clone(), y: y.clone() }
}

fn copy(from: &View, to: &View) -> Relation {
    Relation::Copy { from: from.clone(), to: to.clone() }
}

fn range(v: &View, lo: i64, bits: u32, kind: RangeKind) -> Relation {
    Relation::Range { v: v.clone(), lo, bits, kind }
}

impl Sketch {
    fn var(&mut self, len: usize) -> View {
        self.builder.aux("v", &[len], Bounds::new(-9, 9))
    }

    /// States a relation; returns its index.
    fn state(&mut self, relation: Relation, standing: Standing) -> usize {
        self.builder.state(relation);
        self.ledger.standings.push(standing);
        self.ledger.standings.len() - 1
    }

    fn step(&mut self, relation: usize, of: &View, within: (i128, i128)) {
        self.ledger.steps.push(Step { relation, var: of.var, bounds: bounds(within) });
    }

    /// A variable that a range confines to `[lo, lo + 2^bits)`.
    fn ranged(&mut self, len: usize, lo: i64, bits: u32) -> View {
        let v = self.var(len);
        let (lo_, hi) = (i128::from(lo), i128::from(lo) + (1 << bits) - 1);
        let at = self.state(range(&v, lo, bits, RangeKind::Exact), window(lo_, hi));
        self.step(at, &v, (lo_, hi));
        v
    }

    fn check(&self) -> Result<Vec<Option<Bounds>>, LedgerError> {
        self.ledger.check(&self.builder.system)
    }

    /// The verdict with one step more.
    fn with_step(&self, relation: usize, of: &View, within: (i128, i128)) -> Result<(), LedgerError> {
        let mut ledger = self.ledger.clone();
        ledger.steps.push(Step { relation, var: of.var, bounds: bounds(within) });
        ledger.check(&self.builder.system).map(|_| ())
    }

    /// A relation confines a variable to this interval and to no narrower one.
    fn confines(&self, relation: usize, of: &View, (lo, hi): (i128, i128)) {
        for wider in [(lo, hi), (lo - 1, hi), (lo, hi + 1)] {
            let verdict = self.with_step(relation, of, wider);
            assert!(verdict.is_ok(), "relation {relation} and {wider:?}: {verdict:?}");
        }
        for narrower in [(lo + 1, hi + 1), (lo - 1, hi - 1)] {
            self.refuses_step(relation, of, narrower, "");
        }
    }

    fn refuses_step(&self, relation: usize, of: &View, within: (i128, i128), why: &str) {
        let number = self.ledger.steps.len();
        match self.with_step(relation, of, within) {
            Err(LedgerError::Step { step, relation: named, lo, hi, detail, .. }) => {
                assert_eq!((step, named, lo, hi), (number, relation, within.0, within.1));
                assert!(detail.contains(why), "{detail}, not {why}");
            }
            other => panic!("relation {relation}, {within:?}: {other:?}"),
        }
    }

    /// The last entry is refused, for this reason.
    fn refuses_entry(&self, why: &str) {
        let last = self.ledger.standings.len() - 1;
        match self.check() {
            Err(LedgerError::Entry { index, standing, detail, .. }) => {
                assert_eq!((index, standing), (last, self.ledger.standings[last].name()));
                assert!(detail.contains(why), "{detail}, not {why}");
            }
            other => panic!("{:?}: {other:?}", self.ledger.standings[last]),
        }
    }
}

const ANYTHING: (i128, i128) = (-(1 << 99), 1 << 99);

#[test]
fn every_relation_has_one_entry() {
    let mut s = Sketch::default();
    s.ranged(2, 0, 3);
    s.ledger.standings.push(SHOWN);
    assert_eq!(s.check(), Err(LedgerError::Count { expected: 1, got: 2 }));
    s.ledger.standings.clear();
    assert_eq!(s.check(), Err(LedgerError::Count { expected: 1, got: 0 }));
}

#[test]
fn standings_are_counted_by_kind() {
    let substituted = || Standing::Substituted { defines: vec![0] };
    let implied = || Standing::Implied { within: Bounds::new(0, 1), rests_on: vec![] };
    let standings = vec![SHOWN, substituted(), implied(), implied(), substituted(), implied()];
    assert_eq!(Ledger { standings, steps: vec![] }.counts(), [1, 2, 3]);
}

#[test]
fn what_is_derived_is_what_steps_say_together() {
    let mut s = Sketch::default();
    let x = s.ranged(2, -4, 4);
    let unconfined = s.var(2);
    let c = s.builder.constant("c", &[2], vec![7, -3]);
    // x + y − 1 = 0, and later steps only narrow: [−10, 5] meets [−2, 5].
    let y = s.var(2);
    let sum = s.state(linear(&[(1, &x), (1, &y)], -1), SHOWN);
    s.step(sum, &y, (-10, 6));
    let again = s.state(range(&y, -2, 3, RangeKind::Exact), window(-2, 5));
    s.step(again, &y, (-2, 9));
    let known = s.check().expect("every step follows");
    assert_eq!(known.len(), 4);
    let of = |v: &View| known[v.var.0 as usize];
    assert_eq!(of(&x), Some(bounds((-4, 11))));
    assert_eq!(of(&unconfined), None);
    assert_eq!(of(&c), Some(bounds((-3, 7))));
    assert_eq!(of(&y), Some(bounds((-2, 6))));
    // What follows is narrower than what the relation alone gives.
    s.confines(again, &y, (-2, 5));
    s.confines(sum, &y, (-2, 5));
}

#[test]
fn steps_name_what_is_there_and_laid_out() {
    let mut s = Sketch::default();
    let x = s.ranged(2, 0, 3);
    let nobody = View { var: VarId(1), map: Map::identity(&[2]) };
    s.refuses_step(1, &x, (0, 7), "no such relation");
    s.refuses_step(0, &nobody, (0, 7), "no such relation or variable");
    let loose = Standing::Implied { within: Bounds::new(0, 7), rests_on: vec![0] };
    let implied = s.state(range(&x, 0, 3, RangeKind::Sound), loose);
    s.refuses_step(implied, &x, (0, 7), "only implied");
}

#[test]
fn intervals_of_steps_are_neither_empty_nor_wide() {
    let mut s = Sketch::default();
    let x = s.ranged(2, 0, 0);
    s.refuses_step(0, &x, (1, -1), "empty");
    let limit = 1i128 << 100;
    s.confines(0, &x, (0, 0));
    assert_eq!(s.with_step(0, &x, (1 - limit, limit - 1)), Ok(()));
    s.refuses_step(0, &x, (-limit, 0), "too wide");
    s.refuses_step(0, &x, (0, limit), "too wide");
}

#[test]
fn a_range_confines_to_its_window_and_all_elements_only() {
    let mut s = Sketch::default();
    let x = s.var(2);
    let wide = s.state(range(&x, 3, 2, RangeKind::Sound), window(-5, 9));
    s.confines(wide, &x, (-5, 9));
    let part = s.state(range(&first(&x), 0, 1, RangeKind::Exact), window(0, 1));
    s.refuses_step(part, &x, ANYTHING, "every element");
    let other = s.var(2);
    s.refuses_step(wide, &other, ANYTHING, "every element");
    let turned = s.state(range(&swapped(&x), 0, 1, RangeKind::Exact), window(0, 1));
    s.confines(turned, &x, (0, 1));
}

#[test]
fn a_window_keeps_what_a_range_allows() {
    for (kind, lo, hi, why) in [
        (RangeKind::Exact, 0, 7, None),
        (RangeKind::Exact, 1, 7, Some("refuses honest values")),
        (RangeKind::Exact, 0, 6, Some("refuses honest values")),
        (RangeKind::Exact, -1, 7, Some("wider")),
        (RangeKind::Exact, 0, 8, Some("wider")),
        (RangeKind::AtLeast, 0, 7 + (1 << 19), None),
        (RangeKind::AtLeast, 0, 8 + (1 << 19), Some("wider")),
        (RangeKind::AtLeast, -1, 7, Some("wider")),
        (RangeKind::Sound, -(1 << 19), 7 + (1 << 19), None),
        (RangeKind::Sound, -1 - (1 << 19), 7, Some("wider")),
        (RangeKind::Sound, 0, 8 + (1 << 19), Some("wider")),
    ] {
        let mut s = Sketch::default();
        let x = s.var(2);
        s.state(range(&x, 0, 3, kind), window(lo, hi));
        match why {
            None => assert!(s.check().is_ok(), "{kind:?}, [{lo}, {hi}]"),
            Some(why) => s.refuses_entry(why),
        }
    }
}

#[test]
fn a_sum_confines_terms_of_coefficient_one() {
    let mut s = Sketch::default();
    let (x, y, z) = (s.ranged(2, -1, 2), s.var(2), s.var(2));
    // y = 3·x − 5 and −z + 2·x + 4 = 0, for x in [−1, 2].
    let sum = s.state(linear(&[(1, &y), (-3, &x)], 5), SHOWN);
    s.confines(sum, &y, (-8, 1));
    let difference = s.state(linear(&[(2, &x), (-1, &z)], 4), SHOWN);
    s.confines(difference, &z, (2, 8));
    // A half of a field element is anything; so is what an unconfined one is added to.
    let half = s.state(linear(&[(2, &y), (-1, &x)], 0), SHOWN);
    s.refuses_step(half, &y, ANYTHING, "confines nothing");
    let open = s.state(linear(&[(1, &y), (1, &z)], 0), SHOWN);
    s.refuses_step(open, &y, ANYTHING, "confines nothing");
    // Each element is the sum of both elements of x, in this order or the other: twice the interval.
    let both = s.state(linear(&[(1, &y), (1, &x), (1, &swapped(&x))], 0), SHOWN);
    s.confines(both, &y, (-4, 2));
    // Only one element is spoken of.
    let part = s.state(linear(&[(1, &first(&y)), (1, &first(&x))], 0), SHOWN);
    s.refuses_step(part, &y, ANYTHING, "every element");
    // A sum says nothing about who is not in it.
    s.refuses_step(sum, &z, ANYTHING, "every element");
}

#[test]
fn a_sum_that_speaks_of_a_variable_twice_needs_it_known() {
    let mut s = Sketch::default();
    let y = s.var(2);
    let twice = s.state(linear(&[(1, &y), (1, &swapped(&y))], -6), SHOWN);
    s.refuses_step(twice, &y, ANYTHING, "confines nothing");
    let known = s.state(range(&y, 0, 2, RangeKind::Exact), window(0, 3));
    s.step(known, &y, (0, 3));
    // Either is six minus the other.
    s.confines(twice, &y, (3, 3));
}

#[test]
fn a_product_confines_its_result() {
    let mut s = Sketch::default();
    let (a, b) = (s.ranged(2, -2, 2), s.ranged(2, -3, 3));
    let y = s.var(2);
    let at = s.state(product(&a, &b, &y), SHOWN);
    s.confines(at, &y, (-8, 6));
    let square = s.state(product(&a, &a, &y), SHOWN);
    s.confines(square, &y, (-2, 4));
    let part = s.state(product(&first(&a), &first(&b), &first(&y)), SHOWN);
    s.refuses_step(part, &y, ANYTHING, "every element");
    // Neither factor is confined by the product, and no product by an unconfined factor.
    let (open, z) = (s.var(2), s.var(2));
    let of = s.state(product(&open, &a, &z), SHOWN);
    s.refuses_step(of, &open, ANYTHING, "confines nothing");
    s.refuses_step(of, &z, ANYTHING, "nothing confines variable 3");
    // Zero fits a·z = z for any z, and one fits z·z = z only as a bit.
    let factor = s.state(product(&a, &z, &z), SHOWN);
    s.refuses_step(factor, &z, ANYTHING, "nothing confines variable 4");
    let bit = s.state(product(&z, &z, &z), SHOWN);
    s.confines(bit, &z, (0, 1));
    let one_bit = s.state(product(&first(&z), &first(&z), &first(&z)), SHOWN);
    s.refuses_step(one_bit, &z, (0, 1), "every element");
}

#[test]
fn padding_counts_among_what_is_shown() {
    let mut s = Sketch::default();
    let (x, y) = (s.ranged(2, 0, 2), s.var(3));
    let sum = s.state(linear(&[(1, &y), (-1, &padded(&x, -7))], 0), SHOWN);
    s.confines(sum, &y, (-7, 3));
    let inside = s.state(linear(&[(1, &y), (-1, &padded(&x, 2))], 0), SHOWN);
    s.confines(inside, &y, (0, 3));
}

#[test]
fn a_table_confines_its_key_and_what_it_gives() {
    let mut s = Sketch::default();
    let table = s.builder.table(Table {
        name: "t".into(),
        lo: -2,
        columns: vec![vec![5, 9, -1, 4], vec![-30, 0, 20, 10]],
    });
    let [key, one, two] = [0; 3].map(|_| s.var(2));
    let lookup = |key: &View, one: &View, two: &View| Relation::Lookup {
        table,
        key: key.clone(),
        outputs: vec![one.clone(), two.clone()],
    };
    let whole = s.state(lookup(&key, &one, &two), SHOWN);
    s.confines(whole, &key, (-2, 1));
    s.confines(whole, &one, (-1, 9));
    s.confines(whole, &two, (-30, 20));
    // A key that is its own value lies in both intervals.
    let fixed = s.state(lookup(&key, &key, &two), SHOWN);
    s.confines(fixed, &key, (-1, 1));
    let part = s.state(lookup(&first(&key), &first(&one), &first(&two)), SHOWN);
    for v in [&key, &one] {
        s.refuses_step(part, v, ANYTHING, "every element");
    }
    // Whole on one side and in part on the other: the other says nothing of the rest.
    let given = s.state(lookup(&repeated(&key), &key, &two), SHOWN);
    s.confines(given, &key, (-1, 9));
    let looked_up = s.state(lookup(&key, &repeated(&key), &two), SHOWN);
    s.confines(looked_up, &key, (-2, 1));
}

#[test]
fn a_contraction_confines_results_that_stand_alone() {
    let mut s = Sketch::default();
    let (a, b) = (s.ranged(2, -2, 2), s.ranged(2, -3, 3));
    let y = s.var(1);
    let view = |v: &View, shape: &[usize]| View { var: v.var, map: Map::identity(shape) };
    let dot = Relation::Contract {
        a: view(&a, &[1, 2]),
        b: view(&b, &[2, 1]),
        addend: None,
        y: view(&y, &[1, 1]),
        ranks: [0, 1, 1, 1],
    };
    let alone = s.state(dot.clone(), ALONE);
    s.confines(alone, &y, (-16, 16));
    s.refuses_step(alone, &a, ANYTHING, "confines nothing");
    // Results that are summed up with others are confined by nothing.
    let together = s.state(dot, SHOWN);
    s.refuses_step(together, &y, ANYTHING, "confines nothing");
}

#[test]
fn only_contractions_have_results_that_stand_alone() {
    let mut s = Sketch::default();
    let x = s.ranged(2, 0, 3);
    s.state(linear(&[(1, &x)], 0), ALONE);
    s.refuses_entry("only a contraction");
}

/// `a[2, 3, 2] × b[2, 2, 4] + addend = y[2, 3, 4]` with a batch, where `weights` fixes one side.
struct Batch {
    builder: RelationBuilder,
    relation: Relation,
    known: Vec<Option<Bounds>>,
}

impl Batch {
    fn new(a: Option<Vec<i64>>, b: Option<Vec<i64>>, reach: [i128; 3], addend: bool) -> Self {
        let mut builder = RelationBuilder::default();
        let mut side = |shape: &[usize], fixed: Option<Vec<i64>>| match fixed {
            Some(values) => builder.constant("w", shape, values),
            None => builder.aux("v", shape, Bounds::new(0, 0)),
        };
        let (a, b) = (side(&[2, 3, 2], a), side(&[2, 2, 4], b));
        let (plus, y) = (side(&[2, 3, 4], None), side(&[2, 3, 4], None));
        let known = reach.map(|r| Some(Bounds { lo: -r, hi: r - 1 }));
        let addend = addend.then_some(plus);
        Self {
            relation: Relation::Contract { a, b, addend, y, ranks: [1, 1, 1, 1] },
            builder,
            known: [known.to_vec(), vec![None]].concat(),
        }
    }

    fn reach(&self) -> Result<Bounds, String> {
        contracted(&self.builder.system, &self.known, &self.relation)
    }
}

#[test]
fn contractions_reach_the_sum_of_their_weights_magnitudes() {
    let within = |r: i128| Ok(bounds((-r, r)));
    // One weight is heavy: whichever it is, the sum that it is part of is the largest.
    let heavy = |len: usize, at: usize| {
        let mut w = vec![-1; len];
        w[at] = -5;
        Some(w)
    };
    for at in 0..12 {
        assert_eq!(Batch::new(heavy(12, at), None, [1, 7, 1], false).reach(), within(6 * 7), "row {at}");
    }
    for at in 0..16 {
        assert_eq!(Batch::new(None, heavy(16, at), [7, 1, 1], false).reach(), within(6 * 7), "column {at}");
        let both = Batch::new(heavy(12, 0), heavy(16, at), [5, 1, 3], true);
        assert_eq!(both.reach(), within(6 * 5 + 3), "column {at}, and rows that are fixed");
    }
    assert_eq!(Batch::new(None, None, [7, 11, 1], false).reach(), within(2 * 7 * 11));
    assert_eq!(Batch::new(None, None, [7, 11, 13], true).reach(), within(2 * 7 * 11 + 13));
}

#[test]
fn contractions_of_what_is_unconfined_or_vast_are_refused() {
    for i in 0..3 {
        let mut batch = Batch::new(None, None, [7, 11, 13], true);
        batch.known[i] = None;
        assert_eq!(batch.reach(), Err(format!("nothing confines variable {i}")));
    }
    let vast = |reach, addend| Batch::new(None, None, reach, addend).reach();
    let beyond = Err("the sum is beyond 127 bits".to_owned());
    assert_eq!(vast([1 << 63, 1 << 62, 1], false), Ok(bounds((-(1 << 126), 1 << 126))));
    assert_eq!(vast([1 << 63, 1 << 63, 1], false), beyond);
    assert_eq!(vast([1 << 64, 1 << 64, 1], false), beyond);
    assert_eq!(vast([1 << 63, 1 << 62, 1 << 126], true), beyond);
    let mut other = Batch::new(None, None, [1, 1, 1], false);
    let Relation::Contract { a, y, .. } = &other.relation else { panic!("it is a contraction") };
    other.relation = copy(a, y);
    assert_eq!(other.reach(), Err("no contraction".to_owned()));
}

/// Copies of `x` and of one element of `z` into a variable of three.
fn assembled() -> (Sketch, [View; 3], [usize; 2]) {
    let mut s = Sketch::default();
    let (x, z, y) = (s.ranged(2, 0, 2), s.ranged(2, -5, 1), s.var(3));
    let part = |start, len| View { var: y.var, map: Map::slice(&[3], &[start], &[len]) };
    let left = s.state(copy(&x, &part(0, 2)), SHOWN);
    let right = s.state(copy(&first(&z), &part(2, 1)), SHOWN);
    (s, [x, z, y], [left, right])
}

#[test]
fn copies_confine_what_they_assemble() {
    let (s, [_, _, y], copies) = assembled();
    for at in copies {
        s.confines(at, &y, (-5, 3));
    }
    let (mut s, [x, z, y], [left, right]) = assembled();
    s.builder.system.relations[right].1 = linear(&[(1, &z)], 0);
    s.refuses_step(left, &y, ANYTHING, "leave elements out");
    s.refuses_step(left, &z, ANYTHING, "does not write it");
    s.builder.system.relations[right].1 = copy(&padded(&x, 40), &y);
    s.confines(left, &y, (0, 40));
}

#[test]
fn copies_of_what_is_unconfined_confine_nothing() {
    let (mut s, [_, z, y], [left, right]) = assembled();
    s.ledger.steps.retain(|step| step.var != z.var);
    for at in [left, right] {
        s.refuses_step(at, &y, ANYTHING, "nothing confines variable 1");
    }
}

#[test]
fn what_is_copied_whole_lies_where_its_target_does() {
    let mut s = Sketch::default();
    let (y, x, z) = (s.ranged(3, -1, 3), s.var(2), s.var(2));
    let part = |start, len| View { var: y.var, map: Map::slice(&[3], &[start], &[len]) };
    let whole = s.state(copy(&x, &part(0, 2)), SHOWN);
    s.confines(whole, &x, (-1, 6));
    s.refuses_step(whole, &z, ANYTHING, "does not write it");
    let one = s.state(copy(&first(&z), &part(2, 1)), SHOWN);
    s.refuses_step(one, &z, ANYTHING, "does not write it");
}
