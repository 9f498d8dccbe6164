//! Random operands against slow, obvious references, with the relations checked on every trace.

use proptest::prelude::*;

use crate::case::{Operand, fixed, given, single};
use crate::map::Axis;
use crate::ops::{
    ArgMax, Contract, Divide, Linear, Lookup, Max, MaxOperand, Product, Reindex, Rescale, Root,
};
use crate::{Map, Op};

/// The result of one operator, after its relations were found to hold and to break with one changed cell.
fn run(op: impl Into<Op>, operands: &[Operand]) -> Result<Vec<i64>, TestCaseError> {
    let (graph, inputs) = single("random", op, operands);
    let system = graph.system();
    let trace = graph.eval(&inputs).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let mut values = system.assign(&trace).expect("a trace fits its system");
    system.check(&values).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let output = graph.outputs[0].tensor.0 as usize;
    let honest = values[output].clone();
    let cell = honest.len() / 2;
    values[output][cell] += 1;
    prop_assert!(system.check(&values).is_err());
    Ok(honest)
}

const SMALL: (i128, i128) = (-1000, 1000);

fn small(n: usize) -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(-1000..=1000i64, n)
}

/// A two-dimensional convolution in all its settings.
#[derive(Debug, Clone)]
struct Conv {
    groups: usize,
    /// Channels per group.
    channels: [usize; 2],
    image: usize,
    kernel: usize,
    stride: usize,
    pad: usize,
    dilation: usize,
}

impl Conv {
    fn side(&self) -> usize {
        (self.image + 2 * self.pad - self.dilation * (self.kernel - 1) - 1) / self.stride + 1
    }

    /// Groups are the batch, filters the rows, pixels of the result the columns.
    fn contract(&self) -> Contract {
        let Self { groups: g, channels: [i, o], image, kernel: k, stride, pad, dilation } = *self;
        let side = self.side();
        let (stride, dilation) = (stride as i64, dilation as i64);
        let axes = vec![
            Axis { offset: 0, steps: vec![i as i64, 1, 0, 0, 0, 0] },
            Axis { offset: -(pad as i64), steps: vec![0, 0, dilation, 0, stride, 0] },
            Axis { offset: -(pad as i64), steps: vec![0, 0, 0, dilation, 0, stride] },
        ];
        let shape = vec![g, i, k, k, side, side];
        let addend = Map {
            axes: vec![
                Axis { offset: 0, steps: vec![1, 0, 0, 0] },
                Axis { offset: 0, steps: vec![0, 1, 0, 0] },
            ],
            shape: vec![g, o, side, side],
            ..Map::identity(&[g, o])
        };
        Contract {
            a: Map::identity(&[g, o, i, k, k]),
            b: Map { source: vec![g * i, image, image], shape, axes, pad: (pad > 0).then_some(0) },
            addend: Some(addend),
            ranks: [1, 1, 3, 2],
            y: Map::identity(&[g, o, side, side]),
        }
    }

    fn by_loops(&self, x: &[i64], w: &[i64], bias: &[i64]) -> Vec<i64> {
        let Self { groups, channels: [i, o], image, kernel: k, stride, pad, dilation } = *self;
        let mut y = Vec::new();
        for filter in 0..groups * o {
            for (row, column) in pairs(self.side()) {
                let mut sum = bias[filter];
                for channel in 0..i {
                    for (r, c) in pairs(k) {
                        let at = |start: usize, d: usize| (start * stride + d * dilation).checked_sub(pad);
                        let (Some(pr), Some(pc)) = (at(row, r), at(column, c)) else { continue };
                        if pr < image && pc < image {
                            let plane = filter / o * i + channel;
                            sum += x[(plane * image + pr) * image + pc]
                                * w[((filter * i + channel) * k + r) * k + c];
                        }
                    }
                }
                y.push(sum);
            }
        }
        y
    }
}

fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (0..n).map(move |j| (i, j)))
}

