//! From a plan to a chain: what it would cost, and doing it, step by step, so that it can be interrupted anywhere.

use std::collections::{BTreeMap, BTreeSet};

use alloy::rpc::types::TransactionReceipt;
use serde::Serialize;

use crate::{
    Address, DeployError, Result, U256,
    keys::Account,
    plan::{Part, Plan, State},
    preflight::{self, Check},
    record::{Record, Status, Transaction},
    rpc::{Fees, Rpc},
    transaction::{Call, Earlier, Limits, Signed, send_and_wait},
};

/// What to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The parts that are wanted.
    pub parts: BTreeSet<Part>,
    /// Patience and fees.
    pub limits: Limits,
    /// Gas of each part in a local EVM: for those that a chain cannot be asked about before others are there.
    pub simulated: BTreeMap<Part, u64>,
}

/// Who says how much gas a step takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The chain.
    Chain,
    /// A local EVM.
    LocalEvm,
}

/// What is to be done for a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Todo {
    /// Nothing: it is there.
    There,
    /// Nothing: it is there, and comes into force at a block time.
    #[serde(rename_all = "camelCase")]
    Waiting {
        /// That time.
        active_from: u64,
    },
    /// A transaction.
    Send {
        /// Gas that it takes.
        gas: u64,
        /// Who says so.
        source: Source,
    },
    /// Nothing: it comes with the router.
    WithRouter,
    /// A transaction of somebody else.
    Theirs {
        /// Who must send it.
        by: Address,
        /// To which contract.
        to: Address,
        /// Its calldata.
        data: String,
    },
    /// It must wait for a part that somebody else makes.
    Blocked {
        /// That part.
        on: Part,
    },
}

/// A part of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which.
    pub part: Part,
    /// The contract's address, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What is to be done for it.
    #[serde(flatten)]
    pub todo: Todo,
}

/// What a deployment would do and cost.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// What was looked at.
    pub checks: Vec<Check>,
    /// The parts that were asked for, in order.
    pub steps: Vec<Step>,
    /// Who would send.
    pub sender: Address,
    /// Gas of all transactions.
    pub gas: u64,
    /// The fee of a unit of gas that the cost is computed with, in wei: what would be offered now, at most. A transaction
    /// that nobody takes is offered for more, within the limits that the caller set.
    pub max_fee: u128,
    /// What publication on another layer costs on top, in wei.
    pub l1_fee: U256,
    /// So much at that fee, in wei.
    pub cost: U256,
    /// What the sender has, in wei.
    pub balance: U256,
}

/// Looks at everything, and sends nothing.
///
/// # Errors
/// As [`preflight::run`] and [`Plan::look`]; [`DeployError::PartMissing`]. That the sender cannot pay is not an error here:
/// [`Preview::affordable`] says it.
pub async fn preview(rpc: &Rpc, plan: &Plan, sender: Address, options: &Options) -> Result<Preview> {
    let checks = preflight::run(rpc, &plan.chain, &plan.package).await?;
    plan.check_existing(rpc).await?;
    let mut looks = Looks { rpc, plan, sender, options, known: BTreeMap::new() };
    let (mut steps, mut l1_fee, mut gas) = (Vec::new(), U256::ZERO, 0u64);
    for part in Part::ALL.into_iter().filter(|part| options.parts.contains(part)) {
        let (todo, call) = looks.todo(part).await?;
        if let (Todo::Send { gas: own, .. }, Some(call)) = (&todo, &call) {
            gas = gas.saturating_add(*own);
            l1_fee += preflight::l1_fee(rpc, &plan.chain, &call.data).await?;
        }
        steps.push(Step { part, address: plan.placed(part).map(|placed| placed.address), todo });
    }
    let fees: Fees = rpc.fees().await?.capped(options.limits.max_fee);
    let cost = U256::from(gas) * U256::from(fees.max) + l1_fee;
    let balance = rpc.balance(sender).await?;
    Ok(Preview { checks, steps, sender, gas, max_fee: fees.max, l1_fee, cost, balance })
}

impl Preview {
    /// Whether the sender can pay for all of it.
    ///
    /// # Errors
    /// [`DeployError::InsufficientFunds`].
    pub fn affordable(&self, plan: &Plan) -> Result<()> {
        if self.balance >= self.cost {
            return Ok(());
        }
        Err(DeployError::insufficient_funds(&plan.chain, self.sender, self.balance, self.cost))
    }
}

/// What was seen of the parts so far.
struct Looks<'a> {
    rpc: &'a Rpc,
    plan: &'a Plan,
    sender: Address,
    options: &'a Options,
    known: BTreeMap<Part, Todo>,
}

