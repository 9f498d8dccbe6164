//! Affine maps from an index space into a tensor: how an operand is seen, without expanding it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::tensor::{MAX_ELEMENTS, MAX_RANK, elements, strides};

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

/// A view whose row-major index is affine: element `i` is `data[offset + Σ_d steps[d]·i[d]]`.
#[derive(Debug)]
pub(crate) struct Flat<'a> {
    /// The source itself, or the source with its padding around it.
    pub(crate) data: Cow<'a, [i64]>,
    /// Index of the view's first element.
    pub(crate) offset: i64,
    /// Step of the index per step of each view dimension.
    pub(crate) steps: Vec<i64>,
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

    /// The part of a tensor from `start` on, of the given shape.
    pub fn slice(source: &[usize], start: &[usize], shape: &[usize]) -> Self {
        let mut map = Self { shape: shape.to_vec(), ..Self::identity(source) };
        map.axes.iter_mut().zip(start).for_each(|(a, &s)| a.offset = s as i64);
        map
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
        let own = strides(&self.shape);
        self.len() == self.source.iter().product::<usize>()
            && self.affine().is_some_and(|(offset, steps)| {
                let same = |((&s, &o), &n): ((&i64, &i64), &usize)| n == 1 || s == o;
                offset == 0 && steps.iter().zip(&own).zip(&self.shape).all(same)
            })
    }

    /// Row-major source index of every view element in row-major order; `None` where the view shows padding.
    pub fn indices(&self) -> Vec<Option<usize>> {
        self.iter().collect()
    }

    /// The indices of [`Map::indices`], one after another.
    pub fn iter(&self) -> Indices<'_> {
        let walk = match self.affine() {
            Some((at, steps)) => Walk::Inside { at, steps },
            None => Walk::Anywhere(self.axes.iter().map(|a| a.offset).collect()),
        };
        Indices { map: self, index: vec![0; self.shape.len()], walk, left: self.len() }
    }

    fn flat(&self, coords: &[i64]) -> Option<usize> {
        let mut flat = 0usize;
        for (&c, &dim) in coords.iter().zip(&self.source) {
            let c = usize::try_from(c).ok().filter(|&c| c < dim)?;
            flat = flat * dim + c;
        }
        Some(flat)
    }

    /// Whether the description is coherent: ranks agree, sizes are within
    /// [`MAX_ELEMENTS`], and unpadded views stay inside the source. Everything
    /// else about a map may be relied on, and nothing about one that is not valid.
    pub fn is_valid(&self) -> bool {
        let small = |v: i64| v.unsigned_abs() <= MAX_ELEMENTS as u64;
        self.axes.len() == self.source.len()
            && self.source.len() <= MAX_RANK
            && self.axes.iter().all(|a| a.steps.len() == self.shape.len())
            && self.axes.iter().all(|a| small(a.offset) && a.steps.iter().all(|&s| small(s)))
            && elements(&self.source).is_some()
            && elements(&self.shape).is_some()
            && (self.stays_inside() || (self.pad.is_some() && elements(&self.padded().shape).is_some()))
    }

    /// Smallest and largest coordinate that the view reaches on each axis.
    fn reach(&self) -> impl Iterator<Item = (i64, i64)> {
        self.axes.iter().map(|a| {
            let ends = a.steps.iter().zip(&self.shape).map(|(&s, &n)| s * (n as i64 - 1));
            ends.fold((a.offset, a.offset), |(lo, hi), e| (lo + e.min(0), hi + e.max(0)))
        })
    }

    /// Whether the view never shows padding.
    pub fn stays_inside(&self) -> bool {
        self.reach().zip(&self.source).all(|((lo, hi), &dim)| lo >= 0 && hi < dim as i64)
    }

    /// The box that the view reaches, as a view of the source.
    fn padded(&self) -> Self {
        let (shape, offsets): (Vec<usize>, Vec<i64>) =
            self.reach().map(|(lo, hi)| ((hi - lo + 1) as usize, lo)).unzip();
        let mut map = Self { shape: shape.clone(), pad: self.pad, ..Self::identity(&shape) };
        map.source.clone_from(&self.source);
        map.axes.iter_mut().zip(offsets).for_each(|(a, o)| a.offset = o);
        map
    }

    /// For a view without padding: its first source index, and the step of the index along each view
    /// dimension.
    pub fn affine(&self) -> Option<(i64, Vec<i64>)> {
        self.stays_inside().then(|| self.affine_in(&self.source))
    }

    /// Index and steps when the source has shape `dims`.
    fn affine_in(&self, dims: &[usize]) -> (i64, Vec<i64>) {
        let strides = strides(dims);
        let dot = |f: &dyn Fn(&Axis) -> i64| self.axes.iter().zip(&strides).map(|(a, s)| f(a) * s).sum();
        (dot(&|a| a.offset), (0..self.shape.len()).map(|d| dot(&|a| a.steps[d])).collect())
    }

    /// The view over `source` as an affine one, the padding made real where it shows any.
    pub(crate) fn flatten<'a>(&self, source: &'a [i64]) -> Flat<'a> {
        if let Some((offset, steps)) = self.affine() {
            return Flat { data: Cow::Borrowed(source), offset, steps };
        }
        let padded = self.padded();
        let mut moved = self.clone();
        moved.axes.iter_mut().zip(&padded.axes).for_each(|(a, p)| a.offset -= p.offset);
        let (offset, steps) = moved.affine_in(&padded.shape);
        Flat { data: Cow::Owned(padded.gather(source)), offset, steps }
    }

    /// Whether the view shows every element of its source exactly once.
    pub fn is_bijective(&self) -> bool {
        let len = self.source.iter().product();
        let mut marks = Marks::new(len);
        self.len() == len && self.iter().all(|i| i.is_some_and(|i| marks.mark(i)))
    }

    /// The values the view shows of row-major `source`.
    pub fn gather(&self, source: &[i64]) -> Vec<i64> {
        let pad = self.pad.unwrap_or(0);
        self.iter().map(|i| i.map_or(pad, |i| source[i])).collect()
    }
}

