//! The smallest bond for which a false result does not pay: see the book, "Results for less than a proof".

use serde::Serialize;
use zkml_deploy::{U256, amount};

/// Decimals of coins and of probabilities.
pub const DECIMALS: u8 = 18;

/// Gas of `prove` of a contract that takes results, beyond that of the bare verifier: calldata with result and policy, router and registry, the bond's
/// and the deposit's way back, to a poster that has nothing in the contract yet. Measured, and rounded up.
pub const PROOF_OVERHEAD: u64 = 80_000;

/// What is known of results and of those who post them. Amounts are in wei, probabilities have 18 decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// What a false result brings its poster.
    pub value: U256,
    /// Probability that somebody looks at a result within the challenge window, above zero.
    pub looked_at: Option<U256>,
    /// Rate at which results are drawn, above zero.
    pub rate: Option<U256>,
    /// Gas of a proof on chain, with [`PROOF_OVERHEAD`] in it.
    pub gas: u64,
    /// Price of a unit of gas that is to be survived.
    pub gas_price: U256,
    /// What making a proof costs.
    pub proving: U256,
}

/// The bonds, as decimal numbers of coins. Each is at least what a proof costs, so that an honest poster proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BondReport {
    /// Gas of a proof on chain, as it was reckoned with.
    pub gas: u64,
    /// What a proof costs: gas, and making it. A challenger's deposit is at least as much.
    pub proof: String,
    /// Bond of the optimistic path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimistic: Option<String>,
    /// Bond of the sampled path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled: Option<String>,
    /// The same against a poster who proposes the last block before the draw, and may skip it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled_against_a_proposer: Option<String>,
}

/// Why there is no such bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoBond {
    /// A probability that is none.
    #[error("{what} is a probability: above 0, and 1 at most")]
    NotAProbability {
        /// Its name.
        what: &'static str,
    },
    /// Beyond what a contract can count.
    #[error("the bond is beyond 2^256 wei")]
    TooLarge,
}

/// Works the bonds out, rounded up to whole wei.
///
/// # Errors
/// [`NoBond`].
pub fn run(request: &Request) -> Result<BondReport, NoBond> {
    let one = U256::from(10u64).pow(U256::from(DECIMALS));
    for (what, p) in [("looked-at", request.looked_at), ("rate", request.rate)] {
        if p.is_some_and(|p| p.is_zero() || p > one) {
            return Err(NoBond::NotAProbability { what });
        }
    }
    let gas = U256::from(request.gas).checked_mul(request.gas_price);
    let proof = gas.and_then(|gas| gas.checked_add(request.proving)).ok_or(NoBond::TooLarge)?;
    let shown = |bond: Option<U256>| {
        let bond = bond.ok_or(NoBond::TooLarge)?.max(proof);
        Ok::<_, NoBond>(amount::show(bond, DECIMALS))
    };
    let value = request.value;
    // A poster that challenges itself gets half of its bond back.
    let optimistic =
        request.looked_at.map(|q| shown(value.checked_mul(U256::from(2)).and_then(|v| against(v, q, one))));
    let sampled = request.rate.map(|p| shown(against(value, p, one)));
    // Of two values, the proposer takes the one that it likes: both have to draw the result.
    let worse = request.rate.map(|p| shown(against(value, p * p, one * one)));
    Ok(BondReport {
        gas: request.gas,
        proof: amount::show(proof, DECIMALS),
        optimistic: optimistic.transpose()?,
        sampled: sampled.transpose()?,
        sampled_against_a_proposer: worse.transpose()?,
    })
}

/// `⌈value · (one − p) / p⌉`: with it, losing the bond with probability `p` outweighs the value with the rest.
fn against(value: U256, p: U256, one: U256) -> Option<U256> {
    let product = value.checked_mul(one - p)?;
    let (quotient, rest) = product.div_rem(p);
    quotient.checked_add(U256::from(!rest.is_zero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coins(text: &str) -> U256 {
        amount::parse(text, DECIMALS).unwrap()
    }

    fn request() -> Request {
        Request {
            value: coins("10000"),
            looked_at: Some(coins("0.9")),
            rate: Some(coins("0.1")),
            gas: 300_000,
            gas_price: U256::from(50_000_000_000u64),
            proving: coins("0.01"),
        }
    }

    /// The example of the book.
    #[test]
    fn the_books_example() {
        let report = run(&request()).unwrap();
        assert_eq!((report.proof.as_str(), report.gas), ("0.025", 300_000));
        assert_eq!(report.optimistic.as_deref(), Some("2222.222222222222222223"));
        assert_eq!(report.sampled.as_deref(), Some("90000"));
        assert_eq!(report.sampled_against_a_proposer.as_deref(), Some("990000"));
    }

    /// What is added to a planned proof is what the contracts' tests measure: no less, and no more than a hundredth above it.
    #[test]
    fn the_overhead_is_the_measured_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/test/snapshots/gas.json");
        let gas: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let of = |name: &str| gas[name].as_u64().unwrap();
        let measured = of("proof of a challenged result") - of("verifyProof");
        let most = measured + measured / 100;
        assert!((measured..=most).contains(&PROOF_OVERHEAD), "{measured} gas were measured");
    }

    /// At the bond a lie brings nothing, and at one wei less it does: in whole numbers, without a division.
    #[test]
    fn the_bond_is_the_smallest_one() {
        let one = coins("1");
        for (value, p) in
            [("3", "0.3"), ("0.000000000000000007", "0.999999999999999999"), ("123.456", "0.017")]
        {
            let (value, p) = (coins(value), coins(p));
            let bond = against(value, p, one).unwrap();
            let pays = |bond: U256| bond * p < value * (one - p);
            assert!(!pays(bond) && (bond.is_zero() || pays(bond - U256::from(1))), "{value} {p}: {bond}");
        }
    }

    #[test]
    fn a_bond_is_never_below_the_price_of_a_proof() {
        let report = run(&Request { value: U256::ZERO, ..request() }).unwrap();
        assert_eq!(report.optimistic.as_deref(), Some("0.025"));
        assert_eq!(report.sampled_against_a_proposer.as_deref(), Some("0.025"));
        let bare = run(&Request { looked_at: None, rate: None, ..request() }).unwrap();
        assert!(bare.optimistic.is_none() && bare.sampled.is_none());
    }

    #[test]
    fn what_is_no_probability_and_what_is_too_large_are_refused() {
        for p in ["0", "1.000000000000000001"] {
            let of = |request: Request| run(&request).unwrap_err();
            assert_eq!(
                of(Request { rate: Some(coins(p)), ..request() }),
                NoBond::NotAProbability { what: "rate" }
            );
            assert!(matches!(
                of(Request { looked_at: Some(coins(p)), ..request() }),
                NoBond::NotAProbability { what: "looked-at" }
            ));
        }
        assert_eq!(run(&Request { value: U256::MAX, ..request() }), Err(NoBond::TooLarge));
        assert_eq!(run(&Request { gas_price: U256::MAX, ..request() }), Err(NoBond::TooLarge));
    }
}
