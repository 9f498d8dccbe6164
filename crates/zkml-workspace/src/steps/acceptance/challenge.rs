//! Demanding the proof of a result, and taking the bond of one whose proof has not come.

use crate::{
    artifacts::Artifacts,
    error::Result,
    observer::Observer,
    steps::{commit, compiled, funding::Funding, prove::input},
};
use std::path::PathBuf;
use zkml_contracts::acceptance::{self as abi, OPTIMISTIC, State, Status};
use zkml_deploy::{
    Address, DeployError, U256,
    acceptance::{Acceptance, PostedResult},
    amount,
    asset::Asset,
    chain::Chain,
    consumer::Consumer,
    error::AcceptanceError,
    keys::Account,
    rpc::Rpc,
    transaction::{Call, Limits},
};
use zkml_graph::Visibility;
use zkml_protocol::Word;

use super::{
    Purse,
    act::{has_path, wrong_state},
    report::{ResultReport, ResultView},
    short,
    stated::Stated,
    terms::units,
};

/// A proof to demand, or a bond to claim.
#[derive(Debug)]
pub struct Request {
    /// The chain.
    pub chain: Chain,
    /// The contract.
    pub consumer: Address,
    /// The result.
    pub id: Word,
    /// Take the bond instead: its proof was due and has not come.
    pub claim: bool,
    /// The most that may be set aside, as people write it.
    pub most: Option<String>,
    /// The deposit comes out of what is there in the contract.
    pub from_deposit: bool,
    /// The result's input, if it is known: then it is seen before whether the result is wrong.
    pub input: Option<PathBuf>,
    /// Which sample of a file of many.
    pub index: usize,
    /// The salts of the input, if it is committed to.
    pub salt_file: Option<PathBuf>,
    /// Demand the proof of a right result, too.
    pub even_if_right: bool,
    /// First block that it can have been posted in.
    pub from_block: u64,
    /// Most blocks that are read at once.
    pub range: u64,
    /// Folder in which it is remembered what was sent.
    pub folder: PathBuf,
    /// Patience and fees.
    pub limits: Limits,
    /// Stop before anything is sent.
    pub dry_run: bool,
}

/// Demands the proof, or claims. Artifacts are needed to look at an input only.
///
/// # Errors
/// [`AcceptanceError`]s before anything is spent, and those of the chain and the contract, with custom errors by name.
pub async fn run(
    observer: &dyn Observer,
    artifacts: Option<&Artifacts>,
    rpc: &Rpc,
    account: &Account,
    request: Request,
) -> Result<ResultReport> {
    let acceptance = Acceptance::at(rpc, request.consumer).await?;
    let blocks = request.from_block..=rpc.block_number().await?;
    let posted = acceptance.find(request.id, blocks, request.range).await?;
    let (status, now) = (acceptance.status(posted.id).await?, rpc.now().await?);
    let (result, policy) = (&posted.result, &posted.policy);
    let (mut call, mut before, mut right) = (Call::new("claim", request.consumer, Vec::new()), vec![], None);
    if request.claim {
        can_be_claimed(&posted, &status, now)?;
        call.data = abi::claim(result, policy);
    } else {
        can_be_challenged(&posted, &status, now)?;
        let asset = Asset::at(rpc, Address::from(policy.asset)).await?;
        let deposit = units(policy.deposit);
        if let Some(artifacts) = artifacts.filter(|_| request.input.is_some()) {
            right = agrees(artifacts, rpc, &request, &posted).await?;
        }
        if right == Some(true) && !request.even_if_right {
            let (id, deposit) = (posted.id, asset.show(deposit));
            return Err(DeployError::from(AcceptanceError::RightResult { id, deposit }).into());
        }
        within(&asset, deposit, request.most.as_deref())?;
        let (what, payer, from_deposit) = ("deposit", account.address(), request.from_deposit);
        let funding = Funding { what, asset, amount: deposit, payer, from_deposit };
        let consumer = Consumer::known(rpc, request.consumer);
        (call.value, before) = funding.plan(rpc, &consumer).await?;
        call = Call { what: "challenge".to_owned(), data: abi::challenge(result, policy), ..call };
    }
    let (chain, limits, folder) = (&request.chain, request.limits, &request.folder);
    let purse = Purse { observer, rpc, chain, account, limits, folder };
    let gas = purse.estimate(&call, &before).await?;
    let mut transaction = None;
    if !request.dry_run {
        transaction = Some(purse.send(&call, &before, &short(&posted.id)).await?.1);
    }
    let status = acceptance.status(posted.id).await?;
    let view = ResultView::of(rpc, request.consumer, &posted, &status).await?;
    Ok(ResultReport {
        chain_id: rpc.chain_id(),
        consumer: request.consumer,
        next: next(&view, request.claim, transaction.is_some()),
        result: view,
        call: call.what.clone(),
        calldata: format!("0x{}", hex::encode(&call.data)),
        estimated_gas: before.is_empty().then_some(gas),
        before: before.into_iter().map(|call| call.what).collect(),
        right,
        kept: Vec::new(),
        to_sign: None,
        transaction,
    })
}

