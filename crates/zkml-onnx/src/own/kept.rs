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

/// The same numbers as a value of its own: rounding a part of a tensor does not round the rest of it then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Apart;

impl Op for Apart {
    fn name(&self) -> StaticName {
        "Apart".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Apart {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        Ok(inputs)
    }
}

impl TypedOp for Apart {
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

/// `y = M·x + c` along an axis; the other axes are as they were.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Along {
    /// The axis.
    pub(crate) axis: usize,
    /// Rows of `M`: columns and their factors.
    pub(crate) rows: Vec<Vec<(usize, f64)>>,
    /// One number of `c` for each row.
    pub(crate) constants: Vec<f64>,
}

impl Eq for Along {}

impl Along {
    /// Picks elements along the axis, or a constant where there is none to pick.
    pub(crate) fn picked(axis: usize, picks: &[Option<usize>], constant: f64) -> Self {
        let rows = picks.iter().map(|p| p.map(|i| (i, 1.0)).into_iter().collect()).collect();
        let constants = picks.iter().map(|p| if p.is_some() { 0.0 } else { constant }).collect();
        Self { axis, rows, constants }
    }
}

impl Op for Along {
    fn name(&self) -> StaticName {
        "Along".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Along {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let reals = x.cast_to::<f64>()?.into_owned();
        let (shape, values) = (x.shape().to_vec(), reals.try_as_plain_ram()?.as_slice::<f64>()?.to_vec());
        let inner: usize = shape[self.axis + 1..].iter().product();
        let block = (shape[self.axis] * inner).max(1);
        let mut out = Vec::new();
        for part in values.chunks(block) {
            for (row, c) in self.rows.iter().zip(&self.constants) {
                out.extend(
                    (0..inner).map(|i| c + row.iter().map(|(k, f)| f * part[k * inner + i]).sum::<f64>()),
                );
            }
        }
        let mut shape = shape;
        shape[self.axis] = self.rows.len();
        let y = tensor1(&out).into_shape(&shape)?;
        Ok(tvec!(y.cast_to_dt(x.datum_type())?.into_owned().into_tvalue()))
    }
}

impl TypedOp for Along {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let mut shape = inputs[0].shape.to_tvec();
        let columns = shape.get(self.axis).and_then(|d| d.to_usize().ok()).unwrap_or(0);
        let inside = self.rows.iter().flatten().all(|(k, _)| *k < columns);
        ensure!(
            inside && self.rows.len() == self.constants.len(),
            "a map along axis {} of {shape:?}",
            self.axis
        );
        shape[self.axis] = self.rows.len().to_dim();
        Ok(tvec!(inputs[0].datum_type.fact(&*shape)))
    }

    as_op!();
}
