//! Asking a contract for an inference that somebody else proves.

use super::{
    commit, compiled,
    paying::{Offer, Paying, PaymentReport},
    prove::input,
    sending, statement,
    watch::input_of,
};
use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    observer::{Observer, Said, Total},
    private_file::{Opening, PrivateFile},
};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use zkml::Compiled;
use zkml_contracts::requests::{RequestState, request_inference, request_rewarded};
use zkml_deploy::{
    Address,
    chain::Chain,
    consumer::Consumer,
    keys::Account,
    rpc::Rpc,
    transaction::{Call, Limits},
};
use zkml_protocol::{
    Program, VerifierProgram, Word,
    binding::{self, Reward},
    envelope::Shape,
    keccak256,
};

/// What to ask for, and where.
#[derive(Debug)]
pub struct Request {
    /// The chain.
    pub chain: Chain,
    /// The contract that takes requests.
    pub consumer: Address,
    /// What is to be done with the output, as the application hashes it.
    pub action: Word,
    /// Last acceptable block time; otherwise [`Request::valid_for`] says.
    pub deadline: Option<u64>,
    /// Seconds from the last block's time to the deadline.
    pub valid_for: u64,
    /// File with the input; the sample kept from calibration when absent.
    pub input: Option<PathBuf>,
    /// Which sample of a file of many.
    pub index: usize,
    /// The private file with the salts of the inputs; the one beside the input when absent.
    pub salt_file: Option<PathBuf>,
    /// Why the input is to be believed.
    pub provenance: Vec<u8>,
    /// What it pays whoever proves it; nothing if none is offered.
    pub reward: Option<Offer>,
    /// Where a service looks for committed inputs.
    pub share: Option<PathBuf>,
    /// Patience and fees.
    pub limits: Limits,
    /// How long the answer is waited for.
    pub wait: Option<Duration>,
    /// Stop before anything is sent.
    pub dry_run: bool,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestReport {
    /// The model's name.
    pub model: String,
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub consumer: String,
    /// Who asks.
    pub subject: String,
    /// The commitment to the input.
    pub data_commitment: Word,
    /// The words that the contract is shown of it.
    pub input: String,
    /// Last acceptable block time.
    pub deadline: u64,
    /// Calldata of the transaction.
    pub calldata: String,
    /// Gas that it was estimated to take; none where tokens have to be paid in before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_gas: Option<u64>,
    /// What it pays whoever proves it, if it pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward: Option<PaymentReport>,
    /// What a service needs to prove it: the input and its salts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<PathBuf>,
    /// The request; none in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Made>,
}

/// A request that is on the chain.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// Its id.
    pub id: Word,
    /// The transaction.
    pub transaction: String,
    /// Its block.
    pub block: u64,
    /// Gas that it took.
    pub gas: u64,
    /// Where it stood when it was looked at last.
    pub state: &'static str,
}

/// Makes a request, and waits for its proof if that is wanted.
///
/// # Errors
/// An input that the model does not take, [`DeployError`](zkml_deploy::DeployError)s of the chain and the contract, with custom errors by name, and
/// [`Error::NotAnswered`].
pub async fn run(
    observer: &dyn Observer,
    artifacts: &Artifacts,
    rpc: &Rpc,
    account: &Account,
    request: Request,
) -> Result<RequestReport> {
    let (compiled, program) = (compiled::load(artifacts)?, compiled::program(artifacts)?);
    let consumer = Consumer::at(rpc, request.consumer).await?;
    consumer.model().await?.check(consumer.address(), &program)?;
    consumer.takes_requests().await?;
    let asked = Asked::about(artifacts, &compiled, &program, &request)?;
    let deadline = match request.deadline {
        Some(deadline) => deadline,
        None => rpc.now().await?.saturating_add(request.valid_for),
    };
    let (commitment, subject) = (asked.data_commitment, account.address());
    let paying = match &request.reward {
        Some(offer) => Some(Paying::plan(rpc, &consumer, subject, offer).await?),
        None => None,
    };
    let call = asked.call(&request, consumer.address(), deadline, paying.as_ref());
    let before = paying.as_ref().map_or(&[][..], |paying| &paying.before);
    // What needs a deposit cannot be tried before it is there; the first step towards it can.
    let first = before.first().unwrap_or(&call);
    let gas = sending::estimate(rpc, &request.chain, subject, first, &request.limits).await?;
    let estimated_gas = before.is_empty().then_some(gas);
    let (mut shared, mut made) = (Vec::new(), None);
    if !request.dry_run {
        // Before anybody can ask for them.
        if let Some(folder) = &request.share {
            shared = asked.share(artifacts, &request, folder, subject)?;
        }
        let reward = paying.as_ref().map(|paying| &paying.reward);
        let sent = sent_name(rpc.chain_id(), consumer.address(), subject, &request, commitment, reward);
        for step in before {
            let sent = artifacts.path(&format!("{sent}.{}.sent.json", step.what));
            sending::send(observer, rpc, account, step, request.limits, &sent).await?;
        }
        let sent = artifacts.path(&format!("{sent}.sent.json"));
        let mined = sending::send(observer, rpc, account, &call, request.limits, &sent).await?;
        let id = match reward {
            Some(reward) => consumer.requested_rewarded(&mined.receipt, subject, commitment, reward)?.id,
            None => consumer.requested(&mined.receipt, subject, commitment)?,
        };
        observer.said(&Said::Requested { id });
        let state = match request.wait {
            Some(patience) => {
                // It is on the chain: whoever cancels now gets the report all the same.
                let _work = observer.begun("waiting for the proof, at most", Total::Time(patience));
                answer(&consumer, id, patience, request.limits.poll).await?
            }
            None => consumer.request_state(id).await?,
        };
        made = Some(Made {
            id,
            transaction: mined.hash.to_string(),
            block: mined.receipt.block_number.unwrap_or_default(),
            gas: mined.receipt.gas_used,
            state: name(state),
        });
    }
    Ok(RequestReport {
        model: artifacts.model().to_owned(),
        chain_id: rpc.chain_id(),
        consumer: consumer.address().to_string(),
        subject: subject.to_string(),
        data_commitment: commitment,
        input: hex(&asked.input),
        deadline,
        calldata: hex(&call.data),
        estimated_gas,
        reward: paying.map(|paying| paying.report(deadline)),
        shared,
        request: made,
    })
}

