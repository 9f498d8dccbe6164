//! Small networks: operators in the order in which real models use them.

use crate::case::Case;
use crate::map::Axis;
use crate::ops::{
    ArgMax, Contract, Divide, Linear, Lookup, Max, MaxOperand, Product, Reindex, Rescale, Root,
};
use crate::{Bounds, Graph, GraphBuilder, GraphError, Map, TensorId, Visibility};

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    [
        ("network: perceptron", perceptron(false)),
        ("network: private perceptron", perceptron(true)),
        ("network: convolution", convolution()),
        ("network: softmax", softmax()),
        ("network: normalised rows", normalised()),
    ]
    .into_iter()
    .map(|(name, built)| {
        let Built { graph, inputs, weights, expected } = built.expect("the network is a sound graph");
        Case { name: name.into(), graph, inputs, weights, expected }
    })
    .collect()
}

struct Built {
    graph: Graph,
    inputs: Vec<Vec<i64>>,
    weights: Vec<Vec<i64>>,
    expected: Vec<Vec<i64>>,
}

/// `x` of `[m, k]` times `w` of `[k, n]`.
fn matmul(m: usize, k: usize, n: usize, addend: Option<Map>) -> Contract {
    let y = Map::identity(&[m, n]);
    Contract { a: Map::identity(&[m, k]), b: Map::identity(&[k, n]), addend, ranks: [0, 1, 1, 1], y }
}

fn relu(b: &mut GraphBuilder, name: &str, x: TensorId) -> Result<TensorId, GraphError> {
    let a = Map::identity(&b.tensor(x).shape);
    b.node(name, Max { a, b: MaxOperand::Constant(0) }, &[x])
}

fn rescale(b: &mut GraphBuilder, name: &str, x: TensorId, bits: i32) -> Result<TensorId, GraphError> {
    let scale = b.tensor(x).scale - bits;
    b.node(name, Rescale { divisor: 1 << bits, scale, calibrated: None }, &[x])
}

/// 3-2-1 with a ReLU and a sigmoid at scale 8; all of it public, or all of it behind commitments.
fn perceptron(private: bool) -> Result<Built, GraphError> {
    let visibility = if private { Visibility::Committed } else { Visibility::Public };
    let mut b = GraphBuilder::new("perceptron");
    let mut weights = Vec::new();
    let x = b.input("x", &[1, 3], 8, Bounds::new(-1024, 1023), visibility)?;
    let mut weight = |b: &mut GraphBuilder, name: &str, shape: &[usize], scale, values: Vec<i64>| {
        if private {
            weights.push(values);
            return b.weight(name, shape, scale, 16);
        }
        b.constant(name, shape, scale, values)
    };
    let w1 = weight(&mut b, "w1", &[3, 2], 8, vec![100, -50, 30, 200, -256, 7])?;
    let b1 = weight(&mut b, "b1", &[2], 16, vec![5000, -20000])?;
    let w2 = weight(&mut b, "w2", &[2, 1], 8, vec![300, -120])?;
    let b2 = weight(&mut b, "b2", &[1], 16, vec![9])?;
    let bias = Map::broadcast(&[2], &[1, 2]);
    let h = b.node("hidden", matmul(1, 3, 2, bias), &[x, w1, b1])?;
    let h = rescale(&mut b, "hidden.rescale", h, 8)?;
    let h = relu(&mut b, "hidden.relu", h)?;
    let bias = Map::broadcast(&[1], &[1, 1]);
    let z = b.node("score", matmul(1, 2, 1, bias), &[h, w2, b2])?;
    // What calibration would find: without it, the bounds would follow from those of the weights.
    let calibrated = Some(Bounds::new(-2048, 2047));
    let z = b.node("score.rescale", Rescale { divisor: 256, scale: 8, calibrated }, &[z])?;
    let bounds = b.tensor(z).bounds;
    let sigmoid = sigmoid_table(bounds, 8, 5);
    let input = [300, -410, 77];
    let expected = perceptron_by_hand(&sigmoid, input);
    let p = b.node("probability", sigmoid, &[z])?;
    b.output("probability", p, visibility);
    Ok(Built { graph: b.finish()?, inputs: vec![input.to_vec()], weights, expected: vec![vec![expected]] })
}

