//! Numbers, addresses and chains as people and the EVM write them.

use thiserror::Error;
use zkml_contracts::chains;
use zkml_protocol::{Word, keccak256};

/// Why a text is not the value that it should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ValueError {
    /// Neither decimal nor hexadecimal digits.
    #[error("{text:?} is no number: decimal digits are expected, or 0x and hexadecimal ones")]
    NotANumber {
        /// The text.
        text: String,
    },
    /// A number beyond its type.
    #[error("{text} is too large: it has to be below 2^{bits}")]
    TooLarge {
        /// The number.
        text: String,
        /// Bits of the type.
        bits: u32,
    },
    /// Not 32 bytes.
    #[error("{text:?} is no word: 0x and 64 hexadecimal digits are expected")]
    NotAWord {
        /// The text.
        text: String,
    },
    /// Not 20 bytes.
    #[error("{text:?} is no address: 0x and 40 hexadecimal digits are expected")]
    NotAnAddress {
        /// The text.
        text: String,
    },
    /// An address of mixed capitals whose capitals are not its checksum's.
    #[error("{text} is mistyped, or its capitals are: as EIP-55 has it, it is {expected}")]
    Checksum {
        /// The text.
        text: String,
        /// The same digits with the capitals of their checksum.
        expected: String,
    },
    /// No bytes.
    #[error("{text:?} is no list of bytes: 0x and two hexadecimal digits each")]
    NotBytes {
        /// The text.
        text: String,
    },
    /// No decimal number, or one of nothing.
    #[error("{text:?} is no amount, like 0.01, or 5@0x… for a token")]
    NotAnAmount {
        /// The text.
        text: String,
    },
    /// Neither a number nor a known name.
    #[error("no chain is called {text:?}; give its number, or one of {}", known_chains())]
    NoSuchChain {
        /// The text.
        text: String,
    },
}

fn known_chains() -> String {
    chains::all().iter().map(|chain| chain.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// An unsigned number below `2^256`: decimal digits, or `0x` and hexadecimal ones.
///
/// # Errors
/// [`ValueError::NotANumber`], [`ValueError::TooLarge`].
pub fn uint256(text: &str) -> Result<Word, ValueError> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |hex| (hex, 16));
    if digits.is_empty() {
        return Err(ValueError::NotANumber { text: text.into() });
    }
    let mut word = [0u8; 32];
    for digit in digits.chars() {
        let digit = digit.to_digit(radix).ok_or_else(|| ValueError::NotANumber { text: text.into() })?;
        let mut carry = digit;
        for byte in word.iter_mut().rev() {
            carry += u32::from(*byte) * radix;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return Err(ValueError::TooLarge { text: text.into(), bits: 256 });
        }
    }
    Ok(Word(word))
}

/// As [`uint256`], below `2^64`.
///
/// # Errors
/// As [`uint256`].
pub fn uint64(text: &str) -> Result<u64, ValueError> {
    let word = uint256(text)?;
    let (high, low) = word.0.split_at(24);
    let low = low.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    if high.iter().any(|byte| *byte != 0) {
        return Err(ValueError::TooLarge { text: text.into(), bits: 64 });
    }
    Ok(low)
}

/// A word as a decimal number.
pub fn decimal(word: &Word) -> String {
    let mut rest = word.0;
    let mut digits = Vec::new();
    loop {
        let mut remainder = 0u32;
        for byte in &mut rest {
            let value = remainder << 8 | u32::from(*byte);
            *byte = (value / 10) as u8;
            remainder = value % 10;
        }
        digits.push(char::from_digit(remainder, 10).unwrap_or('0'));
        if rest.iter().all(|byte| *byte == 0) {
            return digits.iter().rev().collect();
        }
    }
}

/// Addresses with commas between them.
///
/// # Errors
/// As [`address`], for the first that is none.
pub fn addresses(text: &str) -> Result<Vec<[u8; 20]>, ValueError> {
    text.split(',').map(|one| address(one.trim())).collect()
}

/// An amount of an asset whose decimals are not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Decimal digits, with a point among them or none.
    pub amount: String,
    /// The token; the chain's coin if none is named.
    pub token: Option<[u8; 20]>,
}

