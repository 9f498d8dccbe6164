//! JSON as this crate writes it.

pub use zkml::json::pretty;
