//! The Solidity compiler: the `solc` npm package, driven through Node.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::HarnessError;

/// The compiler version that `package.json` pins.
pub(crate) const SOLC_VERSION: &str = "0.8.37";
/// EIP-170: the largest runtime bytecode, in bytes.
pub(crate) const CODE_LIMIT: usize = 24_576;

/// Reads `{solc, input}` from stdin and answers with the compiler's standard JSON.
const DRIVER: &str = r"
const chunks = [];
process.stdin.on('data', c => chunks.push(c));
process.stdin.on('end', () => {
  const job = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const solc = require(job.solc);
  const answer = { version: solc.version(), output: JSON.parse(solc.compile(JSON.stringify(job.input))) };
  process.stdout.write(JSON.stringify(answer));
});
";

/// A compiler that is known to be there.
#[derive(Debug, Clone)]
pub struct Solc {
    node: String,
    package: PathBuf,
}

/// Compiler settings; the default is what `gen-verifier` uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Optimizer runs: larger trades bytes for gas. On a verifier of 30 commitments, 1,000 instead of 200 saves
    /// 319 gas for 183 bytes, because large constants are no longer copied from code; more than 1,000 saves nothing.
    pub runs: u32,
    /// The EVM version whose opcodes may be used, e.g. `shanghai`.
    pub evm_version: String,
    /// Compile through Yul intermediate code instead of the legacy pipeline.
    pub via_ir: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { runs: 1_000, evm_version: "shanghai".to_owned(), via_ir: false }
    }
}

impl Settings {
    /// The `settings` object of solc's standard JSON input; also what explorers need.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "optimizer": { "enabled": true, "runs": self.runs },
            "evmVersion": self.evm_version,
            "viaIR": self.via_ir,
            "metadata": { "bytecodeHash": "none", "appendCBOR": false },
            "outputSelection": { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
        })
    }
}

/// One compiled contract.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Its name in the source.
    pub name: String,
    /// Its ABI as solc prints it.
    pub abi: Value,
    /// Creation bytecode, without constructor arguments.
    pub creation: Vec<u8>,
    /// Runtime bytecode with immutables left zero.
    pub runtime: Vec<u8>,
}

/// The result of one compilation.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Contracts by name.
    pub contracts: BTreeMap<String, Contract>,
    /// Warnings, formatted by the compiler.
    pub warnings: Vec<String>,
}

impl Compiled {
    /// The contract `name`.
    ///
    /// # Errors
    /// [`HarnessError::NoSuchContract`] if it was not among the sources, and
    /// [`HarnessError::CodeTooLarge`] if no chain would accept it.
    pub fn contract(&self, name: &str) -> Result<&Contract, HarnessError> {
        let contract = self.contracts.get(name).ok_or_else(|| HarnessError::NoSuchContract {
            name: name.to_owned(),
            known: self.contracts.keys().cloned().collect(),
        })?;
        if contract.runtime.len() > CODE_LIMIT {
            return Err(HarnessError::CodeTooLarge {
                name: name.to_owned(),
                size: contract.runtime.len(),
                limit: CODE_LIMIT,
            });
        }
        Ok(contract)
    }
}

impl Solc {
    /// Finds the compiler: `ZKML_SOLC`, then the current folder and the executable's
    /// folder with all their ancestors.
    ///
    /// # Errors
    /// [`HarnessError::SolcMissing`] with the folders that were searched.
    pub fn find() -> Result<Self, HarnessError> {
        let mut roots = Vec::new();
        if let Some(path) = std::env::var_os("ZKML_SOLC") {
            roots.push(PathBuf::from(path));
        } else {
            let here = std::env::current_dir().ok();
            let exe = std::env::current_exe().ok();
            for start in [here, exe].into_iter().flatten() {
                roots.extend(start.ancestors().map(Path::to_path_buf));
            }
        }
        Self::find_in(&roots)
    }

    /// Finds the compiler in the first of `roots` that holds it, either as
    /// `node_modules/solc` or as the package folder itself.
    ///
    /// # Errors
    /// [`HarnessError::SolcMissing`] with the folders that were searched.
    pub fn find_in(roots: &[PathBuf]) -> Result<Self, HarnessError> {
        let package = roots
            .iter()
            .flat_map(|root| [root.join("node_modules/solc"), root.clone()])
            .find(|path| path.join("soljson.js").is_file() && path.join("package.json").is_file())
            .ok_or_else(|| HarnessError::SolcMissing { searched: roots.to_vec() })?;
        let node = std::env::var("ZKML_NODE").unwrap_or_else(|_| "node".to_owned());
        Ok(Self { node, package })
    }

