//! Posting a result: the statement by the integer model, a bond instead of a proof, and all that a proof would need kept before.

use crate::{
    artifacts::Artifacts,
    error::Result,
    observer::Observer,
    steps::{commit, compiled, funding::Funding, prove::input, statement},
};
use std::path::PathBuf;
use zkml_contracts::acceptance::{
    ATTESTATION_TYPE, ATTESTED, Attestation, OPTIMISTIC, Policy, Posted, Posting, SAMPLED, State, Status,
    post_result,
};
use zkml_deploy::{
    Address, DeployError, U256,
    acceptance::{Acceptance, PostedResult},
    asset::Asset,
    beacon,
    chain::Chain,
    consumer::Consumer,
    error::AcceptanceError,
    keys::Account,
    rpc::Rpc,
    transaction::{Call, Limits},
};
use zkml_protocol::{Word, binding, keccak256};

use super::{
    Purse, RESULTS, record,
    report::{ResultReport, ResultView},
    short,
    stated::{Stated, folder_of},
    terms::{Terms, units},
};

/// A result to post, its place, and its price.
#[derive(Debug)]
pub struct Request {
    /// The chain.
    pub chain: Chain,
    /// The contract.
    pub consumer: Address,
    /// The application's action, as it hashes it.
    pub action: Word,
    /// Last block time at which the application may act on it; otherwise [`Request::valid_for`] says.
    pub deadline: Option<u64>,
    /// Seconds from the end of all windows, and of the longest wait for the draw, to the deadline.
    pub valid_for: u64,
    /// File with the input; the sample kept from calibration when absent.
    pub input: Option<PathBuf>,
    /// Which sample of a file of many.
    pub index: usize,
    /// The private file with the salts of the inputs; the one beside the input when absent.
    pub salt_file: Option<PathBuf>,
    /// Why the input is to be believed.
    pub provenance: Vec<u8>,
    /// The policy.
    pub terms: Terms,
    /// Signatures that go along.
    pub attestations: Vec<Attestation>,
    /// The bond comes out of the deposit in the contract.
    pub from_deposit: bool,
    /// Patience and fees.
    pub limits: Limits,
    /// Stop before anything is sent.
    pub dry_run: bool,
}

/// Posts a result.
///
/// # Errors
/// An input that the model does not take; [`AcceptanceError`]s, with the flag that mends them; those of the chain and the contract, with custom
/// errors by name.
pub async fn run(
    observer: &dyn Observer,
    artifacts: &Artifacts,
    rpc: &Rpc,
    account: &Account,
    request: Request,
) -> Result<ResultReport> {
    let (model, program) = (compiled::load(artifacts)?, compiled::program(artifacts)?);
    let acceptance = Acceptance::at(rpc, request.consumer).await?;
    let consumer = Consumer::at(rpc, request.consumer).await?;
    let pinned = consumer.model().await?;
    pinned.check(request.consumer, &program)?;
    let poster = account.address();
    let asset = Asset::at(rpc, request.terms.token.unwrap_or_default()).await?;
    let policy = request.terms.policy(&asset, poster)?;
    acceptance.check_contracts(&policy).await?;
    let deadline = deadline(rpc, &request, &policy).await?;
    let (path, index) = (request.input.as_deref(), request.index);
    let values = input(artifacts, path, index)?;
    let salts = commit::private_path(artifacts, path, index, request.salt_file.as_deref());
    let stated = Stated::about(artifacts, &model, &program, &values, &salts)?;
    let context = consumer.next_context(poster, deadline, request.action).await?;
    let result = Posted {
        poster: poster.into_array(),
        subject: poster.into_array(),
        nonce: context.nonce,
        deadline: context.deadline,
        action: request.action,
        data_commitment: stated.data_commitment,
        output_hash: stated.output_hash(),
        model_id: pinned.id,
    };
    let id = result.id(&policy, rpc.chain_id(), request.consumer.into_array());
    if !request.attestations.is_empty() {
        acceptance.check_attestations(&result, &policy, &request.attestations).await?;
    }
    let (value, before) = bond(&request, &policy, asset, poster).plan(rpc, &consumer).await?;
    let posting = Posting {
        deadline: result.deadline,
        data_commitment: result.data_commitment,
        output: &stated.output,
        provenance: &request.provenance,
        attestations: &request.attestations,
    };
    let data = post_result(request.action, &posting, &policy);
    let call = Call { value, ..Call::new("postResult", request.consumer, data) };
    let folder = artifacts.path(RESULTS);
    let purse =
        Purse { observer, rpc, chain: &request.chain, account, limits: request.limits, folder: &folder };
    let gas = purse.estimate(&call, &before).await?;
    let mut posted = PostedResult { id, result, policy, output: stated.output.clone() };
    let mut kept = Vec::new();
    let (mut transaction, mut status) =
        (None, Status { state: State::None, held: 0, since: 0, until: 0, round: 0 });
    if !request.dry_run {
        // Whoever has a bond at stake must be able to prove, whatever happens from here on.
        let own = folder_of(artifacts, &stated.data_commitment).join("input.json");
        let private = statement::share(artifacts, (path, index), &own, &stated.inputs)?;
        kept = vec![record::keep(artifacts, rpc.chain_id(), request.consumer, &posted)?, own];
        kept.extend((!stated.inputs.is_empty()).then_some(private));
        let (mined, sent) = purse.send(&call, &before, &about(&request, &posted)).await?;
        let found = acceptance.of_receipt(&mined.receipt, poster, stated.data_commitment)?;
        if found != posted {
            // An interrupted run had posted it, with the deadline of that time.
            kept[0] = record::keep(artifacts, rpc.chain_id(), request.consumer, &found)?;
            posted = found;
        }
        status = acceptance.status(posted.id).await?;
        transaction = Some(sent);
    }
    let result = ResultView::of(rpc, request.consumer, &posted, &status).await?;
    Ok(ResultReport {
        chain_id: rpc.chain_id(),
        consumer: request.consumer,
        next: next(&result, transaction.is_some(), &posted.policy),
        to_sign: (posted.policy.has(ATTESTED) && request.attestations.is_empty())
            .then(|| typed_data(rpc.chain_id(), request.consumer, &posted.result, deadline)),
        result,
        call: call.what.clone(),
        calldata: format!("0x{}", hex::encode(&call.data)),
        estimated_gas: before.is_empty().then_some(gas),
        before: before.into_iter().map(|call| call.what).collect(),
        right: None,
        kept,
        transaction,
    })
}