/// Iterator over the source indices of a view; see [`Map::iter`].
#[derive(Debug)]
pub struct Indices<'a> {
    map: &'a Map,
    index: Vec<usize>,
    walk: Walk,
    left: usize,
}

/// The place in the source of an iterator over a view.
#[derive(Debug)]
enum Walk {
    /// At this index, which a step along each view dimension changes by so much: no coordinate leaves the source.
    Inside { at: i64, steps: Vec<i64> },
    /// At these coordinates.
    Anywhere(Vec<i64>),
}

impl Iterator for Indices<'_> {
    type Item = Option<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let item = match &self.walk {
            Walk::Inside { at, .. } => Some(*at as usize),
            Walk::Anywhere(coords) => self.map.flat(coords),
        };
        for d in (0..self.index.len()).rev() {
            self.index[d] += 1;
            let wrapped = self.index[d] == self.map.shape[d];
            let delta = if wrapped { 1 - self.map.shape[d] as i64 } else { 1 };
            match &mut self.walk {
                Walk::Inside { at, steps } => *at += steps[d] * delta,
                Walk::Anywhere(coords) => {
                    coords.iter_mut().zip(&self.map.axes).for_each(|(c, a)| *c += a.steps[d] * delta);
                }
            }
            if !wrapped {
                break;
            }
            self.index[d] = 0;
        }
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// Which elements were seen, one bit each.
#[derive(Debug)]
pub(crate) struct Marks {
    words: Vec<u64>,
    left: usize,
}

