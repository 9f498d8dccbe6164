//! How to load a model.

use zkml_graph::Visibility;

use crate::Error;

/// How to load a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// Size of an open first dimension, at least 1.
    pub batch: usize,
    /// Who sees the weights. When only their owner does, nothing about the loaded network depends on them.
    pub weights: Visibility,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { batch: 1, weights: Visibility::Public }
    }
}

impl LoadOptions {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if (1..=1 << 16).contains(&self.batch) {
            return Ok(());
        }
        Err(Error::Setting { name: "batch", value: self.batch.to_string(), lo: 1.0, hi: 65536.0 })
    }
}
