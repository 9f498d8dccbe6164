//! A posted result gets on: it is attested, proven, counts, or is given up.

use crate::{artifacts::Artifacts, error::Result, observer::Observer, steps::compiled};
use std::{ops::RangeInclusive, path::PathBuf};
use zkml_contracts::acceptance::{
    self as abi, ATTESTED, Attestation, OPTIMISTIC, PROVEN, SAMPLED, State, Status,
};
use zkml_deploy::{
    Address, DeployError, U256,
    acceptance::{Acceptance, PostedResult, Round},
    chain::Chain,
    consumer::Consumer,
    error::AcceptanceError,
    keys::Account,
    rpc::Rpc,
    transaction::{Call, Limits},
};
use zkml_protocol::Word;

use super::{
    Purse, RESULTS, Source, Traced, ready, record,
    report::{ResultReport, ResultView},
    short,
};

/// The deed.
#[derive(Debug, Clone)]
pub enum Act {
    /// Have the application act on it.
    Finalise,
    /// Draw it, whose round is decided: it is spared, or its proof is due.
    Draw,
    /// Hand signatures in.
    Attest(Vec<Attestation>),
    /// Raise it to proven.
    Prove {
        /// Its input, where none was kept in this folder.
        input: Option<PathBuf>,
        /// Somebody asks for this input: where one was kept, that is refused. Otherwise what was kept is taken.
        named: bool,
        /// Which sample of a file of many.
        index: usize,
        /// The salts of the input.
        salt_file: Option<PathBuf>,
    },
    /// Take the bond back of one that counts for nothing.
    Release,
}

/// Which result, and what to do with it.
#[derive(Debug)]
pub struct Request {
    /// The chain.
    pub chain: Chain,
    /// The contract.
    pub consumer: Address,
    /// The result.
    pub id: Word,
    /// The deed.
    pub act: Act,
    /// First block that it can have been posted in, where this folder has no record of it.
    pub from_block: u64,
    /// Most blocks that are read at once.
    pub range: u64,
    /// Patience and fees.
    pub limits: Limits,
    /// Stop before anything is sent.
    pub dry_run: bool,
}

/// Does it, if the contract would take it now.
///
/// # Errors
/// [`AcceptanceError`]s, those of proving, and those of the chain and the contract, with custom errors by name.
pub async fn run(
    observer: &dyn Observer,
    artifacts: &Artifacts,
    rpc: &Rpc,
    account: &Account,
    request: Request,
) -> Result<ResultReport> {
    let acceptance = Acceptance::at(rpc, request.consumer).await?;
    let blocks = request.from_block..=rpc.block_number().await?;
    let posted = find(artifacts, rpc, &acceptance, request.id, blocks, request.range).await?;
    let status = acceptance.status(posted.id).await?;
    let now = rpc.now().await?;
    let (what, data) = match &request.act {
        Act::Finalise => {
            can_count(&posted, &status, now)?;
            ("accept", abi::accept(&posted.result, &posted.policy, &posted.output))
        }
        Act::Draw => {
            can_be_drawn(&acceptance, &posted, &status).await?;
            ("draw", abi::draw(&posted.result, &posted.policy))
        }
        Act::Attest(attestations) => {
            is_open(&posted, &status)?;
            has_path(&posted, ATTESTED, "attested")?;
            does_not_hold(&posted, &status, ATTESTED, "attested")?;
            acceptance.check_attestations(&posted.result, &posted.policy, attestations).await?;
            ("attest", abi::attest(&posted.result, &posted.policy, attestations))
        }
        Act::Prove { input, named, index, salt_file } => {
            can_be_proven(&posted, &status, now)?;
            let mut source = Source::kept(artifacts, &posted.result.data_commitment);
            if let Some(path) = input {
                if source.input.is_file() && *named {
                    let refused = AcceptanceError::InputKept { id: posted.id, kept: source.input };
                    return Err(DeployError::from(refused).into());
                }
                if !source.input.is_file() {
                    source = Source { input: path.clone(), index: *index, salts: salt_file.clone() };
                }
            }
            let pinned = Consumer::at(rpc, request.consumer).await?.model().await?;
            let program = compiled::program(artifacts)?;
            pinned.check(request.consumer, &program)?;
            let keys = compiled::keys(artifacts, compiled::load(artifacts)?, program)?;
            let context = posted.result.context(rpc.chain_id(), request.consumer.into_array()).digest();
            let proving = (posted.id, &posted.result);
            let traced = Traced::of(artifacts, &keys, &source)?;
            let ready = ready(observer, artifacts, &keys, proving, context, &source, traced)?;
            let proof = ready.prove(&keys)?;
            ("prove", abi::prove(&posted.result, &posted.policy, &proof.output, &proof.blob))
        }
        Act::Release => {
            let data = abi::release(&posted.result, &posted.policy);
            let refused = can_be_released(&posted, &status, now, account.address());
            // Of a model that nothing can be proven about any more, the contract takes what it refuses otherwise.
            if refused.is_err() && !acceptance.would_take(account.address(), &data).await? {
                refused?;
            }
            ("release", data)
        }
    };
    let call = Call::new(what, request.consumer, data);
    let folder = artifacts.path(RESULTS);
    let (chain, limits) = (&request.chain, request.limits);
    let purse = Purse { observer, rpc, chain, account, limits, folder: &folder };
    let estimated_gas = Some(purse.estimate(&call, &[]).await?);
    let mut transaction = None;
    if !request.dry_run {
        transaction = Some(purse.send(&call, &[], &short(&posted.id)).await?.1);
    }
    let status = acceptance.status(posted.id).await?;
    let result = ResultView::of(rpc, request.consumer, &posted, &status).await?;
    Ok(ResultReport {
        chain_id: rpc.chain_id(),
        consumer: request.consumer,
        next: next(&result, &request.act, transaction.is_some()),
        result,
        call: what.to_owned(),
        calldata: format!("0x{}", hex::encode(&call.data)),
        before: Vec::new(),
        estimated_gas,
        right: None,
        kept: Vec::new(),
        to_sign: None,
        transaction,
    })
}

