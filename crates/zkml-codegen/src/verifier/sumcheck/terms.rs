//! Prints the sum of multiples of points and the pairing.

use zkml_protocol::sumcheck::{Base, Equations, Program, SlotId};

use super::{
    super::points::{self, Msm, PAIR, Point},
    memory::Map,
    operations::Operations,
};
use crate::{CodegenError, text::Text};

/// `e(Σ factor · base, [1]₂) · e(−[W'], [τ]₂) · e(factor · [q], [τ^b]₂) = 1`, or revert.
pub(super) fn print(
    text: &mut Text,
    map: &Map,
    program: &Program,
    equations: &Equations,
    operations: &Operations<'_>,
) -> Result<(), CodegenError> {
    text.section("Commitments folded into one point. In memory: the sum, a term's point, the term's factor.");
    let mut msm = Msm::new(text, map.buffer());
    for (factor, base) in &equations.terms {
        msm.scale(&operations.root(*factor)?);
        msm.add(&point(map, program, *base)?, true, &format!("{base:?}"));
    }
    let quotient = Point::Calldata(map.element(SlotId::Quotient, 0)?);
    msm.aside(&quotient, &operations.root(equations.quotient)?, map.buffer() + 2 * PAIR, "the quotient");
    text.section("Pairing: e(sum, [1]) e(-W', [tau]) e(quotient, [tau^b]) = 1.");
    let negated = (map.element(SlotId::W2, 0)?, &program.srs.s_g2);
    points::pairing(text, map.buffer(), &program.srs.g2, negated, &[&program.srs_b]);
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
