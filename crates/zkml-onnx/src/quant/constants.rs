//! Numbers of the network as tensors of the graph: parts of it, or private.

use zkml_graph::{Bounds, Code, Map, TensorId};

use super::emit::Emitter;
use super::scales::{power, quantize};
use crate::Error;
use crate::net::{NetOp, Numbers, constant_view};

/// Where the width of a private weight tensor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Widths {
    /// From its values: the first set of weights of an architecture.
    Chosen,
    /// From the scales.
    Recorded,
}

/// Widths of private weights are multiples of this, and at least [`LEAST_BITS`]: what a width says of the weights
/// is coarse, and other weights of the architecture have some room.
const BITS_STEP: u32 = 4;
const LEAST_BITS: u32 = 16;
/// Widest tensor that gets the room of numbers up to two without needing it.
const MOST_USUAL_BITS: i32 = 40;

impl Emitter<'_> {
    /// A constant of the network as a tensor at a scale.
    pub(super) fn constant(&mut self, value: usize, scale: i32) -> Result<TensorId, Error> {
        let net = self.net;
        let NetOp::Const(numbers) = &net.nodes[value].op else { return self.raw(value) };
        if let Some(id) = self.known.get(&(value, scale)) {
            return Ok(*id);
        }
        let name = self.name(value, "");
        let id = self.numbers(&name, numbers, &net.nodes[value].shape, scale)?;
        if numbers.is_private() {
            self.known.insert((value, scale), id);
        }
        Ok(id)
    }

    /// Numbers as a tensor at a scale: part of the graph, or private.
    fn numbers(
        &mut self,
        name: &str,
        numbers: &Numbers,
        shape: &[usize],
        scale: i32,
    ) -> Result<TensorId, Error> {
        let ints =
            numbers.values().iter().map(|v| quantize(name, *v, scale)).collect::<Result<Vec<_>, _>>()?;
        if !numbers.is_private() {
            return Ok(self.builder.constant(name, shape, scale, ints)?);
        }
        let bits = match self.widths {
            Widths::Chosen => width(&ints, scale),
            Widths::Recorded => self.recorded(name, &ints, scale)?,
        };
        self.private.insert(name.to_owned(), (bits, ints));
        Ok(self.builder.weight(name, shape, scale, bits)?)
    }

    /// The width on record, into which all values must fit.
    fn recorded(&self, name: &str, values: &[i64], scale: i32) -> Result<u32, Error> {
        let missing = || Error::Architecture {
            difference: format!("no width is recorded for its weight tensor `{name}`"),
        };
        let bits = *self.scales.weight_bits.get(name).ok_or_else(missing)?;
        let code = Code { bits, signed: true }.bounds();
        let real = |v: i128| v as f64 * power(-scale);
        match values.iter().position(|v| !code.contains(i128::from(*v))) {
            None => Ok(bits),
            Some(index) => Err(Error::WeightRange {
                tensor: name.to_owned(),
                index,
                value: real(values[index].into()),
                lo: real(code.lo),
                hi: real(code.hi),
                bits,
            }),
        }
    }

    /// A constant vector with as few elements as it has distinct ones along each dimension, and its view.
    pub(super) fn compact(
        &mut self,
        name: &str,
        numbers: &Numbers,
        shape: &[usize],
        scale: i32,
    ) -> Result<(TensorId, Map), Error> {
        let (kept, map) = constant_view(numbers, shape);
        let name = self.unique(name);
        let id = self.numbers(&name, &kept, &map.source, scale)?;
        Ok((id, map))
    }
}

/// Width that holds all values at a scale, and whatever is less than two.
fn width(values: &[i64], scale: i32) -> u32 {
    let needed = Code::of(Bounds::of(values.iter().copied()).union(Bounds::point(-1))).bits;
    // What is far from two as an integer keeps its width: the range of exact integers is finite.
    let usual = (scale + 2).clamp(0, MOST_USUAL_BITS) as u32;
    needed.max(usual).next_multiple_of(BITS_STEP).max(LEAST_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_coarse_and_signed() {
        assert_eq!(width(&[], 0), 16);
        assert_eq!(width(&[0, 32767, -32768], 14), 16);
        assert_eq!(width(&[32768], 14), 20);
        assert_eq!(width(&[-32769], 14), 20);
        assert_eq!(width(&[1 << 30], 14), 32);
        // A small bias does not tie other biases to be small.
        assert_eq!(width(&[1 << 10], 26), 28);
        assert_eq!(width(&[1 << 10], 60), 40);
    }
}
