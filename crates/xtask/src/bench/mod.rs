//! `make bench`: the figures of the book, measured from outside.
//!
//! Every step is a child process of the real `zkml-chain` binary, as a user would start it; time is that
//! of the whole process and memory its peak resident set as the kernel counts it.

mod child;
mod figures;
mod perceptron;
mod run;
mod scaling;

pub use child::{Cost, run as run_child};
pub use figures::{Figures, Results};
pub use run::{Options, run};
pub use scaling::{Point, Scaling, Slope, scaling};
