//! One commitment, three readers: Rust, the browser's module and Solidity, against vectors that none of them made
//! (`tests/js/vectors.mjs`, on poseidon-lite).

use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use zkml_harness::{Address, Call, Evm, Outcome, Settings, Solc};
use zkml_protocol::{
    Code, Word,
    commitment::{self, Role},
    keccak256,
};

#[derive(Deserialize)]
struct Vectors {
    commitments: Vec<Vector>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    role: Role,
    salt: Word,
    parts: Vec<Part>,
    domain: Word,
    words: Vec<Word>,
    commitment: Word,
}

#[derive(Deserialize)]
struct Refused {
    part: usize,
    index: usize,
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    bits: u32,
    signed: bool,
    values: Vec<String>,
}

impl Part {
    fn code(&self) -> Code {
        Code { bits: self.bits, signed: self.signed }
    }

    fn values(&self) -> Vec<i64> {
        self.values.iter().map(|v| v.parse().expect("an integer")).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn vectors() -> Vectors {
    let bytes = fs::read(root().join("tests/fixtures/commitment.json")).expect("the vectors");
    serde_json::from_slice(&bytes).expect("vectors")
}

/// Calls `f` with the parts as the library takes them.
fn with<T>(parts: &[Part], f: impl FnOnce(&[(Code, &[i64])]) -> T) -> T {
    let values: Vec<Vec<i64>> = parts.iter().map(Part::values).collect();
    let parts: Vec<(Code, &[i64])> =
        parts.iter().zip(&values).map(|(p, v)| (p.code(), v.as_slice())).collect();
    f(&parts)
}

#[test]
fn rust_agrees() {
    let Vectors { commitments, refused } = vectors();
    assert!(commitments.len() > 30);
    for v in &commitments {
        assert_eq!(commitment::domain(v.role, v.parts.len() as u32), v.domain, "{}", v.name);
        let words = with(&v.parts, |parts| commitment::words(&v.salt, parts)).expect("it fits");
        assert_eq!(words, v.words, "{}", v.name);
        let sizes = v.parts.iter().map(|p| (p.code(), p.values.len()));
        assert_eq!(commitment::calls(sizes) * commitment::WORDS_PER_CALL, words.len(), "{}", v.name);
        let found = with(&v.parts, |parts| zkml_poseidon::commit(v.role, &v.salt, parts));
        assert_eq!(found.as_ref(), Ok(&v.commitment), "{}", v.name);
    }
    for r in &refused {
        let error = with(&r.parts, |parts| commitment::words(&Word::ONE, parts)).expect_err("too wide");
        assert_eq!((error.part, error.index), (r.part, r.index));
    }
}

#[test]
fn javascript_agrees() {
    let node = std::env::var("ZKML_NODE").unwrap_or_else(|_| "node".to_owned());
    let output = Command::new(node)
        .args(["--test", "tests/js/commitment.test.mjs"])
        .current_dir(root())
        .output()
        .expect("Node starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("the vectors are what poseidon-lite gives today"), "{text}");
}

/// Reads a commitment from a tape of words, since that is easy to encode: role, salt, number of tensors; then of each
/// its bits, sign, length and values.
const PROBE: &str = r"
pragma solidity ^0.8.20;
import {ZKMLCommitment, IPoseidonT4} from 'ZKMLCommitment.sol';

contract Probe {
    function poseidonAddress() external pure returns (address) { return address(ZKMLCommitment.POSEIDON); }

    function words(IPoseidonT4, uint256[] calldata tape) external pure returns (uint256[] memory) {
        return ZKMLCommitment.words(tape[1], parts(tape));
    }

    function commit(IPoseidonT4 poseidon, uint256[] calldata tape) external pure returns (uint256) {
        return ZKMLCommitment.commitWith(poseidon, ZKMLCommitment.Role(tape[0]), tape[1], parts(tape));
    }

    function parts(uint256[] calldata tape) internal pure returns (ZKMLCommitment.Part[] memory out) {
        out = new ZKMLCommitment.Part[](tape[2]);
        uint256 at = 3;
        for (uint256 i = 0; i < out.length; ++i) {
            out[i].bits = uint8(tape[at]);
            out[i].signed = tape[at + 1] == 1;
            out[i].values = new int256[](tape[at + 2]);
            for (uint256 j = 0; j < out[i].values.length; ++j) out[i].values[j] = int256(tape[at + 3 + j]);
            at += 3 + out[i].values.length;
        }
    }
}
";

/// A chain with poseidon-solidity and the probe on it.
struct Chain {
    evm: Evm,
    poseidon: Address,
    probe: Address,
}

impl Chain {
    fn new() -> Self {
        let library =
            fs::read_to_string(root().join("contracts/src/libraries/ZKMLCommitment.sol")).expect("library");
        let sources = [("ZKMLCommitment.sol", library.as_str()), ("Probe.sol", PROBE)];
        let solc = Solc::find_in(&[root()]).expect("solc");
        let compiled = solc.compile(&sources, &Settings::default()).expect("it compiles");
        let of_library: Vec<_> =
            compiled.warnings.iter().filter(|w| w.contains("ZKMLCommitment.sol")).collect();
        assert!(of_library.is_empty(), "{of_library:?}");
        let mut evm = Evm::default();
        let poseidon = evm.deploy(&published().0).expect("poseidon-solidity").address;
        let probe =
            evm.deploy(&compiled.contract("Probe").expect("the probe").creation).expect("the probe").address;
        Self { evm, poseidon, probe }
    }

    fn call(&mut self, function: &str, tape: &[Word]) -> Call {
        let mut data = keccak256([format!("{function}(address,uint256[])").as_bytes()]).0[..4].to_vec();
        let mut address = Word::ZERO;
        address.0[12..].copy_from_slice(self.poseidon.as_slice());
        let head = [address, Word::from_u64(64), Word::from_u64(tape.len() as u64)];
        data.extend(head.iter().chain(tape).flat_map(|w| w.0));
        self.evm.call(self.probe, &data).expect("a call")
    }
}

fn returned(call: &Call) -> Vec<Word> {
    match &call.outcome {
        Outcome::Returned(bytes) => {
            bytes.chunks_exact(32).map(|w| Word(w.try_into().expect("32 bytes"))).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Creation code and deployment data that the package publishes, and the address that it claims.
fn published() -> (Vec<u8>, serde_json::Value) {
    let node = std::env::var("ZKML_NODE").unwrap_or_else(|_| "node".to_owned());
    let script = "process.stdout.write(JSON.stringify(require('poseidon-solidity/deploy/PoseidonT4.js')))";
    let output = Command::new(node).args(["-e", script]).current_dir(root()).output().expect("Node starts");
    let text: serde_json::Value = serde_json::from_slice(&output.stdout).expect("deployment data");
    (hex(&text["bytecode"]), text)
}

fn hex(text: &serde_json::Value) -> Vec<u8> {
    hex::decode(text.as_str().expect("text").trim_start_matches("0x")).expect("hexadecimal")
}

fn tape(role: Role, salt: Word, parts: &[Part]) -> Vec<Word> {
    let mut tape = vec![Word::from_u64(role as u64), salt, Word::from_u64(parts.len() as u64)];
    for part in parts {
        tape.extend([part.bits.into(), part.signed.into(), part.values.len() as u64].map(Word::from_u64));
        tape.extend(part.values().into_iter().map(|v| {
            let mut word = Word([if v < 0 { 0xff } else { 0 }; 32]);
            word.0[24..].copy_from_slice(&v.to_be_bytes());
            word
        }));
    }
    tape
}

#[test]
fn solidity_agrees() {
    let Vectors { commitments, refused } = vectors();
    let mut chain = Chain::new();
    for v in &commitments {
        let tape = tape(v.role, v.salt, &v.parts);
        assert_eq!(returned(&chain.call("words", &tape))[2..], v.words, "{}", v.name);
        assert_eq!(returned(&chain.call("commit", &tape)), [v.commitment], "{}", v.name);
    }
    let error = |call: Call| match call.outcome {
        Outcome::Reverted(bytes) => bytes,
        other => panic!("{other:?}"),
    };
    let selector = |signature: &str| keccak256([signature.as_bytes()]).0[..4].to_vec();
    for r in &refused {
        let bytes = error(chain.call("commit", &tape(Role::Input, Word::ONE, &r.parts)));
        assert_eq!(bytes[..4], selector("ValueOutOfRange(uint256,uint256)"));
        assert_eq!((bytes[35] as usize, bytes[67] as usize), (r.part, r.index));
    }
    let salt = zkml_protocol::field::SCALAR_MODULUS;
    assert_eq!(error(chain.call("commit", &tape(Role::Input, salt, &[]))), selector("SaltOutOfRange()"));
    let wide = [Part { bits: 63, signed: false, values: vec![] }];
    let bytes = error(chain.call("commit", &tape(Role::Input, Word::ONE, &wide)));
    assert_eq!(bytes[..4], selector("BitsOutOfRange(uint256)"));
    let mut none = tape(Role::Input, Word::ONE, &[]);
    none[0] = Word::ZERO;
    assert_eq!(error(chain.call("commit", &none)), selector("NoRole()"));
    // Numbers far beyond the width, where adding the offset would overflow.
    for far in [Word([0x7f; 32]), Word([0x80; 32])] {
        let mut far_tape =
            tape(Role::Input, Word::ONE, &[Part { bits: 8, signed: true, values: vec!["0".into()] }]);
        *far_tape.last_mut().expect("a value") = far;
        assert_eq!(error(chain.call("commit", &far_tape))[..4], selector("ValueOutOfRange(uint256,uint256)"));
    }
}

/// The address in the library is the one that the package's deployment ends at, whoever sends it.
#[test]
fn the_address_of_poseidon_follows_from_its_code() {
    let (code, deployment) = published();
    let address = hex(&deployment["address"]);
    let parts = [
        vec![0xff],
        hex(&deployment["proxyAddress"]),
        hex(&deployment["salt"]),
        keccak256([code.as_slice()]).0.to_vec(),
    ];
    assert_eq!(keccak256(parts.iter().map(Vec::as_slice)).0[12..], address);
    let mut chain = Chain::new();
    let found =
        chain.evm.call(chain.probe, &keccak256([b"poseidonAddress()".as_slice()]).0[..4]).expect("a call");
    assert_eq!(returned(&found)[0].0[12..], address);
}
