//! One element at a time, by the curve library.

use ff::Field;
use halo2curves::bn256::Fr;

use crate::{Kernel, Lanes};

/// What every machine can do.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

impl Lanes for Portable {
    type Element = Fr;
    type Scalar = Fr;
    type Products = Fr;
    type IntegerProducts = Fr;

    const WIDTH: usize = 1;

    fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn load(self, values: &[Fr]) -> Fr {
        values.first().copied().unwrap_or(Fr::ZERO)
    }

    #[inline(always)]
    fn store(self, element: &Fr, out: &mut [Fr]) {
        if let Some(out) = out.first_mut() {
            *out = *element;
        }
    }

    #[inline(always)]
    fn scalar(self, value: &Fr) -> Fr {
        *value
    }

    #[inline(always)]
    fn all(self, value: &Fr) -> Fr {
        *value
    }

    #[inline(always)]
    fn zero(self) -> Fr {
        Fr::ZERO
    }

    #[inline(always)]
    fn add(self, a: &Fr, b: &Fr) -> Fr {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: &Fr, b: &Fr) -> Fr {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: &Fr, b: &Fr) -> Fr {
        a * b
    }

    #[inline(always)]
    fn scale(self, a: &Fr, factor: &Fr) -> Fr {
        a * factor
    }

    #[inline(always)]
    fn between(self, low: &Fr, high: &Fr, r: &Fr) -> Fr {
        low + r * (high - low)
    }

    #[inline(always)]
    fn products(self) -> Fr {
        Fr::ZERO
    }

    #[inline(always)]
    fn add_product(self, sum: &mut Fr, a: &Fr, b: &Fr) {
        *sum += a * b;
    }

    #[inline(always)]
    fn sum(self, products: &Fr) -> Fr {
        *products
    }

    #[inline(always)]
    fn integer_products(self) -> Fr {
        Fr::ZERO
    }

    #[inline(always)]
    fn add_integer_product(self, sum: &mut Fr, a: &[i64], b: &Fr) {
        let Some(a) = a.first() else { return };
        let product = Fr::from(a.unsigned_abs()) * b;
        if *a < 0 {
            *sum -= product;
        } else {
            *sum += product;
        }
    }

    #[inline(always)]
    fn integer_sum(self, products: &Fr) -> Fr {
        *products
    }
}
