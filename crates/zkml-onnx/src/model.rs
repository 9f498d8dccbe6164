//! A loaded model: what it computes, in floats, and what would be proven of it.

use std::collections::BTreeMap;

use tract_onnx::prelude::*;
use zkml_graph::Visibility;

use crate::guard::quietly;
use crate::inspection::{InspectedNode, Inspection};
use crate::net::{Net, NetOp};
use crate::proto::Notice;
use crate::visibility::word;
use crate::{Error, Port, Sample, Settings};

/// The part of a model that is proven.
pub(crate) struct Proven {
    /// What it computes.
    pub(crate) net: Net,
    /// Its inputs.
    pub(crate) inputs: Vec<Port>,
    /// Its outputs.
    pub(crate) outputs: Vec<Port>,
    /// Who sees the weights.
    pub(crate) weights: Visibility,
}

/// A loaded model.
pub struct Model {
    name: String,
    proven: Proven,
    plan: Arc<TypedSimplePlan>,
    kinds: Vec<DatumType>,
    notices: Vec<Notice>,
    operators: BTreeMap<String, usize>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name)
            .field("inputs", &self.proven.inputs)
            .finish_non_exhaustive()
    }
}

impl Model {
    pub(crate) fn new(
        name: &str,
        proven: Proven,
        typed: TypedModel,
        notices: Vec<Notice>,
        operators: BTreeMap<String, usize>,
    ) -> Result<Self, Error> {
        let analysis = |e: TractError| Error::Analysis { detail: format!("{e:#}") };
        let kinds =
            typed.inputs.iter().map(|i| Ok(typed.outlet_fact(*i)?.datum_type)).collect::<TractResult<_>>();
        let kinds = kinds.map_err(analysis)?;
        let plan = quietly(|| typed.into_runnable())
            .map_err(|detail| Error::Analysis { detail })?
            .map_err(analysis)?;
        Ok(Self { name: name.into(), proven, plan, kinds, notices, operators })
    }

    /// Name of the model: that of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Inputs in the order of the model.
    pub fn inputs(&self) -> &[Port] {
        &self.proven.inputs
    }

    /// Outputs that are proven.
    pub fn outputs(&self) -> &[Port] {
        &self.proven.outputs
    }

    /// What was cut from the model.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// For whom its weights were loaded.
    pub fn weights(&self) -> Visibility {
        self.proven.weights
    }

    /// What an observer of the verifier sees of a model with private weights; nothing to tell apart when all of it
    /// is public.
    pub(crate) fn stays_public(&self) -> Vec<String> {
        match self.weights() {
            Visibility::Public => Vec::new(),
            Visibility::Committed => crate::quant::visible(self.net()),
        }
    }

    pub(crate) fn net(&self) -> &Net {
        &self.proven.net
    }

    /// Runs the float model; one row-major vector per output.
    ///
    /// # Errors
    /// [`Error::Analysis`] with what the inference engine says.
    pub fn run(&self, sample: &Sample) -> Result<Vec<Vec<f64>>, Error> {
        let analysis = |e: TractError| Error::Analysis { detail: format!("{e:#}") };
        let tensors = self.inputs().iter().zip(&self.kinds).zip(sample.values());
        let tensors = tensors.map(|((port, kind), values)| {
            let tensor = tensor1(values).into_shape(&port.shape)?;
            Ok(tensor.cast_to_dt(*kind)?.into_owned().into_tvalue())
        });
        let tensors: TVec<TValue> = tensors.collect::<TractResult<_>>().map_err(analysis)?;
        let out = quietly(|| self.plan.run(tensors))
            .map_err(|detail| Error::Analysis { detail })?
            .map_err(analysis)?;
        let real = |t: &TValue| -> TractResult<Vec<f64>> {
            let cast = t.cast_to_dt(DatumType::F64)?;
            Ok(cast.to_plain_array_view::<f64>()?.iter().copied().collect())
        };
        out.iter().map(real).collect::<TractResult<_>>().map_err(analysis)
    }

    /// What is known before calibration.
    pub fn inspect(&self) -> Inspection {
        let net = self.net();
        let live = net.live();
        let alive = || net.nodes.iter().zip(&live).filter(|(_, l)| **l).map(|(n, _)| n);
        let nodes: Vec<InspectedNode> = alive()
            .filter(|n| !matches!(n.op, NetOp::Const(_) | NetOp::Input))
            .map(|n| {
                let (kind, macs) = describe(&n.op, n.shape.iter().product());
                InspectedNode { name: n.name.clone(), kind, shape: n.shape.clone(), macs }
            })
            .collect();
        let constant = |n: &crate::net::NetNode| if let NetOp::Const(v) = &n.op { v.len() as u64 } else { 0 };
        let addends = |n: &crate::net::NetNode| match &n.op {
            NetOp::Contract(c) => c.addend.as_ref().map_or(0, |a| crate::quant::compact_len(a, c)) as u64,
            _ => 0,
        };
        Inspection {
            name: self.name.clone(),
            inputs: self.inputs().to_vec(),
            outputs: self.outputs().to_vec(),
            operators: self.operators.clone(),
            parameters: alive().map(|n| constant(n) + addends(n)).sum(),
            macs: nodes.iter().map(|n| n.macs).sum(),
            nodes,
            weights: crate::quant::private_tensors(net),
            stays_public: self.stays_public(),
            notices: self.notices.clone(),
        }
    }
}

fn describe(op: &NetOp, len: usize) -> (&'static str, u64) {
    match op {
        NetOp::Input => ("input", 0),
        NetOp::Const(_) => ("constant", 0),
        NetOp::Contract(c) => ("contraction", c.sizes().iter().map(|s| *s as u64).product()),
        NetOp::Affine { .. } => ("scale and shift", len as u64),
        NetOp::Sum { .. } => ("sum", 0),
        NetOp::Product { .. } => ("product", len as u64),
        NetOp::Max { .. } => ("maximum", 0),
        NetOp::Apply { function, .. } => (function.name(), 0),
        NetOp::Join { .. } => ("wiring", 0),
        NetOp::Divide { .. } => ("quotient", len as u64),
        NetOp::Quotient { .. } => ("quotient of integers", len as u64),
        NetOp::Floor { .. } | NetOp::Round { .. } => ("rounding", 0),
        NetOp::Table { .. } => ("table of integers", 0),
        NetOp::ArgMax { .. } => ("index of the largest", 0),
        NetOp::Trees { .. } => ("decision trees", 0),
    }
}

impl Settings {
    /// Refuses settings that are not for this model: unknown inputs or outputs, weights of other visibility.
    ///
    /// # Errors
    /// Names the setting and what the model has instead.
    pub fn fit(&self, model: &Model) -> Result<(), Error> {
        self.inputs.fit("input", model.inputs())?;
        self.outputs.fit("output", model.outputs())?;
        if model.weights() != self.weights {
            return Err(Error::WeightVisibility {
                loaded: word(model.weights()),
                wanted: word(self.weights),
            });
        }
        Ok(())
    }
}
