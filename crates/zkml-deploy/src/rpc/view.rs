//! Typed questions to contracts, and the time of the chain.

use alloy::{eips::BlockNumberOrTag, primitives::Address, sol_types::SolCall};

use super::Rpc;
use crate::{DeployError, Result};

impl Rpc {
    /// Time of the last block, in seconds since 1970.
    ///
    /// # Errors
    /// As [`Rpc::chain_id_there`].
    pub async fn now(&self) -> Result<u64> {
        let block = self.block(BlockNumberOrTag::Latest).await?;
        block.map(|block| block.header.timestamp).ok_or_else(|| DeployError::Rpc {
            endpoint: self.endpoint(),
            method: "eth_getBlockByNumber",
            why: "it has no last block".to_owned(),
        })
    }

    /// Asks a contract; an answer of another type is an error, not a panic.
    pub(crate) async fn view<C: SolCall>(
        &self,
        address: Address,
        what: &'static str,
        call: C,
    ) -> Result<C::Return> {
        let bytes = self.call(None, Some(address), &call.abi_encode()).await?.returned(what)?;
        C::abi_decode_returns_validate(&bytes).map_err(|_| DeployError::Answer {
            what: what.to_owned(),
            address: address.to_string(),
            answer: if bytes.is_empty() {
                "nothing".to_owned()
            } else {
                bytes.to_string().chars().take(80).collect()
            },
            expected: C::SIGNATURE.to_owned(),
        })
    }
}
