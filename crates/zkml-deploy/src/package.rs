//! What is to be deployed, as the folder of a model gives it.

use std::ops::{Range, RangeInclusive};

use serde::{Deserialize, Serialize};
use zkml_contracts::ConsumerArguments;
use zkml_protocol::{Program, VerifierProgram, Word, binding::Registration, keccak256};

use crate::{Address, CREATE2_FACTORY, DeployError, Result, create2_address, salt};

/// A compiled contract.
#[derive(Debug, Clone)]
pub struct CompiledContract {
    /// Its name.
    pub name: String,
    /// The file that it lies in, as the compiler's input has it.
    pub file: String,
    /// Creation code, without arguments.
    pub creation: Vec<u8>,
    /// Runtime code, with immutables left zero.
    pub runtime: Vec<u8>,
    /// Where in the runtime code the constructor writes immutables.
    pub immutables: Vec<Range<usize>>,
}

impl CompiledContract {
    /// Whether this is what lies on a chain, whatever its immutables are.
    #[must_use]
    pub fn is(&self, on_chain: &[u8]) -> bool {
        let mut masked = on_chain.to_vec();
        for range in &self.immutables {
            if let Some(place) = masked.get_mut(range.clone()) {
                place.fill(0);
            }
        }
        masked == self.runtime
    }
}

/// The compiler and what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Compiler {
    /// Version with commit.
    pub version: String,
    /// The `settings` of its input.
    pub settings: serde_json::Value,
}

/// A model with all that is deployed for it.
#[derive(Debug, Clone)]
pub struct Package {
    /// The model's name.
    pub model: String,
    /// The verifier as data.
    pub program: Program,
    /// What the model is registered with.
    pub registration: Registration,
    /// The generated verifier.
    pub verifier: CompiledContract,
    /// `ZKMLEmergencyStop`.
    pub emergency_stop: CompiledContract,
    /// `ZKMLRegistry`.
    pub registry: CompiledContract,
    /// `ZKMLRouter`.
    pub router: CompiledContract,
    /// `ZKMLVerifier`.
    pub zkml_verifier: CompiledContract,
    /// The consumer, of whatever kind.
    pub consumer: CompiledContract,
    /// The compiler.
    pub compiler: Compiler,
}

impl Package {
    /// All contracts, with the emergency stop or without it, in the order of deployment.
    #[must_use]
    pub fn codes(&self, guarded: bool) -> Vec<&CompiledContract> {
        let stop = guarded.then_some(&self.emergency_stop);
        let stack = [&self.registry, &self.router, &self.zkml_verifier, &self.consumer];
        std::iter::once(&self.verifier).chain(stop).chain(stack).collect()
    }
}

/// The shortest and the longest delay of a router, in seconds, as `ZKMLRouter` has them.
pub const ROUTE_DELAYS: RangeInclusive<u64> = 3_600..=90 * 24 * 3_600;

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owners {
    /// Owner of the router and of the consumer.
    pub owner: Address,
    /// Who registers the model.
    pub model_owner: Address,
    /// Who may pull the emergency stop in front of the verifier; there is no stop if nobody may.
    pub guardian: Option<Address>,
    /// Seconds until a later route comes into force.
    pub route_delay: u64,
    /// Seconds until another model of private weights can take over; zero fixes the model.
    pub model_delay: u64,
}

impl Owners {
    /// Refuses what the constructors would refuse, before anything is sent.
    fn check(&self, existing: Existing) -> Result<()> {
        let named =
            [("owner", Some(self.owner)), ("model owner", Some(self.model_owner)), (GUARDIAN, self.guardian)];
        if let Some((what, _)) = named.into_iter().find(|(_, address)| *address == Some(Address::ZERO)) {
            let why = "nobody has the address zero: name an account that can act";
            return Err(DeployError::Argument {
                what,
                given: Address::ZERO.to_string(),
                why: why.to_owned(),
            });
        }
        if existing.router.is_none() && !ROUTE_DELAYS.contains(&self.route_delay) {
            let (least, most) = (ROUTE_DELAYS.start(), ROUTE_DELAYS.end());
            let why = format!("a router takes from {least} (an hour) to {most} (90 days)");
            return Err(DeployError::Argument {
                what: "route delay",
                given: self.route_delay.to_string(),
                why,
            });
        }
        Ok(())
    }
}

/// The owner of an emergency stop, in words.
const GUARDIAN: &str = "owner of the emergency stop";

/// Contracts that are there already and are to be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Existing {
    /// A registry.
    pub registry: Option<Address>,
    /// A router.
    pub router: Option<Address>,
    /// A `ZKMLVerifier`; the caller has made sure that it has the registry and router above.
    pub zkml_verifier: Option<Address>,
}

/// A contract at an address that is known before it is there.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The contract.
    pub code: CompiledContract,
    /// Its constructor's arguments.
    pub arguments: Vec<u8>,
    /// The salt of CREATE2; none for a contract of somebody else.
    pub salt: Option<Word>,
    /// Its address.
    pub address: Address,
}

impl Placed {
    fn by_factory(code: &CompiledContract, salt: Word, arguments: Vec<u8>) -> Self {
        let init = [code.creation.as_slice(), &arguments].concat();
        let address = create2_address(&CREATE2_FACTORY, &salt, &init).into();
        Self { code: code.clone(), arguments, salt: Some(salt), address }
    }