/// The same network in plain numbers.
fn perceptron_by_hand(table: &Lookup, x: [i64; 3]) -> i64 {
    let round = |v: i64| (v as f64 / 256.0 + 0.5).floor() as i64;
    let h0 = round(100 * x[0] + 30 * x[1] - 256 * x[2] + 5000).max(0);
    let h1 = round(-50 * x[0] + 200 * x[1] + 7 * x[2] - 20000).max(0);
    let offset = round(300 * h0 - 120 * h1 + 9) - table.lo;
    let width = 1 << table.fraction_bits;
    let (key, fraction) = ((offset / width) as usize, offset % width);
    let sum = table.value[key] + table.slope[key] * fraction;
    (sum as f64 / f64::from(1 << table.shift) + 0.5).floor() as i64
}

/// The logistic function between the ends of segments of `2^fraction_bits` steps, at `scale` in and out.
fn sigmoid_table(x: Bounds, scale: i32, fraction_bits: u32) -> Lookup {
    let (width, shift) = (1i64 << fraction_bits, 6);
    let lo = (x.lo as i64).div_euclid(width) * width;
    let segments = (x.hi as i64 - lo) / width + 1;
    let unit = f64::from(scale).exp2();
    let at = |x: i64| 1.0 / (1.0 + (-(x as f64) / unit).exp()) * unit * f64::from(1 << shift);
    let start = |s: i64| at(lo + s * width);
    let slope = |s: i64| ((start(s + 1) - start(s)) / width as f64).round() as i64;
    Lookup {
        name: "sigmoid".into(),
        lo,
        fraction_bits,
        value: (0..segments).map(|s| start(s).round() as i64).collect(),
        slope: (0..segments).map(slope).collect(),
        shift,
        scale,
    }
}

/// Two 2×2 filters over a padded 4×4 image, the maximum of 2×2 windows on the accumulators, rescaled, ReLU,
/// flattened, and the larger channel sum found.
fn convolution() -> Result<Built, GraphError> {
    let mut b = GraphBuilder::new("convolution");
    let image = [3, -7, 5, 0, 9, 2, -4, 1, -8, 6, 7, -3, 4, -1, 0, 8];
    let filters = [[1, -2, 3, 1], [2, 0, -1, -3]];
    let x = b.input("image", &[4, 4], 4, Bounds::new(-10, 10), Visibility::Committed)?;
    let w = b.constant("filters", &[2, 2, 2], 2, filters.concat())?;
    // Windows that step by one over the image padded by one on the top and on the left.
    let axis = |k: usize, n: usize| {
        let steps = (0..4).map(|d| i64::from(d == k || d == n)).collect();
        Axis { offset: -1, steps }
    };
    let window =
        Map { source: vec![4, 4], shape: vec![2, 2, 4, 4], axes: vec![axis(0, 2), axis(1, 3)], pad: Some(0) };
    let (a, y) = (Map::identity(&[2, 2, 2]), Map::identity(&[2, 4, 4]));
    let conv = b.node("conv", Contract { a, b: window, addend: None, ranks: [0, 1, 2, 2], y }, &[w, x])?;
    let corner = |i: i64, j: i64| {
        let axes = [(0, [1, 0, 0]), (i, [0, 2, 0]), (j, [0, 0, 2])];
        let axes = axes.map(|(offset, steps)| Axis { offset, steps: steps.to_vec() }).to_vec();
        Map { source: vec![2, 4, 4], shape: vec![2, 2, 2], axes, pad: None }
    };
    let pair = |i| Max { a: corner(i, 0), b: MaxOperand::View(corner(i, 1)) };
    let upper = b.node("pool.upper", pair(0), &[conv, conv])?;
    let lower = b.node("pool.lower", pair(1), &[conv, conv])?;
    let whole = || Map::identity(&[2, 2, 2]);
    let pool = b.node("pool", Max { a: whole(), b: MaxOperand::View(whole()) }, &[upper, lower])?;
    let h = rescale(&mut b, "rescale", pool, 2)?;
    let h = relu(&mut b, "relu", h)?;
    // A reshape: the source may be read in any shape of its length.
    let parts = vec![(Map::identity(&[8]), Map::identity(&[8]))];
    let h = b.node("flatten", Reindex { shape: vec![8], parts }, &[h])?;
    let ones = b.constant("ones", &[4, 1], 0, vec![1; 4])?;
    let sums = b.node("sums", matmul(2, 4, 1, None), &[h, ones])?;
    let best = b.node("best", ArgMax { x: Map::identity(&[2]), shape: vec![1] }, &[sums])?;
    b.output("features", h, Visibility::Public);
    b.output("best", best, Visibility::Public);
    let (features, best) = convolution_by_hand(&image, &filters);
    let expected = vec![features, vec![best]];
    Ok(Built { graph: b.finish()?, inputs: vec![image.to_vec()], weights: vec![], expected })
}

