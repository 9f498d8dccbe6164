//! Why a call cannot be encoded, or what a contract said not be read.

use zkml_protocol::Word;

/// An error of encoding or decoding; each names the thing and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AbiError {
    /// The proof does not have the length that the program's layout gives.
    #[error(
        "the proof has {actual} bytes, but this program's proofs have {expected}: it belongs to another circuit or is truncated"
    )]
    ProofLength {
        /// Bytes given.
        actual: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// The number of instances is not the program's.
    #[error("{actual} instances were given, but this program has {expected}: they belong to another circuit")]
    InstanceCount {
        /// Instances given.
        actual: usize,
        /// Instances expected.
        expected: usize,
    },
    /// The weights are public, so that no other model can take over.
    #[error(
        "the weights of {model:?} are public and part of its verifying key: its consumer stays with it and takes no delay for moving to another model"
    )]
    DelayUnused {
        /// The model's name.
        model: String,
    },
    /// The delay is shorter than consumers take.
    #[error(
        "a delay of {delay} s is too short for whoever relies on the model to notice: consumers take {least} s or more, or none, which fixes the model for good"
    )]
    DelayTooShort {
        /// The delay, in seconds.
        delay: u64,
        /// The shortest one.
        least: u64,
    },
    /// A log is not of the event that was asked for.
    #[error(
        "the log's first topic is {}, which is not the event `{event}`: ask the node for logs of this event only",
        topic.map_or_else(|| "missing".to_owned(), |topic| topic.to_string())
    )]
    OtherEvent {
        /// The event's signature.
        event: &'static str,
        /// The log's first topic, if it has one.
        topic: Option<Word>,
    },
    /// A log has more or fewer topics than its event.
    #[error(
        "a log of `{event}` has {actual} topics, and the event {expected}: the contract is not one of this toolkit, or the node's answer is damaged"
    )]
    LogTopics {
        /// The event's signature.
        event: &'static str,
        /// Topics of the log.
        actual: usize,
        /// Topics of the event.
        expected: usize,
    },
    /// The data of a log does not decode.
    #[error(
        "a log of `{event}` does not decode: {problem} (word {word}, {length} bytes of data); the contract is not one of this toolkit, or the node's answer is damaged"
    )]
    LogData {
        /// The event's signature.
        event: &'static str,
        /// What is wrong.
        problem: &'static str,
        /// Which word, counted over topics behind the first one and then data.
        word: usize,
        /// Bytes of data that the log has.
        length: usize,
    },
    /// The id of a request is not the hash of what the log says about it.
    #[error(
        "a log names the request {actual}, but what it says about it hashes to {expected}: the contract makes ids in another way, so a proof for this request would be refused"
    )]
    RequestId {
        /// The id that the log names.
        actual: Word,
        /// The id that belongs to its contents.
        expected: Word,
    },
    /// A contract answered with something that is not a state of a request.
    #[error("`requestState` answered 0x{}, which is no state of a request: the address is not a contract that takes requests", hex::encode(.answer))]
    RequestState {
        /// What it answered.
        answer: Vec<u8>,
    },
    /// The id of a posted result is not the hash of what the log says about it.
    #[error(
        "a log names the result {actual}, but what it says about it hashes to {expected}: the contract makes ids in another way, or the log is made up"
    )]
    ResultId {
        /// The id that the log names.
        actual: Word,
        /// The id that belongs to its contents.
        expected: Word,
    },
    /// A contract answered with something that is not a status of a posted result.
    #[error("`statusOf` answered 0x{}, which is no status of a result: the address is not a contract that takes results under policies", hex::encode(.answer))]
    ResultStatus {
        /// What it answered.
        answer: Vec<u8>,
    },
    /// The proof or the statement is not of this program.
    #[error(transparent)]
    Envelope(#[from] zkml_protocol::envelope::EnvelopeError),
}
