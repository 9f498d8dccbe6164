//! Setups of ours, and powers-of-tau files with every kind of damage.

use std::{io::Cursor, path::PathBuf};

use super::*;
use ff::Field;
use halo2_proofs::{
    SerdeFormat,
    poly::{commitment::ParamsProver, kzg::commitment::ParamsKZG},
};
use halo2curves::{
    bn256::{Bn256, Fr, G1, G1Affine, G2Affine},
    group::Curve,
};

mod damage;
mod own;

const QUIET: Watch<'static> = &|_, _, _| {};

/// A file that snarkjs made; `make.mjs` beside it says how.
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixture_path(name)).expect(name)
}

fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/ptau").join(name)
}

fn import(bytes: &[u8], k: Option<u32>) -> error::Result<Srs> {
    super::import::import(Cursor::new(bytes), k, QUIET)
}

fn raw(params: &ParamsKZG<Bn256>) -> Vec<u8> {
    let mut out = vec![];
    params.write_custom(&mut out, SerdeFormat::RawBytesUnchecked).expect("writes");
    out
}

/// Where a section of a powers-of-tau file is, written independently of the reader.
fn section(file: &[u8], id: u32) -> std::ops::Range<usize> {
    let mut at = 12;
    loop {
        let found = u32::from_le_bytes(file[at..at + 4].try_into().expect("4 bytes"));
        let length = u64::from_le_bytes(file[at + 4..at + 12].try_into().expect("8 bytes")) as usize;
        if found == id {
            return at + 12..at + 12 + length;
        }
        at += 12 + length;
    }
}

/// A powers-of-tau file for any secret: what is not needed here holds generators.
fn made(power: u32, s: Fr) -> Vec<u8> {
    use halo2curves::serde::SerdeObject;
    let n = 1usize << power;
    let powers = std::iter::successors(Some(Fr::ONE), |p| Some(*p * s));
    let in_g1: Vec<u8> = powers
        .clone()
        .take(2 * n - 1)
        .flat_map(|p| (G1::generator() * p).to_affine().to_raw_bytes())
        .collect();
    let in_g2 = powers.take(n).flat_map(|p| (G2Affine::generator() * p).to_affine().to_raw_bytes()).collect();
    let (g1, g2) = (G1Affine::generator().to_raw_bytes(), G2Affine::generator().to_raw_bytes());
    let header = fixture("small-new.ptau")[section(&fixture("small-new.ptau"), 1)][..36].to_vec();
    let header = [header, power.to_le_bytes().to_vec(), power.to_le_bytes().to_vec()].concat();
    let contents = [header, in_g1, in_g2, g1.repeat(n), g1.repeat(n), g2, vec![1, 0, 0, 0]];
    let mut out = [b"ptau".as_slice(), &1u32.to_le_bytes(), &7u32.to_le_bytes()].concat();
    for (id, content) in (1u32..).zip(contents) {
        out.extend(id.to_le_bytes());
        out.extend((content.len() as u64).to_le_bytes());
        out.extend(content);
    }
    out
}
