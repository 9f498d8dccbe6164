//! Committed sample proofs, each with a chain that has their verifier on it.

use std::{fs, path::PathBuf, sync::OnceLock};

use zkml_contracts::Submission;
use zkml_harness::{Address, Call, Contract, Evm, Outcome, Settings, Solc, Stack, StackCode};
use zkml_protocol::{
    InstanceLayout, Word,
    binding::{Context, Registration},
    keccak256,
    plonk::{Program, Sample},
};

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
        self.call(&zkml_contracts::verify_proof_unchecked(proof, instances))
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

/// A program's consumer, and verifiers that know nothing of proofs.
pub(crate) struct Codes {
    pub(crate) consumer: Contract,
    accepting: Contract,
    exact: Contract,
}

impl Codes {
    /// Compiles them without a warning.
    pub(crate) fn of(program: &Program) -> Self {
        let names = zkml_codegen::names::contracts(program);
        let base = format!("{}.sol", names.consumer);
        let source = zkml_codegen::consumer_source(program).unwrap();
        let any_input = zkml_codegen::any_input_consumer_source(program).unwrap();
        let files = [
            (base.as_str(), source.as_str()),
            ("AnyInput.sol", any_input.as_str()),
            ("Accepting.sol", ACCEPTING),
        ];
        let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
        assert_eq!(compiled.warnings, Vec::<String>::new());
        let contract = |name: &str| compiled.contract(name).unwrap().clone();
        Self {
            consumer: contract(&names.any_input_consumer),
            accepting: contract("AcceptingVerifier"),
            exact: contract("ExactVerifier"),
        }
    }

    /// The same with another consumer.
    pub(crate) fn with_consumer(self, consumer: &Contract) -> Self {
        Self { consumer: consumer.clone(), ..self }
    }

    /// The verifier that accepts everything, in the shape of a program's.
    pub(crate) fn accepting(&self, program: &Program) -> Contract {
        let creation = with_words(&self.accepting.creation, &shape(program));
        Contract { creation, ..self.accepting.clone() }
    }

    /// The verifier that accepts a sample's statement and no other.
    pub(crate) fn exact(&self, sample: &Sample) -> Contract {
        let statement = keccak256(sample.instances.iter().map(|word| word.0.as_slice()));
        let words = [shape(&sample.program).as_slice(), &[statement]].concat();
        Contract { creation: with_words(&self.exact.creation, &words), ..self.exact.clone() }
    }
}

/// What a program's verifier says of its statement.
fn shape(program: &Program) -> [Word; 8] {
    let layout = &program.statement.instances;
    let flag = |flag: bool| Word::from_u64(flag.into());
    [
        program.vk_digest(),
        program.model_commitment(),
        program.statement.model_hash,
        Word::from_u64(program.layout().length() as u64),
        Word::from_u64(layout.input_words()),
        Word::from_u64(layout.output_words()),
        flag(layout.input_is_commitment()),
        flag(!layout.model.is_empty()),
    ]
}

/// The contracts that stand between a consumer and its verifier, compiled once for the whole test program.
pub(crate) fn stack_code() -> &'static StackCode {
    static COMPILED: OnceLock<StackCode> = OnceLock::new();
    COMPILED.get_or_init(|| StackCode::compile(&Solc::find().unwrap()).unwrap())
}

/// A sample's consumer behind registry and router, with a verifier that accepts everything.
pub(crate) struct Behind {
    pub(crate) sample: Sample,
    pub(crate) evm: Evm,
    pub(crate) stack: Stack,
    pub(crate) consumer: Address,
}

impl Behind {
    pub(crate) fn deploy(sample: Sample, codes: &Codes) -> Self {
        let mut evm = Evm::default();
        let accepting = evm.deploy(&codes.accepting(&sample.program).creation).unwrap().address;
        let stack = Stack::deploy(&mut evm, stack_code(), &[accepting]).unwrap();
        let registration = Registration::of(&sample.program, &sample.instances).unwrap();
        let id = stack.register(&mut evm, &registration).unwrap();
        let consumer = stack.deploy_consumer(&mut evm, &sample.program, &codes.consumer, id).unwrap().address;
        Self { sample, evm, stack, consumer }
    }

