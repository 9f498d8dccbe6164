//! From a plan to a chain: what it would cost, and doing it, step by step, so that it can be interrupted anywhere.

mod look;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use self::{
    look::{Looks, came_meanwhile},
    step::{send, settle},
};
use crate::{
    Address, DeployError, Result, U256,
    keys::Account,
    plan::{Part, Plan, State},
    preflight::{self, Check},
    publication::Publication,
    record::{Record, Status},
    rpc::Rpc,
    transaction::Limits,
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
pub enum GasSource {
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
        source: GasSource,
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
    /// Cost at that fee, in wei.
    pub cost: U256,
    /// What the sender has, in wei.
    pub balance: U256,
}

/// Looks at everything, and sends nothing.
///
/// # Errors
/// As [`preflight::run`] and [`Plan::look`]; [`DeployError::PartMissing`], [`DeployError::NoGuardian`]. That the sender cannot pay is not an error here:
/// [`Preview::affordable`] says it.
pub async fn preview(rpc: &Rpc, plan: &Plan, sender: Address, options: &Options) -> Result<Preview> {
    let guarded = plan.owners.guardian.is_some();
    let checks = preflight::run(rpc, &plan.chain, &plan.package, guarded).await?;
    plan.check_existing(rpc).await?;
    let wanted = wanted(plan, options)?;
    let mut looks = Looks::new(rpc, plan, sender, options);
    let publication = Publication::of(&plan.chain)?;
    let (mut steps, mut l1_fee, mut gas) = (Vec::new(), U256::ZERO, 0u64);
    for part in wanted {
        let (todo, call) = looks.todo(part).await?;
        if let (Todo::Send { gas: own, .. }, Some(call)) = (&todo, &call) {
            gas = gas.saturating_add(*own);
            // An endpoint that makes numbers up makes it dear, and never cheap.
            l1_fee = l1_fee.saturating_add(publication.fee(rpc, &call.data).await?);
        }
        steps.push(Step { part, address: plan.placed(part).map(|placed| placed.address), todo });
    }
    let fees = rpc.fees(&options.limits.fees).await?;
    let cost = U256::from(gas).saturating_mul(U256::from(fees.max)).saturating_add(l1_fee);
    let balance = rpc.balance(sender).await?;
    Ok(Preview { checks, steps, sender, gas, max_fee: fees.max, l1_fee, cost, balance })
}

/// The parts that were asked for, in order. A stop that is asked for and cannot be made is not left out: whoever asks relies on it.
fn wanted(plan: &Plan, options: &Options) -> Result<Vec<Part>> {
    if options.parts.contains(&Part::EmergencyStop) && plan.placement.emergency_stop.is_none() {
        return Err(DeployError::NoGuardian);
    }
    Ok(plan.parts().filter(|part| options.parts.contains(part)).collect())
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

/// Where progress goes.
pub trait Watcher {
    /// Keeps the record; called before anything is sent, and after each step.
    ///
    /// # Errors
    /// An error if it cannot be kept: then nothing more is sent.
    fn save(&mut self, record: &Record) -> Result<()>;
    /// Tells a person.
    fn say(&mut self, words: &str);
}

/// Makes what is missing, and records it. Interrupted anywhere, it goes on from there when it is run again.
///
/// # Errors
/// As [`preview`], [`send_and_wait`](crate::transaction::send_and_wait) and [`Watcher::save`]. What is there so far is in the record.
pub async fn execute(
    rpc: &Rpc,
    plan: &Plan,
    account: &Account,
    options: &Options,
    record: &mut Record,
    watcher: &mut (dyn Watcher + Send),
) -> Result<()> {
    plan.check_existing(rpc).await?;
    for part in wanted(plan, options)? {
        let mut looks = Looks::new(rpc, plan, account.address(), options);
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
        if plan.parts().all(|part| record.is_there(part)) { Status::Complete } else { Status::Partial };
    watcher.save(record)
}
