//! Operators that stay one node, because nothing that tract knows says what they are.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

use crate::net::Function;

/// A function of one variable, element by element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Smooth(pub(crate) Function);

impl Op for Smooth {
    fn name(&self) -> StaticName {
        self.0.name().into()
    }

    op_as_typed_op!();
}

impl EvalOp for Smooth {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let mut y = x.cast_to::<f64>()?.into_owned();
        y.try_as_plain_ram_mut()?.as_slice_mut::<f64>()?.iter_mut().for_each(|v| *v = self.0.at(*v));
        Ok(tvec!(y.cast_to_dt(x.datum_type())?.into_owned().into_tvalue()))
    }
}

impl TypedOp for Smooth {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value()))
    }

    as_op!();
}

/// `ln Σ e^x` along axes, which stay with size one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogSumExp(pub(crate) Vec<usize>);

impl Op for LogSumExp {
    fn name(&self) -> StaticName {
        "LogSumExp".into()
    }

    op_as_typed_op!();
}

impl EvalOp for LogSumExp {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let mut left = x.cast_to::<f64>()?.into_owned().into_plain_array::<f64>()?;
        let most = self.0.iter().fold(left.clone(), |a, d| largest(&a, *d));
        left -= &most;
        left.mapv_inplace(libm::exp);
        for &d in &self.0 {
            left = left.sum_axis(tract_ndarray::Axis(d)).insert_axis(tract_ndarray::Axis(d));
        }
        left.mapv_inplace(libm::log);
        Ok(tvec!((left + most).into_tensor().cast_to_dt(x.datum_type())?.into_owned().into_tvalue()))
    }
}

/// The largest elements along an axis, which stays with size one.
fn largest(x: &tract_ndarray::ArrayD<f64>, axis: usize) -> tract_ndarray::ArrayD<f64> {
    let axis = tract_ndarray::Axis(axis);
    x.fold_axis(axis, f64::NEG_INFINITY, |a, b| a.max(*b)).insert_axis(axis)
}

impl TypedOp for LogSumExp {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let mut shape = inputs[0].shape.to_tvec();
        self.0.iter().for_each(|d| shape[*d] = 1.to_dim());
        Ok(tvec!(inputs[0].datum_type.fact(&*shape)))
    }

    as_op!();
}
