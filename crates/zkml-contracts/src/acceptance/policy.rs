//! Terms on which a result counts.

use zkml_protocol::{Word, binding::address_word, keccak256};

use super::address;
use crate::log::small;

/// The path on which silence accepts.
pub const OPTIMISTIC: u8 = 1;
/// The path on which randomness spares.
pub const SAMPLED: u8 = 2;
/// The path on which keys sign.
pub const ATTESTED: u8 = 4;
/// Not a path: what a proof adds to those that hold.
pub const PROVEN: u8 = 8;

/// Terms on which a result counts, as the contract's struct has them. Windows are in seconds, amounts in the asset's smallest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    /// [`OPTIMISTIC`], [`SAMPLED`], [`ATTESTED`], or a sum of these.
    pub paths: u8,
    /// Number of paths that have to hold.
    pub required: u8,
    /// Number of keys that have to sign, if attested.
    pub signatures: u8,
    /// Time in which the proof can be demanded, if optimistic.
    pub challenge_window: u32,
    /// Time in which a proof has to come that is due.
    pub answer_window: u32,
    /// Probability of being drawn if sampled, 18 decimals.
    pub rate: u64,
    /// The amount that a poster loses whose proof is due and does not come.
    pub bond: Word,
    /// The amount that a challenger loses whose challenge is answered by a proof.
    pub deposit: Word,
    /// The token of both; zero for the chain's own coin.
    pub asset: [u8; 20],
    /// Receiver of what a challenger does not get of a lost bond.
    pub beneficiary: [u8; 20],
    /// Draws, if sampled.
    pub beacon: [u8; 20],
    /// Knows the keys, if attested.
    pub attestors: [u8; 20],
}

impl Policy {
    /// Number of its words.
    pub const WORDS: usize = 12;

    /// Its words, in the contract's order.
    #[must_use]
    pub fn words(&self) -> [Word; Self::WORDS] {
        let Self { asset, beneficiary, beacon, attestors, .. } = self;
        let [asset, beneficiary, beacon, attestors] =
            [asset, beneficiary, beacon, attestors].map(address_word);
        let [paths, required, signatures] = [self.paths, self.required, self.signatures].map(u64::from);
        let numbers =
            [paths, required, signatures, self.challenge_window.into(), self.answer_window.into(), self.rate];
        let [paths, required, signatures, challenge, answer, rate] = numbers.map(Word::from_u64);
        let (bond, deposit) = (self.bond, self.deposit);
        [
            paths,
            required,
            signatures,
            challenge,
            answer,
            rate,
            bond,
            deposit,
            asset,
            beneficiary,
            beacon,
            attestors,
        ]
    }

    /// The same from its words; none if one is beyond its type.
    #[must_use]
    pub fn of_words(words: [Word; Self::WORDS]) -> Option<Self> {
        let [
            paths,
            required,
            signatures,
            challenge,
            answer,
            rate,
            bond,
            deposit,
            asset,
            beneficiary,
            beacon,
            attestors,
        ] = words;
        Some(Self {
            paths: small(&paths.0)?.try_into().ok()?,
            required: small(&required.0)?.try_into().ok()?,
            signatures: small(&signatures.0)?.try_into().ok()?,
            challenge_window: small(&challenge.0)?.try_into().ok()?,
            answer_window: small(&answer.0)?.try_into().ok()?,
            rate: small(&rate.0)?,
            bond,
            deposit,
            asset: address(asset)?,
            beneficiary: address(beneficiary)?,
            beacon: address(beacon)?,
            attestors: address(attestors)?,
        })
    }

    /// Keccak-256 of its ABI encoding, which `ZKMLTiers` fixes it by.
    #[must_use]
    pub fn hash(&self) -> Word {
        keccak256(self.words().iter().map(|word| word.0.as_slice()))
    }

    /// True if it has this path.
    #[must_use]
    pub fn has(&self, path: u8) -> bool {
        self.paths & path != 0
    }

    /// Last block time at which the proof of a result can be demanded that was posted at `since`.
    #[must_use]
    pub fn challenge_end(&self, since: u64) -> u64 {
        since.saturating_add(self.challenge_window.into())
    }

    /// Seconds that a challenge and its answer, or an answer to being drawn, may take: the least time from posting to the deadline.
    #[must_use]
    pub fn time(&self) -> u64 {
        let challenge = if self.has(OPTIMISTIC) { self.challenge_window.into() } else { 0 };
        let answer = if self.has(OPTIMISTIC | SAMPLED) { self.answer_window.into() } else { 0 };
        challenge + answer
    }
}

/// Names of the paths in a set, as people write them.
#[must_use]
pub fn path_names(paths: u8) -> Vec<&'static str> {
    let all = [(OPTIMISTIC, "optimistic"), (SAMPLED, "sampled"), (ATTESTED, "attested"), (PROVEN, "proven")];
    all.into_iter().filter(|(path, _)| paths & path != 0).map(|(_, name)| name).collect()
}
