//! Several proofs as one batch in the local EVM, and what each of them costs there.

use crate::{
    artifacts::Artifacts,
    error::{Error, Result},
    observer::{Observer, Total},
    proof_file::OutputValues,
    steps::{
        calldata::{Packed, batch as calldata},
        commit::{self, Commitment},
        compiled,
        solidity::Sources,
        tamper::Refusal,
    },
};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use zkml_contracts::{Submission, first_refused, refused_place, verify_batch, verify_model};
use zkml_harness::{Evm, EvmConfig, Outcome, Stack, StackCode};
use zkml_protocol::{Program, Word, field};

/// Proofs to simulate.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    /// The proofs, in the order of the batch.
    pub proofs: &'a [PathBuf],
    /// Also try changed batches.
    pub tamper: bool,
    /// The answer of `CHAINID`; a local test chain's when absent.
    pub chain_id: Option<u64>,
}

/// The EVM's verdict on a batch.
#[derive(Debug, Clone, Serialize)]
pub struct BatchReport {
    /// True; a refused batch is an error with exit code 1.
    pub accepted: bool,
    /// The model's name.
    pub model: String,
    /// The proofs, in the order of the batch.
    pub proofs: Vec<Member>,
    /// Length of the verifier's runtime bytecode.
    pub runtime_bytes: usize,
    /// Gas of deploying the verifier.
    pub deploy_gas: u64,
    /// Gas of the transaction with all of them.
    pub tx_gas: u64,
    /// The same for each proof.
    pub gas_per_proof: u64,
    /// Gas of as many transactions with one proof each, by `ZKMLVerifier.verifyInference`.
    pub alone_gas: u64,
    /// Changed batches that were tried, and how each was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
}

/// One proof of a batch.
#[derive(Debug, Clone, Serialize)]
pub struct Member {
    /// The proof file.
    pub proof: PathBuf,
    /// Context that it is bound to; zero when unbound.
    pub context: Word,
    /// The outputs that the contract accepted.
    pub outputs: Vec<OutputValues>,
    /// The commitments in the statement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<Commitment>,
    /// Gas of a transaction with this proof alone, by `ZKMLVerifier.verifyInference`.
    pub alone_gas: u64,
}

/// Deploys verifier and stack, and lets `ZKMLVerifier` judge all proofs in one transaction.
///
/// # Errors
/// [`Error::Refused`] with the first proof that the contract refuses, [`Error::Accepted`] when it accepts a changed batch; as
/// [`calldata::run`] for proofs that do not go together; others when artifacts or tools are missing.
pub fn run(observer: &dyn Observer, artifacts: &Artifacts, request: &Request<'_>) -> Result<BatchReport> {
    let program = compiled::program(artifacts)?;
    let wanted = calldata::Request { proofs: request.proofs, ..Default::default() };
    let all = calldata::read(artifacts, &program, &wanted)?;
    let submissions: Vec<Submission> = all.iter().map(|each| each.submission.clone()).collect();
    let mut scene = Scene::deploy(observer, &program, &all, request.chain_id)?;
    let tx_gas = scene.judge(&submissions, request.proofs)?;
    let proofs = all.iter().map(|each| scene.member(&program, each)).collect::<Result<Vec<_>>>()?;
    let refusals = if request.tamper { scene.tamper(&submissions)? } else { vec![] };
    Ok(BatchReport {
        accepted: true,
        model: artifacts.model().to_owned(),
        runtime_bytes: scene.runtime_bytes,
        deploy_gas: scene.deploy_gas,
        tx_gas,
        gas_per_proof: tx_gas.div_ceil(proofs.len() as u64),
        alone_gas: proofs.iter().map(|each| each.alone_gas).sum(),
        refusals,
        unsafe_dev_srs: all.iter().any(|each| each.file.unsafe_dev_srs),
        proofs,
    })
}

/// A chain with the model's verifier, registered and routed to.
struct Scene {
    evm: Evm,
    stack: Stack,
    model: Word,
    runtime_bytes: usize,
    deploy_gas: u64,
}

