//! Generated files are as Foundry's formatter and linter want them, whatever a model is called: they lie in projects whose checks
//! look at all files, and `deploy` refuses those that a formatter has changed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use zkml_codegen::{
    Favour, any_input_consumer_source, any_input_request_consumer_source, consumer_source, names,
    request_consumer_source, sumcheck_verifier_source, verifier_source,
};
use zkml_graph::testing;
use zkml_protocol::{Bounds, Code, Encoding, Field, InstanceLayout, VerifierProgram, plonk::Program};
use zkml_sumcheck::{Options, lay_out, testing as sumcheck};

use crate::support;

/// A project with Foundry's defaults, besides where it finds compiler and imports.
const DEFAULTS: &str = r#"[profile.default]
src = "src"
solc = "ROOT/contracts/solc.mjs"
offline = true
evm_version = "shanghai"
auto_detect_remappings = false
allow_paths = ["ROOT"]
remappings = [
    "@openzeppelin/contracts/=ROOT/node_modules/@openzeppelin/contracts/",
    "@zkml-chain/contracts/=ROOT/contracts/",
    "solady/=ROOT/node_modules/solady/",
]
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs forge in a project; what it says if it finds anything.
fn forge(project: &Path, arguments: &[&str]) -> Result<(), String> {
    let forge = env::var_os("FORGE").map_or_else(|| "node_modules/.bin/forge".into(), PathBuf::from);
    // A name without a folder is looked for in the path.
    let forge = if forge.components().count() > 1 { root().join(forge) } else { forge };
    let output = Command::new(forge).args(arguments).arg("--root").arg(project).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// Tensors of all kinds that contracts tell apart, under these names.
fn statement(name: impl Fn(&str) -> String, private: bool) -> InstanceLayout {
    let bounds = Some(Bounds { lowest: -7, highest: 12 });
    let field =
        |of: &str, values, encoding, bounds| Field { name: name(of), values, scale: 12, encoding, bounds };
    let packed = Encoding::Packed(Code { bits: 5, signed: true });
    let commitment = Encoding::Commitment;
    InstanceLayout {
        inputs: vec![
            field("income", 30, commitment, None),
            field("age", 1, Encoding::Signed, None),
            field("history", 60, packed, None),
        ],
        model: if private { vec![field("weights", 1_234, commitment, None)] } else { vec![] },
        outputs: vec![
            field("score", 1, Encoding::Signed, bounds),
            field("reasons", 4, Encoding::Signed, bounds),
            field("details", 60, packed, None),
            field("rest", 4, commitment, None),
        ],
    }
}

/// Names of all lengths that lines may have to be broken at.
fn programs() -> Vec<Program> {
    let mut programs = Vec::new();
    for (length, private) in [(0, false), (8, true), (14, false), (20, true), (27, false), (80, true)] {
        let name = |of: &str| format!("{of}{}", " x".repeat(length));
        let mut program = support::stating(statement(name, private)).program;
        program.statement.model_name = format!("m{length}{}", " model".repeat(length));
        programs.push(program);
    }
    let [mut hidden, mut real] = [programs[0].clone(), programs[1].clone()];
    hidden.statement.instances.inputs.truncate(1);
    hidden.num_instances = hidden.statement.instances.total() as u32;
    hidden.statement.model_name = "hidden".to_owned();
    real.statement.model_name = "\u{3a9} \u{1f600}\" ".repeat(30);
    real.srs.unsafe_dev = false;
    programs.extend([hidden, real]);
    programs
}

/// All that is printed of all kinds of programs, with the names of their files.
fn sources() -> Vec<(String, String)> {
    let mut sources = Vec::new();
    for program in programs() {
        let program: &dyn VerifierProgram = &program;
        let names = names::contracts(program);
        sources.extend(
            [
                (names.verifier, verifier_source(program)),
                (names.consumer, consumer_source(program)),
                (names.request_consumer, request_consumer_source(program)),
                (names.any_input_consumer, any_input_consumer_source(program)),
                (names.any_input_request_consumer, any_input_request_consumer_source(program)),
            ]
            .map(|(name, source)| (name, source.unwrap())),
        );
    }
    let case = testing::cases().into_iter().next().expect("a case");
    let layout = lay_out(&case.graph.system(), &Options::default()).expect("it is laid out");
    let mut program = sumcheck::key(&layout).program().clone();
    for (kind, favour, room) in [
        ("whole", Favour::Gas, usize::MAX),
        ("halves", Favour::Gas, 1_000),
        ("loops", Favour::Size, usize::MAX),
    ] {
        program.statement.model_name = format!("sumcheck {kind}");
        let name = names::contracts(&program).verifier;
        sources.push((name, sumcheck_verifier_source(&program, favour, room).unwrap()));
    }
    sources
}

#[test]
fn generated_files_pass_foundrys_formatter_and_linter() {
    let project = env::temp_dir().join(format!("zkml-style-{}", std::process::id()));
    fs::create_dir_all(project.join("src")).unwrap();
    for (name, source) in sources() {
        fs::write(project.join(format!("src/{name}.sol")), source).unwrap();
    }
    let files = project.join("src").display().to_string();
    let ours = fs::read_to_string(root().join("foundry.toml")).unwrap();
    let (_, ours) = ours.split_once("[fmt]").expect("the formatter's settings");
    let ours = format!("{DEFAULTS}\n[fmt]{ours}");
    for settings in [DEFAULTS, &ours] {
        let settings = settings.replace("ROOT", &root().display().to_string());
        fs::write(project.join("foundry.toml"), settings).unwrap();
        forge(&project, &["fmt", "--check", &files]).unwrap();
    }
    forge(&project, &["lint", "--deny", "notes"]).unwrap();
    // That both would have noticed: a line too long, and a cast that nobody has explained.
    let bad = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.20;\ncontract Bad { function f(uint256 x) external pure returns (uint8) { return uint8(x); } }\n";
    fs::write(project.join("src/Bad.sol"), bad).unwrap();
    assert!(forge(&project, &["fmt", "--check", &files]).unwrap_err().contains("Bad.sol"));
    assert!(forge(&project, &["lint", "--deny", "notes"]).unwrap_err().contains("unsafe-typecast"));
    fs::remove_dir_all(&project).unwrap();
}
