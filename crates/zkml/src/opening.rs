//! What only the prover may see: the salts of commitments, and the values behind them.

use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use std::fmt;
use zkml_graph::{Graph, TensorId, Trace, Visibility};
use zkml_protocol::{Code, Word, commitment::Role, field};

use crate::Commitment;

/// Why nothing was committed to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// A value does not fit what the commitment gives it.
    #[error(transparent)]
    Commit(#[from] zkml_poseidon::CommitError),
    /// The sumcheck back end does not commit to weights.
    #[error(transparent)]
    Weights(#[from] zkml_sumcheck::Error),
    /// No randomness for a salt.
    #[error("the system gives no randomness: {0}")]
    Randomness(rand_core::Error),
}

type Result<T> = std::result::Result<T, OpeningError>;

/// A secret field element. Debugging it prints nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(Word);

impl Salt {
    /// A new one, uniform below the order of the scalar field, from the system's randomness.
    ///
    /// # Errors
    /// [`OpeningError::Randomness`] when the system has none to give.
    pub fn fresh() -> Result<Self> {
        Self::draw(|bytes| OsRng.try_fill_bytes(bytes)).map_err(OpeningError::Randomness)
    }

    /// The first canonical element among what `fill` gives. The order has 254 bits, so about three of four draws of
    /// that many bits are below it; reducing the others would make some salts likelier than others.
    fn draw<E>(
        mut fill: impl FnMut(&mut [u8; 32]) -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        loop {
            let mut bytes = [0; 32];
            fill(&mut bytes)?;
            bytes[0] &= 0x3f;
            if field::is_canonical(&Word(bytes)) {
                return Ok(Self(Word(bytes)));
            }
        }
    }

    /// The element itself, for the prover.
    pub fn reveal(&self) -> Word {
        self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// What a commitment covers.
#[derive(Clone)]
pub struct Preimage {
    /// Its role.
    pub role: Role,
    /// Name of the input or output; `weights` for a model's.
    pub name: String,
    /// The tensors.
    pub parts: Vec<Part>,
}

/// A way to commit.
pub trait Commits {
    /// Digest of the verifier program of which it takes the vectors that values lie in; none for a hash of the values themselves.
    fn program(&self, preimage: &Preimage) -> Option<Word>;

    /// The commitment under a salt.
    ///
    /// # Errors
    /// [`OpeningError`] when the values do not fit.
    fn commit(&self, preimage: &Preimage, salt: &Salt) -> Result<Word>;
}

/// Hashes all values with Poseidon.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hash;

impl Commits for Hash {
    fn program(&self, _: &Preimage) -> Option<Word> {
        None
    }

    fn commit(&self, preimage: &Preimage, salt: &Salt) -> Result<Word> {
        preimage.hash(salt)
    }
}

impl Preimage {
    /// The hash of the values under a salt.
    ///
    /// # Errors
    /// [`OpeningError::Commit`] when a value does not fit its code.
    pub fn hash(&self, salt: &Salt) -> Result<Word> {
        let parts: Vec<(Code, &[i64])> = self.parts.iter().map(|p| (p.code, p.values.as_slice())).collect();
        Ok(zkml_poseidon::commit(self.role, &salt.0, &parts)?)
    }
}

/// A tensor behind a commitment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// How its values are written.
    pub code: Code,
    /// The integers; none for weights, which lie in a file of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<i64>,
}

/// A commitment with its salt and what it covers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// What is committed to.
    pub role: Role,
    /// Name of the input or output; `weights` for a model's.
    pub name: String,
    /// Keccak-256 of the compiled model whose integers these are.
    pub model_hash: Word,
    /// The commitment.
    pub commitment: Word,
    /// Its salt.
    pub salt: Salt,
    /// Digest of the verifier program in whose vectors the values lie; none where the commitment is a hash of the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Word>,
    /// The tensors.
    pub parts: Vec<Part>,
}

impl Opening {
    /// An opening of `preimage` under a fresh salt.
    ///
    /// # Errors
    /// As [`Salt::fresh`], and [`OpeningError::Commit`] when a value does not fit its code.
    pub fn fresh(model_hash: Word, preimage: &Preimage) -> Result<Self> {
        Self::fresh_by(&Hash, model_hash, preimage)
    }

    /// As [`Opening::fresh`], of a commitment that is made in another way.
    ///
    /// # Errors
    /// As [`Salt::fresh`], and [`OpeningError`] when the values do not fit.
    pub fn fresh_by(by: &dyn Commits, model_hash: Word, preimage: &Preimage) -> Result<Self> {
        let salt = Salt::fresh()?;
        let Preimage { role, name, parts } = preimage.clone();
        let commitment = by.commit(preimage, &salt)?;
        Ok(Self { role, name, model_hash, commitment, salt, program: by.program(preimage), parts })
    }

    /// Whether it holds all values that it covers; weights lie elsewhere.
    pub fn holds_values(&self) -> bool {
        self.role != Role::Model
    }

    /// The commitment that its own salt and values give.
    ///
    /// # Errors
    /// [`OpeningError::Commit`] when a value does not fit its code.
    pub fn recompute(&self) -> Result<Word> {
        let Self { role, name, parts, .. } = self.clone();
        Preimage { role, name, parts }.hash(&self.salt)
    }

    /// Whether it opens `preimage` under the model of this hash.
    ///
    /// # Errors
    /// [`OpeningError::Commit`] when a value does not fit its code.
    pub fn opens(&self, model_hash: Word, preimage: &Preimage) -> Result<bool> {
        self.opens_by(&Hash, model_hash, preimage)
    }

    /// As [`Opening::opens`], of a commitment that is made in another way.
    ///
    /// # Errors
    /// [`OpeningError`] when the values do not fit.
    pub fn opens_by(&self, by: &dyn Commits, model_hash: Word, preimage: &Preimage) -> Result<bool> {
        Ok(self.is_about(by, model_hash, preimage) && by.commit(preimage, &self.salt)? == self.commitment)
    }

    /// Whether it is of a commitment of that kind to something of that name and model, whatever the values are.
    pub fn is_about(&self, by: &dyn Commits, model_hash: Word, preimage: &Preimage) -> bool {
        let own = (self.role, self.name.as_str(), self.model_hash, self.program);
        own == (preimage.role, preimage.name.as_str(), model_hash, by.program(preimage))
    }

    /// What everybody may see of it.
    pub fn stated(&self) -> Commitment {
        let codes = self.parts.iter().map(|p| p.code).collect();
        Commitment { role: self.role, name: self.name.clone(), commitment: self.commitment, codes }
    }
}

/// Neither values nor salts belong in logs.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({:?} `{}`, {})", self.role, self.name, self.commitment)
    }
}

