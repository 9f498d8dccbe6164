//! The Solidity compiler: the `solc` npm package, driven through Node.

use std::{
    collections::BTreeMap,
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
};

use serde_json::{Value, json};
use zkml_contracts::{REST, library};
use zkml_protocol::{Word, keccak256};

use crate::HarnessError;

/// The compiler version that `package.json` pins.
pub(crate) const SOLC_VERSION: &str = "0.8.37";
/// EIP-170: the largest runtime bytecode, in bytes.
pub(crate) const CODE_LIMIT: usize = 24_576;
/// EIP-3860: the largest creation bytecode, in bytes.
const CREATION_LIMIT: usize = 2 * CODE_LIMIT;

/// npm packages that our contracts import, in the versions that `package.json` pins: bytecode depends on them.
const PACKAGES: [(&str, &str); 2] = [("@openzeppelin/contracts", "5.7.0"), ("solady", "0.1.26")];

/// Reads `{solc, input, library, modules, packages}` from stdin and answers with the compiler's standard JSON. Imports
/// come from the library or from a package; the answer says which, and what was not there.
const DRIVER: &str = include_str!("solc.js");

/// The compiler's last answers, each with its job and the Node that ran it: a command that prints contracts, tries them
/// and deploys them compiles the same sources each time, and that takes seconds.
static RECENT: Mutex<Vec<(String, String, Value)>> = Mutex::new(Vec::new());
/// Answers that are kept.
const KEPT_ANSWERS: usize = 16;

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
            "outputSelection": { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"] } },
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
    /// Where in the runtime bytecode the constructor writes immutables.
    pub immutables: Vec<Range<usize>>,
    /// The file that it lies in, by the name that imports have for it.
    pub file: String,
}

