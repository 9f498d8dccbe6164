//! Prints what a verifier computes in a contract of its own when one would have too much code: how values get there and back.
//!
//! Both contracts have one memory map. The first sends, in one piece, proof and instances as they were sent to it, challenges
//! and values so far; the second puts the latter two where they were, computes the other values, and sends all of them back.

use zkml_contracts::errors;
use zkml_protocol::field;

use super::{
    super::checks::{self, PROOF, fail},
    memory::Map,
};
use crate::text::{Text, at, literal};

/// What the second contract is not sent: selector and offsets.
pub(super) const SHIFT: usize = PROOF - 32;

/// Calls the second contract. Its address is that of the first contract that this one has created.
pub(super) fn call(text: &mut Text, map: &Map, cells: usize) {
    let (buffer, values, end) = (at(map.buffer()), map.cell(0), map.cell(cells));
    text.section("The rest of them comes from a contract of its own, which gets all values so far.");
    text.line(format_args!("calldatacopy({buffer}, {}, sub(calldatasize(), {}))", at(SHIFT), at(SHIFT)));
    text.open("{");
    text.line("mstore(0, or(or(shl(240, 0xd694), shl(80, address())), shl(72, 1)))");
    text.line("let a := keccak256(0, 23)");
    text.line(format_args!(
        "if xor(extcodehash(a), mload({})) {{ {} }}",
        at(map.rest_hash()),
        fail(&errors::REST_MISSING, &[])
    ));
    text.open(format_args!(
        "if iszero(staticcall(gas(), a, {buffer}, {}, {}, {})) {{",
        at(end - map.buffer()),
        at(values),
        at(end - values)
    ));
    text.line("returndatacopy(0, 0, returndatasize())");
    text.line("revert(0, returndatasize())");
    text.close("}");
    text.close("}");
}

/// The second contract around what it computes.
pub(super) fn frame(text: &mut Text, map: &Map, cells: usize, inside: &str) {
    let (challenges, values, end) = (map.challenges_at(), map.cell(0), map.cell(cells));
    checks::helpers(text);
    checks::room(text, map.buffer());
    text.line("// Behind a write to address zero r, which the compiler does not see.");
    text.line(format_args!("mstore(0x20, {})", literal(&field::SCALAR_MODULUS)));
    text.line("mstore(z, 0)");
    text.line("let r := mload(0x20)");
    text.line("// Challenges and values so far.");
    text.line(format_args!(
        "calldatacopy({}, {}, {})",
        at(challenges),
        at(challenges - map.buffer()),
        at(end - challenges)
    ));
    text.line("let t");
    text.raw(inside);
    text.line(format_args!("return({}, {})", at(values), at(end - values)));
}
