//! The custom errors of the generated contracts: one table that the printers declare them
//! from and that decodes what a revert says.

use sha3::{Digest, Keccak256};

/// A custom error of a generated contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolError {
    /// Its name.
    pub name: &'static str,
    /// Types and names of its arguments; only types that fill one word.
    pub args: &'static [(&'static str, &'static str)],
    /// What it means, as NatSpec.
    pub meaning: &'static str,
}

macro_rules! sol_errors {
    ($($(#[doc = $doc:literal])+ $konst:ident = $name:ident ( $($ty:ident $arg:ident),* );)+) => {
        $($(#[doc = $doc])+ pub const $konst: SolError = SolError {
            name: stringify!($name),
            args: &[$((stringify!($ty), stringify!($arg))),*],
            meaning: concat!($($doc),+),
        };)+
        /// Every error that a generated contract can revert with.
        pub const ALL: &[SolError] = &[$($konst),+];
    };
}

sol_errors! {
    /// The calldata is not the canonical ABI encoding of the arguments.
    NON_CANONICAL_CALLDATA = NonCanonicalCalldata();
    /// The compiler has put variables where this contract works: compile it with the documented settings.
    MEMORY_IN_USE = MemoryInUse();
    /// The proof does not have the length that this circuit's proofs have.
    WRONG_PROOF_LENGTH = WrongProofLength(uint256 actual, uint256 expected);
    /// The number of instances is not the circuit's.
    WRONG_INSTANCE_COUNT = WrongInstanceCount(uint256 actual, uint256 expected);
    /// This instance is not below the order of the scalar field.
    SCALAR_OUT_OF_RANGE = ScalarOutOfRange(uint256 index);
    /// This 32-byte word of the proof is an evaluation that is not below the order of the scalar field.
    EVALUATION_OUT_OF_RANGE = EvaluationOutOfRange(uint256 offset);
    /// The point at this byte of the proof is the identity, not on the curve, or not canonical.
    INVALID_POINT = InvalidPoint(uint256 offset);
    /// A challenge hit the evaluation domain, so that a denominator is zero.
    ZERO_DENOMINATOR = ZeroDenominator();
    /// A precompiled contract is missing on this chain, or failed.
    PRECOMPILE_FAILED = PrecompileFailed();
    /// The proof is well formed, but does not prove this statement.
    PROOF_REJECTED = ProofRejected();
    /// The output section has no word of this index.
    NO_SUCH_OUTPUT = NoSuchOutput(uint256 index);
    /// The trusted setup of this verifier is a development one, and this is not a test chain.
    UNSAFE_SETUP = UnsafeSetup(uint256 chainId);
    /// The verifier at this address is not the one that the model was published with.
    WRONG_VERIFIER = WrongVerifier(address verifier);
    /// Zero, or not below the order of the scalar field: this is no commitment to weights.
    INVALID_WEIGHTS_COMMITMENT = InvalidWeightsCommitment(uint256 found);
    /// The proof is about a model of other weights than the one that this contract stands for.
    WRONG_MODEL = WrongModel(uint256 found, uint256 expected);
    /// This instance has bits set beyond the values that are packed into it.
    SPARE_BITS = SpareBits(uint256 index);
    /// This number has a magnitude of 2^160 or more, which no model takes or gives.
    OUTPUT_OUT_OF_RANGE = OutputOutOfRange(uint256 index);
    /// The statement is bound to another context than this call's.
    WRONG_CONTEXT = WrongContext(uint256 actual, uint256 expected);
    /// The statement was valid until this time.
    STATEMENT_EXPIRED = StatementExpired(uint256 deadline);
}

impl SolError {
    /// The signature that the selector is derived from, e.g. `ScalarOutOfRange(uint256)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let types: Vec<_> = self.args.iter().map(|(ty, _)| *ty).collect();
        format!("{}({})", self.name, types.join(","))
    }

    /// The first four bytes of the signature's Keccak-256.
    #[must_use]
    pub fn selector(&self) -> [u8; 4] {
        selector(&self.signature())
    }

    /// The Solidity declaration.
    #[must_use]
    pub fn declaration(&self) -> String {
        let args: Vec<_> = self.args.iter().map(|(ty, name)| format!("{ty} {name}")).collect();
        format!("error {}({});", self.name, args.join(", "))
    }
}

/// The selector of a Solidity signature.
#[must_use]
pub fn selector(signature: &str) -> [u8; 4] {
    let hash = Keccak256::digest(signature.as_bytes());
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Revert data in words: `ScalarOutOfRange(2)`, `revert without data`, or the raw bytes
/// when no contract of ours has such an error.
#[must_use]
pub fn describe(data: &[u8]) -> String {
    if data.is_empty() {
        return "revert without data".to_owned();
    }
    let Some((head, rest)) = data.split_first_chunk::<4>() else {
        return format!("unknown revert 0x{}", hex::encode(data));
    };
    match ALL.iter().find(|error| error.selector() == *head) {
        Some(error) => {
            let words = rest.chunks(32).map(word);
            format!("{}({})", error.name, words.collect::<Vec<_>>().join(", "))
        }
        None if *head == selector("Panic(uint256)") => format!("Panic({})", word(rest)),
        None => format!("unknown revert 0x{}", hex::encode(data)),
    }
}

/// Small numbers in decimal, others in hexadecimal.
fn word(bytes: &[u8]) -> String {
    let (high, low) = bytes.split_at(bytes.len().saturating_sub(8));
    match <[u8; 8]>::try_from(low) {
        Ok(low) if high.iter().all(|byte| *byte == 0) => u64::from_be_bytes(low).to_string(),
        _ => format!("0x{}", hex::encode(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_solidity_s() {
        assert_eq!(selector("transfer(address,uint256)"), [0xa9, 0x05, 0x9c, 0xbb]);
        assert_eq!(SCALAR_OUT_OF_RANGE.signature(), "ScalarOutOfRange(uint256)");
    }

    #[test]
    fn reverts_are_named_with_their_numbers() {
        let mut data = SCALAR_OUT_OF_RANGE.selector().to_vec();
        data.extend([0; 31]);
        data.push(7);
        assert_eq!(describe(&data), "ScalarOutOfRange(7)");
        assert_eq!(describe(&[]), "revert without data");
        assert_eq!(describe(&[1, 2, 3, 4]), "unknown revert 0x01020304");
        assert_eq!(describe(&[1]), "unknown revert 0x01");
    }
}