/// The same network as loops.
fn convolution_by_hand(image: &[i64; 16], filters: &[[i64; 4]; 2]) -> (Vec<i64>, i64) {
    let pixel = |r: i64, c: i64| if r < 0 || c < 0 { 0 } else { image[(4 * r + c) as usize] };
    let mut features = Vec::new();
    for f in filters {
        let at = |r: i64, c: i64| {
            f[0] * pixel(r - 1, c - 1) + f[1] * pixel(r - 1, c) + f[2] * pixel(r, c - 1) + f[3] * pixel(r, c)
        };
        for (r, c) in [(0, 0), (0, 2), (2, 0), (2, 2)] {
            let window = [at(r, c), at(r, c + 1), at(r + 1, c), at(r + 1, c + 1)];
            let max = window.into_iter().fold(i64::MIN, i64::max);
            features.push(((max as f64 / 4.0 + 0.5).floor() as i64).max(0));
        }
    }
    let sums = [features[..4].iter().sum::<i64>(), features[4..].iter().sum()];
    (features, i64::from(sums[1] > sums[0]))
}

/// Softmax of four numbers at scale 4: the maximum, differences, exponentials, their sum, quotients.
fn softmax() -> Result<Built, GraphError> {
    let mut b = GraphBuilder::new("softmax");
    let input = [12, -30, 25, 25];
    let x = b.input("x", &[4], 4, Bounds::new(-64, 63), Visibility::Committed)?;
    let at = |i: usize| Map::slice(&[4], &[i], &[1]);
    let mut max = b.node("max.1", Max { a: at(0), b: MaxOperand::View(at(1)) }, &[x, x])?;
    for i in 2..4 {
        let one = Map::identity(&[1]);
        max = b.node(&format!("max.{i}"), Max { a: one, b: MaxOperand::View(at(i)) }, &[max, x])?;
    }
    let spread =
        Map { shape: vec![4], axes: vec![Axis { offset: 0, steps: vec![0] }], ..Map::identity(&[1]) };
    let terms = vec![(1, Map::identity(&[4])), (-1, spread.clone())];
    let difference = b.node("difference", Linear { terms, constant: 0, scale: 4 }, &[x, max])?;
    let lo = b.tensor(difference).bounds.lo as i64;
    let hi = b.tensor(difference).bounds.hi as i64;
    let exp = |d: i64| ((d.min(0) as f64 / 16.0).exp() * 1024.0).round() as i64;
    let value: Vec<i64> = (lo..=hi).map(exp).collect();
    let table =
        Lookup { name: "exp".into(), lo, fraction_bits: 0, value, slope: vec![], shift: 0, scale: 10 };
    let e = b.node("exp", table, &[difference])?;
    let ones = b.constant("ones", &[4, 1], 0, vec![1; 4])?;
    let row =
        Map { source: vec![4], axes: vec![Axis { offset: 0, steps: vec![0, 1] }], ..Map::identity(&[1, 4]) };
    let sum = Contract { a: row, ..matmul(1, 4, 1, None) };
    let sum = b.node("sum", sum, &[e, ones])?;
    // A power is never negative but rounds to zero; one step keeps the divisor positive.
    let plus = Linear { terms: vec![(1, Map::identity(&[1]))], constant: 1, scale: 10 };
    let sum = b.node("sum.positive", plus, &[sum])?;
    let divide = Divide { a: Map::identity(&[4]), b: spread, shift: 12, calibrated: None };
    let y = b.node("quotient", divide, &[e, sum])?;
    b.output("probabilities", y, Visibility::Public);
    let e = input.map(|x| exp(x - 25));
    let total = e.iter().sum::<i64>() + 1;
    let expected = e.map(|e| (e as f64 * 4096.0 / total as f64).floor() as i64);
    Ok(Built {
        graph: b.finish()?,
        inputs: vec![input.to_vec()],
        weights: vec![],
        expected: vec![expected.to_vec()],
    })
}