impl Looks<'_> {
    async fn todo(&mut self, part: Part) -> Result<(Todo, Option<Call>)> {
        let state = self.plan.look(self.rpc, part).await?;
        let (todo, call) = match self.todo_of(part, state).await {
            Ok(todo) => todo,
            Err(error) => {
                let state = came_meanwhile(self.rpc, self.plan, part, error).await?;
                self.todo_of(part, state).await?
            }
        };
        self.known.insert(part, todo.clone());
        Ok((todo, call))
    }

    async fn todo_of(&mut self, part: Part, state: State) -> Result<(Todo, Option<Call>)> {
        match state {
            State::There => Ok((Todo::There, None)),
            State::Waiting(active_from) => Ok((Todo::Waiting { active_from }, None)),
            State::WithRouter => self.with_router().await,
            State::Missing { call, by } => self.missing(part, call, by).await,
        }
    }

    async fn with_router(&mut self) -> Result<(Todo, Option<Call>)> {
        match self.need(Part::Route, Part::Router).await? {
            Some(Todo::Blocked { on }) => Ok((Todo::Blocked { on }, None)),
            _ => Ok((Todo::WithRouter, None)),
        }
    }

    async fn missing(&mut self, part: Part, call: Call, by: Option<Address>) -> Result<(Todo, Option<Call>)> {
        let mut ready = true;
        for need in part.needs() {
            match self.need(part, *need).await? {
                None => {}
                Some(blocked @ Todo::Blocked { .. }) => return Ok((blocked, None)),
                Some(_) => ready = false,
            }
        }
        if let Some(by) = by.filter(|by| *by != self.sender) {
            let data = format!("0x{}", hex::encode(&call.data));
            return Ok((Todo::Theirs { by, to: call.to, data }, None));
        }
        let (gas, source) = if ready {
            let estimate = self.rpc.estimate(self.sender, Some(call.to), &call.data).await?;
            let gas = estimate.map_err(|bytes| DeployError::Reverted {
                what: call.what.clone(),
                reason: crate::describe(&bytes),
            })?;
            (gas, Source::Chain)
        } else {
            (self.options.simulated.get(&part).copied().unwrap_or_default(), Source::LocalEvm)
        };
        let limit = self.options.limits.gas;
        if gas > limit {
            let why = format!(
                "{} takes {gas} gas, {} takes {limit} in one transaction",
                call.what, self.plan.chain.name
            );
            return Err(DeployError::Preflight { check: "gas", why });
        }
        Ok((Todo::Send { gas, source }, Some(call)))
    }

    /// Where a part stands that another one needs: nothing if it is there.
    async fn need(&mut self, part: Part, need: Part) -> Result<Option<Todo>> {
        let todo = match self.known.get(&need) {
            Some(todo) => todo.clone(),
            None => match self.plan.look(self.rpc, need).await? {
                State::There | State::Waiting(_) => Todo::There,
                _ => return Err(DeployError::PartMissing { part: part.name(), needs: need.name() }),
            },
        };
        Ok(match todo {
            Todo::There | Todo::Waiting { .. } => None,
            Todo::Theirs { .. } => Some(Todo::Blocked { on: need }),
            other => Some(other),
        })
    }
}

/// Why a step fails may be that its part came between two looks: by a transaction of an earlier run, or of somebody else.
/// Then it is there; otherwise the error stands.
async fn came_meanwhile(rpc: &Rpc, plan: &Plan, part: Part, error: DeployError) -> Result<State> {
    use DeployError::{NonceTaken, Reverted, TransactionFailed};
    if matches!(error, Reverted { .. } | NonceTaken { .. } | TransactionFailed { .. }) {
        let state = plan.look(rpc, part).await?;
        if !matches!(state, State::Missing { .. }) {
            return Ok(state);
        }
    }
    Err(error)
}

/// Where progress goes.
pub trait Watcher {
    /// Keeps the record; called before anything is sent, and after each step.
    ///
    /// # Errors
    /// When it cannot be kept: then nothing more is sent.
    fn save(&mut self, record: &Record) -> Result<()>;
    /// Tells a person.
    fn say(&mut self, words: &str);
}

