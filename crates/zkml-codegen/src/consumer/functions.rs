//! The consumer's functions.

use zkml_protocol::binding;

use super::{
    Consumer,
    section::{self, Member},
};
use crate::{errors, text::Text};

impl<'a> Consumer<'a> {
    pub(super) fn constructor(&self, text: &mut Text) {
        let invalid = errors::INVALID_WEIGHTS_COMMITMENT.name;
        let kind = if self.weights.is_some() { "architecture" } else { "model" };
        text.line(format_args!(
            "/// @param verifier_ The deployed verifier of this very {kind}; any other is refused."
        ));
        let second = if self.weights.is_some() {
            text.line("/// @param weightsCommitment_ The commitment to the weights of the one model whose proofs are accepted.");
            ", uint256 weightsCommitment_"
        } else {
            ""
        };
        text.open(format_args!("constructor(I{} verifier_{second}) {{", self.names.verifier));
        text.open(
            "if (verifier_.vkDigest() != VK_DIGEST || verifier_.modelCommitment() != MODEL_COMMITMENT) {",
        );
        text.line(format_args!("revert {}(address(verifier_));", errors::WRONG_VERIFIER.name));
        text.close("}");
        if self.weights.is_some() {
            text.open("if (weightsCommitment_ == 0 || weightsCommitment_ >= R) {");
            text.line(format_args!("revert {invalid}(weightsCommitment_);"));
            text.close("}");
            text.line("weightsCommitment = weightsCommitment_;");
        }
        text.line("verifier = verifier_;");
        text.close("}");
        text.line("");
    }

    pub(super) fn verify(&self, text: &mut Text) {
        text.line("/// @notice Accepts a proof that was made for the caller, for this contract on this chain, for the caller's next");
        text.line("/// nonce, this deadline and this action. Each proof counts once.");
        text.line("/// @param deadline Last acceptable block time, in seconds since 1970.");
        text.line(
            "/// @param action What the caller wants done with the result, hashed as the application sees fit.",
        );
        text.line("/// @param proof The proof.");
        text.line("/// @param instances The public statement: context, inputs, model, outputs.");
        text.line("/// @return outputs The model's outputs with 18 decimals, rounded down.");
        text.line("function verifyInference(uint256 deadline, bytes32 action, bytes calldata proof, uint256[] calldata instances)");
        text.line("    external");
        text.line("    returns (Outputs memory outputs)");
        text.open("{");
        text.line("if (block.timestamp > deadline) revert StatementExpired(deadline);");
        text.line("uint256 nonce = nonces[msg.sender]++;");
        section::check_count(text);
        text.line("uint256 expected = contextOf(msg.sender, nonce, deadline, action);");
        text.line("if (instances[0] != expected) revert WrongContext(instances[0], expected);");
        self.check_model(text);
        text.line("if (!verifier.verifyProof(proof, instances)) revert ProofRejected();");
        text.line("(, outputs) = decode(instances);");
        text.line("bytes32 statement = keccak256(abi.encodePacked(instances));");
        text.line("lastStatement[msg.sender] = statement;");
        let inputs = if self.has_input_commitments() { "inputCommitments(instances), " } else { "" };
        text.line(format_args!(
            "emit InferenceVerified(msg.sender, nonce, action, statement, {inputs}outputs);"
        ));
        text.close("}");
        text.line("");
        text.line("/// @notice Checks a proof whatever its context is, and changes nothing. Good for looking, not for deciding: a proof");
        text.line("/// without a context (0) can be shown by anybody, anywhere, any number of times.");
        text.line("function checkInference(bytes calldata proof, uint256[] calldata instances)");
        text.line("    external");
        text.line("    view");
        text.line("    returns (Outputs memory outputs)");
        text.open("{");
        if self.weights.is_some() {
            section::check_count(text);
        }
        self.check_model(text);
        text.line("if (!verifier.verifyProof(proof, instances)) revert ProofRejected();");
        text.line("(, outputs) = decode(instances);");
        text.close("}");
        text.line("");
    }

    /// Refuses the proofs of other weights, before the verification is paid for.
    fn check_model(&self, text: &mut Text) {
        if self.weights.is_none() {
            return;
        }
        let error = errors::WRONG_MODEL.name;
        text.open("if (instances[WEIGHTS_INSTANCE] != weightsCommitment) {");
        text.line(format_args!("revert {error}(instances[WEIGHTS_INSTANCE], weightsCommitment);"));
        text.close("}");
    }

    pub(super) fn decoders(&self, text: &mut Text) {
        text.line("/// @notice Names the outputs of a statement; says nothing about whether it is proven.");
        section::decoder(text, "decode", "Outputs", self.outputs.iter());
        if self.has_public_inputs() {
            text.line("/// @notice Names the public inputs of a statement; says nothing about whether it is proven.");
            section::decoder(text, "decodeInputs", "Inputs", self.public_inputs());
        }
        if self.has_input_commitments() {
            text.line("/// @notice Names the commitments to inputs in a statement; says nothing about whether it is proven.");
            section::commitments(text, "inputCommitments", "InputCommitments", self.input_commitments());
        }
    }

    pub(super) fn helpers(&self, text: &mut Text) {
        if self.decodes(Member::is_signed) {
            text.line("/// @dev Field element to signed integer: the upper half of the field is negative.");
            text.open("function _signed(uint256 element, uint256 index) private pure returns (int256) {");
            text.line("if (element >= R) revert ScalarOutOfRange(index);");
            text.line("bool negative = element > R / 2;");
            text.line("uint256 magnitude = negative ? R - element : element;");
            text.line("if (magnitude >> 160 != 0) revert OutputOutOfRange(index);");
            text.line("return negative ? -int256(magnitude) : int256(magnitude);");
            text.close("}");
        }
        if self.decodes(Member::is_signed) && self.decodes(Member::is_commitment) {
            text.line("");
        }
        if self.decodes(Member::is_commitment) {
            text.line("/// @dev A commitment is a field element, spelled in one way.");
            text.open("function _canonical(uint256 element, uint256 index) private pure returns (uint256) {");
            text.line("if (element >= R) revert ScalarOutOfRange(index);");
            text.line("return element;");
            text.close("}");
        }
    }
}

pub(super) fn context(text: &mut Text) {
    let mask_bits = 256 - binding::CONTEXT_BITS;
    text.line(
        "/// @notice The context that a proof must carry: an EIP-712 digest, cut to fit the scalar field.",
    );
    text.line("function contextOf(address subject, uint256 nonce, uint256 deadline, bytes32 action) public view returns (uint256) {");
    text.line("    bytes32 domain = keccak256(");
    text.line("        abi.encode(");
    text.line(format_args!(
        "            DOMAIN_TYPEHASH, keccak256(\"{}\"), keccak256(\"{}\"), block.chainid, address(this)",
        binding::DOMAIN_NAME,
        binding::DOMAIN_VERSION
    ));
    text.line("        )");
    text.line("    );");
    text.line(
        "    bytes32 message = keccak256(abi.encode(CONTEXT_TYPEHASH, subject, nonce, deadline, action));",
    );
    text.line(format_args!(
        "    return uint256(keccak256(abi.encodePacked(\"\\x19\\x01\", domain, message))) & (type(uint256).max >> {mask_bits});"
    ));
    text.line("}");
    text.line("");
}
