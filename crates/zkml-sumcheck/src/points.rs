//! Points as files of keys have them.

use halo2curves::{bn256::G1Affine, serde::SerdeObject};

use crate::error::{Error, Result};

/// Points that were read and are on the curve: those of a key, before anybody knows whose.
#[derive(Debug)]
pub struct Points(Vec<G1Affine>);

impl Points {
    /// Reads what [`Keys::to_bytes`](crate::Keys::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::BadKey`] for what is no point.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        zkml_msm::points_from_raw(bytes).map(Self).ok_or(Error::BadKey("it holds what is no point"))
    }

    /// The powers of the setup that keys begin with, as many as [`Layout::powers`](crate::Layout::powers) says, and nothing of what else is
    /// in them.
    ///
    /// # Errors
    /// [`Error::BadKey`] when there are fewer.
    pub fn powers(self, count: usize) -> Result<Vec<G1Affine>> {
        let Self(mut points) = self;
        if points.len() < count {
            return Err(Error::BadKey(
                "it has fewer powers of the setup than this model takes: it is cut short, or another model's",
            ));
        }
        points.truncate(count);
        Ok(points)
    }

    /// Vectors of these lengths, one after the other.
    pub(crate) fn split(self, lengths: &[usize]) -> Result<Vec<Vec<G1Affine>>> {
        let Self(mut points) = self;
        if points.len() != lengths.iter().sum::<usize>() {
            return Err(Error::BadKey(
                "its length is not that of this model's key: it is damaged, or another model's",
            ));
        }
        let mut last = |length: &usize| points.split_off(points.len() - length);
        let mut out: Vec<_> = lengths.iter().rev().map(&mut last).collect();
        out.reverse();
        Ok(out)
    }
}

/// The bytes of points.
pub(crate) fn points_to_bytes<'a>(points: impl Iterator<Item = &'a G1Affine>) -> Vec<u8> {
    points.flat_map(SerdeObject::to_raw_bytes).collect()
}
