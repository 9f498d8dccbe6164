//! From a powers-of-tau file to a setup, in one pass over the file.
//!
//! The file is read from its first to its last byte, so that the digest is over exactly what was used. Memory holds the powers
//! that are kept, 128 bytes for each of the `2^k`, a buffer, and about 150 bytes for each while the Lagrange basis is computed.

use std::io::{Read, Seek, SeekFrom};

use halo2curves::bn256::{G1Affine, G2Affine};

use super::{
    MAX_K, Srs, Stage, Watch, check, dev,
    error::{Result, SrsError},
    file::LAGRANGE,
    lagrange,
    origin::{Origin, Source},
    points::{self, G1_BYTES, G2_BYTES},
    ptau::{PREPARED_G1, TAU_G1, TAU_G2, Table},
    second,
};

/// Bytes read at once; a multiple of the size of a point.
const PIECE: usize = 1 << 20;
/// Powers that are kept of a larger file when nobody says how many.
pub const DEFAULT_K: u32 = 20;

/// A file, hashed as it is read.
struct Stream<'a, R> {
    file: R,
    state: blake2b_simd::State,
    at: u64,
    total: u64,
    buffer: Vec<u8>,
    watch: Watch<'a>,
}

impl<R: Read> Stream<'_, R> {
    /// Reads the next `count` bytes in pieces.
    fn pieces(&mut self, count: u64, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let piece = left.min(PIECE as u64);
            let bytes = &mut self.buffer[..piece as usize];
            self.file.read_exact(bytes)?;
            self.state.update(bytes);
            each(bytes)?;
            self.at += piece;
            left -= piece;
            (self.watch)(Stage::Read, self.at, self.total);
        }
        Ok(())
    }

    fn skip_to(&mut self, place: u64) -> Result<()> {
        // The table is in ascending order, so nothing is behind.
        self.pieces(place.saturating_sub(self.at), |_| Ok(()))
    }

    fn g1(&mut self, place: u64, count: usize, part: &'static str) -> Result<Vec<G1Affine>> {
        self.skip_to(place)?;
        let mut out = Vec::with_capacity(count);
        self.pieces((count * G1_BYTES) as u64, |bytes| {
            let first = out.len() as u64;
            points::g1(bytes, part, first, &mut out)
        })?;
        Ok(out)
    }

    fn array<const N: usize>(&mut self, place: u64) -> Result<[u8; N]> {
        self.skip_to(place)?;
        let mut out = [0; N];
        self.pieces(N as u64, |bytes| {
            out.copy_from_slice(bytes);
            Ok(())
        })?;
        Ok(out)
    }

    /// The generator and tau.
    fn g2(&mut self, place: u64) -> Result<G2Affine> {
        let generator = points::g2(&self.array(place)?, TAU_G2, 0)?;
        if generator != G2Affine::generator() {
            return Err(SrsError::Generator { part: TAU_G2 });
        }
        points::g2(&self.array(place + G2_BYTES as u64)?, TAU_G2, 1)
    }

    /// Those further powers that [`second`] keeps.
    fn more_g2(&mut self, place: u64, k: u32) -> Result<Vec<G2Affine>> {
        second::exponents(k)
            .map(|power| points::g2(&self.array(place + power * G2_BYTES as u64)?, TAU_G2, power))
            .collect()
    }
}

/// Reads a powers-of-tau file, checks it, and keeps `2^k` powers: all of them, but at most `2^20`, when `k` is absent.
pub(super) fn import(mut file: impl Read + Seek, k: Option<u32>, watch: Watch<'_>) -> Result<Srs> {
    let table = Table::read(&mut file)?;
    let k = k.unwrap_or(table.power.min(DEFAULT_K));
    if k > table.power {
        return Err(SrsError::TooFewPowers { have: table.power, need: k });
    }
    if k == 0 || k > MAX_K {
        let allowed = format!("1 to {}", MAX_K.min(table.power));
        return Err(SrsError::Header { what: "number of powers to keep (--k)", found: k.into(), allowed });
    }
    file.seek(SeekFrom::Start(0))?;
    let state = blake2b_simd::Params::new().to_state();
    let mut stream = Stream { file, state, at: 0, total: table.bytes, buffer: vec![0; PIECE], watch };
    let n = 1usize << k;
    let g = stream.g1(table.tau_g1()?, n, TAU_G1)?;
    let s_g2 = stream.g2(table.tau_g2()?)?;
    let in_g2 = stream.more_g2(table.tau_g2()?, k)?;
    let contributions = u32::from_le_bytes(stream.array(table.contributions()?)?);
    // Before gigabytes of the rest are read.
    watch(Stage::Check, 0, 1);
    check::powers(&g, &s_g2, TAU_G1)?;
    second::check(&g, &in_g2)?;
    let prepared = table.prepared(k).map(|place| stream.g1(place, n, PREPARED_G1)).transpose()?;
    stream.skip_to(table.bytes)?;
    let (g_lagrange, part) = match prepared {
        Some(theirs) => (lagrange::order_of_snarkjs(k).into_iter().map(|i| theirs[i]).collect(), PREPARED_G1),
        None => (lagrange::from_powers(&g, watch), LAGRANGE),
    };
    // Of our own transform too: the check is cheap, and a wrong basis makes wrong commitments.
    check::lagrange(&g, &g_lagrange, part)?;
    watch(Stage::Check, 1, 1);
    let source = Source {
        blake2b: stream.state.finalize().as_bytes().to_vec(),
        bytes: table.bytes,
        power: table.power,
        contributions,
    };
    let params = dev::params(k, g, g_lagrange, s_g2);
    Ok(Srs { params, in_g2, origin: Origin::File(source), sound: true })
}