impl Marks {
    /// Nothing seen of `len` elements.
    pub(crate) fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], left: len }
    }

    /// Marks element `i`; `false` when it was marked before.
    pub(crate) fn mark(&mut self, i: usize) -> bool {
        let (word, bit) = (&mut self.words[i / 64], 1u64 << (i % 64));
        let new = *word & bit == 0;
        *word |= bit;
        self.left -= usize::from(new);
        new
    }

    /// Whether every element was seen.
    pub(crate) fn is_full(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(offset: i64, shape: &[usize], steps: &[i64]) -> Map {
        let axes = vec![Axis { offset, steps: steps.to_vec() }];
        Map { source: vec![4], shape: shape.to_vec(), axes, pad: Some(0) }
    }

    #[test]
    fn transposes() {
        let m = Map::permuted(&[2, 3], &[1, 0]);
        assert_eq!(m.gather(&[0, 1, 2, 3, 4, 5]), [0, 3, 1, 4, 2, 5]);
        assert!(m.is_valid() && !m.is_identity() && m.is_bijective());
        assert_eq!(m.affine(), Some((0, vec![1, 3])));
    }

    #[test]
    fn broadcasts() {
        let m = Map::broadcast(&[3, 1], &[2, 3, 2]).expect("broadcasts");
        assert_eq!(m.gather(&[7, 8, 9]), [7, 7, 8, 8, 9, 9, 7, 7, 8, 8, 9, 9]);
        assert!(!m.is_bijective());
        assert!(Map::broadcast(&[3], &[2]).is_none());
    }

    #[test]
    fn slices() {
        let m = Map::slice(&[2, 3], &[0, 1], &[2, 2]);
        assert_eq!(m.gather(&[0, 1, 2, 3, 4, 5]), [1, 2, 4, 5]);
        assert!(m.is_valid() && !m.is_identity());
        assert!(Map::slice(&[2, 3], &[0, 0], &[2, 3]).is_identity());
    }

    #[test]
    fn identity_ignores_unit_dimensions_and_reshapes() {
        let m = Map { source: vec![6], shape: vec![2, 1, 3], ..window(0, &[], &[3, 77, 1]) };
        assert!(m.is_identity() && m.is_valid());
        assert!(!Map { axes: vec![Axis { offset: 0, steps: vec![3, 77, 2] }], ..m }.is_identity());
    }

    #[test]
    fn windows_with_padding() {
        // Width-3 windows over 4 elements, padded by one on each side.
        let m = window(-1, &[4, 3], &[1, 1]);
        assert_eq!(m.gather(&[1, 2, 3, 4]), [0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 0]);
        assert!(m.is_valid());
        assert!(!Map { pad: None, ..m }.is_valid());
    }

    #[test]
    fn flattening_agrees_with_gathering() {
        let source = [1, 2, 3, 4];
        // Padded, dilated, reversed, entirely outside.
        for (offset, steps) in [(-1, [1, 1]), (-3, [2, 2]), (5, [-1, -2]), (9, [1, 0]), (0, [0, 0])] {
            let m = Map { pad: Some(-9), ..window(offset, &[3, 2], &steps) };
            let f = m.flatten(&source);
            let at = |i: i64, j: i64| f.data[(f.offset + f.steps[0] * i + f.steps[1] * j) as usize];
            let flat: Vec<i64> =
                (0..3).flat_map(|i| (0..2).map(move |j| (i, j))).map(|(i, j)| at(i, j)).collect();
            assert_eq!(flat, m.gather(&source), "offset {offset}, steps {steps:?}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_walk() {
        assert!(!window(0, &[1 << 20, 1 << 20], &[0, 0]).is_valid(), "too many elements");
        assert!(!window(0, &[1 << 60, 0], &[0, 0]).is_valid(), "a dimension of zero");
        assert!(!window(i64::MIN, &[1], &[0]).is_valid(), "offset");
        assert!(!window(0, &[2], &[i64::MIN]).is_valid(), "step");
        assert!(!window(0, &[1 << 20], &[1 << 20]).is_valid(), "a box too large to pad");
        assert!(!window(0, &[2], &[1, 1]).is_valid(), "ranks");
        let nowhere = Axis { offset: 0, steps: vec![0] };
        let endless = Map { source: vec![usize::MAX; 2], axes: vec![nowhere; 2], ..window(0, &[1], &[]) };
        assert!(!endless.is_valid(), "source");
    }
}
