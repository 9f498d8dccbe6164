//! Views of views: affine maps composed, so that wiring costs nothing.

use zkml_graph::Map;
use zkml_graph::map::Axis;

use super::Numbers;

/// The view that shows through `outer` what `inner` shows, when that is affine again.
///
/// `outer.source` is the shape of `inner`, or another factoring of the same number of elements.
pub(crate) fn compose(outer: &Map, inner: &Map) -> Option<Map> {
    if inner.pad.is_none() && inner.is_identity() {
        return Some(outer.clone());
    }
    match (outer.pad, inner.pad) {
        (None, None) => flat(outer, inner),
        (Some(_), None) => through_permutation(outer, inner),
        (None, Some(_)) => substitute(outer, inner),
        (Some(p), Some(q)) => (p == q && keeps_outside(inner)).then(|| substitute(outer, inner)).flatten(),
    }
}

/// Row-major strides of a shape.
pub(crate) fn strides(shape: &[usize]) -> Vec<i64> {
    let mut out = vec![1i64; shape.len()];
    for d in (1..shape.len()).rev() {
        out[d - 1] = out[d] * shape[d] as i64;
    }
    out
}

/// Both unpadded: the source may be read as one flat dimension.
pub(super) fn flat(outer: &Map, inner: &Map) -> Option<Map> {
    let row = strides(&inner.source);
    let along = |d: usize| inner.axes.iter().zip(&row).map(|(a, r)| a.steps[d] * r).sum::<i64>();
    let steps: Vec<i64> = (0..inner.shape.len()).map(along).collect();
    let steps = refactor(&inner.shape, &steps, &outer.source)?;
    let mut offset: i64 = inner.axes.iter().zip(&row).map(|(a, r)| a.offset * r).sum();
    offset += outer.axes.iter().zip(&steps).map(|(a, s)| a.offset * s).sum::<i64>();
    let total = |v: usize| outer.axes.iter().zip(&steps).map(|(a, s)| a.steps[v] * s).sum();
    let axis = Axis { offset, steps: (0..outer.shape.len()).map(total).collect() };
    let source = vec![inner.source.iter().product()];
    Some(Map { source, shape: outer.shape.clone(), axes: vec![axis], pad: None })
}

/// Strides of the same elements under another factoring of the shape, when there are such.
fn refactor(shape: &[usize], steps: &[i64], target: &[usize]) -> Option<Vec<i64>> {
    if shape == target {
        return Some(steps.to_vec());
    }
    let old: Vec<(usize, i64)> =
        shape.iter().copied().zip(steps.iter().copied()).filter(|d| d.0 != 1).collect();
    let mut out = vec![0i64; target.len()];
    let (mut o, mut t) = (0, 0);
    while t < target.len() {
        if target[t] == 1 {
            t += 1;
            continue;
        }
        let (mut o_end, mut t_end) = (o + 1, t + 1);
        let (mut have, mut want) = (old.get(o)?.0, target[t]);
        while have != want {
            if have < want {
                have *= old.get(o_end)?.0;
                o_end += 1;
            } else {
                want *= target.get(t_end)?;
                t_end += 1;
            }
        }
        let group = &old[o..o_end];
        if group.windows(2).any(|w| w[0].1 != w[1].0 as i64 * w[1].1) {
            return None;
        }
        let mut step = group.last()?.1;
        for d in (t..t_end).rev() {
            out[d] = step;
            step *= target[d] as i64;
        }
        (o, t) = (o_end, t_end);
    }
    Some(out)
}

/// A padded view of a permuted tensor: each dimension keeps its own end.
fn through_permutation(outer: &Map, inner: &Map) -> Option<Map> {
    if outer.source != inner.shape {
        return None;
    }
    let mut used = vec![false; inner.shape.len()];
    let mut axes = Vec::with_capacity(inner.axes.len());
    for (axis, &dim) in inner.axes.iter().zip(&inner.source) {
        let mut moving = (0..inner.shape.len()).filter(|&d| axis.steps[d] != 0 && inner.shape[d] > 1);
        match (moving.next(), moving.next()) {
            (None, _) if dim == 1 => axes.push(Axis { offset: 0, steps: vec![0; outer.shape.len()] }),
            (Some(d), None)
                if axis.steps[d] == 1 && axis.offset == 0 && inner.shape[d] == dim && !used[d] =>
            {
                used[d] = true;
                axes.push(outer.axes[d].clone());
            }
            _ => return None,
        }
    }
    let still = |d: usize| {
        let a = &outer.axes[d];
        a.offset == 0 && a.steps.iter().zip(&outer.shape).all(|(s, n)| *s == 0 || *n == 1)
    };
    let fixed = (0..used.len()).all(|d| used[d] || still(d));
    fixed.then(|| Map { source: inner.source.clone(), shape: outer.shape.clone(), axes, pad: outer.pad })
}

/// Coordinates substituted one into the other; the source keeps its dimensions.
fn substitute(outer: &Map, inner: &Map) -> Option<Map> {
    if outer.source != inner.shape {
        return None;
    }
    let axes = inner.axes.iter().map(|axis| {
        let offset = axis.offset + axis.steps.iter().zip(&outer.axes).map(|(s, o)| s * o.offset).sum::<i64>();
        let along = |v: usize| axis.steps.iter().zip(&outer.axes).map(|(s, o)| s * o.steps[v]).sum();
        Axis { offset, steps: (0..outer.shape.len()).map(along).collect() }
    });
    Some(Map {
        source: inner.source.clone(),
        shape: outer.shape.clone(),
        axes: axes.collect(),
        pad: inner.pad,
    })
}

