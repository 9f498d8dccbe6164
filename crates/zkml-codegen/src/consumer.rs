//! `Program` → `<Model>Consumer.sol`: the model's commitment, its outputs by name, and who may use a proof when.

use zkml_protocol::{Encoding, Program, binding, field};

use crate::{
    CodegenError,
    errors::{self, SolError},
    names::{self, ContractNames, comment},
    text::{Text, literal},
};

/// One output of the model as a field of the Solidity struct.
struct Field {
    name: String,
    original: String,
    /// Index of its first instance.
    start: u64,
    words: u32,
    scale: i32,
}

impl Field {
    fn solidity_type(&self) -> String {
        if self.words == 1 { "int256".to_owned() } else { format!("int256[{}]", self.words) }
    }
}

/// The Solidity source of the consumer of `program`. Its contract is called
/// [`names::contracts`]`(program).consumer`, and its constructor takes the verifier's address.
///
/// # Errors
/// [`CodegenError::NoOutputs`] if the statement has no public output, or that the program contradicts itself.
pub fn consumer_source(program: &Program) -> Result<String, CodegenError> {
    program.validate()?;
    let fields = fields(program);
    if fields.is_empty() {
        return Err(CodegenError::NoOutputs(program.statement.model_name.clone()));
    }
    let names = names::contracts(program);
    let mut text = Text::default();
    interface(&mut text, &names);
    header(&mut text, program);
    text.open(format_args!("contract {} {{", names.consumer));
    outputs(&mut text, &fields);
    constants(&mut text, program, &names);
    errors_and_events(&mut text);
    constructor(&mut text, &names);
    verify(&mut text);
    context(&mut text);
    decode(&mut text, &fields);
    text.close("}");
    Ok(text.finish())
}

fn fields(program: &Program) -> Vec<Field> {
    let layout = &program.statement.instances;
    let names = names::fields(layout.outputs.iter().map(|output| output.name.as_str()));
    let mut start = layout.outputs_start();
    let mut fields = Vec::new();
    for (output, name) in layout.outputs.iter().zip(names) {
        if output.encoding == Encoding::Signed && output.values > 0 {
            let (original, words, scale) = (output.name.clone(), output.values, output.scale);
            fields.push(Field { name, original, start, words, scale });
        }
        start += output.words();
    }
    fields
}

fn interface(text: &mut Text, names: &ContractNames) {
    text.line("// SPDX-License-Identifier: MIT OR Apache-2.0");
    text.line("pragma solidity ^0.8.20;");
    text.line("");
    text.line("/// @dev What the consumer needs of its verifier.");
    text.open(format_args!("interface I{} {{", names.verifier));
    text.line(
        "function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool);",
    );
    text.line("function vkDigest() external view returns (bytes32);");
    text.line("function modelCommitment() external view returns (bytes32);");
    text.close("}");
    text.line("");
}

fn header(text: &mut Text, program: &Program) {
    let name = comment(&program.statement.model_name);
    text.line(format_args!("/// @title Consumer of proofs about the model \"{name}\""));
    text.line("/// @notice An accepted proof means: this one model, on some input, gave these outputs.");
    text.line("/// It does NOT mean that the input is true: whoever proves chooses it. Before anything of value depends on");
    text.line("/// an output, check where its input comes from (a signed data root, a storage proof, an attestation).");
    text.line("/// It does not mean that the model is right or fair either.");
    text.line("/// @dev No owner, no upgrade: model and verifier are fixed at construction.");
    if program.srs.unsafe_dev {
        text.line("/// !! UNSAFE: its verifier was made with a development setup. Anybody can forge proofs. Test chains only.");
    }
}

fn outputs(text: &mut Text, fields: &[Field]) {
    text.line(
        "/// @notice The model's outputs by name. Every number is an integer; see `decode` for its unit.",
    );
    text.open("struct Outputs {");
    for field in fields {
        text.line(format_args!("/// \"{}\", {} fractional bits", comment(&field.original), field.scale));
        text.line(format_args!("{} {};", field.solidity_type(), field.name));
    }
    text.close("}");
    text.line("");
}

fn constants(text: &mut Text, program: &Program, names: &ContractNames) {
    let hex32 = |word: &zkml_protocol::Word| format!("0x{}", hex::encode(word.0));
    let digests = [
        (
            "MODEL_COMMITMENT",
            program.model_commitment(),
            "The model that this contract stands for: verifying key and model hash.",
        ),
        ("MODEL_HASH", program.statement.model_hash, "Keccak-256 of the compiled model."),
        ("VK_DIGEST", program.vk_digest(), "The verifying key, with setup, scales and names."),
    ];
    for (name, value, meaning) in digests {
        text.line(format_args!("/// @notice {meaning}"));
        text.line(format_args!("bytes32 public constant {name} = {};", hex32(&value)));
    }
    text.line("/// @notice Numbers in the public statement; the first is the context.");
    text.line(format_args!("uint256 public constant NUM_INSTANCES = {};", program.num_instances));
    text.line("/// @dev Order of the scalar field; a negative number v is the instance R - |v|.");
    text.line(format_args!("uint256 private constant R = {};", literal(&field::SCALAR_MODULUS)));
    for (name, ty) in [("DOMAIN_TYPEHASH", binding::DOMAIN_TYPE), ("CONTEXT_TYPEHASH", binding::CONTEXT_TYPE)]
    {
        text.line(format_args!("bytes32 private constant {name} ="));
        text.line(format_args!("    keccak256(\"{ty}\");"));
    }
    text.line("");
    text.line("/// @notice The verifier, checked at construction to be this model's.");
    text.line(format_args!("I{} public immutable verifier;", names.verifier));
    text.line("/// @notice The next nonce of each subject: a statement is accepted once.");
    text.line("mapping(address subject => uint256) public nonces;");
    text.line("/// @notice Keccak-256 of the instances that were last accepted from each subject.");
    text.line("mapping(address subject => bytes32) public lastStatement;");
    text.line("");
}

