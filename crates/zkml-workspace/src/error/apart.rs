//! The reasons why two proofs do not go into one batch.

use thiserror::Error as ThisError;
use zkml_protocol::Word;

/// Why two proofs do not go into one batch.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Apart {
    /// They are about two models, of one architecture.
    #[error(
        "it is about another model: what that is registered with hashes to {found}, the other's to {expected}"
    )]
    Model {
        /// The hash that a consumer pins of this proof's model.
        found: Word,
        /// The same of the other one's.
        expected: Word,
    },
    /// They are bound to two consumers.
    #[error("it is bound to the consumer {found}, the other one to {expected}, and each takes its own alone")]
    Consumer {
        /// Address and chain of this one's.
        found: String,
        /// Address and chain of the other's.
        expected: String,
    },
    /// One is bound to a consumer, and the other to nothing.
    #[error("only one of them is bound to a consumer, which would not take the other")]
    Unbound,
    /// Both prove the same statement.
    #[error("both prove the same statement, which counts once")]
    Twice,
    /// The nonces of a subject do not count up by one.
    #[error(
        "it has nonce {found} of subject {subject}, and follows on nonce {before}: consumers take a subject's inferences by nonces that count up by one"
    )]
    Nonce {
        /// Whom both are about.
        subject: String,
        /// The nonce of this one.
        found: String,
        /// The nonce of the other one.
        before: String,
    },
}
