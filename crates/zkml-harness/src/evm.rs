//! A local EVM under mainnet rules: deploy, call, read the gas.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address};
use revm::{
    Context, DatabaseRef, InspectCommitEvm, InspectEvm, MainBuilder, MainContext,
    context::{TxEnv, result::ExecutionResult},
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
    state::AccountInfo,
};

use crate::{
    GasReport, HarnessError,
    inspect::Watch,
    precompiles::{Patch, Patched},
};

/// EIP-7825: the most gas one transaction may use on mainnet.
pub const TX_GAS_CAP: u64 = 16_777_216;
/// What every transaction pays first.
const TX_BASE: u64 = 21_000;
/// The account that sends unless told otherwise.
const SENDER: Address = address!("00000000000000000000000000000000000a11ce");

/// The rules of the EVM, by mainnet fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fork {
    /// April 2023: the fork that generated contracts are compiled for.
    Shanghai,
    /// March 2024.
    Cancun,
    /// May 2025: calldata floor (EIP-7623).
    Prague,
    /// December 2025, the newest on mainnet: gas cap per transaction, dearer modexp.
    #[default]
    Osaka,
}

impl From<Fork> for SpecId {
    fn from(fork: Fork) -> Self {
        match fork {
            Fork::Shanghai => Self::SHANGHAI,
            Fork::Cancun => Self::CANCUN,
            Fork::Prague => Self::PRAGUE,
            Fork::Osaka => Self::OSAKA,
        }
    }
}

/// What an [`Evm`] is like; the default is a local test chain under mainnet's newest rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvmConfig {
    /// The rules.
    pub fork: Fork,
    /// What `CHAINID` returns; 31337 is the usual number of a local chain.
    pub chain_id: u64,
    /// The account that sends.
    pub sender: Address,
    /// The block's time in seconds since 1970.
    pub timestamp: u64,
    /// Precompiles that are missing or stubbed, for tests.
    pub patches: BTreeMap<Address, Patch>,
    /// Replaces the result of the n-th `KECCAK256` of a call, for tests of unlikely challenges.
    pub stub_hash: Option<(usize, U256)>,
}

impl Default for EvmConfig {
    fn default() -> Self {
        Self {
            fork: Fork::default(),
            chain_id: 31_337,
            sender: SENDER,
            timestamp: 1_767_225_600,
            patches: BTreeMap::new(),
            stub_hash: None,
        }
    }
}

/// A chain in memory.
#[derive(Debug)]
pub struct Evm {
    /// The rules; may be changed between calls.
    pub config: EvmConfig,
    state: CacheDB<EmptyDB>,
}

/// A contract that was deployed.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Where it lives.
    pub address: Address,
    /// Gas of the deploying transaction.
    pub gas: u64,
    /// The runtime bytecode as it lies on chain, immutables filled in.
    pub runtime: Vec<u8>,
    /// Bytes of that, and of the code of the first contract that the constructor has created.
    pub code_bytes: usize,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The contract that emitted it.
    pub address: Address,
    /// Signature hash and indexed arguments.
    pub topics: Vec<B256>,
    /// The other arguments, ABI-encoded.
    pub data: Vec<u8>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It returned these bytes.
    Returned(Vec<u8>),
    /// It reverted with these bytes (a selector and its arguments, or nothing).
    Reverted(Vec<u8>),
    /// It broke a rule of the EVM, such as running out of gas.
    Halted(String),
}

/// The result of a call.
#[derive(Debug, Clone)]
pub struct Call {
    /// How it ended.
    pub outcome: Outcome,
    /// Where its gas went.
    pub gas: GasReport,
    /// The input of every `KECCAK256` that ran, in order.
    pub hashed: Vec<Vec<u8>>,
    /// Events, empty unless it returned.
    pub logs: Vec<Log>,
}

impl Call {
    /// Whether the call returned the ABI word `true`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(&self.outcome, Outcome::Returned(bytes)
            if bytes.len() == 32 && bytes[..31].iter().all(|byte| *byte == 0) && bytes[31] == 1)
    }

    /// The revert in words, e.g. `PointNotOnCurve(3)`, or how else the call ended.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.outcome {
            Outcome::Returned(bytes) => format!("returned 0x{}", alloy_primitives::hex::encode(bytes)),
            Outcome::Reverted(bytes) => zkml_contracts::errors::describe(bytes),
            Outcome::Halted(reason) => format!("halted: {reason}"),
        }
    }
}