    fn existing(code: &CompiledContract, address: Address) -> Self {
        Self { code: code.clone(), arguments: Vec::new(), salt: None, address }
    }

    /// Creation code with arguments.
    #[must_use]
    pub fn init_code(&self) -> Vec<u8> {
        [self.code.creation.as_slice(), &self.arguments].concat()
    }
}

/// All contracts of a model, placed.
#[derive(Debug, Clone)]
pub struct Placement {
    /// The generated verifier.
    pub verifier: Placed,
    /// `ZKMLEmergencyStop` in front of it, if somebody may pull it.
    pub emergency_stop: Option<Placed>,
    /// The registry.
    pub registry: Placed,
    /// The router.
    pub router: Placed,
    /// The ERC-7992 verifier.
    pub zkml_verifier: Placed,
    /// The consumer.
    pub consumer: Placed,
    /// The model's id.
    pub model_id: Word,
}

impl Placement {
    /// Where everything will be. The verifier's salt is made of the toolkit's version and the key's digest, the others'
    /// of the version and the contract's name: owners and what a contract is tied to are in its arguments.
    ///
    /// # Errors
    /// [`DeployError::Abi`] for a delay that no other model could ever use, [`DeployError::Argument`] for what a constructor would
    /// refuse, and for an emergency stop whose owner could never pull it.
    pub fn new(package: &Package, owners: Owners, existing: Existing) -> Result<Self> {
        owners.check(existing)?;
        let program = &package.program;
        let version = &program.statement().toolkit_version;
        let verifier = Placed::by_factory(&package.verifier, salt(program), Vec::new());
        let place = |code: &CompiledContract, known: Option<Address>, arguments: Vec<u8>| match known {
            Some(address) => Placed::existing(code, address),
            None => Placed::by_factory(code, contract_salt(version, &code.name), arguments),
        };
        let registry = place(&package.registry, existing.registry, Vec::new());
        let emergency_stop = owners.guardian.map(|guardian| {
            let arguments = [verifier.address.into_word().0, guardian.into_word().0].concat();
            place(&package.emergency_stop, None, arguments)
        });
        let first = [emergency_stop.as_ref().unwrap_or(&verifier).address.into_array()];
        let arguments =
            zkml_contracts::router_arguments(&owners.owner.into_array(), owners.route_delay, &first);
        let router = place(&package.router, existing.router, arguments);
        let arguments = [registry.address.into_word().0, router.address.into_word().0].concat();
        let zkml_verifier = place(&package.zkml_verifier, existing.zkml_verifier, arguments);
        let model_id = package.registration.model_id(&owners.model_owner.into_array());
        let arguments = ConsumerArguments {
            verifier: zkml_verifier.address.into_array(),
            model_id,
            model_delay: owners.model_delay,
            owner: owners.owner.into_array(),
        };
        let arguments = zkml_contracts::consumer_arguments(program, &arguments)?;
        let consumer = place(&package.consumer, None, arguments);
        let placement =
            Self { verifier, emergency_stop, registry, router, zkml_verifier, consumer, model_id };
        placement.check_guardian(owners.guardian)?;
        Ok(placement)
    }

    /// What the route leads to: the emergency stop, or the verifier itself.
    #[must_use]
    pub fn routed(&self) -> &Placed {
        self.emergency_stop.as_ref().unwrap_or(&self.verifier)
    }

    /// None of these contracts sends anything to a stop, so that none of them could ever pull it.
    fn check_guardian(&self, guardian: Option<Address>) -> Result<()> {
        let Some(guardian) = guardian else { return Ok(()) };
        let all = [&self.verifier, &self.registry, &self.router, &self.zkml_verifier, &self.consumer];
        match all.into_iter().find(|placed| placed.address == guardian) {
            None => Ok(()),
            Some(placed) => {
                let why = format!(
                    "that is {}, which never pulls it: name an account that can act fast",
                    placed.code.name
                );
                Err(DeployError::Argument { what: GUARDIAN, given: guardian.to_string(), why })
            }
        }
    }
}

/// Separates salts of contracts that are not a model's from those that are.
const CONTRACT_TAG: &[u8] = b"zkml-chain/deploy/contract/v1";

/// The salt of a contract that is named, not keyed.
fn contract_salt(version: &str, name: &str) -> Word {
    let length = |text: &str| Word::from_u64(text.len() as u64).0;
    keccak256([CONTRACT_TAG, &length(version), version.as_bytes(), &length(name), name.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn immutables_are_not_compared_and_everything_else_is() {
        let code = CompiledContract {
            name: "C".into(),
            file: "C.sol".into(),
            creation: vec![],
            runtime: vec![1, 0, 0, 4],
            immutables: Vec::from([1..3, 3..3]),
        };
        assert!(code.is(&[1, 9, 9, 4]));
        for other in [[2, 9, 9, 4].as_slice(), &[1, 9, 9, 5], &[1, 9, 9], &[1, 9, 9, 4, 0], &[]] {
            assert!(!code.is(other), "{other:?}");
        }
    }

    #[test]
    fn salts_differ_by_version_and_name() {
        let all = [
            contract_salt("1", "A"),
            contract_salt("1", "B"),
            contract_salt("1A", ""),
            contract_salt("", "1A"),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| other != one));
        }
    }
}
