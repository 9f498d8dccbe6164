//! The powers-of-tau format of snarkjs: a table of sections between which everything else lies.
//!
//! All numbers are little-endian. `"ptau" ‖ version (4) ‖ number of sections (4)`, then the sections one after another, each as
//! `id (4) ‖ length (8) ‖ content`:
//!
//! | section | content, for `n = 2^power` |
//! |---|---|
//! | 1 | bytes of a field element (4), the field's prime, power (4), power of the ceremony (4) |
//! | 2, 3 | `2n − 1` powers of tau in G1, `n` in G2 |
//! | 4, 5, 6 | `n` powers times alpha and `n` times beta in G1, beta in G2: not needed here |
//! | 7 | number of contributions (4), and what each published |
//! | 12 – 15 | after "prepare phase 2": Lagrange bases of sections 2 – 5 for the sizes 1, 2, 4, …, n, and 2n in section 12 |
//!
//! Coordinates are in Montgomery form. The layout is that of snarkjs 0.7 (`src/powersoftau_new.js`,
//! `src/powersoftau_preparephase2.js` in its repository describe it).

use std::io::{self, Read, Seek, SeekFrom};

use halo2curves::{bn256::Fq, ff::PrimeField};

use super::{
    error::{Result, SrsError},
    points::{G1_BYTES, G2_BYTES},
};

/// Largest power that the format is used with: the scalar field has no larger domain.
const MAX_POWER: u32 = 28;
/// Bytes of section 1 for a 32-byte field.
const HEADER_BYTES: u64 = 44;
/// Larger counts are not a table of sections.
const MAX_SECTIONS: u32 = 64;

/// Names of the sections.
const SECTIONS: [(u32, &str); 11] = [
    (1, "section 1 (header)"),
    (2, TAU_G1),
    (3, TAU_G2),
    (4, "section 4 (alphaTauG1)"),
    (5, "section 5 (betaTauG1)"),
    (6, "section 6 (betaG2)"),
    (7, "section 7 (contributions)"),
    (12, PREPARED_G1),
    (13, "section 13 (prepared tauG2)"),
    (14, "section 14 (prepared alphaTauG1)"),
    (15, "section 15 (prepared betaTauG1)"),
];
pub(super) const TAU_G1: &str = "section 2 (tauG1)";
pub(super) const TAU_G2: &str = "section 3 (tauG2)";
pub(super) const PREPARED_G1: &str = "section 12 (prepared tauG1)";

/// Where a section's content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Section {
    id: u32,
    at: u64,
    bytes: u64,
}

/// What is where in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// Length of the file.
    pub(super) bytes: u64,
    /// The file holds `2^power` powers (nearly twice as many in G1).
    pub(super) power: u32,
    sections: Vec<Section>,
}

impl Table {
    /// Reads everything but the contents: a few hundred bytes of a file of any size.
    pub(super) fn read(file: &mut (impl Read + Seek)) -> Result<Self> {
        let bytes = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let count = preamble(file, bytes)?;
        let mut sections: Vec<Section> = vec![];
        let mut at = 12u64;
        for number in 1..=count {
            let left = bytes - at;
            if left < 12 {
                let what = format!("the head of the section that comes as number {number} of {count}");
                return Err(SrsError::Short { what, need: 12, have: left });
            }
            file.seek(SeekFrom::Start(at))?;
            let (id, length) = (u32_of(file)?, u64_of(file)?);
            let section = Section { id, at: at + 12, bytes: length };
            check_place(&section, &sections)?;
            if length > left - 12 {
                return Err(SrsError::Short { what: name(id), need: length, have: left - 12 });
            }
            sections.push(section);
            at += 12 + length;
        }
        if at != bytes {
            return Err(SrsError::Trailing { bytes: bytes - at });
        }
        let mut table = Self { bytes, power: 0, sections };
        let header = table.section(1)?;
        file.seek(SeekFrom::Start(header.at))?;
        table.power = power(file, header.bytes)?;
        table.check_lengths()?;
        Ok(table)
    }

    /// Where point 0 of section 2 is; the others follow.
    pub(super) fn tau_g1(&self) -> Result<u64> {
        Ok(self.section(2)?.at)
    }

    /// Where the generator of G2 is; tau follows.
    pub(super) fn tau_g2(&self) -> Result<u64> {
        Ok(self.section(3)?.at)
    }

    /// Where the number of contributions is.
    pub(super) fn contributions(&self) -> Result<u64> {
        Ok(self.section(7)?.at)
    }

    /// Where the Lagrange basis for `2^k` points is, in a file that is prepared for phase 2.
    pub(super) fn prepared(&self, k: u32) -> Option<u64> {
        self.section(12).ok().map(|s| s.at + G1_BYTES as u64 * ((1 << k) - 1))
    }

    fn section(&self, id: u32) -> Result<Section> {
        let found = self.sections.iter().find(|s| s.id == id);
        found.copied().ok_or_else(|| SrsError::Missing { part: name(id) })
    }

