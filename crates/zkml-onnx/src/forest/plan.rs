//! The scores of an ensemble as an operator of the analysis, which has none that takes all of them.

use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use super::Forest;

/// The operator that is left of a tree ensemble once it has been rewritten: scores before any transformation. Its attributes are
/// those of the original, with `prefix`, and one of `base_values` for each target.
pub(crate) const CORE: &str = "TreeEnsembleScores";

/// Adds the operator to the ONNX reader of the analysis.
pub(crate) fn register(onnx: &mut Onnx) {
    onnx.op_register.insert(CORE, scores);
}

fn scores(
    _: &tract_onnx::model::ParsingContext<'_>,
    node: &pb::NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let forest = Forest::of_core(node).map_err(|e| format_err!("{e}"))?;
    Ok((expand(Scores(Arc::new(forest))), vec![]))
}

impl Forest {
    /// Reads the ensemble of a node of ai.onnx.ml: its weights have names that begin with `class` or `target`, or with `leaf`
    /// since version 5.
    ///
    /// # Errors
    /// Names what is missing, contradicts itself or is not supported.
    pub(crate) fn read(node: &pb::NodeProto, prefix: &str, targets: usize) -> Result<Self, String> {
        if prefix == "leaf" {
            Self::of_version5(node, targets)
        } else {
            Self::of_attributes(node, prefix, targets)
        }
    }

    /// Reads the ensemble of a rewritten node.
    ///
    /// # Errors
    /// As [`Forest::read`].
    pub(crate) fn of_core(node: &pb::NodeProto) -> Result<Self, String> {
        let text = |name: &str| crate::node::text_attribute(node, name, "");
        let base = Self::base_values(node)?;
        let forest = Self::read(node, &text("prefix"), base.len())?;
        Ok(Self { base, ..forest })
    }
}

/// The operator: rows of features to rows of scores.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scores(pub(crate) Arc<Forest>);

impl Eq for Scores {}

impl Expansion for Scores {
    fn name(&self) -> StaticName {
        CORE.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&outputs[0].datum_type, DatumType::F32)?;
        s.equals(&inputs[0].rank, 2)?;
        s.equals(&outputs[0].rank, 2)?;
        s.equals(&outputs[0].shape[0], &inputs[0].shape[0])?;
        s.equals(&outputs[0].shape[1], self.0.targets().to_dim())
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl Op for Scores {
    fn name(&self) -> StaticName {
        CORE.into()
    }

    op_as_typed_op!();
}

impl EvalOp for Scores {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let shape = inputs[0].shape().to_vec();
        let row = shape.get(1).copied().unwrap_or(0);
        ensure!(shape.len() == 2 && row >= self.0.features, "{shape:?} for {} features", self.0.features);
        let x = inputs[0].cast_to::<f64>()?;
        let x: Vec<f64> = x.to_plain_array_view::<f64>()?.iter().copied().collect();
        let scores: Vec<f32> = x.chunks(row).flat_map(|r| self.0.scores(r)).map(|v| v as f32).collect();
        Ok(tvec!(tensor1(&scores).into_shape(&[shape[0], self.0.targets()])?.into_tvalue()))
    }
}

impl TypedOp for Scores {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let rows = inputs[0].shape[0].clone();
        Ok(tvec!(f32::fact(&[rows, self.0.targets().to_dim()])))
    }

    as_op!();
}

/// The numbers of a tensor of the file, and whether they are doubles.
pub(super) fn reals(t: &pb::TensorProto) -> Result<(Vec<f64>, bool), String> {
    use tract_onnx::pb::tensor_proto::DataType;
    let eight = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
    let four = |b: &[u8]| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    match DataType::try_from(t.data_type) {
        Ok(DataType::Double) => {
            let raw = t.raw_data.chunks_exact(8).map(eight);
            Ok((t.double_data.iter().copied().chain(raw).collect(), true))
        }
        Ok(DataType::Float) => {
            let raw = t.raw_data.chunks_exact(4).map(four);
            Ok((t.float_data.iter().map(|v| f64::from(*v)).chain(raw).collect(), false))
        }
        _ => Err(format!("`{}` holds neither floats nor doubles", t.name)),
    }
}