    /// The context that the consumer takes first, from the sender, for action 77.
    pub(crate) fn context(&self) -> Context {
        Context {
            chain_id: self.evm.config.chain_id,
            consumer: self.consumer.into_array(),
            subject: self.evm.config.sender.into_array(),
            nonce: Word::ZERO,
            deadline: Word::from_u64(self.evm.config.timestamp + 10),
            action: Word::from_u64(77),
        }
    }

    pub(crate) fn submission(&self, instances: &[Word]) -> Submission {
        Submission::new(&self.sample.program, &self.sample.proof, instances).unwrap()
    }

    /// Shows the consumer the sample's proof with this statement.
    pub(crate) fn check(&mut self, instances: &[Word]) -> Call {
        let data = zkml_contracts::check_inference(&self.submission(instances));
        self.evm.call(self.consumer, &data).unwrap()
    }

    /// Hands it in under the context that was proven, claiming its deadline and action.
    pub(crate) fn send(&mut self, proven: &Context, instances: &[Word]) -> Call {
        let mut instances = instances.to_vec();
        instances[InstanceLayout::CONTEXT] = proven.digest();
        let submission = self.submission(&instances);
        let data = zkml_contracts::verify_inference(&submission, proven.deadline, proven.action, &[]);
        self.evm.send(self.consumer, &data).unwrap()
    }

    /// Calls a view that takes `bytes` and nothing else.
    pub(crate) fn read(&mut self, function: &str, bytes: &[u8]) -> Call {
        let mut data = zkml_contracts::errors::selector(&format!("{function}(bytes)")).to_vec();
        data.extend([32, bytes.len() as u64].map(Word::from_u64).iter().flat_map(|word| word.0));
        data.extend(bytes);
        data.resize(4 + (data.len() - 4).next_multiple_of(32), 0);
        self.evm.call(self.consumer, &data).unwrap()
    }
}

/// Creation code with words behind it.
pub(crate) fn with_words(creation: &[u8], words: &[Word]) -> Vec<u8> {
    let mut code = creation.to_vec();
    code.extend(words.iter().flat_map(|word| word.0));
    code
}

/// The words that a call returned.
pub(crate) fn words(call: &Call) -> Vec<Word> {
    let Outcome::Returned(bytes) = &call.outcome else { panic!("{}", call.describe()) };
    bytes.as_chunks().0.iter().map(|word| Word(*word)).collect()
}

/// A signed integer as the ABI writes it.
pub(crate) fn signed(value: i128) -> Word {
    let high = if value < 0 { [0xff; 16] } else { [0; 16] };
    Word([high, value.to_be_bytes()].concat().try_into().unwrap())
}

pub(crate) fn refused(call: &Call, error: &str) {
    assert!(call.describe().starts_with(error), "{} instead of {error}", call.describe());
}

/// A verifier with statements on one line each, so that they can be named and changed as lines, and without the formatter's
/// directives.
pub(crate) fn on_lines(source: &str) -> String {
    let directives = |line: &&str| !line.trim_start().starts_with("// forgefmt: ");
    let source = source.lines().filter(directives).map(|line| format!("{line}\n")).collect::<String>();
    let (head, rest) = source.split_once("function statementShape()").expect("what it says of its statement");
    let (shape, rest) = rest.split_once("\n    }\n").expect("the end of the function");
    let head = head
        .replace("if (\n            ", "if (")
        .replace("\n                && ", " && ")
        .replace("\n        ) revert", ") revert");
    let (declared, returned) = shape.split_once("\n    {\n").expect("a body");
    let declared =
        declared.replace("\n        external\n        pure\n        returns (", " external pure returns (");
    let declared = declared.replace("\n            ", "\n        ").replace("\n        )", "\n    )");
    let returned = returned
        .replace("(\n            ", "(")
        .replace(",\n            ", ", ")
        .replace("\n        );", ");");
    format!("{head}function statementShape(){declared} {{\n{returned}\n    }}\n{rest}")
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
