//! A view as coordinates: each digit of a tensor as an affine function of the parts of a relation's dimensions.

use zkml_graph::Map;
use zkml_protocol::sumcheck::{Axis, AxisStep, bits_for};

use super::digits::{Digits, Sub, steps};

/// One digit of a tensor: `offset + Σ stride · part`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coordinate {
    /// Lowest bit of the digit in an address, and number of bits.
    pub(crate) bit: u32,
    /// Number of bits; none for a dimension of one value, whose coordinate has to be zero.
    pub(crate) bits: u32,
    /// Value where all parts are zero.
    pub(crate) offset: i64,
    /// Parts with their strides.
    pub(crate) steps: Vec<(usize, i64)>,
    /// Number of valid values, where others occur; they show padding.
    pub(crate) bound: Option<u64>,
}

impl Coordinate {
    /// The axis of a term.
    pub(crate) fn axis(&self) -> Axis {
        let step = |(part, stride): &(usize, i64)| AxisStep { index: *part as u32, stride: *stride };
        Axis {
            bit: self.bit,
            bits: self.bits,
            offset: self.offset,
            bound: self.bound.unwrap_or(1 << self.bits),
            steps: self.steps.iter().map(step).collect(),
        }
    }
}

/// All digits of a tensor as a view shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lens {
    /// By digit, those of unit dimensions that may show padding last.
    pub(crate) coordinates: Vec<Coordinate>,
    /// Parts of the view's dimensions on which nothing depends.
    pub(crate) broadcast: Vec<usize>,
}

impl Lens {
    /// Returns true if the view may show padding.
    pub(crate) fn is_padded(&self) -> bool {
        self.coordinates.iter().any(|c| c.bound.is_some())
    }

    /// The view of a tensor with these digits; nothing if its digits are no affine functions of the parts.
    pub(crate) fn of(map: &Map, digits: &Digits, dims: &[usize], parts: &[Sub]) -> Option<Self> {
        Self::with(map, digits, dims, parts, false)
    }

    /// The same for what has an address: digits of one dimension that lie side by side, all but the highest in whole bits, are
    /// one number, in which a window may carry from one to the next. Coordinates are no longer one for each digit.
    pub(crate) fn of_cells(map: &Map, digits: &Digits, dims: &[usize], parts: &[Sub]) -> Option<Self> {
        Self::with(map, digits, dims, parts, false).or_else(|| Self::with(map, digits, dims, parts, true))
    }

    fn with(map: &Map, digits: &Digits, dims: &[usize], parts: &[Sub], joined: bool) -> Option<Self> {
        let of_dim = |v: usize| parts.iter().enumerate().filter(move |(_, p)| p.dim == dims[v]);
        let mut coordinates: Vec<Option<Coordinate>> = vec![None; digits.weights.len()];
        let (mut units, mut within) = (Vec::new(), Vec::new());
        let inside = map.stays_inside();
        for ((axis, size), weight) in map.axes.iter().zip(&map.source).zip(steps(&map.source)) {
            let own = digits.within(weight, *size as u64)?;
            let mut walked: Vec<(usize, i64)> = Vec::new();
            for (v, step) in axis.steps.iter().enumerate().filter(|(_, s)| **s != 0) {
                for (i, part) in of_dim(v) {
                    walked.push((i, step * part.divisor as i64));
                }
            }
            match own.len() {
                0 if inside => {}
                0 => units.push(Coordinate {
                    bit: 0,
                    bits: 0,
                    offset: axis.offset,
                    steps: walked,
                    bound: Some(1),
                }),
                digits_of_it if digits_of_it == 1 || joined => {
                    let (lower, highest) = (own.start..own.end - 1, own.end - 1);
                    if !lower.clone().all(|j| digits.radices[j].is_power_of_two()) {
                        return None;
                    }
                    let bit = digits.bits[own.start];
                    coordinates[own.start] = Some(Coordinate {
                        bit,
                        bits: digits.bits[highest] + bits_for(digits.radices[highest]) - bit,
                        offset: axis.offset,
                        steps: walked,
                        bound: (!inside).then_some(*size as u64),
                    });
                    within.extend(lower.map(|j| j + 1));
                }
                _ => spread(axis.offset, &walked, digits, own, weight, parts, &mut coordinates)?,
            }
        }
        // Digits that are part of another's number have no coordinate of their own.
        let own = coordinates.into_iter().enumerate().filter(|(digit, _)| !within.contains(digit));
        let mut coordinates: Vec<Coordinate> = own.map(|(_, c)| c).collect::<Option<_>>()?;
        coordinates.extend(units);
        let used: Vec<usize> = coordinates.iter().flat_map(|c| &c.steps).map(|(p, _)| *p).collect();
        let broadcast =
            (0..dims.len()).flat_map(of_dim).map(|(i, _)| i).filter(|i| !used.contains(i)).collect();
        Some(Self { coordinates, broadcast })
    }
}

/// Spreads a coordinate over several digits, where nothing carries from one to the next.
fn spread(
    offset: i64,
    walked: &[(usize, i64)],
    digits: &Digits,
    own: std::ops::Range<usize>,
    weight: u64,
    parts: &[Sub],
    coordinates: &mut [Option<Coordinate>],
) -> Option<()> {
    let offset = u64::try_from(offset).ok()?;
    let unit = |j: usize| digits.weights[j] / weight;
    for j in own.clone() {
        coordinates[j] = Some(Coordinate {
            bit: digits.bits[j],
            bits: bits_for(digits.radices[j]),
            offset: (offset / unit(j) % digits.radices[j]) as i64,
            steps: vec![],
            bound: None,
        });
    }
    for (part, step) in walked {
        let step = u64::try_from(*step).ok()?;
        let j = own.clone().rev().find(|j| step.is_multiple_of(unit(*j)))?;
        coordinates[j].as_mut()?.steps.push((*part, (step / unit(j)) as i64));
    }
    for j in own {
        let c = coordinates[j].as_ref()?;
        let reach: i64 = c.steps.iter().map(|(p, s)| s * (parts[*p].extent as i64 - 1)).sum();
        if c.offset + reach >= digits.radices[j] as i64 {
            return None;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_graph::map::Axis as MapAxis;

    /// A window of three over a row of eight or of twelve, padded by one, whose digits are as given.
    fn window(radices: [u64; 2]) -> Option<Lens> {
        let size = (radices[0] * radices[1]) as usize;
        let axis = MapAxis { offset: -1, steps: vec![1, 1] };
        let map = Map { source: vec![size], shape: vec![size, 3], axes: vec![axis], pad: Some(0) };
        let sub = |dim, extent| Sub { dim, divisor: 1, extent };
        let parts = [sub(0, size as u64), sub(1, 3)];
        let digits = Digits::grouped(radices[1], radices[0]);
        assert_eq!(Lens::of(&map, &digits, &[0, 1], &parts), None, "it carries from digit to digit");
        Lens::of_cells(&map, &digits, &[0, 1], &parts)
    }

    #[test]
    fn digits_are_one_number_above_a_power_of_two() {
        let lens = window([2, 6]).expect("two values below");
        let [c] = lens.coordinates.as_slice() else { panic!("{lens:?}") };
        assert_eq!((c.bit, c.bits, c.offset, c.bound), (0, 4, -1, Some(12)));
        assert_eq!(c.steps, [(0, 1), (1, 1)]);
        // Three values in two bits: one of four addresses is no value.
        assert_eq!(window([3, 4]), None);
    }
}
