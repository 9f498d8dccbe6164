//! Real proofs of honest and of forged values, judged by every verifier that there is.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkml_halo2::{
    Plan,
    keys::{self, Keys},
    prove::{self, Binding, Proof},
};
use zkml_harness::{Evm, Settings, Solc};
use zkml_protocol::Word;
use zkml_srs::Srs;

use super::{Laid, columns::Columns};
use crate::Target;

/// Verdict of each verifier on a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdicts {
    /// The proving library's own verifier.
    pub halo2: bool,
    /// The verifier in Rust.
    pub rust: bool,
    /// The generated contract, in a local EVM.
    pub contract: bool,
}

impl Verdicts {
    /// The same verdict from each.
    pub const fn all(accepted: bool) -> Self {
        Self { halo2: accepted, rust: accepted, contract: accepted }
    }
}

/// A model with keys and a deployed verifier.
#[derive(Debug)]
pub struct Real<'a> {
    /// The model's circuit.
    pub laid: Laid<'a>,
    keys: Keys,
    evm: Evm,
    address: zkml_harness::Address,
}

impl<'a> Real<'a> {
    /// Makes keys with the development setup, and compiles and deploys the contract.
    ///
    /// # Errors
    /// The first step that does not succeed, printed.
    pub fn new(target: &'a Target, plan: &Plan, solc: &Solc) -> Result<Self, String> {
        fn printed<T, E: std::fmt::Display>(r: Result<T, E>) -> Result<T, String> {
            r.map_err(|e| format!("{e}"))
        }
        let srs = printed(Srs::dev(plan.k))?;
        let keys = printed(keys::setup(&target.graph, &target.system, plan, &srs, "dev"))?;
        let laid = Laid::new(target, (keys.circuit().clone(), plan.k))?;
        let source = printed(zkml_codegen::verifier_source(&keys.program))?;
        let compiled = printed(solc.compile(&[("Verifier.sol", &source)], &Settings::default()))?;
        let name = zkml_codegen::names::contracts(&keys.program).verifier;
        let mut evm = Evm::default();
        let address = printed(evm.deploy(&printed(compiled.contract(&name))?.creation))?.address;
        Ok(Self { laid, keys, evm, address })
    }

    /// Proves the honest run as a user does, with salts for what is committed to.
    ///
    /// # Errors
    /// The prover's, printed.
    pub fn prove_honestly(&self, rng: &mut ChaCha8Rng) -> Result<Proof, String> {
        let target = self.laid.target;
        // Below the field's modulus, whatever the bits.
        let mut salt = || {
            let mut bytes: [u8; 32] = rng.r#gen();
            bytes[0] &= 0x1f;
            Word(bytes)
        };
        let chains = self.laid.filler.model.layout.statement.hash_chains.len();
        let binding = Binding { context: salt(), salts: (0..chains).map(|_| salt()).collect() };
        prove::prove(&target.system, &self.keys, &target.trace, &binding).map_err(|e| e.to_string())
    }

    /// A proof of whatever the columns hold; `None` if they hold what no table could.
    ///
    /// # Errors
    /// The proving library's, printed.
    pub fn prove_columns(&self, columns: &Columns) -> Result<Option<Proof>, String> {
        let Some((circuit, instances)) = self.laid.filler.circuit(columns) else { return Ok(None) };
        prove::prove_assigned(&self.keys, circuit, &instances).map(Some).map_err(|e| e.to_string())
    }

    /// Verdicts of all verifiers on a proof.
    ///
    /// # Errors
    /// The EVM's, for a call that neither returns nor reverts; printed.
    pub fn verdicts(&mut self, proof: &Proof) -> Result<Verdicts, String> {
        let calldata = zkml_contracts::verify_proof_unchecked(&proof.bytes, &proof.instances);
        let answer = self.evm.call(self.address, &calldata).map_err(|e| e.to_string())?;
        Ok(Verdicts {
            halo2: prove::verify(&self.keys, proof).is_ok(),
            rust: zkml_verifier::plonk::verify(&self.keys.program, &proof.bytes, &proof.instances).is_ok(),
            contract: answer.is_true(),
        })
    }
}
