//! Watches a run: gas by cause, and the input of every hash.

use alloy_primitives::U256;
use revm::{
    Inspector,
    bytecode::opcode,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter,
        interpreter::EthInterpreter,
        interpreter_types::{Jumps, MemoryTr},
    },
};

use crate::{Address, GasReport, precompile};

/// A cause of gas that the report names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Keccak,
    EcMul,
    EcAdd,
    Pairing,
    Modexp,
}

/// Collects the parts of a [`GasReport`] and the trace of hash inputs.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Per call depth: the operation under way and the gas before it.
    pending: Vec<Option<(Cause, u64)>>,
    /// What was counted so far; `transaction`, `execution` and `calldata` stay zero.
    pub(crate) parts: GasReport,
    /// The input of every `KECCAK256`, in order.
    pub(crate) hashed: Vec<Vec<u8>>,
    /// Replaces the result of the hash with this index.
    stub: Option<(usize, U256)>,
}

impl Watch {
    /// A watch that replaces the result of hash number `stub.0`, if any.
    pub(crate) fn new(stub: Option<(usize, U256)>) -> Self {
        Self { stub, ..Self::default() }
    }

    fn settle(&mut self, depth: usize, remaining: u64) {
        let Some((cause, before)) = self.pending.get_mut(depth).and_then(Option::take) else {
            return;
        };
        let spent = before.saturating_sub(remaining);
        match cause {
            Cause::Keccak => {
                self.parts.keccak += spent;
                self.parts.keccak_calls += 1;
            }
            Cause::EcMul => {
                self.parts.ec_mul += spent;
                self.parts.ec_mul_calls += 1;
            }
            Cause::EcAdd => {
                self.parts.ec_add += spent;
                self.parts.ec_add_calls += 1;
            }
            Cause::Pairing => self.parts.pairing += spent,
            Cause::Modexp => self.parts.modexp += spent,
        }
    }

    fn record_hash(&mut self, interp: &Interpreter<EthInterpreter>) {
        let word = |index| interp.stack.peek(index).unwrap_or_default().saturating_to::<usize>();
        let (offset, len) = (word(0), word(1));
        let size = interp.memory.size();
        // Memory beyond its current size reads as zero; the opcode is about to expand it.
        let mut input = vec![0; len.min(1 << 24)];
        let known = size.saturating_sub(offset).min(input.len());
        if known > 0 {
            input[..known].copy_from_slice(&interp.memory.slice_len(offset, known));
        }
        self.hashed.push(input);
    }
}

fn cause_of_call(target: Address) -> Option<Cause> {
    [(6, Cause::EcAdd), (7, Cause::EcMul), (8, Cause::Pairing), (5, Cause::Modexp)]
        .into_iter()
        .find_map(|(number, cause)| (precompile(number) == target).then_some(cause))
}

impl<CTX> Inspector<CTX, EthInterpreter> for Watch {
    fn step(&mut self, interp: &mut Interpreter<EthInterpreter>, _: &mut CTX) {
        let remaining = interp.gas.remaining();
        let depth = self.pending.len().saturating_sub(1);
        self.settle(depth, remaining);
        let cause = match interp.bytecode.opcode() {
            opcode::KECCAK256 => {
                self.record_hash(interp);
                Some(Cause::Keccak)
            }
            opcode::STATICCALL | opcode::CALL | opcode::DELEGATECALL => {
                interp.stack.peek(1).ok().and_then(|target| cause_of_call(Address::from_word(target.into())))
            }
            _ => None,
        };
        if let Some(slot) = self.pending.get_mut(depth) {
            *slot = cause.map(|cause| (cause, remaining));
        }
    }

    fn step_end(&mut self, interp: &mut Interpreter<EthInterpreter>, _: &mut CTX) {
        let depth = self.pending.len().saturating_sub(1);
        let hashing = matches!(self.pending.get(depth), Some(Some((Cause::Keccak, _))));
        if !hashing {
            return;
        }
        self.settle(depth, interp.gas.remaining());
        if let Some((index, value)) = self.stub
            && index + 1 == self.hashed.len()
        {
            let _ = interp.stack.set(0, value);
        }
    }

    fn call(&mut self, _: &mut CTX, _: &mut CallInputs) -> Option<CallOutcome> {
        self.pending.push(None);
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, _: &mut CallOutcome) {
        self.pending.pop();
    }

    fn create(&mut self, _: &mut CTX, _: &mut CreateInputs) -> Option<CreateOutcome> {
        self.pending.push(None);
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, _: &mut CreateOutcome) {
        self.pending.pop();
    }
}
