//! `sumcheck::Program` → `<Model>Verifier.sol`.

mod memory;
mod operations;
mod terms;
mod transcript;

use zkml_protocol::{field, sumcheck::Program};

use super::{Favour, checks, frame};
use crate::{
    CodegenError,
    text::{Text, literal},
};
use memory::Map;
use operations::Operations;

/// The Solidity source of the verifier of a valid program.
pub(super) fn source(program: &Program, favour: Favour) -> Result<String, CodegenError> {
    let how =
        format!("Sumchecks, and KZG (Mercury) over BN254, vectors of 2^{} elements", program.opening.bits);
    frame::contract(program, &how, &assembly(program, favour)?)
}

/// The verification itself, as one assembly block.
fn assembly(program: &Program, favour: Favour) -> Result<String, CodegenError> {
    let equations = program.equations().map_err(|part| CodegenError::Inconsistent(part.0.to_owned()))?;
    let map = Map::new(program, favour);
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
    operations.print(&mut text)?;
    terms::print(&mut text, &map, program, &equations, &operations)?;
    Ok(text.finish())
}
