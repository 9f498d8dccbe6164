//! Small networks with seeded weights.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zkml_graph::{
    Bounds, Graph, GraphBuilder, Map, Relation, TensorId,
    graph::Visibility,
    map::Axis,
    ops::{Contract, Lookup, Max, MaxOperand, Rescale},
};
use zkml_halo2::Binding;
use zkml_protocol::Word;

const SCALE: i32 = 12;

pub(crate) struct Net {
    pub(crate) b: GraphBuilder,
    rng: ChaCha8Rng,
    count: usize,
    /// Values of the weights when they are private.
    private: Option<Vec<Vec<i64>>>,
}

impl Net {
    pub(crate) fn new(name: &str) -> Self {
        Self { b: GraphBuilder::new(name), rng: ChaCha8Rng::seed_from_u64(7), count: 0, private: None }
    }

    /// A network of private weights, which depend on the seed.
    pub(crate) fn private(name: &str, seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), private: Some(vec![]), ..Self::new(name) }
    }

    fn constant(&mut self, name: &str, shape: &[usize], scale: i32, values: Vec<i64>) -> TensorId {
        let bits = if scale == SCALE { 16 } else { 24 };
        match &mut self.private {
            None => self.b.constant(name, shape, scale, values).expect("constant"),
            Some(all) => {
                all.push(values);
                self.b.weight(name, shape, scale, bits).expect("weight")
            }
        }
    }

    /// The graph with its private weights.
    pub(crate) fn finish_private(mut self, y: TensorId) -> (Graph, Vec<Vec<i64>>) {
        let weights = self.private.take().unwrap_or_default();
        (self.finish(y), weights)
    }

    pub(crate) fn input(&mut self, shape: &[usize]) -> TensorId {
        self.b
            .input("x", shape, SCALE, Bounds::new(-(1 << 14), (1 << 14) - 1), Visibility::Committed)
            .expect("input")
    }

    fn name(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}_{}", self.count)
    }

    fn weights(&mut self, n: usize, fan_in: usize) -> Vec<i64> {
        let reach = (1.7 / (fan_in as f64).sqrt() * f64::from(1 << SCALE)) as i64;
        (0..n).map(|_| self.rng.gen_range(-reach..=reach)).collect()
    }

    pub(crate) fn dense(&mut self, x: TensorId, inputs: usize, outputs: usize) -> TensorId {
        let w = self.weights(inputs * outputs, inputs);
        let bias: Vec<i64> = self.weights(outputs, 4).into_iter().map(|b| b << 8).collect();
        let name = self.name("dense");
        let w = self.constant(&format!("{name}.w"), &[inputs, outputs], SCALE, w);
        let bias = self.constant(&format!("{name}.b"), &[outputs], 2 * SCALE, bias);
        let op = Contract {
            a: Map::identity(&[1, inputs]),
            b: Map::identity(&[inputs, outputs]),
            addend: Some(Map::broadcast(&[outputs], &[1, outputs]).expect("broadcasts")),
            ranks: [0, 1, 1, 1],
            y: Map::identity(&[1, outputs]),
        };
        self.b.node(&name, op, &[x, w, bias]).expect("dense")
    }

    /// A convolution over a `c × h × w` tensor, stride 1.
    pub(crate) fn conv(
        &mut self,
        x: TensorId,
        [c, h, w]: [usize; 3],
        out: usize,
        kernel: usize,
        pad: usize,
    ) -> TensorId {
        let weights = self.weights(out * c * kernel * kernel, c * kernel * kernel);
        let bias: Vec<i64> = self.weights(out, 4).into_iter().map(|b| b << 8).collect();
        let name = self.name("conv");
        let filter = self.constant(&format!("{name}.w"), &[c, kernel, kernel, out], SCALE, weights);
        let bias = self.constant(&format!("{name}.b"), &[out], 2 * SCALE, bias);
        let (oh, ow) = (h + 2 * pad + 1 - kernel, w + 2 * pad + 1 - kernel);
        let axis = |offset: i64, steps: [i64; 5]| Axis { offset, steps: steps.to_vec() };
        let a = Map {
            source: vec![c, h, w],
            shape: vec![oh, ow, c, kernel, kernel],
            axes: vec![
                axis(0, [0, 0, 1, 0, 0]),
                axis(-(pad as i64), [1, 0, 0, 1, 0]),
                axis(-(pad as i64), [0, 1, 0, 0, 1]),
            ],
            pad: (pad > 0).then_some(0),
        };
        let op = Contract {
            a,
            b: Map::identity(&[c, kernel, kernel, out]),
            addend: Some(Map::broadcast(&[out], &[oh, ow, out]).expect("broadcasts")),
            ranks: [0, 2, 3, 1],
            y: Map::permuted(&[out, oh, ow], &[1, 2, 0]),
        };
        self.b.node(&name, op, &[x, filter, bias]).expect("conv")
    }

    pub(crate) fn pool(&mut self, x: TensorId, [c, h, w]: [usize; 3]) -> TensorId {
        let view = |dy: i64, dx: i64| Map {
            source: vec![c, h, w],
            shape: vec![c, h / 2, w / 2],
            axes: vec![
                Axis { offset: 0, steps: vec![1, 0, 0] },
                Axis { offset: dy, steps: vec![0, 2, 0] },
                Axis { offset: dx, steps: vec![0, 0, 2] },
            ],
            pad: None,
        };
        let name = self.name("pool");
        let top = Max { a: view(0, 0), b: MaxOperand::View(view(0, 1)) };
        let top = self.b.node(&format!("{name}.top"), top, &[x, x]).expect("max");
        let bottom = Max { a: view(1, 0), b: MaxOperand::View(view(1, 1)) };
        let bottom = self.b.node(&format!("{name}.bottom"), bottom, &[x, x]).expect("max");
        let shape = [c, h / 2, w / 2];
        let all = Max { a: Map::identity(&shape), b: MaxOperand::View(Map::identity(&shape)) };
        self.b.node(&name, all, &[top, bottom]).expect("max")
    }

    pub(crate) fn rescale(&mut self, x: TensorId) -> TensorId {
        let name = self.name("rescale");
        let calibrated = Some(Bounds::new(-(1 << 15), (1 << 15) - 1));
        self.b.node(&name, Rescale { divisor: 1 << SCALE, scale: SCALE, calibrated }, &[x]).expect("rescale")
    }

    pub(crate) fn relu(&mut self, x: TensorId) -> TensorId {
        let shape = self.b.tensor(x).shape.clone();
        let name = self.name("relu");
        self.b.node(&name, Max { a: Map::identity(&shape), b: MaxOperand::Constant(0) }, &[x]).expect("relu")
    }

    pub(crate) fn sigmoid(&mut self, x: TensorId) -> TensorId {
        let f = |v: f64| 1.0 / (1.0 + (-v).exp());
        let (fraction_bits, shift, lo) = (8, 12, -(1i64 << 15));
        let step = f64::from(1 << fraction_bits) / f64::from(1 << SCALE);
        let start = |i: i64| f(lo as f64 / f64::from(1 << SCALE) + i as f64 * step);
        let to = |v: f64| (v * f64::from(1 << (SCALE + shift as i32))).round() as i64;
        let value: Vec<i64> = (0..256).map(|i| to(start(i))).collect();
        let slope = (0..256).map(|i| to(start(i + 1) - start(i)) / (1 << fraction_bits)).collect();
        let name = self.name("sigmoid");
        let op = Lookup { name: "sigmoid".into(), lo, fraction_bits, value, slope, shift, scale: SCALE };
        self.b.node(&name, op, &[x]).expect("sigmoid")
    }

    pub(crate) fn finish(mut self, y: TensorId) -> Graph {
        self.b.output("y", y, Visibility::Public);
        self.b.finish().expect("finishes")
    }

    /// A multilayer perceptron with ReLU between layers.
    pub(crate) fn mlp(name: &str, widths: &[usize], sigmoid: bool) -> Graph {
        Self::new(name).layers(widths, sigmoid).0
    }

    /// The same with private weights.
    pub(crate) fn private_mlp(name: &str, widths: &[usize], seed: u64) -> (Graph, Vec<Vec<i64>>) {
        Self::private(name, seed).layers(widths, false)
    }

    fn layers(self, widths: &[usize], sigmoid: bool) -> (Graph, Vec<Vec<i64>>) {
        let mut n = self;
        let mut x = n.input(&[1, widths[0]]);
        for (i, pair) in widths.windows(2).enumerate() {
            let y = n.dense(x, pair[0], pair[1]);
            x = n.rescale(y);
            if i + 2 < widths.len() {
                x = n.relu(x);
            }
        }
        if sigmoid {
            x = n.sigmoid(x);
        }
        n.finish_private(x)
    }
}

/// A context and a salt for each commitment of a graph.
pub(crate) fn binding(graph: &Graph, seed: u64) -> Binding {
    let word = |i: u64| Word::from_u64(1_000_003 * (seed + 1) + i);
    let committed = |(_, r): &(String, Relation)| matches!(r, Relation::Commit { .. });
    let count = graph.system().relations.iter().filter(|r| committed(r)).count() as u64;
    Binding { context: word(0), salts: (1..=count).map(word).collect() }
}

pub(crate) fn inputs(graph: &Graph, seed: u64) -> Vec<Vec<i64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    graph
        .inputs
        .iter()
        .map(|(t, _)| (0..graph.tensor(*t).len()).map(|_| rng.gen_range(-4096..4096)).collect())
        .collect()
}
