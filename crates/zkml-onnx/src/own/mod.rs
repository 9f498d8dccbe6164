//! Operators that tract does not know, or takes apart in a way that says too little: each is wired here of operators that it knows, or
//! stays one node for a family of `ops` to lower. One file per family, and one line in the registry.

mod kept;
mod unrolled;

use tract_onnx::model::{Onnx, ParsingContext};
use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::change_axes::{AxisOp, wire_with_rank_broadcast};
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_hir::internal::*;

use crate::operator::{OpSupport, op};
use crate::proto::{attribute, text_attribute};

pub(crate) use kept::{Along, Apart, LogSumExp, Smooth};
use unrolled::Body;
pub(crate) use unrolled::without_step;

/// An operator of ONNX, and how it is wired.
struct Own {
    support: OpSupport,
    /// Whether the result has type and shape of the first input.
    same: bool,
    wire: Wire,
}

type Wire = fn(&mut Wiring<'_>) -> TractResult<TVec<OutletId>>;

macro_rules! operators {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// The operators of all files.
        const OWN: &[&[Own]] = &[$($module::OWN),*];
    };
}

operators![
    activations,
    borders,
    chosen,
    classical,
    control,
    convolution,
    dynamic_quantize,
    integer_products,
    integers,
    losses,
    normalise,
    pools,
    powers,
    quantize,
    recurrent,
    reductions,
    resize,
    sorted,
    sums,
];

/// An operator whose result has type and shape of its first input.
const fn same(onnx_name: &'static str, notes: &'static str, wire: Wire) -> Own {
    Own { support: op(onnx_name, notes), same: true, wire }
}

/// An operator whose result has another type or shape than its first input.
const fn other(onnx_name: &'static str, notes: &'static str, wire: Wire) -> Own {
    Own { support: op(onnx_name, notes), same: false, wire }
}

fn all() -> impl Iterator<Item = &'static Own> {
    OWN.iter().flat_map(|file| file.iter())
}

/// The operators that are wired here, for the support table.
pub(crate) fn wired() -> impl Iterator<Item = &'static OpSupport> {
    all().map(|o| &o.support)
}

/// Returns true if nodes of this operator are wired here.
pub(crate) fn is_wired(op_type: &str) -> bool {
    all().any(|o| o.support.onnx_name == op_type)
}

/// The operators of tract, with those of this module.
pub(crate) fn framework() -> Onnx {
    let mut onnx = tract_onnx::onnx();
    for o in all() {
        onnx.op_register.insert(o.support.onnx_name, build);
    }
    onnx
}

fn build(ctx: &ParsingContext<'_>, node: &pb::NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let own = all().find(|o| o.support.onnx_name == node.op_type);
    let own = own.with_context(|| format!("{} is not wired here", node.op_type))?;
    let bodies = unrolled::bodies(ctx, node)?;
    Ok((expand(Node { node: node.clone(), opset: ctx.onnx_operator_set_version, own, bodies }), Vec::new()))
}

/// A node of the model, until types are known.
#[derive(Clone)]
struct Node {
    node: pb::NodeProto,
    opset: i64,
    own: &'static Own,
    bodies: Vec<Body>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.node.op_type)
    }
}

impl Expansion for Node {
    fn name(&self) -> StaticName {
        self.own.support.onnx_name.into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.node.output.iter().filter(|o| !o.is_empty()).count())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        if let (true, Some(x), Some(y)) = (self.own.same, inputs.first(), outputs.first()) {
            s.equals(&x.datum_type, &y.datum_type)?;
            s.equals(&x.shape, &y.shape)?;
        }
        Ok(())
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        // Inputs that are left out have no outlet.
        let mut given = inputs.iter().copied();
        let slots = self.node.input.iter().map(|name| if name.is_empty() { None } else { given.next() });
        let inputs = slots.collect();
        let prefix = prefix.to_owned();
        let mut wiring = Wiring {
            node: &self.node,
            opset: self.opset,
            bodies: &self.bodies,
            prefix,
            model,
            inputs,
            place: String::new(),
            parts: 0,
        };
        (self.own.wire)(&mut wiring)
    }
}

/// A node that is being wired.
struct Wiring<'a> {
    node: &'a pb::NodeProto,
    opset: i64,
    bodies: &'a [Body],
    prefix: String,
    model: &'a mut TypedModel,
    inputs: Vec<Option<OutletId>>,
    /// What is being wired within the node, for names.
    place: String,
    parts: usize,
}

