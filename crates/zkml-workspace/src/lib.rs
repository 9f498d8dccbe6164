//! The artifact folder of a model, the steps between an ONNX file and a verdict inside the EVM, and their reports as data.
//!
//! ```text
//! artifacts   the folder: every file tied to what it was made from
//! steps       what fills it; each takes an Observer and returns its report
//! fleet       proofs that workers on other machines make (feature `chain`)
//! samples     files of samples: JSON, CSV, NumPy
//! observer    what a step says, warns of and works on, and whether it is to end
//! verdict     the no of a step that judges: a result, not an error
//! ```
//!
//! Nothing here prints, asks or looks for a terminal. Who shows reports to people decides how, as the command line does.

#![forbid(unsafe_code)]

pub mod artifacts;
pub mod context_file;
pub mod error;
#[cfg(feature = "chain")]
pub mod fleet;
pub mod folder;
pub mod json;
pub mod observer;
pub mod private_file;
pub mod proof_file;
pub mod samples;
pub mod steps;
pub mod value;
pub mod verdict;

pub use error::{Class, Error, Result};
pub use observer::{Observer, Silent};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
