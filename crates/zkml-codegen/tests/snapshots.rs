//! Generated contracts stay what they were unless somebody looks:
//! `INSTA_UPDATE=always cargo test --release -p zkml-codegen` accepts a change.

use zkml_protocol::Sample;

fn sample() -> Sample {
    let text = include_str!("../../../tests/fixtures/protocol/plain.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn verifier() {
    insta::assert_snapshot!(zkml_codegen::verifier_source(&sample().program).unwrap());
}

#[test]
fn consumer() {
    insta::assert_snapshot!(zkml_codegen::consumer_source(&sample().program).unwrap());
}

/// Names come from model files; whatever they say, the code around them stays the same.
#[test]
fn names_cannot_inject_code() {
    let plain = sample().program;
    let mut hostile = plain.clone();
    let text = "x\"; } contract Evil { /* \u{202e} \n selfdestruct(msg.sender); // @dev";
    hostile.statement.model_name = text.to_owned();
    hostile.statement.instances.outputs[0].name = text.to_owned();
    hostile.statement.toolkit_version = text.to_owned();
    for print in [zkml_codegen::verifier_source, zkml_codegen::consumer_source] {
        let (before, after) = (print(&plain).unwrap(), print(&hostile).unwrap());
        assert_eq!(before.lines().count(), after.lines().count());
        assert!(after.is_ascii());
        for (before, after) in before.lines().zip(after.lines()) {
            let structure = |line: &str| {
                let code = line.split("//").next().unwrap_or_default().to_owned();
                code.chars().filter(|c| "{};\"()".contains(*c)).collect::<String>()
            };
            assert_eq!(structure(before), structure(after), "{after}");
        }
    }
}
