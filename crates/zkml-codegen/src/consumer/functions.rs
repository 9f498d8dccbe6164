//! The consumer's functions.

use zkml_contracts::errors;
use zkml_protocol::ProofSystem;

use super::{Consumer, section};
use crate::text::Text;

impl<'a> Consumer<'a> {
    pub(super) fn constructor(&self, text: &mut Text) {
        let kind = if self.private_weights { "model of this architecture" } else { "model" };
        text.line(format_args!(
            "/// @notice Pins the {kind} that is registered under an id; refuses any other."
        ));
        text.line("/// @param verifier Checks the proofs; it brings registry and router along, for good.");
        text.line("/// @param modelId_ The model's id.");
        let (delay, argument) = if self.private_weights {
            text.line("/// @param modelDelay Seconds between the proposal of a model of other weights and its taking over; zero fixes the");
            text.line("/// model for good.");
            ("uint256 modelDelay, ", "modelDelay")
        } else {
            ("", "0")
        };
        text.line("/// @param owner_ Who owns the contract; see {ZKMLConsumer}.");
        text.function(
            &format!("constructor(IZKMLVerifier verifier, uint256 modelId_, {delay}address owner_)"),
            &[&format!("ZKMLConsumer(verifier, modelId_, {argument}, owner_)")],
        );
        text.line("(IZKMLRegistry.Identity memory identity,,) = IZKMLRegistry(verifier.registry()).identityOf(modelId_);");
        let model_hash = (!self.private_weights).then_some(" || identity.modelHash != MODEL_HASH");
        text.open("if (");
        text.line(format_args!(
            "identity.vkHash != VK_DIGEST || identity.circuitHash != MODEL_COMMITMENT{}",
            model_hash.unwrap_or_default()
        ));
        let id = match self.program.proof_system() {
            ProofSystem::Sumcheck => "SUMCHECK_PROOF_SYSTEM_ID",
            _ => "PROOF_SYSTEM_ID",
        };
        text.line(format_args!("    || identity.proofSystemId != ZKMLStatement.{id}"));
        text.close(format_args!(") revert {}(modelId_);", errors::NOT_THIS_MODEL.name));
        text.close("}");
        text.line("");
    }

    pub(super) fn inference(&self, text: &mut Text) {
        text.line("/// @notice Takes a proof about the caller, once: it was made for the caller, at this contract on this chain, for the");
        text.line("/// caller's next nonce, this action, and the deadline that is handed in with it.");
        text.line("/// @param action What the caller wants done with the result, hashed as the application sees fit.");
        text.line("/// @param inference The proof and what belongs to it.");
        text.line("/// @return outputs The model's outputs with 18 decimals, rounded down.");
        text.function(
            "function verifyInference(bytes32 action, Inference calldata inference)",
            &["external", "virtual", "returns (Outputs memory outputs)"],
        );
        text.line("return _acceptInference(msg.sender, action, inference);");
        text.close("}");
        text.line("");
        text.line("/// @notice Checks a proof whatever it is bound to, and changes nothing. Good for looking, not for deciding: anybody");
        text.line("/// can show the same proof again.");
        text.line("/// @param output The words of the output section.");
        text.line("/// @param proof The proof blob.");
        text.line("/// @return outputs The model's outputs with 18 decimals, rounded down.");
        text.function(
            "function checkInference(bytes calldata output, bytes calldata proof)",
            &["external", "view", "returns (Outputs memory outputs)"],
        );
        text.line("_checkInference(output, proof);");
        text.line("(, outputs) = decode(output);");
        text.close("}");
        text.line("");
    }

    pub(super) fn decoders(&self, text: &mut Text) {
        text.line("/// @notice Names outputs; says nothing about whether they are proven.");
        text.line("/// @param output The words of the output section.");
        decoded(text);
        text.function(
            "function decode(bytes calldata output)",
            &["public", "pure", "returns (Outputs memory raw, Outputs memory wad)"],
        );
        text.line("ZKMLCodec.checkLength(output, OUTPUT_WORDS);");
        section::decode(text, "output", self.outputs.iter(), |member| format!("{}_SCALE", member.constant));
        text.close("}");
        text.line("");
        if self.has_public_inputs() {
            text.line("/// @notice Names the public inputs of a proof blob; says nothing about whether it is proven.");
            text.line("/// @param proof The proof blob.");
            decoded(text);
            text.function(
                "function decodeInputs(bytes calldata proof)",
                &["public", "pure", "returns (Inputs memory raw, Inputs memory wad)"],
            );
            text.line("bytes calldata words = _inputWords(proof);");
            section::decode(text, "words", self.public_inputs(), |member| member.field.scale.to_string());
            text.close("}");
            text.line("");
        }
        if self.has_input_commitments() {
            self.commitments(text);
        }
    }