/// The result of an id: from this folder's record, or from the contract's events.
pub(super) async fn find(
    artifacts: &Artifacts,
    rpc: &Rpc,
    acceptance: &Acceptance<'_>,
    id: Word,
    blocks: RangeInclusive<u64>,
    range: u64,
) -> Result<PostedResult> {
    if let Some(kept) = record::find(artifacts, rpc.chain_id(), acceptance.address(), id)? {
        return Ok(kept);
    }
    Ok(acceptance.find(id, blocks, range).await?)
}

/// Refuses a result whose paths are not open any more.
pub(super) fn is_open(posted: &PostedResult, status: &Status) -> Result<()> {
    if status.state == State::Posted {
        return Ok(());
    }
    wrong_state(posted, status, "only one that is posted, and whose proof is not due, can still be changed")
}

pub(super) fn wrong_state(posted: &PostedResult, status: &Status, wanted: &'static str) -> Result<()> {
    let state = status.state.name();
    Err(DeployError::from(AcceptanceError::WrongState { id: posted.id, state, wanted }).into())
}

fn does_not_hold(posted: &PostedResult, status: &Status, path: u8, name: &'static str) -> Result<()> {
    if status.held & path == 0 {
        return Ok(());
    }
    Err(DeployError::from(AcceptanceError::HoldsAlready { id: posted.id, path: name }).into())
}

async fn can_be_drawn(acceptance: &Acceptance<'_>, posted: &PostedResult, status: &Status) -> Result<()> {
    is_open(posted, status)?;
    has_path(posted, SAMPLED, "sampled")?;
    does_not_hold(posted, status, SAMPLED, "drawn")?;
    let (beacon, round) = (Address::from(posted.policy.beacon), status.round);
    if acceptance.round(beacon, round).await? == Round::Decided {
        return Ok(());
    }
    Err(DeployError::from(AcceptanceError::RoundWaiting { id: posted.id, round, beacon }).into())
}

pub(super) fn has_path(posted: &PostedResult, path: u8, name: &'static str) -> Result<()> {
    if posted.policy.has(path) {
        return Ok(());
    }
    Err(DeployError::from(AcceptanceError::NoSuchPath { id: posted.id, path: name }).into())
}

