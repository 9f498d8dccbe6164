//! Structured functionals at a point, without their tables.
#![expect(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]

use ff::Field;
use zkml_protocol::sumcheck::{Automaton, Axis, AxisStep, Index, Source, Term};

use super::VerifyError;
use crate::curve::{Fr, scalar};

/// For each bit of an index, what it counts when it is zero, and when it is one.
pub(super) type Weights = Vec<(Fr, Fr)>;

/// The weights `eq(point, ·)`.
pub(super) fn eq_weights(point: &[Fr]) -> Weights {
    point.iter().map(|x| (Fr::ONE - x, *x)).collect()
}

/// The weights `base^(stride · i)`.
pub(super) fn power_weights(base: Fr, stride: u64, bits: u32) -> Weights {
    let mut power = base.pow_vartime([stride]);
    let weight = |_| {
        let here = (Fr::ONE, power);
        power = power * power;
        here
    };
    (0..bits).map(weight).collect()
}

/// `Π (1 − u_i − v_i + 2 u_i v_i)`.
pub(super) fn eq_at(u: &[Fr], v: &[Fr]) -> Fr {
    u.iter().zip(v).map(|(a, b)| Fr::ONE - a - b + (*a * b).double()).product()
}

/// `eq` of a point and the bits of a number, the lowest first.
pub(super) fn eq_number(point: &[Fr], number: u64) -> Fr {
    let bit = |(k, x): (usize, &Fr)| {
        if number.checked_shr(k as u32).unwrap_or(0) & 1 == 1 { *x } else { Fr::ONE - x }
    };
    point.iter().enumerate().map(bit).product()
}

/// A term of a functional at `address`, given the weights of its indices.
pub(super) fn term_at(
    term: &Term,
    indices: &[Index],
    weights: &[Weights],
    address: &[Fr],
) -> Result<Fr, VerifyError> {
    let mut product = Fr::ONE;
    for axis in &term.axes {
        product *= axis_at(axis, indices, weights, (term.source != Source::One).then_some(address))?;
    }
    for index in &term.broadcast {
        let steps = vec![AxisStep { index: *index, stride: 0 }];
        let all = Axis { bit: 0, bits: 0, offset: 0, bound: 1, steps };
        product *= axis_at(&all, indices, weights, None)?;
    }
    let covered = |bit: u32| term.axes.iter().any(|a| a.bit <= bit && bit < a.bit.saturating_add(a.bits));
    let fixed: Vec<(u32, Fr)> =
        (0u32..).zip(address.iter().copied()).filter(|(bit, _)| !covered(*bit)).collect();
    let mut cells = Fr::ZERO;
    for (base, coefficient) in &term.cells {
        let coefficient = scalar(coefficient).ok_or(VerifyError::Inconsistent("coefficient"))?;
        cells += match term.source {
            Source::One => coefficient,
            _ => {
                let bit = |(bit, x): &(u32, Fr)| {
                    if base.checked_shr(*bit).unwrap_or(0) & 1 == 1 { *x } else { Fr::ONE - x }
                };
                coefficient * fixed.iter().map(bit).product::<Fr>()
            }
        };
    }
    Ok(product * cells)
}

/// The sum over all valid index values of their weights and `eq(address, coordinate)`, which is left out without an address.
fn axis_at(
    axis: &Axis,
    indices: &[Index],
    weights: &[Weights],
    address: Option<&[Fr]>,
) -> Result<Fr, VerifyError> {
    let bad = || VerifyError::Inconsistent("axis");
    let automaton = Automaton::of(axis, indices).ok_or_else(bad)?;
    let of_steps: Vec<&Weights> =
        axis.steps.iter().map(|s| weights.get(s.index as usize).ok_or_else(bad)).collect::<Result<_, _>>()?;
    let mut state = vec![Fr::ONE; automaton.states.first().copied().unwrap_or(0)];
    for ((bit, level), count) in automaton.levels.iter().enumerate().zip(automaton.states.iter().skip(1)) {
        let mut next = vec![Fr::ZERO; *count];
        let here = address.and_then(|a| a.get((axis.bit as usize).checked_add(bit)?));
        for t in level {
            let mut value = *state.get(t.from).ok_or_else(bad)?;
            for (weights, set) in of_steps.iter().zip(&t.index_bits) {
                let Some(set) = set else { continue };
                let (zero, one) = weights.get(bit).ok_or_else(bad)?;
                value *= if *set { one } else { zero };
            }
            value *= match (t.address_bit, here) {
                (Some(true), Some(x)) => *x,
                (Some(false), Some(x)) => Fr::ONE - x,
                (Some(_), None) if address.is_some() => return Err(bad()),
                _ => Fr::ONE,
            };
            *next.get_mut(t.to).ok_or_else(bad)? += value;
        }
        state = next;
    }
    Ok(state.iter().sum())
}
