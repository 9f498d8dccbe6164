//! Random graphs over the supported operators: the integer graph stays within what the report claims of the float model.
//!
//! `ZKML_RANDOM_GRAPHS` is the number of graphs, `ZKML_RANDOM_SEED` where they begin.

use std::collections::BTreeMap;

use tract_onnx::pb;

use super::lowering_tests::{int64s, ints_attribute, value};
use crate::load::build;
use crate::net::gather;
use crate::proto::{floats, int_attribute, standard};
use crate::{Calibrated, Error, LoadOptions, Model, Sample, Samples, Settings, calibrate};

/// Samples that ranges come from, and further ones that are only run.
const CALIBRATED: usize = 16;
const HELD_OUT: usize = 8;
/// Error of samples that calibration did not see, in units of the largest that it saw or tolerates.
const UNSEEN: f64 = 4.0;

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn between(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// A graph that grows by one operator after the other.
struct Growing {
    rng: Rng,
    nodes: Vec<pb::NodeProto>,
    weights: Vec<pb::TensorProto>,
    /// Name and shape of the input and of every result.
    values: Vec<(String, Vec<usize>)>,
}

type Shape = Vec<usize>;

fn float(name: &str, f: f64) -> pb::AttributeProto {
    let r#type = pb::attribute_proto::AttributeType::Float as i32;
    pb::AttributeProto { name: name.into(), f: f as f32, r#type, ..Default::default() }
}

impl Growing {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let side = |rng: &mut Rng| 1 + rng.below(4);
        let shape = match rng.below(3) {
            0 => vec![1, 1 + rng.below(8)],
            1 => vec![side(&mut rng), side(&mut rng), side(&mut rng)],
            _ => vec![1, side(&mut rng), 3 + rng.below(3), 3 + rng.below(3)],
        };
        Self { rng, nodes: Vec::new(), weights: Vec::new(), values: vec![("x".into(), shape)] }
    }

    fn weight(&mut self, dims: &[usize], lo: f64, hi: f64) -> String {
        let name = format!("w{}", self.weights.len());
        let values = (0..dims.iter().product()).map(|_| self.rng.between(lo, hi) as f32).collect();
        self.weights.push(floats(&name, dims, values));
        name
    }

    fn integers(&mut self, values: &[i64]) -> String {
        let name = format!("w{}", self.weights.len());
        self.weights.push(int64s(&name, values));
        name
    }

    /// Adds a node; its result is the newest value.
    fn push(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<pb::AttributeProto>,
        shape: Shape,
    ) -> String {
        let name = format!("v{}", self.values.len());
        let mut node = standard(op, &format!("{}_{}", op.to_lowercase(), self.values.len()), inputs, &name);
        node.attribute = attributes;
        self.nodes.push(node);
        self.values.push((name.clone(), shape));
        name
    }

    /// Adds one operator, or a few that belong together, that fit a value.
    fn grow(&mut self) {
        // Mostly on the newest value, so that graphs are deep.
        let at =
            if self.rng.below(4) == 0 { self.rng.below(self.values.len()) } else { self.values.len() - 1 };
        let (x, shape) = self.values[at].clone();
        match self.rng.below(10) {
            0..=2 => self.function(&x, shape),
            3 | 4 => self.with_constant(&x, shape),
            5 => self.with_value(&x, shape),
            6 => self.reduction(&x, shape),
            7 => self.wiring(&x, shape),
            _ if shape.len() == 4 => self.image(&x, shape),
            _ => self.matrix(&x, shape),
        }
    }

    fn function(&mut self, x: &str, shape: Shape) {
        let plain = ["Relu", "Abs", "Neg", "Sigmoid", "Tanh", "Erf", "HardSigmoid", "HardSwish", "Identity"];
        match self.rng.below(plain.len() + 7) {
            i if i == plain.len() + 6 => self.normalised(x, shape),
            i if i < plain.len() => drop(self.push(plain[i], &[x], vec![], shape)),
            i if i < plain.len() + 2 => {
                let axis = int_attribute("axis", self.rng.below(shape.len()) as i64 - shape.len() as i64);
                let op = self.rng.pick(&["Softmax", "LogSoftmax"]).to_owned();
                self.push(op, &[x], vec![axis], shape);
            }
            i if i == plain.len() + 2 => {
                let alpha = self.rng.between(-0.5, 1.5);
                self.push("LeakyRelu", &[x], vec![float("alpha", alpha)], shape);
            }
            i if i == plain.len() + 3 => {
                let (lo, hi) = (self.rng.between(-4.0, 0.0), self.rng.between(0.0, 3.0));
                let (lo, hi) = (self.weight(&[], lo, lo), self.weight(&[], hi, hi));
                let clipped = self.push("Clip", &[x, &lo, &hi], vec![], shape.clone());
                if self.rng.flip() {
                    self.push("Exp", &[&clipped], vec![], shape);
                }
            }
            _ => {
                let positive = self.positive(x, shape.clone());
                let op = self.rng.pick(&["Sqrt", "Log", "Reciprocal"]).to_owned();
                self.push(op, &[&positive], vec![], shape);
            }
        }
    }

    fn normalised(&mut self, x: &str, shape: Shape) {
        let axis = self.rng.below(shape.len());
        let scale = self.weight(&shape[axis..], 0.5, 1.5);
        let shift = self.weight(&shape[axis..], -1.0, 1.0);
        let attributes = vec![int_attribute("axis", axis as i64), float("epsilon", 0.01)];
        self.push("LayerNormalization", &[x, &scale, &shift], attributes, shape);
    }

    /// A value that is at least a half.
    fn positive(&mut self, x: &str, shape: Shape) -> String {
        let op = self.rng.pick(&["Abs", "Sigmoid"]).to_owned();
        let magnitude = self.push(op, &[x], vec![], shape.clone());
        let half = self.weight(&[], 0.5, 1.0);
        self.push("Add", &[&magnitude, &half], vec![], shape)
    }

    fn with_constant(&mut self, x: &str, shape: Shape) {
        let op = self.rng.pick(&["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"]).to_owned();
        if op == "Pow" {
            let two = self.weight(&[], 2.0, 2.0);
            self.push(op, &[x, &two], vec![], shape);
            return;
        }
        let from = self.rng.below(shape.len() + 1);
        let dims: Shape = shape[from..].iter().map(|n| if self.rng.flip() { *n } else { 1 }).collect();
        let (lo, hi) = if op == "Div" { (0.4, 3.0) } else { (-2.0, 2.0) };
        let c = self.weight(&dims, lo, hi);
        let swapped = op != "Div" && self.rng.flip();
        let inputs = if swapped { [c.as_str(), x] } else { [x, c.as_str()] };
        self.push(op, &inputs, vec![], shape);
    }

    fn with_value(&mut self, x: &str, shape: Shape) {
        let same: Vec<String> =
            self.values.iter().filter(|(_, s)| *s == shape).map(|(name, _)| name.clone()).collect();
        let mut other = self.rng.pick(&same).clone();
        let op = self.rng.pick(&["Add", "Sub", "Mul", "Max", "Min", "Div", "Sum", "Concat"]).to_owned();
        let (mut shape, mut attributes) = (shape, vec![]);
        if op == "Div" {
            other = self.positive(&other, shape.clone());
        }
        if op == "Concat" {
            let axis = self.rng.below(shape.len());
            shape[axis] *= 2;
            attributes.push(int_attribute("axis", axis as i64));
        }
        self.push(op, &[x, &other], attributes, shape);
    }

    fn reduction(&mut self, x: &str, mut shape: Shape) {
        let op = self
            .rng
            .pick(&["ReduceMax", "ReduceMin", "ReduceMean", "ReduceSum", "ReduceSumSquare"])
            .to_owned();
        let axis = self.rng.below(shape.len());
        let keep = shape.len() == 1 || self.rng.flip();
        let mut attributes = vec![int_attribute("keepdims", i64::from(keep))];
        let mut inputs = vec![x.to_owned()];
        if op == "ReduceSum" {
            inputs.push(self.integers(&[axis as i64 - shape.len() as i64]));
        } else {
            attributes.push(ints_attribute("axes", &[axis as i64]));
        }
        if keep {
            shape[axis] = 1;
        } else {
            shape.remove(axis);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.push(op, &inputs, attributes, shape);
    }

    fn wiring(&mut self, x: &str, mut shape: Shape) {
        let (rank, axis) = (shape.len(), self.rng.below(shape.len()));
        match self.rng.below(6) {
            0 => {
                let mut order: Vec<usize> = (0..rank).collect();
                (0..rank).for_each(|i| order.swap(i, self.rng.below(rank)));
                let perm: Vec<i64> = order.iter().map(|d| *d as i64).collect();
                let shape = order.iter().map(|d| shape[*d]).collect();
                self.push("Transpose", &[x], vec![ints_attribute("perm", &perm)], shape);
            }
            1 => {
                let rows: usize = shape[..axis].iter().product();
                let columns = shape[axis..].iter().product();
                self.push("Flatten", &[x], vec![int_attribute("axis", axis as i64)], vec![rows, columns]);
            }
            2 => {
                let [start, step] = [self.rng.below(shape[axis]), 1 + self.rng.below(2)];
                let (a, step_) = (self.integers(&[axis as i64]), self.integers(&[step as i64]));
                let (s, e) = (self.integers(&[start as i64]), self.integers(&[i64::MAX]));
                shape[axis] = (shape[axis] - start).div_ceil(step);
                self.push("Slice", &[x, &s, &e, &a, &step_], vec![], shape);
            }
            3 => {
                let count = 1 + self.rng.below(3);
                let len = shape[axis];
                let index: Vec<i64> =
                    (0..count).map(|_| self.rng.below(2 * len) as i64 - len as i64).collect();
                let index = self.integers(&index);
                // A list of one index may be stored without dimension by nobody but us; keep two.
                shape[axis] = count;
                self.push("Gather", &[x, &index], vec![int_attribute("axis", axis as i64)], shape);
            }
            4 => {
                let pads: Vec<i64> = (0..2 * rank).map(|_| self.rng.below(2) as i64).collect();
                let shape = (0..rank).map(|d| shape[d] + (pads[d] + pads[d + rank]) as usize).collect();
                let pads = self.integers(&pads);
                let fill = self.weight(&[], -1.0, 1.0);
                let inputs = [x, &pads, &fill];
                let count = 2 + self.rng.below(2);
                self.push("Pad", &inputs[..count], vec![], shape);
            }
            _ => {
                let axes = self.integers(&[axis as i64]);
                shape.insert(axis, 1);
                self.push("Unsqueeze", &[x, &axes], vec![], shape);
            }
        }
    }

    fn matrix(&mut self, x: &str, mut shape: Shape) {
        let (inner, columns) = (shape.last().copied().unwrap_or(1), 1 + self.rng.below(5));
        let w = self.weight(&[inner, columns], -1.5, 1.5);
        *shape.last_mut().expect("a dimension") = columns;
        if shape.len() == 2 && self.rng.flip() {
            let b = self.weight(&[columns], -1.0, 1.0);
            self.push("Gemm", &[x, &w, &b], vec![], shape);
        } else {
            self.push("MatMul", &[x, &w], vec![], shape);
        }
    }

    fn image(&mut self, x: &str, shape: Shape) {
        let channels = shape[1];
        if self.rng.below(5) == 0 {
            let parts = [(0.5, 1.5), (-1.0, 1.0), (-0.5, 0.5), (0.3, 2.0)];
            let parts = parts.map(|(lo, hi)| self.weight(&[channels], lo, hi));
            self.push("BatchNormalization", &[x, &parts[0], &parts[1], &parts[2], &parts[3]], vec![], shape);
            return;
        }
        let kernel = [1 + self.rng.below(shape[2].min(3)), 1 + self.rng.below(shape[3].min(3))];
        let strides = [1 + self.rng.below(2), 1 + self.rng.below(2)];
        // A window never lies in the padding alone.
        let pads: Vec<usize> = (0..4).map(|i| self.rng.below(kernel[i % 2])).collect();
        let ints =
            |name: &str, v: &[usize]| ints_attribute(name, &v.iter().map(|n| *n as i64).collect::<Vec<_>>());
        let mut attributes =
            vec![ints("kernel_shape", &kernel), ints("strides", &strides), ints("pads", &pads)];
        let room = |d: usize| shape[2 + d] + pads[d] + pads[d + 2] - kernel[d];
        let op = self.rng.pick(&["Conv", "MaxPool", "AveragePool"]).to_owned();
        let ceil = op != "Conv" && self.rng.flip();
        let size = |d: usize| {
            let count = if ceil { room(d).div_ceil(strides[d]) } else { room(d) / strides[d] } + 1;
            // The last window starts inside the image or its front padding.
            if ceil && (count - 1) * strides[d] >= shape[2 + d] + pads[d] { count - 1 } else { count }
        };
        let (height, width) = (size(0), size(1));
        if op == "Conv" {
            let out = 1 + self.rng.below(3);
            let w = self.weight(&[out, channels, kernel[0], kernel[1]], -1.0, 1.0);
            self.push(op, &[x, &w], attributes, vec![shape[0], out, height, width]);
            return;
        }
        attributes.push(int_attribute("ceil_mode", i64::from(ceil)));
        if op == "AveragePool" {
            attributes.push(int_attribute("count_include_pad", i64::from(self.rng.flip())));
        }
        self.push(op, &[x], attributes, vec![shape[0], channels, height, width]);
    }

    fn finish(self) -> pb::ModelProto {
        let (last, _) = &self.values[self.values.len() - 1];
        let graph = pb::GraphProto {
            output: vec![pb::ValueInfoProto { name: last.clone(), ..Default::default() }],
            input: vec![value("x", &self.values[0].1)],
            node: self.nodes,
            initializer: self.weights,
            ..Default::default()
        };
        let opset = pb::OperatorSetIdProto { domain: String::new(), version: 17 };
        pb::ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() }
    }
}

fn sample(model: &Model, rng: &mut Rng) -> Sample {
    let values = model.inputs().iter().map(|p| (0..p.len()).map(|_| rng.between(-2.0, 2.0)).collect());
    Sample::new(model.inputs(), values.collect()).expect("finite")
}

/// The outputs of the integer graph, whose relations hold; nothing when the sample is refused.
fn integers(done: &Calibrated, sample: &Sample) -> Result<Option<Vec<Vec<f64>>>, String> {
    let Ok(inputs) = done.interface.quantize_inputs(sample) else { return Ok(None) };
    let Ok(trace) = done.graph.eval(&inputs) else { return Ok(None) };
    let system = done.graph.system();
    let values = system.assign(&trace).ok_or("counts do not fit")?;
    system.check(&values).map_err(|e| format!("relations: {e}"))?;
    let outputs = done.graph.outputs.iter().map(|o| trace.values[o.tensor.0 as usize].clone());
    Ok(Some(done.interface.dequantize_outputs(&outputs.collect::<Vec<_>>())))
}

/// What became of a graph, or what is wrong.
fn run(seed: u64) -> Result<&'static str, String> {
    let mut growing = Growing::new(seed);
    let steps = 1 + growing.rng.below(8);
    (0..steps).for_each(|_| growing.grow());
    let model = build("random", growing.finish(), None, &LoadOptions::default());
    let model = match model {
        Ok(model) => model,
        // tract fails on some of its own rewritings: then there is nothing to prove.
        Err(Error::Analysis { .. }) => return Ok("refused: the analysis fails"),
        Err(e) => return Err(format!("load: {e}")),
    };
    let mut rng = Rng(!seed);
    let rows: Vec<Sample> = (0..CALIBRATED + HELD_OUT).map(|_| sample(&model, &mut rng)).collect();
    let wanted: Result<Vec<Vec<Vec<f64>>>, Error> = rows.iter().map(|row| model.run(row)).collect();
    let Ok(wanted) = wanted else { return Ok("refused: the analysis fails") };
    let evaluator = crate::net::Evaluator::new(model.net());
    for (row, wanted) in rows.iter().zip(&wanted) {
        let values = evaluator.run(row.values());
        for ((_, o), want) in model.net().outputs.iter().zip(wanted) {
            let got = gather(&o.map, &values[o.value]);
            let largest = want.iter().fold(1.0, |m: f64, w| m.max(w.abs()));
            if got.iter().zip(want).any(|(g, w)| (g - w).abs() > 1e-4 * largest) {
                return Err(format!("network {got:?}, tract {want:?}"));
            }
        }
    }
    let (calibrated, held_out) = rows.split_at(CALIBRATED);
    let samples = Samples { rows: calibrated.to_vec(), random: false };
    let settings = Settings::default();
    let done = match calibrate(&model, &samples, &settings) {
        Ok(done) => done,
        Err(Error::Graph(_)) => return Ok("refused: its numbers are too large"),
        Err(Error::Analysis { detail }) if detail.contains("close to zero") => {
            return Ok("refused: close to zero");
        }
        Err(Error::FloatOverflow { .. }) => return Ok("refused: not finite"),
        Err(e) => return Err(format!("calibrate: {e}")),
    };
    let alarm = done.report.alarm(settings.tolerance).is_some();
    for (i, (row, want)) in rows.iter().zip(&wanted).enumerate() {
        let Some(got) = integers(&done, row)? else {
            if i < CALIBRATED {
                return Err(format!("calibration sample {i} is refused"));
            }
            continue;
        };
        for (report, (got, want)) in done.report.outputs.iter().zip(got.iter().zip(want)) {
            let error = got.iter().zip(want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
            let claimed = report.max_abs_error;
            let allowed = if i < CALIBRATED {
                claimed
            } else {
                UNSEEN * claimed.max(report.allowed(settings.tolerance))
            };
            if error > allowed || got.len() != want.len() {
                return Err(format!(
                    "sample {i} of {}: error {error}, claimed {claimed}",
                    CALIBRATED + held_out.len()
                ));
            }
        }
    }
    Ok(if alarm { "alarm" } else { "within the tolerance" })
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name}={v} is no number")))
}

#[test]
fn integers_stay_within_what_the_report_claims() {
    use rayon::prelude::*;
    let (count, first) = (setting("ZKML_RANDOM_GRAPHS", 200), setting("ZKML_RANDOM_SEED", 1));
    let ends: Vec<(u64, Result<&str, String>)> =
        (0..count).into_par_iter().map(|i| first.wrapping_add(i)).map(|seed| (seed, run(seed))).collect();
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    ends.iter().filter_map(|(_, end)| end.as_ref().ok()).for_each(|end| *tally.entry(end).or_default() += 1);
    println!("{count} graphs from seed {first}: {tally:?}");
    let wrong: Vec<String> =
        ends.iter().filter_map(|(seed, end)| Some(format!("seed {seed}: {}", end.as_ref().err()?))).collect();
    assert!(wrong.is_empty(), "{} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    let good = tally.get("within the tolerance").copied().unwrap_or(0) as u64;
    assert!(2 * good > count, "most graphs say nothing: {tally:?}");
}
