//! Proofs.

use std::{fmt, sync::Arc};

use halo2_proofs::{
    halo2curves::bn256::{Bn256, Fr},
    plonk::{create_proof, verify_proof},
    poly::{
        commitment::ParamsProver,
        kzg::{
            commitment::KZGCommitmentScheme,
            multiopen::{ProverSHPLONK, VerifierSHPLONK},
            strategy::SingleStrategy,
        },
    },
};
use zkml_curve::{scalar_from_word, scalar_word};
use zkml_graph::{System, Trace};
use zkml_protocol::Word;

use crate::{
    circuit::ModelCircuit,
    error::{ProverError, Refusal, Result},
    keys::Keys,
    transcript::{KeccakChallenge, KeccakRead, KeccakWrite},
    witness::{WitnessInputs, witness},
};

/// A proof with its public statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Public field elements: context, inputs, outputs.
    pub instances: Vec<Word>,
    /// The proof itself.
    pub bytes: Vec<u8>,
}

/// What a proof carries besides the values of a run.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Binding {
    /// Who may use the proof, where and when; zero when unbound.
    pub context: Word,
    /// The salt of each commitment of the statement, in its order: inputs, model, outputs. Secret.
    pub salts: Vec<Word>,
}

/// Salts are secret: they are counted, not shown.
impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let salts = format_args!("{} salts", self.salts.len());
        f.debug_struct("Binding").field("context", &self.context).field("salts", &salts).finish()
    }
}

/// The circuit with the values of a run, and its public field elements.
///
/// # Errors
/// [`ProverError::Witness`] for a run that is not one of this model, or a context or salt that is no field element.
pub fn assign(
    system: &System,
    circuit: &ModelCircuit,
    trace: &Trace,
    binding: &Binding,
) -> Result<(ModelCircuit, Vec<Fr>)> {
    let scalar = |what: &str, word: &Word| {
        scalar_from_word(word)
            .ok_or_else(|| ProverError::Witness(format!("the {what} is not below the field's modulus")))
    };
    let salts = binding.salts.iter().map(|s| scalar("salt of a commitment", s)).collect::<Result<_>>()?;
    let inputs = WitnessInputs { context: scalar("context", &binding.context)?, salts };
    let w = witness(system, &circuit.layout, trace, &inputs, circuit.last_row)?;
    let instances = w.instances.clone();
    Ok((ModelCircuit { witness: Some(Arc::new(w)), ..circuit.clone() }, instances))
}

/// The statement that a proof of a run would be about.
///
/// # Errors
/// [`ProverError::Witness`] for a run that is not one of this model, or a context or salt that is no field element.
pub fn instances(system: &System, keys: &Keys, trace: &Trace, binding: &Binding) -> Result<Vec<Word>> {
    let (_, instances) = assign(system, &keys.circuit, trace, binding)?;
    Ok(instances.iter().map(scalar_word).collect())
}

/// Proves a run of the model. The proof is checked before it is returned.
///
/// # Errors
/// As [`assign`] and [`prove_assigned`]; [`ProverError::Rejected`] if the proof does not hold.
pub fn prove(system: &System, keys: &Keys, trace: &Trace, binding: &Binding) -> Result<Proof> {
    let (circuit, instances) = assign(system, &keys.circuit, trace, binding)?;
    let proof = prove_assigned(keys, circuit, &instances)?;
    verify(keys, &proof)?;
    Ok(proof)
}

/// A proof of whatever values a circuit holds. Nobody checks it: with values that do not satisfy the circuit it is one
/// that verifiers must refuse.
///
/// # Errors
/// halo2's own, for a circuit that does not fit the key.
pub fn prove_assigned(keys: &Keys, circuit: ModelCircuit, instances: &[Fr]) -> Result<Proof> {
    let mut transcript = KeccakWrite::new(&keys.program);
    create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, KeccakChallenge, _, _, _>(
        keys.srs.params(),
        &keys.pk,
        &[circuit],
        &[&[instances]],
        rand_core::OsRng,
        &mut transcript,
    )?;
    Ok(Proof { instances: instances.iter().map(scalar_word).collect(), bytes: transcript.finish() })
}

/// halo2's own verdict on a proof.
///
/// # Errors
/// [`ProverError::Rejected`] is the verdict on a proof that does not hold.
pub fn verify(keys: &Keys, proof: &Proof) -> Result<()> {
    let (expected, got) = (keys.program.num_instances, proof.instances.len());
    if got != expected as usize {
        return Err(Refusal::Instances { expected, got }.into());
    }
    let instances: Vec<Fr> =
        proof.instances.iter().map(scalar_from_word).collect::<Option<_>>().ok_or(Refusal::Modulus)?;
    let mut transcript = KeccakRead::new(&keys.program, &proof.bytes);
    let params = keys.srs.params().verifier_params();
    verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, KeccakChallenge, _, _>(
        params,
        keys.pk.get_vk(),
        SingleStrategy::new(params),
        &[&[&instances]],
        &mut transcript,
    )
    .map_err(Refusal::from)?;
    if !transcript.rest().is_empty() {
        return Err(Refusal::Rest.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_are_not_shown() {
        let binding = Binding { context: Word::ZERO, salts: vec![Word([0xab; 32])] };
        let shown = format!("{binding:?}").to_lowercase();
        assert!(shown.contains("1 salts") && !shown.contains("abab") && !shown.contains("171"), "{shown}");
    }
}
