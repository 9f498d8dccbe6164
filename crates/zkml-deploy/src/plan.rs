//! What is to be there, and what is there already.

use serde::{Deserialize, Serialize};
use zkml_protocol::{VerifierProgram, Word};

use crate::{
    Address, CREATE2_FACTORY, DeployError, Result,
    chain::Chain,
    interfaces::{ZkmlRegistry, ZkmlRouter, ZkmlVerifier},
    package::{Existing, Owners, Package, Placed, Placement},
    rpc::Rpc,
    transaction::Call,
};

/// A part of a deployment, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The generated verifier.
    Verifier,
    /// The emergency stop in front of it, where one is wanted.
    EmergencyStop,
    /// The registry.
    Registry,
    /// The router.
    Router,
    /// The ERC-7992 verifier.
    ZkmlVerifier,
    /// The route from the key to the verifier.
    Route,
    /// The model's entry in the registry.
    Registration,
    /// The consumer.
    Consumer,
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Verifier,
        Self::EmergencyStop,
        Self::Registry,
        Self::Router,
        Self::ZkmlVerifier,
        Self::Route,
        Self::Registration,
        Self::Consumer,
    ];

    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Verifier => "verifier",
            Self::EmergencyStop => "emergency-stop",
            Self::Registry => "registry",
            Self::Router => "router",
            Self::ZkmlVerifier => "zkml-verifier",
            Self::Route => "route",
            Self::Registration => "registration",
            Self::Consumer => "consumer",
        }
    }

    /// What must be there before it can be made; of it, the emergency stop where one is wanted.
    #[must_use]
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::Verifier | Self::Registry => &[],
            Self::EmergencyStop => &[Self::Verifier],
            Self::Router => &[Self::Verifier, Self::EmergencyStop],
            Self::ZkmlVerifier => &[Self::Registry, Self::Router],
            Self::Route => &[Self::Verifier, Self::EmergencyStop, Self::Router],
            Self::Registration => &[Self::Registry],
            Self::Consumer => &[Self::ZkmlVerifier, Self::Registration],
        }
    }
}

/// Where a part stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is there, as it should be.
    There,
    /// It is there, and comes into force at this block time.
    Waiting(u64),
    /// It is not there: this call, by this account, makes it.
    Missing {
        /// The call.
        call: Call,
        /// Who must send it; anybody if none.
        by: Option<Address>,
    },
    /// It comes with the router.
    WithRouter,
}

/// A deployment.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The chain.
    pub chain: Chain,
    /// What is deployed.
    pub package: Package,
    /// Who may do what.
    pub owners: Owners,
    /// Contracts that are there already.
    pub existing: Existing,
    /// Where everything is.
    pub placement: Placement,
}

impl Plan {
    /// Places everything. A `ZKMLVerifier` that is there already brings its registry and router along.
    ///
    /// # Errors
    /// Those of the endpoint, when an existing contract has to be asked, and those of [`Placement::new`].
    pub async fn new(
        rpc: &Rpc,
        chain: &Chain,
        package: Package,
        owners: Owners,
        mut existing: Existing,
    ) -> Result<Self> {
        if let Some(address) = existing.zkml_verifier {
            existing.registry = Some(rpc.view(address, "registry", ZkmlVerifier::registryCall {}).await?);
            existing.router = Some(rpc.view(address, "ROUTER", ZkmlVerifier::ROUTERCall {}).await?);
        }
        let placement = Placement::new(&package, owners, existing)?;
        Ok(Self { chain: chain.clone(), package, owners, existing, placement })
    }

    /// First four bytes of the key's digest.
    #[must_use]
    pub fn selector(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.package.program.vk_digest().0;
        [a, b, c, d]
    }