/// Four rows of four numbers at scale 4, each divided by the root of the mean of its squares: squares as a contraction of
/// the rows with themselves, the root at scale 12, its reciprocal, products, rounding.
fn normalised() -> Result<Built, GraphError> {
    let mut b = GraphBuilder::new("normalised");
    let rows = [[12, -30, 25, 25], [1, 0, -1, 2], [-60, 63, -64, 7], [3, 3, 3, 3]];
    let x = b.input("x", &[4, 4], 4, Bounds::new(-64, 63), Visibility::Committed)?;
    let (whole, four) = (|| Map::identity(&[4, 4]), || Map::identity(&[4]));
    let squares = Contract { a: whole(), b: whole(), addend: None, ranks: [1, 0, 1, 0], y: four() };
    let squares = b.node("squares", squares, &[x, x])?;
    let quarter = b.constant("quarter", &[1], 2, vec![1])?;
    let epsilon = b.constant("epsilon", &[], 10, vec![1])?;
    let addend = Map::broadcast(&[], &[4]);
    let column = Map::identity(&[4, 1]);
    let mean = Contract { a: column, b: Map::identity(&[1]), addend, ranks: [0, 1, 1, 0], y: four() };
    let mean = b.node("mean", mean, &[squares, quarter, epsilon])?;
    let root = Root { shift: 14, calibrated: Some(Bounds::new(128, 16384)) };
    let root = b.node("root", root, &[mean])?;
    let one = b.constant("one", &[1], 0, vec![1])?;
    let repeated =
        Map { source: vec![1], shape: vec![4], axes: vec![Axis { offset: 0, steps: vec![0] }], pad: None };
    let inverse = Divide { a: repeated, b: four(), shift: 24, calibrated: None };
    let inverse = b.node("inverse", inverse, &[one, root])?;
    let along = Map {
        source: vec![4],
        shape: vec![4, 4],
        axes: vec![Axis { offset: 0, steps: vec![1, 0] }],
        pad: None,
    };
    let product = b.node("product", Product { a: whole(), b: along }, &[x, inverse])?;
    let y = rescale(&mut b, "rounded", product, 8)?;
    b.output("y", y, Visibility::Public);
    let by_hand = |row: [i64; 4]| {
        let mean = row.iter().map(|v| v * v).sum::<i64>() + 1;
        let root = ((mean << 14) as f64).sqrt().floor();
        let inverse = (f64::from(1 << 24) / root).floor();
        row.map(|v| ((v as f64 * inverse + 128.0) / 256.0).floor() as i64)
    };
    let expected = rows.map(by_hand).concat();
    Ok(Built { graph: b.finish()?, inputs: vec![rows.concat()], weights: vec![], expected: vec![expected] })
}
