//! One proof to a consumer on a chain: bound to its next nonce, handed in, final.

use super::{compiled, prove, sending, verify};
use crate::{
    artifacts::Artifacts,
    context_file::ContextFile,
    error::{Error, Result},
    observer::{Observer, Said},
    proof_file::{OutputValues, ProofFile},
    value,
};
use serde::Serialize;
use std::path::PathBuf;
use zkml_contracts::Submission;
use zkml_deploy::{
    Address, DeployError, U256,
    chain::Chain,
    consumer::{Consumer, PinnedModel},
    keys::Account,
    rpc::Rpc,
    transaction::{Limits, Mined},
};
use zkml_protocol::{Program, Word, binding::Context, binding::Registration};

/// What a proof's file of sent transactions ends in.
const SENT: &str = "sent.json";

/// What to hand in, and where.
#[derive(Debug)]
pub struct Request {
    /// The chain.
    pub chain: Chain,
    /// The consumer.
    pub consumer: Address,
    /// What the consumer is asked to do, as it hashes it.
    pub action: Word,
    /// Last acceptable block time; otherwise [`Request::valid_for`] says.
    pub deadline: Option<u64>,
    /// Seconds from the last block's time to the deadline.
    pub valid_for: u64,
    /// A proof that is there already, and what it is bound to.
    pub ready: Option<(PathBuf, Context)>,
    /// What to prove otherwise; its context is left empty.
    pub prove: prove::Request,
    /// Why the input is to be believed.
    pub provenance: Vec<u8>,
    /// Patience and fees.
    pub limits: Limits,
    /// Stop before anything is sent.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmitReport {
    /// The model's name.
    pub model: String,
    /// The chain.
    pub chain_id: u64,
    /// What the proof is bound to.
    pub bound: ContextFile,
    /// The proof file.
    pub proof: PathBuf,
    /// Its context as a file: with both, `submit` can be repeated.
    pub context_file: PathBuf,
    /// The outputs that the statement shows.
    pub outputs: Vec<OutputValues>,
    /// Gas that the transaction was estimated to take.
    pub estimated_gas: u64,
    /// The transaction; none in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Accepted>,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
}

/// A transaction that had the inference accepted.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Its hash.
    pub hash: String,
    /// Its block.
    pub block: u64,
    /// Gas that it took.
    pub gas: u64,
    /// What it cost on this chain, in wei; fees of another layer not included.
    pub fee: String,
    /// The commitment to the input, from the consumer's event.
    pub data_commitment: Word,
    /// How many transactions were offered for its nonce: more than one when the fee was raised.
    pub offers: usize,
}

/// Proves if there is no proof yet, hands it in, and waits until that is final.
///
/// # Errors
/// [`DeployError`]s of the chain and the consumer, with custom errors by name; those of [`prove::run`]. Before the
/// transaction is signed, it was tried on the last block.
pub async fn run(
    observer: &dyn Observer,
    artifacts: &mut Artifacts,
    rpc: &Rpc,
    account: &Account,
    request: Request,
) -> Result<SubmitReport> {
    let program = compiled::program(artifacts)?;
    let consumer = Consumer::at(rpc, request.consumer).await?;
    let model = consumer.model().await?;
    model.check(consumer.address(), &program)?;
    let bound = bind(observer, artifacts, rpc, &consumer, account.address(), &request).await?;
    let proof = bound.load(artifacts, &program)?;
    check_model(&consumer, &model, &program, &proof)?;
    let submission = Submission::new(&program, &proof.proof, &proof.instances)?;
    let call = consumer.hand_in(&submission, &bound.context, &request.provenance);
    let estimated_gas =
        sending::estimate(rpc, &request.chain, account.address(), &call, &request.limits).await?;
    let transaction = if request.dry_run {
        None
    } else {
        let mined =
            sending::send(observer, rpc, account, &call, request.limits, &bound.proof.with_extension(SENT))
                .await?;
        Some(accepted(&consumer, &mined, &bound.context)?)
    };
    Ok(SubmitReport {
        model: artifacts.model().to_owned(),
        chain_id: rpc.chain_id(),
        bound: ContextFile::from(&bound.context),
        proof: bound.proof,
        context_file: bound.context_file,
        outputs: proof.outputs,
        estimated_gas,
        transaction,
        unsafe_dev_srs: proof.unsafe_dev_srs,
    })
}

