//! An artifact folder as something that can be deployed.

use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    steps::{
        compiled,
        solidity::{ContractFile, STANDARD_INPUT, Sources},
        weights,
    },
};
use serde_json::Value;
use std::collections::BTreeMap;
use zkml_deploy::{
    Address,
    package::{CompiledContract, Compiler, Package},
    plan::Part,
};
use zkml_harness::{Contract, Evm, Stack, StackCode};
use zkml_protocol::{Program, VerifierProgram, Word, binding::Registration};

/// Which consumer is deployed; both take proofs on any input, so that a deployment can be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerKind {
    /// Takes proofs of its callers.
    Plain,
    /// Takes requests besides, which a service proves.
    Requests,
}

impl ConsumerKind {
    /// Which of a program's consumers has this name.
    #[must_use]
    pub fn named(program: &Program, name: &str) -> Self {
        let requests = zkml_codegen::names::contracts(program).any_input_request_consumer == name;
        if requests { Self::Requests } else { Self::Plain }
    }
}

/// What a folder gives for a chain.
#[derive(Debug)]
pub struct Folder {
    /// The contracts, and what they are about.
    pub package: Package,
    /// Gas of each part in a local EVM.
    pub simulated: BTreeMap<Part, u64>,
    /// The compiler's input with all sources.
    pub standard_input: Value,
}

impl Folder {
    /// Reads what `gen-verifier` wrote, and refuses sources that this program would not write. The bytecode is the one
    /// that was tried on good and bad proofs then; `audit` compiles it again. Gas is simulated with an emergency stop if a
    /// guardian is named.
    ///
    /// # Errors
    /// A missing or stale artifact, [`Error::Content`] for other sources.
    pub fn load(artifacts: &Artifacts, kind: ConsumerKind, guardian: Option<Address>) -> Result<Self> {
        let program = compiled::program(artifacts)?;
        let sources = Sources::print(&program)?;
        check_sources(artifacts, &sources)?;
        let standard_input = artifacts.load_json(&format!("{}/{STANDARD_INPUT}", file::SOLIDITY))?;
        let [registry, router, zkml_verifier, emergency_stop] =
            StackCode::NAMES.map(|name| ContractFile::load(artifacts, name));
        let verifier = ContractFile::load(artifacts, &sources.names.verifier)?;
        let consumer = ContractFile::load(artifacts, consumer_name(&sources, kind))?;
        let stack = StackCode {
            registry: registry?.contract(),
            router: router?.contract(),
            verifier: zkml_verifier?.contract(),
            emergency_stop: emergency_stop?.contract(),
        };
        let compiler = Compiler { version: verifier.compiler.clone(), settings: verifier.settings.clone() };
        let registration = registration(artifacts, &program)?;
        let package = Package {
            model: artifacts.model().to_owned(),
            program,
            registration,
            verifier: code(&verifier.contract()),
            emergency_stop: code(&stack.emergency_stop),
            registry: code(&stack.registry),
            router: code(&stack.router),
            zkml_verifier: code(&stack.verifier),
            consumer: code(&consumer.contract()),
            compiler,
        };
        let simulated = simulate(&package, &stack, &consumer.contract(), guardian)?;
        Ok(Self { package, simulated, standard_input })
    }
}

/// The name of the consumer's contract.
fn consumer_name(sources: &Sources, kind: ConsumerKind) -> &str {
    match kind {
        ConsumerKind::Plain => &sources.names.any_input_consumer,
        ConsumerKind::Requests => &sources.names.any_input_request_consumer,
    }
}

/// `gen-verifier` has tried its contracts on good and bad proofs before it wrote them: nothing else is deployed.
fn check_sources(artifacts: &Artifacts, sources: &Sources) -> Result<()> {
    for (name, source) in sources.files() {
        let file = format!("{}/{name}.sol", file::SOLIDITY);
        if artifacts.load(&file)? != source.as_bytes() {
            return Err(Error::OtherSource { path: artifacts.path(&file) });
        }
    }
    Ok(())
}

/// What the model is registered with. With private weights that is the commitment to them, which their owner has.
pub(super) fn registration(artifacts: &Artifacts, program: &Program) -> Result<Registration> {
    let layout = &program.statement().instances;
    let mut statement = vec![Word::ZERO; program.num_instances() as usize];
    if !layout.model.is_empty() {
        let registered = weights::registered(artifacts, compiled::load(artifacts)?)?;
        let commitment =
            registered.and_then(|(kept, _)| kept.openings.first().map(|opening| opening.commitment));
        if let (Some(word), Some(commitment)) = (statement.get_mut(layout.model_start() as usize), commitment)
        {
            *word = commitment;
        }
    }
    Ok(Registration::of(program, &statement)?)
}

fn code(contract: &Contract) -> CompiledContract {
    CompiledContract {
        name: contract.name.clone(),
        file: contract.file.clone(),
        creation: contract.creation.clone(),
        runtime: contract.runtime.clone(),
        immutables: contract.immutables.clone(),
    }
}

/// The whole deployment in a local EVM, for what a chain cannot estimate before the parts before it are there.
fn simulate(
    package: &Package,
    stack: &StackCode,
    consumer: &Contract,
    guardian: Option<Address>,
) -> Result<BTreeMap<Part, u64>> {
    let mut evm = Evm::default();
    let verifier = evm.deploy(&package.verifier.creation)?;
    let (mut routed, mut stop) = (verifier.address, None);
    // An owner that the constructor refuses is refused by its name, when everything is placed.
    if let Some(guardian) = guardian.filter(|guardian| *guardian != Address::ZERO) {
        let arguments = [verifier.address.into_word().0, guardian.into_word().0].concat();
        let placed = evm.deploy(&[package.emergency_stop.creation.as_slice(), &arguments].concat())?;
        (routed, stop) = (placed.address, Some((Part::EmergencyStop, placed.gas)));
    }
    let (placed, [registry, router, zkml_verifier]) = Stack::deploy_measured(&mut evm, stack, &[routed])?;
    let register = zkml_contracts::register_model(&package.registration, "");
    let registration = evm.call(placed.registry, &register)?.gas.transaction;
    let model_id = placed.register(&mut evm, &package.registration)?;
    let consumer = placed.deploy_consumer(&mut evm, &package.program, consumer, model_id)?.gas;
    let gas = [
        (Part::Verifier, verifier.gas),
        (Part::Registry, registry),
        (Part::Router, router),
        (Part::ZkmlVerifier, zkml_verifier),
        (Part::Registration, registration),
        (Part::Consumer, consumer),
    ];
    Ok(gas.into_iter().chain(stop).collect())
}