impl Wiring<'_> {
    /// An input that must be there.
    fn input(&self, slot: usize) -> TractResult<OutletId> {
        self.optional(slot).with_context(|| format!("{}: input {slot} is missing", self.node.op_type))
    }

    fn optional(&self, slot: usize) -> Option<OutletId> {
        self.inputs.get(slot).copied().flatten()
    }

    /// The integers of an attribute; nothing when it is not there.
    fn ints(&self, name: &str) -> Option<Vec<i64>> {
        attribute(self.node, name).map(|a| a.ints.clone())
    }

    fn float(&self, name: &str, default: f32) -> f32 {
        attribute(self.node, name).map_or(default, |a| a.f)
    }

    fn int(&self, name: &str, default: i64) -> i64 {
        attribute(self.node, name).map_or(default, |a| a.i)
    }

    fn text(&self, name: &str, default: &str) -> String {
        text_attribute(self.node, name, default)
    }

    fn kind(&self, o: OutletId) -> TractResult<DatumType> {
        Ok(self.model.outlet_fact(o)?.datum_type)
    }

    fn shape(&self, o: OutletId) -> TractResult<Vec<usize>> {
        let fact = self.model.outlet_fact(o)?;
        let dims =
            fact.shape.as_concrete().with_context(|| format!("the shape {:?} is not fixed", fact.shape))?;
        Ok(dims.to_vec())
    }

    /// An axis that may be counted from the end.
    fn axis(&self, axis: i64, rank: usize) -> TractResult<usize> {
        let at = if axis < 0 { axis + rank as i64 } else { axis };
        ensure!((0..rank as i64).contains(&at), "axis {axis} of a tensor of {rank} dimensions");
        Ok(at as usize)
    }

    /// The value of a constant input.
    fn constant(&self, slot: usize, what: &str) -> TractResult<Arc<Tensor>> {
        let konst = self.model.outlet_fact(self.input(slot)?)?.konst.clone();
        konst.with_context(|| format!("{what} is not constant; {} takes a constant one", self.node.op_type))
    }

    /// A constant input as reals.
    fn reals(&self, slot: usize, what: &str) -> TractResult<Vec<f64>> {
        let cast = self.constant(slot, what)?.cast_to::<f64>()?.into_owned();
        Ok(cast.to_plain_array_view::<f64>()?.iter().copied().collect())
    }

    /// A constant input as integers.
    fn integers(&self, slot: usize, what: &str) -> TractResult<Vec<i64>> {
        Ok(self.reals(slot, what)?.into_iter().map(|v| v as i64).collect())
    }

    /// Names what comes next after a part of the node. Each part comes once.
    fn within(&mut self, place: &str) {
        place.clone_into(&mut self.place);
        self.parts = 0;
    }

    fn name(&mut self) -> String {
        self.parts += 1;
        match (self.place.as_str(), self.parts) {
            ("", n) => format!("{}.{n}", self.prefix),
            (place, 1) => format!("{}.{place}", self.prefix),
            (place, n) => format!("{}.{place}.{n}", self.prefix),
        }
    }

    /// Applies an operator of one input or more.
    fn apply(&mut self, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> TractResult<OutletId> {
        let name = self.name();
        Ok(wire_with_rank_broadcast(&name, self.model, op, inputs)?[0])
    }

    fn binary(&mut self, op: impl BinMiniOp, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.apply(TypedBinOp(Box::new(op), None), &[a, b])
    }

    /// Numbers of the type of another value.
    fn numbers(&mut self, like: OutletId, values: &[f64], shape: &[usize]) -> TractResult<OutletId> {
        let kind = self.kind(like)?;
        let tensor = tensor1(values).into_shape(shape)?.cast_to_dt(kind)?.into_owned();
        let name = self.name();
        self.model.add_const(name, tensor)
    }

    /// One number of the type of another value.
    fn number(&mut self, like: OutletId, value: f64) -> TractResult<OutletId> {
        self.numbers(like, &[value], &[])
    }

    /// A constant of 32-bit floats.
    fn floats(&mut self, values: &[f64], shape: &[usize]) -> TractResult<OutletId> {
        let tensor = tensor1(values).into_shape(shape)?.cast_to_dt(DatumType::F32)?.into_owned();
        let name = self.name();
        self.model.add_const(name, tensor)
    }

    fn plus(&mut self, x: OutletId, c: f64) -> TractResult<OutletId> {
        let c = self.number(x, c)?;
        self.binary(math::Add, x, c)
    }

    fn times(&mut self, x: OutletId, c: f64) -> TractResult<OutletId> {
        let c = self.number(x, c)?;
        self.binary(math::Mul, x, c)
    }

    fn at_least(&mut self, x: OutletId, c: f64) -> TractResult<OutletId> {
        let c = self.number(x, c)?;
        self.binary(math::Max, x, c)
    }

    fn at_most(&mut self, x: OutletId, c: f64) -> TractResult<OutletId> {
        let c = self.number(x, c)?;
        self.binary(math::Min, x, c)
    }

    /// Takes out a dimension of size one.
    fn without(&mut self, x: OutletId, axis: usize) -> TractResult<OutletId> {
        self.apply(AxisOp::Rm(axis), &[x])
    }

    /// The same elements in another shape.
    fn reshaped(&mut self, x: OutletId, to: &[usize]) -> TractResult<OutletId> {
        let dims = |s: &[usize]| s.iter().map(|d| d.to_dim()).collect::<TVec<TDim>>();
        let from = self.shape(x)?;
        self.apply(AxisOp::Reshape(0, dims(&from), dims(to)), &[x])
    }

    fn cast(&mut self, x: OutletId, kind: DatumType) -> TractResult<OutletId> {
        if self.kind(x)? == kind { Ok(x) } else { self.apply(cast(kind), &[x]) }
    }
}
