//! Generated contracts stay what they were unless somebody looks:
//! `INSTA_UPDATE=always cargo test --release -p zkml-codegen` accepts a change.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use zkml_codegen::{
    CodegenError, any_input_consumer_source, any_input_request_consumer_source, consumer_source,
    request_consumer_source, verifier_source,
};
use zkml_protocol::{
    Bounds, Code, Encoding, Field, InstanceLayout,
    plonk::{Program, Sample},
};

fn sample() -> Sample {
    let text = include_str!("../../../tests/fixtures/protocol/plain.json");
    serde_json::from_str(text).unwrap()
}

/// The plain program under another statement.
fn stating(instances: InstanceLayout) -> Program {
    let mut program = sample().program;
    program.num_instances = instances.total() as u32;
    program.statement.instances = instances;
    program
}

fn field(name: &str, values: u32, encoding: Encoding) -> Field {
    Field { name: name.to_owned(), values, scale: 12, encoding, bounds: None }
}

fn packed(bits: u32, signed: bool) -> Encoding {
    Encoding::Packed(Code { bits, signed })
}

/// Nothing is public but one of two outputs.
fn private() -> Program {
    stating(InstanceLayout {
        inputs: vec![field("income", 30, Encoding::Commitment), field("age", 1, Encoding::Commitment)],
        model: vec![Field { scale: 0, ..field("weights", 1234, Encoding::Commitment) }],
        outputs: vec![field("score", 1, Encoding::Signed), field("reasons", 4, Encoding::Commitment)],
    })
}

/// Public inputs in every encoding, one committed one among them.
fn public() -> Program {
    stating(InstanceLayout {
        inputs: vec![
            field("pixels", 40, packed(8, false)),
            field("secret", 3, Encoding::Commitment),
            field("age", 1, Encoding::Signed),
            field("deltas", 3, packed(16, true)),
        ],
        model: vec![],
        outputs: vec![field("probability", 2, Encoding::Signed)],
    })
}

/// The comment in front of the contract.
fn documentation(source: &str) -> String {
    source.lines().take_while(|line| !line.starts_with("contract")).collect::<Vec<_>>().join("\n")
}

#[test]
fn verifier() {
    insta::assert_snapshot!(verifier_source(&sample().program).unwrap());
}

#[test]
fn verifiers_say_which_instance_is_what() {
    insta::assert_snapshot!(
        [private(), public()].map(|program| documentation(&verifier_source(&program).unwrap())).join("\n\n")
    );
}

/// What a verifier tells about its statement: one branch for neighbouring words of equal bounds.
#[test]
fn verifiers_tell_bounds_in_few_branches() {
    let mut program = private();
    program.statement.instances.outputs[0].bounds = Some(Bounds { lowest: -4096, highest: 8191 });
    let source = verifier_source(&program).unwrap();
    let from = source.find("/// @notice All that a caller needs").unwrap();
    let to = source.find("/// @notice Returns true if the proof is valid").unwrap();
    insta::assert_snapshot!(&source[from..to]);
}

/// The syntax tree of a source, by the compiler's own parser.
fn syntax_tree(source: &str) -> Value {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let node = std::env::var_os("NODE").unwrap_or_else(|| "node".into());
    let mut parser = Command::new(node);
    parser.arg(repository.join("contracts/solc.mjs")).arg("--standard-json");
    let mut parser = parser.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node");
    let input = json!({
        "language": "Solidity",
        "sources": { "Verifier.sol": { "content": source } },
        "settings": { "stopAfter": "parsing", "outputSelection": { "*": { "": ["ast"] } } },
    });
    parser.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = parser.wait_with_output().unwrap();
    assert!(output.status.success(), "run `npm ci`");
    let output: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output["errors"], Value::Null);
    output["sources"]["Verifier.sol"]["ast"].clone()
}

