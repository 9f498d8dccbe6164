//! The first sumcheck: its rounds, and what its items are at the point where it ends.
#![expect(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]

use ff::{Field, PrimeField};
use zkml_protocol::sumcheck::{Affine, Batch, Challenge, Evaluated, Gate, Lookup, Segment, SlotId, Template};

use super::{
    Check, VerifyError,
    functional::{eq_at, eq_number},
};
use crate::curve::{Fr, scalar};

/// The value at `x` of the round polynomial whose values at zero and one add up to `claim`, from its coefficients but the
/// linear one.
pub(super) fn next_claim(claim: Fr, sent: &[Fr], x: Fr) -> Result<Fr, VerifyError> {
    let constant = *sent.first().ok_or(VerifyError::Inconsistent("round"))?;
    let linear = claim - constant - sent.iter().sum::<Fr>();
    let higher = sent.iter().skip(1).rev().fold(Fr::ZERO, |acc, c| acc * x + c);
    Ok((higher * x + linear) * x + constant)
}

/// What the last round leaves for `p₁`, once the items at the point are taken away.
pub(super) fn last_claim(check: &Check<'_>) -> Result<Fr, VerifyError> {
    let mut claim = check.scalar(SlotId::Sum)?;
    for v in (0..check.shape.first_variables).rev() {
        let x = check.decoded.challenge(Challenge::First(v))?;
        claim = next_claim(claim, check.decoded.scalars(SlotId::First(v))?, x)?;
    }
    Ok(claim - At::new(check)?.items()?)
}

/// The point at which the first sumcheck ends, and the evaluations there.
struct At<'a> {
    check: &'a Check<'a>,
    tau: Vec<Fr>,
    rho: Vec<Fr>,
    theta: Fr,
    beta: Fr,
    /// Powers of `γ`.
    gamma: Vec<Fr>,
    batch: Batch,
}

impl<'a> At<'a> {
    fn new(check: &'a Check<'a>) -> Result<Self, VerifyError> {
        let (system, d) = (&check.program.system, check.decoded);
        let batch = Batch::of(system);
        let count = (batch.contractions as usize).saturating_add(system.contractions.len());
        let gamma = d.challenge(Challenge::Gamma)?;
        let powers = std::iter::successors(Some(Fr::ONE), |p| Some(*p * gamma)).take(count).collect();
        Ok(Self {
            check,
            tau: d.vector(system.tau_length(), Challenge::Tau)?,
            rho: d.vector(check.shape.first_variables, Challenge::First)?,
            theta: d.challenge(Challenge::Theta)?,
            beta: d.challenge(Challenge::Beta)?,
            gamma: powers,
            batch,
        })
    }

    fn power(&self, at: u32) -> Result<Fr, VerifyError> {
        self.gamma.get(at as usize).copied().ok_or(VerifyError::Inconsistent("power"))
    }

    /// Evaluations of one kind, in their order.
    fn evaluations(&self, of: impl Fn(Evaluated) -> bool) -> Result<Vec<Fr>, VerifyError> {
        let sent = self.check.decoded.scalars(SlotId::Evaluations)?;
        let all = self.check.shape.evaluations.iter().zip(sent);
        Ok(all.filter(|(e, _)| of(e.of)).map(|(_, value)| *value).collect())
    }

    fn evaluation(&self, of: Evaluated) -> Result<Fr, VerifyError> {
        self.evaluations(|e| e == of)?.first().copied().ok_or(VerifyError::Inconsistent("evaluation"))
    }

    /// `2^−(n₁ − bits)`: items of fewer variables are constant in the others.
    fn scale(&self, bits: u32) -> Fr {
        let fewer = self.check.shape.first_variables.saturating_sub(bits);
        (0..fewer).fold(Fr::ONE, |acc, _| acc * Fr::TWO_INV)
    }

