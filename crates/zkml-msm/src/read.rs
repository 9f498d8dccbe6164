//! Points as files of keys have them: read without arithmetic, and checked eight at once where the machine can.

use ff::{Field, PrimeField};
use halo2curves::{
    bn256::{Fq, G1Affine},
    group::prime::PrimeCurveAffine,
    serde::SerdeObject,
};
use rayon::prelude::*;

/// Bytes of a point.
pub const POINT_BYTES: usize = 64;
/// Points that a thread takes at once.
const TOGETHER: usize = 1 << 10;

/// The points that [`SerdeObject::to_raw_bytes`] wrote one after another; nothing if the last is cut short, a coordinate is no number
/// below the modulus, or a point is not on the curve.
pub fn points_from_raw(bytes: &[u8]) -> Option<Vec<G1Affine>> {
    if !bytes.len().is_multiple_of(POINT_BYTES) {
        return None;
    }
    let modulus = modulus();
    let mut out = vec![G1Affine::identity(); bytes.len() / POINT_BYTES];
    let parts = out.par_chunks_mut(TOGETHER).zip(bytes.par_chunks(TOGETHER * POINT_BYTES));
    let good = parts.map(|(out, bytes)| read(out, bytes, &modulus)).all(|good| good);
    good.then_some(out)
}

/// Words of a number, the highest first.
type Words = [u64; 4];

fn modulus() -> Words {
    let mut out = [0; 4];
    let repr = (-Fq::ONE).to_repr();
    for (word, bytes) in out.iter_mut().rev().zip(repr.as_ref().as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    // Even: one is added without a carry.
    out[3] += 1;
    out
}

/// Reads points, and returns false if one is none.
fn read(out: &mut [G1Affine], bytes: &[u8], modulus: &Words) -> bool {
    for (point, bytes) in out.iter_mut().zip(bytes.as_chunks::<POINT_BYTES>().0) {
        for coordinate in bytes.as_chunks::<32>().0 {
            let mut words = [0; 4];
            for (word, bytes) in words.iter_mut().rev().zip(coordinate.as_chunks::<8>().0) {
                *word = u64::from_le_bytes(*bytes);
            }
            if words >= *modulus {
                return false;
            }
        }
        *point = G1Affine::from_raw_bytes_unchecked(bytes);
    }
    on_curve(out)
}

/// Returns true if all points are on the curve.
fn on_curve(points: &[G1Affine]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Some(all) = crate::lanes::on_curve(points) {
        return all;
    }
    one_by_one(points)
}

fn one_by_one(points: &[G1Affine]) -> bool {
    use halo2curves::CurveAffine;
    points.iter().all(|point| bool::from(point.is_on_curve()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2curves::{bn256::Fr, group::Curve};

    fn some(count: u64) -> Vec<G1Affine> {
        (0..count).map(|i| (G1Affine::generator() * Fr::from(i * i)).to_affine()).collect()
    }

    fn written(points: &[G1Affine]) -> Vec<u8> {
        points.iter().flat_map(SerdeObject::to_raw_bytes).collect()
    }

    #[test]
    fn points_come_back() {
        // The first is the identity; the last eight are not whole.
        for count in [0, 1, 7, 8, 21] {
            let points = some(count);
            assert_eq!(points_from_raw(&written(&points)), Some(points));
        }
    }

    #[test]
    fn what_is_no_point_is_refused() {
        let points = some(19);
        let bytes = written(&points);
        assert_eq!(points_from_raw(&bytes[..bytes.len() - 1]), None, "cut short");
        for at in [0, 5, 8, 18] {
            let mut other = points.clone();
            other[at].x += Fq::ONE;
            assert!(!on_curve(&other) && !one_by_one(&other), "point {at}");
            assert_eq!(points_from_raw(&written(&other)), None, "point {at}");
        }
        // The same number, one modulus higher: the curve's equation holds, but it is not the form that was written.
        let at = POINT_BYTES * 3;
        let mut other = bytes;
        let mut carry = 0;
        for (word, own) in modulus().iter().rev().zip(other[at..at + 32].as_chunks_mut::<8>().0) {
            let (sum, first) = u64::from_le_bytes(*own).overflowing_add(*word);
            let (sum, second) = sum.overflowing_add(carry);
            *own = sum.to_le_bytes();
            carry = u64::from(first || second);
        }
        assert_eq!(carry, 0);
        assert_eq!(points_from_raw(&other), None);
    }
}
