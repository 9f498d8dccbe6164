//! The files of a new project. They name the model `credit`, whatever the project is called: contracts are named after it.

use serde_json::{Value, json};

/// Files as they are, by their path in the project.
const FILES: &[(&str, &[u8])] = &[
    ("README.md", include_bytes!("template/README.md")),
    ("zkml.toml", include_bytes!("template/zkml.toml")),
    ("foundry.toml", include_bytes!("template/foundry.toml")),
    // Without a dot, or git would heed it here.
    (".gitignore", include_bytes!("template/gitignore")),
    (".github/workflows/test.yml", include_bytes!("template/test.yml")),
    ("model/README.md", include_bytes!("template/model.md")),
    ("model/credit.onnx", include_bytes!("../../../../models/credit/credit.onnx")),
    ("model/samples.json", include_bytes!("../../../../models/credit/calibration.json")),
    ("model/input.json", include_bytes!("../../../../models/credit/sample.json")),
    ("contracts/src/CreditDesk.sol", include_bytes!("template/CreditDesk.sol")),
    ("contracts/test/CreditDesk.t.sol", include_bytes!("template/CreditDesk.t.sol")),
    (SHIM, include_bytes!("../../../../contracts/solc.mjs")),
];
/// What drives the npm package `solc` for forge; a program.
pub const SHIM: &str = "contracts/solc.mjs";

/// This repository's own packages and their lock: a project gets the same versions.
const PACKAGE: &str = include_str!("../../../../package.json");
const LOCK: &str = include_str!("../../../../package-lock.json");

/// A file of the project.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path in the project.
    pub path: &'static str,
    /// What it holds.
    pub content: Vec<u8>,
    /// It is a program.
    pub executable: bool,
}

/// All files of a project of this name.
#[must_use]
pub fn files(name: &str) -> Vec<File> {
    let fixed = FILES.iter().map(|(path, content)| File {
        path,
        content: String::from_utf8(content.to_vec())
            .map_or_else(|e| e.into_bytes(), |text| text.replace("{{NAME}}", name).into_bytes()),
        executable: *path == SHIM,
    });
    let (package, lock) = toolchain(name);
    let made = [("package.json", package), ("package-lock.json", lock)];
    let made = made.map(|(path, json)| File {
        path,
        content: zkml_workspace::json::pretty(&json),
        executable: false,
    });
    fixed.chain(made).collect()
}

/// npm's two files: the compiler, forge, and what contracts import.
fn toolchain(name: &str) -> (Value, Value) {
    let ours: Value = serde_json::from_str(PACKAGE).unwrap_or_default();
    let mut lock: Value = serde_json::from_str(LOCK).unwrap_or_default();
    let wanted = |package: &str| {
        ["@openzeppelin/contracts", "solady", "solc"].contains(&package)
            || package.starts_with("@foundry-rs/forge-")
    };
    let pick = |list: &str| -> Value {
        let all = ours[list].as_object().into_iter().flatten();
        all.filter(|(package, _)| wanted(package))
            .map(|(package, version)| (package.clone(), version.clone()))
            .collect()
    };
    let (dependencies, optional) = (pick("dependencies"), pick("optionalDependencies"));
    let left_out =
        ["dependencies", "optionalDependencies"].map(|list| ours[list].as_object().into_iter().flatten());
    let left_out: Vec<String> =
        left_out.into_iter().flatten().map(|(p, _)| p.clone()).filter(|p| !wanted(p)).collect();
    let npm_name = name.to_lowercase();
    if let Some(packages) = lock["packages"].as_object_mut() {
        packages.retain(|path, entry| {
            entry["dev"] != true && !left_out.iter().any(|package| *path == format!("node_modules/{package}"))
        });
        packages.insert(
            String::new(),
            json!({ "name": npm_name, "dependencies": dependencies, "optionalDependencies": optional }),
        );
    }
    lock["name"] = npm_name.clone().into();
    let package = json!({
        "name": npm_name,
        "private": true,
        "scripts": { "test": "forge test" },
        "dependencies": dependencies,
        "optionalDependencies": optional,
    });
    (package, lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolchain_is_this_repositorys() {
        let (package, lock) = toolchain("Loan-Desk");
        assert_eq!(package["name"], "loan-desk");
        let ours: Value = serde_json::from_str(PACKAGE).unwrap();
        assert_eq!(package["dependencies"]["solc"], ours["dependencies"]["solc"]);
        assert!(package["optionalDependencies"]["@foundry-rs/forge-linux-amd64"].is_string());
        assert!(package["dependencies"]["poseidon-lite"].is_null());
        assert_eq!(lock["packages"][""]["dependencies"], package["dependencies"]);
        let names: Vec<&String> = lock["packages"].as_object().unwrap().keys().collect();
        assert!(names.iter().any(|name| *name == "node_modules/solc"), "{names:?}");
        assert!(!names.iter().any(|name| name.contains("poseidon") || name.contains("anvil")), "{names:?}");
        assert!(!names.iter().any(|name| name.contains("viem") || name.contains("typescript")), "{names:?}");
        assert!(lock["packages"]["node_modules/solc"]["integrity"].is_string());
    }

    #[test]
    fn the_files_are_small_and_named_once() {
        let all = files("credit");
        let size: usize = all.iter().map(|file| file.content.len()).sum();
        assert!(size < 100_000, "{size} bytes");
        let mut names: Vec<_> = all.iter().map(|file| file.path).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
        assert!(
            all.iter().all(|file| !String::from_utf8_lossy(&file.content).contains("{{")),
            "a placeholder is left"
        );
    }
}
