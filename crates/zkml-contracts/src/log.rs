//! Logs in their one canonical form: they come from nodes that may say anything.

use zkml_protocol::{Word, keccak256};

use crate::AbiError;

/// The first topic of an event's logs.
#[must_use]
pub fn topic(event: &str) -> Word {
    keccak256([event.as_bytes()])
}

/// A log's data, and which event it is to be read as.
pub(crate) struct Log<'a> {
    pub(crate) event: &'static str,
    pub(crate) data: &'a [u8],
}

impl<'a> Log<'a> {
    pub(crate) fn malformed(&self, word: usize, problem: &'static str) -> AbiError {
        AbiError::LogData { event: self.event, problem, word, length: self.data.len() }
    }

    /// The indexed arguments.
    pub(crate) fn topics<const N: usize>(&self, topics: &[Word]) -> Result<[Word; N], AbiError> {
        let event = self.event;
        match topics.split_first() {
            Some((first, indexed)) if *first == topic(event) => indexed
                .try_into()
                .map_err(|_| AbiError::LogTopics { event, actual: topics.len(), expected: N + 1 }),
            first => Err(AbiError::OtherEvent { event, topic: first.map(|(first, _)| *first) }),
        }
    }

    /// Data that is these words and nothing else.
    pub(crate) fn words<const N: usize>(&self) -> Result<[Word; N], AbiError> {
        if self.data.len() != 32 * N {
            return Err(self.malformed(N, "the data is not as long as the event's arguments"));
        }
        self.head()
    }

    /// The first words of the data.
    pub(crate) fn head<const N: usize>(&self) -> Result<[Word; N], AbiError> {
        let (chunks, _) = self.data.as_chunks::<32>();
        let words = chunks.get(..N).and_then(|words| <[[u8; 32]; N]>::try_from(words).ok());
        words.map(|words| words.map(Word)).ok_or_else(|| self.malformed(chunks.len(), "the data ends early"))
    }

    /// The one argument of changing size, which begins behind a head of so many words and ends with the data.
    pub(crate) fn bytes(&self, head: usize, offset: Word) -> Result<&'a [u8], AbiError> {
        if offset != Word::from_u64(32 * head as u64) {
            return Err(self.malformed(head - 1, "the bytes do not begin where the words end"));
        }
        let tail = self.data.get(32 * head..).and_then(|tail| tail.split_first_chunk::<32>());
        let (length, tail) = tail.ok_or_else(|| self.malformed(head, "the data ends early"))?;
        let wrong = || self.malformed(head, "the bytes are not as long as they say");
        let length = usize::try_from(small(length).ok_or_else(wrong)?).map_err(|_| wrong())?;
        if length.checked_next_multiple_of(32) != Some(tail.len()) {
            return Err(wrong());
        }
        let (bytes, padding) = tail.split_at_checked(length).ok_or_else(wrong)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(self.malformed(head + 1, "the bytes are followed by others than zeros"));
        }
        Ok(bytes)
    }

    /// An address, from the indexed argument of this number.
    pub(crate) fn address(&self, index: usize, word: Word) -> Result<[u8; 20], AbiError> {
        match word.0.split_last_chunk::<20>() {
            Some((zeros, address)) if zeros.iter().all(|byte| *byte == 0) => Ok(*address),
            _ => Err(self.malformed(index, "a topic is not an address")),
        }
    }
}

/// A word that is a small number.
pub(crate) fn small(word: &[u8; 32]) -> Option<u64> {
    let (zeros, number) = word.split_last_chunk::<8>()?;
    zeros.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*number))
}
