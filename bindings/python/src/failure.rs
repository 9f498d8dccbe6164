//! Errors of steps as exceptions.

use pyo3::{prelude::*, types::PyDict};
use std::error::Error as _;
use zkml_chain::error::Error;

/// The exception for an error: `zkml_chain._errors` has the classes, by exit code.
pub(crate) fn exception(py: Python<'_>, error: impl Into<Error>) -> PyErr {
    let error = error.into();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let (code, name) = (error.exit_code(), error.name());
    made(py, code, name, &error.to_string(), causes, error.way_out()).unwrap_or_else(|e| e)
}

/// The exception for a panic, a defect of ours.
pub(crate) fn defect(py: Python<'_>, panic: &(dyn std::any::Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let message = format!("zkml-chain {} stopped at a defect of its own: {text}", env!("CARGO_PKG_VERSION"));
    let way_out =
        "please report it with the model and what was called; nothing was left half-written".to_owned();
    made(py, 0, "defect", &message, Vec::new(), Some(way_out)).unwrap_or_else(|e| e)
}

fn made(
    py: Python<'_>,
    code: u8,
    name: &str,
    message: &str,
    causes: Vec<String>,
    way_out: Option<String>,
) -> PyResult<PyErr> {
    let named = PyDict::new(py);
    named.set_item("causes", causes)?;
    named.set_item("way_out", way_out)?;
    let make = py.import("zkml_chain._errors")?.getattr("exception")?;
    Ok(PyErr::from_value(make.call((code, name, message), Some(&named))?))
}
