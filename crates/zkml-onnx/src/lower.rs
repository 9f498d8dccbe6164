//! The integer graph again, from scales that calibration recorded.

use zkml_graph::Graph;

use crate::quant::{Scales, Widths, emit};
use crate::{Error, Interface, Model, Settings};

/// A model lowered at recorded scales.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The integer graph.
    pub graph: Graph,
    /// Values of its private weights, as in [`crate::Calibrated::weights`].
    pub weights: Vec<Vec<i64>>,
    /// As in [`crate::Calibrated::stays_public`].
    pub stays_public: Vec<String>,
    /// Scales, names and ranges of inputs and outputs.
    pub interface: Interface,
}

/// Builds the integer graph of a model again from recorded scales: no samples, the same bytes on every machine.
///
/// With private weights, any other set of weights of the same architecture gives the same graph too.
///
/// # Errors
/// Settings or scales of another model; a weight that does not fit the width that is recorded for its tensor.
pub fn lower(model: &Model, settings: &Settings, scales: &Scales) -> Result<Lowered, Error> {
    settings.check()?;
    settings.fit(model)?;
    scales.fit(model.net())?;
    let emitted = emit(model.name(), model.net(), scales, settings, Widths::Recorded)?;
    let (graph, weights) = (emitted.graph, emitted.weights);
    let interface = Interface::new(&graph, model.inputs(), model.outputs());
    Ok(Lowered { stays_public: model.stays_public(), graph, weights, interface })
}
