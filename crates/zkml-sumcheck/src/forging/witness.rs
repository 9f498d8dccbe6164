//! Bad witnesses: cells, padding, weights, instances.

use ff::Field;
use halo2curves::bn256::Fr;
use std::sync::Arc;
use zkml_protocol::sumcheck::{Segment, Source, Template};
use zkml_verifier::sumcheck::VerifyError;

use super::*;
use crate::{
    prover::{ProvingKey, Witness},
    testing::cheat::Cheat,
};

fn refuse(toy: &Toy, witness: &Witness, what: &str) {
    assert_eq!(toy.tried(witness, Cheat::default()), Err(VerifyError::Rejected), "{}: {what}", toy.name);
}

fn accept(toy: &Toy, witness: &Witness, what: &str) {
    assert_eq!(toy.tried(witness, Cheat::default()), Ok(()), "{}: {what}", toy.name);
}

#[test]
fn wrong_public_outputs_are_refused_one_by_one() {
    for toy in Toy::all() {
        for i in 0..toy.witness.instances.len() {
            let mut w = toy.witness.clone();
            w.instances[i] += Fr::ONE;
            let of_weights = toy.key.program.system.private.is_some_and(|p| p.instance as usize == i);
            let expected = if of_weights { VerifyError::OtherWeights } else { VerifyError::Rejected };
            assert_eq!(toy.tried(&w, Cheat::default()), Err(expected), "{}: instance {i}", toy.name);
        }
    }
}

/// `y + 1, rem − 16`, and `y − 1, rem + 16`: the equation holds, `rem` is in no table.
#[test]
fn an_output_off_by_one_with_the_remainder_wrapped_is_refused() {
    let toy = Toy::named("mlp_claim");
    for d in [1, -1] {
        let mut w = toy.witness.clone();
        let y = w.grid[toy.at(0, 16)] + 16 * w.grid[toy.at(1, 16)] + d;
        (w.grid[toy.at(0, 16)], w.grid[toy.at(1, 16)]) = (y.rem_euclid(16), y.div_euclid(16));
        w.grid[toy.at(2, 16)] -= 16 * d;
        w.instances[0] += crate::field::from_i64(d);
        refuse(&toy, &w, "wrapped");
    }
}

#[test]
fn values_of_the_hidden_layer_are_confined() {
    let toy = Toy::named("mlp_claim");
    for (what, edits) in [
        ("a value and its remainder", &[(0, 8, 1), (2, 8, -16)][..]),
        ("a value alone", &[(0, 8, 1)]),
        ("both parts of a maximum", &[(0, 8, 1), (1, 8, 1)]),
        ("an input outside its range", &[(0, 0, 16)]),
    ] {
        refuse(&toy, &toy.edited(edits), what);
    }
    let mut w = toy.witness.clone();
    let at = toy.at(2, 9);
    w.grid[at] = (w.grid[at] + 1).rem_euclid(16);
    refuse(&toy, &w, "a remainder within its range");
}

#[test]
fn keys_and_outputs_come_from_one_row_of_their_function() {
    let toy = Toy::named("table_claim");
    let function = |key: i64| {
        let output = toy.weights[(key + 8) as usize + 16];
        crate::field::to_i64(&output).expect("a small one")
    };
    let with = |cells: &[(usize, usize, i64)]| {
        let mut w = toy.witness.clone();
        cells.iter().for_each(|(c, x, v)| w.grid[toy.at(*c, *x)] = *v);
        for x in 0..7 {
            w.instances[x] = crate::field::from_i64(w.grid[toy.at(1, x)]);
        }
        w
    };
    let (three, two) = (function(3), function(-2));
    accept(&toy, &with(&[(0, 0, 3), (0, 1, -2), (1, 0, three), (1, 1, two)]), "two keys");
    refuse(&toy, &with(&[(0, 0, 3), (0, 1, -2), (1, 0, two), (1, 1, three)]), "outputs of each other");
    refuse(&toy, &with(&[(0, 0, 8)]), "a key out of the table");
    refuse(&toy, &with(&[(0, 0, 5), (1, 0, 0)]), "the row of a range for that of the function");
}

/// A key that proves with other weights than those that are committed to.
fn other_weights(toy: &Toy, change: impl FnOnce(&mut [Fr])) -> ProvingKey {
    let mut weights = toy.weights.clone();
    change(&mut weights);
    let (program, powers) = (toy.key.program.clone(), toy.key.powers.clone());
    ProvingKey::new(program, toy.key.digest, powers, Arc::new(weights[..].into())).expect("a key")
}

#[test]
fn other_weights_and_swapped_layers_are_refused() {
    let mut toy = Toy::named("mlp_claim");
    type Change = fn(&mut [Fr]);
    let changes: [Change; 3] = [
        |w| w[..128].rotate_left(64),
        |w| w[1] += Fr::ONE,
        // Behind the extents of all views: the opening is of what was committed to.
        |w| w[127] += Fr::ONE,
    ];
    for change in changes {
        toy.key = other_weights(&toy, change);
        refuse(&toy, &toy.witness, "other weights");
    }
}

