//! From the float network to the integer graph: ranges, scales, tables, and the graph itself.

mod apply;
mod constants;
mod emit;
mod linear;
mod private;
mod root;
mod rounded;
mod scales;
mod table;
mod ties;
mod trees;

pub(crate) use constants::Widths;
pub(crate) use emit::{Emitted, emit};
pub(crate) use linear::compact_len;
pub(crate) use private::{private_tensors, visible};
pub use scales::{Scales, Sign, ValueScale};
pub(crate) use scales::{Stats, power};
