//! Its points: fixed-base multiplications, in both bases.

use ff::{Field, PrimeField};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use halo2curves::{
    bn256::{Bn256, Fr, G1, G1Affine, G2Affine},
    group::{Curve, Group, prime::PrimeCurveAffine},
};

use crate::{lagrange::omega, parallel::in_parts};

/// Powers of `s` in both bases.
pub(crate) fn powers(k: u32, s: Fr) -> ParamsKZG<Bn256> {
    let n = 1usize << k;
    let table = FixedBase::new(G1::generator());
    let mut scalars = vec![Fr::ZERO; n];
    in_parts(&mut scalars, |chunk, start| {
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
    in_parts(&mut scalars, |chunk, start| {
        use halo2curves::group::ff::BatchInvert;
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
pub(crate) fn params(
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
        in_parts(&mut out, |chunk, start| {
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