/// Where it is remembered what was sent: the same command goes on with it, one that asks for something else does not.
fn sent_name(
    chain_id: u64,
    consumer: Address,
    subject: Address,
    request: &Request,
    commitment: Word,
    reward: Option<&Reward>,
) -> String {
    // The id of a request without number and deadline: all that a reward says.
    let paid = reward.map_or(Word::ZERO, |reward| reward.id(&binding::Request::default()));
    let mut asked = keccak256([&request.action.0[..], &commitment.0[..], &request.provenance[..]]);
    if reward.is_some() {
        asked = keccak256([&asked.0[..], &paid.0[..]]);
    }
    let short = |bytes: &[u8]| hex::encode(&bytes[..4]);
    format!(
        "requests/{chain_id}-{}-{}-{}",
        short(consumer.as_slice()),
        short(subject.as_slice()),
        short(&asked.0)
    )
}

/// What a request says of its input, and what it keeps for whoever proves.
struct Asked {
    data_commitment: Word,
    /// The words of the input section, unless that is one commitment.
    input: Vec<u8>,
    openings: Vec<Opening>,
}

impl Asked {
    fn about(
        artifacts: &Artifacts,
        compiled: &Compiled,
        program: &Program,
        request: &Request,
    ) -> Result<Self> {
        let path = request.input.as_deref();
        let values = input(artifacts, path, request.index)?;
        // What nobody could prove is not asked for.
        compiled.trace(&values)?;
        let preimages = commit::inputs(compiled.graph(), &values);
        let mut openings = Vec::new();
        if !preimages.is_empty() {
            let kept = commit::private_path(artifacts, path, request.index, request.salt_file.as_deref());
            openings = PrivateFile::keep(&kept, commit::model_hash(compiled.graph()), &preimages)?.openings;
        }
        let inputs = &program.statement().instances.inputs;
        let section = statement::section(inputs, &values, &openings).ok_or_else(|| {
            Error::content(&artifacts.path(file::PROGRAM), "its statement has no place for these inputs")
        })?;
        let shape = Shape::of(program)?;
        let shown = if shape.input_is_commitment { &[] } else { section.as_slice() };
        let input = shown.iter().flat_map(|word| word.0).collect();
        Ok(Self { data_commitment: shape.data_commitment(&section), input, openings })
    }

    /// The transaction that asks for it.
    fn call(&self, request: &Request, to: Address, deadline: u64, paying: Option<&Paying>) -> Call {
        let (action, deadline, data) = (request.action, Word::from_u64(deadline), self.data_commitment);
        let (input, provenance) = (&self.input, &request.provenance);
        match paying {
            Some(Paying { reward, value, .. }) => {
                let data = request_rewarded(action, deadline, data, reward, input, provenance);
                Call { value: *value, ..Call::new("requestRewarded", to, data) }
            }
            None => {
                let data = request_inference(action, deadline, data, input, provenance);
                Call::new("requestInference", to, data)
            }
        }
    }

    /// Puts input and salts where the service looks for them; none where all inputs are public.
    fn share(
        &self,
        artifacts: &Artifacts,
        request: &Request,
        folder: &Path,
        subject: Address,
    ) -> Result<Vec<PathBuf>> {
        if self.openings.is_empty() {
            return Ok(Vec::new());
        }
        let input = input_of(folder, &subject.into_array(), &self.data_commitment);
        let salts =
            statement::share(artifacts, (request.input.as_deref(), request.index), &input, &self.openings)?;
        Ok(vec![input, salts])
    }
}

/// Waits until the request is decided.
async fn answer(
    consumer: &Consumer<'_>,
    id: Word,
    patience: Duration,
    poll: Duration,
) -> Result<RequestState> {
    let end = tokio::time::Instant::now() + patience;
    loop {
        let state = consumer.request_state(id).await?;
        if state != RequestState::Pending {
            return Ok(state);
        }
        if tokio::time::Instant::now() >= end {
            return Err(Error::NotAnswered { request: id, seconds: patience.as_secs() });
        }
        tokio::time::sleep(poll).await;
    }
}

pub(super) fn name(state: RequestState) -> &'static str {
    match state {
        RequestState::None => "none",
        RequestState::Pending => "pending",
        RequestState::Fulfilled => "fulfilled",
        RequestState::Cancelled => "cancelled",
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
