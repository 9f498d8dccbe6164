//! The frame of all verifiers around their assembly: names, constants, errors, what they say about their statement.

use zkml_contracts::{REST, chains, errors};
use zkml_protocol::{Code, Encoding, Field, ProofSystem, VerifierProgram};

use super::statement;
use crate::{
    CodegenError,
    consumer::values,
    names::{self, comment},
    text::{Text, at, declaration},
};

/// Keeps formatters from the assembly: a step of a Horner scheme is a line, however long it is.
const FORMATTED: &str = "// forgefmt: disable-start";

/// The part of a verifier that is a contract of its own.
#[derive(Debug)]
pub(super) struct Rest {
    /// The assembly.
    pub(super) body: String,
    /// Address in memory at which the check expects the hash of that contract's code.
    pub(super) hash_at: usize,
}

/// The assembly of a verifier.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    /// The check, or its beginning and end.
    pub(super) check: String,
    /// The part in between, in a contract of its own.
    pub(super) rest: Option<Rest>,
}

/// The source of the verifier of `program`; `how` says how it checks, for the documentation.
pub(super) fn contract(
    program: &dyn VerifierProgram,
    how: &str,
    assembly: &Assembly,
) -> Result<String, CodegenError> {
    let name = names::contracts(program).verifier;
    let mut text = Text::default();
    text.line("// SPDX-License-Identifier: MIT OR Apache-2.0");
    text.line("pragma solidity ^0.8.20;");
    text.line("");
    if let Some(rest) = &assembly.rest {
        rest_contract(&mut text, &name, &rest.body);
    }
    header(&mut text, program, how);
    text.open(format_args!("contract {name} {{"));
    declarations(&mut text, program);
    if assembly.rest.is_some() {
        text.line(format_args!("/// @dev {}", errors::REST_MISSING.meaning.trim()));
        text.line(declaration(&errors::REST_MISSING));
        text.line("");
        text.line(format_args!("/// @dev Hash of the code of {name}{REST}, which the constructor creates."));
        text.line("bytes32 private immutable REST;");
        text.line("");
    }
    constructor(&mut text, program, assembly.rest.is_some().then_some(name.as_str()));
    statement::print(&mut text, program)?;
    text.line("/// @notice Returns true if the proof is valid for these instances, and reverts otherwise.");
    text.line("/// @dev Call it from outside only; the instances are context, inputs, model, outputs, each below r.");
    text.line("/// @param proof The proof, exactly PROOF_LENGTH bytes.");
    text.line("/// @param instances The public statement, exactly NUM_INSTANCES numbers.");
    text.open("function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool) {");
    text.line("check(proof, instances);");
    text.close("}");
    text.line("");
    pairing_input(&mut text);
    text.line(
        "/// @dev All of the check; it ends the call, and answers as the function that was called does.",
    );
    text.open("function check(bytes calldata proof, uint256[] calldata instances) private view {");
    if let Some(rest) = &assembly.rest {
        text.line("// In a block of its own: the check has no room for another variable.");
        text.open("{");
        text.line("bytes32 rest = REST;");
        text.open("assembly (\"memory-safe\") {");
        text.line(format_args!("mstore({}, rest)", at(rest.hash_at)));
        text.close("}");
        text.close("}");
        text.line("");
    }
    text.line(FORMATTED);
    text.open("assembly (\"memory-safe\") {");
    let mut text = text.finish();
    text.push_str(&assembly.check);
    text.push_str("        }\n        // forgefmt: disable-end\n    }\n}\n");
    Ok(text)
}

