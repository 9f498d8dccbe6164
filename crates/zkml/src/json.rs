//! JSON as documents of this project are written.

use serde::Serialize;

/// Pretty JSON ending in a newline.
///
/// Our types have string keys and finite numbers, so serialisation cannot fail; should one ever
/// break that rule, the reader sees an empty document and refuses it.
pub fn pretty<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