fn conv() -> impl Strategy<Value = (Conv, Vec<i64>, Vec<i64>, Vec<i64>)> {
    let sizes = (1..=3usize, [1..=2usize, 1..=2usize], 3..=5usize, 1..=3usize);
    let steps = (1..=3usize, 0..=2usize, 1..=2usize);
    (sizes, steps).prop_flat_map(|((groups, channels, image, kernel), (stride, pad, dilation))| {
        let dilation = if (kernel - 1) * dilation < image { dilation } else { 1 };
        let conv = Conv { groups, channels, image, kernel, stride, pad, dilation };
        let [i, o] = channels;
        let values =
            (small(groups * i * image * image), small(groups * i * o * kernel * kernel), small(groups * o));
        (Just(conv), values).prop_map(|(conv, (x, w, b))| (conv, x, w, b))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn convolutions((conv, x, w, bias) in conv()) {
        let Conv { groups: g, channels: [i, o], image, kernel: k, .. } = conv;
        let operands = [
            fixed(&[g, o, i, k, k], &w),
            given(&[g * i, image, image], SMALL, &x),
            fixed(&[g * o], &bias),
        ];
        prop_assert_eq!(run(conv.contract(), &operands)?, conv.by_loops(&x, &w, &bias));
    }

    #[test]
    fn matrices_in_batches(
        (batch, m, k, n) in (1..=3usize, 1..=3usize, 1..=4usize, 1..=3usize),
        pool in small(2 * 36),
        constant: bool,
    ) {
        let (a, b) = (&pool[..batch * m * k], &pool[36..36 + k * n]);
        // The second operand is shared by the batch and is stored transposed.
        let axes = vec![Axis { offset: 0, steps: vec![0, 0, 1] }, Axis { offset: 0, steps: vec![0, 1, 0] }];
        let shared = Map { source: vec![n, k], shape: vec![batch, k, n], axes, pad: None };
        let op = Contract {
            a: Map::identity(&[batch, m, k]),
            b: shared,
            addend: None,
            ranks: [1, 1, 1, 1],
            y: Map::identity(&[batch, m, n]),
        };
        let right = if constant { fixed(&[n, k], b) } else { given(&[n, k], SMALL, b) };
        let mut expected = Vec::new();
        for row in a.chunks(k) {
            for column in b.chunks(k) {
                expected.push(row.iter().zip(column).map(|(a, b)| a * b).sum::<i64>());
            }
        }
        prop_assert_eq!(run(op, &[given(&[batch, m, k], SMALL, a), right])?, expected);
    }

    #[test]
    fn sums_and_products(a in small(6), b in small(6), (c, d, e) in (-50..50i64, -50..50i64, -50..50i64)) {
        let whole = || Map::identity(&[2, 3]);
        let operands = [given(&[2, 3], SMALL, &a), given(&[2, 3], SMALL, &b)];
        let sum = Linear { terms: vec![(c, whole()), (d, whole())], constant: e, scale: 0 };
        let expected: Vec<i64> = a.iter().zip(&b).map(|(a, b)| c * a + d * b + e).collect();
        prop_assert_eq!(run(sum, &operands)?, expected);
        let expected: Vec<i64> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
        prop_assert_eq!(run(Product { a: whole(), b: whole() }, &operands)?, expected);
    }

    #[test]
    fn rescaling(x in small(5), divisor in 1..5000i64) {
        let op = Rescale { divisor, scale: 0, calibrated: None };
        let expected: Vec<i64> =
            x.iter().map(|&x| ((x + divisor / 2) as f64 / divisor as f64).floor() as i64).collect();
        prop_assert_eq!(run(op, &[given(&[5], SMALL, &x)])?, expected);
    }

    #[test]
    fn maxima(a in small(5), b in small(5), c in -1000..1000i64) {
        let whole = || Map::identity(&[5]);
        let operands = [given(&[5], SMALL, &a), given(&[5], SMALL, &b)];
        let larger = |a: i64, b: i64| if a > b { a } else { b };
        let expected: Vec<i64> = a.iter().zip(&b).map(|(&a, &b)| larger(a, b)).collect();
        prop_assert_eq!(run(Max { a: whole(), b: MaxOperand::View(whole()) }, &operands)?, expected);
        let expected: Vec<i64> = a.iter().map(|&a| larger(a, c)).collect();
        prop_assert_eq!(run(Max { a: whole(), b: MaxOperand::Constant(c) }, &operands[..1])?, expected);
    }

    #[test]
    fn quotients(a in small(4), b in prop::collection::vec(1..=300i64, 4), shift in 0..8u32) {
        let whole = || Map::identity(&[4]);
        let op = Divide { a: whole(), b: whole(), shift, calibrated: None };
        let enlarged = f64::from(1 << shift);
        let expected: Vec<i64> =
            a.iter().zip(&b).map(|(&a, &b)| (a as f64 * enlarged / b as f64).floor() as i64).collect();
        prop_assert_eq!(run(op, &[given(&[4], SMALL, &a), given(&[4], (1, 300), &b)])?, expected);
    }

    #[test]
    fn roots(x in prop::collection::vec(0..=1_000_000i64, 4), shift in 0..20u32) {
        let op = Root { shift: 2 * shift, calibrated: None };
        // The root in reals, which is exact enough here, put right by one.
        let by_hand = |x: i64| {
            let near = ((x as f64).sqrt() * f64::from(1 << shift)) as i64;
            (near - 1..=near + 1).rev().find(|y| y * y <= x << (2 * shift)).expect("a root")
        };
        let expected: Vec<i64> = x.iter().map(|&x| by_hand(x)).collect();
        prop_assert_eq!(run(op, &[given(&[4], (0, 1_000_000), &x)])?, expected);
    }

    #[test]
    fn tables(x in small(6), pool in small(2 * 251), shift in 0..6u32) {
        // 251 segments of eight steps cover [−1000, 1008).
        let (value, slope) = (pool[..251].to_vec(), pool[251..].to_vec());
        let by_hand = |x: i64| {
            let offset = (x + 1000) as f64;
            let key = (offset / 8.0).floor();
            let sum = value[key as usize] as f64 + slope[key as usize] as f64 * (offset - 8.0 * key);
            let half = if shift > 0 { 0.5 } else { 0.0 };
            (sum / f64::from(1 << shift) + half).floor() as i64
        };
        let expected: Vec<i64> = x.iter().map(|&x| by_hand(x)).collect();
        let name = "random".into();
        let op = Lookup { name, lo: -1000, fraction_bits: 3, value: value.clone(), slope: slope.clone(), shift, scale: 0 };
        prop_assert_eq!(run(op, &[given(&[6], SMALL, &x)])?, expected);
    }

    #[test]
    fn positions_of_maxima(x in prop::collection::vec(-3..=3i64, 12), n in prop::sample::select(vec![1usize, 2, 3, 4, 6])) {
        let rows = 12 / n;
        let op = ArgMax { x: Map::identity(&[rows, n]), shape: vec![rows] };
        let expected: Vec<i64> = x
            .chunks(n)
            .map(|row| (0..n).find(|&j| row.iter().all(|v| *v <= row[j])).expect("a row has a maximum") as i64)
            .collect();
        prop_assert_eq!(run(op, &[given(&[rows, n], (-3, 3), &x)])?, expected);
    }

    #[test]
    fn wiring(x in small(6), y in small(2), pad in -9..9i64) {
        // The transposed first operand with a border on the right, above the second operand as a row.
        let mut bordered = Map::permuted(&[2, 3], &[1, 0]);
        bordered.shape = vec![3, 3];
        bordered.pad = Some(pad);
        let top = Map::slice(&[4, 3], &[0, 0], &[3, 3]);
        let axes = vec![Axis { offset: 0, steps: vec![0, 1] }];
        let row = Map { source: vec![2], shape: vec![1, 3], axes, pad: Some(-pad) };
        let bottom = Map::slice(&[4, 3], &[3, 0], &[1, 3]);
        let op = Reindex { shape: vec![4, 3], parts: vec![(bordered, top), (row, bottom)] };
        let mut expected: Vec<i64> = (0..3).flat_map(|c| [x[c], x[3 + c], pad]).collect();
        expected.extend([y[0], y[1], -pad]);
        prop_assert_eq!(run(op, &[given(&[2, 3], SMALL, &x), given(&[2], SMALL, &y)])?, expected);
    }
}
