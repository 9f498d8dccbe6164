//! Checks of whole setups by random linear combinations.
//!
//! The weights come from the system's randomness, drawn after the points are fixed: whoever made a file cannot know them, and
//! there is nothing to grind. (Weights hashed from the file would also do, but a forger could then try variants offline.) Each
//! check is a polynomial identity of degree below `2^k` at a random place of a field of `2^254`, so that a false setup passes
//! with a probability below `2^(k − 253)`.

#[cfg(feature = "setup")]
use ff::BatchInvert;
use ff::Field;
use halo2curves::{
    bn256::{Bn256, Fr, G1, G1Affine, G2, G2Affine},
    group::{Curve, Group, prime::PrimeCurveAffine},
    msm::msm_best,
    pairing::{MillerLoopResult, MultiMillerLoop},
};
use rand_core::OsRng;

#[cfg(feature = "setup")]
use super::lagrange::omega;
use super::{
    error::{Result, SrsError},
    parallel::in_parts,
};

/// Checks that `powers` are `G, s·G, s²·G, …` for the `s` of `s_g2 = s·G2`, and that `s` is not degenerate.
///
/// All points must have been checked one by one before.
pub(super) fn powers(powers: &[G1Affine], s_g2: &G2Affine, part: &'static str) -> Result<()> {
    let n = powers.len();
    let (Some(first), Some(last)) = (powers.first(), powers.last()) else {
        return Err(SrsError::Generator { part });
    };
    if *first != G1Affine::generator() {
        return Err(SrsError::Generator { part });
    }
    if *s_g2 == G2Affine::generator() {
        return Err(SrsError::Degenerate { why: "it is 1, nobody has contributed to this file" });
    }
    // Σ ρ^i·(s^(i+1)·G) against s·Σ ρ^i·(s^i·G), both from one sum over all points.
    let rho = Fr::random(OsRng);
    let sum = msm_best(&geometric(rho, n), powers);
    let front = sum - *last * rho.pow_vartime([n as u64 - 1]);
    let back = (sum - first.to_curve()) * rho.invert().unwrap_or(Fr::ONE);
    if !same_ratio(&back, &front, s_g2) {
        return Err(SrsError::Ratio { part });
    }
    // A root of unity makes the powers repeat, and the proof system's polynomials vanish at it.
    if powers[1..].contains(first) {
        return Err(SrsError::Degenerate { why: "it is a root of unity, its powers repeat" });
    }
    Ok(())
}

/// Checks that `lagrange` is the Lagrange basis of `powers` on the library's domain.
#[cfg(feature = "setup")]
pub(super) fn lagrange(powers: &[G1Affine], lagrange: &[G1Affine], part: &'static str) -> Result<()> {
    let n = powers.len();
    if lagrange.contains(&G1Affine::identity()) {
        return Err(SrsError::Degenerate {
            why: "it is a root of unity, where all but one Lagrange polynomials vanish",
        });
    }
    // Values ρ^i at ω^i belong to the polynomial with coefficients (ρ^n − 1) / (n·(ρ·ω^(−j) − 1)).
    let rho = Fr::random(OsRng);
    let Some(root) = omega(n.ilog2()).invert().into_option() else {
        unreachable!("roots of unity are not zero")
    };
    let front = (rho.pow_vartime([n as u64]) - Fr::ONE) * Fr::from(n as u64).invert().unwrap_or(Fr::ONE);
    let mut coefficients = vec![Fr::ZERO; n];
    in_parts(&mut coefficients, |chunk, start| {
        let mut at = rho * root.pow_vartime([start as u64]);
        for c in chunk.iter_mut() {
            *c = at - Fr::ONE;
            at *= root;
        }
        chunk.iter_mut().batch_invert();
        chunk.iter_mut().for_each(|c| *c *= front);
    });
    if lagrange.len() == n && msm_best(&coefficients, powers) == msm_best(&geometric(rho, n), lagrange) {
        Ok(())
    } else {
        Err(SrsError::Lagrange { part })
    }
}

fn geometric(rho: Fr, n: usize) -> Vec<Fr> {
    let mut out = vec![Fr::ONE; n];
    in_parts(&mut out, |chunk, start| {
        let mut power = rho.pow_vartime([start as u64]);
        for p in chunk {
            *p = power;
            power *= rho;
        }
    });
    out
}

