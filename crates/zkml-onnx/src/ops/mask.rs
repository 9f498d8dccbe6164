//! Masks: what a constant puts so far below everything else that a Softmax gives it nothing.
//!
//! Exporters write minus infinity, the smallest float, or minus ten thousand and more. As numbers these would take all bits that values
//! have; a Softmax needs to know only where they are.

use super::{Lowering, TractNode};
use crate::net::{NetOp, Numbers, Operand, Source};

/// Constants up to this are masks.
const MASKED: f64 = -1e4;

/// A value with elements that are masked.
pub(super) struct Masked {
    /// The value, with another element of its row in place of each masked one.
    pub(super) x: Operand,
    /// Zero where it is masked, else one.
    pub(super) visible: Numbers,
}

/// A constant that is added, without its masks; and where these are, when there are some.
pub(super) fn split(numbers: &Numbers) -> Option<(Numbers, Vec<bool>)> {
    if numbers.is_private() || numbers.values().iter().all(|v| *v > MASKED) {
        return None;
    }
    let masked = numbers.values().iter().map(|v| *v <= MASKED).collect();
    Some((numbers.each(|v| if v <= MASKED { 0.0 } else { v }), masked))
}

/// A number in place of minus infinity.
pub(crate) fn finite(v: f64) -> f64 {
    v.max(-f64::from(f32::MAX))
}

/// A value with the mask put over it.
pub(super) fn covered(l: &mut Lowering<'_>, name: &str, x: &Operand, masked: &[bool]) -> Option<Operand> {
    let lowest = Numbers::public(vec![finite(f64::NEG_INFINITY)]);
    let lowest = l.net.push_const(&format!("{name}.mask"), lowest, &[1]);
    let source = |(i, m): (usize, &bool)| -> Source { if *m { (1, 0) } else { (0, i) } };
    let sources: Vec<Source> = masked.iter().enumerate().map(source).collect();
    l.net.picked(name, &[x.clone(), lowest], &sources, &x.map.shape, super::wiring::MOST)
}

/// Which elements of a view are masked, when some are.
fn hidden(l: &Lowering<'_>, x: &Operand) -> Option<Vec<bool>> {
    let node = &l.net.nodes[x.value];
    let NetOp::Join { parts } = &node.op else { return None };
    let mut masked = vec![false; node.shape.iter().product()];
    for (o, to) in parts {
        let Some(numbers) = l.net.constant(o).filter(|n| !n.is_private()) else { continue };
        for (place, v) in to.indices().into_iter().zip(numbers.values()) {
            if let Some(place) = place {
                masked[place] = *v <= MASKED;
            }
        }
    }
    let seen: Vec<bool> = x.map.indices().into_iter().map(|i| i.is_some_and(|i| masked[i])).collect();
    seen.contains(&true).then_some(seen)
}

/// What a Softmax along the axes needs to know of its masked operand; nothing where nothing is masked, or everything is in some row.
pub(super) fn masked(l: &mut Lowering<'_>, node: &TractNode, x: &Operand, axes: &[usize]) -> Option<Masked> {
    let hidden = hidden(l, x)?;
    let shape = x.map.shape.clone();
    let row = crate::net::strides(&shape);
    // All elements of a row have the same index outside of the axes.
    let outside = |i: usize| -> usize {
        let index = |d: usize| i / row[d] as usize % shape[d];
        (0..shape.len()).filter(|d| !axes.contains(d)).map(|d| index(d) * row[d] as usize).sum()
    };
    let mut first = std::collections::HashMap::new();
    for (i, _) in hidden.iter().enumerate().filter(|(_, h)| !**h) {
        first.entry(outside(i)).or_insert(i);
    }
    let source = |(i, h): (usize, &bool)| if *h { first.get(&outside(i)).copied() } else { Some(i) };
    let sources: Vec<Source> =
        hidden.iter().enumerate().map(source).map(|i| i.map(|i| (0, i))).collect::<Option<_>>()?;
    let name = format!("{}.visible", node.name);
    let uncovered = uncovered(l, &name, x)?;
    let x = l.net.picked(&name, &[uncovered], &sources, &shape, super::wiring::MOST)?;
    let visible = Numbers::public(hidden.iter().map(|h| if *h { 0.0 } else { 1.0 }).collect());
    Some(Masked { x, visible })
}

/// The same view of a value that has zeros in place of the masks, which nobody reads.
fn uncovered(l: &mut Lowering<'_>, name: &str, x: &Operand) -> Option<Operand> {
    let node = l.net.nodes[x.value].clone();
    let NetOp::Join { parts } = node.op else { return None };
    let mut kept = Vec::with_capacity(parts.len());
    for (o, to) in parts {
        let masks = l.net.constant(&o).and_then(|n| split(&n)).map(|(n, _)| n);
        let o = match masks {
            Some(numbers) => l.net.push_const(&format!("{name}.zero"), numbers, &o.map.shape),
            None => o,
        };
        kept.push((o, to));
    }
    let whole = l.net.push(name, NetOp::Join { parts: kept }, &node.shape);
    Some(Operand { value: whole.value, map: x.map.clone() })
}