/// The result of one compilation.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Contracts by name: those of the files that were given, without what they import.
    pub contracts: BTreeMap<String, Contract>,
    /// All files that took part, by the name that imports have for them.
    pub sources: BTreeMap<String, String>,
    /// Warnings about anything but packages, formatted by the compiler.
    pub warnings: Vec<String>,
    /// The compiler's whole version, with commit, as explorers want it.
    pub compiler: String,
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
        let rest = self.contracts.get(&format!("{name}{REST}"));
        let runtimes =
            [Some(contract), rest].into_iter().flatten().map(|c| (&c.name, c.runtime.len(), CODE_LIMIT));
        let creation = (&contract.name, contract.creation.len(), CREATION_LIMIT);
        match runtimes.chain([creation]).find(|(_, size, limit)| size > limit) {
            Some((name, size, limit)) => Err(HarnessError::CodeTooLarge { name: name.clone(), size, limit }),
            None => Ok(contract),
        }
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

    /// Compiles `sources` (file name, text) in one run. They may import the files of [`zkml_contracts::library`], and
    /// OpenZeppelin and solady from the `node_modules` in which the compiler lies.
    ///
    /// # Errors
    /// A missing Node or package, another version than the pinned one, a crash, or the compiler's own errors.
    pub fn compile(&self, sources: &[(&str, &str)], settings: &Settings) -> Result<Compiled, HarnessError> {
        let mut input = standard_json(sources, settings);
        let wanted = &mut input["settings"]["outputSelection"];
        let all = wanted["*"].take();
        *wanted = sources.iter().map(|(name, _)| ((*name).to_owned(), all.clone())).collect();
        let answer = self.run(&input)?;
        let version = answer["version"].as_str().unwrap_or("unknown");
        if version.split('+').next() != Some(SOLC_VERSION) {
            return Err(HarnessError::SolcVersion {
                path: self.package.clone(),
                found: version.to_owned(),
                wanted: SOLC_VERSION,
            });
        }
        self.check_packages(&answer)?;
        let mut compiled = read_output(&answer["output"])?;
        let imported = answer["imported"].as_object().into_iter().flatten();
        let imported = imported.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
        let given = sources.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        compiled.sources = imported.chain(given).collect();
        // The package's own suffix names its build, which no explorer knows.
        compiled.compiler = version.trim_end_matches(".Emscripten.clang").to_owned();
        Ok(compiled)
    }

    /// The packages that were imported from must be there, in the pinned versions.
    fn check_packages(&self, answer: &Value) -> Result<(), HarnessError> {
        if let Some(missing) = answer["missing"].get(0) {
            let text = |index: usize| missing[index].as_str().unwrap_or_default().to_owned();
            let (package, import) = (text(0), text(1));
            return Err(HarnessError::PackageMissing { package, import, modules: self.modules() });
        }
        for (package, wanted) in PACKAGES {
            match answer["packages"][package].as_str() {
                Some(found) if found != wanted => {
                    let (modules, found) = (self.modules(), found.to_owned());
                    return Err(HarnessError::PackageVersion { package, modules, found, wanted });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The folder in which packages lie beside the compiler.
    fn modules(&self) -> PathBuf {
        let package = std::path::absolute(&self.package).unwrap_or_else(|_| self.package.clone());
        package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
    }

    /// The compiler's answer; one that this process has already got is not asked for again.
    fn run(&self, input: &Value) -> Result<Value, HarnessError> {
        let job = self.job(input).to_string();
        let recent = || RECENT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known =
            recent().iter().find(|(of, node, _)| (of, node) == (&job, &self.node)).map(|r| r.2.clone());
        if let Some(answer) = known {
            return Ok(answer);
        }
        let answer = self.ask(&job)?;
        if answer["missing"].get(0).is_none() {
            let mut recent = recent();
            recent.truncate(KEPT_ANSWERS - 1);
            recent.insert(0, (job, self.node.clone(), answer.clone()));
        }
        Ok(answer)
    }

    fn job(&self, input: &Value) -> Value {
        json!({
            "solc": std::path::absolute(&self.package).unwrap_or_else(|_| self.package.clone()),
            "input": input,
            "library": library::SOURCES.iter().copied().collect::<BTreeMap<_, _>>(),
            "modules": self.modules(),
            "packages": PACKAGES.map(|(package, _)| package),
        })
    }

    fn ask(&self, job: &str) -> Result<Value, HarnessError> {
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
            let _ = stdin.write_all(job.as_bytes());
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

/// Whether a file comes from a package; what the compiler thinks of those is not for us to mend.
fn is_packaged(file: &Value) -> bool {
    let name = file.as_str().unwrap_or_default();
    PACKAGES.iter().any(|(package, _)| name.strip_prefix(package).is_some_and(|rest| rest.starts_with('/')))
}

fn read_output(output: &Value) -> Result<Compiled, HarnessError> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for message in output["errors"].as_array().into_iter().flatten() {
        let text = message["formattedMessage"].as_str().unwrap_or("unknown message").to_owned();
        if message["severity"] == "error" {
            errors.push(text);
        } else if !is_packaged(&message["sourceLocation"]["file"]) {
            warnings.push(text);
        }
    }
    if !errors.is_empty() {
        return Err(HarnessError::Compile { messages: errors });
    }
    let mut contracts = BTreeMap::new();
    for (file, inside) in output["contracts"].as_object().into_iter().flatten() {
        for (name, contract) in inside.as_object().into_iter().flatten() {
            contracts.insert(name.clone(), read_contract(file, name, contract)?);
        }
    }
    fill_rests(&mut contracts);
    Ok(Compiled { contracts, sources: BTreeMap::new(), warnings, compiler: String::new() })
}

fn read_contract(file: &str, name: &str, contract: &Value) -> Result<Contract, HarnessError> {
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
        immutables: immutables(&contract["evm"]["deployedBytecode"]["immutableReferences"]),
        file: file.to_owned(),
    })
}

/// The only immutable of a verifier with a [`REST`] is the hash of the code of that: known, so that its whole runtime code is.
fn fill_rests(contracts: &mut BTreeMap<String, Contract>) {
    let rests: Vec<(String, Word)> = contracts
        .iter()
        .filter_map(|(name, rest)| {
            Some((name.strip_suffix(REST)?.to_owned(), keccak256([rest.runtime.as_slice()])))
        })
        .collect();
    for (name, hash) in rests {
        let Some(verifier) = contracts.get_mut(&name) else { continue };
        for place in std::mem::take(&mut verifier.immutables) {
            if let Some(bytes) = verifier.runtime.get_mut(place).filter(|bytes| bytes.len() == hash.0.len()) {
                bytes.copy_from_slice(&hash.0);
            }
        }
    }
}

/// All places of all immutables, in order.
fn immutables(references: &Value) -> Vec<Range<usize>> {
    let places =
        references.as_object().into_iter().flatten().flat_map(|(_, places)| places.as_array()).flatten();
    let place = |place: &Value| {
        let number = |name: &str| usize::try_from(place[name].as_u64()?).ok();
        let start = number("start")?;
        Some(start..start.checked_add(number("length")?)?)
    };
    let mut ranges: Vec<_> = places.filter_map(place).collect();
    ranges.sort_by_key(|range| range.start);
    ranges
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

#[cfg(test)]
mod tests;
