//! One JSON-RPC endpoint of one chain: who asks it is sure of the chain, and every answer is typed.

mod answer;
mod fees;
mod view;

use std::{future::IntoFuture, time::Duration};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, U256},
    providers::{DynProvider, Provider, RootProvider},
    rpc::{
        client::RpcClient,
        types::{Block, Filter, Log, TransactionInput, TransactionReceipt, TransactionRequest},
    },
    transports::{RpcError, TransportError, TransportErrorKind, http::Http},
};

pub use self::{
    answer::{Answer, Fees, Retry, Sent},
    fees::FeeLimits,
};
use crate::{
    DeployError, Result,
    chain::{Chain, RpcUrl},
    error::with_causes,
    secret::redact,
};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An endpoint whose chain was checked.
#[derive(Clone)]
pub struct Rpc {
    provider: DynProvider,
    url: RpcUrl,
    chain_id: u64,
    retry: Retry,
}

impl std::fmt::Debug for Rpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rpc({}, chain {})", self.endpoint(), self.chain_id)
    }
}

impl Rpc {
    /// Connects, and asks for the chain's id.
    ///
    /// # Errors
    /// [`DeployError::Unreachable`], [`DeployError::WrongChain`].
    pub async fn connect(chain: &Chain, url: &RpcUrl, retry: Retry) -> Result<Self> {
        let rpc = Self::unchecked(chain.id, url, retry)?;
        let found = rpc.chain_id_there().await?;
        if found != chain.id {
            let (endpoint, expected, name) = (rpc.endpoint(), chain.id, chain.name.clone());
            return Err(DeployError::WrongChain { endpoint, found, expected, name });
        }
        Ok(rpc)
    }

    /// An endpoint that may not be there yet; whoever uses it asks [`Rpc::chain_id_there`] first.
    ///
    /// # Errors
    /// [`DeployError::Rpc`] when the system's certificates cannot be read.
    pub fn unchecked(chain_id: u64, url: &RpcUrl, retry: Retry) -> Result<Self> {
        let client = crate::http::client().timeout(TIMEOUT).build().map_err(|e| DeployError::Rpc {
            endpoint: url.endpoint(),
            method: "connect",
            why: e.to_string(),
        })?;
        let transport = Http::with_client(client, url.url().clone());
        let provider = RootProvider::new(RpcClient::new(transport, false)).erased();
        Ok(Self { provider, url: url.clone(), chain_id, retry })
    }

