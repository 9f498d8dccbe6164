//! ONNX front end: load, declutter, calibrate, and lower each operator to the integer graph.
//!
//! ```text
//! file ─► proto (checks, label tails, classical-ML operators) ─► tract, with operators of `own` (types, simplification)
//!      ─► ops (one file per family) ─► net (floats, no scales) ─► quant (ranges, scales) ─► zkml_graph::Graph
//! ```
//!
//! [`Model::load`] goes as far as the float network; [`calibrate`] does the rest and reports the error, and [`lower`]
//! does it again from recorded scales. With private weights, tract never sees them, and the network carries
//! stand-ins beside them, by which all decisions are made: the graph is that of the architecture.

#![forbid(unsafe_code)]

mod calibrate;
mod dims;
mod error;
mod forest;
mod guard;
mod inspection;
mod kinds;
mod load;
mod log_softmax;
mod lower;
mod model;
mod net;
mod node;
mod operator;
mod ops;
mod options;
mod own;
mod proto;
mod quant;
mod report;
mod settings;
mod support;
mod visibility;

pub use calibrate::{Calibrated, Price, calibrate, calibrate_by};
pub use dims::{Dims, NoDims};
pub use error::{Error, Obstacle, UnsupportedNode};
pub use inspection::{InspectedNode, Inspection, PrivateTensor};
pub use load::self_contained;
pub use lower::{Lowered, lower};
pub use model::Model;
pub use operator::OpSupport;
pub use options::LoadOptions;
pub use proto::Notice;
pub use quant::{Scales, Sign, ValueScale};
pub use report::{
    Alarm, CalibrationReport, Label, LayerEffort, LayerReport, MovedReport, Outlier, OutputReport,
};
pub use settings::Settings;
pub use support::supported_ops;
pub use visibility::{NoVisibility, Visibilities};
pub use zkml_interface::{Interface, Port, QuantizedPort, Sample, SampleError, Samples};
