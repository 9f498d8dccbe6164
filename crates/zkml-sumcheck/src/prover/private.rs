//! Private weights, committed to once: no program and no key of an architecture knows them.

use ff::Field;
use halo2curves::bn256::{Fr, G1Affine};
use zkml_curve::{g1_words, scalar_from_word};
use zkml_protocol::{Word, keccak256, sumcheck::weights_commitment};

use super::{ProvingKey, Witness, quotients};
use crate::{
    error::{Error, Result},
    integers::Integers,
    points::{Points, points_to_bytes},
};

/// Separates blinding coefficients from every other use of Keccak-256.
const BLIND_TAG: &[u8] = b"zkml-chain/sumcheck-weights/v1";

/// The vector `V` with the commitments to its parts. All of it is secret but the commitments, and what saves operations linear
/// in the weights as well: it follows from them.
#[derive(Clone)]
pub struct PrivateWeights {
    values: Vec<Fr>,
    /// Coefficients at `X^N` of its parts, the same in every proof: an opening ignores them.
    blinds: Vec<Fr>,
    commitments: Vec<G1Affine>,
    quotients: Vec<Vec<G1Affine>>,
}

/// Values are secret.
impl std::fmt::Debug for PrivateWeights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateWeights").field("commitment", &self.commitment()).finish_non_exhaustive()
    }
}

/// A blinding coefficient for each part, all from one salt. Sixty-four bytes leave nothing of their distribution but a bias of
/// about `2^-258`.
fn blinds(salt: &Word, count: usize) -> Vec<Fr> {
    let half = |part: usize, half: u8| {
        let hash = keccak256([BLIND_TAG, &salt.0, &(part as u64).to_be_bytes(), &[half]]);
        scalar_from_word(&zkml_protocol::field::reduce(hash)).unwrap_or(Fr::ZERO)
    };
    let shift = Fr::from(2).pow_vartime([256]);
    (0..count).map(|part| half(part, 0) * shift + half(part, 1)).collect()
}

impl ProvingKey {
    /// Commits to private weights: `values` are the vector `V`, `salt` is what hides it, drawn once and kept.
    ///
    /// # Errors
    /// [`Error::Defect`] for a vector of another length, or where the program has none.
    pub fn commit_to_weights(&self, values: Vec<Fr>, salt: &Word) -> Result<PrivateWeights> {
        let blinds = blinds(salt, self.shape.private_parts as usize);
        self.private_weights(values, blinds)
    }

    /// As [`ProvingKey::commit_to_weights`], with these coefficients at `X^N`.
    pub(crate) fn private_weights(&self, values: Vec<Fr>, blinds: Vec<Fr>) -> Result<PrivateWeights> {
        let integers = Integers::from(&values[..]);
        let commitments = self.commitments_to(&integers, &blinds)?;
        let quotients = quotients(&integers, &self.program.opening, &self.powers);
        Ok(PrivateWeights { values, blinds, commitments, quotients })
    }

    fn commitments_to(&self, values: &Integers, blinds: &[Fr]) -> Result<Vec<G1Affine>> {
        let (length, parts) = (self.program.opening.length() as usize, self.shape.private_parts as usize);
        if values.len() != length * parts || blinds.len() != parts || parts == 0 {
            return Err(Error::Defect("private weights do not fit the program".into()));
        }
        let parts = values.parts(length).zip(blinds);
        Ok(parts.map(|(part, blind)| self.blinded(values.sum(part, &self.powers), *blind)).collect())
    }

    /// [`PrivateWeights::commitment`] without the quotients, which take nearly all of the time.
    ///
    /// # Errors
    /// As [`ProvingKey::commit_to_weights`].
    pub fn weights_commitment(&self, values: &[Fr], salt: &Word) -> Result<Word> {
        let blinds = blinds(salt, self.shape.private_parts as usize);
        Ok(commitment(&self.commitments_to(&Integers::from(values), &blinds)?))
    }

    /// Takes apart what [`PrivateWeights::to_bytes`] gave. That the points are those of these values and this salt is not checked: a
    /// proof with others is refused, as is one about another commitment.
    ///
    /// # Errors
    /// [`Error::BadKey`] for another length, and for what is no point.
    pub fn private_from_bytes(&self, values: Vec<Fr>, salt: &Word, bytes: &[u8]) -> Result<PrivateWeights> {
        let blinds = blinds(salt, self.shape.private_parts as usize);
        let lengths = super::quotient_lengths(&Integers::from(&values[..]), &self.program.opening);
        let all: Vec<usize> = std::iter::once(blinds.len()).chain(lengths).collect();
        let mut quotients = Points::read(bytes)?.split(&all)?;
        let commitments = quotients.remove(0);
        Ok(PrivateWeights { values, blinds, commitments, quotients })
    }

    /// The private weights of a witness, as the program wants them.
    pub(super) fn private_of<'a>(&self, witness: &'a Witness) -> Result<Option<&'a PrivateWeights>> {
        match (witness.private.as_deref(), self.shape.private_parts) {
            (None, 0) => Ok(None),
            (Some(private), parts) if parts > 0 && private.commitments.len() == parts as usize => {
                Ok(Some(private))
            }
            (Some(_), _) => Err(Error::Witness("private weights of another model".into())),
            (None, _) => Err(Error::Witness("the private weights are missing".into())),
        }
    }
}

fn commitment(points: &[G1Affine]) -> Word {
    weights_commitment(&points.iter().map(g1_words).collect::<Vec<_>>())
}

impl PrivateWeights {
    /// Weights of which nobody looks at a point: for those who ask what a proof says.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn without_points(values: Vec<Fr>, blinds: Vec<Fr>) -> Self {
        let commitments = vec![G1Affine::default(); blinds.len()];
        let quotients = vec![vec![]; blinds.len()];
        Self { values, blinds, commitments, quotients }
    }

    /// What the statement shows of them.
    pub fn commitment(&self) -> Word {
        commitment(&self.commitments)
    }

    /// The same as a field element.
    pub(crate) fn instance(&self) -> Fr {
        scalar_from_word(&self.commitment()).unwrap_or(Fr::ZERO)
    }

    pub(crate) fn commitments(&self) -> &[G1Affine] {
        &self.commitments
    }

    pub(crate) fn values(&self) -> &[Fr] {
        &self.values
    }

    /// The commitments and what saves operations linear in the weights, as bytes. They are as secret as the weights.
    pub fn to_bytes(&self) -> Vec<u8> {
        points_to_bytes(self.commitments.iter().chain(self.quotients.iter().flatten()))
    }

    /// Quotients and blinding coefficient of each part.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&[G1Affine], Fr)> {
        self.quotients.iter().zip(&self.blinds).map(|(quotients, blind)| (quotients.as_slice(), *blind))
    }
}