fn can_be_challenged(posted: &PostedResult, status: &Status, now: u64) -> Result<()> {
    match status.state {
        State::Posted => {}
        State::Demanded => return wrong_state(posted, status, "its proof is due already"),
        _ => return wrong_state(posted, status, "it is over, and nothing can be demanded of it"),
    }
    has_path(posted, OPTIMISTIC, "optimistic")?;
    let end = posted.policy.challenge_end(status.since);
    if now > end {
        let (id, what) = (posted.id, "the time to demand the proof");
        return Err(DeployError::from(AcceptanceError::WindowClosed { id, what, end, now }).into());
    }
    Ok(())
}

fn can_be_claimed(posted: &PostedResult, status: &Status, now: u64) -> Result<()> {
    if status.state != State::Demanded {
        let wanted = "a bond is claimed of one whose proof is due, once";
        return wrong_state(posted, status, wanted);
    }
    if now <= status.until {
        let (id, what, end) = (posted.id, "the time for the proof", status.until);
        return Err(DeployError::from(AcceptanceError::WindowOpen { id, what, end, now }).into());
    }
    Ok(())
}

/// Refuses a deposit that nobody has allowed: it is the poster of the result who has named it.
fn within(asset: &Asset, deposit: U256, most: Option<&str>) -> Result<()> {
    let allowed = most.and_then(|text| amount::parse(text, asset.decimals)).unwrap_or_default();
    if deposit <= allowed {
        return Ok(());
    }
    let unit = if asset.is_coin() { "coins".to_owned() } else { format!("of {}", asset.address) };
    Err(DeployError::from(AcceptanceError::TooMuch {
        what: "deposit",
        amount: asset.show(deposit),
        most: most.unwrap_or("0").to_owned(),
        unit,
        flag: "--deposit",
    })
    .into())
}

/// True if the model gives the result's output for the input at hand. Outputs that are committed to under a salt of the poster's say nothing.
async fn agrees(
    artifacts: &Artifacts,
    rpc: &Rpc,
    request: &Request,
    posted: &PostedResult,
) -> Result<Option<bool>> {
    let (model, program) = (compiled::load(artifacts)?, compiled::program(artifacts)?);
    let pinned = Consumer::known(rpc, request.consumer).model().await?;
    pinned.check(request.consumer, &program)?;
    let path = request.input.as_deref();
    let values = input(artifacts, path, request.index)?;
    let salts = commit::private_path(artifacts, path, request.index, request.salt_file.as_deref());
    if model.graph().outputs.iter().any(|o| o.visibility == Visibility::Committed) {
        return Ok(None);
    }
    let stated = Stated::about(artifacts, &model, &program, &values, &salts)?;
    let (id, found, expected) = (posted.id, stated.data_commitment, posted.result.data_commitment);
    if found != expected {
        return Err(DeployError::from(AcceptanceError::OtherInput { id, found, expected }).into());
    }
    Ok(Some(stated.output_hash() == posted.result.output_hash))
}

fn next(result: &ResultView, claimed: bool, sent: bool) -> String {
    if !sent {
        return "nothing was sent".to_owned();
    }
    if claimed {
        return "what is yours in the contract is taken out by `zkml-chain rewards --withdraw`".to_owned();
    }
    let end = result.answer_until.unwrap_or_default();
    format!(
        "a proof until {end} makes the deposit its poster's; after that, half of the bond and the deposit are yours: --claim"
    )
}
