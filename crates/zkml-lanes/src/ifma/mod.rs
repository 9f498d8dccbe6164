//! Eight elements side by side with AVX-512 IFMA, as five limbs of 52 bits in Montgomery form with the radix `2^260`.
//!
//! Values are kept below a small multiple of the modulus `p`, which each operation states. Limbs that go into a product are
//! below `2^52`; between carries they are signed.

mod arithmetic;
mod constants;
mod eight;
mod instructions;

pub use arithmetic::{Arithmetic, IntegerProducts, Products, Rows, Wide};
pub use constants::{Base, Constants, enter, leave, negated};
pub use eight::Eight;

use crate::Kernel;

/// Elements side by side.
pub const LANES: usize = 8;
/// Limbs of an element.
pub const LIMBS: usize = 5;
/// Bits of a limb.
const BITS: u32 = 52;
const MASK: u64 = (1 << BITS) - 1;

/// An element: its limbs, the lowest first.
pub type Limbs = [u64; LIMBS];

/// Returns true if this machine has the instructions.
pub fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512ifma")
}

/// An array of one value for each limb, written out: iterators and closures of the standard library are compiled without the
/// instructions, and calls of them stay calls.
#[macro_export]
macro_rules! limbs {
    ($limb:ident => $value:expr) => {
        [
            {
                const $limb: usize = 0;
                $value
            },
            {
                const $limb: usize = 1;
                $value
            },
            {
                const $limb: usize = 2;
                $value
            },
            {
                const $limb: usize = 3;
                $value
            },
            {
                const $limb: usize = 4;
                $value
            },
        ]
    };
}
pub use limbs;

#[cfg(test)]
mod tests {
    use super::{
        constants::{limbs_of, words, words_of},
        *,
    };
    use ff::Field;
    use halo2curves::bn256::{Fq, Fr};
    use rand::SeedableRng;

    /// Sums, products, differences and reductions against the curve library, at the bounds that are stated.
    fn arithmetic_is_that_of<F: Base>() {
        let Some(math) = F::arithmetic() else { return };
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut random = || [(); LANES].map(|()| F::random(&mut rng));
        for _ in 0..200 {
            let (mut a, mut b) = (random(), random());
            (a[0], a[1], a[2], a[4]) = (F::ZERO, -F::ONE, F::ONE, F::ZERO);
            (b[1], b[2], b[3], b[4]) = (-F::ONE, F::ZERO, a[3], F::ZERO);
            let wide = |v: &[F; LANES]| {
                let mut rows = [[0; LANES]; LIMBS];
                for (lane, x) in v.iter().enumerate() {
                    enter(x).iter().zip(&mut rows).for_each(|(limb, row)| row[lane] = *limb);
                }
                math.mul(&math.load(&rows), &math.enter)
            };
            let is = |of: &Wide, expected: &dyn Fn(usize) -> F| {
                let rows = math.store(&math.mul(of, &math.leave));
                for lane in 0..LANES {
                    assert_eq!(leave::<F>(&rows.map(|row| row[lane])), expected(lane), "lane {lane}");
                }
            };
            let (x, y) = (wide(&a), wide(&b));
            let zero = math.reduced(&math.sub(&x, &x));
            let more = math.sub(&math.sub(&math.sub(&x, &zero), &zero), &zero);
            is(&math.mul(&math.sub(&x, &zero), &y), &|i| a[i] * b[i]);
            is(&math.sub(&x, &y), &|i| a[i] - b[i]);
            is(&math.sum(&x, &y), &|i| a[i] + b[i]);
            is(&math.difference(&x, &y), &|i| a[i] - b[i]);
            is(&math.difference(&zero, &y), &|i| -b[i]);
            is(&math.reduced(&more), &|i| a[i]);
            let mut products = math.products();
            // More than are reduced together.
            (0..300).for_each(|_| math.add_product(&mut products, &x, &y));
            is(&math.all_products(&products), &|i| a[i] * b[i] * F::from(300));
            for a in &a {
                let of = limbs_of(&words(a.to_repr().as_ref()));
                assert_eq!(words_of(&of), words(a.to_repr().as_ref()));
                if *a != F::ZERO {
                    assert_eq!(leave::<F>(&negated::<F>(&enter(a))), -*a);
                }
            }
        }
    }

    #[test]
    fn arithmetic_is_that_of_the_fields() {
        arithmetic_is_that_of::<Fq>();
        arithmetic_is_that_of::<Fr>();
    }

    /// Limbs as large as they may be: nothing overflows.
    #[test]
    fn the_largest_products_add_up() {
        let Some(math) = Fr::arithmetic() else { return };
        // 2p − 1, as limbs.
        let largest = math.all(&negated::<Fr>(&enter(&(-Fr::ONE))));
        let mut products = math.products();
        (0..128).for_each(|_| math.add_product(&mut products, &largest, &largest));
        let one = math.mul(&largest, &largest);
        let mut sum = math.zero();
        (0..128).for_each(|_| sum = math.sum(&sum, &one));
        let all = [math.all_products(&products), sum].map(|x| math.store(&math.mul(&x, &math.leave)));
        let [a, b] = all.map(|rows| leave::<Fr>(&rows.map(|row| row[0])));
        assert_eq!(a, b);
    }
}
