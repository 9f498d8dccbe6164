//! Trusted setup: powers of a secret in the exponent.
//!
//! | module | what it does |
//! |---|---|
//! | [`dev`] | makes the insecure development setup |
//! | [`ptau`], [`import`] | read powers-of-tau files of snarkjs |
//! | [`points`], [`check`] | check points one by one, and whole setups by random combination |
//! | [`second`] | the powers in G2 that openings by rows need |
//! | [`glv`], [`lagrange`] | the Lagrange basis of the powers |
//! | [`origin`] | where a setup comes from, and which ceremonies are known |
//! | [`slice`] | as many powers as one model takes, from whoever offers it |
//! | [`file`] | setups of ours on disk |
//!
//! Whole setups are in the proving library's form. Without the feature `setup` there are slices alone, and no proving library.

#![deny(unsafe_code)]

mod check;
pub mod container;
mod dev;
mod error;
mod failure;
#[cfg(feature = "setup")]
mod file;
#[cfg(feature = "setup")]
mod glv;
#[cfg(feature = "setup")]
mod import;
#[cfg(feature = "setup")]
mod lagrange;
mod origin;
mod parallel;
mod points;
#[cfg(feature = "setup")]
mod ptau;
#[cfg(feature = "setup")]
mod second;
mod slice;
#[cfg(all(test, feature = "setup"))]
mod tests;

#[cfg(feature = "setup")]
use std::fs::File;
use std::path::Path;

#[cfg(feature = "setup")]
use {
    error::POWERS,
    halo2_proofs::poly::{
        commitment::{Params, ParamsProver},
        kzg::commitment::ParamsKZG,
    },
    halo2curves::bn256::{Bn256, G1Affine, G2Affine},
    origin::Origin,
    zkml_curve::{g1_words, g2_words},
};

pub use error::SrsError;
pub use failure::{Error, Result};
pub use origin::{Ceremony, Provenance};
pub use slice::Slice;
#[cfg(feature = "setup")]
pub use {file::Summary, import::DEFAULT_K, origin::Source};

/// Largest size that is made or read here.
#[cfg(feature = "setup")]
pub const MAX_K: u32 = 24;

/// What long work on a setup is doing.
#[cfg(feature = "setup")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading; counted in bytes.
    Read,
    /// Checking pairings and random combinations.
    Check,
    /// Computing the Lagrange basis; counted in multiplications.
    Lagrange,
}

/// Told of progress: the stage, how much of it is done, and how much it is in all. Called from several threads.
#[cfg(feature = "setup")]
pub type Watch<'a> = &'a (dyn Fn(Stage, u64, u64) + Sync);

/// A trusted setup, and where it comes from.
#[cfg(feature = "setup")]
#[derive(Debug, Clone)]
pub struct Srs {
    params: ParamsKZG<Bn256>,
    /// See [`second`].
    in_g2: Vec<G2Affine>,
    origin: Origin,
    /// The points were checked, or computed here: no file is believed.
    sound: bool,
}

#[cfg(feature = "setup")]
impl Srs {
    /// The deterministic, **insecure** development setup with `2^k` powers: the same secret for every `k`.
    ///
    /// Whoever knows the secret can prove anything; everybody does.
    ///
    /// # Errors
    /// [`Error::Size`] when `k` is zero or above [`MAX_K`].
    pub fn dev(k: u32) -> Result<Self> {
        if k == 0 || k > MAX_K {
            let detail = format!("k = {k} is outside 1..={MAX_K}");
            return Err(Error::Size { detail });
        }
        let params = dev::powers(k, dev::secret());
        Ok(Self { params, in_g2: second::dev(k), origin: Origin::Dev, sound: true })
    }

    /// Imports a powers-of-tau file of snarkjs: checks every point that is kept, the pairing ratio and the Lagrange basis.
    ///
    /// Keeps `2^k` powers; without `k` all of them, but at most `2^`[`DEFAULT_K`]. The Lagrange basis is read from the file when
    /// it was prepared for phase 2, else computed.
    ///
    /// # Errors
    /// [`Error::Unsound`] with what is wrong with the file, [`Error::Io`] when it cannot be opened.
    pub fn import(path: &Path, k: Option<u32>, watch: Watch<'_>) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
        import::import(file, k, watch).map_err(|e| refused(path, e))
    }

    /// Binary logarithm of the number of powers.
    pub fn k(&self) -> u32 {
        self.params.k()
    }

    /// Whether the secret is public.
    pub fn is_dev(&self) -> bool {
        self.provenance() == Provenance::Dev
    }

    /// Whom one trusts with the secret: judged by the points, unless the file itself says that it is a development setup.
    pub fn provenance(&self) -> Provenance {
        if self.origin == Origin::Dev { Provenance::Dev } else { origin::provenance(&self.params.s_g2()) }
    }

    /// The powers-of-tau file that this was imported from, as recorded then.
    pub fn source(&self) -> Option<&Source> {
        match &self.origin {
            Origin::File(source) => Some(source),
            Origin::Unstated | Origin::Dev => None,
        }
    }

