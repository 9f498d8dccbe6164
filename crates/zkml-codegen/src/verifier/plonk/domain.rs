//! Prints what depends on the evaluation domain: `x^n`, the instance column and the Lagrange
//! values at `x`, and the one batch of inversions.
//!
//! With `d_i = x·ω^(−i) − 1`, `L_i(x) = (x^n − 1) / n · 1 / d_i`, so a sum of them is one fraction,
//! whose numerator and denominator need no inversion.

use zkml_protocol::{
    Word, field,
    plonk::{Challenge, Program},
};

use super::{
    super::{Favour, points},
    memory::{Cell, Map},
};
use crate::{
    CodegenError,
    text::{Text, at, horner, literal},
};

/// Up to this many instances are printed one by one instead of in a loop.
const UNROLL: usize = 16;

/// Prints `x^n` and the fractions behind the instance value and the Lagrange values.
pub(crate) fn fractions(text: &mut Text, map: &mut Map, program: &Program) {
    text.section("x^n");
    let x = map.load(Cell::Challenge(Challenge::X));
    text.line(format_args!("let x := {x}"));
    text.line("t := x");
    for _ in 0..program.domain.k {
        text.line("t := mulmod(t, t, r)");
    }
    text.line(map.store(Cell::XPowN, "t"));
    text.line(map.store(Cell::Vanishing, "add(t, sub(r, 1))"));
    instances(text, map, program);
    tail(text, map, program);
}

/// `Σ instance_i / d_i` as one fraction, from the last row to row 0.
fn instances(text: &mut Text, map: &mut Map, program: &Program) {
    let count = map.input.instances;
    text.section("Instances: sum of instance_i / (x w^-i - 1) as one fraction num / den, row 0 last.");
    let shift = i32::try_from(count).unwrap_or(i32::MAX).saturating_sub(1);
    let omega = literal(&program.domain.omega);
    text.open("{");
    text.line(format_args!("let z := mulmod(x, {}, r)", literal(&program.domain.rotation(-shift))));
    if count == 1 {
        text.line("z := x");
    }
    text.line("let num := 0");
    text.line("let den := 1");
    let first = map.input.instances_at();
    let step = |text: &mut Text, row: &str| {
        text.line("t := add(z, sub(r, 1))");
        text.line(format_args!("num := add(mulmod(num, t, r), mulmod(calldataload({row}), den, r))"));
        text.line("den := mulmod(den, t, r)");
        text.line(format_args!("z := mulmod(z, {omega}, r)"));
    };
    let flat = if map.input.favour == Favour::Gas { UNROLL } else { 1 };
    if count > flat {
        text.open(format_args!(
            "for {{ let p := {} }} gt(p, {}) {{ p := sub(p, 32) }} {{",
            at(first + 32 * (count - 1)),
            at(first)
        ));
        step(text, "p");
        text.close("}");
    } else {
        for row in (1..count).rev() {
            step(text, &at(first + 32 * row));
        }
    }
    text.line("// Row 0: z is x again.");
    text.line(map.store(Cell::RowsWithoutFirst, "den"));
    text.line("t := add(x, sub(r, 1))");
    let sum = format!("add(mulmod(num, t, r), mulmod(calldataload({}), den, r))", at(first));
    text.line(map.store(Cell::RowsNumerator, &sum));
    text.line(map.store(Cell::RowsDenominator, "mulmod(den, t, r)"));
    text.close("}");
}

/// The closing rows `−1 … −(b + 1)`: `Σ 1 / d_i` as one fraction of two constant polynomials in `x`.
fn tail(text: &mut Text, map: &mut Map, program: &Program) {
    let blinding = program.blinding_factors;
    text.section(format_args!(
        "Closing rows: the same sum over the last {} rows, as polynomials in x.",
        blinding + 1
    ));
    let shifts: Vec<Word> =
        (1..=blinding + 1).map(|row| field::pow(program.domain.omega, row.into_word())).collect();
    let (last, others) = match shifts.split_last() {
        Some((last, others)) => (*last, others),
        None => (Word::ONE, [].as_slice()),
    };
    let without_last = product(others);
    horner(text, "t", "x", &descending(&without_last));
    text.line(map.store(Cell::TailWithoutLast, "t"));
    let factor = format!("add(mulmod(x, {}, r), sub(r, 1))", literal(&last));
    text.line(map.store(Cell::TailDenominator, &format!("mulmod(t, {factor}, r)")));
    horner(text, "t", "x", &descending(&sum_of_cofactors(&shifts)));
    text.line(map.store(Cell::TailNumerator, "t"));
}

