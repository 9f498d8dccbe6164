//! Generated Solidity: printed, compiled, tried on good and bad proofs, and only then written.

use super::{compiled, verify, weights};
use crate::{
    artifacts::{Artifacts, file},
    error::Result,
    observer::{Observer, Total},
    proof_file::{ProofFile, hex_bytes},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};
pub use zkml::Contracts as Sources;
use zkml_harness::{
    Compiled, Contract, GasReport, Settings, Solc, StackCode, self_check, self_check_consumer,
    self_check_requests, standard_json,
};
use zkml_protocol::{Program, VerifierProgram};

/// The file with the compiler's input.
pub const STANDARD_INPUT: &str = "standard-input.json";

/// What `gen-verifier` wrote.
#[derive(Debug, Clone, Serialize)]
pub struct SolidityReport {
    /// The model's name.
    pub model: String,
    /// The files.
    pub files: Vec<PathBuf>,
    /// What a consumer pins.
    pub model_commitment: String,
    /// The checks that the bytecode passed before anything was written.
    pub checks: Vec<&'static str>,
    /// Gas of accepting the proof.
    pub gas: GasReport,
    /// Gas of deploying the verifier.
    pub deploy_gas: u64,
    /// Runtime bytecode of the verifier.
    pub runtime_bytes: usize,
    /// The setup's secret is public: the constructor reverts outside test chains.
    pub unsafe_dev_srs: bool,
}

/// Generates the contracts and stores them, if the bytecode passes its self-check with the folder's proof.
///
/// # Errors
/// A missing proof or tool, a proof that does not hold, a contract that fails its self-check.
pub fn run(
    observer: &dyn Observer,
    artifacts: &mut Artifacts,
    proof: Option<&Path>,
) -> Result<SolidityReport> {
    let program = compiled::program(artifacts)?;
    let (_, proof) = verify::load(artifacts, proof, &program)?;
    zkml_verifier::verify(&program, &proof.proof, &proof.instances)?;
    let sources = Sources::print(&program)?;
    let work = observer.start("compiling and checking", Total::Time(Duration::from_secs(3)))?;
    let compiled = sources.compile()?;
    let verifier = compiled.contract(&sources.names.verifier)?;
    let checked = self_check(verifier, &program, &proof.proof, &proof.instances)?;
    let consumer = compiled.contract(&sources.names.any_input_consumer)?;
    let stack = StackCode::of(&compiled)?;
    self_check_consumer(&stack, verifier, consumer, &program, &proof.proof, &proof.instances)?;
    let consumer = compiled.contract(&sources.names.any_input_request_consumer)?;
    self_check_consumer(&stack, verifier, consumer, &program, &proof.proof, &proof.instances)?;
    self_check_requests(&stack, verifier, consumer, &program, &proof.proof, &proof.instances)?;
    drop(work);
    let ranges = of_ranges(artifacts)?;
    let files = store(artifacts, &sources, &compiled, ranges)?;
    Ok(SolidityReport {
        model: artifacts.model().to_owned(),
        files,
        model_commitment: program.model_commitment().to_string(),
        checks: checked.checks,
        gas: checked.gas,
        deploy_gas: checked.deploy_gas,
        runtime_bytes: checked.runtime_bytes,
        unsafe_dev_srs: program.srs().unsafe_dev,
    })
}

/// The contract that checks the proof of ranges of private weights, if the folder has one, tried on it: source and bytecode.
fn of_ranges(artifacts: &Artifacts) -> Result<Vec<(String, Vec<u8>)>> {
    let Some((verifier, proof)) = weights::proven(artifacts)? else { return Ok(vec![]) };
    let program = verifier.program();
    let name = zkml_codegen::names::contracts(program).verifier;
    let source = zkml_codegen::verifier_source(program)?;
    let compiled = Solc::find()?.compile(&[(&format!("{name}.sol"), &source)], &Settings::default())?;
    let contract = compiled.contract(&name)?;
    self_check(contract, program, &proof.proof, &proof.instances)?;
    let bytecode = crate::json::pretty(&ContractFile::new(contract, &compiled.compiler));
    Ok(vec![(format!("{name}.sol"), source.into_bytes()), (format!("{name}.json"), bytecode)])
}