    /// The points.
    pub fn params(&self) -> &ParamsKZG<Bn256> {
        &self.params
    }

    /// The verifier's part; its `unsafe_dev` travels with everything that is made from the setup.
    pub fn verifier_part(&self) -> zkml_protocol::Srs {
        verifier_part(&self.params, self.is_dev())
    }

    /// Names the setup; equal for all sizes of one ceremony.
    pub fn digest(&self) -> [u8; 32] {
        self.verifier_part().digest().0
    }

    /// The first `2^k` powers, checked. `path` names the setup in errors.
    ///
    /// # Errors
    /// As [`Srs::cut`].
    pub fn shrunk(&self, k: u32, path: &str) -> Result<Self> {
        self.cut(k, path, &|_, _, _| {})
    }

    /// As [`Srs::shrunk`], telling of progress: a smaller size has its own Lagrange basis, which takes a while.
    ///
    /// What comes of it is sound. A checksum says only that a file is as it was written; so a setup that was read, and not yet checked,
    /// is checked here as an import is: each point, the pairing ratio, the Lagrange basis by a random combination.
    ///
    /// # Errors
    /// [`Error::TooSmall`], and [`Error::Unsound`] with the first thing that is wrong.
    pub fn cut(&self, k: u32, path: &str, watch: Watch<'_>) -> Result<Self> {
        if k > self.k() {
            return Err(Error::TooSmall { path: path.into(), have: self.k(), need: k });
        }
        let unsound = |why| refused(Path::new(path), why);
        if k < self.k() && origin::provenance(&self.params.s_g2()) == Provenance::Dev {
            // Knowing the secret is far faster than changing the basis of the points.
            let made = Self::dev(k)?;
            let same = self.sound || self.params.get_g().starts_with(made.params.get_g());
            return if same { Ok(made) } else { Err(unsound(SrsError::Ratio { part: POWERS })) };
        }
        if k == self.k() {
            return self.clone().checked(watch).map_err(unsound);
        }
        let g = self.params.get_g()[..1 << k].to_vec();
        if !self.sound {
            // Before minutes are spent on them.
            file::check_powers(&self.params, k).map_err(unsound)?;
            self.check_second().map_err(unsound)?;
        }
        let g_lagrange = lagrange::from_powers(&g, watch);
        check::lagrange(&g, &g_lagrange, file::LAGRANGE).map_err(unsound)?;
        let params = dev::params(k, g, g_lagrange, self.params.s_g2());
        Ok(Self { params, in_g2: second::cut(&self.in_g2, k), origin: self.origin.clone(), sound: true })
    }

    /// The first `count` powers `[τ^i]₁`, and `[τ^(2^j)]₂` as [`Srs::power_in_g2`] gives it: what openings by rows need, which
    /// never look at a Lagrange basis. Points that no check has seen are checked first.
    ///
    /// # Errors
    /// [`Error::TooSmall`], [`Error::NoPowersInG2`], and [`Error::Unsound`] with the first thing that is wrong.
    pub fn by_rows(&self, count: usize, j: u32, path: &str) -> Result<(Vec<G1Affine>, zkml_protocol::G2)> {
        let need = count.next_power_of_two().ilog2();
        let Some(powers) = self.params.get_g().get(..count) else {
            return Err(Error::TooSmall { path: path.into(), have: self.k(), need });
        };
        let in_g2 = self.power_in_g2(j, path)?;
        if !self.sound {
            let unsound = |why| refused(Path::new(path), why);
            file::check_powers(&self.params, need.max(j + 1).min(self.k())).map_err(unsound)?;
            self.check_second().map_err(unsound)?;
        }
        Ok((powers.to_vec(), in_g2))
    }

    /// A cut that was stored, if it is what [`Srs::cut`] makes of this setup: the same powers, and their Lagrange basis. It is checked,
    /// which is far quicker than cutting, so that it need not be trusted.
    #[must_use]
    pub fn stored_cut(&self, small: Self, watch: Watch<'_>) -> Option<Self> {
        let same = self.params.get_g().starts_with(small.params.get_g())
            && self.params.s_g2() == small.params.s_g2();
        if same { small.checked(watch).ok() } else { None }
    }

    /// The same setup after every check of an import, unless it has passed them.
    fn checked(self, watch: Watch<'_>) -> error::Result<Self> {
        if !self.sound {
            file::points_of(&self)?.check(watch)?;
            self.check_second()?;
        }
        Ok(Self { sound: true, ..self })
    }
}

/// What a verifier needs of these points. `unsafe_dev` says that their secret is known to somebody; it travels with all
/// that is made from them.
#[cfg(feature = "setup")]
pub fn verifier_part(params: &ParamsKZG<Bn256>, unsafe_dev: bool) -> zkml_protocol::Srs {
    zkml_protocol::Srs {
        g1: g1_words(&params.get_g()[0]),
        g2: g2_words(&params.g2()),
        s_g2: g2_words(&params.s_g2()),
        unsafe_dev,
    }
}

fn refused(path: &Path, why: SrsError) -> Error {
    Error::Unsound { path: path.into(), why: Box::new(why) }
}
