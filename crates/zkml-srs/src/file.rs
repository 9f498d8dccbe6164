//! Setups of ours on disk: where they come from in the header, with the powers in G2 that openings by rows need; then a flag,
//! the size, the powers in both bases, and G2.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use halo2_proofs::{
    SerdeFormat,
    poly::{commitment::ParamsProver, kzg::commitment::ParamsKZG},
};
use halo2curves::{
    bn256::{Bn256, G1Affine, G2Affine},
    serde::SerdeObject,
};

use super::{
    MAX_K, Provenance, Source, Srs, Stage, Watch, check,
    error::{IN_G2, POWERS, Result as Checked, SrsError},
    origin::{self, Origin},
    points::{self, G1_BYTES, G2_BYTES},
    refused, second,
};
use crate::{
    container::{self, Container},
    failure::{Error, Result},
};
use zkml_curve::{g1_words, g2_words};

const MAGIC: &[u8; 16] = b"zkml-chain/srs/1";
/// Longer headers are not ours.
const MAX_HEADER: u64 = 4096;
/// Bytes of the checksum at the end.
const CHECKSUM: i64 = 32;
/// The parts of a setup, in errors.
pub(super) const LAGRANGE: &str = "the Lagrange basis";

/// What a file says at a glance, without its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Binary logarithm of the number of powers.
    pub k: u32,
    /// Whom one trusts with the secret, judged by its point in G2.
    pub provenance: Provenance,
    /// The powers-of-tau file that it was imported from.
    pub source: Option<Source>,
    /// Names the setup; equal for all sizes of one ceremony.
    pub digest: [u8; 32],
    /// The secret in G2.
    pub s_g2: zkml_protocol::G2,
}

/// The points of a setup, each of them checked.
pub(super) struct Points {
    pub(super) g: Vec<G1Affine>,
    pub(super) g_lagrange: Vec<G1Affine>,
    pub(super) s_g2: G2Affine,
}

impl Points {
    /// Checks what they are to each other.
    pub(super) fn check(&self, watch: Watch<'_>) -> Checked<()> {
        watch(Stage::Check, 1, 3);
        check::powers(&self.g, &self.s_g2, POWERS)?;
        watch(Stage::Check, 2, 3);
        check::lagrange(&self.g, &self.g_lagrange, LAGRANGE)?;
        watch(Stage::Check, 3, 3);
        Ok(())
    }
}

impl Srs {
    /// Number of bytes that [`Srs::write_body`] writes.
    pub fn body_length(&self) -> u64 {
        1 + body_length(self.k())
    }

