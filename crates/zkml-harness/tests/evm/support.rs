//! Committed sample proofs, each with a chain that has their verifier on it.

use std::{fs, path::PathBuf, sync::OnceLock};

use zkml_harness::{Address, Call, Contract, Evm, Settings, Solc};
use zkml_protocol::{InstanceLayout, Program, Sample, Word};

const ACCEPTING: &str = include_str!("../../../../tests/fixtures/solidity/AcceptingVerifier.sol");

/// A sample and its verifier on a local chain.
pub(crate) struct Fixture {
    pub(crate) sample: Sample,
    pub(crate) contract: Contract,
    pub(crate) evm: Evm,
    pub(crate) address: Address,
}

impl Fixture {
    pub(crate) fn deploy(sample: Sample, contract: Contract) -> Self {
        let mut evm = Evm::default();
        let address = evm.deploy(&contract.creation).unwrap().address;
        Self { sample, contract, evm, address }
    }

    pub(crate) fn call(&mut self, data: &[u8]) -> Call {
        self.evm.call(self.address, data).unwrap()
    }

    pub(crate) fn verify(&mut self, proof: &[u8], instances: &[Word]) -> Call {
        self.call(&zkml_codegen::encode(proof, instances))
    }
}

pub(crate) fn samples() -> Vec<Sample> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/protocol");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

/// The sample with most rows under another statement: its proof no longer holds, so that it takes a verifier that accepts
/// everything to go on.
pub(crate) fn stating(layout: InstanceLayout) -> Sample {
    let mut sample = samples().into_iter().max_by_key(|sample| sample.program.domain.k).unwrap();
    sample.program.num_instances = layout.total() as u32;
    sample.program.statement.instances = layout;
    sample.instances = (0..sample.program.num_instances.into()).map(|i| Word::from_u64(1_000 + i)).collect();
    sample
}

/// All samples, compiled once for the whole test program.
pub(crate) fn fixtures() -> Vec<Fixture> {
    static COMPILED: OnceLock<Vec<(Sample, Contract)>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let samples = samples();
        let verifiers = samples
            .iter()
            .map(|sample| (zkml_codegen::verifier_source(&sample.program).unwrap(), sample.program.clone()));
        let contracts = compile_all(&verifiers.collect::<Vec<_>>(), &Settings::default());
        samples.into_iter().zip(contracts).collect()
    });
    compiled.iter().map(|(sample, contract)| Fixture::deploy(sample.clone(), contract.clone())).collect()
}

/// Creation code of a program's consumer and of the verifier that accepts everything.
pub(crate) struct Codes {
    pub(crate) consumer: Vec<u8>,
    pub(crate) accepting: Vec<u8>,
}

pub(crate) fn codes(program: &Program) -> Codes {
    let source = zkml_codegen::consumer_source(program).unwrap();
    let files = [("Consumer.sol", source.as_str()), ("Accepting.sol", ACCEPTING)];
    let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
    assert_eq!(compiled.warnings, Vec::<String>::new());
    let creation = |name: &str| compiled.contract(name).unwrap().creation.clone();
    Codes {
        consumer: creation(&zkml_codegen::names::contracts(program).consumer),
        accepting: creation("AcceptingVerifier"),
    }
}

/// Creation code with words behind it.
pub(crate) fn with_words(creation: &[u8], words: &[Word]) -> Vec<u8> {
    let mut code = creation.to_vec();
    code.extend(words.iter().flat_map(|word| word.0));
    code
}

pub(crate) fn address_word(address: Address) -> Word {
    Word(address.into_word().0)
}

pub(crate) fn refused(call: &Call, error: &str) {
    assert!(call.describe().starts_with(error), "{} instead of {error}", call.describe());
}

/// Compiles the sources, each with its program's verifier, in one run of the compiler.
pub(crate) fn compile_all(sources: &[(String, Program)], settings: &Settings) -> Vec<Contract> {
    // One contract name per source, so that variants of one verifier can be told apart.
    let renamed: Vec<(String, String)> = sources
        .iter()
        .enumerate()
        .map(|(index, (source, program))| {
            let name = zkml_codegen::names::contracts(program).verifier;
            let source = source.replace(&format!("contract {name} "), &format!("contract Variant{index} "));
            (format!("Variant{index}.sol"), source)
        })
        .collect();
    let files: Vec<(&str, &str)> =
        renamed.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let compiled = Solc::find().unwrap().compile(&files, settings).unwrap();
    assert_eq!(compiled.warnings, Vec::<String>::new());
    (0..sources.len()).map(|index| compiled.contract(&format!("Variant{index}")).unwrap().clone()).collect()
}
