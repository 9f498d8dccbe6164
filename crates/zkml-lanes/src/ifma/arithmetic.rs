//! Arithmetic on eight elements in registers.

use core::arch::x86_64::__m512i;

use super::{
    Base, LANES, LIMBS, Limbs, MASK, available,
    instructions::{above, add, all, and, high, load, load_integers, low, store, sub, times_256, zero},
    limbs,
};

/// Eight elements, limb by limb.
pub type Rows = [[u64; LANES]; LIMBS];
/// Eight elements in registers.
pub type Wide = [__m512i; LIMBS];

/// The constants in registers, and the arithmetic of one field. There is one only where the instructions are.
#[derive(Clone, Copy, Debug)]
pub struct Arithmetic {
    modulus: Wide,
    four: Wide,
    inverse: __m512i,
    quotient: __m512i,
    mask: __m512i,
    /// A product with it makes the radix `2^260` of the radix `2^256`.
    pub enter: Wide,
    /// A product with it goes back.
    pub leave: Wide,
    /// A product with it makes the radix `2^260` of plain numbers.
    plain: Wide,
}

/// Products added up, not reduced: limbs of twice the length.
#[derive(Clone, Copy, Debug)]
pub struct Products {
    limbs: [__m512i; 2 * LIMBS],
    /// Number of products in the limbs.
    count: u32,
    /// Products that were reduced already.
    sum: Wide,
}

impl Products {
    /// Products that fit into signed limbs of 64 bits, ten additions of 52 bits each.
    const MOST: u32 = 128;
}

/// Products with integers added up, not reduced.
#[derive(Clone, Copy, Debug)]
pub struct IntegerProducts {
    /// Signed.
    limbs: [__m512i; LIMBS + 1],
    /// Number of products in the limbs.
    count: u32,
    /// Products that were reduced already, as plain numbers.
    sum: Wide,
}

#[inline(always)]
fn each(limbs: &Limbs) -> Wide {
    limbs!(I => all(limbs[I]))
}

impl Arithmetic {
    /// The arithmetic of a field, or nothing where the instructions are missing.
    pub(super) fn of<F: Base>() -> Option<Self> {
        if !available() {
            return None;
        }
        let c = F::constants();
        Some(Self {
            modulus: each(&c.modulus),
            four: each(&c.four),
            inverse: all(c.inverse),
            quotient: all(c.quotient),
            mask: all(MASK),
            enter: each(&c.enter),
            leave: each(&c.leave),
            plain: each(&c.plain),
        })
    }

    /// Reads eight elements.
    #[inline(always)]
    pub fn load(&self, rows: &Rows) -> Wide {
        limbs!(I => load(&rows[I]))
    }

    /// Writes eight elements.
    #[inline(always)]
    pub fn store(&self, wide: &Wide) -> Rows {
        let mut rows = [[0; LANES]; LIMBS];
        limbs!(I => store(wide[I], &mut rows[I]));
        rows
    }

    /// The same limbs in each lane.
    #[inline(always)]
    pub fn all(&self, limbs: &Limbs) -> Wide {
        each(limbs)
    }

    /// Zero.
    #[inline(always)]
    pub fn zero(&self) -> Wide {
        [zero(); LIMBS]
    }

    /// One.
    #[inline(always)]
    pub fn one(&self) -> Wide {
        self.mul(&self.enter, &self.leave)
    }

    /// Carries of signed limbs, so that all are below `2^52`, of a number that is not negative.
    #[inline(always)]
    fn carry(&self, [a, b, c, d, e]: Wide) -> Wide {
        let b = add(b, above(a));
        let c = add(c, above(b));
        let d = add(d, above(c));
        let e = add(e, above(d));
        [and(a, self.mask), and(b, self.mask), and(c, self.mask), and(d, self.mask), e]
    }

    /// `a b 2^−260`: below `1.2p` for factors whose product is below `16p²`.
    #[inline(always)]
    pub fn mul(&self, a: &Wide, b: &Wide) -> Wide {
        let acc = self.step([zero(); LIMBS], a, b[0]);
        let acc = self.step(acc, a, b[1]);
        let acc = self.step(acc, a, b[2]);
        let acc = self.step(acc, a, b[3]);
        self.carry(self.step(acc, a, b[4]))
    }

    /// `(acc + a · factor + q p) 2^−52`, with the `q` that makes the lowest limb zero.
    #[inline(always)]
    fn step(&self, acc: Wide, a: &Wide, factor: __m512i) -> Wide {
        let p = &self.modulus;
        let acc = limbs!(I => low(acc[I], a[I], factor));
        let q = low(zero(), acc[0], self.inverse);
        let acc = limbs!(I => low(acc[I], q, p[I]));
        let acc = [add(acc[1], above(acc[0])), acc[2], acc[3], acc[4], zero()];
        let acc = limbs!(I => high(acc[I], a[I], factor));
        limbs!(I => high(acc[I], q, p[I]))
    }

