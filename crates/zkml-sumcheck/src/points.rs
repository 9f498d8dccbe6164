//! Points as files of keys have them.

use halo2curves::{bn256::G1Affine, serde::SerdeObject};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Bytes of a point.
const POINT: usize = 64;

/// The bytes of points.
pub(crate) fn points_to_bytes<'a>(points: impl Iterator<Item = &'a G1Affine>) -> Vec<u8> {
    points.flat_map(SerdeObject::to_raw_bytes).collect()
}

/// Vectors of points of these lengths, one after the other.
pub(crate) fn points_of(bytes: &[u8], lengths: &[usize]) -> Result<Vec<Vec<G1Affine>>> {
    if bytes.len() != lengths.iter().sum::<usize>() * POINT {
        return Err(Error::BadKey(
            "its length is not that of this model's key: it is damaged, or another model's",
        ));
    }
    let (mut rest, mut out) = (bytes, Vec::with_capacity(lengths.len()));
    for length in lengths {
        let (own, after) = rest.split_at(*length * POINT);
        let points = own.par_chunks_exact(POINT).map(G1Affine::from_raw_bytes);
        out.push(points.collect::<Option<_>>().ok_or(Error::BadKey("it holds what is no point"))?);
        rest = after;
    }
    Ok(out)
}