/// The entry that leaves the pairing to its caller. What tells the two apart is the selector, at the end of the check.
fn pairing_input(text: &mut Text) {
    text.line("/// @notice The pairing that decides about the proof, left to the caller. THIS SAYS NOTHING: wrong proofs get an answer as well.");
    text.line("/// @dev Everything else is checked as verifyProof does. The proof is valid if and only if the precompile 8 answers 1 to these");
    text.line("/// words; several can be decided together by a random combination, as ZKMLVerifier's verifyBatch does.");
    text.line("/// @param proof As of verifyProof.");
    text.line("/// @param instances As of verifyProof.");
    text.line("/// @return Six words for each pair of points, as the precompile takes them.");
    text.function(
        "function pairingInput(bytes calldata proof, uint256[] calldata instances)",
        &["external", "view", "returns (uint256[] memory)"],
    );
    text.line("check(proof, instances);");
    text.close("}");
    text.line("");
}

/// The contract that has what does not fit into the verifier.
fn rest_contract(text: &mut Text, verifier: &str, assembly: &str) {
    text.line(format_args!("/// @title What does not fit into the code of {verifier}"));
    text.line(format_args!(
        "/// @notice Of use to {verifier} alone, which creates it: from what that sends it computes values, and decides nothing."
    ));
    text.open(format_args!("contract {verifier}{REST} {{"));
    text.open("fallback() external {");
    text.line("// Zero. Assembly that speaks of a variable outside of it is compiled as it is written.");
    text.line("uint256 z = msg.data.length == 0 ? 1 : 0;");
    text.line("");
    text.line(FORMATTED);
    text.open("assembly (\"memory-safe\") {");
    text.raw(assembly);
    text.close("}");
    text.line("// forgefmt: disable-end");
    text.close("}");
    text.close("}");
    text.line("");
}

fn header(text: &mut Text, program: &dyn VerifierProgram, how: &str) {
    let statement = program.statement();
    text.line(format_args!(
        "/// @title Verifier of proofs about the model \"{}\"",
        comment(&statement.model_name)
    ));
    text.line("/// @notice An accepted proof means: the committed model, on the committed or public input, gave this output.");
    text.line("/// It does not mean that the model is right or fair, nor that the input is true.");
    text.line(format_args!(
        "/// @dev Generated by zkml-chain {}. Stateless and immutable; it has no owner and no way to change.",
        comment(&statement.toolkit_version)
    ));
    text.line(format_args!(
        "/// {how}, {} proof bytes. Needs the precompiles 5 to 8.",
        program.proof_length()
    ));
    instances(text, program);
    if program.srs().unsafe_dev {
        text.line("///");
        text.line("/// !! UNSAFE: this verifier was made with a DEVELOPMENT SETUP whose secret is public. Anybody can forge");
        text.line(
            "/// !! proofs for it. The constructor refuses every chain that is not a known test chain.",
        );
    }
}

/// Which instance is what.
fn instances(text: &mut Text, program: &dyn VerifierProgram) {
    let layout = &program.statement().instances;
    let sections = [("input", &layout.inputs), ("model", &layout.model), ("output", &layout.outputs)];
    text.line("///");
    text.line("/// The instances:");
    text.line("/// - 0: context, zero when the proof is bound to nobody");
    let mut start = layout.inputs_start();
    for (section, fields) in sections {
        for field in fields {
            let (name, words) = (comment(&field.name), field.words());
            let end = start + words;
            let range = match words {
                0 => continue,
                1 => start.to_string(),
                _ => format!("{start} to {}", end - 1),
            };
            let points = section == "model" && program.proof_system() == ProofSystem::Sumcheck;
            let meaning = if points { points_hashed(field) } else { encoding(field) };
            text.line(format_args!("/// - {range}: {section} \"{name}\", {meaning}"));
            start = end;
        }
    }
}

/// The commitment to private weights in a sumcheck, in words.
fn points_hashed(field: &Field) -> String {
    format!("253 bits of the Keccak-256 of hiding commitments to {}", values(field))
}

/// How the values of a field become instances, in words.
fn encoding(field: &Field) -> String {
    let (values, scale) = (values(field), field.scale);
    match field.encoding {
        Encoding::Signed => format!("{values}, signed, {scale} fractional bits"),
        Encoding::Packed(Code { bits, signed }) => {
            let code = if signed { format!("plus 2^{}", bits - 1) } else { "unsigned".to_owned() };
            format!("{values} of {bits} bits, {code}, the first lowest, {scale} fractional bits")
        }
        Encoding::Commitment => format!("salted Poseidon commitment to {values}"),
    }
}