fn store(
    artifacts: &mut Artifacts,
    sources: &Sources,
    compiled: &Compiled,
    ranges: Vec<(String, Vec<u8>)>,
) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    let mut transaction = artifacts.begin("gen-verifier");
    let texts = sources.files().map(|(name, source)| (format!("{name}.sol"), source.as_bytes().to_vec()));
    let mut files = Vec::from(texts);
    // The stack's too, so that deploying needs no compiler.
    for name in sources.deployable().into_iter().chain(StackCode::NAMES) {
        let contract = ContractFile::new(compiled.contract(name)?, &compiled.compiler);
        files.push((format!("{name}.json"), crate::json::pretty(&contract)));
    }
    files.push((STANDARD_INPUT.to_owned(), standard_input(compiled)));
    files.extend(ranges);
    for (name, bytes) in files {
        let file = format!("{}/{name}", file::SOLIDITY);
        transaction.put(&file, &bytes, &[file::PROGRAM])?;
        written.push(file);
    }
    transaction.commit()?;
    Ok(written.iter().map(|f| artifacts.path(f)).collect())
}

/// The compiler's input with all sources: a block explorer repeats the build from it.
fn standard_input(compiled: &Compiled) -> Vec<u8> {
    let sources: Vec<(&str, &str)> =
        compiled.sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    crate::json::pretty(&standard_json(&sources, &Settings::default()))
}

/// A compiled contract as a file: all that a deployer needs besides the source.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractFile {
    /// Its name.
    pub contract_name: String,
    /// The file that it lies in, as the compiler's input has it.
    pub source_file: String,
    /// Its ABI.
    pub abi: Value,
    /// Creation code, without constructor arguments.
    #[serde(with = "hex_bytes")]
    pub bytecode: Vec<u8>,
    /// Runtime code with immutables left zero.
    #[serde(with = "hex_bytes")]
    pub deployed_bytecode: Vec<u8>,
    /// Where in the runtime code the constructor writes immutables: start and end, in bytes.
    pub immutables: Vec<Range<usize>>,
    /// The compiler's version, with commit.
    pub compiler: String,
    /// Its settings.
    pub settings: Value,
}

impl ContractFile {
    fn new(contract: &Contract, compiler: &str) -> Self {
        Self {
            contract_name: contract.name.clone(),
            source_file: contract.file.clone(),
            abi: contract.abi.clone(),
            bytecode: contract.creation.clone(),
            deployed_bytecode: contract.runtime.clone(),
            immutables: contract.immutables.clone(),
            compiler: compiler.to_owned(),
            settings: Settings::default().to_json(),
        }
    }

    /// Reads the contract of this name from a folder's `solidity`.
    ///
    /// # Errors
    /// As [`Artifacts::load_json`], when it is missing, edited or stale.
    pub fn load(artifacts: &Artifacts, name: &str) -> Result<Self> {
        artifacts.load_json(&format!("{}/{name}.json", file::SOLIDITY))
    }

    /// As the local EVM takes it.
    #[must_use]
    pub fn contract(&self) -> Contract {
        Contract {
            name: self.contract_name.clone(),
            abi: self.abi.clone(),
            creation: self.bytecode.clone(),
            runtime: self.deployed_bytecode.clone(),
            immutables: self.immutables.clone(),
            file: self.source_file.clone(),
        }
    }
}

/// The proof of a folder with the contracts that check it.
#[derive(Debug)]
pub struct Contracts {
    /// The program.
    pub program: Program,
    /// A proof that the Rust verifier accepts.
    pub proof: ProofFile,
    /// The sources.
    pub sources: Sources,
    /// The bytecode.
    pub compiled: Compiled,
}

impl Contracts {
    /// Loads the program and the proof of a folder, prints the contracts and compiles them.
    ///
    /// # Errors
    /// As [`run`], besides the self-check.
    pub fn of(observer: &dyn Observer, artifacts: &Artifacts, proof: Option<&Path>) -> Result<Self> {
        let program = compiled::program(artifacts)?;
        let (_, proof) = verify::load(artifacts, proof, &program)?;
        let sources = Sources::print(&program)?;
        let work = observer.start("compiling", Total::Time(Duration::from_secs(3)))?;
        let compiled = sources.compile()?;
        drop(work);
        Ok(Self { program, proof, sources, compiled })
    }
}