    /// The setup as the body of a container, or part of one.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write_body(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&[u8::from(self.is_dev())])?;
        self.params.write_custom(out, SerdeFormat::RawBytesUnchecked)
    }

    /// Reads what [`Srs::write_body`] wrote; the container vouches for the bytes, this checks the size.
    ///
    /// # Errors
    /// [`Error::BadFile`] for a length that does not fit, [`Error::Io`] when the points cannot be read.
    pub fn from_body(path: &Path, body: &[u8]) -> Result<Self> {
        let bad = |detail: &str| Error::BadFile { path: path.into(), detail: detail.into() };
        let (dev, mut rest) = body.split_first().ok_or_else(|| bad("empty"))?;
        let k = rest.first_chunk::<4>().map(|b| u32::from_le_bytes(*b)).ok_or_else(|| bad("too short"))?;
        if k > MAX_K || body_length(k) != rest.len() as u64 {
            return Err(bad(
                "its length does not fit its number of powers; import it again, or make it with `zkml-chain srs dev`",
            ));
        }
        let params = ParamsKZG::read_custom(&mut rest, SerdeFormat::RawBytesUnchecked)
            .map_err(|source| Error::Io { path: path.into(), source })?;
        let origin = if *dev == 0 { Origin::Unstated } else { Origin::Dev };
        Ok(Self { params, in_g2: vec![], origin, sound: false })
    }

    /// Writes the file that [`Srs::read`] reads.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut header = postcard::to_stdvec(&self.origin).map_err(io::Error::other)?;
        header.extend(second::to_bytes(&self.in_g2));
        container::write(out, MAGIC, &header, |mut body| self.write_body(&mut body))
    }

    /// Reads a file that [`Srs::write`] wrote. Its checksum must fit; [`Srs::verify`] and [`Srs::cut`] check the points too.
    ///
    /// # Errors
    /// [`Error::BadFile`] and [`Error::BadOrigin`] for other and damaged files, [`Error::Io`] when it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(path, &read(path)?)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let container = open(path, bytes)?;
        let (origin, rest) = parse_origin(path, container.header)?;
        let srs = Self::from_body(path, container.body)?;
        let in_g2 = second::from_bytes(rest, srs.k()).ok_or_else(|| Error::BadFile {
            path: path.into(),
            detail: "its powers in G2 are not as many as it has; import it again".into(),
        })?;
        origin::check_record(&origin, &srs.params.s_g2()).map_err(|e| refused(path, e))?;
        // The flag counts, whatever the record says.
        let origin = if srs.origin == Origin::Dev { Origin::Dev } else { origin };
        Ok(Self { origin, in_g2, ..srs })
    }

    /// Reads a file as [`Srs::read`] does and repeats every check of an import: each point, the pairing ratio, the Lagrange
    /// basis by a random combination, and the record of its origin.
    ///
    /// # Errors
    /// As [`Srs::read`], and [`Error::Unsound`] with the first thing that is wrong.
    pub fn verify(path: &Path, watch: Watch<'_>) -> Result<Self> {
        let bytes = read(path)?;
        let total = bytes.len() as u64;
        watch(Stage::Read, total, total);
        Self::parse(path, &bytes)?.checked(watch).map_err(|e| refused(path, e))
    }

    /// What a file says at a glance: reads a few hundred bytes, and checks neither the points nor the checksum.
    ///
    /// # Errors
    /// [`Error::BadFile`] for other files, [`Error::Io`] when it cannot be read.
    pub fn summary(path: &Path) -> Result<Summary> {
        let io = |source| Error::Io { path: path.into(), source };
        let bad = |detail: &str| Error::BadFile { path: path.into(), detail: detail.into() };
        let mut file = File::open(path).map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        let mut start = Vec::new();
        (&mut file).take(24 + MAX_HEADER + 5).read_to_end(&mut start).map_err(io)?;
        let rest = start.strip_prefix(MAGIC.as_slice()).ok_or_else(|| foreign(path, &start))?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(|| bad("truncated; make it again"))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (header, rest) = rest.split_at_checked(length).ok_or_else(|| bad("its header is too long"))?;
        let (origin, _) = parse_origin(path, header)?;
        let (flag, rest) = rest.split_first().ok_or_else(|| bad("truncated; make it again"))?;
        let k = rest.first_chunk::<4>().map(|b| u32::from_le_bytes(*b)).unwrap_or(u32::MAX);
        let expected = |k| 16 + 8 + header.len() as u64 + 1 + body_length(k) + CHECKSUM as u64;
        if k > MAX_K || expected(k) != bytes {
            return Err(bad("its length does not fit its number of powers; make it again"));
        }
        let mut last = [0; G2_BYTES];
        file.seek(SeekFrom::End(-CHECKSUM - G2_BYTES as i64)).map_err(io)?;
        file.read_exact(&mut last).map_err(io)?;
        let s_g2 = points::g2(&last, IN_G2, 1).map_err(|e| refused(path, e))?;
        origin::check_record(&origin, &s_g2).map_err(|e| refused(path, e))?;
        let part = verifier_part(&s_g2);
        let provenance = if *flag == 0 { origin::provenance(&s_g2) } else { Provenance::Dev };
        let source = if let Origin::File(source) = origin { Some(source) } else { None };
        Ok(Summary { k, provenance, source, digest: part.digest().0, s_g2: part.s_g2 })
    }
}