const CONSUMER_ERRORS: &[SolError] = &[
    errors::WRONG_VERIFIER,
    errors::WRONG_CONTEXT,
    errors::STATEMENT_EXPIRED,
    errors::WRONG_INSTANCE_COUNT,
    errors::SCALAR_OUT_OF_RANGE,
    errors::OUTPUT_OUT_OF_RANGE,
    errors::PROOF_REJECTED,
];

fn errors_and_events(text: &mut Text) {
    for error in CONSUMER_ERRORS {
        text.line(format_args!("/// @dev {}", error.meaning.trim()));
        text.line(error.declaration());
    }
    text.line("");
    text.line("/// @notice A proof was accepted. The outputs have 18 decimals.");
    text.line("event InferenceVerified(");
    text.line("    address indexed subject, uint256 indexed nonce, bytes32 indexed action, bytes32 statement, Outputs outputs");
    text.line(");");
    text.line("");
}

fn constructor(text: &mut Text, names: &ContractNames) {
    text.line("/// @param verifier_ The deployed verifier of this very model; any other is refused.");
    text.open(format_args!("constructor(I{} verifier_) {{", names.verifier));
    text.open("if (verifier_.vkDigest() != VK_DIGEST || verifier_.modelCommitment() != MODEL_COMMITMENT) {");
    text.line(format_args!("revert {}(address(verifier_));", errors::WRONG_VERIFIER.name));
    text.close("}");
    text.line("verifier = verifier_;");
    text.close("}");
    text.line("");
}

fn verify(text: &mut Text) {
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
    text.line(
        "if (instances.length != NUM_INSTANCES) revert WrongInstanceCount(instances.length, NUM_INSTANCES);",
    );
    text.line("uint256 expected = contextOf(msg.sender, nonce, deadline, action);");
    text.line("if (instances[0] != expected) revert WrongContext(instances[0], expected);");
    text.line("if (!verifier.verifyProof(proof, instances)) revert ProofRejected();");
    text.line("(, outputs) = decode(instances);");
    text.line("bytes32 statement = keccak256(abi.encodePacked(instances));");
    text.line("lastStatement[msg.sender] = statement;");
    text.line("emit InferenceVerified(msg.sender, nonce, action, statement, outputs);");
    text.close("}");
    text.line("");
    text.line("/// @notice Checks a proof whatever its context is, and changes nothing. Good for looking, not for deciding: a proof");
    text.line("/// without a context (0) can be shown by anybody, anywhere, any number of times.");
    text.line("function checkInference(bytes calldata proof, uint256[] calldata instances)");
    text.line("    external");
    text.line("    view");
    text.line("    returns (Outputs memory outputs)");
    text.open("{");
    text.line("if (!verifier.verifyProof(proof, instances)) revert ProofRejected();");
    text.line("(, outputs) = decode(instances);");
    text.close("}");
    text.line("");
}

fn context(text: &mut Text) {
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

fn decode(text: &mut Text, fields: &[Field]) {
    text.line("/// @notice Names the outputs of a statement; says nothing about whether it is proven.");
    text.line(
        "/// @return raw Integers as the model computes them: the real number is raw / 2^(fractional bits).",
    );
    text.line("/// @return wad The real numbers with 18 decimals, rounded down.");
    text.line("function decode(uint256[] calldata instances) public pure returns (Outputs memory raw, Outputs memory wad) {");
    text.open("    if (instances.length != NUM_INSTANCES) {");
    text.line("    revert WrongInstanceCount(instances.length, NUM_INSTANCES);");
    text.close("    }");
    for field in fields {
        let (name, start, scale) = (&field.name, field.start, field.scale);
        if field.words == 1 {
            text.line(format_args!("    raw.{name} = _signed(instances[{start}], {start});"));
            text.line(format_args!("    wad.{name} = {};", wad(&format!("raw.{name}"), scale)));
        } else {
            text.line(format_args!("    for (uint256 i = 0; i < {}; ++i) {{", field.words));
            text.line(format_args!("        raw.{name}[i] = _signed(instances[{start} + i], {start} + i);"));
            text.line(format_args!("        wad.{name}[i] = {};", wad(&format!("raw.{name}[i]"), scale)));
            text.line("    }");
        }
    }
    text.line("}");
    text.line("");
    text.line("/// @dev Field element to signed integer: the upper half of the field is negative.");
    text.line("function _signed(uint256 element, uint256 index) private pure returns (int256) {");
    text.line("    if (element >= R) revert ScalarOutOfRange(index);");
    text.line("    bool negative = element > R / 2;");
    text.line("    uint256 magnitude = negative ? R - element : element;");
    text.line("    if (magnitude >> 160 != 0) revert OutputOutOfRange(index);");
    text.line("    return negative ? -int256(magnitude) : int256(magnitude);");
    text.line("}");
}

/// `value · 10^18 / 2^scale`, rounded down; values stay below 2^160, so nothing overflows for scales above −32.
fn wad(value: &str, scale: i32) -> String {
    match scale {
        0 => format!("{value} * 1e18"),
        1.. => format!("({value} * 1e18) >> {scale}"),
        _ => format!("{value} * 1e18 * int256(1 << {})", scale.unsigned_abs()),
    }
}
