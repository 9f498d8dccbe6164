//! The second sumcheck: all claims, folded into one functional of the committed vectors.
#![expect(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]

use ff::Field;
use std::collections::BTreeMap;
use zkml_protocol::sumcheck::{
    Challenge, Claim, Claimed, Factor, Linear, MaskWeight, Part, Point, SlotId, Source, Weight, bits_for,
    claims,
};

use super::{
    Check, VerifyError,
    first::next_claim,
    functional::{Weights, eq_number, eq_weights, power_weights, term_at},
};
use crate::curve::{Fr, scalar};

/// A claim, and the value of its functional of the committed vectors alone.
pub(super) struct Valued {
    claim: Claim,
    value: Fr,
}

/// What the opening has to show: the point, the folded functionals there, and the value.
pub(super) struct Folded {
    pub(super) point: Vec<Fr>,
    /// By vector and part.
    pub(super) functionals: BTreeMap<(Source, u32), Fr>,
    pub(super) value: Fr,
}

/// All claims with their values, `left` being what the first sumcheck leaves for its mask.
pub(super) fn values(check: &Check<'_>, left: Fr) -> Result<Vec<Valued>, VerifyError> {
    let system = &check.program.system;
    let sent = check.decoded.scalars(SlotId::Evaluations)?;
    let mut out = Vec::new();
    for claim in claims(system, check.shape, check.program.opening.bits) {
        let stated = match claim.value {
            Claimed::Sum => check.scalar(SlotId::Sum)?,
            Claimed::Gates => left,
            Claimed::Evaluation(i) => *sent.get(i as usize).ok_or(VerifyError::Inconsistent("evaluation"))?,
            Claimed::Zero(_) => Fr::ZERO,
            Claimed::Instances(i) => {
                let linear = system.linears.get(i as usize);
                instances(check, linear.ok_or(VerifyError::Inconsistent("relation"))?)?
            }
            Claimed::MaskSum => check.scalar(SlotId::MaskSum)?,
        };
        let value = stated - functional(check, &claim, Source::One, &[])?;
        out.push(Valued { claim, value });
    }
    Ok(out)
}

/// The rounds of the second sumcheck, and the functionals at its point.
pub(super) fn folded(check: &Check<'_>, all: &[Valued]) -> Result<Folded, VerifyError> {
    let eta = check.decoded.challenge(Challenge::Eta)?;
    let fold = |of: &mut dyn FnMut(&Valued) -> Result<Fr, VerifyError>| {
        all.iter().rev().try_fold(Fr::ZERO, |acc, valued| Ok::<_, VerifyError>(acc * eta + of(valued)?))
    };
    let mut value = fold(&mut |valued| Ok(valued.value))?;
    let variables = check.shape.second_variables;
    for v in (0..variables).rev() {
        let x = check.decoded.challenge(Challenge::Second(v))?;
        value = next_claim(value, check.decoded.scalars(SlotId::Second(v))?, x)?;
    }
    let point = check.decoded.vector(variables, Challenge::Second)?;
    let mut functionals = BTreeMap::new();
    for source in Source::COMMITTED {
        let parts = check.shape.parts_of(source, &check.program.weights);
        for part in 0..parts {
            // Parts are opened at one point, each with a functional of its own: the high bits of addresses are its number.
            let high = (0..bits_for(parts.into()))
                .map(|bit| Fr::from(u64::from(part.checked_shr(bit).unwrap_or(0) & 1)));
            let address: Vec<Fr> = point.iter().copied().chain(high).collect();
            let at = fold(&mut |valued| functional(check, &valued.claim, source, &address))?;
            functionals.insert((source, part), at);
        }
    }
    Ok(Folded { point, functionals, value })
}

/// The part of a claim's functional that reads `source`, at `address`.
fn functional(check: &Check<'_>, claim: &Claim, source: Source, address: &[Fr]) -> Result<Fr, VerifyError> {
    let mut sum = Fr::ZERO;
    for part in &claim.parts {
        if !part.form.reads(&[source]) {
            continue;
        }
        let factor = match part.factor {
            Factor::One => Fr::ONE,
            Factor::Gamma(power) => {
                check.decoded.challenge(Challenge::Gamma)?.pow_vartime([u64::from(power)])
            }
        };
        let weights = weights(check, part)?;
        for term in part.form.0.iter().filter(|t| t.source == source) {
            sum += factor * term_at(term, &part.indices, &weights, address)?;
        }
    }
    if source == Source::Masks {
        for (at, weight) in &claim.masks {
            sum += mask_weight(check, *weight)? * eq_number(address, *at);
        }
    }
    Ok(sum)
}

fn mask_weight(check: &Check<'_>, weight: MaskWeight) -> Result<Fr, VerifyError> {
    Ok(match weight {
        MaskWeight::Shift(bits) => (0..bits).fold(Fr::ONE, |acc, _| acc.double()),
        MaskWeight::Power(variable, exponent) => {
            check.decoded.challenge(Challenge::First(variable))?.pow_vartime([u64::from(exponent)])
        }
        MaskWeight::Evaluation => {
            let x = check.decoded.challenge(Challenge::First(0))?;
            x * (Fr::ONE - x)
        }
    })
}

/// The weights of the indices of a part.
fn weights(check: &Check<'_>, part: &Part) -> Result<Vec<Weights>, VerifyError> {
    let slice = |from: u32, bits: u32, which: fn(u32) -> Challenge| {
        let coordinates = (from..from.saturating_add(bits)).map(|i| check.decoded.challenge(which(i)));
        Ok::<_, VerifyError>(eq_weights(&coordinates.collect::<Result<Vec<Fr>, _>>()?))
    };
    let weight = |(index, point): (&zkml_protocol::sumcheck::Index, &Point)| {
        let bits = index.bits();
        match point {
            Point::Relation(from) => slice(*from, bits, Challenge::Relation),
            Point::Row(from) => slice(*from, bits, Challenge::First),
            Point::Fixed(value) => Ok(eq_weights(&vec![Fr::from(*value); bits as usize])),
            Point::Packed(base) => {
                let base = scalar(base).ok_or(VerifyError::Inconsistent("base"))?;
                Ok(power_weights(base, 1, bits))
            }
            Point::Sequence(stride) => {
                Ok(power_weights(check.decoded.challenge(Challenge::Sequence)?, *stride, bits))
            }
        }
    };
    part.indices.iter().zip(&part.points).map(weight).collect()
}

/// The multilinear extension of a relation's instances at `r`: row-major over its random indices.
fn instances(check: &Check<'_>, relation: &Linear) -> Result<Fr, VerifyError> {
    let first = relation.instances.ok_or(VerifyError::Inconsistent("instances"))?;
    let mut weights = vec![Fr::ONE];
    let mut at = 0u32;
    for index in relation.indices.iter().filter(|i| i.weight == Weight::Random) {
        let end = at.saturating_add(index.bits());
        let coordinates = (at..end).map(|i| check.decoded.challenge(Challenge::Relation(i)));
        let point = coordinates.collect::<Result<Vec<Fr>, _>>()?;
        let own: Vec<Fr> = (0..index.extent).map(|i| eq_number(&point, i)).collect();
        weights = weights.iter().flat_map(|w| own.iter().map(move |o| *w * o)).collect();
        at = end;
    }
    let values = check.decoded.instances.get(first as usize..).unwrap_or_default();
    if values.len() < weights.len() {
        return Err(VerifyError::Inconsistent("instances"));
    }
    Ok(weights.iter().zip(values).map(|(w, v)| *w * v).sum())
}
