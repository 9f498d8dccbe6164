//! Where the generated verifier keeps what: memory addresses and calldata offsets.

use std::collections::HashMap;

use zkml_protocol::plonk::{Challenge, Eval, Program, ProofLayout};

use super::super::{
    Favour,
    checks::{Input, PROOF},
};
use crate::{CodegenError, text::at};

/// Start of the memory that the verifier takes. Solidity's own starts at 0x80; the room between is for
/// variables that the compiler moves to memory, which the contract checks to be enough.
const FREE: usize = 0x200;
/// Bytes that the pairing needs from [`FREE`] on, once the transcript is done.
const PAIRING_BYTES: usize = 12 * 32;

/// A value that sections of the verifier hand to each other through memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cell {
    /// A challenge of the transcript.
    Challenge(Challenge),
    /// `x^n`.
    XPowN,
    /// `x^n − 1`, then its inverse.
    Vanishing,
    /// Denominator of the instance rows, then its inverse.
    RowsDenominator,
    /// Numerator of the instance rows.
    RowsNumerator,
    /// Product of the denominators of the rows 1 and up.
    RowsWithoutFirst,
    /// Denominator of the closing rows, then its inverse.
    TailDenominator,
    /// Numerator of their sum.
    TailNumerator,
    /// The denominator without the factor of the first closing row.
    TailWithoutLast,
    /// The instance column at `x`.
    Instance,
    /// `L_0(x)`.
    LagrangeFirst,
    /// `L_{n−1−b}(x)`.
    LagrangeLast,
    /// One on the usable rows.
    LagrangeActive,
    /// `1 / x`.
    XInverse,
    /// `u − x·ω^t` for the opening point of this index.
    Distance(usize),
    /// Product of the distances of set 0.
    VanishingFirst,
    /// Product of the distances outside set 0, then its inverse.
    OutsideFirst,
    /// The quotient's value at `x`.
    Quotient,
    /// Weight of an opening set: `v^i · D_i`.
    Weight(usize),
    /// A value of the constraints that several places read.
    Shared(u32),
}

/// The memory and calldata map of one verifier.
#[derive(Debug)]
pub(crate) struct Map {
    /// The proof's own layout.
    pub(crate) layout: ProofLayout,
    /// What a caller sends.
    pub(crate) input: Input,
    cells: HashMap<Cell, usize>,
    next: usize,
}

impl Map {
    pub(crate) fn new(program: &Program, favour: Favour) -> Self {
        let layout = program.layout();
        let instances = program.num_instances as usize;
        let buffer = FREE + 32 * (3 + instances) + layout.length();
        let next = buffer.max(FREE + PAIRING_BYTES);
        let input = Input::new(layout.slots(), instances, favour);
        Self { layout, input, cells: HashMap::new(), next }
    }

    /// Address of the transcript's first buffer; later of the accumulator of the multi-scalar multiplication.
    pub(crate) fn buffer(&self) -> usize {
        FREE
    }

    /// Address at which the transcript keeps a copy of the proof.
    pub(crate) fn proof_copy(&self) -> usize {
        FREE + 32 * (3 + self.input.instances)
    }

    /// Address of a cell, given to it on first use.
    pub(crate) fn cell(&mut self, cell: Cell) -> String {
        let next = &mut self.next;
        let address = *self.cells.entry(cell).or_insert_with(|| {
            *next += 32;
            *next - 32
        });
        at(address)
    }

    /// Reads a cell.
    pub(crate) fn load(&mut self, cell: Cell) -> String {
        format!("mload({})", self.cell(cell))
    }

    /// Writes a cell.
    pub(crate) fn store(&mut self, cell: Cell, value: &str) -> String {
        format!("mstore({}, {value})", self.cell(cell))
    }

    /// Reads an evaluation: from the proof, or the computed quotient.
    pub(crate) fn eval(&mut self, eval: Eval) -> Result<String, CodegenError> {
        if eval == Eval::Quotient {
            return Ok(self.load(Cell::Quotient));
        }
        let offset = self.layout.eval_offset(eval);
        let offset = offset
            .ok_or_else(|| CodegenError::Inconsistent(format!("no evaluation {eval:?} in the proof")))?;
        Ok(format!("calldataload({})", at(PROOF + offset)))
    }
}