impl Default for Evm {
    fn default() -> Self {
        Self::new(EvmConfig::default())
    }
}

impl Evm {
    /// An empty chain.
    #[must_use]
    pub fn new(config: EvmConfig) -> Self {
        Self { config, state: CacheDB::new(EmptyDB::new()) }
    }

    /// Runs `init` (creation bytecode and constructor arguments) in a transaction.
    ///
    /// # Errors
    /// [`HarnessError::DeployFailed`] with the decoded revert, e.g. of a constructor that
    /// refuses the chain, or if the code is larger than the fork allows.
    pub fn deploy(&mut self, init: &[u8]) -> Result<Deployment, HarnessError> {
        let (result, _) = self.transact(TxKind::Create, init.to_vec(), true)?;
        match &result {
            ExecutionResult::Success { output, .. } => {
                let address = output.address().copied().unwrap_or_default();
                let runtime = self.code(address);
                let code_bytes = runtime.len() + self.code(address.create(1)).len();
                Ok(Deployment { address, gas: result.tx_gas_used(), runtime, code_bytes })
            }
            ExecutionResult::Revert { output, .. } => Err(HarnessError::DeployFailed {
                reason: zkml_contracts::errors::describe(output),
                gas: result.tx_gas_used(),
            }),
            ExecutionResult::Halt { reason, .. } => {
                Err(HarnessError::DeployFailed { reason: format!("{reason:?}"), gas: result.tx_gas_used() })
            }
        }
    }

    /// Calls `to` in a transaction whose effects stay.
    ///
    /// # Errors
    /// [`HarnessError::Transaction`] if the rules forbid the transaction. A revert is a result.
    pub fn send(&mut self, to: Address, data: &[u8]) -> Result<Call, HarnessError> {
        self.run(to, data, true)
    }

    /// Calls `to` as [`Self::send`] does, but keeps nothing of its effects.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn call(&mut self, to: Address, data: &[u8]) -> Result<Call, HarnessError> {
        self.run(to, data, false)
    }

    /// The code at `address`; empty if there is none.
    #[must_use]
    pub fn code(&self, address: Address) -> Vec<u8> {
        let info = self.account(address);
        let code = info.code.or_else(|| self.state.code_by_hash_ref(info.code_hash).ok());
        code.map(|code| code.original_bytes().to_vec()).unwrap_or_default()
    }

    fn account(&self, address: Address) -> AccountInfo {
        self.state.basic_ref(address).ok().flatten().unwrap_or_default()
    }

    fn run(&mut self, to: Address, data: &[u8], keep: bool) -> Result<Call, HarnessError> {
        let (result, watch) = self.transact(TxKind::Call(to), data.to_vec(), keep)?;
        let gas = report(watch.parts, result.tx_gas_used(), data);
        let (outcome, logs) = match result {
            ExecutionResult::Success { output, logs, .. } => {
                (Outcome::Returned(output.into_data().to_vec()), logs)
            }
            ExecutionResult::Revert { output, .. } => (Outcome::Reverted(output.to_vec()), vec![]),
            ExecutionResult::Halt { reason, .. } => (Outcome::Halted(format!("{reason:?}")), vec![]),
        };
        let logs = logs.into_iter().map(|log| Log {
            address: log.address,
            topics: log.data.topics().to_vec(),
            data: log.data.data.to_vec(),
        });
        Ok(Call { outcome, gas, hashed: watch.hashed, logs: logs.collect() })
    }

    fn transact(
        &mut self,
        kind: TxKind,
        data: Vec<u8>,
        keep: bool,
    ) -> Result<(ExecutionResult, Watch), HarnessError> {
        let spec = SpecId::from(self.config.fork);
        let tx = TxEnv::builder()
            .caller(self.config.sender)
            .kind(kind)
            .data(Bytes::from(data))
            .gas_limit(TX_GAS_CAP)
            .nonce(self.account(self.config.sender).nonce)
            .chain_id(Some(self.config.chain_id))
            .build()
            .map_err(|error| HarnessError::Transaction(format!("{error:?}").into()))?;
        let watch = Watch::new(self.config.stub_hash);
        let (chain_id, timestamp) = (self.config.chain_id, self.config.timestamp);
        let mut evm = Context::mainnet()
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(spec);
                cfg.chain_id = chain_id;
            })
            .modify_block_chained(|block| block.timestamp = U256::from(timestamp))
            .with_db(&mut self.state)
            .build_mainnet_with_inspector(watch)
            .with_precompiles(Patched::new(spec, self.config.patches.clone()));
        let result = if keep { evm.inspect_tx_commit(tx) } else { evm.inspect_one_tx(tx) }
            .map_err(|error| HarnessError::Transaction(error.into()))?;
        let watch = std::mem::take(&mut evm.inspector);
        Ok((result, watch))
    }
}

