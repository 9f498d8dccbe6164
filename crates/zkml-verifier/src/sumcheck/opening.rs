//! The opening: Mercury (<https://eprint.iacr.org/2025/385>) with a pairing for the quotient, and SHPLONK.
#![expect(clippy::arithmetic_side_effects, reason = "field and group arithmetic is total")]

use ff::Field;
use halo2curves::bn256::G1Affine;
use zkml_protocol::{
    G1,
    sumcheck::{Challenge, SlotId, Source},
};

use super::{Check, VerifyError, second::Folded};
use crate::curve::{Fr, combine, pairing_product_is_one, point, point2};

/// `Π ((1 − u_k) + u_k x^(2^k))`.
fn row_polynomial(u: &[Fr], mut x: Fr) -> Fr {
    let mut product = Fr::ONE;
    for u in u {
        product *= Fr::ONE - u + *u * x;
        x *= x;
    }
    product
}

/// The value at `y` of the polynomial through the points.
fn interpolated(points: &[(Fr, Fr)], y: Fr) -> Result<Fr, VerifyError> {
    let mut sum = Fr::ZERO;
    for (i, (x, value)) in points.iter().enumerate() {
        let (mut above, mut below) = (*value, Fr::ONE);
        for (_, (other, _)) in points.iter().enumerate().filter(|(j, _)| *j != i) {
            above *= y - other;
            below *= *x - other;
        }
        sum += above * inverse(below)?;
    }
    Ok(sum)
}

fn inverse(x: Fr) -> Result<Fr, VerifyError> {
    Option::from(x.invert()).ok_or(VerifyError::Degenerate)
}

fn vanishing(y: Fr, points: &[Fr]) -> Fr {
    points.iter().map(|x| y - x).product()
}

/// A polynomial with the points at which it is opened and its values there.
type Opened = (SlotId, Vec<(Fr, Fr)>);

/// What is opened at `z`, `1/z` and `α`: `S(z)` follows from the symmetric identity, `D(z)` from the degree of `g`.
fn opened(check: &Check<'_>, folded: &Folded, [z, zi, alpha]: [Fr; 3]) -> Result<[Opened; 4], VerifyError> {
    let [g_z, g_zi, h_z, h_zi, h_alpha, s_zi] = *check.decoded.scalars(SlotId::Openings)? else {
        return Err(VerifyError::Inconsistent("openings"));
    };
    let gamma = check.decoded.challenge(Challenge::OpenGamma)?;
    let opening = &check.program.opening;
    let short = VerifyError::Inconsistent("variables");
    let (low, high) = folded.point.split_at_checked(opening.column_bits as usize).ok_or(short)?;
    let products = g_z * row_polynomial(low, zi)
        + g_zi * row_polynomial(low, z)
        + gamma * (h_z * row_polynomial(high, zi) + h_zi * row_polynomial(high, z));
    let constant = (h_alpha + gamma * folded.value).double();
    let s_z = (products - constant - zi * s_zi) * zi;
    let d_z = z.pow_vartime([opening.columns().saturating_sub(1)]) * g_zi;
    Ok([
        (SlotId::G, vec![(z, g_z), (zi, g_zi)]),
        (SlotId::S, vec![(z, s_z), (zi, s_zi)]),
        (SlotId::D, vec![(z, d_z)]),
        (SlotId::H, vec![(z, h_z), (zi, h_zi), (alpha, h_alpha)]),
    ])
}

/// Checks that the committed vectors, folded, open to the value that the second sumcheck leaves.
pub(super) fn check(check: &Check<'_>, folded: &Folded) -> Result<(), VerifyError> {
    let d = check.decoded;
    let (alpha, z) = (d.challenge(Challenge::Alpha)?, d.challenge(Challenge::Z)?);
    let (nu, y, zeta) =
        (d.challenge(Challenge::Nu)?, d.challenge(Challenge::Y)?, d.challenge(Challenge::Zeta)?);
    if z == Fr::ZERO || z == Fr::ONE || z == -Fr::ONE || z == alpha || z * alpha == Fr::ONE {
        return Err(VerifyError::Degenerate);
    }
    let all = [z, inverse(z)?, alpha];
    let mut terms: Vec<(Fr, G1Affine)> = Vec::new();
    let (mut weight, mut value) = (Fr::ONE, Fr::ZERO);
    for (id, points) in &opened(check, folded, all)? {
        let others: Vec<Fr> = all.iter().filter(|x| points.iter().all(|(p, _)| p != *x)).copied().collect();
        let scale = weight * vanishing(y, &others);
        terms.push((scale, d.point(*id)?));
        value += scale * interpolated(points, y)?;
        weight *= nu;
    }
    let (second, quotient) = (d.point(SlotId::W2)?, d.point(SlotId::Quotient)?);
    terms.push((-vanishing(y, &all), d.point(SlotId::W)?));
    terms.push((y, second));
    terms.push((-value, program_point("generator", 0, &check.program.srs.g1)?));
    // ζ([f] − [g] + α[q])
    terms.extend(commitments(check, folded)?.into_iter().map(|(scalar, point)| (zeta * scalar, point)));
    terms.extend([(-zeta, d.point(SlotId::G)?), (zeta * alpha, quotient)]);
    let first = combine(terms.iter().map(|(scalar, point)| (*scalar, point)));
    let scaled = combine([(-zeta, &quotient)]);
    let srs = &check.program.srs;
    let second_group = |what, words| point2(words).ok_or(VerifyError::ProgramPoint { what, index: 0 });
    let (g2, s_g2) = (second_group("second generator", &srs.g2)?, second_group("setup point", &srs.s_g2)?);
    let b_g2 = second_group("setup point of the rows", &check.program.srs_b)?;
    let agree = pairing_product_is_one(&[(first, g2), (-second, s_g2), (scaled, b_g2)]);
    if agree { Ok(()) } else { Err(VerifyError::Rejected) }
}

/// The commitments whose sum is that of `f`.
fn commitments(check: &Check<'_>, folded: &Folded) -> Result<Vec<(Fr, G1Affine)>, VerifyError> {
    let mut out = Vec::new();
    let mut add = |source, part: usize, point: G1Affine| {
        let found = folded.functionals.get(&(source, part as u32)).copied();
        out.push((found.ok_or(VerifyError::Inconsistent("functional"))?, point));
        Ok::<(), VerifyError>(())
    };
    let committed = [
        (Source::Witness, SlotId::Witness),
        (Source::Helpers, SlotId::Helpers),
        (Source::Masks, SlotId::Masks),
    ];
    for (source, id) in committed {
        for (part, point) in check.decoded.points(id).iter().enumerate() {
            add(source, part, *point)?;
        }
    }
    for (part, words) in check.program.weights.commitments.iter().enumerate() {
        add(Source::Weights, part, program_point("commitment to weights", part, words)?)?;
    }
    Ok(out)
}

fn program_point(what: &'static str, index: usize, words: &G1) -> Result<G1Affine, VerifyError> {
    point(words).map_err(|_| VerifyError::ProgramPoint { what, index })
}
