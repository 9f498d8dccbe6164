//! One step: its transaction, and what became of it.

use alloy::rpc::types::TransactionReceipt;

use super::Watcher;
use crate::{
    Result,
    keys::Account,
    plan::{Part, Plan, State},
    record::{Record, Status, TransactionRecord},
    rpc::Rpc,
    transaction::{Call, Earlier, Limits, Signed, send_and_wait},
};

/// Sends the transaction of a part. One that was recorded and still waits is replaced, not doubled.
pub(super) async fn send(
    rpc: &Rpc,
    account: &Account,
    limits: Limits,
    part: Part,
    call: &Call,
    record: &mut Record,
    watcher: &mut (dyn Watcher + Send),
) -> Result<()> {
    let from = account.address();
    let earlier =
        Earlier::find(rpc, from, record.transaction(part).and_then(|recorded| recorded.waiting(from)))
            .await?;
    let mut note = |offer: &Signed| {
        let transaction = TransactionRecord::offered(offer, from, record.transaction(part));
        record.set(part, Status::Sent, Some(transaction));
        record.status = Status::Partial;
        watcher.save(record)
    };
    send_and_wait(rpc, account, call, earlier, limits, &mut note).await.map(|_| ())
}

/// Records where a part stands now.
pub(super) async fn settle(rpc: &Rpc, plan: &Plan, part: Part, record: &mut Record) -> Result<State> {
    let state = plan.look(rpc, part).await?;
    match receipt(rpc, record.transaction(part)).await? {
        Some(receipt) if receipt.status() => {
            if let Some(transaction) = record.transaction_mut(part) {
                transaction.hash = receipt.transaction_hash;
                transaction.replaced.clear();
                (transaction.max_fee, transaction.priority_fee) = (None, None);
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
async fn receipt(rpc: &Rpc, recorded: Option<&TransactionRecord>) -> Result<Option<TransactionReceipt>> {
    let Some(recorded) = recorded.filter(|recorded| recorded.block.is_none()) else { return Ok(None) };
    for hash in recorded.hashes() {
        if let Some(receipt) = rpc.receipt(hash).await? {
            return Ok(Some(receipt));
        }
    }
    Ok(None)
}
