//! Trusted setup: powers of a secret in the exponent.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use ff::{Field, PrimeField};
use halo2_proofs::{
    SerdeFormat,
    arithmetic::parallelize,
    halo2curves::{
        bn256::{Bn256, Fr, G1, G1Affine, G2Affine},
        group::{Curve, Group, prime::PrimeCurveAffine},
    },
    poly::kzg::commitment::ParamsKZG,
};
use sha3::{Digest, Keccak256};

use crate::{
    container::{self, Container},
    error::{ProverError, Result},
};

/// Largest size that is made or read here.
pub const MAX_K: u32 = 24;
/// Anybody can compute the secret from this; that is the point.
const DEV_SEED: &[u8] = b"zkml-chain insecure development setup, version 1";
const MAGIC: &[u8; 16] = b"zkml-chain/srs/1";

/// A trusted setup, and whether its secret is known.
#[derive(Debug, Clone)]
pub struct Srs {
    params: ParamsKZG<Bn256>,
    dev: bool,
}

impl Srs {
    /// The deterministic, **insecure** development setup with `2^k` powers: the same secret for every `k`.
    ///
    /// Whoever knows the secret can prove anything; everybody does.
    pub fn dev(k: u32) -> Result<Self> {
        if k == 0 || k > MAX_K {
            let detail = format!("k = {k} is outside 1..={MAX_K}");
            return Err(ProverError::Unsupported { label: "srs dev".into(), detail });
        }
        Ok(Self { params: powers(k, dev_secret()), dev: true })
    }

    /// Binary logarithm of the number of powers.
    pub fn k(&self) -> u32 {
        use halo2_proofs::poly::commitment::Params;
        self.params.k()
    }

    /// Whether the secret is public.
    pub fn is_dev(&self) -> bool {
        self.dev
    }

    /// The points.
    pub fn params(&self) -> &ParamsKZG<Bn256> {
        &self.params
    }

    /// The verifier's part.
    pub fn verifier_part(&self) -> zkml_protocol::Srs {
        crate::program::srs(&self.params, self.dev)
    }

    /// Names the setup; equal for all sizes of one ceremony.
    pub fn digest(&self) -> [u8; 32] {
        self.verifier_part().digest().0
    }

    /// The first `2^k` powers. `path` names the setup in the error when there are too few.
    pub fn shrunk(&self, k: u32, path: &str) -> Result<Self> {
        use halo2_proofs::poly::commitment::ParamsProver;
        if k > self.k() {
            return Err(ProverError::SrsTooSmall { path: path.into(), have: self.k(), need: k });
        }
        if k == self.k() {
            return Ok(self.clone());
        }
        if self.params.s_g2() == dev_s_g2() {
            // Knowing the secret is far faster than changing the basis of the points.
            return Self::dev(k);
        }
        let g = self.params.get_g()[..1 << k].to_vec();
        let params = self.params.from_parts(k, g, None, self.params.g2(), self.params.s_g2());
        Ok(Self { params, dev: self.dev })
    }

    /// Number of bytes that [`Srs::write_body`] writes.
    pub(crate) fn body_length(&self) -> u64 {
        1 + 4 + (128 << self.k()) + 256
    }

    /// The setup as the body of a container, or part of one.
    pub(crate) fn write_body(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&[u8::from(self.dev)])?;
        self.params.write_custom(out, SerdeFormat::RawBytesUnchecked)
    }

    /// Reads [`Srs::body`]; the container vouches for the bytes, this checks the size.
    pub(crate) fn from_body(path: &Path, body: &[u8]) -> Result<Self> {
        let bad = |detail: &str| ProverError::BadFile { path: path.into(), detail: detail.into() };
        let (dev, mut rest) = body.split_first().ok_or_else(|| bad("empty"))?;
        let k = rest.first_chunk::<4>().map(|b| u32::from_le_bytes(*b)).ok_or_else(|| bad("too short"))?;
        let expected = (k <= MAX_K).then(|| 4 + (128usize << k) + 256);
        if expected != Some(rest.len()) {
            return Err(bad(
                "its length does not fit its number of powers; make it again with `zkml-chain srs dev`",
            ));
        }
        let params = ParamsKZG::read_custom(&mut rest, SerdeFormat::RawBytesUnchecked)
            .map_err(|source| ProverError::Io { path: path.into(), source })?;
        Ok(Self { params, dev: *dev != 0 })
    }

    /// Writes the file that [`Srs::read`] reads.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        container::write(out, MAGIC, &[], |mut body| self.write_body(&mut body))
    }

    /// Reads a file that [`Srs::write`] wrote.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|source| ProverError::Io { path: path.into(), source })?;
        let container = Container::open(path, MAGIC, &bytes)?;
        let srs = Self::from_body(path, container.body)?;
        // A dev setup is recognised by its points, whatever the file says.
        let known = srs.params.s_g2() == dev_s_g2();
        Ok(Self { dev: srs.dev || known, ..srs })
    }
}

