//! What happens, as lines for people and for programs.

use std::sync::Arc;

use alloy::primitives::{Address, B256, U256};
use serde::Serialize;
use zkml_deploy::secret::redact;
use zkml_protocol::{Word, binding::Reward};

/// Told of everything that happens, after it is in the journal.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// An amount of the chain's coin, or of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The token; zero for the chain's own coin.
    pub asset: Address,
    /// How much, in the asset's smallest unit.
    pub amount: String,
}

impl Payment {
    pub(crate) fn of(reward: &Reward) -> Self {
        let amount = U256::from_be_bytes(reward.amount.0).to_string();
        Self { asset: Address::from(reward.asset), amount }
    }
}

/// One change. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// Somebody asks for an inference.
    Requested {
        /// The request.
        request: Word,
        /// Who asks.
        subject: Address,
        /// In which block.
        block: u64,
        /// What it pays, if it pays.
        #[serde(skip_serializing_if = "Option::is_none")]
        reward: Option<Payment>,
    },
    /// A proof is being made.
    Proving {
        /// The request.
        request: Word,
    },
    /// There is a proof.
    Proven {
        /// The request.
        request: Word,
        /// How long it took.
        milliseconds: u64,
    },
    /// A transaction is about to be handed to a node.
    Sent {
        /// The request.
        request: Word,
        /// The transaction.
        transaction: B256,
        /// Its nonce.
        nonce: u64,
    },
    /// More is offered for a nonce.
    Raised {
        /// The nonce.
        nonce: u64,
        /// The new transaction.
        transaction: B256,
        /// The most that it pays, in wei a gas.
        max_fee: u128,
    },
    /// A transaction that became useless is replaced by an empty one.
    Replaced {
        /// The nonce.
        nonce: u64,
        /// The empty transaction.
        transaction: B256,
    },
    /// One of our transactions is in a block.
    Mined {
        /// The nonce.
        nonce: u64,
        /// The transaction.
        transaction: B256,
        /// The block.
        block: u64,
        /// What it did, it did.
        success: bool,
    },
    /// Somebody else used a nonce of ours.
    NonceTaken {
        /// The nonce.
        nonce: u64,
    },
    /// A result that the service answers for was posted.
    Posted {
        /// The result.
        result: Word,
        /// Whose bond it is.
        poster: Address,
        /// In which block.
        block: u64,
    },
    /// The proof of a result is due.
    Due {
        /// The result.
        result: Word,
        /// The account that has demanded it; none if it was drawn.
        #[serde(skip_serializing_if = "Option::is_none")]
        challenger: Option<Address>,
        /// Last block time at which it may come.
        until: u64,
        /// In which block it became due.
        block: u64,
    },
    /// The draw has spared a result.
    Spared {
        /// The result.
        result: Word,
        /// In which block.
        block: u64,
    },
    /// A result is over; not final yet.
    Ended {
        /// The result.
        result: Word,
        /// `accepted`, `lost` or `void`.
        how: &'static str,
        /// In which block.
        block: u64,
    },
    /// A proof was taken; not final yet.
    Fulfilled {
        /// The request.
        request: Word,
        /// Who handed it in.
        by: Address,
        /// In which block.
        block: u64,
    },
    /// The request was withdrawn; not final yet.
    Cancelled {
        /// The request.
        request: Word,
        /// In which block.
        block: u64,
    },
    /// The request is fulfilled, for good.
    Done {
        /// The request.
        request: Word,
        /// What this service has earned with it, if anything.
        #[serde(skip_serializing_if = "Option::is_none")]
        earned: Option<Payment>,
    },
    /// The request will not be served.
    Refused {
        /// The request.
        request: Word,
        /// Why not.
        reason: String,
    },
    /// The request has to wait.
    Postponed {
        /// The request.
        request: Word,
        /// Why.
        reason: String,
    },
    /// The chain took blocks back.
    Reorganised {
        /// The last block that is still there.
        ancestor: Option<u64>,
        /// Requests that are gone, unless they are seen again.
        orphaned: usize,
    },
    /// A node told what cannot be.
    Ignored {
        /// What is wrong with it.
        reason: String,
    },
    /// A round failed; the next one follows after a pause.
    Failed {
        /// Why.
        reason: String,
    },
    /// The account cannot pay for another transaction.
    BalanceTooLow {
        /// What it has, in wei.
        balance: String,
        /// What the transaction may take, in wei.
        needed: String,
    },
    /// A budget is used up: nothing is sent until it is not any more.
    OverBudget {
        /// `hour` or `day`.
        window: &'static str,
        /// The budget; this and the others in the chain's currency.
        budget: String,
        /// What was spent within that time.
        spent: String,
        /// What transactions that wait may take.
        reserved: String,
        /// What another one may take.
        needed: String,
    },
}

impl Event {
    /// The same without secrets: reasons may be words of an endpoint.
    pub(crate) fn clean(mut self) -> Self {
        if let Self::Refused { reason, .. }
        | Self::Postponed { reason, .. }
        | Self::Ignored { reason }
        | Self::Failed { reason } = &mut self
        {
            *reason = redact(reason).into_owned();
        }
        self
    }

    /// One line of the log. A trouble is a warning, what follows from the ordinary course of things is not.
    pub(crate) fn log(&self) {
        match serde_json::to_string(self) {
            Ok(text) if self.is_trouble() => tracing::warn!("{text}"),
            Ok(text) => tracing::info!("{text}"),
            Err(error) => tracing::warn!("an event cannot be written: {error}"),
        }
    }

    fn is_trouble(&self) -> bool {
        matches!(
            self,
            Self::NonceTaken { .. }
                | Self::Refused { .. }
                | Self::Reorganised { .. }
                | Self::Ignored { .. }
                | Self::Failed { .. }
                | Self::BalanceTooLow { .. }
                | Self::OverBudget { .. }
                | Self::Due { .. }
                | Self::Ended { how: "lost", .. }
                | Self::Mined { success: false, .. }
        )
    }
}