fn can_count(posted: &PostedResult, status: &Status, now: u64) -> Result<()> {
    let (id, policy) = (posted.id, &posted.policy);
    let deadline = U256::from_be_bytes(posted.result.deadline.0);
    if U256::from(now) > deadline && matches!(status.state, State::Posted | State::Proven) {
        let (what, end) = ("the time to act on the output", deadline.saturating_to());
        return Err(DeployError::from(AcceptanceError::WindowClosed { id, what, end, now }).into());
    }
    match status.state {
        State::Proven => Ok(()),
        State::Posted => {
            let held = status.held_at(policy, now);
            let number = (held & policy.paths).count_ones();
            if number >= u32::from(policy.required) {
                return Ok(());
            }
            let mut open = Vec::new();
            if policy.has(OPTIMISTIC) && held & OPTIMISTIC == 0 {
                open.push(format!(
                    "its proof can be demanded until {}, and now it is {now}",
                    policy.challenge_end(status.since)
                ));
            }
            if policy.has(SAMPLED) && held & SAMPLED == 0 {
                open.push(format!("round {} has not spared it", status.round));
            }
            if policy.has(ATTESTED) && held & ATTESTED == 0 {
                open.push("its keys have not signed".to_owned());
            }
            let (required, open) = (policy.required, open.join(", "));
            let refused = AcceptanceError::NotAcceptable { id, held: number, required, open };
            Err(DeployError::from(refused).into())
        }
        State::Demanded => wrong_state(posted, status, "its proof is due, and decides"),
        _ => wrong_state(posted, status, "only one that is posted or proven can still count"),
    }
}

fn can_be_proven(posted: &PostedResult, status: &Status, now: u64) -> Result<()> {
    match status.state {
        State::Demanded if now > status.until => {
            let (id, what, end) = (posted.id, "the time for the proof", status.until);
            Err(DeployError::from(AcceptanceError::WindowClosed { id, what, end, now }).into())
        }
        State::Posted | State::Demanded => Ok(()),
        State::Accepted if status.held & PROVEN == 0 => Ok(()),
        _ => wrong_state(posted, status, "there is nothing left to prove about it"),
    }
}

/// Refuses what only the poster may do, and only once; whether the result can still be drawn is for the contract to say.
fn can_be_released(posted: &PostedResult, status: &Status, now: u64, caller: Address) -> Result<()> {
    let (id, poster) = (posted.id, Address::from(posted.result.poster));
    if !matches!(status.state, State::Posted | State::Demanded) {
        return wrong_state(posted, status, "only one whose bond is set aside gives it back");
    }
    if caller != poster {
        return Err(DeployError::from(AcceptanceError::NotPoster { id, poster }).into());
    }
    let end = posted.policy.challenge_end(status.since);
    if status.state == State::Posted && posted.policy.has(OPTIMISTIC) && now <= end {
        let what = "the time to demand the proof";
        return Err(DeployError::from(AcceptanceError::WindowOpen { id, what, end, now }).into());
    }
    Ok(())
}

fn next(result: &ResultView, act: &Act, sent: bool) -> String {
    if !sent {
        return "nothing was sent".to_owned();
    }
    let id = result.id;
    match act {
        Act::Draw if result.state == "demanded" => format!("it was drawn: its proof has to come until {}, or its bond is lost: --prove {id}", result.answer_until.unwrap_or_default()),
        Act::Draw => format!("it was spared: have it count, --finalise {id}; after its deadline, take the bond back, --release {id}"),
        Act::Finalise => "the application has acted on it; what is yours in the contract is taken out by `zkml-chain rewards --withdraw`".to_owned(),
        Act::Attest(_) => format!("have it count, once as many paths hold as have to: --finalise {}", result.id),
        Act::Prove { .. } if result.state == "proven" => format!("bond and deposit are its poster's; have it count: --finalise {}", result.id),
        Act::Prove { .. } => "it was accepted before, and is proven now".to_owned(),
        Act::Release => "the bond is back in the poster's account in the contract; `zkml-chain rewards --withdraw` takes it out".to_owned(),
    }
}
