//! Points as raw bytes: little-endian coordinates in Montgomery form, as snarkjs and the proving library both store them.

#[cfg(feature = "setup")]
use halo2curves::bn256::G1Affine;
use halo2curves::{
    CurveAffine,
    bn256::{Fq, Fq2, G2Affine},
    group::{cofactor::CofactorGroup, prime::PrimeCurveAffine},
    serde::SerdeObject,
};
#[cfg(feature = "setup")]
use rayon::prelude::*;

use super::error::{Result, SrsError};

/// Bytes of a point of G1.
#[cfg(feature = "setup")]
pub(super) const G1_BYTES: usize = 64;
/// Bytes of a point of G2.
pub(super) const G2_BYTES: usize = 128;

/// Appends the points of `bytes`, of which the first has number `first` in `part`.
///
/// Each is on the curve and not the identity. The curve has a prime number of points (its cofactor is 1), so a point on it is in
/// the right group.
#[cfg(feature = "setup")]
pub(super) fn g1(bytes: &[u8], part: &'static str, first: u64, out: &mut Vec<G1Affine>) -> Result<()> {
    let start = out.len();
    out.resize(start + bytes.len() / G1_BYTES, G1Affine::identity());
    out[start..].par_iter_mut().zip(bytes.par_chunks_exact(G1_BYTES)).enumerate().try_for_each(
        |(i, (point, bytes))| {
            *point = one_g1(bytes, part, first + i as u64)?;
            Ok(())
        },
    )
}

#[cfg(feature = "setup")]
fn one_g1(bytes: &[u8], part: &'static str, index: u64) -> Result<G1Affine> {
    let coordinate = |b| Fq::from_raw_bytes(b).ok_or(SrsError::Coordinate { part, index });
    let point = G1Affine { x: coordinate(&bytes[..32])?, y: coordinate(&bytes[32..])? };
    good(&point, part, index)?;
    Ok(point)
}

/// The point of G2 in `bytes`; on the curve, in the subgroup of prime order, and not the identity.
pub(super) fn g2(bytes: &[u8; G2_BYTES], part: &'static str, index: u64) -> Result<G2Affine> {
    let coordinate = |b: &[u8]| -> Result<Fq2> {
        let half = |b: &[u8]| Fq::from_raw_bytes(b).ok_or(SrsError::Coordinate { part, index });
        Ok(Fq2 { c0: half(&b[..32])?, c1: half(&b[32..])? })
    };
    let point = G2Affine { x: coordinate(&bytes[..64])?, y: coordinate(&bytes[64..])? };
    good(&point, part, index)?;
    // Unlike G1, the curve of G2 has points of other orders.
    if bool::from(point.to_curve().is_torsion_free()) {
        Ok(point)
    } else {
        Err(SrsError::Subgroup { part, index })
    }
}

fn good<P: CurveAffine>(point: &P, part: &'static str, index: u64) -> Result<()> {
    if bool::from(point.is_identity()) {
        return Err(SrsError::Identity { part, index });
    }
    if !bool::from(point.is_on_curve()) {
        return Err(SrsError::OffCurve { part, index });
    }
    Ok(())
}

#[cfg(all(test, feature = "setup"))]
mod tests {
    use super::*;
    use ff::Field;
    use halo2curves::group::Curve;

    fn raw(point: &G2Affine) -> [u8; G2_BYTES] {
        point.to_raw_bytes().try_into().expect("128 bytes")
    }

    #[test]
    fn points_of_g1_are_checked_one_by_one() {
        let good = (G1Affine::generator() * halo2curves::bn256::Fr::from(5)).to_affine();
        let decode = |second: &[u8]| {
            let mut out = vec![];
            let bytes = [good.to_raw_bytes().as_slice(), second].concat();
            g1(&bytes, "the test", 10, &mut out).map(|()| out)
        };
        assert_eq!(decode(&good.to_raw_bytes()).expect("reads"), [good, good]);
        let mut off = good.to_raw_bytes();
        off[0] ^= 1;
        assert!(matches!(decode(&off), Err(SrsError::OffCurve { part: "the test", index: 11 })));
        assert!(matches!(decode(&[0; 64]), Err(SrsError::Identity { index: 11, .. })));
        assert!(matches!(decode(&[0xff; 64]), Err(SrsError::Coordinate { index: 11, .. })));
        // The same coordinate plus the modulus, in the same 32 bytes.
        let mut aliased = good.to_raw_bytes();
        let modulus: [u8; 32] = [
            0x47, 0xfd, 0x7c, 0xd8, 0x16, 0x8c, 0x20, 0x3c, 0x8d, 0xca, 0x71, 0x68, 0x91, 0x6a, 0x81, 0x97,
            0x5d, 0x58, 0x81, 0x81, 0xb6, 0x45, 0x50, 0xb8, 0x29, 0xa0, 0x31, 0xe1, 0x72, 0x4e, 0x64, 0x30,
        ];
        let mut carry = 0u16;
        for (b, m) in aliased.iter_mut().zip(modulus) {
            carry += u16::from(*b) + u16::from(m);
            *b = carry as u8;
            carry >>= 8;
        }
        assert!(matches!(decode(&aliased), Err(SrsError::Coordinate { index: 11, .. })));
    }

    #[test]
    fn points_of_g2_must_be_in_the_subgroup() {
        assert_eq!(g2(&raw(&G2Affine::generator()), "x", 0).expect("reads"), G2Affine::generator());
        assert!(matches!(g2(&[0; 128], "x", 3), Err(SrsError::Identity { part: "x", index: 3 })));
        let mut off = raw(&G2Affine::generator());
        off[64] ^= 1;
        assert!(matches!(g2(&off, "x", 0), Err(SrsError::OffCurve { .. })));
        // A point of the curve that is almost surely of another order: the first x that has a y.
        let outside = (1u64..)
            .find_map(|x| {
                let x = Fq2 { c0: Fq::from(x), c1: Fq::ONE };
                let y = (x.square() * x + G2Affine::b()).sqrt().into_option()?;
                Some(G2Affine { x, y })
            })
            .expect("half of all x have a y");
        assert!(bool::from(outside.is_on_curve()));
        assert!(matches!(g2(&raw(&outside), "x", 1), Err(SrsError::Subgroup { index: 1, .. })));
    }
}
