//! The compiler and its imports.

use super::*;

#[test]
fn a_missing_compiler_names_the_folders_and_npm_ci() {
    let empty = std::env::temp_dir().join("zkml-no-solc-here");
    let error = Solc::find_in(std::slice::from_ref(&empty)).unwrap_err().to_string();
    assert!(error.contains("npm ci") && error.contains("zkml-no-solc-here"), "{error}");
}

#[test]
fn a_missing_node_says_what_to_install() {
    let solc = Solc::find().unwrap().with_node("no-such-node-program");
    let error = solc.compile(&[], &Settings::default()).unwrap_err();
    assert!(matches!(error, HarnessError::NodeMissing { .. }));
    assert!(error.to_string().contains("install Node"));
}

#[test]
fn compile_errors_carry_the_compilers_words() {
    let solc = Solc::find().unwrap();
    let error = solc.compile(&[("A.sol", "contract A { uint x = ; }")], &Settings::default());
    assert!(matches!(error, Err(HarnessError::Compile { .. })), "{error:?}");
}

#[test]
fn a_contract_above_eip_170_or_eip_3860_is_refused_with_its_rest() {
    let contract = |name: &str, creation: usize, runtime: usize| {
        let contract = Contract {
            name: name.to_owned(),
            abi: Value::Null,
            creation: vec![0; creation],
            runtime: vec![0; runtime],
            immutables: Vec::new(),
            file: format!("{name}.sol"),
        };
        (name.to_owned(), contract)
    };
    let compiled = Compiled {
        contracts: BTreeMap::from([
            contract("Big", 0, CODE_LIMIT + 1),
            contract("Long", CREATION_LIMIT + 1, 0),
            contract("Half", CREATION_LIMIT, CODE_LIMIT),
            contract("Whole", CREATION_LIMIT, CODE_LIMIT),
            contract("WholeRest", 0, CODE_LIMIT + 1),
        ]),
        sources: BTreeMap::new(),
        warnings: Vec::new(),
        compiler: String::new(),
    };
    for (name, large) in [("Big", "Big"), ("Long", "Long"), ("Whole", "WholeRest")] {
        let refused = compiled.contract(name);
        assert!(
            matches!(&refused, Err(HarnessError::CodeTooLarge { name, .. }) if name == large),
            "{refused:?}"
        );
    }
    assert!(compiled.contract("Half").is_ok());
    assert!(matches!(compiled.contract("Other"), Err(HarnessError::NoSuchContract { .. })));
}

#[test]
fn immutables_and_the_compiler_s_whole_version_are_known() {
    let source = "pragma solidity ^0.8.20; contract A { uint256 public immutable X; constructor(uint256 x) { X = x; } }";
    let compiled = Solc::find().unwrap().compile(&[("dir/A.sol", source)], &Settings::default()).unwrap();
    let contract = compiled.contract("A").unwrap();
    assert_eq!(contract.file, "dir/A.sol");
    assert!(contract.immutables.iter().all(|place| place.len() == 32), "{:?}", contract.immutables);
    let place = contract.immutables.first().unwrap().clone();
    assert_eq!(contract.runtime.get(place), Some([0; 32].as_slice()));
    let commit = compiled.compiler.strip_prefix(&format!("{SOLC_VERSION}+commit.")).unwrap();
    assert!(commit.len() == 8 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{commit}");
}

/// An import of the library, which imports OpenZeppelin.
const APPLICATION: (&str, &str) =
    ("A.sol", "import \"@zkml-chain/contracts/src/ZKMLRouter.sol\"; contract A {}");

#[test]
fn imports_are_found_and_reported() {
    let compiled = Solc::find().unwrap().compile(&[APPLICATION], &Settings::default()).unwrap();
    assert_eq!(compiled.contracts.keys().collect::<Vec<_>>(), ["A"]);
    for file in [
        "A.sol",
        "@zkml-chain/contracts/src/interfaces/IModelVerifier.sol",
        "@openzeppelin/contracts/access/Ownable.sol",
    ] {
        assert!(compiled.sources.contains_key(file), "{file}");
    }
    // What took part is all that it takes.
    let again: Vec<(&str, &str)> =
        compiled.sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let alone = Solc::find().unwrap().compile(&again, &Settings::default()).unwrap();
    assert_eq!(alone.contracts["A"].creation, compiled.contracts["A"].creation);
}

#[test]
fn nothing_outside_of_the_packages_is_read() {
    for import in ["../package.json", "solady/../solc/package.json", "solc/package.json", "/etc/hostname"] {
        let source = format!("import \"{import}\";");
        let error = Solc::find().unwrap().compile(&[("A.sol", &source)], &Settings::default());
        let Err(HarnessError::Compile { messages }) = error else { panic!("{import}: {error:?}") };
        assert!(messages[0].contains("there is no such file"), "{import}: {messages:?}");
    }
}

/// A `node_modules` that has the compiler and, perhaps, a package of some version.
fn modules(name: &str, version: Option<&str>) -> (PathBuf, Solc) {
    let folder = std::env::temp_dir().join(format!("zkml-solc-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let package = folder.join("node_modules/solc");
    std::fs::create_dir_all(&package).unwrap();
    let real = std::path::absolute(Solc::find().unwrap().package).unwrap();
    std::fs::write(package.join("package.json"), "{\"main\": \"index.js\"}").unwrap();
    std::fs::write(package.join("soljson.js"), "").unwrap();
    std::fs::write(package.join("index.js"), format!("module.exports = require({:?})", real)).unwrap();
    if let Some(version) = version {
        let contracts = folder.join("node_modules/@openzeppelin/contracts");
        std::fs::create_dir_all(contracts.join("access")).unwrap();
        let text = format!("{{\"version\": \"{version}\"}}");
        std::fs::write(contracts.join("package.json"), text).unwrap();
        let source = "abstract contract Ownable { constructor(address) {} modifier onlyOwner() { _; } }\n\
                      abstract contract Ownable2Step is Ownable {}";
        std::fs::write(contracts.join("access/Ownable2Step.sol"), source).unwrap();
    }
    let solc = Solc::find_in(std::slice::from_ref(&folder)).unwrap();
    (folder, solc)
}

#[test]
fn a_missing_package_is_named_with_the_way_out() {
    let (folder, solc) = modules("missing", None);
    let error = solc.compile(&[APPLICATION], &Settings::default()).unwrap_err();
    assert!(matches!(error, HarnessError::PackageMissing { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("`@openzeppelin/contracts`") && text.contains("npm ci"), "{text}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn another_version_of_a_package_is_refused() {
    let (folder, solc) = modules("other", Some("4.9.6"));
    let error = solc.compile(&[APPLICATION], &Settings::default()).unwrap_err();
    assert!(matches!(&error, HarnessError::PackageVersion { found, .. } if found == "4.9.6"), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn versions_are_those_of_package_json() {
    let text = include_str!("../../../../package.json");
    let manifest: Value = serde_json::from_str(text).unwrap();
    for (package, version) in PACKAGES.iter().chain([&("solc", SOLC_VERSION)]) {
        assert_eq!(manifest["dependencies"][package], *version, "{package}");
    }
}
