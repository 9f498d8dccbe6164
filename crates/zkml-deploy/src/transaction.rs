//! Signed transactions, and waiting until they are final.

use std::time::{Duration, Instant};

use alloy::{
    consensus::{SignableTransaction, TxEip1559},
    eips::eip2718::Encodable2718,
    primitives::{Address, B256, Bytes, TxKind, U256},
    rpc::types::TransactionReceipt,
};
use zkml_contracts::errors::describe;

use crate::{
    DeployError, Result,
    chain::Chain,
    keys::Account,
    rpc::{FeeLimits, Fees, Rpc, Sent},
};

/// What a transaction does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What it is for, in messages.
    pub what: String,
    /// The contract, or the account.
    pub to: Address,
    /// Its calldata.
    pub data: Vec<u8>,
    /// Coins that go along, in wei.
    pub value: U256,
}

impl Call {
    /// A call without coins.
    #[must_use]
    pub fn new(what: impl Into<String>, to: Address, data: Vec<u8>) -> Self {
        Self { what: what.into(), to, data, value: U256::ZERO }
    }

    /// Its gas on the last block when this account sends it, or what it would revert with there.
    ///
    /// # Errors
    /// As [`Rpc::estimate`]; a revert is no error.
    pub async fn estimate(&self, rpc: &Rpc, from: Address) -> Result<std::result::Result<u64, Bytes>> {
        rpc.estimate_paying(from, self.to, &self.data, self.value).await
    }
}

/// A signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its hash.
    pub hash: B256,
    /// What a node is sent (EIP-2718).
    pub raw: Vec<u8>,
    /// Its nonce.
    pub nonce: u64,
    /// What it offers.
    pub fees: Fees,
    /// The gas that it may take.
    pub gas: u64,
}

impl Account {
    /// Signs a transaction of type 2 (EIP-1559) without value.
    ///
    /// # Errors
    /// As [`Account::sign_call`].
    pub async fn sign(
        &self,
        chain_id: u64,
        to: Address,
        data: &[u8],
        nonce: u64,
        gas: u64,
        fees: Fees,
    ) -> Result<Signed> {
        let call = Call::new("", to, data.to_owned());
        self.sign_call(chain_id, &call, nonce, gas, fees).await
    }

    /// Signs the transaction of a call, with the coins that go along.
    ///
    /// # Errors
    /// [`DeployError::Signing`], when a hardware wallet is told to refuse for instance.
    pub async fn sign_call(
        &self,
        chain_id: u64,
        call: &Call,
        nonce: u64,
        gas: u64,
        fees: Fees,
    ) -> Result<Signed> {
        let Call { to, data, value, .. } = call;
        let mut transaction = TxEip1559 {
            chain_id,
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.priority,
            to: TxKind::Call(*to),
            value: *value,
            access_list: Default::default(),
            input: Bytes::copy_from_slice(data),
        };
        let signature = self
            .signer()
            .sign_transaction(&mut transaction)
            .await
            .map_err(|source| DeployError::Signing { source })?;
        let signed = transaction.into_signed(signature);
        let hash = *signed.hash();
        let raw = alloy::consensus::TxEnvelope::from(signed).encoded_2718();
        Ok(Signed { hash, raw, nonce, fees, gas })
    }
}

/// How patient to be, and how generous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Blocks until a transaction counts as final, its own included.
    pub confirmations: u64,
    /// No more gas than this for one transaction.
    pub gas: u64,
    /// Time between two blocks.
    pub block: Duration,
    /// Between two looks.
    pub poll: Duration,
    /// Time after which the fee is raised.
    pub bump_after: Duration,
    /// Time after which we give up.
    pub timeout: Duration,
    /// Most that is offered for a unit of gas.
    pub fees: FeeLimits,
}

impl Limits {
    /// What suits a chain: a look every third of a block, a raised fee after five blocks, ten minutes in all.
    #[must_use]
    pub fn of(chain: &Chain) -> Self {
        let block = Duration::from_secs(chain.block_seconds.max(1));
        Self {
            confirmations: chain.confirmations.max(1),
            gas: chain.gas_limit,
            block,
            poll: (block / 3).min(Duration::from_secs(4)),
            bump_after: block * 5,
            timeout: Duration::from_secs(600),
            fees: FeeLimits::of(chain),
        }
    }
}

