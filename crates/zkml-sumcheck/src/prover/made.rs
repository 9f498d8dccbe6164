//! Proofs with fresh masks, as often as it takes.

use rand_core::OsRng;
use zkml_curve::scalar_word;
use zkml_protocol::Word;

use super::{Masks, Phase, ProvingKey, Witness, prove};
use crate::error::{Error, Result};

/// Attempts at a proof: one in `2^240` has degenerate challenges.
const ATTEMPTS: usize = 3;

/// A statement and its proof.
#[derive(Clone, Debug)]
pub struct Made {
    /// Public field elements.
    pub instances: Vec<Word>,
    /// The proof.
    pub bytes: Vec<u8>,
}

/// A proof of a witness, and its statement.
pub(crate) fn made(key: &ProvingKey, witness: &Witness, begins: &dyn Fn(Phase)) -> Result<Made> {
    let instances = witness.instances.iter().map(scalar_word).collect();
    let attempt = || {
        let masks = Masks::random(&key.shape, &key.program.opening, &mut OsRng);
        prove(key, witness, &masks, begins)
    };
    let mut bytes = attempt();
    for _ in 1..ATTEMPTS {
        if !matches!(bytes, Err(Error::Unlucky)) {
            break;
        }
        bytes = attempt();
    }
    Ok(Made { instances, bytes: bytes? })
}
