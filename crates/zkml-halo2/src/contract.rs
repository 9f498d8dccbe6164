//! Index arithmetic of contractions.

use zkml_graph::View;

/// Sizes of the four groups of dimensions of a contraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dims {
    /// Independent contractions.
    pub batch: usize,
    /// Rows of the result.
    pub m: usize,
    /// Summed dimension.
    pub k: usize,
    /// Columns of the result.
    pub n: usize,
}

impl Dims {
    /// Reads the sizes off the operands' views: `a` is `batch ++ m ++ k`, `b` is `batch ++ k ++ n`.
    pub fn new(a: &View, b: &View, ranks: [usize; 4]) -> Self {
        let [rb, rm, rk, rn] = ranks;
        let size =
            |shape: &[usize], from: usize, len: usize| -> usize { shape[from..from + len].iter().product() };
        Self {
            batch: size(&a.map.shape, 0, rb),
            m: size(&a.map.shape, rb, rm),
            k: size(&a.map.shape, rb + rm, rk),
            n: size(&b.map.shape, rb + rk, rn),
        }
    }
}
