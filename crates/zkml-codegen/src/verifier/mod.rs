//! Prints verifiers.

mod checks;
mod frame;
mod plonk;
mod points;
mod statement;
mod sumcheck;

use zkml_protocol::{AnyProgram, VerifierProgram, sumcheck::Program as SumcheckProgram};

use crate::CodegenError;

/// What a verifier spares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Favour {
    /// Gas of verification: short loops are printed flat.
    #[default]
    Gas,
    /// Bytes of code: whatever repeats is a loop.
    Size,
}

/// The Solidity source of the verifier of `program`. Its contract is called
/// [`names::contracts`](crate::names::contracts)`(program).verifier`.
///
/// # Errors
/// [`CodegenError`] if the program contradicts itself, or its model section is not one commitment.
pub fn verifier_source(program: &dyn VerifierProgram) -> Result<String, CodegenError> {
    verifier_source_favouring(program, Favour::Gas)
}

/// As [`verifier_source_favouring`], for a contract that has room for this many operations: what does not fit is in a second one,
/// or in loops where two have no room for it.
///
/// # Errors
/// As [`verifier_source`].
pub fn sumcheck_verifier_source(
    program: &SumcheckProgram,
    favour: Favour,
    room: usize,
) -> Result<String, CodegenError> {
    VerifierProgram::validate(program)?;
    sumcheck::source(program, favour, room)
}

/// As [`verifier_source`], with the choice what to spare.
///
/// # Errors
/// As [`verifier_source`].
pub fn verifier_source_favouring(
    program: &dyn VerifierProgram,
    favour: Favour,
) -> Result<String, CodegenError> {
    program.validate()?;
    match program.any() {
        AnyProgram::Plonk(program) => plonk::source(program, favour),
        AnyProgram::Sumcheck(program) => sumcheck::source(program, favour, sumcheck::MOST_OPERATIONS),
        other => Err(CodegenError::Inconsistent(format!("no printer for {other:?}"))),
    }
}