    fn commitments(&self, text: &mut Text) {
        text.line("/// @notice Names the commitments to inputs in a proof blob; says nothing about whether it is proven.");
        text.line("/// @param proof The proof blob.");
        text.line("/// @return commitments The commitments.");
        text.function(
            "function inputCommitments(bytes calldata proof)",
            &["public", "pure", "returns (InputCommitments memory commitments)"],
        );
        if self.has_input_words() {
            text.line("bytes calldata words = _inputWords(proof);");
        } else {
            text.line("// The input section is this one commitment, so it is the data commitment itself.");
            text.line("(, bytes32 dataCommitment,) = ZKMLStatement.header(proof);");
        }
        for input in self.input_commitments() {
            let commitment = if self.has_input_words() {
                input.commitment("words")
            } else {
                "ZKMLCodec.toCommitment(uint256(dataCommitment))".to_owned()
            };
            text.assign(&format!("commitments.{}", input.name), &commitment);
        }
        text.close("}");
        text.line("");
    }

    /// What applications call.
    pub(super) fn acceptance(&self, text: &mut Text) {
        text.line("/// @dev As {_verifyInference}, with the outputs by name, and an event that has them.");
        text.line(
            "/// @param subject Whom the inference is about: usually `msg.sender`. The proof alone authorises nobody.",
        );
        text.line("/// @param action What the caller of this function is about to do, hashed with all its parameters.");
        text.line("/// @param inference What was handed in.");
        text.line("/// @return outputs The model's outputs with 18 decimals, rounded down.");
        text.function(
            "function _acceptInference(address subject, bytes32 action, Inference calldata inference)",
            &["internal", "returns (Outputs memory outputs)"],
        );
        text.line("uint256 nonce = nonces(subject);");
        text.line("_verifyInference(subject, action, inference);");
        text.line("(, outputs) = decode(inference.output);");
        text.line("emit OutputsAccepted(subject, nonce, outputs);");
        text.close("}");
        text.line("");
    }

    pub(super) fn hooks(&self, text: &mut Text) {
        self.about_bounds(text);
        if self.checked_outputs().next().is_none() {
            text.line("function _validateOutput(address, bytes calldata) internal virtual override {}");
            return;
        }
        text.line("/// @param output The proven words of the output section.");
        text.open("function _validateOutput(address, bytes calldata output) internal virtual override {");
        text.line("ZKMLCodec.checkLength(output, OUTPUT_WORDS);");
        for member in self.checked_outputs() {
            let constant = &member.constant;
            member.each(text, |text, index| {
                let bounds = [format!("{constant}_MIN"), format!("{constant}_MAX")];
                let args = ["output", index, &bounds[0], &bounds[1]];
                text.list("_checkBounds(", &args, ");");
            });
        }
        text.close("}");
    }

    pub(super) fn helpers(&self, text: &mut Text) {
        if self.has_input_words() {
            text.line("");
            text.line("/// @dev The words of the input section, at the end of a proof blob.");
            text.open(
                "function _inputWords(bytes calldata proof) private pure returns (bytes calldata words) {",
            );
            text.line("uint256 start = ZKMLStatement.BLOB_HEADER + PROOF_LENGTH;");
            text.line("uint256 expected = start + 32 * INPUT_WORDS;");
            let error = errors::WRONG_BLOB_LENGTH.name;
            text.line(format_args!("if (proof.length != expected) revert {error}(proof.length, expected);"));
            text.line("return proof[start:];");
            text.close("}");
        }
        if self.checked_outputs().next().is_some() {
            text.line("");
            text.line("/// @dev Refuses an output outside of its bounds. The caller has checked the length, and the verifier that the word is");
            text.line("/// a field element: how far it lies above the lowest is then a small number, or, below it, one near the order.");
            text.open("function _checkBounds(bytes calldata output, uint256 index, int256 lowest, int256 highest) private pure {");
            text.line("uint256 element;");
            text.open("assembly (\"memory-safe\") {");
            text.line("// The word of this index.");
            text.line("element := calldataload(add(output.offset, shl(5, index)))");
            text.close("}");
            text.line("unchecked {");
            text.line(
                "    // Safe: bounds are far smaller than the field, so that the difference is not negative.",
            );
            text.line("    // forge-lint: disable-next-line(unsafe-typecast)");
            text.line(
                "    uint256 above = addmod(element, uint256(int256(ZKMLCodec.R) - lowest), ZKMLCodec.R);",
            );
            text.line("    // Safe: the highest is never below the lowest.");
            text.line("    // forge-lint: disable-next-line(unsafe-typecast)");
            let error = errors::OUTPUT_OUT_OF_BOUNDS.name;
            text.line(format_args!(
                "    if (above > uint256(highest - lowest)) revert {error}(index, ZKMLCodec.toSigned(element));"
            ));
            text.line("}");
            text.close("}");
        }
    }
}

/// What the decoders return.
fn decoded(text: &mut Text) {
    text.line(
        "/// @return raw Integers as the model computes them: the real number is raw / 2^(fractional bits).",
    );
    text.line(
        "/// @return wad The real numbers with 18 decimals, rounded down. Commitments are the same in both.",
    );
}