#[test]
fn operands_results_and_images_in_other_places_are_refused() {
    let toy = Toy::named("attention_claim");
    let mut w = toy.witness.clone();
    w.grid[..32].rotate_left(16);
    refuse(&toy, &w, "swapped operands");
    let d = if toy.witness.grid[32] < 15 { 1 } else { -1 };
    let mut w = toy.edited(&[(0, 32, d)]);
    w.instances[0] += crate::field::from_i64(d);
    refuse(&toy, &w, "a wrong score");
    for name in ["conv_claim", "conv_chunks"] {
        let toy = Toy::named(name);
        let mut w = toy.witness.clone();
        w.grid[..32].rotate_right(1);
        w.grid[0] = 0;
        refuse(&toy, &w, "an image shifted by one");
    }
}

/// No functional sees padding; lookups and gates hold on every row.
#[test]
fn padding_is_confined_to_the_table_and_seen_by_nothing() {
    let toy = Toy::named("mlp_claim");
    let garbage = [(0, 7, 9), (0, 14, 3), (2, 14, 5), (0, 19, 4), (1, 27, 2)];
    accept(&toy, &toy.edited(&garbage), "garbage behind all extents");
    refuse(&toy, &toy.edited(&[(0, 7, 99)]), "garbage that is in no table");
    refuse(&toy, &toy.edited(&[(0, 15, 1), (1, 15, 1)]), "garbage that breaks a gate");
    for (name, cells) in
        [("conv_claim", [(0, 5, 9), (0, 31, 3)]), ("attention_claim", [(0, 12, 9), (0, 31, 7)])]
    {
        let toy = Toy::named(name);
        accept(&toy, &toy.edited(&cells), "garbage behind an image or an operand");
    }
}

/// Cells that the lookups of their row read.
fn looked_up(toy: &Toy) -> Vec<usize> {
    let system = &toy.key.program.system;
    let read = |t: &Template, c: u32| {
        let forms = t.lookups.iter().flat_map(|l| std::iter::once(&l.key).chain(&l.outputs));
        forms.flat_map(|f| &f.terms).any(|(column, _)| *column == c)
    };
    let mut cells = vec![];
    for template in &system.templates {
        for c in (0..system.columns).filter(|c| read(template, *c)) {
            let rows =
                template.segments.iter().flat_map(|s| s.start as usize..s.start as usize + (1 << s.bits));
            cells.extend(rows.map(|x| toy.at(c as usize, x)));
        }
    }
    cells
}

/// Cells of every system, changed by what no table has, and all multiplicities, by one.
#[test]
fn every_cell_is_confined() {
    for toy in Toy::all() {
        for at in looked_up(&toy).into_iter().step_by(3) {
            let mut w = toy.witness.clone();
            w.grid[at] += 1 << 20;
            refuse(&toy, &w, &format!("cell {at}"));
        }
        for row in 0..1 << toy.key.program.system.table.bits {
            let at = toy.key.shape.multiplicities as usize + row;
            let cheat = Cheat::default().vector(Source::Witness, move |cells, _| cells[at] += Fr::ONE);
            assert_eq!(toy.tried(&toy.witness, cheat), Err(VerifyError::Rejected), "{}: {row}", toy.name);
        }
    }
}

/// A cell out of the table, balanced in the helper of the table: that no longer matches the multiplicities.
#[test]
fn a_sum_that_is_balanced_in_the_table_is_refused() {
    let toy = Toy::named("mlp_claim");
    let base = toy.key.shape.table_helper as usize;
    let cheat = Cheat::default().vector(Source::Helpers, move |h, _| {
        let difference = h[..32].iter().sum::<Fr>() - h[base..base + 16].iter().sum::<Fr>();
        h[base] += difference;
    });
    assert_eq!(toy.tried(&toy.edited(&[(0, 31, 77)]), cheat), Err(VerifyError::Rejected));
}

/// Rows that no template has let a helper balance any sum: such a program is refused, and rightly.
#[test]
fn rows_without_a_template_would_let_everything_pass() {
    let mut toy = Toy::named("mlp_claim");
    let witness = toy.edited(&[(0, 31, 77)]);
    let balance = |h: &mut [Fr], base: usize| {
        let difference = h[..32].iter().sum::<Fr>() - h[base..base + 16].iter().sum::<Fr>();
        h[31] -= difference;
    };
    let base = toy.key.shape.table_helper as usize;
    let cheat = || Cheat::default().vector(Source::Helpers, move |h, _| balance(h, base));
    assert_eq!(toy.tried(&witness, cheat()), Err(VerifyError::Rejected), "rows with a template");
    let mut program = toy.key.program.clone();
    program.system.templates[0].segments =
        vec![Segment { start: 0, bits: 3 }, Segment { start: 16, bits: 3 }];
    let said = program.validate().map_err(|e| e.to_string());
    toy.key =
        ProvingKey::new(program, toy.key.digest, toy.key.powers.clone(), Arc::new(toy.weights[..].into()))
            .expect("a key");
    assert_eq!(toy.tried(&witness, cheat()), Ok(()), "rows without");
    assert!(said.is_err_and(|e| !e.is_empty()), "such a program is not valid");
}
