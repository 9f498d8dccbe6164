//! The graph: nodes in topological order, its builder, evaluation, relations, and canonical bytes.

use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

use crate::{
    Bounds, Code, Evaluated, GraphError, MAX_LOOSE_BITS, Op, RangeKind, Relation, RelationBuilder, Section,
    System, Tensor, TensorId, Var, VarId, View,
};

/// An operator applied to tensors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Name, usually that of the ONNX node it comes from.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// Operands.
    pub inputs: Vec<TensorId>,
    /// Result.
    pub output: TensorId,
}

/// A named result of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The model's own name for it.
    pub name: String,
    /// The tensor.
    pub tensor: TensorId,
    /// Who sees it.
    pub visibility: Visibility,
}

/// Who sees a tensor of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// In the public statement.
    Public,
    /// Known to the prover only; the statement carries a salted commitment.
    Committed,
}

/// A quantized model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// Name of the model.
    pub name: String,
    /// All tensors.
    pub tensors: Vec<Tensor>,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// Inputs with who sees them.
    pub inputs: Vec<(TensorId, Visibility)>,
    /// Weights that are no part of the graph: the statement carries one salted commitment to all of them, in
    /// this order, and a run takes their values beside those of the inputs. Empty when the weights are public,
    /// that is, constants of the graph.
    pub weights: Vec<TensorId>,
    /// Outputs with who sees them.
    pub outputs: Vec<Output>,
}

/// Values of one run: every tensor, then every auxiliary value; see [`System::assign`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// One row-major vector per tensor, then one per auxiliary variable.
    pub values: Vec<Vec<i64>>,
}

/// Marks the serialised form and its version.
const MAGIC: &[u8] = b"zkml-graph/2\n";