    /// The parts that this deployment has, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let guarded = self.owners.guardian.is_some();
        Part::ALL.into_iter().filter(move |part| guarded || *part != Part::EmergencyStop)
    }

    /// What must be there before a part can be made.
    pub(crate) fn needs(&self, part: Part) -> impl Iterator<Item = Part> + use<> {
        let needs = part.needs();
        self.parts().filter(move |other| needs.contains(other))
    }

    /// The contract of a part, if it is one.
    #[must_use]
    pub fn placed(&self, part: Part) -> Option<&Placed> {
        match part {
            Part::Verifier => Some(&self.placement.verifier),
            Part::EmergencyStop => self.placement.emergency_stop.as_ref(),
            Part::Registry => Some(&self.placement.registry),
            Part::Router => Some(&self.placement.router),
            Part::ZkmlVerifier => Some(&self.placement.zkml_verifier),
            Part::Consumer => Some(&self.placement.consumer),
            Part::Route | Part::Registration => None,
        }
    }

    /// Contracts that are there already must be ours, whichever parts are wanted: a registry or a router of somebody
    /// else's making decides what is accepted.
    ///
    /// # Errors
    /// [`DeployError::OtherCode`], and those of the endpoint.
    pub async fn check_existing(&self, rpc: &Rpc) -> Result<()> {
        let placement = &self.placement;
        for placed in [&placement.registry, &placement.router, &placement.zkml_verifier] {
            if placed.salt.is_none() {
                self.contract(rpc, placed).await?;
            }
        }
        Ok(())
    }

    /// Looks where a part stands.
    ///
    /// # Errors
    /// [`DeployError::OtherCode`], [`DeployError::Route`], [`DeployError::Deprecated`] when something else is where it
    /// should be, [`DeployError::NoGuardian`] for an emergency stop that nobody could pull, and those of the endpoint.
    pub async fn look(&self, rpc: &Rpc, part: Part) -> Result<State> {
        match (part, self.placed(part)) {
            (_, Some(placed)) => self.contract(rpc, placed).await,
            (Part::Route, None) => self.route(rpc).await,
            (Part::EmergencyStop, None) => Err(DeployError::NoGuardian),
            (_, None) => self.registration(rpc).await,
        }
    }

    async fn contract(&self, rpc: &Rpc, placed: &Placed) -> Result<State> {
        let code = rpc.code(placed.address).await?;
        if placed.code.is(&code) {
            return Ok(State::There);
        }
        match placed.salt {
            Some(salt) if code.is_empty() => {
                let data = [salt.0.as_slice(), &placed.init_code()].concat();
                let what = format!("deploying {}", placed.code.name);
                let call = Call::new(what, CREATE2_FACTORY.into(), data);
                Ok(State::Missing { call, by: None })
            }
            _ => Err(DeployError::OtherCode {
                name: placed.code.name.clone(),
                address: placed.address.to_string(),
                found: code.len(),
                expected: placed.code.runtime.len(),
            }),
        }
    }

    async fn route(&self, rpc: &Rpc) -> Result<State> {
        let (router, verifier) = (self.placement.router.address, self.placement.routed().address);
        if self.existing.router.is_none() && rpc.code(router).await?.is_empty() {
            return Ok(State::WithRouter);
        }
        let selector = self.selector();
        let route =
            rpc.view(router, "routeOf", ZkmlRouter::routeOfCall { selector: selector.into() }).await?;
        let refuse = |why: String| DeployError::Route {
            selector: format!("0x{}", hex::encode(selector)),
            router: router.to_string(),
            why,
        };
        if route.stopped {
            return Err(refuse(
                "was stopped, for good: the model needs another key, so another verifier".to_owned(),
            ));
        }
        if route.verifier != Address::ZERO && route.verifier != verifier {
            return Err(refuse(format!(
                "leads to {}, not to {verifier}, and routes do not move",
                route.verifier
            )));
        }
        if route.verifier == verifier {
            let now = rpc.now().await?;
            return Ok(if route.activeFrom <= now { State::There } else { State::Waiting(route.activeFrom) });
        }
        if rpc.view(router, "frozen", ZkmlRouter::frozenCall {}).await? {
            return Err(refuse(
                "does not exist, and the router is frozen: no route is added any more".to_owned(),
            ));
        }
        let owner = rpc.view(router, "owner", ZkmlRouter::ownerCall {}).await?;
        let data = alloy::sol_types::SolCall::abi_encode(&ZkmlRouter::proposeRouteCall { verifier });
        let call = Call::new("proposing the route", router, data);
        Ok(State::Missing { call, by: Some(owner) })
    }

    async fn registration(&self, rpc: &Rpc) -> Result<State> {
        let (registry, id) = (self.placement.registry.address, self.placement.model_id);
        let data = zkml_contracts::register_model(&self.package.registration, "");
        let call = Call::new("registering the model", registry, data);
        let missing = State::Missing { call, by: Some(self.owners.model_owner) };
        if rpc.code(registry).await?.is_empty() {
            return Ok(missing);
        }
        let id = alloy::primitives::U256::from_be_bytes(id.0);
        match rpc.view(registry, "identityOf", ZkmlRegistry::identityOfCall { modelId: id }).await {
            Ok(entry) if entry.deprecated => {
                Err(DeployError::Deprecated { model_id: Word(id.to_be_bytes()).to_string() })
            }
            // The id is a hash of all that an entry holds, so there is nothing more to compare.
            Ok(_) => Ok(State::There),
            Err(DeployError::Reverted { reason, .. }) if reason.starts_with("ModelNotFound") => Ok(missing),
            Err(other) => Err(other),
        }
    }
}
