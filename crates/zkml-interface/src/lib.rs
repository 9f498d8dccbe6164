//! What a compiled model takes and gives, by name and in real numbers: the border between people's samples and the
//! integers of a graph.
//!
//! [`Interface`] is written beside a compiled model, so that whoever proves needs no ONNX file and no front end.

#![forbid(unsafe_code)]

mod error;
mod interface;
mod port;
mod sample;

pub use error::SampleError;
pub use interface::{Interface, QuantizedPort, power};
pub use port::Port;
pub use sample::{Sample, Samples};