fn dev_secret() -> Fr {
    let half = |tag: u8| -> [u8; 32] {
        let mut h = Keccak256::new();
        h.update(DEV_SEED);
        h.update([tag]);
        h.finalize().into()
    };
    let mut wide = [0u8; 64];
    wide[..32].copy_from_slice(&half(0));
    wide[32..].copy_from_slice(&half(1));
    <Fr as ff::FromUniformBytes<64>>::from_uniform_bytes(&wide)
}

fn dev_s_g2() -> G2Affine {
    (G2Affine::generator() * dev_secret()).to_affine()
}

/// Powers of `s` in both bases.
fn powers(k: u32, s: Fr) -> ParamsKZG<Bn256> {
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
    let mut omega = Fr::ROOT_OF_UNITY;
    (k..Fr::S).for_each(|_| omega = omega.square());
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
    let g2 = G2Affine::generator();
    let s_g2 = (g2 * s).to_affine();
    // The library builds parameters only from other parameters; these are never used.
    let seed = ParamsKZG::<Bn256>::setup(1, rand_core::OsRng);
    seed.from_parts(k, g, Some(g_lagrange), g2, s_g2)
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

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::poly::commitment::ParamsProver;

    fn bytes(srs: &Srs) -> Vec<u8> {
        let mut out = vec![];
        srs.write(&mut out).expect("writes");
        out
    }

    #[test]
    fn dev_setup_is_what_halo2_would_make() {
        let srs = Srs::dev(4).expect("makes");
        let s = dev_secret();
        let g = srs.params().get_g();
        let by_hand: Vec<G1Affine> =
            (0..16u64).map(|i| (G1::generator() * s.pow_vartime([i])).to_affine()).collect();
        assert_eq!(g, by_hand.as_slice());
        // The library derives the Lagrange basis from the monomial one.
        let derived = srs.params().from_parts(4, by_hand, None, srs.params().g2(), srs.params().s_g2());
        let bytes = |p: &ParamsKZG<Bn256>| {
            let mut out = vec![];
            p.write_custom(&mut out, SerdeFormat::RawBytesUnchecked).expect("writes");
            out
        };
        assert_eq!(bytes(srs.params()), bytes(&derived));
    }

    #[test]
    fn shrinking_keeps_the_ceremony() {
        let big = Srs::dev(6).expect("makes");
        let small = big.shrunk(4, "x").expect("shrinks");
        assert_eq!(small.digest(), big.digest());
        assert_eq!(bytes(&small), bytes(&Srs::dev(4).expect("makes")));
        assert!(matches!(small.shrunk(5, "x"), Err(ProverError::SrsTooSmall { have: 4, need: 5, .. })));
    }

    #[test]
    fn shrinking_without_the_secret_gives_the_same_powers() {
        let s = Fr::from(123_456_789);
        let big = Srs { params: powers(6, s), dev: false };
        let small = big.shrunk(4, "x").expect("shrinks");
        assert_eq!(bytes(&small), bytes(&Srs { params: powers(4, s), dev: false }));
    }

    #[test]
    fn files_are_checked() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("dev.srs");
        let bytes = bytes(&Srs::dev(3).expect("makes"));
        fs::write(&path, &bytes).expect("writes");
        assert!(Srs::read(&path).expect("reads").is_dev());
        for cut in [0, 10, 16, bytes.len() - 1] {
            fs::write(&path, &bytes[..cut]).expect("writes");
            assert!(matches!(Srs::read(&path), Err(ProverError::BadFile { .. })), "cut at {cut}");
        }
        for flip in [0, 20, 60, bytes.len() / 2, bytes.len() - 1] {
            let mut bad = bytes.clone();
            bad[flip] ^= 1;
            fs::write(&path, &bad).expect("writes");
            assert!(matches!(Srs::read(&path), Err(ProverError::BadFile { .. })), "flip at {flip}");
        }
    }
}