/// Completes the counted parts with what follows from the total and the calldata.
fn report(parts: GasReport, transaction: u64, data: &[u8]) -> GasReport {
    let zeros = data.iter().filter(|byte| **byte == 0).count() as u64;
    let others = data.len() as u64 - zeros;
    let calldata = 4 * zeros + 16 * others;
    let execution = transaction.saturating_sub(TX_BASE + calldata);
    let named = parts.keccak + parts.ec_mul + parts.ec_add + parts.pairing + parts.modexp;
    let floor = TX_BASE + 10 * (zeros + 4 * others);
    GasReport {
        transaction,
        execution,
        calldata,
        arithmetic: execution.saturating_sub(named),
        floor_applied: transaction == floor && TX_BASE + calldata + named < floor,
        ..parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precompile;

    /// Wraps runtime code in creation code that returns it.
    fn creation(runtime: &[u8]) -> Vec<u8> {
        let len = u16::try_from(runtime.len()).unwrap().to_be_bytes();
        let mut code = vec![0x61, len[0], len[1], 0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3];
        code.extend_from_slice(runtime);
        code
    }

    /// Hashes 3 bytes of fresh memory, calls ecAdd(0, 0) and returns the returned size.
    const HASH_AND_ADD: &[u8] = &[
        0x60, 0x03, 0x5f, 0x20, 0x50, // keccak256(0, 3), pop
        0x60, 0x40, 0x5f, 0x60, 0x80, 0x5f, 0x60, 0x06, 0x5a, 0xfa, 0x50, // staticcall 6
        0x3d, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3, // return returndatasize
    ];

    #[test]
    fn gas_parts_and_hash_inputs_are_seen() {
        let mut evm = Evm::default();
        let contract = evm.deploy(&creation(HASH_AND_ADD)).unwrap();
        assert_eq!(contract.runtime, HASH_AND_ADD);
        let call = evm.call(contract.address, &[0, 1]).unwrap();
        assert_eq!(call.hashed, vec![vec![0, 0, 0]]);
        assert_eq!(call.gas.keccak, 30 + 6 + 3, "base, one word, one word of memory");
        assert!((250..270).contains(&call.gas.ec_add), "{}", call.gas.ec_add);
        assert_eq!(call.gas.calldata, 20);
        let gas = call.gas;
        assert_eq!(gas.execution, gas.keccak + gas.ec_add + gas.arithmetic);
        assert_eq!(gas.transaction, 21_000 + gas.calldata + gas.execution);
    }

    #[test]
    fn a_missing_precompile_succeeds_and_returns_nothing() {
        let mut evm = Evm::default();
        let contract = evm.deploy(&creation(HASH_AND_ADD)).unwrap();
        let size = |evm: &mut Evm| match evm.call(contract.address, &[]).unwrap().outcome {
            Outcome::Returned(bytes) => bytes[31],
            other => panic!("{other:?}"),
        };
        assert_eq!(size(&mut evm), 64);
        evm.config.patches.insert(precompile(6), Patch::Missing);
        assert_eq!(size(&mut evm), 0);
        evm.config.patches.insert(precompile(6), Patch::Returns(vec![1; 32]));
        assert_eq!(size(&mut evm), 32);
    }

    #[test]
    fn code_above_the_mainnet_limit_cannot_be_deployed() {
        let error = Evm::default().deploy(&creation(&vec![0x5b; 24_577])).unwrap_err();
        assert!(matches!(error, HarnessError::DeployFailed { .. }), "{error}");
    }
}
