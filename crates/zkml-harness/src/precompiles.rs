//! Mainnet's precompiles, with single ones taken away or stubbed for tests.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes};
use revm::{
    context_interface::{Cfg, ContextTr},
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult},
    primitives::{AddressSet, hardfork::SpecId},
};

/// What happens instead of a precompile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch {
    /// The address has no code: a call succeeds and returns nothing, as on a chain without it.
    Missing,
    /// Every call fails and burns the gas it was given.
    Failing,
    /// Every call succeeds and returns these bytes.
    Returns(Vec<u8>),
    /// The call of this index, counted from zero in a transaction, reverts although its answer is right.
    RevertsAt(usize),
}

/// The address of precompile `number`, e.g. 8 for the BN254 pairing.
#[must_use]
pub fn precompile(number: u8) -> Address {
    Address::with_last_byte(number)
}

/// The precompiles of a fork behind a set of patches.
#[derive(Debug, Clone)]
pub(crate) struct Patched {
    inner: EthPrecompiles,
    patches: BTreeMap<Address, Patch>,
    /// Calls so far of the patched ones.
    calls: BTreeMap<Address, usize>,
}

impl Patched {
    pub(crate) fn new(spec: SpecId, patches: BTreeMap<Address, Patch>) -> Self {
        Self { inner: EthPrecompiles::new(spec), patches, calls: BTreeMap::new() }
    }
}

impl<CTX: ContextTr> PrecompileProvider<CTX> for Patched {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: <CTX::Cfg as Cfg>::Spec) -> bool {
        <EthPrecompiles as PrecompileProvider<CTX>>::set_spec(&mut self.inner, spec)
    }

    fn run(&mut self, context: &mut CTX, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        let gas = Gas::new(inputs.gas_limit);
        let address = inputs.bytecode_address;
        let calls = self.calls.entry(address).or_default();
        let index = std::mem::replace(calls, *calls + 1);
        match self.patches.get(&address) {
            None => self.inner.run(context, inputs),
            Some(Patch::RevertsAt(at)) => {
                let mut result = self.inner.run(context, inputs)?;
                if let Some(result) = result.as_mut().filter(|_| index == *at) {
                    result.result = InstructionResult::Revert;
                }
                Ok(result)
            }
            Some(Patch::Missing) => Ok(None),
            Some(Patch::Failing) => Ok(Some(InterpreterResult::new(
                InstructionResult::PrecompileError,
                Bytes::new(),
                Gas::new(0),
            ))),
            Some(Patch::Returns(bytes)) => {
                Ok(Some(InterpreterResult::new(InstructionResult::Return, bytes.clone().into(), gas)))
            }
        }
    }

    fn warm_addresses(&self) -> &AddressSet {
        self.inner.warm_addresses()
    }
}
