//! Arithmetic of BN254's scalar field on many elements at once.
//!
//! [`Lanes`] is a way to compute: [`Portable`] takes the curve library's elements one by one; where the machine has AVX-512 IFMA,
//! which is looked for when it runs, there is one that takes eight side by side. [`best`] chooses. Results are the same.
//!
//! Loops over many elements are a [`Kernel`], so that they are compiled once more for the instructions they may use.

#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
pub mod ifma;
mod portable;

use halo2curves::bn256::Fr;

pub use portable::Portable;

/// A way to compute with [`Lanes::WIDTH`] field elements side by side.
pub trait Lanes: Copy + Send + Sync + std::fmt::Debug + 'static {
    /// Elements side by side.
    type Element: Copy + Send + Sync + std::fmt::Debug;
    /// One number for all lanes.
    type Scalar: Copy + Send + Sync + std::fmt::Debug;
    /// A sum of products that is reduced in the end.
    type Products: Copy + Send + Sync;
    /// A sum of products with integers that is reduced in the end.
    type IntegerProducts: Copy + Send + Sync;

    /// Number of elements side by side, a power of two.
    const WIDTH: usize;

    /// Runs a kernel with the instructions that these lanes use.
    fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output;

    /// Elements from numbers of the curve library, `WIDTH` or fewer; zeros take the place of those that are missing.
    fn load(self, values: &[Fr]) -> Self::Element;
    /// The numbers of all lanes, or as many as there is room for.
    fn store(self, element: &Self::Element, out: &mut [Fr]);
    /// A number for all lanes.
    fn scalar(self, value: &Fr) -> Self::Scalar;
    /// The same number in each lane.
    fn all(self, value: &Self::Scalar) -> Self::Element;
    /// Zero in each lane.
    fn zero(self) -> Self::Element;
    /// `a + b`.
    fn add(self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `a − b`.
    fn sub(self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `a b`.
    fn mul(self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `a · factor`.
    fn scale(self, a: &Self::Element, factor: &Self::Scalar) -> Self::Element;
    /// `low + r (high − low)`.
    fn between(self, low: &Self::Element, high: &Self::Element, r: &Self::Scalar) -> Self::Element;

    /// A sum without products.
    fn products(self) -> Self::Products;
    /// Adds `a b`.
    fn add_product(self, sum: &mut Self::Products, a: &Self::Element, b: &Self::Element);
    /// The sum.
    fn sum(self, products: &Self::Products) -> Self::Element;

    /// A sum without products with integers.
    fn integer_products(self) -> Self::IntegerProducts;
    /// Adds `a b`, for [`Lanes::WIDTH`] integers from `−2^52` to `2^52 − 1`, or fewer: the rest is zero.
    fn add_integer_product(self, sum: &mut Self::IntegerProducts, a: &[i64], b: &Self::Element);
    /// The sum.
    fn integer_sum(self, products: &Self::IntegerProducts) -> Self::Element;
}

/// Bits of the magnitude that integers in products may have.
pub const INTEGER_BITS: u32 = 52;

/// A loop over many elements.
///
/// `run` must be marked `#[inline(always)]`, and so must be the functions that it calls with lanes, or they are compiled without the
/// instructions: correct, but slow. Field operations inside closures are compiled without them, too.
pub trait Kernel<L: Lanes> {
    /// Its result.
    type Output;
    /// Runs.
    fn run(self, lanes: L) -> Self::Output;
}

/// Something that can be computed with any lanes.
pub trait Choice {
    /// Its result.
    type Output;
    /// Computes.
    fn with<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Computes with the best lanes of this machine.
pub fn best<C: Choice>(choice: C) -> C::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = ifma::Eight::new() {
        return choice.with(lanes);
    }
    choice.with(Portable)
}

/// Elements of a vector, `WIDTH` side by side; the last are filled up with zeros.
pub fn entered<L: Lanes>(lanes: L, values: &[Fr]) -> Vec<L::Element> {
    let mut out = vec![lanes.zero(); values.len().div_ceil(L::WIDTH)];
    enter(lanes, values, &mut out);
    out
}

/// Writes the elements of a vector, `WIDTH` side by side, where there is room for them.
pub fn enter<L: Lanes>(lanes: L, values: &[Fr], out: &mut [L::Element]) {
    struct Enter<'a, L: Lanes>(&'a [Fr], &'a mut [L::Element]);
    impl<L: Lanes> Kernel<L> for Enter<'_, L> {
        type Output = ();

        #[inline(always)]
        fn run(self, lanes: L) {
            for (values, out) in self.0.chunks(L::WIDTH).zip(self.1) {
                *out = lanes.load(values);
            }
        }
    }
    lanes.run(Enter(values, out));
}

/// The first `length` numbers of elements.
pub fn left<L: Lanes>(lanes: L, elements: &[L::Element], length: usize) -> Vec<Fr> {
    let mut out = vec![Fr::default(); length];
    leave(lanes, elements, &mut out);
    out
}

/// Writes the numbers of elements, as many as there is room for.
pub fn leave<L: Lanes>(lanes: L, elements: &[L::Element], out: &mut [Fr]) {
    struct Leave<'a, L: Lanes>(&'a [L::Element], &'a mut [Fr]);
    impl<L: Lanes> Kernel<L> for Leave<'_, L> {
        type Output = ();

        #[inline(always)]
        fn run(self, lanes: L) {
            for (element, out) in self.0.iter().zip(self.1.chunks_mut(L::WIDTH)) {
                lanes.store(element, out);
            }
        }
    }
    lanes.run(Leave(elements, out));
}