    /// `a − b + 4p`, for `b` up to `4p`.
    #[inline(always)]
    pub fn sub(&self, a: &Wide, b: &Wide) -> Wide {
        self.carry(limbs!(I => sub(add(a[I], self.four[I]), b[I])))
    }

    /// `a + b`, below `1.2p`, if it is below `16p`.
    #[inline(always)]
    pub fn sum(&self, a: &Wide, b: &Wide) -> Wide {
        self.reduced(&limbs!(I => add(a[I], b[I])))
    }

    /// `a − b`, below `1.2p`, for factors below `4p`.
    #[inline(always)]
    pub fn difference(&self, a: &Wide, b: &Wide) -> Wide {
        self.reduced(&limbs!(I => sub(add(a[I], self.four[I]), b[I])))
    }

    /// The same modulo `p`, below `1.2p`, of a number below `16p` whose limbs are not negative and below `2^56`.
    #[inline(always)]
    pub fn reduced(&self, a: &Wide) -> Wide {
        let p = &self.modulus;
        let q = high(zero(), a[LIMBS - 1], self.quotient);
        let lower = limbs!(I => low(zero(), q, p[I]));
        let upper = limbs!(I => high(zero(), q, p[I]));
        let [a, b, c, d, e] = limbs!(I => sub(a[I], lower[I]));
        self.carry([a, sub(b, upper[0]), sub(c, upper[1]), sub(d, upper[2]), sub(e, upper[3])])
    }

    /// No products.
    #[inline(always)]
    pub fn products(&self) -> Products {
        Products { limbs: [zero(); 2 * LIMBS], count: 0, sum: self.zero() }
    }

    /// Adds `a b` for factors below `2p`.
    #[inline(always)]
    pub fn add_product(&self, products: &mut Products, a: &Wide, b: &Wide) {
        if products.count == Products::MOST {
            *products = Products { sum: self.all_products(products), ..self.products() };
        }
        products.count += 1;
        let mut acc = products.limbs;
        limbs!(J => {
            limbs!(I => acc[I + J] = low(acc[I + J], a[I], b[J]));
            limbs!(I => acc[I + J + 1] = high(acc[I + J + 1], a[I], b[J]));
        });
        products.limbs = acc;
    }

    /// The sum of all products times `2^−260`, below `1.2p`.
    #[inline(always)]
    pub fn all_products(&self, products: &Products) -> Wide {
        let p = &self.modulus;
        let mut acc = products.limbs;
        limbs!(J => {
            let q = low(zero(), acc[J], self.inverse);
            limbs!(I => acc[I + J] = low(acc[I + J], q, p[I]));
            acc[J + 1] = add(acc[J + 1], above(acc[J]));
            limbs!(I => acc[I + J + 1] = high(acc[I + J + 1], q, p[I]));
        });
        // Below 8p: 128 products below 4p², and p.
        let upper = self.carry(limbs!(I => acc[I + LIMBS]));
        self.sum(&self.reduced(&upper), &products.sum)
    }

    /// No products with integers.
    #[inline(always)]
    pub fn integer_products(&self) -> IntegerProducts {
        IntegerProducts { limbs: [zero(); LIMBS + 1], count: 0, sum: self.zero() }
    }

    /// Adds `a b` for integers from `−2^52` to `2^52 − 1` and factors below `2p`.
    #[inline(always)]
    pub fn add_integer_product(&self, products: &mut IntegerProducts, a: &[i64; LANES], b: &Wide) {
        if products.count == Products::MOST {
            *products = IntegerProducts { sum: self.plain_sum(products), ..self.integer_products() };
        }
        products.count += 1;
        let a = load_integers(a);
        // The integer is its lowest 52 bits, and 2^52 less where it is negative.
        let (lowest, negative) = (and(a, self.mask), above(a));
        let mut acc = products.limbs;
        limbs!(I => acc[I] = low(acc[I], lowest, b[I]));
        limbs!(I => acc[I + 1] = high(acc[I + 1], lowest, b[I]));
        limbs!(I => acc[I + 1] = sub(acc[I + 1], and(b[I], negative)));
        products.limbs = acc;
    }

    /// The sum of all products, below `1.2p`.
    #[inline(always)]
    pub fn all_integer_products(&self, products: &IntegerProducts) -> Wide {
        self.mul(&self.plain_sum(products), &self.plain)
    }

    /// The sum of all products times `2^−260`, below `1.2p`.
    #[inline(always)]
    fn plain_sum(&self, products: &IntegerProducts) -> Wide {
        let mut limbs = [zero(); 2 * LIMBS];
        limbs!(I => limbs[I] = products.limbs[I]);
        limbs[LIMBS] = products.limbs[LIMBS];
        // 128 products are above −2^60 p: with that much more the sum is not negative.
        limbs!(I => limbs[I + 1] = add(limbs[I + 1], times_256(self.modulus[I])));
        self.all_products(&Products { limbs, count: 0, sum: products.sum })
    }
}
