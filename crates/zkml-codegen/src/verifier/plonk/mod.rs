//! `Program` → `<Model>Verifier.sol`.

mod constraints;
mod domain;
mod memory;
mod msm;
mod opening;
mod transcript;

use zkml_protocol::{field, plonk::Program};

use super::{Favour, checks, frame};
use crate::{
    CodegenError,
    text::{Text, literal},
};
use memory::{Cell, Map};
use opening::Opening;

/// The Solidity source of the verifier of a valid program.
pub(super) fn source(program: &Program, favour: Favour) -> Result<String, CodegenError> {
    let body = assembly(program, favour)?;
    let how = format!("KZG (SHPLONK) over BN254, {} rows", program.domain.n());
    frame::contract(program, &how, &frame::Assembly { check: body, rest: None })
}

/// The verification itself, as one assembly block.
fn assembly(program: &Program, favour: Favour) -> Result<String, CodegenError> {
    let opening = Opening::new(program);
    let mut map = Map::new(program, favour);
    let mut text = Text::at_depth(3);
    checks::beginning(&mut text, &map.input, map.buffer());
    text.line(format_args!("let r := {}", literal(&field::SCALAR_MODULUS)));
    checks::scalars(&mut text, &map.input);
    checks::points(&mut text, &map.input);
    text.open("{");
    transcript::print(&mut text, &mut map, program)?;
    text.close("}");
    text.line("");
    text.line("let t");
    text.open("{");
    domain::fractions(&mut text, &mut map, program);
    opening.distances(&mut text, &mut map, program);
    text.close("}");
    let mut denominators = vec![Cell::RowsDenominator, Cell::TailDenominator, Cell::Vanishing];
    denominators.extend(opening.denominators());
    domain::invert(&mut text, &mut map, &denominators)?;
    domain::values(&mut text, &mut map, program);
    constraints::print(&mut text, &mut map, &program.constraints)?;
    opening.values(&mut text, &mut map, program)?;
    msm::fold(&mut text, &mut map, program, &opening)?;
    msm::pairing(&mut text, &map, program)?;
    Ok(text.finish())
}
