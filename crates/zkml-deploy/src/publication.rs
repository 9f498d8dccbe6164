//! The price of publishing a transaction on Ethereum, which chains above it (OP stack, Scroll) take besides that of gas. On Arbitrum it
//! is a part of the gas estimate.

use alloy::{primitives::U256, sol_types::SolCall};

use crate::{
    Address, DeployError, Result, chain::Chain, error::ChainsFileError, interfaces::L1Fee, rpc::Rpc,
};

/// Bytes of a transaction besides its calldata, and how they are thought to be: such that they do not compress.
const ENVELOPE: [u8; 120] = [0xa5; 120];

/// The contract that says a chain's price of publication, if it has such a price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Publication {
    /// Its address.
    pub oracle: Option<Address>,
}

impl Publication {
    /// That of the table of chains.
    ///
    /// # Errors
    /// [`DeployError::ChainsFile`] for an address that is none.
    pub fn of(chain: &Chain) -> Result<Self> {
        let address = |text: &String| {
            text.parse::<Address>().map_err(|source| DeployError::ChainsFile {
                path: "deploy/chains.toml".into(),
                source: ChainsFileError::L1Fee { chain: chain.name.clone(), source },
            })
        };
        Ok(Self { oracle: chain.l1_fee.as_ref().map(address).transpose()? })
    }

    /// The price for a transaction with this calldata, in wei, at present; zero where the chain has no such price. No limit that is signed bounds it: the
    /// chain takes it from the sender's balance.
    ///
    /// # Errors
    /// Those of the endpoint, and [`DeployError::Answer`] where the contract gives no number.
    pub async fn fee(&self, rpc: &Rpc, data: &[u8]) -> Result<U256> {
        let Some(oracle) = self.oracle else { return Ok(U256::ZERO) };
        let transaction = [data, ENVELOPE.as_slice()].concat().into();
        rpc.view(oracle, L1Fee::getL1FeeCall::SIGNATURE, L1Fee::getL1FeeCall { transaction }).await
    }
}
