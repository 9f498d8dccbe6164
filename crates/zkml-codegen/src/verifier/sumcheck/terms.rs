//! Prints the sum of multiples of points and the pairing.

use zkml_contracts::errors;
use zkml_protocol::sumcheck::{Base, Equations, Program, SlotId};

use super::{
    super::{
        checks::fail,
        points::{self, Msm, Point},
    },
    memory::Map,
    operations::Operations,
};
use crate::{CodegenError, text::Text};

/// What has to be one is, and `e(Σ factor · base, [1]₂) · e(−[W'], [τ]₂) = 1`, or `… · e(−[q], [τ^b]₂) = 1`; or revert.
pub(super) fn print(
    text: &mut Text,
    map: &Map,
    program: &Program,
    equations: &Equations,
    operations: &Operations<'_>,
) -> Result<(), CodegenError> {
    let comparison = &equations.comparison;
    text.section("The last word of the proof is an inverse, from which others follow.");
    text.line(format_args!(
        "if iszero(eq(mod({}, r), 1)) {{ {} }}",
        operations.root(comparison.one)?,
        fail(&errors::PROOF_REJECTED, &[])
    ));
    text.section("Commitments folded into one point. In memory: the sum, a term's point, the term's factor.");
    let mut msm = Msm::new(text, map.buffer());
    for (factor, base) in &comparison.terms {
        let scaled = !equations.is_one(*factor);
        if scaled {
            msm.scale(&operations.root(*factor)?);
        }
        msm.add(&point(map, program, *base)?, scaled, &format!("{base:?}"));
    }
    let negated = |id| map.element(id, 0);
    let mut pairs = vec![(negated(SlotId::W2)?, &program.srs.s_g2)];
    if comparison.by_rows {
        text.section("Pairing: e(sum, [1]) e(-W', [tau]) e(-q, [tau^b]) = 1.");
        pairs.push((negated(SlotId::Quotient)?, &program.srs_b));
    } else {
        text.section("Pairing: e(sum, [1]) e(-W', [tau]) = 1.");
    }
    points::pairing(text, map.buffer(), &program.srs.g2, &pairs);
    Ok(())
}

fn point(map: &Map, program: &Program, base: Base) -> Result<Point, CodegenError> {
    Ok(match base {
        Base::Proof(slot, at) => Point::Calldata(map.element(slot, at)?),
        Base::Generator => Point::Constant(program.srs.g1),
        Base::Weights(part) => {
            let found = program.weights.commitments.get(part as usize).copied();
            let found =
                found.ok_or_else(|| CodegenError::Inconsistent("no commitment to weights".to_owned()));
            Point::Constant(found?)
        }
    })
}
