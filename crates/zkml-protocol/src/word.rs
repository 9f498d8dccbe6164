//! 32-byte words and the curve points made of them, as the EVM sees them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha3::{Digest, Keccak256};
use std::fmt;

/// A 256-bit big-endian word: a field element in canonical form, a coordinate, or a digest.
///
/// In text formats it reads `0x` and 64 hex digits; in binary ones it is its 32 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(pub [u8; 32]);

impl Word {
    /// The word 0.
    pub const ZERO: Self = Self([0; 32]);
    /// The word 1.
    pub const ONE: Self = Self::from_u64(1);

    /// A word from a machine integer.
    pub const fn from_u64(value: u64) -> Self {
        let bytes = value.to_be_bytes();
        let mut word = [0u8; 32];
        let mut i = 0;
        while i < 8 {
            word[24 + i] = bytes[i];
            i += 1;
        }
        Self(word)
    }

    /// The word's bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// True for the word 0.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Parses `0x` and 64 hex digits; the prefix may be missing.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn from_hex(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(digits, &mut bytes)
            .map_err(|e| format!("a word is 0x and 64 hex digits, not {text:?}: {e}"))?;
        Ok(Self(bytes))
    }
}

impl From<u64> for Word {
    fn from(value: u64) -> Self {
        Self::from_u64(value)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Self::from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

/// An affine point of BN254's first group: `x`, `y` below the base field's modulus; (0, 0) is the identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct G1 {
    /// First coordinate.
    pub x: Word,
    /// Second coordinate.
    pub y: Word,
}

impl G1 {
    /// True for (0, 0), which stands for the point at infinity as in EIP-196.
    pub fn is_identity(&self) -> bool {
        self.x.is_zero() && self.y.is_zero()
    }

    /// The 64 bytes `x ‖ y`.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0u8; 64];
        bytes[..32].copy_from_slice(&self.x.0);
        bytes[32..].copy_from_slice(&self.y.0);
        bytes
    }
}

/// An affine point of BN254's second group, in the order of EIP-197: the factor of `i` first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct G2 {
    /// First coordinate: `[imaginary, real]`.
    pub x: [Word; 2],
    /// Second coordinate: `[imaginary, real]`.
    pub y: [Word; 2],
}

impl G2 {
    /// The four words in the order in which the pairing precompile reads them.
    pub fn words(&self) -> [Word; 4] {
        [self.x[0], self.x[1], self.y[0], self.y[1]]
    }
}

/// Keccak-256 (Ethereum's, not SHA-3's padding) over the concatenated parts.
pub fn keccak256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Word {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    Word(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keccak_of_nothing_is_ethereums() {
        let empty = keccak256([]);
        assert_eq!(empty.to_string(), "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    }

    #[test]
    fn text_form_survives_the_round_trip_and_refuses_short_words() {
        let word = Word::from_u64(0xabc);
        let json = serde_json::to_string(&word).unwrap();
        assert_eq!(serde_json::from_str::<Word>(&json).unwrap(), word);
        assert!(serde_json::from_str::<Word>("\"0xabc\"").is_err());
    }

    #[test]
    fn binary_form_is_the_bytes() {
        let word = Word::from_u64(7);
        assert_eq!(postcard::to_stdvec(&word).unwrap(), word.0);
    }
}
