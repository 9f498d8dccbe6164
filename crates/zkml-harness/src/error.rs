//! Everything that can go wrong between a Solidity source and a verdict of the local EVM.

use std::path::PathBuf;

/// An error of the harness; each names the thing and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// The `node` program could not be started.
    #[error(
        "Node.js could not be started as `{program}`: install Node 18 or newer, or set ZKML_NODE to its path"
    )]
    NodeMissing {
        /// The program that was tried.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No folder in the search path holds the `solc` npm package.
    #[error(
        "the npm package `solc` was not found in {}: run `npm ci` in the project folder, or set ZKML_SOLC to a folder that holds node_modules/solc",
        list(.searched)
    )]
    SolcMissing {
        /// The folders that were searched.
        searched: Vec<PathBuf>,
    },
    /// The compiler that was found is not the pinned one.
    #[error(
        "solc at {} is version {found}, but {wanted} is pinned: run `npm ci` in the project folder",
        .path.display()
    )]
    SolcVersion {
        /// Where the compiler is.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The pinned version.
        wanted: &'static str,
    },
    /// A package that contracts import is not there.
    #[error(
        "`{import}` was not found: the npm package `{package}` is missing in {}; run `npm ci` in the project folder",
        .modules.display()
    )]
    PackageMissing {
        /// The package.
        package: String,
        /// What was imported from it.
        import: String,
        /// The folder in which the compiler was found.
        modules: PathBuf,
    },
    /// A package that contracts import is not the pinned one.
    #[error(
        "the npm package `{package}` in {} has version {found}, but {wanted} is pinned: run `npm ci` in the project folder",
        .modules.display()
    )]
    PackageVersion {
        /// The package.
        package: &'static str,
        /// The folder in which it was found.
        modules: PathBuf,
        /// Its version.
        found: String,
        /// The pinned version.
        wanted: &'static str,
    },
    /// Node ended without an answer.
    #[error("solc ended without an answer: {stderr}")]
    SolcCrashed {
        /// The last lines of what it wrote to its error stream.
        stderr: String,
    },
    /// The sources do not compile.
    #[error("the Solidity compiler refused the sources:\n{}", .messages.join("\n"))]
    Compile {
        /// The compiler's own messages.
        messages: Vec<String>,
    },
    /// The compiled sources do not hold the contract that was asked for.
    #[error("no contract named `{name}` among the compiled ones ({})", .known.join(", "))]
    NoSuchContract {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// Runtime or creation code is larger than a chain accepts.
    #[error("{name} has {size} bytes of code, but a chain allows {limit} (EIP-170, EIP-3860)")]
    CodeTooLarge {
        /// The contract.
        name: String,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A contract's constructor reverted or ran out of gas.
    #[error("the deployment failed after {gas} gas: {reason}")]
    DeployFailed {
        /// The decoded revert or halt.
        reason: String,
        /// Gas used.
        gas: u64,
    },
    /// The EVM refused the transaction before it ran.
    #[error("the EVM refused the transaction: {0}")]
    Transaction(Box<dyn std::error::Error + Send + Sync>),
    /// A contract of the stack did not do what it was asked to.
    #[error("`{function}` was to be done, but the answer was: {answer}")]
    Call {
        /// The function.
        function: &'static str,
        /// The decoded answer.
        answer: String,
    },
    /// The generated contract gave a wrong verdict, so it must not be written.
    #[error("the generated verifier failed its self-check ({check}): {detail}; nothing was written")]
    SelfCheck {
        /// Which check.
        check: &'static str,
        /// What happened instead.
        detail: String,
    },
    /// The statement is not one of the program.
    #[error(transparent)]
    Envelope(#[from] zkml_protocol::envelope::EnvelopeError),
    /// A call could not be encoded, or what a contract said not be read.
    #[error(transparent)]
    Abi(#[from] zkml_contracts::AbiError),
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
