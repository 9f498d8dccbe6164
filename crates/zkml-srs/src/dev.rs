//! The development setup: deterministic, insecure, and quick to make, because its secret is known.

use ff::{Field, PrimeField};
use halo2_proofs::{
    arithmetic::parallelize,
    halo2curves::{
        bn256::{Bn256, Fr, G1, G1Affine, G2Affine},
        group::{Curve, Group, prime::PrimeCurveAffine},
    },
    poly::kzg::commitment::ParamsKZG,
};
use sha3::{Digest, Keccak256};

use super::lagrange::omega;

/// Anybody can compute the secret from this; that is the point.
const SEED: &[u8] = b"zkml-chain insecure development setup, version 1";

/// The secret that everybody knows.
pub(super) fn secret() -> Fr {
    let half = |tag: u8| -> [u8; 32] {
        let mut h = Keccak256::new();
        h.update(SEED);
        h.update([tag]);
        h.finalize().into()
    };
    let mut wide = [0u8; 64];
    wide[..32].copy_from_slice(&half(0));
    wide[32..].copy_from_slice(&half(1));
    <Fr as ff::FromUniformBytes<64>>::from_uniform_bytes(&wide)
}

/// The secret in G2.
pub(super) fn s_g2() -> G2Affine {
    (G2Affine::generator() * secret()).to_affine()
}

/// Powers of `s` in both bases.
pub(super) fn powers(k: u32, s: Fr) -> ParamsKZG<Bn256> {
    let n = 1usize << k;
    let table = FixedBase::new(G1::generator());
    let mut scalars = vec![Fr::ZERO; n];
    parallelize(&mut scalars, |chunk, start| {
        let mut power = s.pow_vartime([start as u64]);
        for v in chunk {
            *v = power;
            power *= s;
        }
    });
    let g = table.multiply(&scalars);
    let omega = omega(k);
    // Lᵢ(s) = ωⁱ·(sⁿ − 1) / (n·(s − ωⁱ))
    let n_inv = Option::<Fr>::from(Fr::from(n as u64).invert()).unwrap_or(Fr::ONE);
    let front = (s.pow_vartime([n as u64]) - Fr::ONE) * n_inv;
    parallelize(&mut scalars, |chunk, start| {
        use halo2_proofs::halo2curves::group::ff::BatchInvert;
        let roots: Vec<Fr> =
            std::iter::successors(Some(omega.pow_vartime([start as u64])), |r| Some(*r * omega))
                .take(chunk.len())
                .collect();
        chunk.iter_mut().zip(&roots).for_each(|(v, r)| *v = s - r);
        chunk.iter_mut().batch_invert();
        chunk.iter_mut().zip(&roots).for_each(|(v, r)| *v *= front * r);
    });
    let g_lagrange = table.multiply(&scalars);
    params(k, g, g_lagrange, (G2Affine::generator() * s).to_affine())
}

/// The proving library's form of a setup.
pub(super) fn params(
    k: u32,
    g: Vec<G1Affine>,
    g_lagrange: Vec<G1Affine>,
    s_g2: G2Affine,
) -> ParamsKZG<Bn256> {
    // The library builds parameters only from other parameters; these are never used.
    let seed = ParamsKZG::<Bn256>::setup(1, rand_core::OsRng);
    seed.from_parts(k, g, Some(g_lagrange), G2Affine::generator(), s_g2)
}

/// Multiples of one point, for many multiplications by it.
struct FixedBase(Vec<[G1Affine; 256]>);

impl FixedBase {
    fn new(base: G1) -> Self {
        let mut window = base;
        let rows = (0..32).map(|_| {
            let mut row = [G1::identity(); 256];
            for i in 1..256 {
                row[i] = row[i - 1] + window;
            }
            window = row[255] + window;
            let mut affine = [G1Affine::identity(); 256];
            G1::batch_normalize(&row, &mut affine);
            affine
        });
        Self(rows.collect())
    }

    fn multiply(&self, scalars: &[Fr]) -> Vec<G1Affine> {
        let mut out = vec![G1Affine::identity(); scalars.len()];
        parallelize(&mut out, |chunk, start| {
            let points: Vec<G1> = scalars[start..start + chunk.len()]
                .iter()
                .map(|s| {
                    let bytes = s.to_repr();
                    self.0
                        .iter()
                        .zip(bytes.as_ref())
                        .map(|(row, b)| row[*b as usize])
                        .fold(G1::identity(), |a, p| a + p)
                })
                .collect();
            G1::batch_normalize(&points, chunk);
        });
        out
    }
}