impl Graph {
    /// The tensor behind an id.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.0 as usize]
    }

    /// Canonical bytes: the same graph gives the same bytes on every machine.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(postcard::to_stdvec(self).expect("a graph in memory always serialises"));
        out
    }

    /// Reads canonical bytes back and checks every fact again, so that a graph from disk is as good as one
    /// that was just built.
    ///
    /// # Errors
    /// [`GraphError::Decode`] or [`GraphError::Postcard`] for bytes that are no graph or not its canonical form, else the fact that does not hold.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GraphError> {
        let decode = |m: String| GraphError::Decode(m);
        let body = bytes.strip_prefix(MAGIC).ok_or_else(|| decode("wrong magic or version".into()))?;
        let graph: Self = postcard::from_bytes(body)?;
        // One graph, one form: the decoder alone would let padded numbers and trailing bytes pass.
        if graph.to_bytes() != bytes {
            return Err(decode("the bytes are not in canonical form".into()));
        }
        graph.validate()?;
        Ok(graph)
    }

    /// Number of constant elements: weights, biases and other numbers that training found.
    pub fn parameters(&self) -> usize {
        let constants = self.tensors.iter().filter_map(|t| t.constant.as_ref()).map(Vec::len);
        constants.chain(self.weights.iter().map(|t| self.tensor(*t).len())).sum()
    }

    /// Number of multiplications that contractions take in one run.
    pub fn macs(&self) -> u64 {
        let contractions = self.nodes.iter().filter_map(|n| match &n.op {
            Op::Contract(c) => Some(c.macs()),
            _ => None,
        });
        contractions.sum()
    }

    /// keccak256 of the canonical bytes: the model hash.
    pub fn hash(&self) -> [u8; 32] {
        Keccak256::digest(self.to_bytes()).into()
    }

    fn validate(&self) -> Result<(), GraphError> {
        let decode = |m: String| GraphError::Decode(m);
        let count = self.tensors.len();
        let known = |t: &TensorId| (t.0 as usize) < count;
        let ids = self.nodes.iter().flat_map(|n| n.inputs.iter().chain([&n.output]));
        let ends = self.inputs.iter().map(|(t, _)| t).chain(self.outputs.iter().map(|o| &o.tensor));
        let ends = ends.chain(&self.weights);
        if !ids.chain(ends).all(known) {
            return Err(decode("a node refers to a tensor that does not exist".into()));
        }
        self.tensors.iter().try_for_each(Tensor::check)?;
        let mut defined: Vec<bool> = self.tensors.iter().map(|t| t.constant.is_some()).collect();
        for (t, _) in &self.inputs {
            if std::mem::replace(&mut defined[t.0 as usize], true) {
                return Err(decode(format!("input `{}` is defined twice", self.tensor(*t).name)));
            }
        }
        for t in &self.weights {
            if std::mem::replace(&mut defined[t.0 as usize], true) {
                return Err(decode(format!("weight `{}` is defined twice", self.tensor(*t).name)));
            }
        }
        for n in &self.nodes {
            if !n.inputs.iter().all(|t| defined[t.0 as usize]) || defined[n.output.0 as usize] {
                return Err(decode(format!("node `{}` is out of order", n.name)));
            }
            defined[n.output.0 as usize] = true;
            let inputs: Vec<&Tensor> = n.inputs.iter().map(|&t| self.tensor(t)).collect();
            let fact = n.op.spec().fact(&n.name, &inputs)?;
            let out = self.tensor(n.output);
            if (&fact.shape, fact.scale, fact.bounds) != (&out.shape, out.scale, out.bounds) {
                return Err(decode(format!(
                    "node `{}` claims a result that its operator does not give",
                    n.name
                )));
            }
        }
        match defined.iter().position(|d| !d) {
            Some(i) => Err(decode(format!("nothing defines tensor `{}`", self.tensors[i].name))),
            None => Ok(()),
        }
    }

    /// Runs a graph whose weights are public; see [`Graph::eval_with`].
    ///
    /// # Errors
    /// As [`Graph::eval_with`].
    pub fn eval(&self, inputs: &[Vec<i64>]) -> Result<Trace, GraphError> {
        self.eval_with(inputs, &[])
    }

    /// Runs the graph on integer inputs and private weights (row-major, one vector per tensor of
    /// [`Graph::inputs`] and [`Graph::weights`]) and returns the values of all variables. An input, weight or
    /// intermediate value outside its bounds is an error that names it.
    ///
    /// # Errors
    /// [`GraphError::InputCount`], [`GraphError::WeightCount`] and [`GraphError::Count`] for tensors that are not those of the graph,
    /// [`GraphError::OutOfBounds`] for a value outside its bounds.
    pub fn eval_with(&self, inputs: &[Vec<i64>], weights: &[Vec<i64>]) -> Result<Trace, GraphError> {
        if inputs.len() != self.inputs.len() {
            return Err(GraphError::InputCount { expected: self.inputs.len(), got: inputs.len() });
        }
        if weights.len() != self.weights.len() {
            return Err(GraphError::WeightCount { expected: self.weights.len(), got: weights.len() });
        }
        let mut values: Vec<Vec<i64>> =
            self.tensors.iter().map(|t| t.constant.clone().unwrap_or_default()).collect();
        let free = self.inputs.iter().map(|(id, _)| id).zip(inputs).chain(self.weights.iter().zip(weights));
        for (id, given) in free {
            let t = self.tensor(*id);
            if given.len() != t.len() {
                let (tensor, shape) = (t.name.clone(), t.shape.clone());
                return Err(GraphError::Count { tensor, shape, expected: t.len(), got: given.len() });
            }
            within(t, given)?;
            values[id.0 as usize] = given.clone();
        }
        let mut aux = Vec::new();
        for n in &self.nodes {
            let tensors: Vec<&Tensor> = n.inputs.iter().map(|&t| self.tensor(t)).collect();
            let args: Vec<&[i64]> = n.inputs.iter().map(|t| values[t.0 as usize].as_slice()).collect();
            let out = self.tensor(n.output);
            let Evaluated { output, aux: more } = n.op.spec().eval(&n.name, &tensors, &args, out)?;
            within(out, &output)?;
            values[n.output.0 as usize] = output;
            aux.extend(more);
        }
        values.extend(aux);
        Ok(Trace { values })
    }

    /// The relations of the whole graph. Constants that only relations use are variables with a value; the
    /// values of all others come from [`Graph::eval`], in the same order.
    pub fn system(&self) -> System {
        let vars = self
            .tensors
            .iter()
            .map(|t| Var {
                name: t.name.clone(),
                shape: t.shape.clone(),
                bounds: t.bounds,
                constant: t.constant.clone(),
            })
            .collect();
        let free = self.inputs.iter().map(|(t, _)| t).chain(&self.weights);
        let inputs = free.map(|t| VarId(t.0)).collect();
        let system = System { vars, inputs, tensors: self.tensors.len(), ..System::default() };
        let mut b = RelationBuilder { system, label: "inputs".into() };
        let mut loose: Vec<u32> = self.tensors.iter().map(loosened).collect();
        for (t, visibility) in &self.inputs {
            self.shown(&mut b, *t, *visibility, Section::Input);
        }
        b.label = "weights".into();
        let parts: Vec<(View, Code)> = self.weights.iter().map(|t| self.coded(&mut b, *t)).collect();
        if !parts.is_empty() {
            b.state(Relation::Commit { parts, section: Section::Model });
        }
        for n in &self.nodes {
            b.label.clone_from(&n.name);
            let inputs: Vec<_> = n.inputs.iter().map(|&t| (self.tensor(t), b.view(VarId(t.0)))).collect();
            let output = (self.tensor(n.output), b.view(VarId(n.output.0)));
            let result = output.1.clone();
            n.op.spec().relate(&mut b, &inputs, output);
            let bits: Vec<u32> = n.inputs.iter().map(|t| loose[t.0 as usize]).collect();
            match n.op.spec().loose_bits(&bits) {
                Some(bits) if bits > MAX_LOOSE_BITS => b.confine(&result, self.tensor(n.output).bounds),
                Some(bits) => loose[n.output.0 as usize] = bits,
                None => {}
            }
        }
        b.label = "outputs".into();
        for o in &self.outputs {
            self.shown(&mut b, o.tensor, o.visibility, Section::Output);
        }
        b.system
    }

    /// States what the statement shows of an input or output.
    fn shown(&self, b: &mut RelationBuilder, t: TensorId, visibility: Visibility, section: Section) {
        // Contracts read outputs one by one; inputs are many, and each field element costs gas.
        let packed = section == Section::Input && self.tensor(t).len() > 1;
        match visibility {
            Visibility::Public if packed => {
                let (v, code) = self.coded(b, t);
                b.state(Relation::Public { v, section, code: Some(code) });
            }
            Visibility::Public => {
                let v = b.view(VarId(t.0));
                b.confine(&v, self.tensor(t).bounds);
                b.state(Relation::Public { v, section, code: None });
            }
            Visibility::Committed => {
                let part = self.coded(b, t);
                b.state(Relation::Commit { parts: vec![part], section });
            }
        }
    }

    /// A tensor that is packed into field elements: with its code, to whose range it is confined exactly.
    fn coded(&self, b: &mut RelationBuilder, t: TensorId) -> (View, Code) {
        let (v, code) = (b.view(VarId(t.0)), Code::of(self.tensor(t).bounds));
        b.range(&v, code.lo(), code.bits, RangeKind::Exact);
        (v, code)
    }
}

