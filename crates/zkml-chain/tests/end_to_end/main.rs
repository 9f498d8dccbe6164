//! The real binary, run as a user runs it; one prepared artifact folder serves all tests.

mod accuracy;
mod architecture;
mod at_once;
mod audit;
mod bad_input;
mod batch;
mod contract;
mod faults;
mod owner;
mod private;
mod project;
mod srs;
mod support;
mod way;
