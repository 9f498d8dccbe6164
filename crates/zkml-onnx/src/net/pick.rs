//! Values put together of elements of others, one by one: gathers, scatters, masks, triangles.

use std::ops::Range;

use zkml_graph::Map;
use zkml_graph::map::Axis;

use super::view::strides;
use super::{Net, NetOp, Operand};

/// An element: of which operand, and which of the elements that it shows.
pub(crate) type Source = (usize, usize);

/// Part of the result in which the source is an affine function of the place.
struct Piece {
    start: Vec<usize>,
    shape: Vec<usize>,
    operand: usize,
    first: i64,
    steps: Vec<i64>,
}

/// Finds the pieces.
struct Search<'a> {
    sources: &'a [Source],
    shape: &'a [usize],
    row: Vec<i64>,
    pieces: Vec<Piece>,
    most: usize,
}

impl Search<'_> {
    fn at(&self, index: &[usize]) -> Source {
        self.sources[index.iter().zip(&self.row).map(|(i, r)| i * *r as usize).sum::<usize>()]
    }

    /// The piece that starts at `start`, runs along `along` in dimension `d`, and takes the dimensions behind `d` whole.
    fn piece(&self, start: &[usize], d: usize, along: Range<usize>) -> Option<Piece> {
        let rank = self.shape.len();
        let mut shape = vec![1; rank];
        (d..rank).for_each(|i| shape[i] = if i == d { along.len() } else { self.shape[i] });
        let mut begin = start.to_vec();
        begin[d] = along.start;
        let (operand, first) = self.at(&begin);
        let mut steps = vec![0; rank];
        for i in (d..rank).filter(|i| shape[*i] > 1) {
            let mut next = begin.clone();
            next[i] += 1;
            steps[i] = self.at(&next).1 as i64 - first as i64;
        }
        let own = strides(&shape);
        let fits = (0..shape.iter().product::<usize>()).all(|k| {
            let inside: Vec<usize> = (0..rank).map(|i| k / own[i] as usize % shape[i]).collect();
            let place: Vec<usize> = begin.iter().zip(&inside).map(|(b, i)| b + i).collect();
            let step: i64 = steps.iter().zip(&inside).map(|(s, i)| s * *i as i64).sum();
            let (other, element) = self.at(&place);
            other == operand && element as i64 == first as i64 + step
        });
        fits.then_some(Piece { start: begin, shape, operand, first: first as i64, steps })
    }

    /// Covers everything from `start` on in dimension `d` and those behind it; false when that takes too many pieces.
    fn cover(&mut self, start: &mut Vec<usize>, d: usize) -> bool {
        let end = self.shape[d];
        let mut from = 0;
        while from < end {
            if self.pieces.len() >= self.most {
                return false;
            }
            start[d] = from;
            let Some(mut best) = self.piece(start, d, from..from + 1) else {
                if !self.cover(start, d + 1) {
                    return false;
                }
                start[d + 1..].fill(0);
                from += 1;
                continue;
            };
            // Twice as long while that fits, then by halves.
            let (mut len, mut step) = (1, 1);
            while step > 0 {
                let grown = (from + len + step <= end)
                    .then(|| self.piece(start, d, from..from + len + step))
                    .flatten();
                match grown {
                    Some(piece) => {
                        (best, len) = (piece, len + step);
                        step *= 2;
                    }
                    None => step /= 2,
                }
            }
            from += len;
            self.pieces.push(best);
        }
        true
    }
}

impl Net {
    /// A value of shape `shape` whose elements are elements of `operands`; nothing when it takes more than `most` affine pieces.
    pub(crate) fn picked(
        &mut self,
        name: &str,
        operands: &[Operand],
        sources: &[Source],
        shape: &[usize],
        most: usize,
    ) -> Option<Operand> {
        let whole: Vec<usize> = if shape.is_empty() { vec![1] } else { shape.to_vec() };
        let row = strides(&whole);
        let mut search = Search { sources, shape: &whole, row, pieces: Vec::new(), most };
        if !search.cover(&mut vec![0; whole.len()], 0) {
            return None;
        }
        let mut parts = Vec::with_capacity(search.pieces.len());
        for p in search.pieces {
            let o = &operands[p.operand];
            let source = vec![o.map.shape.iter().product()];
            let axis = Axis { offset: p.first, steps: p.steps };
            let from = Map { source, shape: p.shape.clone(), axes: vec![axis], pad: None };
            parts.push((self.view(name, o, &from), Map::slice(&whole, &p.start, &p.shape)));
        }
        let joined = match parts.as_mut_slice() {
            [(only, _)] => only.clone(),
            _ => self.push(name, NetOp::Join { parts }, &whole),
        };
        Some(self.view(name, &joined, &Map::identity(shape)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Evaluator;

    /// Picks from two inputs of 12 elements each, and says how many pieces that took.
    fn picked(sources: &[Source], shape: &[usize]) -> (Vec<f64>, usize) {
        let mut net = Net::default();
        let operands = ["a", "b"].map(|n| net.push(n, NetOp::Input, &[3, 4]));
        net.inputs = vec![0, 1];
        let y = net.picked("y", &operands, sources, shape, 100).expect("few pieces");
        assert_eq!(y.map.shape, shape);
        net.outputs.push(("y".into(), y.clone()));
        let given = |from: usize| (from..from + 12).map(|v| v as f64).collect::<Vec<_>>();
        let values = Evaluator::new(&net).run(&[given(0), given(100)]);
        let pieces = if let NetOp::Join { parts } = &net.nodes[y.value].op { parts.len() } else { 1 };
        (super::super::gather(&y.map, &values[y.value]), pieces)
    }

    #[test]
    fn elements_come_from_where_they_are_picked() {
        let reversed: Vec<Source> = (0..12).rev().map(|i| (0, i)).collect();
        let transposed: Vec<Source> = (0..12).map(|i| (1, i % 3 * 4 + i / 3)).collect();
        let triangle: Vec<Source> = (0..12).map(|i| if i % 4 <= i / 4 { (0, i) } else { (1, 0) }).collect();
        let scattered: Vec<Source> = [3, 1, 4, 1, 5, 9].into_iter().map(|i| (0, i)).collect();
        for (sources, shape, pieces) in [
            (&reversed, &[12][..], 1),
            (&transposed, &[4, 3], 1),
            (&triangle, &[3, 4], 6),
            (&scattered, &[2, 3], 3),
        ] {
            let want: Vec<f64> = sources.iter().map(|(o, i)| (o * 100 + i) as f64).collect();
            let (got, taken) = picked(sources, shape);
            assert_eq!(got, want);
            assert!(taken <= pieces, "{taken} pieces for {sources:?}");
        }
    }

    #[test]
    fn too_many_pieces_are_none() {
        let mut net = Net::default();
        let x = net.push("x", NetOp::Input, &[16]);
        let sources: Vec<Source> = (0..16).map(|i| (0, i * i % 16)).collect();
        assert!(net.picked("y", &[x], &sources, &[16], 3).is_none());
    }
}