/// A transaction that is final.
#[derive(Debug, Clone)]
pub struct Mined {
    /// Its receipt.
    pub receipt: TransactionReceipt,
    /// Its hash.
    pub hash: B256,
    /// How many transactions were offered for its nonce; one unless the fee was raised.
    pub offers: usize,
}

/// What an earlier run offered for a nonce, none of it final yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earlier {
    /// The nonce.
    pub nonce: u64,
    /// The transactions. Any of them may still be the one that is mined.
    pub hashes: Vec<B256>,
    /// The newest one's offer, where that is known.
    pub fees: Option<Fees>,
}

impl Earlier {
    /// What was recorded of an account and may still be mined.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub async fn find(rpc: &Rpc, from: Address, recorded: Option<Self>) -> Result<Option<Self>> {
        let Some(Self { nonce, hashes, fees }) = recorded else { return Ok(None) };
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
        Ok(ours.then_some(Self { nonce, hashes, fees }))
    }
}

/// A little more gas than estimated, and never more than the limit: the estimate is of the last block, and what is not used is not paid.
///
/// # Errors
/// [`DeployError::GasTooHigh`] for an estimate above the limit.
pub fn with_headroom(what: &str, estimate: u64, limit: u64) -> Result<u64> {
    if estimate > limit {
        return Err(DeployError::GasTooHigh { what: what.to_owned(), gas: estimate, limit });
    }
    Ok(estimate.saturating_add(estimate / 5).min(limit))
}

/// Sends one transaction and waits until it is final, raising its fee when nobody takes it. What a reorganisation takes
/// away is sent and waited for again. What an `earlier` run offered is replaced, or found if it is mined after all; otherwise
/// the account's next nonce is used. `sent` is told of every offer before a node has it.
///
/// # Errors
/// [`DeployError::Reverted`] when it would fail, and then nothing is sent; [`DeployError::TransactionFailed`],
/// [`DeployError::NotMined`], [`DeployError::NonceTaken`], [`DeployError::Refused`], those of the endpoint and of `sent`.
pub async fn send_and_wait(
    rpc: &Rpc,
    account: &Account,
    call: &Call,
    earlier: Option<Earlier>,
    limits: Limits,
    sent: &mut (dyn FnMut(&Signed) -> Result<()> + Send),
) -> Result<Mined> {
    let gas = match call.estimate(rpc, account.address()).await? {
        Ok(gas) => with_headroom(&call.what, gas, limits.gas)?,
        Err(bytes) => {
            let reason = describe(&bytes);
            return Err(DeployError::Reverted { what: call.what.clone(), reason });
        }
    };
    let Earlier { nonce, hashes, fees: known } = match earlier {
        Some(earlier) => earlier,
        None => Earlier { nonce: rpc.pending_nonce(account.address()).await?, ..Earlier::default() },
    };
    // What waits is replaced by an offer above its own. At the limit it is offered again: it may never have left.
    let fees = match known {
        Some(last) => rpc.raised(&limits.fees, last).await?.unwrap_or(last),
        None => rpc.fees(&limits.fees).await?,
    };
    let mut waiting =
        Waiting { rpc, account, call, nonce, gas, limits: limits.fees, earlier: hashes, offers: Vec::new() };
    waiting.offer(fees, sent).await?;
    waiting.until_final(limits, sent).await
}

/// Time until a transaction is looked for first; later looks are further apart.
const FIRST_LOOK: Duration = Duration::from_millis(20);
/// Number of looks in a row that must find the nonce used up without a receipt of ours before it is believed: of the nodes behind
/// one address, some lag.
const LOOKS: u32 = 5;

/// One nonce, and what was offered for it.
struct Waiting<'a> {
    rpc: &'a Rpc,
    account: &'a Account,
    call: &'a Call,
    nonce: u64,
    gas: u64,
    limits: FeeLimits,
    earlier: Vec<B256>,
    offers: Vec<Signed>,
}

