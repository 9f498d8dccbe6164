//! The generated contracts, and a local EVM that judges proofs.

use zkml_codegen::{CodegenError, names::ContractNames};
use zkml_harness::{Compiled, Evm, EvmConfig, GasReport, HarnessError, Settings, Solc, StackCode};
use zkml_protocol::VerifierProgram;

use crate::{Error, Observer, Proof, Result, Stage, Verifier, observer::begin};

/// The sources of a model's contracts. Those that they import come with `zkml-contracts`.
#[derive(Debug, Clone)]
pub struct Contracts {
    /// Names of the contracts; a file is named after its contract.
    pub names: ContractNames,
    /// Source of the verifier.
    pub verifier: String,
    /// Source of the consumer: what an application inherits.
    pub consumer: String,
    /// Source of the consumer that takes requests.
    pub request_consumer: String,
    /// Source of a consumer that can be deployed as it is: it takes proofs on any input, for demonstrations.
    pub any_input_consumer: String,
    /// The same with requests.
    pub any_input_request_consumer: String,
}

/// What the local EVM said of a proof.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Gas of the transaction, by cause.
    pub gas: GasReport,
    /// Gas of deploying the verifier.
    pub deploy_gas: u64,
    /// Length of the verifier's runtime bytecode.
    pub runtime_bytes: usize,
}

impl Contracts {
    /// Prints the contracts of a verifier.
    ///
    /// # Errors
    /// [`Error::Codegen`] for a program that cannot be printed.
    pub fn of(verifier: &Verifier) -> Result<Self> {
        Ok(Self::print(verifier.program())?)
    }

    /// As [`Contracts::of`], of a program.
    ///
    /// # Errors
    /// [`CodegenError`] for a program that cannot be printed.
    pub fn print(program: &dyn VerifierProgram) -> std::result::Result<Self, CodegenError> {
        Ok(Self {
            names: zkml_codegen::names::contracts(program),
            verifier: zkml_codegen::verifier_source(program)?,
            consumer: zkml_codegen::consumer_source(program)?,
            request_consumer: zkml_codegen::request_consumer_source(program)?,
            any_input_consumer: zkml_codegen::any_input_consumer_source(program)?,
            any_input_request_consumer: zkml_codegen::any_input_request_consumer_source(program)?,
        })
    }

    /// Names and texts of the contracts.
    pub fn files(&self) -> [(&str, &str); 5] {
        let ContractNames {
            verifier,
            consumer,
            request_consumer,
            any_input_consumer,
            any_input_request_consumer,
        } = &self.names;
        [
            (verifier, &self.verifier),
            (consumer, &self.consumer),
            (request_consumer, &self.request_consumer),
            (any_input_consumer, &self.any_input_consumer),
            (any_input_request_consumer, &self.any_input_request_consumer),
        ]
    }

    /// Names of those that have bytecode. The others are abstract: they wait for an answer to where inputs come from.
    pub fn deployable(&self) -> [&str; 3] {
        let ContractNames { verifier, any_input_consumer, any_input_request_consumer, .. } = &self.names;
        [verifier, any_input_consumer, any_input_request_consumer]
    }

    /// Compiles them, and the contracts that stand between them. Needs Node, and solc of npm.
    ///
    /// # Errors
    /// [`HarnessError`] when tools are missing or refuse the sources.
    pub fn compile(&self) -> std::result::Result<Compiled, HarnessError> {
        let files = self.files().map(|(name, text)| (format!("{name}.sol"), text));
        let mut sources = StackCode::sources();
        sources.extend(files.iter().map(|(file, text)| (file.as_str(), *text)));
        Solc::find()?.compile(&sources, &Settings::default())
    }

    /// Compiles the verifier, deploys it in a fresh local EVM, and lets it judge a proof. Needs Node, and solc of
    /// npm.
    ///
    /// # Errors
    /// [`Error::Evm`] when tools are missing or refuse the sources, [`Error::ContractRefuses`] when the contract does not
    /// accept the proof, [`Error::Cancelled`].
    pub fn simulate(&self, proof: &Proof, observer: &dyn Observer) -> Result<Judged> {
        begin(observer, Stage::Solc)?;
        // Nobody inherits it here: the other contracts would take most of the time.
        let file = format!("{}.sol", self.names.verifier);
        let compiled = Solc::find()?.compile(&[(file.as_str(), &self.verifier)], &Settings::default())?;
        begin(observer, Stage::Evm)?;
        let mut evm = Evm::new(EvmConfig::default());
        let deployed = evm.deploy(&compiled.contract(&self.names.verifier)?.creation)?;
        let call = evm.send(
            deployed.address,
            &zkml_contracts::verify_proof_unchecked(&proof.proof, &proof.instances),
        )?;
        if !call.is_true() {
            return Err(Error::ContractRefuses(call.describe()));
        }
        Ok(Judged { gas: call.gas, deploy_gas: deployed.gas, runtime_bytes: deployed.code_bytes })
    }
}
