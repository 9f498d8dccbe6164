//! Results as reports show them.

use crate::{error::Result, value};
use serde::Serialize;
use std::path::PathBuf;
use zkml_contracts::acceptance::{OPTIMISTIC, State, Status, path_names};
use zkml_deploy::{Address, acceptance::PostedResult, asset::Asset, rpc::Rpc};
use zkml_protocol::Word;

use super::terms::units;

/// A result, and where it stands. Times are block times in seconds since 1970.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultView {
    /// Its id.
    pub id: Word,
    /// Its state.
    pub state: &'static str,
    /// Whose bond it is.
    pub poster: Address,
    /// Whom it is about.
    pub subject: Address,
    /// The model's id.
    pub model_id: String,
    /// The commitment to the input.
    pub data_commitment: Word,
    /// ERC-7992's input commitment: data and context.
    pub statement: Word,
    /// The context that a proof of it has to be bound to.
    pub context: Word,
    /// Keccak-256 of the output words.
    pub output_hash: Word,
    /// Paths of its policy.
    pub paths: Vec<&'static str>,
    /// Number of paths that have to hold.
    pub required: u8,
    /// Those that hold at the last block.
    pub held: Vec<&'static str>,
    /// Its poster's bond.
    pub bond: String,
    /// A challenger's deposit.
    pub deposit: String,
    /// The token of both; the chain's own coin if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Address>,
    /// Last time at which its proof can be demanded, if optimistic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge_until: Option<u64>,
    /// Last time at which a proof may come that is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_until: Option<u64>,
    /// The beacon's round that draws it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<u64>,
    /// Last time at which the application may act on it.
    pub deadline: String,
}

impl ResultView {
    /// A result as it stands.
    pub(super) async fn of(
        rpc: &Rpc,
        consumer: Address,
        posted: &PostedResult,
        status: &Status,
    ) -> Result<Self> {
        let PostedResult { id, result, policy, .. } = posted;
        let asset = Asset::at(rpc, Address::from(policy.asset)).await?;
        let (chain, at, now) = (rpc.chain_id(), consumer.into_array(), rpc.now().await?);
        let there = status.state != State::None;
        Ok(Self {
            id: *id,
            state: status.state.name(),
            poster: Address::from(result.poster),
            subject: Address::from(result.subject),
            model_id: value::decimal(&result.model_id),
            data_commitment: result.data_commitment,
            statement: result.statement(chain, at),
            context: result.context(chain, at).digest(),
            output_hash: result.output_hash,
            paths: path_names(policy.paths),
            required: policy.required,
            held: path_names(if there { status.held_at(policy, now) } else { 0 }),
            bond: asset.show(units(policy.bond)),
            deposit: asset.show(units(policy.deposit)),
            token: (!asset.is_coin()).then_some(asset.address),
            challenge_until: (there && policy.has(OPTIMISTIC)).then(|| policy.challenge_end(status.since)),
            answer_until: (status.until != 0).then_some(status.until),
            round: (status.round != 0).then_some(status.round),
            deadline: value::decimal(&result.deadline),
        })
    }
}

/// A transaction that was sent, and is final.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// Its hash.
    pub hash: String,
    /// Its block.
    pub block: u64,
    /// Gas that it took.
    pub gas: u64,
}

/// Report of a command about a result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultReport {
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub consumer: Address,
    /// The result, as it stands at the end; one that would be posted as it would.
    pub result: ResultView,
    /// The function that was called, or would be.
    pub call: String,
    /// Calldata of the transaction.
    pub calldata: String,
    /// Transactions that have to go before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Gas that it was estimated to take; none where tokens have to be paid in before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_gas: Option<u64>,
    /// True if the model gives the result's output for the input at hand; none where there was no input to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<bool>,
    /// Files with input, salts and all that a proof needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<PathBuf>,
    /// The message that an attesting key signs, as EIP-712 typed data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_sign: Option<serde_json::Value>,
    /// The transaction; none in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Sent>,
    /// The next step, in words.
    pub next: String,
}
