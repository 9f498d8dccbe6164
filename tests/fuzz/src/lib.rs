//! Fuzz targets of zkml-chain; see [`targets`].

mod memory;
pub mod targets;