/// Bits of the largest magnitude that a tensor may have when a loose range is all that confines it.
fn loosened(t: &Tensor) -> u32 {
    let widest = RangeKind::Sound.widest(t.bounds.lo as i64, t.bounds.bits());
    let widest = if t.constant.is_some() { t.bounds } else { widest };
    128 - widest.magnitude().leading_zeros()
}

/// Every value within the tensor's bounds, or an error that names the first that is not.
fn within(t: &Tensor, values: &[i64]) -> Result<(), GraphError> {
    let bad = values.iter().enumerate().find(|(_, v)| !t.bounds.contains(i128::from(**v)));
    bad.map_or(Ok(()), |(index, v)| Err(out_of_bounds(t, index, i128::from(*v), t.bounds)))
}

/// The error for element `index` of `t`, whose value `v` is outside `bounds`.
pub(crate) fn out_of_bounds(t: &Tensor, index: usize, v: i128, bounds: Bounds) -> GraphError {
    let show = |v: i128| format!("{:.6}", t.real(v));
    GraphError::OutOfBounds {
        tensor: t.name.clone(),
        index,
        value: v,
        real: show(v),
        lo_real: show(bounds.lo),
        hi_real: show(bounds.hi),
    }
}

/// Builds a [`Graph`] node by node; facts and bounds are checked as it grows.
#[derive(Debug)]
pub struct GraphBuilder {
    graph: Graph,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new(name: &str) -> Self {
        let (tensors, nodes, inputs, weights, outputs) = Default::default();
        Self { graph: Graph { name: name.into(), tensors, nodes, inputs, weights, outputs } }
    }

