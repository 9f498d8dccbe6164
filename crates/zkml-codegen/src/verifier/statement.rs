//! Prints what a verifier says about its statement: how many words of what, and where outputs lie.

use zkml_contracts::errors;
use zkml_protocol::{Bounds, Encoding, Field, InstanceLayout, VerifierProgram};

use super::frame::literal_bytes;
use crate::{CodegenError, consumer::weights_instance, text::Text};

/// Both functions. They are pure, so that they cost a caller little more than the call.
pub(super) fn print(text: &mut Text, program: &dyn VerifierProgram) -> Result<(), CodegenError> {
    shape(text, program)?;
    outputs(text, &program.statement().instances);
    Ok(())
}

/// `statementShape`: eight words, as a struct of the same members is encoded.
fn shape(text: &mut Text, program: &dyn VerifierProgram) -> Result<(), CodegenError> {
    let layout = &program.statement().instances;
    let weights = weights_instance(layout)?.is_some();
    let members = [
        ("bytes32 vkDigest_", "vkDigest".to_owned(), "See vkDigest."),
        ("bytes32 modelCommitment_", "modelCommitment".to_owned(), "See modelCommitment."),
        ("bytes32 modelHash_", literal_bytes(&program.statement().model_hash), "Hash of the compiled model."),
        ("uint256 proofLength_", "PROOF_LENGTH".to_owned(), "See PROOF_LENGTH."),
        ("uint256 inputs_", layout.input_words().to_string(), "Instances of the input section."),
        ("uint256 outputs_", layout.output_words().to_string(), "Instances of the output section."),
        (
            "bool inputIsCommitment_",
            layout.input_is_commitment().to_string(),
            "Whether the input section is one commitment.",
        ),
        (
            "bool weightsAreCommitted_",
            weights.to_string(),
            "Whether the model section is the commitment to private weights; else it is empty.",
        ),
    ];
    text.line("/// @notice All that a caller needs to lay out a statement, in one call.");
    for (declaration, _, meaning) in &members {
        let name = declaration.split(' ').next_back().unwrap_or_default();
        text.line(format_args!("/// @return {name} {meaning}"));
    }
    text.open("function statementShape()");
    text.line("external");
    text.line("pure");
    text.list("returns (", &members.each_ref().map(|(declaration, ..)| *declaration), ")");
    text.close("{");
    text.open_body();
    text.list("return (", &members.each_ref().map(|(_, value, _)| value.as_str()), ");");
    text.close("}");
    text.line("");
    Ok(())
}

/// `outputBounds`: one branch for neighbouring words of equal bounds.
fn outputs(text: &mut Text, layout: &InstanceLayout) {
    text.line("/// @notice What the circuit proves about an output, whatever the input is.");
    text.line("/// @dev A valid proof of anything else means that the proof system is broken.");
    text.line("/// @param index Which word of the output section.");
    text.line("/// @return lowest The lowest integer that can be proven.");
    text.line("/// @return highest The highest; all of int256 where nothing is proven, as of commitments.");
    let runs = runs(&layout.outputs);
    // Without outputs nothing is returned, and the compiler would miss a use of the names.
    let returns = if runs.is_empty() { "int256, int256" } else { "int256 lowest, int256 highest" };
    text.open(format_args!("function outputBounds(uint256 index) external pure returns ({returns}) {{"));
    for (end, bounds) in runs {
        let (lowest, highest) = match bounds {
            Some(Bounds { lowest, highest }) => (lowest.to_string(), highest.to_string()),
            None => ("type(int256).min".to_owned(), "type(int256).max".to_owned()),
        };
        text.line(format_args!("if (index < {end}) return ({lowest}, {highest});"));
    }
    text.line(format_args!("revert {}(index);", errors::NO_SUCH_OUTPUT.name));
    text.close("}");
    text.line("");
}

/// Bounds of the words of a section: the index after the last word that they hold for, and the bounds.
fn runs(fields: &[Field]) -> Vec<(u64, Option<Bounds>)> {
    let mut runs: Vec<(u64, Option<Bounds>)> = Vec::new();
    let mut end = 0;
    for field in fields.iter().filter(|field| field.words() > 0) {
        end += field.words();
        // A word of several values has no bounds of its own, and neither has a commitment.
        let bounds = field.bounds.filter(|_| field.encoding == Encoding::Signed);
        match runs.last_mut() {
            Some((last, same)) if *same == bounds => *last = end,
            _ => runs.push((end, bounds)),
        }
    }
    runs
}