    fn check_lengths(&self) -> Result<()> {
        let power = self.power;
        let (n, g1, g2) = (1u64 << power, G1_BYTES as u64, G2_BYTES as u64);
        let exactly = |id: u32, need: u64| {
            let (part, have) = (name(id), self.section(id)?.bytes);
            if have == need { Ok(()) } else { Err(SrsError::Length { part, have, need, power }) }
        };
        exactly(2, (2 * n - 1) * g1)?;
        exactly(3, n * g2)?;
        exactly(4, n * g1)?;
        exactly(5, n * g1)?;
        exactly(6, g2)?;
        let contributions = self.section(7)?.bytes;
        if contributions < 4 {
            return Err(SrsError::Length { part: name(7), have: contributions, need: 4, power });
        }
        // Prepared or not: no mixture.
        if self.sections.iter().any(|s| s.id > 7) {
            // Old versions of snarkjs left out the largest size of section 12.
            exactly(12, (4 * n - 1) * g1).or_else(|_| exactly(12, (2 * n - 1) * g1))?;
            exactly(13, (2 * n - 1) * g2)?;
            exactly(14, (2 * n - 1) * g1)?;
            exactly(15, (2 * n - 1) * g1)?;
        }
        Ok(())
    }
}

/// Magic and version; returns the number of sections.
fn preamble(file: &mut impl Read, bytes: u64) -> Result<u32> {
    let mut start = Vec::new();
    file.take(12).read_to_end(&mut start)?;
    if !start.starts_with(b"ptau") {
        let text = String::from_utf8_lossy(&start).into_owned();
        let page = start.first() == Some(&b'<');
        let hint = if page {
            "it looks like a web page, so the download failed"
        } else {
            "name a .ptau file of snarkjs"
        };
        return Err(SrsError::NotPtau { start: text, hint });
    }
    if start.len() < 12 {
        return Err(SrsError::Short { what: "the head of the file".into(), need: 12, have: bytes });
    }
    let (version, count) = (u32_of(&mut &start[4..])?, u32_of(&mut &start[8..])?);
    if version != 1 {
        return Err(SrsError::Version { found: version });
    }
    if count == 0 || count > MAX_SECTIONS {
        let (what, allowed) = ("number of sections", format!("7 to {MAX_SECTIONS}"));
        return Err(SrsError::Header { what, found: count.into(), allowed });
    }
    Ok(count)
}

/// Sections are known, there once, and in ascending order, as snarkjs writes them.
fn check_place(section: &Section, before: &[Section]) -> Result<()> {
    if !SECTIONS.iter().any(|(id, _)| *id == section.id) {
        return Err(SrsError::UnknownSection { id: section.id });
    }
    if before.iter().any(|s| s.id == section.id) {
        return Err(SrsError::Duplicate { part: name(section.id) });
    }
    match before.last() {
        Some(last) if last.id > section.id => {
            Err(SrsError::Order { part: name(section.id), before: name(last.id) })
        }
        _ => Ok(()),
    }
}

/// The power that the header states, after checking the curve.
fn power(file: &mut impl Read, bytes: u64) -> Result<u32> {
    let too_short = |need| SrsError::Short { what: name(1), need, have: bytes };
    if bytes < 4 {
        return Err(too_short(HEADER_BYTES));
    }
    let size = u32_of(file)?;
    // 1024-bit fields are far beyond every curve that snarkjs knows.
    if size == 0 || size > 128 || bytes < u64::from(size) + 12 {
        let (what, allowed) = ("size of a field element", "32 bytes".into());
        return Err(SrsError::Header { what, found: size.into(), allowed });
    }
    let mut prime = vec![0; size as usize];
    file.read_exact(&mut prime)?;
    check_curve(&prime)?;
    if bytes != HEADER_BYTES {
        return Err(SrsError::Length { part: name(1), have: bytes, need: HEADER_BYTES, power: 0 });
    }
    let (power, ceremony) = (u32_of(file)?, u32_of(file)?);
    if power == 0 || power > MAX_POWER {
        return Err(SrsError::Header {
            what: "power",
            found: power.into(),
            allowed: format!("1 to {MAX_POWER}"),
        });
    }
    // A file may be cut from a larger ceremony, not from a smaller one.
    if ceremony < power || ceremony > MAX_POWER {
        let (what, allowed) = ("power of the ceremony", format!("{power} to {MAX_POWER}"));
        return Err(SrsError::Header { what, found: ceremony.into(), allowed });
    }
    Ok(power)
}

fn check_curve(prime: &[u8]) -> Result<()> {
    // −1 is the prime less one, which is odd.
    let mut bn254: [u8; 32] = (-<Fq as ff::Field>::ONE).to_repr();
    bn254[0] += 1;
    if prime == bn254 {
        return Ok(());
    }
    let zeros = prime.iter().rev().take_while(|b| **b == 0).count();
    let top = prime.len().checked_sub(zeros + 1).map_or(8, |last| prime[last].leading_zeros());
    let bits = (8 * (prime.len() - zeros) as u32).saturating_sub(top);
    // The lowest bytes of its prime, 0x1a0111ea…aaab.
    let bls = bits == 381 && prime.starts_with(&[0xab, 0xaa, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xb9]);
    Err(SrsError::Curve { curve: if bls { "BLS12-381" } else { "of an unknown prime" }, bits })
}

fn name(id: u32) -> String {
    SECTIONS
        .iter()
        .find(|(known, _)| *known == id)
        .map_or_else(|| format!("section {id}"), |(_, name)| (*name).to_owned())
}

fn u32_of(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn u64_of(from: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