/// The deadline that was asked for, if it leaves time for all windows, and for the draw where the result needs it; or one that does.
async fn deadline(rpc: &Rpc, request: &Request, policy: &Policy) -> Result<u64> {
    let now = rpc.now().await?;
    let (mut earliest, beacon) = (now.saturating_add(policy.time()), Address::from(policy.beacon));
    let early = request.deadline.filter(|deadline| *deadline < earliest);
    if let Some(deadline) = early {
        return Err(DeployError::from(AcceptanceError::DeadlineTooSoon { deadline, earliest }).into());
    }
    if waits_for_its_draw(policy)
        && let Some(decided) = beacon::decided_by(rpc, &request.chain, beacon, now).await?
    {
        earliest = earliest.max(decided.saturating_add(policy.answer_window.into()));
        let early = request.deadline.filter(|deadline| *deadline < earliest);
        if let Some(deadline) = early {
            let refused = AcceptanceError::DeadlineBeforeDraw { deadline, decided, earliest };
            return Err(DeployError::from(refused).into());
        }
    }
    Ok(request.deadline.unwrap_or_else(|| earliest.saturating_add(request.valid_for)))
}

/// True if the other paths are too few without the draw.
fn waits_for_its_draw(policy: &Policy) -> bool {
    let others = policy.paths & !SAMPLED;
    policy.has(SAMPLED) && others.count_ones() < u32::from(policy.required)
}

/// The bond. One that counts at once, by its signatures, needs none.
fn bond(request: &Request, policy: &Policy, asset: Asset, payer: Address) -> Funding {
    let at_once = !request.attestations.is_empty() && policy.required == 1;
    let amount = if at_once { U256::ZERO } else { units(policy.bond) };
    Funding { what: "bond", asset, amount, payer, from_deposit: request.from_deposit }
}

/// All that a repeated command has in common with the first one: all but nonce and deadline.
fn about(request: &Request, posted: &PostedResult) -> String {
    let (result, policy) = (&posted.result, posted.policy.hash());
    let provenance = keccak256([&request.provenance[..]]);
    let parts =
        [request.action, result.data_commitment, result.output_hash, result.model_id, policy, provenance];
    let consumer = request.consumer.into_array();
    short(&keccak256(parts.iter().map(|word| word.0.as_slice()).chain([consumer.as_slice()])))
}

/// The next step, and the money that can be lost until then.
fn next(result: &ResultView, sent: bool, policy: &Policy) -> String {
    if !sent {
        return "nothing was sent; without --dry-run it is posted, and the bond set aside".to_owned();
    }
    if result.state == "accepted" {
        return "the application has acted on it".to_owned();
    }
    let mut all = Vec::new();
    if policy.has(OPTIMISTIC | SAMPLED) {
        all.push(format!(
            "keep `zkml-chain watch --results` running: if its proof is demanded or drawn and does not come within {} s, the bond of {} is lost",
            policy.answer_window, result.bond
        ));
    }
    if policy.has(SAMPLED) {
        all.push(format!(
            "once round {} is decided, `watch` draws it, and so does --draw {}",
            result.round.unwrap_or_default(),
            result.id
        ));
    }
    if policy.has(ATTESTED) {
        all.push(format!("have the keys sign, and hand that in: --attest {} --attestation FILE", result.id));
    }
    let when = result.challenge_until.map_or_else(String::new, |end| format!(" after {end}"));
    all.push(format!("then have it count{when}: --finalise {}", result.id));
    all.join("; ")
}

/// The message that an attesting key signs, as wallets take it (EIP-712). The signer chooses for how long its word counts, up to the deadline.
fn typed_data(chain_id: u64, consumer: Address, result: &Posted, deadline: u64) -> serde_json::Value {
    let fields = |ty: &str| -> Vec<_> {
        let members = ty.split_once('(').map_or("", |(_, members)| members.trim_end_matches(')'));
        let pairs = members.split(',').filter_map(|member| member.split_once(' '));
        pairs.map(|(ty, name)| serde_json::json!({ "name": name, "type": ty })).collect()
    };
    let (domain, fields) = (fields(binding::DOMAIN_TYPE), fields(ATTESTATION_TYPE));
    serde_json::json!({
        "domain": {
            "name": binding::DOMAIN_NAME,
            "version": binding::DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": consumer,
        },
        "primaryType": "ZKMLAttestation",
        "types": { "EIP712Domain": domain, "ZKMLAttestation": fields },
        "message": {
            "modelId": crate::value::decimal(&result.model_id),
            "statement": result.statement(chain_id, consumer.into_array()),
            "outputHash": result.output_hash,
            "issuedAt": 0,
            "validUntil": deadline,
        },
    })
}
