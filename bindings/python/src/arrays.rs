//! Arrays of NumPy as samples. They are read where they lie; Python makes them contiguous, of single or double precision.

use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::{exceptions::PyTypeError, prelude::*};
use std::{borrow::Cow, collections::BTreeMap};
use zkml_onnx::{Port, Sample, SampleError, Samples};
use zkml_workspace::samples::{Array, Values, from_arrays};

/// Arrays by the names of inputs; one may do without its name.
pub(crate) type Given<'py> = Vec<(Option<String>, Bound<'py, PyAny>)>;

/// An array that is borrowed from Python.
enum Borrowed<'py> {
    Single(PyReadonlyArrayDyn<'py, f32>),
    Double(PyReadonlyArrayDyn<'py, f64>),
}

impl<'py> Borrowed<'py> {
    fn of(array: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(single) = array.extract() {
            return Ok(Self::Single(single));
        }
        let double = array.extract();
        double
            .map(Self::Double)
            .map_err(|_| PyTypeError::new_err("an array of float32 or float64 is expected"))
    }

    fn view(&self) -> PyResult<Array<'_>> {
        Ok(match self {
            Self::Single(a) => {
                Array { shape: a.shape().to_vec(), values: Values::Single(Cow::Borrowed(a.as_slice()?)) }
            }
            Self::Double(a) => {
                Array { shape: a.shape().to_vec(), values: Values::Double(Cow::Borrowed(a.as_slice()?)) }
            }
        })
    }
}

/// Reads samples where they lie.
pub(crate) fn samples(given: &Given<'_>, ports: &[Port]) -> PyResult<Result<Samples, SampleError>> {
    let borrowed = given
        .iter()
        .map(|(name, array)| Ok((name.clone(), Borrowed::of(array)?)))
        .collect::<PyResult<Vec<_>>>()?;
    let views =
        borrowed.iter().map(|(name, a)| Ok((name.clone(), a.view()?))).collect::<PyResult<Vec<_>>>()?;
    Ok(named(views, ports).and_then(|arrays| from_arrays(ports, &arrays)))
}

/// The one sample that a proof is of, read where it lies.
pub(crate) fn sample(given: &Given<'_>, ports: &[Port]) -> PyResult<Result<Sample, SampleError>> {
    Ok(samples(given, ports)?.and_then(|mut samples| match samples.rows.len() {
        1 => Ok(samples.rows.swap_remove(0)),
        count => Err(SampleError::Several { count }),
    }))
}

/// Copies arrays, for work that goes on while Python may change them.
pub(crate) fn owned(given: &Given<'_>) -> PyResult<Vec<(Option<String>, Array<'static>)>> {
    let copied = |(name, array): &(Option<String>, Bound<'_, PyAny>)| {
        let borrowed = Borrowed::of(array)?;
        let Array { shape, values } = borrowed.view()?;
        let values = match values {
            Values::Single(v) => Values::Single(Cow::Owned(v.into_owned())),
            Values::Double(v) => Values::Double(Cow::Owned(v.into_owned())),
        };
        Ok((name.clone(), Array { shape, values }))
    };
    given.iter().map(copied).collect()
}

/// Gives an array without name that of the only input.
pub(crate) fn named<'a>(
    arrays: Vec<(Option<String>, Array<'a>)>,
    ports: &[Port],
) -> Result<BTreeMap<String, Array<'a>>, SampleError> {
    let name_of = |name: Option<String>| match (name, ports) {
        (Some(name), _) => Ok(name),
        (None, [only]) => Ok(only.name.clone()),
        (None, _) => Err(SampleError::Unnamed { expected: ports.iter().map(|p| p.name.clone()).collect() }),
    };
    arrays.into_iter().map(|(name, array)| Ok((name_of(name)?, array))).collect()
}