/// Makes what is missing, and records it. Interrupted anywhere, it goes on from there when it is run again.
///
/// # Errors
/// As [`preview`], [`send_and_wait`] and [`Watcher::save`]. What is there so far is in the record.
pub async fn execute(
    rpc: &Rpc,
    plan: &Plan,
    account: &Account,
    options: &Options,
    record: &mut Record,
    watcher: &mut (dyn Watcher + Send),
) -> Result<()> {
    plan.check_existing(rpc).await?;
    for part in Part::ALL.into_iter().filter(|part| options.parts.contains(part)) {
        let mut looks = Looks { rpc, plan, sender: account.address(), options, known: BTreeMap::new() };
        let (todo, call) = match looks.todo(part).await {
            // Somebody else makes it, so it is not there; that was said before.
            Err(DeployError::PartMissing { .. }) => continue,
            other => other?,
        };
        if let (Todo::Send { .. }, Some(call)) = (&todo, call) {
            watcher.say(&call.what);
            if let Err(error) = send(rpc, account, options.limits, part, &call, record, watcher).await {
                came_meanwhile(rpc, plan, part, error).await?;
            }
        }
        let state = settle(rpc, plan, part, record).await?;
        watcher.save(record)?;
        if let (Todo::Send { .. }, State::Missing { call, .. }) = (&todo, state) {
            return Err(DeployError::Answer {
                what: call.what,
                address: call.to.to_string(),
                answer: "a transaction that succeeds and leaves nothing behind".to_owned(),
                expected: part.name().to_owned(),
            });
        }
    }
    record.status =
        if Part::ALL.iter().all(|part| record.is_there(*part)) { Status::Complete } else { Status::Partial };
    watcher.save(record)
}

/// Sends the transaction of a part. One that was recorded and still waits is replaced, not doubled.
async fn send(
    rpc: &Rpc,
    account: &Account,
    limits: Limits,
    part: Part,
    call: &Call,
    record: &mut Record,
    watcher: &mut (dyn Watcher + Send),
) -> Result<()> {
    let from = account.address();
    let earlier = earlier(rpc, from, record.transaction(part)).await?;
    let mut note = |offer: &Signed| {
        let transaction = Transaction::offered(offer.hash, from, offer.nonce, record.transaction(part));
        record.set(part, Status::Sent, Some(transaction));
        record.status = Status::Partial;
        watcher.save(record)
    };
    send_and_wait(rpc, account, call, earlier, limits, &mut note).await.map(|_| ())
}

/// What was recorded and may still be mined.
async fn earlier(rpc: &Rpc, from: Address, recorded: Option<&Transaction>) -> Result<Option<Earlier>> {
    let Some(recorded) = recorded.filter(|recorded| recorded.block.is_none() && recorded.from == from) else {
        return Ok(None);
    };
    let (nonce, hashes) = (recorded.nonce, recorded.hashes().collect::<Vec<_>>());
    let (next, free) = (rpc.nonce(from).await?, rpc.pending_nonce(from).await?);
    // Above what the node knows of, it would wait for transactions that nobody sends.
    if !(next..=free).contains(&nonce) {
        return Ok(None);
    }
    // What waits at this nonce may be something else that the account sent: that is not replaced.
    let mut ours = nonce == free;
    for hash in &hashes {
        ours = ours || rpc.knows(*hash).await?;
    }
    Ok(ours.then_some(Earlier { nonce, hashes }))
}

/// Records where a part stands now.
async fn settle(rpc: &Rpc, plan: &Plan, part: Part, record: &mut Record) -> Result<State> {
    let state = plan.look(rpc, part).await?;
    match receipt(rpc, record.transaction(part)).await? {
        Some(receipt) if receipt.status() => {
            if let Some(transaction) = record.transaction_mut(part) {
                transaction.hash = receipt.transaction_hash;
                transaction.replaced.clear();
                (transaction.block, transaction.gas) = (receipt.block_number, Some(receipt.gas_used));
            }
        }
        // Somebody else was faster: what is there is not its work.
        Some(_) => record.forget(part),
        None => {}
    }
    // The first route is made by the router's constructor.
    let maker = if part == Part::Route && record.route.transaction.is_none() { Part::Router } else { part };
    let ours = record.transaction(maker).is_some_and(|transaction| transaction.block.is_some());
    let there = if ours { Status::Deployed } else { Status::Reused };
    match &state {
        State::There => record.set(part, there, None),
        State::Waiting(active_from) => {
            record.route.active_from = Some(*active_from);
            record.set(part, Status::Waiting, None);
        }
        State::Missing { .. } | State::WithRouter => record.set(part, Status::Waiting, None),
    }
    if let (State::There, Some(placed)) = (&state, plan.placed(part)) {
        let code = rpc.code(placed.address).await?;
        if let Some(contract) = record.contract_mut(part) {
            contract.runtime_code_hash = zkml_protocol::keccak256([code.as_ref()]);
        }
    }
    Ok(state)
}

/// The receipt of a transaction that was not mined when it was recorded last, or of another offer for its nonce.
async fn receipt(rpc: &Rpc, recorded: Option<&Transaction>) -> Result<Option<TransactionReceipt>> {
    let Some(recorded) = recorded.filter(|recorded| recorded.block.is_none()) else { return Ok(None) };
    for hash in recorded.hashes() {
        if let Some(receipt) = rpc.receipt(hash).await? {
            return Ok(Some(receipt));
        }
    }
    Ok(None)
}
