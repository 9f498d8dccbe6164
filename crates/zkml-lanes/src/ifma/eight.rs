//! The lanes of the scalar field.

use halo2curves::bn256::Fr;

use super::{
    Arithmetic, Base, IntegerProducts, LANES, LIMBS, Limbs, Products, Wide, enter, instructions, leave, limbs,
};
use crate::{Kernel, Lanes};

/// Eight elements of the scalar field at once: each below `1.2p`.
#[derive(Clone, Copy, Debug)]
pub struct Eight(&'static Arithmetic);

impl Eight {
    /// The lanes, or nothing where the instructions are missing.
    pub fn new() -> Option<Self> {
        Fr::arithmetic().map(Self)
    }
}

impl Lanes for Eight {
    type Element = Wide;
    type Scalar = Limbs;
    type Products = Products;
    type IntegerProducts = IntegerProducts;

    const WIDTH: usize = LANES;

    fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        instructions::run(kernel, self)
    }

    #[inline(always)]
    fn load(self, values: &[Fr]) -> Wide {
        let mut rows = [[0; LANES]; LIMBS];
        for (lane, value) in values.iter().enumerate().take(LANES) {
            let own = enter(value);
            limbs!(I => rows[I][lane] = own[I]);
        }
        self.0.mul(&self.0.load(&rows), &self.0.enter)
    }

    #[inline(always)]
    fn store(self, element: &Wide, out: &mut [Fr]) {
        let rows = self.0.store(&self.0.mul(element, &self.0.leave));
        for (lane, out) in out.iter_mut().enumerate().take(LANES) {
            *out = leave(&limbs!(I => rows[I][lane]));
        }
    }

    fn scalar(self, value: &Fr) -> Limbs {
        // Sixteen times the form with the radix 2^256.
        let sixteen = (0..4).fold(*value, |x, _| x + x);
        enter(&sixteen)
    }

    #[inline(always)]
    fn all(self, value: &Limbs) -> Wide {
        self.0.all(value)
    }

    #[inline(always)]
    fn zero(self) -> Wide {
        self.0.zero()
    }

    #[inline(always)]
    fn add(self, a: &Wide, b: &Wide) -> Wide {
        self.0.sum(a, b)
    }

    #[inline(always)]
    fn sub(self, a: &Wide, b: &Wide) -> Wide {
        self.0.difference(a, b)
    }

    #[inline(always)]
    fn mul(self, a: &Wide, b: &Wide) -> Wide {
        self.0.mul(a, b)
    }

    #[inline(always)]
    fn scale(self, a: &Wide, factor: &Limbs) -> Wide {
        self.0.mul(a, &self.0.all(factor))
    }

    #[inline(always)]
    fn between(self, low: &Wide, high: &Wide, r: &Limbs) -> Wide {
        // The difference is below 6p.
        self.0.sum(low, &self.scale(&self.0.sub(high, low), r))
    }

    #[inline(always)]
    fn products(self) -> Products {
        self.0.products()
    }

    #[inline(always)]
    fn add_product(self, sum: &mut Products, a: &Wide, b: &Wide) {
        self.0.add_product(sum, a, b);
    }

    #[inline(always)]
    fn sum(self, products: &Products) -> Wide {
        self.0.all_products(products)
    }

    #[inline(always)]
    fn integer_products(self) -> IntegerProducts {
        self.0.integer_products()
    }

    #[inline(always)]
    fn add_integer_product(self, sum: &mut IntegerProducts, a: &[i64], b: &Wide) {
        if let Some(a) = a.first_chunk() {
            self.0.add_integer_product(sum, a, b);
        } else {
            let mut all = [0; LANES];
            all[..a.len()].copy_from_slice(a);
            self.0.add_integer_product(sum, &all, b);
        }
    }

    #[inline(always)]
    fn integer_sum(self, products: &IntegerProducts) -> Wide {
        self.0.all_integer_products(products)
    }
}
