//! How to load a model.

use zkml_graph::Visibility;

use crate::dims::LARGEST;
use crate::{Dims, Error};

/// How to load a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Size of an open first dimension that `dims` does not name, at least 1.
    pub batch: usize,
    /// Sizes of symbolic dimensions.
    pub dims: Dims,
    /// Who sees the weights. When only their owner does, nothing about the loaded network depends on them.
    pub weights: Visibility,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { batch: 1, dims: Dims::default(), weights: Visibility::Public }
    }
}

impl LoadOptions {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if (1..=LARGEST).contains(&self.batch) {
            return Ok(());
        }
        Err(Error::Setting { name: "batch", value: self.batch.to_string(), lo: 1.0, hi: 65536.0 })
    }
}
