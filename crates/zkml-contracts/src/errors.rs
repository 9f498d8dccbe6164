//! Custom errors. A table of those of the generated contracts, which printers declare them from; it and the
//! declarations in the [library](crate::library) decode what a revert says.

use std::sync::OnceLock;

use sha3::{Digest, Keccak256};

use crate::library;

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
        /// The errors that generated contracts declare, or inherit from OpenZeppelin.
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
    /// The contract with the rest of this verifier is not where its constructor has put it, or is another one.
    REST_MISSING = RestMissing();
    /// The proof is well formed, but does not prove this statement.
    PROOF_REJECTED = ProofRejected();
    /// The output section has no word of this index.
    NO_SUCH_OUTPUT = NoSuchOutput(uint256 index);
    /// The trusted setup of this verifier is a development one, and this is not a test chain.
    UNSAFE_SETUP = UnsafeSetup(uint256 chainId);
    /// The registry knows this id as another model than the one that this contract was generated for.
    NOT_THIS_MODEL = NotThisModel(uint256 modelId);
    /// An output lies outside of what the circuit proves: the proof system is broken.
    OUTPUT_OUT_OF_BOUNDS = OutputOutOfBounds(uint256 index, int256 value);
    /// The blob is not as long as this model's blobs are.
    WRONG_BLOB_LENGTH = WrongBlobLength(uint256 actual, uint256 expected);
    /// This word has bits set beyond the values that are packed into it.
    SPARE_BITS = SpareBits(uint256 index);
    /// Only the owner may do this.
    OWNABLE_UNAUTHORIZED_ACCOUNT = OwnableUnauthorizedAccount(address account);
    /// A contract cannot be deployed with this owner.
    OWNABLE_INVALID_OWNER = OwnableInvalidOwner(address owner);
    /// The contract is paused.
    ENFORCED_PAUSE = EnforcedPause();
    /// The contract is not paused.
    EXPECTED_PAUSE = ExpectedPause();
    /// A token has refused to move, or there is none at this address.
    SAFE_ERC20_FAILED_OPERATION = SafeERC20FailedOperation(address token);
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
    match known().iter().find(|error| error.selector == *head) {
        Some(error) => {
            let types = error.types.iter().copied().chain(std::iter::repeat("uint256"));
            let words = rest.chunks(32).zip(types).map(|(bytes, ty)| argument(bytes, ty));
            format!("{}({})", error.name, words.collect::<Vec<_>>().join(", "))
        }
        None => format!("unknown revert 0x{}", hex::encode(data)),
    }
}

/// An error that can be named.
struct Known {
    selector: [u8; 4],
    name: &'static str,
    types: Vec<&'static str>,
}

impl Known {
    fn new(name: &'static str, types: Vec<&'static str>) -> Self {
        Self { selector: selector(&format!("{name}({})", types.join(","))), name, types }
    }
}

/// All errors of our contracts, and the language's own.
fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let generated = ALL.iter().map(|error| {
            let types = error.args.iter().map(|(ty, _)| *ty).collect();
            Known::new(error.name, types)
        });
        let library = library::SOURCES.iter().flat_map(|(_, source)| declared(source));
        generated.chain(library).chain([Known::new("Panic", vec!["uint256"])]).collect()
    })
}

/// The errors that a Solidity source declares, each at the beginning of a line.
fn declared(source: &'static str) -> impl Iterator<Item = Known> {
    let starts_line = |at: usize| source[..at].rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
    source.match_indices("error ").filter(move |(at, _)| starts_line(*at)).filter_map(|(at, keyword)| {
        let (declaration, _) = source[at + keyword.len()..].split_once(';')?;
        let (name, arguments) = declaration.trim().strip_suffix(')')?.split_once('(')?;
        let types = arguments.split(',').filter_map(|argument| argument.split_whitespace().next());
        Some(Known::new(name, types.map(elementary).collect()))
    })
}

/// What a type is in signatures: an enum is a small number. Types of our own begin with a capital letter, and errors have
/// no others of them.
fn elementary(ty: &'static str) -> &'static str {
    if ty.starts_with(|first: char| first.is_ascii_uppercase()) { "uint8" } else { ty }
}

/// An argument as people read it: addresses and digests in hexadecimal, small numbers in decimal.
fn argument(bytes: &[u8], ty: &str) -> String {
    let hexadecimal = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let length = ty.strip_prefix("bytes").and_then(|length| length.parse::<usize>().ok());
    match (ty, length, <[u8; 32]>::try_from(bytes)) {
        ("address", _, Ok(word)) => hexadecimal(&word[12..]),
        (_, Some(length @ 1..=32), Ok(word)) => hexadecimal(&word[..length]),
        ("int256", _, Ok(word)) if word[..16] == [0xff; 16] && word[16] >= 0x80 => {
            let (_, low) = word.split_at(16);
            low.try_into().map_or_else(|_| hexadecimal(&word), |low| i128::from_be_bytes(low).to_string())
        }
        _ => number(bytes),
    }
}

/// Small numbers in decimal, others in hexadecimal.
fn number(bytes: &[u8]) -> String {
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
        assert_eq!(
            describe(&[selector("Panic(uint256)").as_slice(), &[0; 31], &[0x11]].concat()),
            "Panic(17)"
        );
    }

    #[test]
    fn arguments_are_printed_by_their_type() {
        let revert = |signature: &str, words: &[[u8; 32]]| {
            describe(&[selector(signature).as_slice(), &words.concat()].concat())
        };
        let mut address = [0; 32];
        address[31] = 1;
        let mut bytes4 = [0; 32];
        bytes4[..4].copy_from_slice(&[0xab; 4]);
        assert_eq!(
            revert("NotAVerifier(address)", &[address]),
            format!("NotAVerifier(0x{}01)", "00".repeat(19))
        );
        assert_eq!(
            revert("RouteNotActive(bytes4,uint256)", &[bytes4, address]),
            "RouteNotActive(0xabababab, 1)"
        );
        let mut minus = [0xff; 32];
        minus[31] = 0xfb;
        assert_eq!(
            revert("OutputOutOfBounds(uint256,int256)", &[address, minus]),
            "OutputOutOfBounds(1, -5)"
        );
        assert_eq!(revert("OutputOutOfBounds(uint256,int256)", &[address; 2]), "OutputOutOfBounds(1, 1)");
        let digest = format!("WrongContext(0x{0}01, 0x{0}01)", "00".repeat(31));
        assert_eq!(revert("WrongContext(bytes32,bytes32)", &[address; 2]), digest);
    }

    #[test]
    fn declarations_are_found_and_comments_are_not() {
        let source = "    /// error Not(uint256 a);\n  error None();\nerror Two(\n    bytes4 a,\n    int256 b\n);\nerror Three(State c);";
        let found: Vec<_> = declared(source).map(|error| (error.name, error.types)).collect();
        assert_eq!(found, [("None", vec![]), ("Two", vec!["bytes4", "int256"]), ("Three", vec!["uint8"])]);
    }
}
