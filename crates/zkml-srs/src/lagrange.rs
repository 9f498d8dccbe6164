//! The Lagrange basis of the powers: an inverse Fourier transform over points.

use std::sync::atomic::{AtomicU64, Ordering};

use ff::{Field, PrimeField};
use halo2curves::{
    bn256::{Fr, G1, G1Affine},
    group::{Curve, prime::PrimeCurveAffine},
};
use rayon::prelude::*;

use super::{Stage, Watch, glv::Split, parallel::in_parts};

/// The odd part of `r − 1 = 2^28·t`, little-endian.
const ODD_PART: [u64; 4] =
    [0x9b97_0914_3e1f_593f, 0x1815_85d2_833e_8487, 0x131a_029b_8504_5b68, 0x0003_0644_e72e];
/// Products between two reports of progress.
const REPORT: u64 = 1 << 10;

/// `Lᵢ(s)·G = n⁻¹·Σⱼ ω^(−ij)·(s^j·G)` for the `n = 2^k` powers `s^j·G`, in the order of the library's domain.
///
/// About `n/2·(k + 1)` multiplications in G1, spread over all cores; temporary memory of about 150 bytes a point.
pub(super) fn from_powers(powers: &[G1Affine], watch: Watch<'_>) -> Vec<G1Affine> {
    let n = powers.len();
    let k = n.ilog2();
    let n_inv = Fr::from(n as u64).invert().unwrap_or(Fr::ONE);
    let Some(root) = omega(k).invert().into_option() else { unreachable!("roots of unity are not zero") };
    let mut a: Vec<G1> = (0..n).map(|i| powers[reversed(i, k)].to_curve()).collect();
    let twiddles = twiddles(root, n / 2);
    let count = Counter { done: AtomicU64::new(0), total: products(k), watch };
    for level in 0..k.saturating_sub(1) {
        let half = 1usize << level;
        a.par_chunks_mut(2 * half).for_each(|block| {
            let (low, high) = block.split_at_mut(half);
            let step = twiddles.len() / half;
            low.par_iter_mut().zip(high).with_min_len(8).enumerate().for_each(|(j, (x, y))| {
                // The first factor is one.
                let t = if j == 0 { *y } else { count.one(|| twiddles[j * step].times(y)) };
                (*x, *y) = (*x + t, *x - t);
            });
        });
    }
    if k > 0 {
        // Dividing by n inside the last level saves half of the products that dividing at the end takes.
        let (scale, scaled) = (Split::new(&n_inv), scaled(root, n_inv, n / 2));
        let (low, high) = a.split_at_mut(n / 2);
        low.par_iter_mut().zip(high).zip(&scaled).with_min_len(8).for_each(|((x, y), factor)| {
            let (s, t) = (count.one(|| scale.times(x)), count.one(|| factor.times(y)));
            (*x, *y) = (s + t, s - t);
        });
    }
    watch(Stage::Lagrange, count.total, count.total);
    let mut out = vec![G1Affine::identity(); n];
    in_parts(&mut out, |chunk, start| G1::batch_normalize(&a[start..start + chunk.len()], chunk));
    out
}

/// Generator of the subgroup of `2^k` elements that the proof system evaluates on.
pub(super) fn omega(k: u32) -> Fr {
    (k..Fr::S).fold(Fr::ROOT_OF_UNITY, |root, _| root.square())
}

/// Where the prepared points of a powers-of-tau file stand in the library's order.
///
/// Both order them by powers of a generator of the same subgroup, but by different generators: snarkjs derives its own from
/// the non-residue 5, `omega(k)` comes from 7. Point `i` here is point `from[i]` there.
pub(super) fn order_of_snarkjs(k: u32) -> Vec<usize> {
    let (ours, n) = (omega(k), 1usize << k);
    let their_inverse = their_root(k).invert().unwrap_or(Fr::ONE);
    // ours = theirs^d, found bit by bit: the group has order 2^k.
    let mut d = 0usize;
    for bit in 0..k {
        let rest = ours * their_inverse.pow_vartime([d as u64]);
        if rest.pow_vartime([1u64 << (k - 1 - bit)]) != Fr::ONE {
            d |= 1 << bit;
        }
    }
    (0..n).map(|i| (i * d) % n).collect()
}

/// snarkjs' counterpart of [`omega`].
fn their_root(k: u32) -> Fr {
    (k..Fr::S).fold(Fr::from(5).pow_vartime(ODD_PART), |root, _| root.square())
}

fn reversed(i: usize, bits: u32) -> usize {
    i.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0)
}

fn twiddles(root: Fr, count: usize) -> Vec<Split> {
    scaled(root, Fr::ONE, count)
}

/// `front·root^i`.
fn scaled(root: Fr, front: Fr, count: usize) -> Vec<Split> {
    let mut powers = vec![Fr::ONE; count];
    in_parts(&mut powers, |chunk, start| {
        let mut power = front * root.pow_vartime([start as u64]);
        for p in chunk {
            *p = power;
            power *= root;
        }
    });
    powers.par_iter().map(Split::new).collect()
}

/// Products that [`from_powers`] takes.
fn products(k: u32) -> u64 {
    let n = 1u64 << k;
    // Every level but the last skips the factor one, the last multiplies both halves.
    if k == 0 { 0 } else { u64::from(k - 1) * (n / 2) + 2 }
}

struct Counter<'a> {
    done: AtomicU64,
    total: u64,
    watch: Watch<'a>,
}

impl Counter<'_> {
    fn one(&self, product: impl FnOnce() -> G1) -> G1 {
        let result = product();
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(REPORT) {
            (self.watch)(Stage::Lagrange, done.min(self.total), self.total);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::arithmetic::g_to_lagrange;
    use halo2curves::group::Group;
    use rand::SeedableRng;
    use std::sync::Mutex;

    #[test]
    fn the_transform_is_the_proving_library_s() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        for k in 1..8 {
            // The transform is linear: it need not be powers.
            let points: Vec<G1> = (0..1 << k).map(|_| G1::random(&mut rng)).collect();
            let mut affine = vec![G1Affine::identity(); points.len()];
            G1::batch_normalize(&points, &mut affine);
            let reports = Mutex::new(vec![]);
            let ours =
                from_powers(&affine, &|_, done, total| reports.lock().expect("lock").push((done, total)));
            assert_eq!(ours, g_to_lagrange::<G1Affine>(points, k), "k = {k}");
            assert!(reports.into_inner().expect("lock").iter().all(|(done, total)| done <= total));
        }
    }

    #[test]
    fn the_count_of_products_is_exact() {
        for k in 1..7u32 {
            let count = Counter { done: AtomicU64::new(0), total: 0, watch: &|_, _, _| {} };
            for level in 0..k - 1 {
                (0..(1u64 << k) / 2 - ((1 << k) >> (level + 1))).for_each(|_| {
                    count.one(G1::identity);
                });
            }
            assert_eq!(count.done.into_inner() + (1 << k), products(k));
        }
    }

    #[test]
    fn both_orders_name_the_same_roots() {
        for k in 0..9 {
            let from = order_of_snarkjs(k);
            for (i, there) in from.iter().enumerate() {
                assert_eq!(
                    omega(k).pow_vartime([i as u64]),
                    their_root(k).pow_vartime([*there as u64]),
                    "root {i} of 2^{k}"
                );
            }
        }
    }
}