fn declarations(text: &mut Text, program: &dyn VerifierProgram) {
    for error in VERIFIER_ERRORS {
        text.line(format_args!("/// @dev {}", error.meaning.trim()));
        text.line(declaration(error));
    }
    text.line("");
    let scale = program.statement().instances.outputs.first().map_or(0, |output| output.scale);
    let model = if program.statement().instances.model.is_empty() {
        "Names the model: what a consumer pins."
    } else {
        "Names the architecture: a consumer pins it and the commitment to the private weights."
    };
    let constants = [
        (
            "bytes32",
            "vkDigest",
            literal_bytes(&program.vk_digest()),
            "Names constraints, commitments, setup and schema.",
        ),
        ("bytes32", "modelCommitment", literal_bytes(&program.model_commitment()), model),
        ("bytes32", "srsDigest", literal_bytes(&program.srs().digest()), "Names the trusted setup."),
        ("uint256", "PROOF_LENGTH", program.proof_length().to_string(), "Bytes of a proof."),
        ("uint256", "NUM_INSTANCES", program.num_instances().to_string(), "Numbers in the public statement."),
        ("int256", "OUTPUT_SCALE", scale.to_string(), "Fractional bits of the first output."),
    ];
    for (ty, name, value, meaning) in constants {
        text.line(format_args!("/// @notice {meaning}"));
        text.line(format_args!("{ty} public constant {name} = {value};"));
    }
    text.line("/// @notice Version of the toolkit that generated this contract.");
    text.line(format_args!(
        "string public constant VERSION = \"{}\";",
        names::version(&program.statement().toolkit_version)
    ));
    text.line("/// @notice Whether the setup's secret is public, so that proofs can be forged.");
    text.line(format_args!("bool public constant UNSAFE_DEV_SETUP = {};", program.srs().unsafe_dev));
    text.line("");
}

/// A word as a `bytes32` literal: all 64 digits.
pub(super) fn literal_bytes(word: &zkml_protocol::Word) -> String {
    format!("0x{}", hex::encode(word.0))
}

const VERIFIER_ERRORS: &[errors::SolError] = &[
    errors::NON_CANONICAL_CALLDATA,
    errors::MEMORY_IN_USE,
    errors::WRONG_PROOF_LENGTH,
    errors::WRONG_INSTANCE_COUNT,
    errors::SCALAR_OUT_OF_RANGE,
    errors::EVALUATION_OUT_OF_RANGE,
    errors::INVALID_POINT,
    errors::ZERO_DENOMINATOR,
    errors::PRECOMPILE_FAILED,
    errors::PROOF_REJECTED,
    errors::NO_SUCH_OUTPUT,
];

/// With a development setup, the constructor refuses chains where something is at stake. It creates the verifier's rest.
fn constructor(text: &mut Text, program: &dyn VerifierProgram, with_rest: Option<&str>) {
    let unsafe_dev = program.srs().unsafe_dev;
    let error = errors::UNSAFE_SETUP;
    if unsafe_dev {
        text.line(format_args!("/// @dev {}", error.meaning.trim()));
        text.line(declaration(&error));
        text.line("");
        text.line("/// @dev Development setup: test chains only.");
    }
    if with_rest.is_some() {
        text.line(
            "/// @dev What it creates is the first contract of this one, from which its address follows.",
        );
    }
    if !unsafe_dev && with_rest.is_none() {
        return;
    }
    text.open("constructor() {");
    if unsafe_dev {
        text.line("uint256 id = block.chainid;");
        let ids: Vec<String> = chains::test_ids().map(|id| format!("id != {id}")).collect();
        text.if_all(&ids, &format!("revert {}(id)", error.name));
    }
    if let Some(verifier) = with_rest {
        text.line(format_args!("REST = address(new {verifier}{REST}()).codehash;"));
    }
    text.close("}");
    text.line("");
}
