//! Constants of the network, and what may be decided by them.

/// Numbers of the model.
///
/// Private numbers have stand-ins: fixed pseudo-random numbers that depend on a name only. All arithmetic is done
/// on both, and every decision about the shape of the network looks at the stand-ins alone. So the network, and
/// with it the circuit and its verifying key, say nothing about private numbers: a bias of zeros keeps its place,
/// and equal weights are not merged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers {
    values: Vec<f64>,
    stand_ins: Option<Vec<f64>>,
}

impl Numbers {
    /// Numbers that everybody may see: those that operators bring along, or all of a public model.
    pub(crate) fn public(values: Vec<f64>) -> Self {
        Self { values, stand_ins: None }
    }

    /// Numbers that only their owner knows. The same name gives the same stand-ins.
    pub(crate) fn private(values: Vec<f64>, name: &str) -> Self {
        // FNV-1a, then splitmix64: any sequence without coincidences will do.
        let seed = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
        let one = |i: usize| {
            let mut z = seed.wrapping_add((i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            // Between one and two, where square roots, logarithms and quotients are harmless.
            1.0 + ((z ^ (z >> 31)) >> 12) as f64 / (1u64 << 52) as f64
        };
        let stand_ins = Some((0..values.len()).map(one).collect());
        Self { values, stand_ins }
    }

    /// Other private numbers, with their own stand-ins.
    pub(crate) fn hidden(values: Vec<f64>, stand_ins: Vec<f64>) -> Self {
        Self { values, stand_ins: Some(stand_ins) }
    }

    /// The numbers themselves: for arithmetic, never for decisions.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// The numbers to decide by.
    pub(crate) fn form(&self) -> &[f64] {
        self.stand_ins.as_deref().unwrap_or(&self.values)
    }

    /// Whether only their owner knows them.
    pub(crate) fn is_private(&self) -> bool {
        self.stand_ins.is_some()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The number that all are equal to, when everybody may know that.
    pub(crate) fn uniform(&self) -> Option<f64> {
        let first = *self.values.first()?;
        (!self.is_private() && self.values.iter().all(|v| *v == first)).then_some(first)
    }

    /// Whether they may be left out of a sum: known to be zero, all of them.
    pub(crate) fn is_zero(&self) -> bool {
        !self.is_private() && self.values.iter().all(|v| *v == 0.0)
    }

    /// Whether all are finite.
    pub(crate) fn is_finite(&self) -> bool {
        self.values.iter().all(|v| v.is_finite())
    }

    /// A function of all of them.
    pub(crate) fn on(&self, f: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        Self { values: f(&self.values), stand_ins: self.stand_ins.as_deref().map(f) }
    }

    /// A function of each.
    pub(crate) fn each(&self, f: impl Fn(f64) -> f64) -> Self {
        self.on(|v| v.iter().map(|x| f(*x)).collect())
    }

    /// A function of these and others: private when one of both is.
    pub(crate) fn with(&self, other: &Self, f: impl Fn(&[f64], &[f64]) -> Vec<f64>) -> Self {
        let private = self.is_private() || other.is_private();
        let stand_ins = private.then(|| f(self.form(), other.form()));
        Self { values: f(&self.values, &other.values), stand_ins }
    }

    /// `self · scale + shift`, number by number.
    pub(crate) fn affine(&self, scale: &Self, shift: &Self) -> Self {
        let product = self.with(scale, |a, b| a.iter().zip(b).map(|(x, s)| x * s).collect());
        product.with(shift, |a, b| a.iter().zip(b).map(|(x, t)| x + t).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_numbers_decide_nothing() {
        let (zeros, ones) = (Numbers::private(vec![0.0; 3], "w"), Numbers::private(vec![1.0; 3], "w"));
        assert_eq!(zeros.form(), ones.form());
        assert!(zeros.uniform().is_none() && !zeros.is_zero());
        assert!(Numbers::public(vec![0.0; 3]).is_zero());
        let distinct = |v: &[f64]| v[0] != v[1] && v[1] != v[2];
        assert!(distinct(zeros.form()));
        assert_ne!(zeros.form(), Numbers::private(vec![0.0; 3], "v").form());
        let two = Numbers::public(vec![2.0; 3]);
        let (a, b) = (zeros.affine(&two, &ones), ones.affine(&two, &zeros));
        assert_eq!((a.values(), b.values()), (&[1.0; 3][..], &[2.0; 3][..]));
        assert_eq!(a.form(), b.form());
        assert!(distinct(a.form()) && a.is_private());
    }
}