/// Rows as exponents.
trait IntoWord {
    fn into_word(self) -> Word;
}

impl IntoWord for u32 {
    fn into_word(self) -> Word {
        Word::from_u64(self.into())
    }
}

/// Coefficients of `Π (s·X − 1)` over the shifts `s`, constant term first.
fn product(shifts: &[Word]) -> Vec<Word> {
    let mut poly = vec![Word::ONE];
    for shift in shifts {
        let mut next = vec![Word::ZERO; poly.len() + 1];
        for (degree, coefficient) in poly.iter().enumerate() {
            next[degree] = field::sub(next[degree], *coefficient);
            next[degree + 1] = field::add(next[degree + 1], field::mul(*coefficient, *shift));
        }
        poly = next;
    }
    poly
}

/// Coefficients of `Σ_j Π_{k ≠ j} (s_k·X − 1)`, the numerator of `Σ_j 1 / (s_j·X − 1)`.
fn sum_of_cofactors(shifts: &[Word]) -> Vec<Word> {
    let mut sum = vec![Word::ZERO; shifts.len().max(1)];
    for skipped in 0..shifts.len() {
        let others: Vec<Word> =
            shifts.iter().enumerate().filter(|(j, _)| *j != skipped).map(|(_, s)| *s).collect();
        for (total, coefficient) in sum.iter_mut().zip(product(&others)) {
            *total = field::add(*total, coefficient);
        }
    }
    sum
}

/// Coefficients as literals, highest power first.
fn descending(poly: &[Word]) -> Vec<String> {
    poly.iter().rev().map(literal).collect()
}

/// Inverts the cells with one modular exponentiation. A zero among them reverts.
pub(crate) fn invert(text: &mut Text, map: &mut Map, cells: &[Cell]) -> Result<(), CodegenError> {
    text.section("One inversion for all denominators. x on the domain, or u on an opening point, reverts.");
    let [first, rest @ ..] = cells else {
        return Ok(());
    };
    text.open("{");
    text.line(format_args!("let p0 := {}", map.load(*first)));
    for (index, cell) in rest.iter().enumerate() {
        let value = map.load(*cell);
        text.line(format_args!("let p{} := mulmod(p{index}, {value}, r)", index + 1));
    }
    let last = rest.len();
    points::inverse(text, map.buffer(), &format!("p{last}"));
    for (index, cell) in rest.iter().enumerate().rev() {
        let value = map.load(*cell);
        text.line(format_args!("t := {value}"));
        text.line(map.store(*cell, &format!("mulmod(inv, p{index}, r)")));
        text.line("inv := mulmod(inv, t, r)");
    }
    text.line(map.store(*first, "inv"));
    text.close("}");
    Ok(())
}

/// Prints the instance value and the Lagrange values, once the denominators are inverted.
pub(crate) fn values(text: &mut Text, map: &mut Map, program: &Program) {
    text.section("Instance column and Lagrange values at x.");
    text.open("{");
    let pow = map.load(Cell::XPowN);
    text.line(format_args!(
        "let e := mulmod(add({pow}, sub(r, 1)), {}, r) // (x^n - 1) / n",
        literal(&program.domain.n_inv)
    ));
    let den = map.load(Cell::RowsDenominator);
    text.line(format_args!("t := mulmod(e, {den}, r)"));
    for (cell, numerator) in
        [(Cell::Instance, Cell::RowsNumerator), (Cell::LagrangeFirst, Cell::RowsWithoutFirst)]
    {
        let value = format!("mulmod(t, {}, r)", map.load(numerator));
        text.line(map.store(cell, &value));
    }
    let den = map.load(Cell::TailDenominator);
    text.line(format_args!("t := mulmod(e, {den}, r)"));
    let value = format!("mulmod(t, {}, r)", map.load(Cell::TailWithoutLast));
    text.line(map.store(Cell::LagrangeLast, &value));
    let value = format!("sub(add(r, 1), mulmod(t, {}, r))", map.load(Cell::TailNumerator));
    text.line(map.store(Cell::LagrangeActive, &value));
    text.close("}");
}