/// All lanes added up.
pub fn total<L: Lanes>(lanes: L, element: &L::Element) -> Fr {
    left(lanes, std::slice::from_ref(element), L::WIDTH).iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::Field;
    use rand::SeedableRng;

    /// Each operation of any lanes against the curve library.
    struct Operations;

    impl Choice for Operations {
        type Output = usize;

        fn with<L: Lanes>(self, lanes: L) -> usize {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
            let mut random = || (0..L::WIDTH).map(|_| Fr::random(&mut rng)).collect::<Vec<Fr>>();
            let (mut a, b, r) = (random(), random(), random()[0]);
            a[0] = Fr::ZERO;
            let (x, y, factor) = (lanes.load(&a), lanes.load(&b), lanes.scalar(&r));
            let is = |of: L::Element, expected: &dyn Fn(usize) -> Fr| {
                let mut out = vec![Fr::ONE; L::WIDTH];
                lanes.store(&of, &mut out);
                assert_eq!(out, (0..L::WIDTH).map(expected).collect::<Vec<Fr>>());
            };
            is(x, &|i| a[i]);
            is(lanes.zero(), &|_| Fr::ZERO);
            is(lanes.all(&factor), &|_| r);
            is(lanes.add(&x, &y), &|i| a[i] + b[i]);
            is(lanes.sub(&x, &y), &|i| a[i] - b[i]);
            is(lanes.mul(&x, &y), &|i| a[i] * b[i]);
            is(lanes.scale(&x, &factor), &|i| a[i] * r);
            is(lanes.between(&x, &y, &factor), &|i| a[i] + r * (b[i] - a[i]));
            let mut products = lanes.products();
            lanes.add_product(&mut products, &x, &y);
            lanes.add_product(&mut products, &y, &y);
            is(lanes.sum(&products), &|i| (a[i] + b[i]) * b[i]);
            integers_multiply(lanes, &b);
            assert_eq!(total(lanes, &x), a.iter().sum::<Fr>());
            for length in [0, 1, 7, 8, 9, 20] {
                let many: Vec<Fr> = (0..length).map(Fr::from).collect();
                let entered = entered(lanes, &many);
                assert_eq!(entered.len(), many.len().div_ceil(L::WIDTH));
                assert_eq!(left(lanes, &entered, many.len()), many);
            }
            L::WIDTH
        }
    }

    /// Products with integers of all sizes and both signs, more than are reduced together.
    fn integers_multiply<L: Lanes>(lanes: L, b: &[Fr]) {
        let (least, most) = (-1i64 << INTEGER_BITS, (1i64 << INTEGER_BITS) - 1);
        let of = |x: i64| if x < 0 { -Fr::from(x.unsigned_abs()) } else { Fr::from(x as u64) };
        for integers in [[0; 8], [least; 8], [most; 8], [1, -1, least, most, 0, 77, -1 << 20, 5]] {
            let integers = &integers[..L::WIDTH];
            for count in [1u64, 2, 500] {
                let mut sum = lanes.integer_products();
                (0..count).for_each(|_| lanes.add_integer_product(&mut sum, integers, &lanes.load(b)));
                let mut out = vec![Fr::ONE; L::WIDTH];
                lanes.store(&lanes.integer_sum(&sum), &mut out);
                let expected = integers.iter().zip(b).map(|(x, b)| of(*x) * b * Fr::from(count));
                assert_eq!(out, expected.collect::<Vec<Fr>>(), "{integers:?}, {count} times");
            }
            let mut sum = lanes.integer_products();
            lanes.add_integer_product(&mut sum, &integers[..1], &lanes.load(b));
            assert_eq!(total(lanes, &lanes.integer_sum(&sum)), of(integers[0]) * b[0]);
        }
    }

    #[test]
    fn lanes_compute_what_the_curve_library_computes() {
        assert_eq!(Operations.with(Portable), 1);
        assert!(best(Operations) >= 1);
    }
}
