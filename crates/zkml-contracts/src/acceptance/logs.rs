//! Events of results.

use zkml_protocol::Word;

use super::{Policy, Posted};
use crate::{
    AbiError,
    log::{Log, topic},
};

/// The event of a posted result.
pub const RESULT_POSTED: &str = "ResultPosted(bytes32,address,address,(address,address,uint256,uint256,bytes32,bytes32,bytes32,uint256),(uint8,uint8,uint8,uint32,uint32,uint64,uint256,uint256,address,address,address,address),bytes)";
/// The event of signatures that are enough.
pub const RESULT_ATTESTED: &str = "ResultAttested(bytes32)";
/// The event of a demanded proof.
pub const RESULT_CHALLENGED: &str = "ResultChallenged(bytes32,address,uint256)";
/// The event of a result that was drawn, or spared.
pub const RESULT_DRAWN: &str = "ResultDrawn(bytes32,bool,uint256)";
/// The event of a proof that was taken.
pub const RESULT_PROVEN: &str = "ResultProven(bytes32)";
/// The event of a result that counts.
pub const RESULT_ACCEPTED: &str = "ResultAccepted(bytes32)";
/// The event of a proof that did not come.
pub const RESULT_LOST: &str = "ResultLost(bytes32,address)";
/// The event of a result that counts for nothing.
pub const RESULT_VOIDED: &str = "ResultVoided(bytes32)";

/// An event of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "most results are posted, and nothing else happens to them")]
pub enum ResultEvent {
    /// It was posted.
    Posted {
        /// Its id, which is the hash of result and policy.
        id: Word,
        /// The result.
        result: Posted,
        /// Its policy.
        policy: Policy,
        /// The words of the output section.
        output: Vec<u8>,
    },
    /// Enough keys have signed it.
    Attested {
        /// Its id.
        id: Word,
    },
    /// Its proof was demanded.
    Challenged {
        /// Its id.
        id: Word,
        /// The account that demands it.
        challenger: [u8; 20],
        /// Last block time at which it may come.
        until: u64,
    },
    /// It was drawn, or spared.
    Drawn {
        /// Its id.
        id: Word,
        /// Last block time at which its proof may come; none if it was spared.
        until: Option<u64>,
    },
    /// It was proven.
    Proven {
        /// Its id.
        id: Word,
    },
    /// It counts.
    Accepted {
        /// Its id.
        id: Word,
    },
    /// Its proof did not come.
    Lost {
        /// Its id.
        id: Word,
        /// The account that had demanded it; zero if it was drawn.
        challenger: [u8; 20],
    },
    /// It counts for nothing, and bond and deposit are back.
    Voided {
        /// Its id.
        id: Word,
    },
}

impl ResultEvent {
    /// Signatures of all of them.
    pub const ALL: [&'static str; 8] = [
        RESULT_POSTED,
        RESULT_ATTESTED,
        RESULT_CHALLENGED,
        RESULT_DRAWN,
        RESULT_PROVEN,
        RESULT_ACCEPTED,
        RESULT_LOST,
        RESULT_VOIDED,
    ];

    /// The result that it is about.
    #[must_use]
    pub fn id(&self) -> Word {
        match self {
            Self::Posted { id, .. }
            | Self::Attested { id }
            | Self::Challenged { id, .. }
            | Self::Drawn { id, .. }
            | Self::Proven { id }
            | Self::Accepted { id }
            | Self::Lost { id, .. }
            | Self::Voided { id } => *id,
        }
    }

    /// Reads a log of a contract on a chain, whose ids cover both.
    ///
    /// # Errors
    /// [`AbiError::OtherEvent`], [`AbiError::LogTopics`] or [`AbiError::LogData`] if it is no log of these events, [`AbiError::ResultId`] if
    /// its id is not that of its contents.
    pub fn decode(topics: &[Word], data: &[u8], chain_id: u64, consumer: [u8; 20]) -> Result<Self, AbiError> {
        let first = topics.first().copied();
        let event = Self::ALL.into_iter().find(|event| Some(topic(event)) == first);
        let event = event.ok_or(AbiError::OtherEvent { event: RESULT_POSTED, topic: first })?;
        let log = Log { event, data };
        match event {
            RESULT_POSTED => return posted(&log, topics, chain_id, consumer),
            RESULT_CHALLENGED => {
                let ([id, challenger], [until]) = (log.topics(topics)?, log.words()?);
                return Ok(Self::Challenged {
                    id,
                    challenger: log.address(1, challenger)?,
                    until: time(&log, 2, until)?,
                });
            }
            RESULT_DRAWN => {
                let ([id], [due, until]) = (log.topics(topics)?, log.words()?);
                let until = match time(&log, 1, due)? {
                    0 => None,
                    1 => Some(time(&log, 2, until)?),
                    _ => return Err(log.malformed(1, "a flag is neither true nor false")),
                };
                return Ok(Self::Drawn { id, until });
            }
            RESULT_LOST => {
                let ([id, challenger], []) = (log.topics(topics)?, log.words()?);
                return Ok(Self::Lost { id, challenger: log.address(1, challenger)? });
            }
            _ => {}
        }
        let ([id], []) = (log.topics(topics)?, log.words()?);
        Ok(match event {
            RESULT_ATTESTED => Self::Attested { id },
            RESULT_PROVEN => Self::Proven { id },
            RESULT_ACCEPTED => Self::Accepted { id },
            _ => Self::Voided { id },
        })
    }
}

fn posted(
    log: &Log<'_>,
    topics: &[Word],
    chain_id: u64,
    consumer: [u8; 20],
) -> Result<ResultEvent, AbiError> {
    const HEAD: usize = Posted::WORDS + Policy::WORDS;
    let [id, subject, poster] = log.topics(topics)?;
    let head = log.head::<{ HEAD + 1 }>()?;
    let (result, rest) = head.split_first_chunk::<{ Posted::WORDS }>().unwrap_or((&[Word::ZERO; 8], &[]));
    let policy = rest.first_chunk::<{ Policy::WORDS }>().unwrap_or(&[Word::ZERO; 12]);
    let beyond = |word| log.malformed(word, "a number or an address is larger than its type");
    let result = Posted::of_words(*result).ok_or_else(|| beyond(3))?;
    let policy = Policy::of_words(*policy).ok_or_else(|| beyond(3 + Posted::WORDS))?;
    if (log.address(1, subject)?, log.address(2, poster)?) != (result.subject, result.poster) {
        return Err(log.malformed(1, "subject or poster is another than the indexed one"));
    }
    let output = log.bytes(HEAD + 1, head[HEAD])?.to_vec();
    let expected = result.id(&policy, chain_id, consumer);
    if id != expected {
        return Err(AbiError::ResultId { actual: id, expected });
    }
    if zkml_protocol::keccak256([output.as_slice()]) != result.output_hash {
        return Err(log.malformed(HEAD, "the output is not what the result hashes"));
    }
    Ok(ResultEvent::Posted { id, result, policy, output })
}

fn time(log: &Log<'_>, index: usize, word: Word) -> Result<u64, AbiError> {
    crate::log::small(&word.0).ok_or_else(|| log.malformed(index, "a number is larger than its type"))
}
