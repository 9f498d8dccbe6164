//! Keccak-256 transcript for halo2's transcript traits.
//!
//! The rules are [`zkml_protocol::Transcript`]'s; this file only connects them to halo2. In a proof a point is
//! `x ‖ y` and a scalar one word, all big-endian, as a contract reads them.

use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::transcript::{EncodedChallenge, Transcript, TranscriptRead, TranscriptWrite};
use std::io::{self, ErrorKind};
use zkml_curve::{g1_from_words, g1_words, scalar_from_word, scalar_word};
use zkml_protocol::{G1, Word, field, plonk::Program};

/// A challenge: Keccak-256 modulo the scalar field's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeccakChallenge(Fr);

impl EncodedChallenge<G1Affine> for KeccakChallenge {
    type Input = Word;

    fn new(input: &Word) -> Self {
        // Reduced words always convert; the fallback keeps this total.
        Self(scalar_from_word(&field::reduce(*input)).unwrap_or_default())
    }

    fn get_scalar(&self) -> Fr {
        self.0
    }
}

/// The prover's side: collects the proof while it absorbs it.
#[derive(Clone, Debug)]
pub struct KeccakWrite {
    transcript: zkml_protocol::Transcript,
    proof: Vec<u8>,
}

impl KeccakWrite {
    /// Starts a proof of `program`.
    pub fn new(program: &Program) -> Self {
        Self { transcript: program.transcript(), proof: Vec::new() }
    }

    /// The proof's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.proof
    }
}

/// The verifier's side: reads a proof and refuses anything but its canonical form.
#[derive(Clone, Debug)]
pub struct KeccakRead<'proof> {
    transcript: zkml_protocol::Transcript,
    rest: &'proof [u8],
}

impl<'proof> KeccakRead<'proof> {
    /// Starts reading a proof of `program`.
    pub fn new(program: &Program, proof: &'proof [u8]) -> Self {
        Self { transcript: program.transcript(), rest: proof }
    }

    /// Keeps every hash input, see [`KeccakRead::trace`].
    #[must_use]
    pub fn traced(self) -> Self {
        Self { transcript: self.transcript.traced(), ..self }
    }

    /// Hash inputs so far, one per squeezed challenge, if traced.
    pub fn trace(&self) -> &[Vec<u8>] {
        self.transcript.trace()
    }

    /// Bytes that were not read. A proof with any left over is not canonical.
    pub fn rest(&self) -> &'proof [u8] {
        self.rest
    }

    fn word(&mut self) -> io::Result<Word> {
        let (word, rest) = self
            .rest
            .split_first_chunk::<32>()
            .ok_or_else(|| io::Error::new(ErrorKind::UnexpectedEof, "the proof ends too early"))?;
        self.rest = rest;
        Ok(Word(*word))
    }
}

/// Both sides absorb and squeeze alike.
macro_rules! absorb_and_squeeze {
    ($transcript:ty) => {
        impl Transcript<G1Affine, KeccakChallenge> for $transcript {
            fn squeeze_challenge(&mut self) -> KeccakChallenge {
                KeccakChallenge::new(&self.transcript.squeeze())
            }

            fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
                let point = g1_words(&point);
                if point.is_identity() {
                    return Err(io::Error::new(ErrorKind::InvalidData, "a proof has no point at infinity"));
                }
                self.transcript.absorb_point(&point);
                Ok(())
            }

            fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
                self.transcript.absorb(&scalar_word(&scalar));
                Ok(())
            }
        }
    };
}

absorb_and_squeeze!(KeccakWrite);
absorb_and_squeeze!(KeccakRead<'_>);

impl TranscriptWrite<G1Affine, KeccakChallenge> for KeccakWrite {
    fn write_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.common_point(point)?;
        self.proof.extend_from_slice(&g1_words(&point).to_bytes());
        Ok(())
    }

    fn write_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.common_scalar(scalar)?;
        self.proof.extend_from_slice(&scalar_word(&scalar).0);
        Ok(())
    }
}

impl TranscriptRead<G1Affine, KeccakChallenge> for KeccakRead<'_> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        let words = G1 { x: self.word()?, y: self.word()? };
        let point = g1_from_words(&words).ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidData, format!("({}, {}) is not on the curve", words.x, words.y))
        })?;
        self.common_point(point)?;
        Ok(point)
    }

    fn read_scalar(&mut self) -> io::Result<Fr> {
        let word = self.word()?;
        let scalar = scalar_from_word(&word).ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidData, format!("{word} is not below the order of the group"))
        })?;
        self.common_scalar(scalar)?;
        Ok(scalar)
    }
}
