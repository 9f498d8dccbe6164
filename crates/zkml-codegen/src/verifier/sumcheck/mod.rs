//! `sumcheck::Program` → `<Model>Verifier.sol`.

mod loops;
mod memory;
mod operations;
mod rest;
mod terms;
mod transcript;

use zkml_protocol::{
    field,
    sumcheck::{Equations, Inconsistent, Program},
};

use super::{
    Favour, checks,
    frame::{self, Assembly, Rest},
};
use crate::{
    CodegenError,
    text::{Text, literal},
};
use memory::Map;
use operations::Operations;

/// The Solidity source of the verifier of a valid program.
pub(super) fn source(program: &Program, favour: Favour, room: usize) -> Result<String, CodegenError> {
    let how =
        format!("Sumchecks, and KZG (Mercury) over BN254, vectors of 2^{} elements", program.opening.bits);
    frame::contract(program, &how, &assembly(program, favour, room)?)
}

/// Operations that the code of one contract has room for, some of them being written out in up to ten bytes.
pub(super) const MOST_OPERATIONS: usize = 2_250;
/// As many operations' worth of code are the checks and the pairing.
const OTHER_CODE: usize = 700;
/// As many operations fewer than the second of two contracts the first one has, of which the other code is a part. Those that it computes
/// are the longer ones, of rounds and gates.
const FEWER: usize = 1_050;

/// The equations, and how many of their operations the first of two contracts computes if one has no room for all.
///
/// Loops cost more gas than a call of a second contract does, so they are for what two have no room for.
fn equations(
    program: &Program,
    map: &Map,
    favour: Favour,
    room: usize,
) -> Result<(Equations, Option<usize>), CodegenError> {
    let inconsistent = |part: Inconsistent| CodegenError::Inconsistent(part.0.to_owned());
    let both = room.saturating_mul(2).saturating_add(OTHER_CODE);
    let flat = program.equations().map_err(inconsistent)?;
    let equations = if favour == Favour::Gas && Operations::needed(&flat, map) <= both {
        flat
    } else {
        program.equations_with_loops().map_err(inconsistent)?
    };
    let count = Operations::needed(&equations, map);
    Ok((equations, (count > room).then(|| count.saturating_sub(FEWER) / 2)))
}

/// The verification itself.
fn assembly(program: &Program, favour: Favour, room: usize) -> Result<Assembly, CodegenError> {
    let map = Map::new(program, favour);
    let (equations, first) = equations(program, &map, favour, room)?;
    let mut text = Text::at_depth(3);
    checks::beginning(&mut text, &map.input, map.buffer());
    text.line("// Zero, and behind a write there r, which the compiler does not see: it would write the number out wherever it stands.");
    text.line("let z := iszero(calldatasize())");
    text.line(format_args!("mstore(0x20, {})", literal(&field::SCALAR_MODULUS)));
    text.line("mstore(z, 0)");
    text.line("let r := mload(0x20)");
    checks::scalars(&mut text, &map.input);
    checks::points(&mut text, &map.input);
    text.open("{");
    transcript::print(&mut text, &map, program)?;
    text.close("}");
    text.line("");
    text.line("let t");
    let mut operations = Operations::new(&equations, &map);
    let rest = if let Some(first) = first {
        let mut rest = Text::at_depth(3);
        let cut = operations.after(first);
        operations.print_both(&mut text, &mut rest, cut)?;
        Some(Rest { body: rest.finish(), hash_at: map.rest_hash() })
    } else {
        operations.print(&mut text)?;
        None
    };
    // In front of the end, behind which nothing is reached.
    operations.functions(&mut text);
    terms::print(&mut text, &map, program, &equations, &operations)?;
    Ok(Assembly { check: text.finish(), rest })
}