fn verifier_part(s_g2: &G2Affine) -> zkml_protocol::Srs {
    let (g1, g2) = (g1_words(&G1Affine::generator()), g2_words(&G2Affine::generator()));
    zkml_protocol::Srs { g1, g2, s_g2: g2_words(s_g2), unsafe_dev: false }
}

/// The points of a setup in memory, checked one by one.
pub(super) fn points_of(srs: &Srs) -> Checked<Points> {
    let mut body = Vec::with_capacity(srs.body_length() as usize);
    srs.write_body(&mut body)?;
    decode(&body[1..])
}

/// The points of a body without its flag; its length has been checked.
fn decode(body: &[u8]) -> Checked<Points> {
    let (k, rest) = body.split_at(4);
    let n = 1usize << k.iter().rev().fold(0u32, |k, b| k << 8 | u32::from(*b)).min(MAX_K);
    let (g_bytes, rest) = rest.split_at(n * G1_BYTES);
    let (lagrange_bytes, in_g2) = rest.split_at(n * G1_BYTES);
    let (mut g, mut g_lagrange) = (vec![], vec![]);
    points::g1(g_bytes, POWERS, 0, &mut g)?;
    points::g1(lagrange_bytes, LAGRANGE, 0, &mut g_lagrange)?;
    Ok(Points { g, g_lagrange, s_g2: secret_in_g2(in_g2)? })
}

/// The second of two points of G2, of which the first must be the generator.
fn secret_in_g2(bytes: &[u8]) -> Checked<G2Affine> {
    let point = |i: u64| {
        let mut one = [0; G2_BYTES];
        one.copy_from_slice(&bytes[i as usize * G2_BYTES..][..G2_BYTES]);
        points::g2(&one, IN_G2, i)
    };
    if point(0)? != G2Affine::generator() {
        return Err(SrsError::Generator { part: IN_G2 });
    }
    point(1)
}

/// Checks the first `2^k` powers of a setup in memory, each and all together, against the secret in G2.
pub(super) fn check_powers(params: &ParamsKZG<Bn256>, k: u32) -> Checked<()> {
    let bytes: Vec<u8> = params.get_g()[..1 << k].iter().flat_map(SerdeObject::to_raw_bytes).collect();
    let mut g = vec![];
    points::g1(&bytes, POWERS, 0, &mut g)?;
    let in_g2 = [params.g2(), params.s_g2()].map(|point| point.to_raw_bytes()).concat();
    check::powers(&g, &secret_in_g2(&in_g2)?, POWERS)
}

/// Size, powers in both bases, and two points of G2.
fn body_length(k: u32) -> u64 {
    4 + ((2 * G1_BYTES as u64) << k) + 2 * G2_BYTES as u64
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io { path: path.into(), source })
}

fn open<'a>(path: &Path, bytes: &'a [u8]) -> Result<Container<'a>> {
    if !bytes.starts_with(MAGIC) {
        return Err(foreign(path, bytes));
    }
    Container::open(path, MAGIC, bytes)
}

fn foreign(path: &Path, start: &[u8]) -> Error {
    let detail = if start.starts_with(b"ptau") {
        format!("it is a powers-of-tau file; first run `zkml-chain srs import {}`", path.display())
    } else {
        "it is not a trusted setup of zkml-chain; import one with `zkml-chain srs import FILE.ptau`".into()
    };
    Error::BadFile { path: path.into(), detail }
}

/// The record of where a setup comes from, and what follows it. Files of older versions have an empty header.
fn parse_origin<'a>(path: &Path, header: &'a [u8]) -> Result<(Origin, &'a [u8])> {
    if header.is_empty() {
        return Ok((Origin::Unstated, header));
    }
    postcard::take_from_bytes(header).map_err(|source| Error::BadOrigin { path: path.into(), source })
}