impl Scene {
    fn deploy(
        observer: &dyn Observer,
        program: &Program,
        all: &[Packed],
        chain_id: Option<u64>,
    ) -> Result<Self> {
        let sources = Sources::print(program)?;
        let work = observer.start("compiling", Total::Time(Duration::from_secs(3)))?;
        let compiled = sources.compile()?;
        drop(work);
        let mut config = EvmConfig::default();
        config.chain_id = chain_id.unwrap_or(config.chain_id);
        let mut evm = Evm::new(config);
        let verifier = evm.deploy(&compiled.contract(&sources.names.verifier)?.creation)?;
        let stack = Stack::deploy(&mut evm, &StackCode::of(&compiled)?, &[verifier.address])?;
        let first = all.first().ok_or(Error::NotGiven { what: crate::error::Needed::Proofs })?;
        let model = stack.register(&mut evm, &first.registration)?;
        let (runtime_bytes, deploy_gas) = (verifier.code_bytes, verifier.gas);
        Ok(Self { evm, stack, model, runtime_bytes, deploy_gas })
    }

    /// Gas of the batch.
    fn judge(&mut self, batch: &[Submission], proofs: &[PathBuf]) -> Result<u64> {
        let call = self.evm.call(self.stack.verifier, &verify_batch(batch, self.model))?;
        match call.outcome {
            Outcome::Returned(_) => Ok(call.gas.transaction),
            _ => {
                Err(Error::Refused { by: "ZKMLVerifier", why: self.reason(batch, proofs, &call.describe())? })
            }
        }
    }

    /// The first proof that is refused alone, with its own error; else the batch's.
    fn reason(&mut self, batch: &[Submission], proofs: &[PathBuf], whole: &str) -> Result<String> {
        let Some((place, reason)) = self.first_refused(batch)? else { return Ok(whole.to_owned()) };
        let path = proofs.get(place).map(PathBuf::as_path).unwrap_or(Path::new("a proof"));
        Ok(format!("{}: {reason}; the batch of {}: {whole}", path.display(), batch.len()))
    }

    fn first_refused(&mut self, batch: &[Submission]) -> Result<Option<(usize, String)>> {
        let call = self.evm.call(self.stack.verifier, &first_refused(batch, self.model))?;
        let Outcome::Returned(answer) = &call.outcome else { return Ok(None) };
        Ok(refused_place(answer)
            .filter(|(place, _)| *place < batch.len())
            .map(|(place, reason)| (place, zkml_contracts::errors::describe(reason))))
    }

    fn member(&mut self, program: &Program, packed: &Packed) -> Result<Member> {
        let call = self.evm.call(self.stack.verifier, &verify_model(&packed.submission, self.model))?;
        if !matches!(call.outcome, Outcome::Returned(_)) {
            return Err(Error::Disagreement {
                accepts: "verifyBatch",
                refuses: "verifyInference",
                why: call.describe().into(),
            });
        }
        Ok(Member {
            proof: packed.path.clone(),
            context: packed.file.context,
            outputs: packed.file.outputs.clone(),
            commitments: commit::stated(program, &packed.file.instances),
            alone_gas: call.gas.transaction,
        })
    }

    /// Batches with one thing changed: all must be refused as a whole.
    fn tamper(&mut self, batch: &[Submission]) -> Result<Vec<Refusal>> {
        // A sumcheck comes before the pairing, and is refused by the verifier itself.
        let (expected, errors) = ("BatchRejected or ProofRejected", ["BatchRejected()", "ProofRejected()"]);
        let mut refusals = Vec::new();
        for (change, changed) in changes(batch) {
            let call = self.evm.call(self.stack.verifier, &verify_batch(&changed, self.model))?;
            let answer = call.describe();
            if !matches!(call.outcome, Outcome::Reverted(_)) || !errors.contains(&answer.as_str()) {
                return Err(Error::Accepted { change, expected, answer });
            }
            refusals.push(Refusal { change, answer, gas: call.gas.transaction });
        }
        Ok(refusals)
    }
}

fn changes(batch: &[Submission]) -> Vec<(&'static str, Vec<Submission>)> {
    let (first, last) = (0, batch.len().saturating_sub(1));
    let other = |place: usize| {
        let mut changed = batch.to_vec();
        if let Some(word) = changed.get_mut(place).and_then(|each| each.output.last_chunk_mut::<32>()) {
            *word = field::add(Word(*word), Word::ONE).0;
        }
        changed
    };
    let mut changes = vec![
        ("an output of the first proof changed by one unit", other(first)),
        ("an output of the last proof changed by one unit", other(last)),
    ];
    // Equal outputs exchanged are the same batch.
    if let Some(place) = batch.iter().position(|each| each.output != batch[first].output) {
        let mut exchanged = batch.to_vec();
        (exchanged[first].output, exchanged[place].output) =
            (batch[place].output.clone(), batch[first].output.clone());
        changes.push(("the outputs of two proofs exchanged", exchanged));
    }
    changes
}