/// Name and visibility of each function in all contracts of a source.
fn functions(source: &str) -> Vec<(String, String)> {
    let tree = syntax_tree(source);
    let of_kind = |node: &Value, kind: &str| node["nodeType"] == kind;
    let contracts =
        tree["nodes"].as_array().unwrap().iter().filter(|node| of_kind(node, "ContractDefinition"));
    let members = contracts.flat_map(|contract| contract["nodes"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let named = |node: &&Value| of_kind(node, "FunctionDefinition") && node["kind"] == "function";
    members.filter(named).map(|node| (text(&node["name"]), text(&node["visibility"]))).collect()
}

/// The check ends in assembly: called from inside of a contract that inherits it, it would end that contract's call, too.
#[test]
fn nothing_of_a_verifier_is_called_from_inside() {
    for program in [sample().program, private(), public()] {
        let found = functions(&verifier_source(&program).unwrap());
        // Both entries, what they end in, which nobody else can call, and what the statement looks like.
        let expected = [
            ("statementShape", "external"),
            ("outputBounds", "external"),
            ("verifyProof", "external"),
            ("pairingInput", "external"),
            ("check", "private"),
        ];
        assert_eq!(found, expected.map(|(name, visibility)| (name.to_owned(), visibility.to_owned())));
    }
    // A visibility that a text search would take for another one.
    let head = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.20;\n";
    let odd = "contract V { function f(bytes calldata external_) public\n// external\n{ } }";
    assert_eq!(functions(&format!("{head}{odd}")), [("f".to_owned(), "public".to_owned())]);
}

/// With bounds of the outputs, as models have them.
#[test]
fn consumer() {
    let mut program = sample().program;
    program.statement.instances.outputs[0].bounds = Some(Bounds { lowest: -4096, highest: 8191 });
    insta::assert_snapshot!(consumer_source(&program).unwrap());
}

#[test]
fn consumer_of_private_weights_and_committed_values() {
    insta::assert_snapshot!(consumer_source(&private()).unwrap());
}

#[test]
fn consumer_of_public_inputs() {
    insta::assert_snapshot!(consumer_source(&public()).unwrap());
}

#[test]
fn request_consumer() {
    insta::assert_snapshot!(request_consumer_source(&sample().program).unwrap());
}

/// The weights can be followed by others, and the inputs are committed to.
#[test]
fn request_consumer_of_private_weights() {
    insta::assert_snapshot!(request_consumer_source(&private()).unwrap());
}

/// What `deploy` has for those who have no consumer of their own: an empty answer, and a name that says so.
#[test]
fn consumers_of_any_input() {
    let print = |program: &Program| {
        [any_input_consumer_source(program), any_input_request_consumer_source(program)]
            .map(Result::unwrap)
            .join("\n\n")
    };
    insta::assert_snapshot!([sample().program, private()].each_ref().map(print).join("\n\n"));
}

/// Who inherits from what is meant to be inherited is told by the compiler what is missing.
#[test]
fn consumers_have_no_answer_to_where_inputs_come_from() {
    for program in [sample().program, private(), public()] {
        for print in [consumer_source, request_consumer_source] {
            let source = print(&program).unwrap();
            assert!(source.contains("\nabstract contract "), "{source}");
            assert!(!source.contains("function _checkProvenance"), "{source}");
        }
    }
}

#[test]
fn all_outputs_may_be_committed() {
    let outputs = vec![field("label", 10, Encoding::Commitment)];
    let source = consumer_source(&stating(InstanceLayout { outputs, ..Default::default() })).unwrap();
    assert!(source.contains("uint256 labelCommitment;"), "{source}");
    assert!(!source.contains("_checkBounds("), "nothing unused is printed");
}

#[test]
fn bounds_of_many_outputs_are_not_checked_again() {
    for (values, checked) in [(10, true), (11, false)] {
        let mut output = field("scores", values, Encoding::Signed);
        output.bounds = Some(Bounds { lowest: -1, highest: 1 });
        let layout = InstanceLayout { outputs: vec![output], ..Default::default() };
        let source = consumer_source(&stating(layout)).unwrap();
        assert_eq!(source.contains("_checkBounds(output, i, SCORES_MIN, SCORES_MAX);"), checked, "{source}");
        assert_eq!(source.contains("there are more than 10."), !checked, "{source}");
        assert!(source.contains("int256 public constant SCORES_MAX = 1;"));
    }
}

#[test]
fn numbers_without_decimals_are_refused() {
    for (scale, good) in [(-33, false), (-32, true), (96, true), (97, false)] {
        let scaled = |name, encoding| Field { scale, ..field(name, 1, encoding) };
        let signed = || vec![scaled("n", Encoding::Signed)];
        let hidden = || vec![scaled("c", Encoding::Commitment)];
        for (inputs, outputs) in [(vec![], signed()), (signed(), hidden()), (hidden(), hidden())] {
            let expected = good || inputs == outputs;
            let result = consumer_source(&stating(InstanceLayout { inputs, model: vec![], outputs }));
            match result {
                Ok(_) => assert!(expected, "{scale}"),
                Err(error) => assert!(!expected && matches!(error, CodegenError::Scale { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn a_consumer_without_outputs_or_with_two_commitments_to_weights_is_refused() {
    let outputs = vec![field("label", 1, Encoding::Signed)];
    let error = consumer_source(&stating(InstanceLayout::default())).unwrap_err();
    assert!(matches!(error, CodegenError::NoOutputs(_)), "{error}");
    let weights = field("weights", 3, Encoding::Commitment);
    let signed = field("weights", 1, Encoding::Signed);
    let nothing = field("weights", 0, Encoding::Signed);
    for model in [vec![weights.clone(), weights], vec![signed], vec![nothing]] {
        let layout = InstanceLayout { inputs: vec![], model, outputs: outputs.clone() };
        for print in [consumer_source, request_consumer_source, verifier_source] {
            let error = print(&stating(layout.clone())).unwrap_err();
            assert!(matches!(error, CodegenError::ModelSection { .. }), "{error}");
        }
    }
}

/// Names come from model files; whatever they say, the code around them stays the same.
#[test]
fn names_cannot_inject_code() {
    let text = "x\"; } contract Evil { /* \u{202e} \n selfdestruct(msg.sender); // @dev";
    for plain in [sample().program, private(), public()] {
        let mut hostile = plain.clone();
        hostile.statement.model_name = text.to_owned();
        hostile.statement.toolkit_version = text.to_owned();
        let InstanceLayout { inputs, model, outputs } = &mut hostile.statement.instances;
        inputs.iter_mut().chain(model).chain(outputs).for_each(|field| field.name = text.to_owned());
        for print in [
            verifier_source,
            consumer_source,
            request_consumer_source,
            any_input_consumer_source,
            any_input_request_consumer_source,
        ] {
            let (before, after) = (print(&plain).unwrap(), print(&hostile).unwrap());
            assert!(after.is_ascii());
            let comments = |text: &str| text.lines().filter(|line| line.trim().starts_with("//")).count();
            assert_eq!(comments(&before), comments(&after), "{after}");
            // Longer names break lines elsewhere, and change nothing else.
            let structure = |text: &str| {
                let code = text.lines().filter_map(|line| line.split("//").next());
                code.flat_map(str::chars).filter(|c| "{};\"()".contains(*c)).collect::<String>()
            };
            assert_eq!(structure(&before), structure(&after), "{after}");
        }
    }
}
