//! `make bench`: the figures of the book, measured from outside.
//!
//! Every step is a child process of the real `zkml-chain` binary, as a user would start it; time is that
//! of the whole process and memory its peak resident set as the kernel counts it.

mod child;
mod run;

pub use child::{Cost, run as run_child};
pub use run::{Figures, Options, run};
