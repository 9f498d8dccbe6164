//! What is to be done for each part, as the chain is now.

use std::collections::BTreeMap;

use zkml_contracts::errors::describe;

use super::{GasSource, Options, Todo};
use crate::{
    Address, DeployError, Result,
    plan::{Part, Plan, State},
    rpc::Rpc,
    transaction::Call,
};

/// What was seen of the parts so far.
pub(super) struct Looks<'a> {
    rpc: &'a Rpc,
    plan: &'a Plan,
    sender: Address,
    options: &'a Options,
    known: BTreeMap<Part, Todo>,
}

impl<'a> Looks<'a> {
    pub(super) fn new(rpc: &'a Rpc, plan: &'a Plan, sender: Address, options: &'a Options) -> Self {
        Self { rpc, plan, sender, options, known: BTreeMap::new() }
    }

    /// What is to be done for a part, and the call that does it.
    pub(super) async fn todo(&mut self, part: Part) -> Result<(Todo, Option<Call>)> {
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
        for need in self.plan.needs(part) {
            match self.need(part, need).await? {
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
                reason: describe(&bytes),
            })?;
            (gas, GasSource::Chain)
        } else {
            (self.options.simulated.get(&part).copied().unwrap_or_default(), GasSource::LocalEvm)
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
pub(super) async fn came_meanwhile(rpc: &Rpc, plan: &Plan, part: Part, error: DeployError) -> Result<State> {
    use DeployError::{NonceTaken, Reverted, TransactionFailed};
    if matches!(error, Reverted { .. } | NonceTaken { .. } | TransactionFailed { .. }) {
        let state = plan.look(rpc, part).await?;
        if !matches!(state, State::Missing { .. }) {
            return Ok(state);
        }
    }
    Err(error)
}
