//! What stands in front of the consumer's functions: its interface, documentation, structs, constants, state, errors.

use zkml_protocol::{binding, field};

use super::{
    Consumer,
    section::{self, Member},
};
use crate::{
    errors::{self, SolError},
    names::comment,
    text::{Text, literal},
};

impl<'a> Consumer<'a> {
    pub(super) fn interface(&self, text: &mut Text) {
        text.line("// SPDX-License-Identifier: MIT OR Apache-2.0");
        text.line("pragma solidity ^0.8.20;");
        text.line("");
        text.line("/// @dev What the consumer needs of its verifier.");
        text.open(format_args!("interface I{} {{", self.names.verifier));
        text.line(
            "function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool);",
        );
        text.line("function vkDigest() external view returns (bytes32);");
        text.line("function modelCommitment() external view returns (bytes32);");
        text.close("}");
        text.line("");
    }

    pub(super) fn header(&self, text: &mut Text) {
        let name = comment(&self.program.statement.model_name);
        text.line(format_args!("/// @title Consumer of proofs about the model \"{name}\""));
        text.line("/// @notice An accepted proof means: this one model, on some input, gave these outputs.");
        text.line("/// It does NOT mean that the input is true: whoever proves chooses it. Before anything of value depends on");
        text.line("/// an output, check where its input comes from (a signed data root, a storage proof, an attestation).");
        text.line("/// It does not mean that the model is right or fair either.");
        if self.has_input_commitments() {
            text.line("/// Inputs are committed to: the chain sees a salted commitment. The same input under another salt has another");
            text.line("/// commitment, so compare it with one that a trusted party made or signed.");
        }
        if self.weights.is_some() {
            text.line("/// The weights are private. The verifier serves every model of this architecture; the model is the one whose");
            text.line("/// weights' commitment was given to the constructor: deploy one consumer for each.");
        }
        text.line("/// @dev No owner, no upgrade: model and verifier are fixed at construction.");
        if self.program.srs.unsafe_dev {
            text.line("/// !! UNSAFE: its verifier was made with a development setup. Anybody can forge proofs. Test chains only.");
        }
    }

    pub(super) fn structs(&self, text: &mut Text) {
        let outputs = "The model's outputs by name. Every number is an integer; see `decode` for its unit.";
        section::declare(text, "Outputs", outputs, self.outputs.iter());
        if self.has_input_commitments() {
            let notice = "Commitments to the inputs that stay private, by name.";
            section::declare(text, "InputCommitments", notice, self.input_commitments());
        }
        if self.has_public_inputs() {
            let notice = "The public inputs by name; see `decodeInputs` for their unit.";
            section::declare(text, "Inputs", notice, self.public_inputs());
        }
    }

    pub(super) fn constants(&self, text: &mut Text) {
        let program = self.program;
        let model = if self.weights.is_some() {
            "The architecture: verifying key and hash of the model without its private weights."
        } else {
            "The model that this contract stands for: verifying key and model hash."
        };
        let digests = [
            ("MODEL_COMMITMENT", program.model_commitment(), model),
            ("MODEL_HASH", program.statement.model_hash, "Keccak-256 of the compiled model."),
            ("VK_DIGEST", program.vk_digest(), "The verifying key, with setup, scales and names."),
        ];
        for (name, value, meaning) in digests {
            text.line(format_args!("/// @notice {meaning}"));
            text.line(format_args!("bytes32 public constant {name} = 0x{};", hex::encode(value.0)));
        }
        text.line("/// @notice Numbers in the public statement; the first is the context.");
        text.line(format_args!("uint256 public constant NUM_INSTANCES = {};", program.num_instances));
        let layout = &program.statement.instances;
        let inputs = (!self.inputs.is_empty()).then(|| layout.inputs_start());
        let places = [
            ("INPUTS_START", inputs, "Index of the first instance of the inputs."),
            (
                "WEIGHTS_INSTANCE",
                self.weights,
                "Index of the instance that is the commitment to the weights.",
            ),
            ("OUTPUTS_START", Some(layout.outputs_start()), "Index of the first instance of the outputs."),
        ];
        for (name, place, meaning) in places {
            if let Some(place) = place {
                text.line(format_args!("/// @notice {meaning}"));
                text.line(format_args!("uint256 public constant {name} = {place};"));
            }
        }
        if self.needs_order() {
            text.line("/// @dev Order of the scalar field; a negative number v is the instance R - |v|.");
            text.line(format_args!("uint256 private constant R = {};", literal(&field::SCALAR_MODULUS)));
        }
        for (name, ty) in
            [("DOMAIN_TYPEHASH", binding::DOMAIN_TYPE), ("CONTEXT_TYPEHASH", binding::CONTEXT_TYPE)]
        {
            text.line(format_args!("bytes32 private constant {name} ="));
            text.line(format_args!("    keccak256(\"{ty}\");"));
        }
        text.line("");
    }

    fn needs_order(&self) -> bool {
        self.weights.is_some() || self.decodes(Member::is_signed) || self.decodes(Member::is_commitment)
    }

    pub(super) fn state(&self, text: &mut Text) {
        text.line("/// @notice The verifier, checked at construction to be this model's.");
        text.line(format_args!("I{} public immutable verifier;", self.names.verifier));
        if self.weights.is_some() {
            text.line("/// @notice Salted Poseidon commitment to the private weights of the model that this contract stands for.");
            text.line("uint256 public immutable weightsCommitment;");
        }
        text.line("/// @notice The next nonce of each subject: a statement is accepted once.");
        text.line("mapping(address subject => uint256) public nonces;");
        text.line("/// @notice Keccak-256 of the instances that were last accepted from each subject.");
        text.line("mapping(address subject => bytes32) public lastStatement;");
        text.line("");
    }

    fn errors(&self) -> Vec<SolError> {
        let (signed, packed) = (self.decodes(Member::is_signed), self.decodes(Member::is_packed));
        let committed = self.decodes(Member::is_commitment);
        let all = [
            (true, errors::WRONG_VERIFIER),
            (self.weights.is_some(), errors::INVALID_WEIGHTS_COMMITMENT),
            (true, errors::WRONG_CONTEXT),
            (true, errors::STATEMENT_EXPIRED),
            (true, errors::WRONG_INSTANCE_COUNT),
            (self.weights.is_some(), errors::WRONG_MODEL),
            (signed || committed, errors::SCALAR_OUT_OF_RANGE),
            (signed, errors::OUTPUT_OUT_OF_RANGE),
            (packed, errors::SPARE_BITS),
            (true, errors::PROOF_REJECTED),
        ];
        all.into_iter().filter(|(used, _)| *used).map(|(_, error)| error).collect()
    }

    pub(super) fn errors_and_event(&self, text: &mut Text) {
        for error in self.errors() {
            text.line(format_args!("/// @dev {}", error.meaning.trim()));
            text.line(error.declaration());
        }
        let inputs = if self.has_input_commitments() { "InputCommitments inputs, " } else { "" };
        text.line("");
        text.line("/// @notice A proof was accepted. The outputs have 18 decimals.");
        text.line("event InferenceVerified(");
        text.line(format_args!(
            "    address indexed subject, uint256 indexed nonce, bytes32 indexed action, bytes32 statement, {inputs}Outputs outputs"
        ));
        text.line(");");
        text.line("");
    }
}
