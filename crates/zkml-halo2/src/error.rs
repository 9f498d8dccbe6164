//! What can go wrong while planning, generating keys, proving and reading files.

use std::path::PathBuf;

use zkml_graph::GraphError;

/// Errors of the halo2 back end.
#[derive(Debug, thiserror::Error)]
pub enum ProverError {
    /// A sum of products could wrap around the field.
    #[error(
        "`{label}`: its sums could reach 2^{bits}, beyond the 2^{limit} that a field element holds; lower the \
         bit budget or rescale its operands first"
    )]
    FieldOverflow {
        /// Node that stated the relation.
        label: String,
        /// Bits that the sums could need.
        bits: u32,
        /// Bits that are available.
        limit: u32,
    },
    /// Nothing confines a variable whose integer value matters.
    #[error(transparent)]
    Unconfined(#[from] zkml_graph::intervals::Unconfined),
    /// A range is too wide for the layout.
    #[error("`{label}`: a range of 2^{bits} is wider than the 2^{limit} supported")]
    RangeTooWide {
        /// Node that stated the relation.
        label: String,
        /// Bits asked for.
        bits: u32,
        /// Bits supported.
        limit: u32,
    },
    /// A relation that this back end cannot lay out.
    #[error("`{label}`: {detail}")]
    Unsupported {
        /// Node that stated the relation.
        label: String,
        /// Why.
        detail: String,
    },
    /// The layout does not state what it should; see `certificate`.
    #[error(
        "`{label}`: the layout does not state {relation}: {detail}; a proof could claim anything about it, so no key is \
         made. This is a defect of the toolkit: please report it with the model"
    )]
    Uncertified {
        /// Node that stated the relation.
        label: String,
        /// The relation.
        relation: String,
        /// The missing part.
        detail: String,
    },
    /// No layout fits into the largest circuit considered.
    #[error(
        "the model needs more than 2^{max_k} rows in every layout considered (best: {rows} rows); \
         use a smaller model or input"
    )]
    TooLarge {
        /// Largest binary logarithm of rows that was considered.
        max_k: u32,
        /// Rows of the best layout.
        rows: usize,
    },
    /// The ledger of the relations is not one of this model.
    #[error(
        "{0}; a proof could claim anything about what it leaves out, so no key is made. This is a defect of the toolkit: \
         please report it with the model"
    )]
    Ledger(#[from] zkml_graph::ledger::LedgerError),
    /// The header of a file of keys cannot be read.
    #[error("{path}: its header cannot be read ({source}); make the keys again", path = .path.display())]
    BadHeader {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: postcard::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {detail}", path = .path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and the way out.
        detail: String,
    },
    /// A trusted setup that is not good, or a file of keys that is damaged.
    #[error(transparent)]
    Srs(#[from] zkml_srs::Error),
    /// Reading or writing failed.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The values do not satisfy the model.
    #[error(transparent)]
    Graph(Box<GraphError>),
    /// The witness does not fit the system it is for.
    #[error("the witness does not fit this model: {0}")]
    Witness(String),
    /// A key belongs to another model, plan or trusted setup.
    #[error(
        "{what} belongs to another model or setup (expected {expected}, found {found}); run `zkml-chain setup` again"
    )]
    Mismatch {
        /// Which thing.
        what: &'static str,
        /// Digest expected.
        expected: String,
        /// Digest found.
        found: String,
    },
    /// The halo2 library refused.
    #[error("proof system: {0}")]
    Halo2(#[from] halo2_proofs::plonk::Error),
    /// The key has no verifier program.
    #[error("proof system: {0}")]
    Program(#[from] crate::program::DeriveError),
    /// A proof did not verify.
    #[error("the proof does not verify: {0}")]
    Rejected(#[from] Refusal),
    /// The environment changes the constraint system.
    #[error("the environment variable MAX_DEGREE is set to {0}, which the proof system reads; unset it")]
    Environment(String),
}

/// The reason why a proof does not verify.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There are more or fewer public values than the model has.
    #[error("it has {got} public values, not {expected}")]
    Instances {
        /// Number that the model has.
        expected: u32,
        /// Number that came with the proof.
        got: usize,
    },
    /// A public value is no field element.
    #[error("a public value is not below the field's modulus")]
    Modulus,
    /// Bytes follow the proof.
    #[error("it has bytes left over")]
    Rest,
    /// The verifier of halo2 refuses it.
    #[error(transparent)]
    Halo2(#[from] halo2_proofs::plonk::Error),
}

impl From<GraphError> for ProverError {
    fn from(e: GraphError) -> Self {
        Self::Graph(Box::new(e))
    }
}

/// Short form of results of this crate.
pub type Result<T> = std::result::Result<T, ProverError>;
