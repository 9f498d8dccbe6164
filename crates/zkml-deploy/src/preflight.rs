//! What must be true of a chain and a package before anything is sent.

use alloy::hex;
use serde::Serialize;
use zkml_protocol::VerifierProgram;

use crate::{
    Address, CREATE2_FACTORY, DeployError, Result,
    chain::Chain,
    package::{CompiledContract, Package},
    rpc::{Answer, Rpc},
};

/// Runtime code of the CREATE2 factory.
const FACTORY_CODE: &[u8] = &hex!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f5"
    "8015156039578182fd5b8082525050506014600cf3"
);
/// `PUSH1 1, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN`: the word one, where PUSH0 exists (Shanghai).
const PUSH0: &[u8] = &hex!("60015f5260205ff3");

/// Order of BN254's base field, less two: the second coordinate of the negated generator.
const MINUS_TWO: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45";
/// The generator (1, 2), and its double.
const G1: &str = "00000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000000000002";
const DOUBLE: &str = "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd315ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4";
/// The generator of the second group, as EIP-197 orders it: imaginary parts first.
const G2: &str = "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
const ONE: &str = "0000000000000000000000000000000000000000000000000000000000000001";

/// Something that was looked at, and found good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// What was found.
    pub detail: String,
}

fn check(name: &'static str, detail: impl Into<String>) -> Check {
    Check { name, detail: detail.into() }
}

/// Looks at everything that does not depend on what is deployed already, with the emergency stop if the verifier gets one. What needs no
/// connection comes first.
///
/// # Errors
/// [`DeployError::UnsafeSetup`], [`DeployError::Preflight`] with the first check that fails, and those of the endpoint.
pub async fn run(rpc: &Rpc, chain: &Chain, package: &Package, guarded: bool) -> Result<Vec<Check>> {
    let mut checks = vec![setup(chain, package)?, sizes(chain, &package.codes(guarded))?];
    checks.push(check("chain", format!("{} answers as chain {}", rpc.endpoint(), rpc.chain_id())));
    checks.push(push0(rpc).await?);
    checks.push(precompiles(rpc).await?);
    checks.push(factory(rpc).await?);
    Ok(checks)
}

/// A setup whose secret is public stays on chains that the contracts know as test chains. Files can add chains, but not
/// to that list, which is in the constructors.
///
/// # Errors
/// [`DeployError::UnsafeSetup`].
pub fn setup(chain: &Chain, package: &Package) -> Result<Check> {
    let known_test = zkml_contracts::chains::by_id(chain.id).is_some_and(|known| known.test);
    match (package.program.srs().unsafe_dev, known_test) {
        (false, _) => Ok(check("trusted setup", format!("a real one, {}", package.program.srs().digest()))),
        (true, true) => {
            Ok(check("trusted setup", "development only: its secret is public, on a test chain it will do"))
        }
        (true, false) => Err(DeployError::UnsafeSetup { chain: chain.name.clone() }),
    }
}

/// A consumer that takes proofs on any input stays on test chains: elsewhere, value may depend on what it accepts.
///
/// # Errors
/// [`DeployError::AnyInput`].
pub fn any_input(chain: &Chain, package: &Package) -> Result<()> {
    if chain.test {
        return Ok(());
    }
    Err(DeployError::AnyInput { name: package.consumer.name.clone(), chain: chain.name.clone() })
}

fn sizes(chain: &Chain, codes: &[&CompiledContract]) -> Result<Check> {
    for code in codes {
        for (what, size, limit) in [
            ("runtime", code.runtime.len(), chain.code_limit),
            ("creation", code.creation.len(), chain.init_limit),
        ] {
            if size > limit {
                let (name, chain) = (&code.name, &chain.name);
                let why = format!(
                    "the {what} code of {name} has {size} bytes, {chain} takes {limit}: compile with --optimize gas, or fewer outputs"
                );
                return Err(DeployError::Preflight { check: "code size", why });
            }
        }
    }
    let largest = codes.iter().map(|code| code.runtime.len()).max().unwrap_or_default();
    Ok(check("code size", format!("{largest} of {} bytes", chain.code_limit)))
}

async fn push0(rpc: &Rpc) -> Result<Check> {
    let refuse = |why: String| DeployError::Preflight { check: "EVM version", why };
    match rpc.call(None, None, PUSH0).await {
        Ok(Answer::Returned(word)) if hex::encode(&word) == ONE => {
            Ok(check("EVM version", "shanghai or later"))
        }
        Ok(answer) => Err(refuse(format!("PUSH0 gives {answer:?}: the contracts need shanghai or later"))),
        Err(DeployError::Rpc { why, .. }) => {
            Err(refuse(format!("PUSH0 does not work ({why}): the contracts need shanghai or later")))
        }
        Err(other) => Err(other),
    }
}

/// Questions to precompiled contracts whose answers are known: name, address, input, answer.
fn known_answers() -> [(&'static str, u8, String, String); 5] {
    let (zero, minus) = ("0".repeat(64), format!("{}{MINUS_TWO}", &G1[..64]));
    let number = |n: u64| format!("{n:064x}");
    let modexp = [number(32), number(32), number(32), number(3), number(2), number(5)].concat();
    [
        ("the sum of two points", 6, format!("{G1}{G1}"), DOUBLE.to_owned()),
        ("the multiple of a point", 7, format!("{G1}{}", number(2)), DOUBLE.to_owned()),
        ("a power of a number", 5, modexp, number(4)),
        ("a pairing that is true", 8, format!("{G1}{G2}{minus}{G2}"), ONE.to_owned()),
        ("a pairing that is false", 8, format!("{G1}{G2}{G1}{G2}"), zero),
    ]
}

async fn precompiles(rpc: &Rpc) -> Result<Check> {
    for (what, address, input, expected) in known_answers() {
        let input = hex::decode(input).unwrap_or_default();
        let answer = rpc.call(None, Some(Address::with_last_byte(address)), &input).await?;
        let good = matches!(&answer, Answer::Returned(bytes) if hex::encode(bytes) == expected);
        if !good {
            let why = format!(
                "{what} (precompile 0x{address:02x}) is answered with {answer:?}, {expected} is right: proofs cannot be checked on this chain"
            );
            return Err(DeployError::Preflight { check: "precompiles", why });
        }
    }
    Ok(check("precompiles", "five known answers are right, a true and a false pairing among them"))
}

async fn factory(rpc: &Rpc) -> Result<Check> {
    let address: Address = CREATE2_FACTORY.into();
    let code = rpc.code(address).await?;
    if code.as_ref() == FACTORY_CODE {
        return Ok(check("CREATE2 factory", address.to_string()));
    }
    let found = if code.is_empty() { "no contract" } else { "another contract" };
    let why = format!(
        "there is {found} at {address}: deploy the factory first, as https://github.com/Arachnid/deterministic-deployment-proxy says"
    );
    Err(DeployError::Preflight { check: "CREATE2 factory", why })
}