/// Whether `e(a, G2) = e(b, s·G2)`, that is, `a = s·b`.
fn same_ratio(a: &G1, b: &G1, s_g2: &G2Affine) -> bool {
    let (a, b) = (a.to_affine(), (-*b).to_affine());
    let terms = [(&a, &G2Affine::generator().into()), (&b, &(*s_g2).into())];
    bool::from(Bn256::multi_miller_loop(&terms).final_exponentiation().is_identity())
}

/// Whether both are the same multiple of their generators.
pub(super) fn same_point(first: &G1, second: &G2) -> bool {
    let (first, generator) = ((-first).to_affine(), G1Affine::generator());
    let terms = [(&first, &G2Affine::generator().into()), (&generator, &second.to_affine().into())];
    bool::from(Bn256::multi_miller_loop(&terms).final_exponentiation().is_identity())
}

#[cfg(all(test, feature = "setup"))]
mod tests {
    use super::*;
    use crate::{dev, lagrange as transform};

    /// Powers of `s` and `s` in G2.
    fn setup(k: u32, s: Fr) -> (Vec<G1Affine>, G2Affine) {
        use halo2_proofs::poly::commitment::ParamsProver;
        let params = dev::powers(k, s);
        (params.get_g().to_vec(), params.s_g2())
    }

    #[test]
    fn powers_are_tied_to_the_secret_in_g2() {
        let (good, s_g2) = setup(5, Fr::from(77));
        powers(&good, &s_g2, "x").expect("good");
        for at in [1, 2, 17, 31] {
            let mut bad = good.clone();
            bad[at] = (bad[at] + G1Affine::generator()).to_affine();
            assert!(matches!(powers(&bad, &s_g2, "x"), Err(SrsError::Ratio { part: "x" })), "point {at}");
        }
        let mut swapped = good.clone();
        swapped.swap(3, 4);
        assert!(matches!(powers(&swapped, &s_g2, "x"), Err(SrsError::Ratio { .. })));
        // Consistent powers, of another secret.
        let other = setup(5, Fr::from(78)).1;
        assert!(matches!(powers(&good, &other, "x"), Err(SrsError::Ratio { .. })));
        // All multiplied by a constant: the ratios are right, the first point is not.
        let shifted: Vec<_> = good.iter().map(|p| (*p * Fr::from(3)).to_affine()).collect();
        assert!(matches!(powers(&shifted, &s_g2, "x"), Err(SrsError::Generator { .. })));
    }

    #[test]
    fn degenerate_secrets_are_refused() {
        let one = setup(4, Fr::ONE);
        assert!(matches!(powers(&one.0, &one.1, "x"), Err(SrsError::Degenerate { .. })));
        for s in [-Fr::ONE, omega(2), omega(3)] {
            let cyclic = setup(4, s);
            assert!(matches!(powers(&cyclic.0, &cyclic.1, "x"), Err(SrsError::Degenerate { .. })), "{s:?}");
        }
    }

    #[test]
    fn a_lagrange_basis_is_tied_to_its_powers() {
        let (g, _) = setup(5, Fr::from(77));
        let good = transform::from_powers(&g, &|_, _, _| {});
        lagrange(&g, &good, "x").expect("good");
        for at in [0, 1, 31] {
            let mut bad = good.clone();
            bad[at] = (bad[at] + G1Affine::generator()).to_affine();
            assert!(matches!(lagrange(&g, &bad, "x"), Err(SrsError::Lagrange { part: "x" })), "point {at}");
        }
        let mut swapped = good.clone();
        swapped.swap(0, 1);
        assert!(lagrange(&g, &swapped, "x").is_err());
        assert!(lagrange(&g, &good[..31], "x").is_err());
        // A secret on the domain itself: its powers do not repeat within 2^k, but it is as bad.
        let (g, s_g2) = setup(4, omega(4));
        powers(&g, &s_g2, "x").expect("the powers are right");
        let basis = transform::from_powers(&g, &|_, _, _| {});
        assert!(matches!(lagrange(&g, &basis, "x"), Err(SrsError::Degenerate { .. })));
    }
}
