//! Fees as people write them.

/// Wei in a gwei.
pub const GWEI: u128 = 1_000_000_000;

/// Wei as gwei, without zeros at the end.
#[must_use]
pub fn gwei(wei: u128) -> String {
    let text = format!("{}.{:09}", wei / GWEI, wei % GWEI);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
