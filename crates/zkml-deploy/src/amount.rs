//! Fees and amounts as people write them.

use alloy::primitives::{U256, utils::format_units};

/// Wei in a gwei.
pub const GWEI: u128 = 1_000_000_000;

/// Wei as gwei, without zeros at the end.
#[must_use]
pub fn gwei(wei: u128) -> String {
    let text = format!("{}.{:09}", wei / GWEI, wei % GWEI);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// True for digits, with a point among them or none: what may be an amount of some asset.
fn is_decimal(text: &str) -> bool {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !whole.is_empty() && digits(whole) && digits(rest)
}

/// An amount of an asset with so many decimals, as a whole number of the last one; none for what is no such amount.
#[must_use]
pub fn parse(text: &str, decimals: u8) -> Option<U256> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let most = usize::from(decimals);
    if !is_decimal(text) || rest.len() > most {
        return None;
    }
    U256::from_str_radix(&format!("{whole}{rest:0<most$}"), 10).ok()
}

/// An amount of an asset with so many decimals, without zeros at the end.
#[must_use]
pub fn show(amount: U256, decimals: u8) -> String {
    let text = format_units(amount, decimals).unwrap_or_else(|_| amount.to_string());
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, decimals, amount) in [
            ("1", 18, "1000000000000000000"),
            ("0.05", 6, "50000"),
            ("7", 0, "7"),
            ("007.5", 1, "75"),
            ("0", 3, "0"),
        ] {
            assert_eq!(parse(text, decimals), Some(amount.parse().unwrap()), "{text}");
        }
        let large = U256::MAX.to_string();
        assert_eq!(parse(&large, 0), Some(U256::MAX));
        // A digit that would be lost, another sign, nothing, too much.
        for (text, decimals) in
            [("0.1", 0), ("1.0000001", 6), ("-1", 6), ("+1", 6), ("1e3", 6), (".5", 6), ("", 6), (&*large, 1)]
        {
            assert_eq!(parse(text, decimals), None, "{text}");
        }
        assert_eq!(
            (show(U256::from(50_000), 6), show(U256::from(700), 0)),
            ("0.05".to_owned(), "700".to_owned())
        );
        assert_eq!((show(U256::from(10), 1), show(U256::ZERO, 18)), ("1".to_owned(), "0".to_owned()));
    }
}