/// Amounts with commas between them, `AMOUNT` in coins or `AMOUNT@TOKEN` each.
///
/// # Errors
/// [`ValueError::NotAnAmount`], and as [`address`] for a token.
pub fn amounts(text: &str) -> Result<Vec<Amount>, ValueError> {
    let one = |text: &str| {
        let (amount, token) =
            text.split_once('@').map_or((text, None), |(amount, token)| (amount, Some(token)));
        let (whole, rest) = amount.split_once('.').unwrap_or((amount, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(rest) {
            return Err(ValueError::NotAnAmount { text: text.into() });
        }
        Ok(Amount { amount: amount.into(), token: token.map(address).transpose()? })
    };
    text.split(',').map(|text| one(text.trim())).collect()
}

/// 32 bytes: `0x` and 64 hexadecimal digits.
///
/// # Errors
/// [`ValueError::NotAWord`].
pub fn word(text: &str) -> Result<Word, ValueError> {
    text.strip_prefix("0x")
        .and_then(|digits| Word::from_hex(digits).ok())
        .ok_or_else(|| ValueError::NotAWord { text: text.into() })
}

/// Any number of bytes: `0x` and two hexadecimal digits each.
///
/// # Errors
/// [`ValueError::NotBytes`].
pub fn bytes(text: &str) -> Result<std::sync::Arc<[u8]>, ValueError> {
    let decoded = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
    decoded.map(Into::into).ok_or_else(|| ValueError::NotBytes { text: text.into() })
}

/// An address: `0x` and 40 hexadecimal digits. Mixed capitals must be those of its checksum (EIP-55).
///
/// # Errors
/// [`ValueError::NotAnAddress`], [`ValueError::Checksum`].
pub fn address(text: &str) -> Result<[u8; 20], ValueError> {
    let not = || ValueError::NotAnAddress { text: text.into() };
    let digits = text.strip_prefix("0x").ok_or_else(not)?;
    let mut address = [0; 20];
    hex::decode_to_slice(digits, &mut address).map_err(|_| not())?;
    let expected = checksummed(&address);
    let mixed = digits.contains(|c: char| c.is_ascii_lowercase())
        && digits.contains(|c: char| c.is_ascii_uppercase());
    if mixed && text != expected {
        return Err(ValueError::Checksum { text: text.into(), expected });
    }
    Ok(address)
}

/// An address with the capitals of its checksum (EIP-55).
pub fn checksummed(address: &[u8; 20]) -> String {
    let digits = hex::encode(address);
    let hash = hex::encode(keccak256([digits.as_bytes()]).0);
    let capital =
        |(digit, check): (char, char)| if check >= '8' { digit.to_ascii_uppercase() } else { digit };
    std::iter::once("0x".to_owned())
        .chain(digits.chars().zip(hash.chars()).map(|pair| capital(pair).to_string()))
        .collect()
}

/// A chain's id: its number, or a name that the toolkit knows.
///
/// # Errors
/// [`ValueError::NoSuchChain`], [`ValueError::TooLarge`].
pub fn chain(text: &str) -> Result<u64, ValueError> {
    if let Some(chain) = chains::by_name(text) {
        return Ok(chain.id);
    }
    uint64(text).map_err(|error| match error {
        ValueError::NotANumber { text } => ValueError::NoSuchChain { text },
        other => other,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn amounts_are_of_coins_or_tokens() {
        let token = format!("0x{}", "11".repeat(20));
        let found = amounts(&format!("0.01, 5@{token},7")).unwrap();
        let expected = [("0.01", None), ("5", Some([0x11; 20])), ("7", None)];
        let expected = expected.map(|(amount, token)| Amount { amount: amount.into(), token });
        assert_eq!(found, expected);
        for bad in ["", "1,", "x", "-1", "1.", ".5", "1e3", "1.2.3", "@0x11", "1 2"] {
            assert!(matches!(amounts(bad), Err(ValueError::NotAnAmount { .. })), "{bad:?}");
        }
        assert!(matches!(amounts("1@"), Err(ValueError::NotAnAddress { .. })));
        assert!(matches!(amounts("1@0x11"), Err(ValueError::NotAnAddress { .. })));
    }

    use super::*;

    const MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    #[test]
    fn numbers_survive_the_round_trip() {
        for text in ["0", "7", "10", "255", "256", "18446744073709551616", "1000000000000000000000", MAX] {
            assert_eq!(decimal(&uint256(text).unwrap()), text);
        }
        assert_eq!(uint256(MAX).unwrap(), Word([0xff; 32]));
        assert_eq!(uint256("0xff").unwrap(), Word::from_u64(255));
        assert_eq!(uint256("0xFf").unwrap(), Word::from_u64(255));
        assert_eq!(uint256("007").unwrap(), Word::from_u64(7));
        assert_eq!(uint64("18446744073709551615").unwrap(), u64::MAX);
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
        for text in ["", "0x", "-1", "+1", "1.0", "1e3", "1_000", " 1", "0xg", "twelve", "0X1", "١"] {
            assert_eq!(uint256(text), Err(ValueError::NotANumber { text: text.into() }));
        }
        let beyond = MAX.replace("39935", "39936");
        assert!(matches!(uint256(&beyond), Err(ValueError::TooLarge { bits: 256, .. })));
        assert!(matches!(uint256(&format!("0x1{}", "0".repeat(64))), Err(ValueError::TooLarge { .. })));
        assert!(matches!(uint64("18446744073709551616"), Err(ValueError::TooLarge { bits: 64, .. })));
        assert!(word(&format!("0x{}", "a".repeat(64))).is_ok());
        for text in ["a".repeat(64), format!("0x{}", "a".repeat(63)), format!("0x0x{}", "a".repeat(62))] {
            assert!(matches!(word(&text), Err(ValueError::NotAWord { .. })), "{text}");
        }
    }

    /// Examples of EIP-55.
    #[test]
    fn addresses_have_the_checksums_of_the_eip() {
        for text in [
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "0xde709f2102306220921060314715629080e2fb77",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            let read = address(text).unwrap();
            assert_eq!(checksummed(&read), text);
            assert_eq!(address(&text.to_lowercase()).unwrap(), read);
            assert_eq!(address(&format!("0x{}", text[2..].to_uppercase())).unwrap(), read);
        }
        let wrong = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD";
        let expected = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_owned();
        assert_eq!(address(wrong), Err(ValueError::Checksum { text: wrong.into(), expected }));
        for text in ["", "0x", "0x12", &wrong[2..], &wrong[..41], &format!("{wrong}0"), "vitalik.eth"] {
            assert!(matches!(address(text), Err(ValueError::NotAnAddress { .. })), "{text}");
        }
    }

    #[test]
    fn chains_have_names_and_numbers() {
        assert_eq!(chain("sepolia"), Ok(11_155_111));
        assert_eq!(chain("11155111"), Ok(11_155_111));
        assert_eq!(chain("123456"), Ok(123_456), "unknown chains have numbers");
        assert!(chain("sepola").unwrap_err().to_string().contains("sepolia, "));
        assert!(matches!(chain("18446744073709551616"), Err(ValueError::TooLarge { .. })));
    }
}