    /// The tensor behind an id.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        self.graph.tensor(id)
    }

    /// The node that makes a tensor; nothing for inputs, weights and constants.
    pub fn producer(&self, id: TensorId) -> Option<&Node> {
        self.graph.nodes.iter().rev().find(|n| n.output == id)
    }

    fn push(&mut self, tensor: Tensor) -> Result<TensorId, GraphError> {
        self.graph.tensors.push(tensor.checked()?);
        Ok(TensorId(self.graph.tensors.len() as u32 - 1))
    }

    /// Declares an input of the model.
    ///
    /// # Errors
    /// [`GraphError::Shape`] for an empty or huge shape, [`GraphError::Overflow`] for bounds beyond what is exact.
    pub fn input(
        &mut self,
        name: &str,
        shape: &[usize],
        scale: i32,
        bounds: Bounds,
        visibility: Visibility,
    ) -> Result<TensorId, GraphError> {
        let id =
            self.push(Tensor { name: name.into(), shape: shape.to_vec(), scale, bounds, constant: None })?;
        self.graph.inputs.push((id, visibility));
        Ok(id)
    }

    /// A private weight of the model: signed integers of `bits` bits, whatever a particular set of weights is.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn weight(
        &mut self,
        name: &str,
        shape: &[usize],
        scale: i32,
        bits: u32,
    ) -> Result<TensorId, GraphError> {
        let bounds = Code { bits, signed: true }.bounds();
        let id =
            self.push(Tensor { name: name.into(), shape: shape.to_vec(), scale, bounds, constant: None })?;
        self.graph.weights.push(id);
        Ok(id)
    }

    /// A constant of the model.
    ///
    /// # Errors
    /// [`GraphError::Count`] if the values do not fill the shape, else as [`GraphBuilder::input`].
    pub fn constant(
        &mut self,
        name: &str,
        shape: &[usize],
        scale: i32,
        values: Vec<i64>,
    ) -> Result<TensorId, GraphError> {
        let bounds = Bounds::of(values.iter().copied());
        self.push(Tensor { name: name.into(), shape: shape.to_vec(), scale, bounds, constant: Some(values) })
    }

    /// Applies an operator; returns its result.
    ///
    /// # Errors
    /// What the operator refuses: operands that do not fit it, a result whose bounds could leave the exact range.
    pub fn node(
        &mut self,
        name: &str,
        op: impl Into<Op>,
        inputs: &[TensorId],
    ) -> Result<TensorId, GraphError> {
        let op = op.into();
        let tensors: Vec<&Tensor> = inputs.iter().map(|&t| self.graph.tensor(t)).collect();
        let fact = op.spec().fact(name, &tensors)?;
        let (shape, scale, bounds) = (fact.shape, fact.scale, fact.bounds);
        let output = self.push(Tensor { name: name.into(), shape, scale, bounds, constant: None })?;
        self.graph.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec(), output });
        Ok(output)
    }

    /// Declares a result of the model.
    pub fn output(&mut self, name: &str, tensor: TensorId, visibility: Visibility) {
        self.graph.outputs.push(Output { name: name.into(), tensor, visibility });
    }

    /// The finished graph, without tensors and nodes that no output needs.
    ///
    /// # Errors
    /// A fact that does not hold, as [`Graph::from_bytes`] finds them.
    pub fn finish(self) -> Result<Graph, GraphError> {
        let graph = prune(self.graph);
        graph.validate()?;
        Ok(graph)
    }
}

/// Drops what no output depends on; inputs stay, since they are part of the statement.
fn prune(g: Graph) -> Graph {
    let mut live = vec![false; g.tensors.len()];
    g.outputs.iter().for_each(|o| live[o.tensor.0 as usize] = true);
    g.inputs.iter().for_each(|(t, _)| live[t.0 as usize] = true);
    for n in g.nodes.iter().rev() {
        if live[n.output.0 as usize] {
            n.inputs.iter().for_each(|t| live[t.0 as usize] = true);
        }
    }
    let mut next = 0;
    let ids: Vec<TensorId> = live
        .iter()
        .map(|&l| {
            let id = TensorId(next);
            next += u32::from(l);
            id
        })
        .collect();
    let new = |t: TensorId| ids[t.0 as usize];
    let nodes = g.nodes.into_iter().filter(|n| live[n.output.0 as usize]).map(|n| Node {
        inputs: n.inputs.iter().map(|&t| new(t)).collect(),
        output: new(n.output),
        ..n
    });
    Graph {
        name: g.name,
        nodes: nodes.collect(),
        inputs: g.inputs.into_iter().map(|(t, v)| (new(t), v)).collect(),
        weights: g.weights.into_iter().filter(|t| live[t.0 as usize]).map(new).collect(),
        outputs: g.outputs.into_iter().map(|o| Output { tensor: new(o.tensor), ..o }).collect(),
        tensors: g.tensors.into_iter().zip(live).filter_map(|(t, l)| l.then_some(t)).collect(),
    }
}
