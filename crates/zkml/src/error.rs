//! Everything that can go wrong.

use crate::Stage;

/// Why something was not done. Each message names the thing, the number and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The observer asked for the end of the work.
    #[error("cancelled before {before:?} began")]
    Cancelled {
        /// The stage that did not begin.
        before: Stage,
    },
    /// Bytes that are not what they are taken for.
    #[error("the {what} cannot be read: {why}")]
    Malformed {
        /// What was expected.
        what: &'static str,
        /// What is wrong with it: a sentence, or what its parser says.
        why: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A verifier program that contradicts itself.
    #[cfg(feature = "verify")]
    #[error("the verifier program is unusable: {0}")]
    Program(#[from] zkml_protocol::ProgramError),
    /// A proof that is malformed, or one of another model or key.
    #[cfg(feature = "verify")]
    #[error(transparent)]
    Proof(#[from] crate::ProofError),
    /// The verdict on a proof that does not hold.
    #[cfg(feature = "verify")]
    #[error("the proof is refused: {0}")]
    Refused(#[from] crate::VerifyError),
    /// The model, its settings or its samples are refused by the front end.
    #[cfg(feature = "onnx")]
    #[error(transparent)]
    Onnx(#[from] zkml_onnx::Error),
    /// The integer model errs more than its settings tolerate.
    #[cfg(feature = "onnx")]
    #[error(
        "output `{output}` of the integer model differs from the float model by up to {error:.3e}, {times:.1} times the \
         {allowed:.1e} that is tolerated; give samples that cover what the model meets, let it have more bits, or allow it",
        output = .0.output, error = .0.error, times = .0.times(), allowed = .0.allowed
    )]
    Inaccurate(Box<zkml_onnx::Alarm>),
    /// An input that does not fit the model.
    #[cfg(feature = "prove")]
    #[error(transparent)]
    Sample(#[from] zkml_interface::SampleError),
    /// The integer graph refuses a value or bytes.
    #[cfg(feature = "prove")]
    #[error(transparent)]
    Graph(#[from] zkml_graph::GraphError),
    /// Private weights that are not those of the graph.
    #[cfg(feature = "prove")]
    #[error("the private weights: {0}")]
    Weights(#[from] crate::weights::WeightsError),
    /// The sumcheck prover.
    #[cfg(feature = "prove")]
    #[error(transparent)]
    Sumcheck(#[from] zkml_sumcheck::Error),
    /// The prover.
    #[cfg(feature = "halo2")]
    #[error(transparent)]
    Prover(#[from] zkml_halo2::ProverError),
    /// The trusted setup.
    #[cfg(feature = "prove")]
    #[error(transparent)]
    Srs(#[from] zkml_srs::Error),
    /// A value that cannot be committed to, or no randomness for its salt.
    #[cfg(feature = "prove")]
    #[error(transparent)]
    Opening(#[from] crate::opening::OpeningError),
    /// An opening is of other values than those that are proven.
    #[cfg(feature = "prove")]
    #[error(
        "the opening of `{name}` is one of other values, or of another model: an opening that was kept serves the very input \
         that it was made for"
    )]
    OtherOpening {
        /// The input, or `weights`.
        name: String,
    },
    /// A program that is not the one that follows from the model.
    #[cfg(feature = "prove")]
    #[error(
        "the verifier program is not the one of this model and setup: they give the key {derived}, it has the key {given}; \
         graph, plan and program have to come from one artifact folder, unchanged"
    )]
    OtherProgram {
        /// Digest of the program that was derived.
        derived: crate::Word,
        /// Digest of the program that was given.
        given: crate::Word,
    },
    /// A model that is planned for halo2, where there is sumcheck alone.
    #[cfg(feature = "prove")]
    #[error(
        "the model is planned for halo2, and keys that are derived from a slice of the setup are for sumcheck only, as is a library \
         that was built without its feature `halo2`: compile the model with `--backend sumcheck`"
    )]
    SumcheckOnly,
    /// The circuit came to another commitment than the opening says: a defect of the toolkit.
    #[cfg(feature = "prove")]
    #[error("`{name}` has the commitment {proven} in the proof, its opening says {opened}; please report it")]
    Disagreement {
        /// What is committed to.
        name: String,
        /// In the statement.
        proven: crate::Word,
        /// In the opening.
        opened: crate::Word,
    },
    /// The Solidity printer.
    #[cfg(feature = "evm")]
    #[error(transparent)]
    Codegen(#[from] zkml_codegen::CodegenError),
    /// A statement that does not fit the form that contracts take.
    #[cfg(feature = "evm")]
    #[error(transparent)]
    Envelope(#[from] zkml_protocol::envelope::EnvelopeError),
    /// The compiler or the local EVM.
    #[cfg(feature = "evm")]
    #[error(transparent)]
    Evm(#[from] zkml_harness::HarnessError),
    /// The contract refuses a proof that the verifier accepts: a defect of the toolkit.
    #[cfg(feature = "evm")]
    #[error("the contract refuses the proof: {0}")]
    ContractRefuses(String),
}

/// Short form of results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
