//! The shape of a stored proving key, checked before the proving library reads it: its reader panics on a short file, and
//! reserves memory for every length that a file states.
//!
//! ```text
//! version (1) ‖ k (4, little-endian) ‖ compressed selectors (1)
//!   ‖ number of fixed columns (4, little-endian) ‖ their commitments ‖ commitments of the permutation's columns
//!   ‖ polynomials of the first, the last and the active rows
//!   ‖ fixed columns, as values and as coefficients ‖ the permutation's columns, as values and as coefficients
//! ```
//!
//! A polynomial is its length (4, big-endian) and that many field elements; a list of them comes behind their number.

/// The layout of the proving library that is read here.
const VERSION: u8 = 2;
const POINT: usize = 64;
const SCALAR: usize = 32;

/// Sizes of the key of one circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Binary logarithm of the number of rows.
    pub(crate) k: u32,
    /// Fixed columns, those of selectors included.
    pub(crate) fixed: usize,
    /// Columns under the permutation argument.
    pub(crate) permuted: usize,
}

impl Sizes {
    /// Returns true if every length in the bytes is that of a key of these sizes, and nothing is left over.
    pub(crate) fn fit(self, bytes: &[u8]) -> bool {
        self.walk(bytes).is_some_and(<[u8]>::is_empty)
    }

    fn walk(self, bytes: &[u8]) -> Option<&[u8]> {
        let Self { k, fixed, permuted } = self;
        let columns = |count: usize| u32::try_from(count).ok();
        let rest = bytes.strip_prefix(&[VERSION])?.strip_prefix(&k.to_le_bytes())?.strip_prefix(&[0])?;
        let mut rest =
            rest.strip_prefix(&columns(fixed)?.to_le_bytes())?.get((fixed + permuted) * POINT..)?;
        for _ in 0..3 {
            rest = self.polynomial(rest)?;
        }
        for count in [fixed, fixed, permuted, permuted] {
            rest = rest.strip_prefix(&columns(count)?.to_be_bytes())?;
            for _ in 0..count {
                rest = self.polynomial(rest)?;
            }
        }
        Some(rest)
    }

    fn polynomial(self, bytes: &[u8]) -> Option<&[u8]> {
        let rows = 1u32.checked_shl(self.k)?;
        bytes.strip_prefix(&rows.to_be_bytes())?.get(rows as usize * SCALAR..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Optimize, keys, plan};
    use halo2_proofs::SerdeFormat;
    use zkml_graph::{Bounds, GraphBuilder, Map, Visibility, ops::Linear};
    use zkml_srs::Srs;

    #[test]
    fn a_key_has_its_sizes_and_no_others() {
        let mut b = GraphBuilder::new("sum");
        let x = b.input("x", &[1], 0, Bounds::new(-9, 9), Visibility::Public).expect("an input");
        let terms = vec![(2, Map::identity(&[1]))];
        let y = b.node("y", Linear { terms, constant: 1, scale: 0 }, &[x]).expect("a sum");
        b.output("y", y, Visibility::Public);
        let graph = b.finish().expect("a graph");
        let system = graph.system();
        let plan = plan(&system, Optimize::Prover).expect("a plan");
        let srs = Srs::dev(plan.k).expect("a setup");
        let keys = keys::setup(&graph, &system, &plan, &srs, "dev").expect("keys");
        let mut bytes = Vec::new();
        keys.pk.write(&mut bytes, SerdeFormat::RawBytesUnchecked).expect("memory takes everything");
        let sizes = keys::sizes(&keys.program);
        assert!(sizes.fit(&bytes));
        assert!(!sizes.fit(&bytes[..bytes.len() - 1]) && !sizes.fit(&[&bytes[..], &[0]].concat()));
        for cut in (0..bytes.len()).step_by(97) {
            assert!(!sizes.fit(&bytes[..cut]), "{cut} bytes");
        }
        // Version, k, selectors, number of columns, length of the first polynomial.
        let first = 10 + (sizes.fixed + sizes.permuted) * POINT;
        for at in (0..10).chain(first..first + 4) {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(!sizes.fit(&other), "byte {at}");
        }
        for other in [
            Sizes { k: sizes.k + 1, ..sizes },
            Sizes { fixed: sizes.fixed + 1, ..sizes },
            Sizes { permuted: sizes.permuted + 1, ..sizes },
        ] {
            assert!(!other.fit(&bytes), "{other:?}");
        }
    }
}
