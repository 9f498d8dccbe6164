//! `weights.bin`: the integers of a model's private weights, for the eyes of their owner only.

pub use zkml::weights::{WeightsError, decode, encode};
