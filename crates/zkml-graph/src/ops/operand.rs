//! What every operator asks of its operands before it looks at anything else.

use crate::tensor::MAX_SCALE;
use crate::{Bounds, GraphError, Map, Tensor, View};

/// The error that operands do not fit.
pub(super) fn misfit<T>(node: &str, detail: impl Into<String>) -> Result<T, GraphError> {
    Err(GraphError::Shape { node: node.into(), detail: detail.into() })
}

/// Refuses a wrong number of operands.
pub(super) fn arity(node: &str, inputs: &[&Tensor], expected: usize) -> Result<(), GraphError> {
    if inputs.len() == expected {
        return Ok(());
    }
    misfit(node, format!("it takes {expected} operands, {} are given", inputs.len()))
}

/// Bounds of what `map` shows of `tensor`; refuses a map that is not a view of it.
pub(super) fn bounds(node: &str, tensor: &Tensor, map: &Map) -> Result<Bounds, GraphError> {
    if !map.is_valid() {
        return misfit(node, format!("the view of `{}` is not one of a tensor within limits", tensor.name));
    }
    let source: usize = map.source.iter().product();
    if source != tensor.len() {
        return misfit(
            node,
            format!("a view of {source} elements is put on `{}` of shape {:?}", tensor.name, tensor.shape),
        );
    }
    let pad = map.pad.map(|p| Bounds::point(p.into()));
    pad.map_or(tensor.bounds, |p| tensor.bounds.union(p)).checked(node)
}

/// Refuses views of different shapes.
pub(super) fn same_shape(node: &str, a: &[usize], b: &[usize]) -> Result<(), GraphError> {
    if a == b { Ok(()) } else { misfit(node, format!("operands of shapes {a:?} and {b:?}")) }
}

/// Refuses operands of different scales.
pub(super) fn same_scale(node: &str, a: &Tensor, b: &Tensor) -> Result<(), GraphError> {
    if a.scale == b.scale {
        return Ok(());
    }
    misfit(node, format!("`{}` has scale {} and `{}` has scale {}", a.name, a.scale, b.name, b.scale))
}

/// Refuses a scale beyond [`MAX_SCALE`].
pub(super) fn scale(node: &str, scale: i64) -> Result<i32, GraphError> {
    match i32::try_from(scale) {
        Ok(s) if s.unsigned_abs() <= MAX_SCALE as u32 => Ok(s),
        _ => misfit(node, format!("scale {scale} is beyond ±{MAX_SCALE}")),
    }
}

/// Refuses sums whose parts could leave what 128 bits add up exactly; `magnitude` bounds the sum of all
/// magnitudes.
pub(super) fn summable(node: &str, magnitude: i128) -> Result<(), GraphError> {
    const LIMIT_BITS: u32 = 120;
    if magnitude >> LIMIT_BITS == 0 {
        return Ok(());
    }
    let (node, lo) = (node.into(), magnitude.saturating_neg());
    Err(GraphError::Overflow { node, lo, hi: magnitude, limit_bits: LIMIT_BITS })
}

/// The possible bounds of a result, narrowed by those found in calibration.
pub(super) fn narrowed(
    node: &str,
    possible: Bounds,
    calibrated: Option<Bounds>,
) -> Result<Bounds, GraphError> {
    let Some(c) = calibrated else {
        return possible.checked(node);
    };
    match possible.intersect(c) {
        Some(b) => b.checked(node),
        None => misfit(
            node,
            format!(
                "calibrated bounds [{}, {}] do not meet the possible [{}, {}]",
                c.lo, c.hi, possible.lo, possible.hi
            ),
        ),
    }
}

/// Bits of the magnitude that a view shows of a tensor of so many bits: its padding counts too.
pub(super) fn seen_bits(bits: u32, map: &Map) -> u32 {
    bits.max(map.pad.map_or(0, bits_of))
}

/// Bits of a magnitude.
pub(super) fn bits_of(v: i64) -> u32 {
    64 - v.unsigned_abs().leading_zeros()
}

/// An operand through the operator's own map. The graph hands operands over as they are.
pub(super) fn through(operand: &View, map: &Map) -> View {
    View { var: operand.var, map: map.clone() }
}

/// A result as a row-major vector of another shape with as many elements.
pub(super) fn reshaped(result: &View, shape: &[usize]) -> View {
    View { var: result.var, map: Map::identity(shape) }
}
