//! Slices of a setup: as many powers as one model takes, with what its verifier takes of the second group.
//!
//! A browser downloads no whole setup. It is given a slice by whoever offers the model, and believes nothing of it.

use halo2curves::{
    bn256::{G1Affine, G2Affine},
    group::prime::PrimeCurveAffine,
    serde::SerdeObject,
};
use zkml_curve::{g1_words, g2_from_words, g2_words};

use super::{
    check,
    error::{IN_G2, POWERS, Result as Checked, SrsError},
    failure::Result,
    origin::{self, Provenance},
    points::{self, G2_BYTES},
    refused,
};

/// Points that say they are a slice.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    /// `G, τ·G, τ²·G, …`, each on the curve.
    pub powers: &'a [G1Affine],
    /// `[τ]₂`.
    pub s_g2: &'a zkml_protocol::G2,
    /// `[τ^(2^j)]₂`.
    pub in_g2: &'a zkml_protocol::G2,
    /// The `j` of that.
    pub j: u32,
}

impl Slice<'_> {
    /// The verifier's part, once all points are what they say: one secret's powers in both groups. It says of itself that its secret
    /// is public where that is so. `path` names the slice in errors.
    ///
    /// # Errors
    /// [`Error::Unsound`](crate::Error::Unsound) with the first thing that is wrong.
    pub fn verifier_part(&self, path: &str) -> Result<zkml_protocol::Srs> {
        let s_g2 = self.check().map_err(|why| refused(path.as_ref(), why))?;
        Ok(zkml_protocol::Srs {
            g1: g1_words(&G1Affine::generator()),
            g2: g2_words(&G2Affine::generator()),
            s_g2: *self.s_g2,
            unsafe_dev: origin::provenance(&s_g2) == Provenance::Dev,
        })
    }

    fn check(&self) -> Checked<G2Affine> {
        let exponent = 1u64.checked_shl(self.j).unwrap_or(u64::MAX);
        let (s_g2, in_g2) = (in_subgroup(self.s_g2, 1)?, in_subgroup(self.in_g2, exponent)?);
        check::powers(self.powers, &s_g2, POWERS)?;
        let place = usize::try_from(exponent).ok();
        let power = place.and_then(|i| self.powers.get(i)).ok_or(SrsError::Ratio { part: IN_G2 })?;
        if check::same_point(&power.to_curve(), &in_g2.to_curve()) {
            Ok(s_g2)
        } else {
            Err(SrsError::Ratio { part: IN_G2 })
        }
    }
}

/// The point of these words, with the checks of a setup's file. `index` is its place among the powers.
fn in_subgroup(words: &zkml_protocol::G2, index: u64) -> Checked<G2Affine> {
    let point = g2_from_words(words).ok_or(SrsError::Coordinate { part: IN_G2, index })?;
    let mut raw = [0; G2_BYTES];
    raw.copy_from_slice(&point.to_raw_bytes());
    points::g2(&raw, IN_G2, index)
}

#[cfg(all(test, feature = "setup"))]
mod tests {
    use super::*;
    use crate::Srs;
    use halo2curves::group::{Group, cofactor::CofactorGroup};

    const J: u32 = 2;

    fn parts() -> (Vec<G1Affine>, zkml_protocol::G2, zkml_protocol::G2) {
        let srs = Srs::dev(4).expect("a setup");
        let (powers, in_g2) = srs.by_rows(9, J, "dev").expect("as many");
        (powers, srs.verifier_part().s_g2, in_g2)
    }

    fn refusal(powers: &[G1Affine], s_g2: &zkml_protocol::G2, in_g2: &zkml_protocol::G2, j: u32) -> String {
        let slice = Slice { powers, s_g2, in_g2, j };
        slice.verifier_part("slice").expect_err("it is none").to_string()
    }

    #[test]
    fn a_slice_has_the_verifier_s_part_of_its_setup() {
        let (powers, s_g2, in_g2) = parts();
        let slice = Slice { powers: &powers, s_g2: &s_g2, in_g2: &in_g2, j: J };
        let part = slice.verifier_part("slice").expect("a slice");
        assert_eq!(part, Srs::dev(4).expect("a setup").verifier_part());
        assert!(part.unsafe_dev, "judged by the points");
    }

    #[test]
    fn each_point_is_checked_against_the_others() {
        let (powers, s_g2, in_g2) = parts();
        for i in 0..powers.len() {
            let mut other = powers.clone();
            other[i] = (other[i] + G1Affine::generator()).into();
            assert!(refusal(&other, &s_g2, &in_g2, J).contains(POWERS), "power {i}");
        }
        assert!(refusal(&powers, &in_g2, &in_g2, J).contains(POWERS), "another secret");
        assert!(refusal(&powers, &s_g2, &s_g2, J).contains(IN_G2), "another power");
        assert!(refusal(&powers, &s_g2, &in_g2, J + 1).contains(IN_G2), "said to be another power");
        for j in [4, 63, 64, u32::MAX] {
            assert!(refusal(&powers, &s_g2, &in_g2, j).contains(IN_G2), "beyond the slice");
        }
        assert!(refusal(&[], &s_g2, &in_g2, J).contains(POWERS), "nothing");
    }

    #[test]
    fn points_outside_of_the_curve_and_of_the_subgroup_are_refused() {
        let (powers, s_g2, in_g2) = parts();
        let mut off = s_g2;
        off.x[0].0[31] ^= 1;
        assert!(refusal(&powers, &off, &in_g2, J).contains(IN_G2));
        let nowhere = g2_words(&G2Affine::default());
        assert!(refusal(&powers, &nowhere, &in_g2, J).contains(IN_G2), "the identity");
        // A point of the curve is hardly ever in the subgroup.
        let outside = (1..).find_map(outside).expect("every other abscissa has points");
        assert!(refusal(&powers, &outside, &in_g2, J).contains("order"), "another order");
    }

    /// A point of the curve with this abscissa that is outside of the subgroup.
    fn outside(i: u64) -> Option<zkml_protocol::G2> {
        use halo2curves::{CurveAffine, bn256::Fq2};
        let x = Fq2::from(i);
        let y = Option::<Fq2>::from(ff::Field::sqrt(&(x * x * x + G2Affine::b())))?;
        let point: G2Affine = Option::from(G2Affine::from_xy(x, y))?;
        (!bool::from(point.to_curve().is_torsion_free()) && !bool::from(point.to_curve().is_identity()))
            .then(|| g2_words(&point))
    }
}
