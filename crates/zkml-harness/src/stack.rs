//! The contracts that all consumers share: registry, router, ERC-7992 verifier, emergency stop.

use zkml_contracts::{ConsumerArguments, library};
use zkml_protocol::{VerifierProgram, Word, binding::Registration};

use crate::{Address, Call, Compiled, Contract, Deployment, Evm, HarnessError, Outcome, Settings, Solc};

/// Seconds until a route that is added later comes into force.
pub const ROUTE_DELAY: u64 = 2 * 24 * 3600;

/// The bytecode of the stack.
#[derive(Debug, Clone)]
pub struct StackCode {
    /// `ZKMLRegistry`.
    pub registry: Contract,
    /// `ZKMLRouter`.
    pub router: Contract,
    /// `ZKMLVerifier`.
    pub verifier: Contract,
    /// `ZKMLEmergencyStop`, which stands in front of a verifier where somebody may pull it.
    pub emergency_stop: Contract,
}

impl StackCode {
    /// Names of the contracts; each lies in a file of its name.
    pub const NAMES: [&str; 4] = ["ZKMLRegistry", "ZKMLRouter", "ZKMLVerifier", "ZKMLEmergencyStop"];

    /// The sources, to be compiled together with others.
    #[must_use]
    pub fn sources() -> Vec<(&'static str, &'static str)> {
        let wanted = Self::NAMES.map(|name| format!("{}{name}.sol", library::PREFIX));
        library::SOURCES.iter().copied().filter(|(name, _)| wanted.iter().any(|file| file == name)).collect()
    }

    /// Finds it among compiled contracts.
    ///
    /// # Errors
    /// As [`Compiled::contract`].
    pub fn of(compiled: &Compiled) -> Result<Self, HarnessError> {
        let [registry, router, verifier, stop] = Self::NAMES.map(|name| compiled.contract(name).cloned());
        Ok(Self { registry: registry?, router: router?, verifier: verifier?, emergency_stop: stop? })
    }

    /// Compiles it.
    ///
    /// # Errors
    /// As [`Solc::compile`].
    pub fn compile(solc: &Solc) -> Result<Self, HarnessError> {
        Self::of(&solc.compile(&Self::sources(), &Settings::default())?)
    }
}

/// The stack on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stack {
    /// Where models are registered.
    pub registry: Address,
    /// Finds the verifier of a proof.
    pub router: Address,
    /// Checks proofs: what consumers are deployed with.
    pub verifier: Address,
}

impl Stack {
    /// Deploys it with routes to these verifiers; the sender owns the router.
    ///
    /// # Errors
    /// As [`Evm::deploy`].
    pub fn deploy(evm: &mut Evm, code: &StackCode, verifiers: &[Address]) -> Result<Self, HarnessError> {
        Self::deploy_measured(evm, code, verifiers).map(|(stack, _)| stack)
    }

    /// The same, with the gas of registry, router and verifier.
    ///
    /// # Errors
    /// As [`Evm::deploy`].
    pub fn deploy_measured(
        evm: &mut Evm,
        code: &StackCode,
        verifiers: &[Address],
    ) -> Result<(Self, [u64; 3]), HarnessError> {
        let owner = evm.config.sender.into_array();
        let verifiers: Vec<[u8; 20]> = verifiers.iter().map(|address| address.into_array()).collect();
        let registry = evm.deploy(&code.registry.creation)?;
        let arguments = zkml_contracts::router_arguments(&owner, ROUTE_DELAY, &verifiers);
        let router = evm.deploy(&[code.router.creation.as_slice(), &arguments].concat())?;
        let arguments = [registry.address.into_word().0, router.address.into_word().0].concat();
        let verifier = evm.deploy(&[code.verifier.creation.as_slice(), &arguments].concat())?;
        let gas = [registry.gas, router.gas, verifier.gas];
        Ok((Self { registry: registry.address, router: router.address, verifier: verifier.address }, gas))
    }

    /// Registers a model under the sender's name, and returns its id.
    ///
    /// # Errors
    /// [`HarnessError::Call`] if the registry refuses it, or gives it another id than Rust computes.
    pub fn register(&self, evm: &mut Evm, registration: &Registration) -> Result<Word, HarnessError> {
        let call = evm.send(self.registry, &zkml_contracts::register_model(registration, ""))?;
        let id = registration.model_id(&evm.config.sender.into_array());
        expect(call, "registerModel", |outcome| *outcome == Outcome::Returned(id.0.to_vec()))?;
        Ok(id)
    }

    /// Takes a model of the sender out of use.
    ///
    /// # Errors
    /// [`HarnessError::Call`] if the registry refuses.
    pub fn deprecate(&self, evm: &mut Evm, model_id: Word) -> Result<(), HarnessError> {
        let call = evm.send(self.registry, &zkml_contracts::deprecate_model(model_id))?;
        expect(call, "deprecateModel", |outcome| matches!(outcome, Outcome::Returned(_)))
    }

    /// Deploys the consumer of a program for a model; the sender owns it.
    ///
    /// # Errors
    /// As [`Evm::deploy`] and [`zkml_contracts::consumer_arguments`].
    pub fn deploy_consumer(
        &self,
        evm: &mut Evm,
        program: &dyn VerifierProgram,
        consumer: &Contract,
        model_id: Word,
    ) -> Result<Deployment, HarnessError> {
        let arguments = ConsumerArguments {
            verifier: self.verifier.into_array(),
            model_id,
            model_delay: 0,
            owner: evm.config.sender.into_array(),
        };
        let arguments = zkml_contracts::consumer_arguments(program, &arguments)?;
        evm.deploy(&[consumer.creation.as_slice(), &arguments].concat())
    }
}

fn expect(call: Call, function: &'static str, good: impl Fn(&Outcome) -> bool) -> Result<(), HarnessError> {
    if good(&call.outcome) {
        return Ok(());
    }
    Err(HarnessError::Call { function, answer: call.describe() })
}
