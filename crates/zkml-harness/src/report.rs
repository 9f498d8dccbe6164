//! Where the gas of one transaction went.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Gas of one transaction, by cause. All figures are gas units; the parts from `calldata`
/// to `arithmetic` and the 21,000 base add up to `transaction`, unless the EIP-7623 floor applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GasReport {
    /// What the sender pays.
    pub transaction: u64,
    /// Without the base and the calldata: what a calling contract would pay.
    pub execution: u64,
    /// 4 per zero byte and 16 per other byte (EIP-2028).
    pub calldata: u64,
    /// Hashing: the transcript.
    pub keccak: u64,
    /// BN254 scalar multiplications (precompile 7).
    pub ec_mul: u64,
    /// BN254 additions (precompile 6).
    pub ec_add: u64,
    /// The pairing check (precompile 8).
    pub pairing: u64,
    /// Modular exponentiation (precompile 5).
    pub modexp: u64,
    /// Everything else: field arithmetic, memory, checks, dispatch.
    pub arithmetic: u64,
    /// How many `KECCAK256` operations ran.
    pub keccak_calls: u32,
    /// How many scalar multiplications ran.
    pub ec_mul_calls: u32,
    /// How many additions ran.
    pub ec_add_calls: u32,
    /// Whether the calldata floor of EIP-7623 set the price.
    pub floor_applied: bool,
}

impl GasReport {
    /// The multi-scalar multiplication: `ec_mul + ec_add`.
    #[must_use]
    pub fn msm(&self) -> u64 {
        self.ec_mul + self.ec_add
    }
}

impl fmt::Display for GasReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "transaction  {:>9}", self.transaction)?;
        writeln!(f, "  base       {:>9}", 21_000)?;
        writeln!(f, "  calldata   {:>9}", self.calldata)?;
        writeln!(f, "  execution  {:>9}", self.execution)?;
        writeln!(f, "    transcript {:>7}  ({} hashes)", self.keccak, self.keccak_calls)?;
        writeln!(f, "    ecMul      {:>7}  ({})", self.ec_mul, self.ec_mul_calls)?;
        writeln!(f, "    ecAdd      {:>7}  ({})", self.ec_add, self.ec_add_calls)?;
        writeln!(f, "    pairing    {:>7}", self.pairing)?;
        writeln!(f, "    modexp     {:>7}", self.modexp)?;
        write!(f, "    arithmetic {:>7}", self.arithmetic)
    }
}