impl fmt::Debug for Preimage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preimage({:?} `{}`)", self.role, self.name)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({:?})", self.code)
    }
}

/// Preimages of the inputs that are committed to.
pub fn inputs(graph: &Graph, values: &[Vec<i64>]) -> Vec<Preimage> {
    let committed = graph.inputs.iter().zip(values).filter(|((_, v), _)| *v == Visibility::Committed);
    let of = |((t, _), values): (&(TensorId, Visibility), &Vec<i64>)| Preimage {
        role: Role::Input,
        name: graph.tensor(*t).name.clone(),
        parts: vec![part(graph, *t, values)],
    };
    committed.map(of).collect()
}

/// Preimage of the private weights.
pub fn model(graph: &Graph, weights: &[Vec<i64>]) -> Option<Preimage> {
    let parts: Vec<Part> = graph.weights.iter().zip(weights).map(|(t, v)| part(graph, *t, v)).collect();
    (!parts.is_empty()).then(|| Preimage { role: Role::Model, name: "weights".into(), parts })
}

/// Preimages of the outputs that are committed to.
pub fn outputs(graph: &Graph, trace: &Trace) -> Vec<Preimage> {
    let committed = graph.outputs.iter().filter(|o| o.visibility == Visibility::Committed);
    let of = |o: &zkml_graph::Output| Preimage {
        role: Role::Output,
        name: o.name.clone(),
        parts: vec![part(graph, o.tensor, &trace.values[o.tensor.0 as usize])],
    };
    committed.map(of).collect()
}

fn part(graph: &Graph, t: TensorId, values: &[i64]) -> Part {
    let code = zkml_graph::Code::of(graph.tensor(t).bounds);
    Part { code: Code { bits: code.bits, signed: code.signed }, values: values.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preimage(values: &[i64]) -> Preimage {
        let code = Code { bits: 48, signed: true };
        Preimage { role: Role::Input, name: "x".into(), parts: vec![Part { code, values: values.to_vec() }] }
    }

    #[test]
    fn salts_beyond_the_order_are_drawn_again() {
        let mut draws = [[0xff; 32], field::SCALAR_MODULUS.0, [7; 32]].into_iter();
        let salt = Salt::draw(|bytes| {
            *bytes = draws.next().ok_or(())?;
            Ok::<(), ()>(())
        });
        assert_eq!(salt.map(|s| s.reveal()), Ok(Word([7; 32])));
    }

    #[test]
    fn salts_are_new_and_use_all_bits() {
        let salts: Vec<Word> = (0..64).map(|_| Salt::fresh().expect("randomness").reveal()).collect();
        let distinct: std::collections::BTreeSet<_> = salts.iter().collect();
        assert_eq!(distinct.len(), 64);
        assert!(salts.iter().all(field::is_canonical));
        assert!(salts.iter().any(|s| s.0[0] >= 0x20), "the highest bit is used");
    }

    #[test]
    fn an_opening_is_of_its_values_and_of_its_model_alone() {
        let opening = Opening::fresh(Word::ONE, &preimage(&[1, 2])).expect("commits");
        assert_eq!(opening.recompute().expect("fits"), opening.commitment);
        assert!(opening.opens(Word::ONE, &preimage(&[1, 2])).expect("fits"));
        assert!(!opening.opens(Word::ONE, &preimage(&[1, 3])).expect("fits"), "other values");
        assert!(!opening.opens(Word::ZERO, &preimage(&[1, 2])).expect("fits"), "another model");
        let renamed = Preimage { name: "y".into(), ..preimage(&[1, 2]) };
        assert!(!opening.opens(Word::ONE, &renamed).expect("fits"), "another input");
    }

    #[test]
    fn nothing_secret_is_printed() {
        // Long enough not to stand among the digits of a commitment by chance.
        const VALUE: i64 = 101_202_303_404;
        let opening = Opening::fresh(Word::ONE, &preimage(&[VALUE, 102])).expect("commits");
        let salt = opening.salt.reveal().to_string();
        let shown = format!("{opening:?} {:?} {:?}", opening.salt, preimage(&[VALUE]));
        assert!(!shown.contains(&salt[2..]) && !shown.contains(&VALUE.to_string()), "{shown}");
    }
}
