//! Affine maps from an index space into a tensor: how an operand is seen, without expanding it.

use serde::{Deserialize, Serialize};

/// One coordinate of the source as an affine function of the view's index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Axis {
    /// Coordinate at view index zero; may be negative when padded.
    pub offset: i64,
    /// Step of the coordinate per step of each view dimension.
    pub steps: Vec<i64>,
}

/// A view of a tensor: transposition, slicing, broadcasting, windows, dilation, padding, all as one
/// affine map. Element `i` of the view is source element `axes(i)`; outside the source it is `pad`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Map {
    /// Shape in which the row-major source is read; its product is the source's length.
    pub source: Vec<usize>,
    /// Shape of the view.
    pub shape: Vec<usize>,
    /// One entry per dimension of `source`.
    pub axes: Vec<Axis>,
    /// Value seen outside the source; `None` when every index is inside.
    pub pad: Option<i64>,
}

impl Map {
    /// The view that shows a tensor as it is.
    pub fn identity(shape: &[usize]) -> Self {
        Self::permuted(shape, &(0..shape.len()).collect::<Vec<_>>())
    }

    /// View dimension `d` walks source dimension `perm[d]`.
    pub fn permuted(source: &[usize], perm: &[usize]) -> Self {
        let shape: Vec<usize> = perm.iter().map(|&p| source[p]).collect();
        let axes = (0..source.len())
            .map(|s| Axis { offset: 0, steps: perm.iter().map(|&p| i64::from(p == s)).collect() })
            .collect();
        Self { source: source.to_vec(), shape, axes, pad: None }
    }

    /// NumPy broadcasting of `source` to `shape`; `None` when it does not broadcast.
    pub fn broadcast(source: &[usize], shape: &[usize]) -> Option<Self> {
        let lead = shape.len().checked_sub(source.len())?;
        let mut axes = Vec::with_capacity(source.len());
        for (s, &dim) in source.iter().enumerate() {
            let d = lead + s;
            if dim != 1 && dim != shape[d] {
                return None;
            }
            let steps = (0..shape.len()).map(|v| i64::from(v == d && dim != 1)).collect();
            axes.push(Axis { offset: 0, steps });
        }
        Some(Self { source: source.to_vec(), shape: shape.to_vec(), axes, pad: None })
    }

    /// Number of elements of the view.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the view has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the view is the whole source in its own order.
    pub fn is_identity(&self) -> bool {
        self.len() == self.source.iter().product::<usize>()
            && self.indices().iter().enumerate().all(|(i, s)| *s == Some(i))
    }

    /// Row-major source index of every view element in row-major order; `None` where the view shows padding.
    pub fn indices(&self) -> Vec<Option<usize>> {
        let rank = self.shape.len();
        let mut index = vec![0usize; rank];
        let mut coords: Vec<i64> = self.axes.iter().map(|a| a.offset).collect();
        let mut out = Vec::with_capacity(self.len());
        for _ in 0..self.len() {
            out.push(self.flat(&coords));
            for d in (0..rank).rev() {
                index[d] += 1;
                let wrapped = index[d] == self.shape[d];
                let delta = if wrapped { 1 - self.shape[d] as i64 } else { 1 };
                for (c, a) in coords.iter_mut().zip(&self.axes) {
                    *c += a.steps[d] * delta;
                }
                if !wrapped {
                    break;
                }
                index[d] = 0;
            }
        }
        out
    }

    fn flat(&self, coords: &[i64]) -> Option<usize> {
        let mut flat = 0usize;
        for (&c, &dim) in coords.iter().zip(&self.source) {
            let c = usize::try_from(c).ok().filter(|&c| c < dim)?;
            flat = flat * dim + c;
        }
        Some(flat)
    }

    /// Whether the description is coherent: ranks agree, and unpadded views stay inside the source.
    pub fn is_valid(&self) -> bool {
        let ranks = self.axes.len() == self.source.len()
            && self.axes.iter().all(|a| a.steps.len() == self.shape.len());
        ranks && (self.pad.is_some() || self.is_empty() || self.stays_inside())
    }

    fn stays_inside(&self) -> bool {
        self.axes.iter().zip(&self.source).all(|(a, &dim)| {
            let (mut lo, mut hi) = (i128::from(a.offset), i128::from(a.offset));
            for (&s, &n) in a.steps.iter().zip(&self.shape) {
                let reach = i128::from(s) * (n as i128 - 1);
                lo += reach.min(0);
                hi += reach.max(0);
            }
            lo >= 0 && hi < dim as i128
        })
    }

    /// The values the view shows of row-major `source`.
    pub fn gather(&self, source: &[i64]) -> Vec<i64> {
        let pad = self.pad.unwrap_or(0);
        self.indices().into_iter().map(|i| i.map_or(pad, |i| source[i])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposes() {
        let m = Map::permuted(&[2, 3], &[1, 0]);
        assert_eq!(m.gather(&[0, 1, 2, 3, 4, 5]), [0, 3, 1, 4, 2, 5]);
        assert!(m.is_valid() && !m.is_identity());
    }

    #[test]
    fn broadcasts() {
        let m = Map::broadcast(&[3, 1], &[2, 3, 2]).expect("broadcasts");
        assert_eq!(m.gather(&[7, 8, 9]), [7, 7, 8, 8, 9, 9, 7, 7, 8, 8, 9, 9]);
        assert!(Map::broadcast(&[3], &[2]).is_none());
    }

    #[test]
    fn windows_with_padding() {
        // Width-3 windows over 4 elements, padded by one on each side.
        let m = Map {
            source: vec![4],
            shape: vec![4, 3],
            axes: vec![Axis { offset: -1, steps: vec![1, 1] }],
            pad: Some(0),
        };
        assert_eq!(m.gather(&[1, 2, 3, 4]), [0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 0]);
        assert!(m.is_valid());
        assert!(!Map { pad: None, ..m }.is_valid());
    }
}