/// A proof that is bound to the consumer's next nonce.
struct Bound {
    context: Context,
    proof: PathBuf,
    context_file: PathBuf,
}

impl Bound {
    /// The proof, checked by the Rust verifier, and bound to this very context.
    fn load(&self, artifacts: &Artifacts, program: &Program) -> Result<ProofFile> {
        let (_, file) = verify::load(artifacts, Some(&self.proof), program)?;
        zkml_verifier::verify(program, &file.proof, &file.instances)?;
        let (found, expected) = (file.context, self.context.digest());
        if found != expected {
            let why = format!("it is bound to {found}, and {} says {expected}", self.context_file.display());
            return Err(Error::content(&self.proof, why));
        }
        Ok(file)
    }
}

async fn bind(
    observer: &dyn Observer,
    artifacts: &mut Artifacts,
    rpc: &Rpc,
    consumer: &Consumer<'_>,
    subject: Address,
    request: &Request,
) -> Result<Bound> {
    if let Some((proof, context)) = &request.ready {
        consumer.check_context(subject, context).await?;
        return Ok(Bound {
            context: *context,
            context_file: ContextFile::beside(proof),
            proof: proof.clone(),
        });
    }
    let now = rpc.now().await?;
    let deadline = request.deadline.unwrap_or_else(|| now.saturating_add(request.valid_for));
    let context = consumer.next_context(subject, deadline, request.action).await?;
    consumer.check_context(subject, &context).await?;
    let proof = request.prove.out.clone().unwrap_or_else(|| artifacts.path(&default_name(&context)));
    // What was sent may still be accepted: its proof, and what opens its outputs, must not be written over.
    if proof.with_extension(SENT).exists() {
        let (sent, context_file) =
            (ContextFile::read(&ContextFile::beside(&proof))?, ContextFile::beside(&proof));
        if sent.nonce == context.nonce && sent.deadline >= Word::from_u64(now) {
            observer.said(&Said::ProvenEarlier { proof: proof.clone() });
            consumer.check_context(subject, &sent).await?;
            return Ok(Bound { context: sent, proof, context_file });
        }
    }
    let proving =
        prove::Request { context: Some(context.digest()), out: Some(proof.clone()), ..request.prove.clone() };
    let proven = prove::run(observer, artifacts, &proving)?;
    observer.said(&Said::Proven { seconds: proven.seconds });
    let context_file = ContextFile::keep(&context, &proof)?;
    Ok(Bound { context, proof, context_file })
}

/// A proof that was made for one nonce of one subject at one consumer.
fn default_name(context: &Context) -> String {
    let short = |address: &[u8; 20]| hex::encode(&address[..4]);
    let (consumer, subject) = (short(&context.consumer), short(&context.subject));
    format!("proofs/{}-{consumer}-{subject}-{}.json", context.chain_id, value::decimal(&context.nonce))
}

/// With private weights, only the statement says which model it is about.
fn check_model(
    consumer: &Consumer<'_>,
    model: &PinnedModel,
    program: &Program,
    proof: &ProofFile,
) -> Result<()> {
    let registration = Registration::of(program, &proof.instances)?;
    if registration.model_hash == model.model_hash {
        return Ok(());
    }
    Err(DeployError::OtherModel {
        consumer: consumer.address().to_string(),
        what: "model hash",
        there: model.model_hash.to_string(),
        here: registration.model_hash.to_string(),
    }
    .into())
}

fn accepted(consumer: &Consumer<'_>, mined: &Mined, context: &Context) -> Result<Accepted> {
    let receipt = &mined.receipt;
    Ok(Accepted {
        hash: mined.hash.to_string(),
        block: receipt.block_number.unwrap_or_default(),
        gas: receipt.gas_used,
        fee: (U256::from(receipt.gas_used) * U256::from(receipt.effective_gas_price)).to_string(),
        data_commitment: consumer.accepted(receipt, context)?,
        offers: mined.offers,
    })
}
