//! Between the service and whoever makes proofs.

use tokio::task::JoinError;
use zkml_contracts::acceptance::Posted;
use zkml_protocol::{Word, binding::Request};

/// A proof that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The request's id.
    pub id: Word,
    /// What was asked for.
    pub request: Request,
    /// The words of public inputs, as whoever asked gave them; empty for committed ones.
    pub input: Vec<u8>,
    /// What the proof must be bound to.
    pub context: Word,
}

/// A proof of a posted result that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultJob {
    /// The result's id.
    pub id: Word,
    /// The result.
    pub result: Posted,
    /// What the proof must be bound to.
    pub context: Word,
}

/// A proof, as the contract takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The words of the output section.
    pub output: Vec<u8>,
    /// The proof's envelope.
    pub blob: Vec<u8>,
}

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProveFailure {
    /// No proof, ever: the input is not what the request says, or is out of the model's range.
    Permanent(String),
    /// No proof yet: the input is not there, or the machine is short of something.
    Later(String),
}

impl ProveFailure {
    /// A prover that ended without an answer. What it said while it panicked may hold values of inputs, and reasons are seen by many.
    pub(crate) fn ended(error: &JoinError) -> Self {
        let how = if error.is_panic() { "panicked" } else { "was stopped" };
        Self::Later(format!("the prover {how}"))
    }
}

/// Whoever makes proofs. It may take minutes, and is called from several threads.
pub trait Prover: Send + Sync + 'static {
    /// Says what a request of this id waits for before it can be proven, if anything. It is asked about many requests in every round, so it
    /// answers at once.
    fn missing(&self, id: &Word, request: &Request, input: &[u8]) -> Option<String> {
        let _ = (id, request, input);
        None
    }

    /// Makes a proof, or says why there is none.
    ///
    /// # Errors
    /// [`ProveFailure`].
    fn prove(&self, job: &Job) -> Result<Proven, ProveFailure>;

    /// Says what a result waits for before it can be proven, if anything; as [`Prover::missing`].
    fn missing_of_result(&self, poster: &[u8; 20], data_commitment: &Word) -> Option<String> {
        let _ = (poster, data_commitment);
        None
    }

    /// Proves a posted result, or says why there is no proof.
    ///
    /// # Errors
    /// [`ProveFailure`]; permanent where the result is not what the model gives.
    fn prove_result(&self, job: &ResultJob) -> Result<Proven, ProveFailure> {
        Err(ProveFailure::Permanent(format!("nobody here proves results, and {} is one", job.id)))
    }

    /// Those who make the proofs in its place, if it has any.
    fn fleet(&self) -> Option<&dyn Fleet> {
        None
    }
}

/// Workers elsewhere, who take tasks from the journal's queue. It may take seconds, and is called from several threads.
pub trait Fleet: Send + Sync {
    /// Number of tasks that are in the queue at a time: enough for all workers, and few enough that whose turn it is stays ours to say.
    fn backlog(&self) -> u64;

    /// The fleet's public key that inputs are sealed for, in hexadecimal digits; empty if there is none.
    fn seals_for(&self) -> String {
        String::new()
    }

    /// Tasks that come to a proof. What is private is sealed, and somewhere else, before they are returned.
    ///
    /// # Errors
    /// [`ProveFailure`].
    fn pack(&self, job: &Job) -> Result<Vec<Part>, ProveFailure>;

    /// The proof that a worker made, checked: a worker is believed nothing.
    ///
    /// # Errors
    /// Why it is none.
    fn open(&self, job: &Job, result: &[u8]) -> Result<Proven, String>;

    /// Takes away inputs that were sealed for a request: they are of no use any more.
    fn forget(&self, request: &Word);
}

/// A task, as a fleet packs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// 0 is the whole, or what makes one proof of parts 1, 2 and so on.
    pub part: u32,
    /// Number of parts that have to be done before.
    pub parts: u32,
    /// Digest of the artifacts that it takes, in hexadecimal digits.
    pub program: String,
    /// Number of bytes that proving takes.
    pub memory: u64,
    /// The fleet's public key that its input is sealed for, in hexadecimal digits; empty if nothing is.
    pub sealed_for: String,
    /// All that a worker is told.
    pub job: Vec<u8>,
}