    fn prefix<'v>(&self, of: &'v [Fr], bits: u32) -> Result<&'v [Fr], VerifyError> {
        of.get(..bits as usize).ok_or(VerifyError::Inconsistent("variables"))
    }

    fn items(&self) -> Result<Fr, VerifyError> {
        let system = &self.check.program.system;
        let mut sum =
            self.rows()? * self.scale(system.row_bits) + self.table()? * self.scale(system.table.bits);
        for (i, c) in (0u32..).zip(&system.contractions) {
            let mut item = self.power(self.batch.contractions.saturating_add(i))?
                * self.evaluation(Evaluated::Left(i))?
                * self.evaluation(Evaluated::Right(i))?
                * self.scale(c.variables());
            // The batch is weighed at the coordinates of `r` that follow the free indices.
            let mut r = c.free.iter().map(|i| i.bits()).sum::<u32>();
            for (x, _) in (c.sum_bits()..c.variables()).zip(0u32..) {
                let relation = self.check.decoded.challenge(Challenge::Relation(r))?;
                let here = *self.rho.get(x as usize).ok_or(VerifyError::Inconsistent("variables"))?;
                item *= eq_at(&[relation], &[here]);
                r = r.saturating_add(1);
            }
            sum += item;
        }
        Ok(sum)
    }

    fn rows(&self) -> Result<Fr, VerifyError> {
        let system = &self.check.program.system;
        let columns = self.evaluations(|e| matches!(e, Evaluated::Column(_)))?;
        let helpers = self.evaluations(|e| matches!(e, Evaluated::Helper(_)))?;
        let mut sum = self.power(self.batch.sums)? * helpers.iter().sum::<Fr>();
        for template in &system.templates {
            let mut weight = Fr::ZERO;
            for segment in &template.segments {
                weight += self.segment(segment, system.row_bits)?;
            }
            sum += weight * self.template(template, &columns, &helpers)?;
        }
        Ok(sum)
    }

    /// The multilinear extension at the point of `eq(τ, ·)` on a segment, zero elsewhere.
    fn segment(&self, segment: &Segment, bits: u32) -> Result<Fr, VerifyError> {
        let (tau, rho) = (self.prefix(&self.tau, bits)?, self.prefix(&self.rho, bits)?);
        let (tau_low, rho_low) = (self.prefix(tau, segment.bits)?, self.prefix(rho, segment.bits)?);
        let (tau_high, rho_high) = (tau.iter().skip(tau_low.len()), rho.iter().skip(rho_low.len()));
        let number = segment.start.checked_shr(segment.bits).unwrap_or(0);
        let (high_t, high_r): (Vec<Fr>, Vec<Fr>) = (tau_high.copied().collect(), rho_high.copied().collect());
        Ok(eq_at(tau_low, rho_low) * eq_number(&high_t, number) * eq_number(&high_r, number))
    }

    fn template(&self, template: &Template, columns: &[Fr], helpers: &[Fr]) -> Result<Fr, VerifyError> {
        let size = self.check.program.system.lookups_per_helper.max(1) as usize;
        let mut sum = Fr::ZERO;
        for ((g, helper), lookups) in (0u32..).zip(helpers).zip(template.lookups.chunks(size)) {
            // H · Π d_j − Σ_j Π_{i≠j} d_i
            let (mut product, mut rest) = (Fr::ONE, Fr::ZERO);
            for lookup in lookups {
                let d = self.beta - self.fingerprint(lookup, columns)?;
                rest = rest * d + product;
                product *= d;
            }
            sum += self.power(g)? * (*helper * product - rest);
        }
        for (i, gate) in (0u32..).zip(&template.gates) {
            sum += self.power(self.batch.gates.saturating_add(i))? * gate_at(gate, columns)?;
        }
        Ok(sum)
    }

    fn fingerprint(&self, lookup: &Lookup, columns: &[Fr]) -> Result<Fr, VerifyError> {
        let mut sum = affine_at(&lookup.key, columns)?;
        let mut power = Fr::ONE;
        for output in &lookup.outputs {
            power *= self.theta;
            sum += power * affine_at(output, columns)?;
        }
        Ok(sum + self.tag_weight() * Fr::from(lookup.tag))
    }

    /// `θ^(1 + max(outputs, 1))`.
    fn tag_weight(&self) -> Fr {
        let outputs = self.check.program.system.table.outputs.len().max(1);
        (0..=outputs).fold(Fr::ONE, |acc, _| acc * self.theta)
    }

    fn table(&self) -> Result<Fr, VerifyError> {
        let table = &self.check.program.system.table;
        let (tau, rho) = (self.prefix(&self.tau, table.bits)?, self.prefix(&self.rho, table.bits)?);
        let mut print = Fr::ZERO;
        for segment in &table.segments {
            let low = self.prefix(rho, segment.rows.bits)?;
            let high: Vec<Fr> = rho.iter().skip(low.len()).copied().collect();
            let number = segment.rows.start.checked_shr(segment.rows.bits).unwrap_or(0);
            let offset = low.iter().rev().fold(Fr::ZERO, |acc, x| acc.double() + x);
            let key = integer(segment.first_key) + offset + self.tag_weight() * Fr::from(segment.tag);
            print += eq_number(&high, number) * key;
        }
        let mut power = Fr::ONE;
        for output in self.evaluations(|e| matches!(e, Evaluated::TableOutput(_)))? {
            power *= self.theta;
            print += power * output;
        }
        let (g, m) = (self.evaluation(Evaluated::TableHelper)?, self.evaluation(Evaluated::Multiplicity)?);
        let equation = eq_at(tau, rho) * (g * (self.beta - print) - m);
        Ok(self.power(self.batch.table)? * equation - self.power(self.batch.sums)? * g)
    }
}

fn integer(v: i64) -> Fr {
    let magnitude = Fr::from(v.unsigned_abs());
    if v < 0 { -magnitude } else { magnitude }
}

fn column(columns: &[Fr], at: u32) -> Result<Fr, VerifyError> {
    columns.get(at as usize).copied().ok_or(VerifyError::Inconsistent("column"))
}

fn affine_at(form: &Affine, columns: &[Fr]) -> Result<Fr, VerifyError> {
    let mut sum = scalar(&form.constant).ok_or(VerifyError::Inconsistent("constant"))?;
    for (at, coefficient) in &form.terms {
        sum += scalar(coefficient).ok_or(VerifyError::Inconsistent("coefficient"))? * column(columns, *at)?;
    }
    Ok(sum)
}

fn gate_at(gate: &Gate, columns: &[Fr]) -> Result<Fr, VerifyError> {
    let mut sum = Fr::ZERO;
    for monomial in &gate.0 {
        let mut product = scalar(&monomial.coefficient).ok_or(VerifyError::Inconsistent("coefficient"))?;
        for at in &monomial.columns {
            product *= column(columns, *at)?;
        }
        sum += product;
    }
    Ok(sum)
}