    /// Uses `program` as Node instead of `ZKML_NODE` or the `node` in the search path.
    #[must_use]
    pub fn with_node(mut self, program: impl Into<String>) -> Self {
        self.node = program.into();
        self
    }

    /// Compiles `sources` (file name, text) in one run.
    ///
    /// # Errors
    /// A missing Node, another compiler version, a crash, or the compiler's own errors.
    pub fn compile(&self, sources: &[(&str, &str)], settings: &Settings) -> Result<Compiled, HarnessError> {
        let answer = self.run(&standard_json(sources, settings))?;
        let version = answer["version"].as_str().unwrap_or("unknown");
        if version.split('+').next() != Some(SOLC_VERSION) {
            return Err(HarnessError::SolcVersion {
                path: self.package.clone(),
                found: version.to_owned(),
                wanted: SOLC_VERSION,
            });
        }
        read_output(&answer["output"])
    }

    fn run(&self, input: &Value) -> Result<Value, HarnessError> {
        let job = json!({ "solc": std::path::absolute(&self.package).unwrap_or_else(|_| self.package.clone()), "input": input });
        let missing = |source| HarnessError::NodeMissing { program: self.node.clone(), source };
        let mut child = Command::new(&self.node)
            .args(["-e", DRIVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(missing)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A compiler that dies early closes the pipe; its error stream says why.
            let _ = stdin.write_all(job.to_string().as_bytes());
        }
        let output = child.wait_with_output().map_err(missing)?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| HarnessError::SolcCrashed { stderr: tail(&String::from_utf8_lossy(&output.stderr)) })
    }
}

/// solc's standard JSON input for `sources`; with it an explorer can repeat the build.
#[must_use]
pub fn standard_json(sources: &[(&str, &str)], settings: &Settings) -> Value {
    let files: serde_json::Map<_, _> =
        sources.iter().map(|(name, text)| ((*name).to_owned(), json!({ "content": text }))).collect();
    json!({ "language": "Solidity", "sources": files, "settings": settings.to_json() })
}

fn read_output(output: &Value) -> Result<Compiled, HarnessError> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for message in output["errors"].as_array().into_iter().flatten() {
        let text = message["formattedMessage"].as_str().unwrap_or("unknown message").to_owned();
        if message["severity"] == "error" {
            errors.push(text);
        } else {
            warnings.push(text);
        }
    }
    if !errors.is_empty() {
        return Err(HarnessError::Compile { messages: errors });
    }
    let mut contracts = BTreeMap::new();
    for file in output["contracts"].as_object().into_iter().flat_map(|files| files.values()) {
        for (name, contract) in file.as_object().into_iter().flatten() {
            contracts.insert(name.clone(), read_contract(name, contract)?);
        }
    }
    Ok(Compiled { contracts, warnings })
}

fn read_contract(name: &str, contract: &Value) -> Result<Contract, HarnessError> {
    let code = |object: &Value| {
        let text = object.as_str().unwrap_or_default();
        alloy_primitives::hex::decode(text).map_err(|_| HarnessError::Compile {
            messages: vec![format!("{name}: the bytecode is not hexadecimal (unlinked library?)")],
        })
    };
    Ok(Contract {
        name: name.to_owned(),
        abi: contract["abi"].clone(),
        creation: code(&contract["evm"]["bytecode"]["object"])?,
        runtime: code(&contract["evm"]["deployedBytecode"]["object"])?,
    })
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

#[cfg(test)]
mod tests {
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
    fn a_contract_above_eip_170_is_refused() {
        let contract = Contract {
            name: "Big".to_owned(),
            abi: Value::Null,
            creation: Vec::new(),
            runtime: vec![0; CODE_LIMIT + 1],
        };
        let compiled =
            Compiled { contracts: BTreeMap::from([("Big".to_owned(), contract)]), warnings: Vec::new() };
        assert!(matches!(compiled.contract("Big"), Err(HarnessError::CodeTooLarge { .. })));
        assert!(matches!(compiled.contract("Other"), Err(HarnessError::NoSuchContract { .. })));
    }
}
