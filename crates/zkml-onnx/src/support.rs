//! The table of what is supported, from the registries of `ops` and `proto`.

use crate::{
    ops::{OpSupport, lowered},
    own::wired,
    proto::rewritten,
};

/// Every supported operator, by name.
pub fn supported_ops() -> &'static [OpSupport] {
    static TABLE: std::sync::OnceLock<Vec<OpSupport>> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| {
        let mut all: Vec<OpSupport> = lowered().chain(rewritten()).chain(wired()).copied().collect();
        all.sort_by_key(|o| o.onnx_name);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn table_names_each_operator_once() {
        let names: Vec<&str> = supported_ops().iter().map(|o| o.onnx_name).collect();
        let distinct: HashSet<&str> = names.iter().copied().collect();
        assert_eq!(distinct.len(), names.len());
        for required in ["Gemm", "Conv", "MaxPool", "Softmax", "Scaler", "Transpose", "ArgMax", "Clip"] {
            assert!(distinct.contains(required), "{required}");
        }
    }
}