    /// The chain's id, as checked.
    #[must_use]
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Host and port, for messages.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.url.endpoint()
    }

    /// The chain's id, as the endpoint says now.
    ///
    /// # Errors
    /// As all requests: [`DeployError::Unreachable`], [`DeployError::Rpc`].
    pub async fn chain_id_there(&self) -> Result<u64> {
        self.ask("eth_chainId", || self.provider.get_chain_id()).await
    }

    /// Height of the chain.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn block_number(&self) -> Result<u64> {
        self.ask("eth_blockNumber", || self.provider.get_block_number()).await
    }

    /// A block, without its transactions; `None` if there is none of that number.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn block(&self, number: BlockNumberOrTag) -> Result<Option<Block>> {
        self.ask("eth_getBlockByNumber", || self.provider.get_block_by_number(number)).await
    }

    /// The code at an address; empty if there is none.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn code(&self, address: Address) -> Result<Bytes> {
        self.ask("eth_getCode", || self.provider.get_code_at(address)).await
    }

    /// An account's balance, in wei.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn balance(&self, address: Address) -> Result<U256> {
        self.ask("eth_getBalance", || self.provider.get_balance(address)).await
    }

    /// How many transactions of an account are mined.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn nonce(&self, address: Address) -> Result<u64> {
        self.ask("eth_getTransactionCount", || self.provider.get_transaction_count(address).latest()).await
    }

    /// The same, with those that wait.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn pending_nonce(&self, address: Address) -> Result<u64> {
        self.ask("eth_getTransactionCount", || self.provider.get_transaction_count(address).pending()).await
    }

    /// Calls a contract at the last block; `to` none runs creation code. What waits does not count: it may never come, and
    /// other questions are answered from the last block, too.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`]; a revert is no error.
    pub async fn call(&self, from: Option<Address>, to: Option<Address>, data: &[u8]) -> Result<Answer> {
        // alloy would ask for the pending block.
        self.call_in(BlockId::latest(), request(from, to, data)).await
    }

    /// The same of a block that was the last one a moment ago, for answers that have to agree with what else was read of it.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`]; a revert is no error.
    pub async fn call_at(&self, block: u64, to: Address, data: &[u8]) -> Result<Answer> {
        self.call_in(BlockId::number(block), request(None, Some(to), data)).await
    }

    async fn call_in(&self, block: BlockId, request: TransactionRequest) -> Result<Answer> {
        match self.try_ask(|| self.provider.call(request.clone()).block(block)).await {
            Ok(bytes) => Ok(Answer::Returned(bytes)),
            Err(failure) => self.reverted("eth_call", failure).map(Answer::Reverted),
        }
    }

    /// Gas of a transaction on the last block, or what it would revert with there: a transaction that waits at its nonce,
    /// and that it is to replace, does not count.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`]; a revert is no error.
    pub async fn estimate(
        &self,
        from: Address,
        to: Option<Address>,
        data: &[u8],
    ) -> Result<std::result::Result<u64, Bytes>> {
        self.estimate_request(request(Some(from), to, data)).await
    }

    /// The same for a transaction to which coins belong.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`]; a revert is no error.
    pub async fn estimate_paying(
        &self,
        from: Address,
        to: Address,
        data: &[u8],
        value: U256,
    ) -> Result<std::result::Result<u64, Bytes>> {
        let mut request = request(Some(from), Some(to), data);
        request.value = (!value.is_zero()).then_some(value);
        self.estimate_request(request).await
    }

    async fn estimate_request(&self, request: TransactionRequest) -> Result<std::result::Result<u64, Bytes>> {
        match self.try_ask(|| self.provider.estimate_gas(request.clone()).block(BlockId::latest())).await {
            Ok(gas) => Ok(Ok(gas)),
            Err(failure) => self.reverted("eth_estimateGas", failure).map(Err),
        }
    }

    /// Events of blocks `from..=to`, of one contract, with one of these first topics.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn logs(&self, contract: Address, topics: &[B256], from: u64, to: u64) -> Result<Vec<Log>> {
        let filter =
            Filter::new().address(contract).event_signature(topics.to_vec()).from_block(from).to_block(to);
        self.ask("eth_getLogs", || self.provider.get_logs(&filter)).await
    }

    /// The receipt of a transaction, once it is mined.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>> {
        self.ask("eth_getTransactionReceipt", || self.provider.get_transaction_receipt(hash)).await
    }

    /// Whether the node has a transaction, in a block or waiting.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn knows(&self, hash: B256) -> Result<bool> {
        let found =
            self.ask("eth_getTransactionByHash", || self.provider.get_transaction_by_hash(hash)).await?;
        Ok(found.is_some())
    }

    /// Hands a signed transaction to the node. Doing so twice is the same as once.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`]; what nodes say about a transaction is no error but a [`Sent`].
    pub async fn send(&self, raw: &[u8]) -> Result<Sent> {
        let send = || async { self.provider.send_raw_transaction(raw).await.map(|_| ()) };
        match self.try_ask(send).await {
            Ok(()) => Ok(Sent::Taken),
            Err(Failure { error: RpcError::ErrorResp(payload), .. }) => Ok(Sent::of(&payload.message)),
            Err(failure) => Err(self.failed("eth_sendRawTransaction", failure)),
        }
    }

    /// Any request: for tests, and for what only some nodes offer.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn raw(&self, method: &'static str, params: serde_json::Value) -> Result<serde_json::Value> {
        self.ask(method, || async { self.provider.client().request(method, params.clone()).await }).await
    }

    async fn ask<T, F: IntoFuture<Output = Result<T, TransportError>>>(
        &self,
        method: &'static str,
        request: impl Fn() -> F,
    ) -> Result<T> {
        self.try_ask(request).await.map_err(|failure| self.failed(method, failure))
    }

    async fn try_ask<T, F: IntoFuture<Output = Result<T, TransportError>>>(
        &self,
        request: impl Fn() -> F,
    ) -> Result<T, Failure> {
        let mut attempts = 1;
        loop {
            match request().await {
                Ok(answer) => return Ok(answer),
                Err(error) if attempts >= self.retry.attempts || !passing(&error) => {
                    return Err(Failure { error, attempts });
                }
                Err(error) => {
                    tracing::debug!(
                        endpoint = self.endpoint(),
                        attempts,
                        why = self.shown(&error),
                        "asking again"
                    );
                    tokio::time::sleep(self.retry.pause_after(attempts)).await;
                    attempts += 1;
                }
            }
        }
    }

    fn failed(&self, method: &'static str, failure: Failure) -> DeployError {
        let (endpoint, why) = (self.endpoint(), self.shown(&failure.error));
        if passing(&failure.error) {
            return DeployError::Unreachable { endpoint, method, attempts: failure.attempts, why };
        }
        DeployError::Rpc { endpoint, method, why }
    }

    /// What a failed call reverted with, if that is why it failed.
    fn reverted(&self, method: &'static str, failure: Failure) -> Result<Bytes> {
        let RpcError::ErrorResp(payload) = &failure.error else { return Err(self.failed(method, failure)) };
        if let Some(bytes) = payload.as_revert_data() {
            return Ok(bytes);
        }
        // Some nodes say so without data; 3 is the code that most use.
        if payload.code == 3 || payload.message.contains("revert") {
            return Ok(Bytes::new());
        }
        Err(self.failed(method, failure))
    }

    /// An error without the URL, which may hold a key.
    fn shown(&self, error: &TransportError) -> String {
        let mut text = match error {
            RpcError::ErrorResp(payload) => format!("{} (code {})", payload.message, payload.code),
            RpcError::DeserError { err, .. } => format!("an answer that cannot be read: {err}"),
            // Its own text only says that sending failed.
            other => with_causes(other),
        };
        // The HTTP client names the URL without its user and password.
        let mut bare = self.url.url().clone();
        let _ = (bare.set_username(""), bare.set_password(None));
        for url in [self.url.url().as_str(), bare.as_str()] {
            text = text.replace(url, &self.endpoint()).replace(url.trim_end_matches('/'), &self.endpoint());
        }
        redact(&text).chars().take(300).collect()
    }
}

/// A request that failed, and how often it was tried.
struct Failure {
    error: TransportError,
    attempts: u32,
}

/// Whether the same request may succeed a little later.
fn passing(error: &TransportError) -> bool {
    match error {
        RpcError::Transport(TransportErrorKind::HttpError(http)) => http.status == 429 || http.status >= 500,
        RpcError::Transport(TransportErrorKind::NonRetryable(_)) => false,
        RpcError::Transport(_) => true,
        // Limits of providers: -32005 and -32029 are theirs, -32016 is "over rate limit".
        RpcError::ErrorResp(payload) => matches!(payload.code, 429 | -32_005 | -32_016 | -32_029),
        // A proxy's error page.
        RpcError::DeserError { text, .. } => text.trim_start().starts_with('<'),
        _ => false,
    }
}

fn request(from: Option<Address>, to: Option<Address>, data: &[u8]) -> TransactionRequest {
    let mut request = TransactionRequest {
        from,
        input: TransactionInput::new(Bytes::copy_from_slice(data)),
        ..Default::default()
    };
    request.to = Some(to.map_or(alloy::primitives::TxKind::Create, alloy::primitives::TxKind::Call));
    request
}
