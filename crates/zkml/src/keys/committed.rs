//! Private weights of the sumcheck back end: committed to in the vectors of a program, and their ranges proven.

use std::sync::{Arc, PoisonError};
use zkml_protocol::Word;
use zkml_sumcheck::prover::PrivateWeights;

use super::Keys;
use crate::{
    Error, Observer, Opening, OpeningError, Preimage, Proof, Result, Role, Salt, Stage, Verifier,
    observer::begin, opening::Commits,
};

impl Commits for Keys {
    fn program(&self, preimage: &Preimage) -> Option<Word> {
        self.in_vectors(preimage).map(|keys| zkml_protocol::VerifierProgram::vk_digest(keys.program()))
    }

    fn commit(&self, preimage: &Preimage, salt: &Salt) -> std::result::Result<Word, OpeningError> {
        let Some(keys) = self.in_vectors(preimage) else { return preimage.hash(salt) };
        let values: Vec<Vec<i64>> = preimage.parts.iter().map(|p| p.values.clone()).collect();
        Ok(keys.weights_commitment(&self.compiled.system, &values, &salt.reveal())?)
    }
}

impl Keys {
    /// The keys in whose vectors a preimage lies.
    fn in_vectors(&self, preimage: &Preimage) -> Option<&zkml_sumcheck::Keys> {
        self.prover.sumcheck().filter(|_| preimage.role == Role::Model)
    }

    /// The private weights under the salt of their opening, if the sumcheck back end proves them; committed to once.
    pub(super) fn private(
        &self,
        keys: &zkml_sumcheck::Keys,
        openings: &[Opening],
    ) -> Result<Option<Arc<PrivateWeights>>> {
        let Some(opening) = openings.iter().find(|o| o.role == Role::Model) else { return Ok(None) };
        let mut known = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((salt, private)) = &*known
            && *salt == opening.salt
        {
            return Ok(Some(Arc::clone(private)));
        }
        let Self { compiled, .. } = self;
        let made = keys.commit_to_weights(&compiled.system, &compiled.weights, &opening.salt.reveal())?;
        let made = Arc::new(made);
        *known = Some((opening.salt.clone(), Arc::clone(&made)));
        Ok(Some(made))
    }

    /// What makes proofs about private weights as quick as others, to be kept for [`Keys::resume_weights`]: it is as secret as the
    /// weights. None where a proof takes nothing of the kind.
    ///
    /// # Errors
    /// [`Error::Sumcheck`] for weights that are not those of the model.
    pub fn weights_key(&self, opening: &Opening) -> Result<Option<Vec<u8>>> {
        let Some(keys) = self.prover.sumcheck() else { return Ok(None) };
        let private = self.private(keys, std::slice::from_ref(opening))?;
        Ok(private.map(|private| private.to_bytes()))
    }

    /// Takes what [`Keys::weights_key`] gave for the same opening.
    ///
    /// # Errors
    /// [`Error::Sumcheck`] or [`Error::OtherOpening`] for something else.
    pub fn resume_weights(&self, opening: &Opening, bytes: &[u8]) -> Result<()> {
        let Some(keys) = self.prover.sumcheck() else { return Ok(()) };
        let (compiled, salt) = (&self.compiled, opening.salt.reveal());
        let private = keys.weights_from_bytes(&compiled.system, &compiled.weights, &salt, bytes)?;
        if private.commitment() != opening.commitment {
            return Err(Error::OtherOpening { name: opening.name.clone() });
        }
        let mut known = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((opening.salt.clone(), Arc::new(private)));
        Ok(())
    }

    /// The verifier of proofs that committed weights lie in their ranges. None where proofs of runs say so themselves, or weights are
    /// public.
    ///
    /// # Errors
    /// [`Error::Sumcheck`] for a layout whose program contradicts itself.
    pub fn ranges(&self) -> Result<Option<Verifier>> {
        let Some(keys) = self.prover.sumcheck() else { return Ok(None) };
        Ok(keys.ranges_program()?.map(|program| Verifier::of(program.into())))
    }

    /// Proves once for all proofs about a commitment that the weights behind it lie in their ranges.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a model of which there is no such proof, [`Error::Sumcheck`], [`Error::Refused`] when the verifier
    /// refuses what the prover made.
    pub fn prove_ranges(&self, opening: &Opening, observer: &dyn Observer) -> Result<Proof> {
        begin(observer, Stage::Prove)?;
        let none = || Error::Malformed { what: "model", why: "no proof of ranges is made of it".into() };
        let Some(keys) = self.prover.sumcheck() else { return Err(none()) };
        let ranges = keys.ranges()?.ok_or_else(none)?;
        let private = self.private(keys, std::slice::from_ref(opening))?.ok_or_else(none)?;
        let made = ranges.prove(&self.compiled.weights, &private, &|p| observer.begins(p.into()))?;
        begin(observer, Stage::Verify)?;
        let program = zkml_protocol::Program::from(ranges.program().clone());
        zkml_verifier::verify(&program, &made.bytes, &made.instances)?;
        Ok(Proof::new(&program, made.instances, made.bytes)?)
    }
}