impl Waiting<'_> {
    async fn offer(
        &mut self,
        fees: Fees,
        sent: &mut (dyn FnMut(&Signed) -> Result<()> + Send),
    ) -> Result<()> {
        let (chain_id, Self { call, nonce, gas, .. }) = (self.rpc.chain_id(), &*self);
        let offer = self.account.sign_call(chain_id, call, *nonce, *gas, fees).await?;
        sent(&offer)?;
        self.offers.push(offer);
        Ok(())
    }

    /// Offers more than before, if that is allowed.
    async fn raise(&mut self, sent: &mut (dyn FnMut(&Signed) -> Result<()> + Send)) -> Result<bool> {
        let last = self.offers.last().map(|offer| offer.fees).unwrap_or_default();
        let Some(fees) = self.rpc.raised(&self.limits, last).await? else { return Ok(false) };
        self.offer(fees, sent).await?;
        Ok(true)
    }

    async fn until_final(
        &mut self,
        limits: Limits,
        sent: &mut (dyn FnMut(&Signed) -> Result<()> + Send),
    ) -> Result<Mined> {
        let (started, mut raised, mut strangers) = (Instant::now(), Instant::now(), 0);
        // A node that mines at once is not waited for.
        let mut pause = FIRST_LOOK.min(limits.poll);
        loop {
            if let Some(receipt) = self.receipt().await? {
                if receipt.confirmations >= limits.confirmations {
                    return self.judge(receipt.receipt).await;
                }
            } else {
                // Early looks are too close to each other to say anything.
                let taken =
                    pause >= limits.poll && self.rpc.nonce(self.account.address()).await? > self.nonce;
                strangers = if taken { strangers + 1 } else { 0 };
                if strangers >= LOOKS {
                    let (account, what) = (self.account.address().to_string(), self.call.what.clone());
                    return Err(DeployError::NonceTaken { account, nonce: self.nonce, what });
                }
                self.push(sent).await?;
            }
            if started.elapsed() > limits.timeout {
                return Err(self.not_mined(limits));
            }
            if raised.elapsed() > limits.bump_after {
                raised = Instant::now();
                self.raise(sent).await?;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(limits.poll);
        }
    }

    /// Hands the newest offer to the node, again and again: a node may have forgotten it.
    async fn push(&mut self, sent: &mut (dyn FnMut(&Signed) -> Result<()> + Send)) -> Result<()> {
        let Some(newest) = self.offers.last() else { return Ok(()) };
        let most = newest.fees.max;
        let refused = |why: String| DeployError::Refused { what: self.call.what.clone(), why };
        match self.rpc.send(&newest.raw).await? {
            Sent::Taken | Sent::NonceTooLow => Ok(()),
            Sent::Underpriced if self.raise(sent).await? => Ok(()),
            // What an earlier run offered is the dearer one, and waits.
            Sent::Underpriced if !self.earlier.is_empty() => Ok(()),
            Sent::Underpriced => Err(DeployError::Refused {
                what: self.call.what.clone(),
                why: format!(
                    "another transaction of nonce {} offers more than {} wei a gas",
                    self.nonce, most
                ),
            }),
            Sent::InsufficientFunds => {
                Err(refused(format!("{} has too little to pay for it", self.account.address())))
            }
            Sent::Refused(why) => Err(refused(why)),
        }
    }

    /// The receipt of any of the offers.
    async fn receipt(&self) -> Result<Option<Confirmed>> {
        for hash in self.offers.iter().rev().map(|offer| &offer.hash).chain(&self.earlier) {
            let Some(receipt) = self.rpc.receipt(*hash).await? else { continue };
            let Some(block) = receipt.block_number else { continue };
            let confirmations = (self.rpc.block_number().await? + 1).saturating_sub(block);
            return Ok(Some(Confirmed { receipt, confirmations }));
        }
        Ok(None)
    }

    async fn judge(&self, receipt: TransactionReceipt) -> Result<Mined> {
        let hash = receipt.transaction_hash;
        if receipt.status() {
            return Ok(Mined { receipt, hash, offers: self.offers.len() });
        }
        // What it would say now: usually the same.
        let reason = match self.call.estimate(self.rpc, self.account.address()).await? {
            Err(bytes) => describe(&bytes),
            Ok(_) => "the node does not say why; it may have run out of gas".to_owned(),
        };
        let (what, block) = (self.call.what.clone(), receipt.block_number.unwrap_or_default());
        Err(DeployError::TransactionFailed { hash: hash.to_string(), what, block, reason })
    }

    fn not_mined(&self, limits: Limits) -> DeployError {
        let newest = self.offers.last();
        DeployError::NotMined {
            hash: newest.map(|offer| offer.hash.to_string()).unwrap_or_default(),
            what: self.call.what.clone(),
            seconds: limits.timeout.as_secs(),
            max_fee: newest.map(|offer| offer.fees.max).unwrap_or_default(),
        }
    }
}

/// A receipt, and how many blocks there are from its own on.
struct Confirmed {
    receipt: TransactionReceipt,
    confirmations: u64,
}