/// Whether whatever lies outside the view also lies outside its source.
fn keeps_outside(inner: &Map) -> bool {
    inner.axes.len() == inner.shape.len()
        && inner.axes.iter().enumerate().all(|(s, axis)| {
            let own = axis.steps.iter().enumerate().all(|(d, &step)| step == i64::from(d == s));
            own && axis.offset <= 0 && axis.offset + inner.shape[s] as i64 >= inner.source[s] as i64
        })
}

/// The same numbers with dimensions dropped along which they do not change, and the view that shows them all.
pub(crate) fn constant_view(numbers: &Numbers, shape: &[usize]) -> (Numbers, Map) {
    let (step, values) = (strides(shape), numbers.form());
    let changes = |d: usize| {
        (0..values.len())
            .any(|i| i as i64 / step[d] % shape[d] as i64 > 0 && values[i] != values[i - step[d] as usize])
    };
    let kept: Vec<usize> = (0..shape.len()).filter(|&d| shape[d] > 1 && changes(d)).collect();
    let source: Vec<usize> = kept.iter().map(|&d| shape[d]).collect();
    let inner = strides(&source);
    let pick = |j: usize| {
        let at = kept.iter().zip(&inner).zip(&source).map(|((&d, s), &n)| j as i64 / s % n as i64 * step[d]);
        at.sum::<i64>() as usize
    };
    let count = if values.is_empty() { 0 } else { source.iter().product() };
    let few = numbers.on(|v| (0..count).map(|j| v[pick(j)]).collect());
    let axes = kept
        .iter()
        .map(|&d| Axis { offset: 0, steps: (0..shape.len()).map(|v| i64::from(v == d)).collect() });
    (few, Map { axes: axes.collect(), source, shape: shape.to_vec(), pad: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_stored_once() {
        let channel = [5.0, 5.0, 5.0, 7.0, 7.0, 7.0];
        let view = |v: &[f64], shape: &[usize]| constant_view(&Numbers::public(v.to_vec()), shape);
        let (few, map) = view(&channel, &[2, 3]);
        assert_eq!((few.len(), map.is_valid()), (2, true));
        let all: Vec<f64> = super::super::gather(&map, few.values());
        assert_eq!(all, channel);
        assert_eq!(view(&[3.0; 6], &[2, 3]).0.values(), [3.0]);
        assert_eq!(view(&[1.0, 2.0, 3.0, 4.0], &[2, 2]).0.len(), 4);
        // Equal private numbers stay as many as they are.
        assert_eq!(constant_view(&Numbers::private(vec![3.0; 6], "w"), &[2, 3]).0.len(), 6);
    }

    /// Composition shows what two gathers in a row show.
    fn agrees(outer: &Map, inner: &Map) {
        let source: Vec<i64> = (1..=inner.source.iter().product::<usize>() as i64).collect();
        let composed = compose(outer, inner).expect("affine");
        assert!(composed.is_valid());
        assert_eq!(composed.gather(&source), outer.gather(&inner.gather(&source)));
    }

    fn window(n: usize, pad: Option<i64>, offset: i64) -> Map {
        Map { source: vec![n], shape: vec![n, 3], axes: vec![Axis { offset, steps: vec![1, 1] }], pad }
    }

    #[test]
    fn reshape_of_a_transposition_where_possible() {
        let t = Map::permuted(&[2, 3, 4], &[1, 0, 2]);
        agrees(&Map::identity(&[3, 2, 2, 2]), &t);
        assert!(compose(&Map::identity(&[6, 4]), &t).is_none(), "merging permuted dimensions is not affine");
        agrees(&Map::identity(&[6, 4]), &Map::permuted(&[6, 4, 1], &[2, 0, 1]));
    }

    #[test]
    fn padded_window_of_a_permutation() {
        let inner = Map::permuted(&[2, 5], &[1, 0]);
        let outer = Map {
            source: vec![5, 2],
            shape: vec![5, 3, 2],
            axes: vec![Axis { offset: -1, steps: vec![1, 1, 0] }, Axis { offset: 0, steps: vec![0, 0, 1] }],
            pad: Some(0),
        };
        agrees(&outer, &inner);
    }

    #[test]
    fn window_of_a_padded_tensor() {
        let padded = Map {
            source: vec![4],
            shape: vec![6],
            axes: vec![Axis { offset: -1, steps: vec![1] }],
            pad: Some(0),
        };
        let valid = Map {
            source: vec![6],
            shape: vec![4, 3],
            axes: vec![Axis { offset: 0, steps: vec![1, 1] }],
            pad: None,
        };
        agrees(&valid, &padded);
        agrees(&window(6, Some(0), -1), &padded);
        assert!(compose(&window(6, Some(7), -1), &padded).is_none(), "two pad values do not mix");
    }

    #[test]
    fn slice_then_padded_window_is_refused() {
        let slice = Map {
            source: vec![8],
            shape: vec![5],
            axes: vec![Axis { offset: 2, steps: vec![1] }],
            pad: None,
        };
        assert!(compose(&window(5, Some(0), -1), &slice).is_none(), "the pad would show the cut elements");
    }
}
