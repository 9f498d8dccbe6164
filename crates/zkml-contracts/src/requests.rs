//! Requests for inferences and their fulfilment: calls of `ZKMLRequests` and generated `<Model>RequestConsumer`s, and
//! what their logs say. Logs come from nodes that may say anything: each is decoded in its one canonical form, or refused.

mod rewards;

use zkml_protocol::{
    Word,
    binding::{Request, address_word},
};

use crate::{
    AbiError, Submission,
    abi::{self, Arg},
    errors,
    log::Log,
};

pub use crate::log::topic;
pub use rewards::{
    CALLBACK_FAILED, REWARD_EARNED, REWARDED_INFERENCE_REQUESTED, RewardEarned, RewardedInferenceRequested,
    fulfill_rewarded, funds_of, reclaim_reward, request_rewarded, withdraw,
};

/// The event of a request.
pub const INFERENCE_REQUESTED: &str =
    "InferenceRequested(uint256,address,uint256,uint256,bytes32,bytes32,bytes)";
/// The event of its fulfilment.
pub const INFERENCE_FULFILLED: &str = "InferenceFulfilled(uint256,address,address)";
/// The event of its withdrawal.
pub const REQUEST_CANCELLED: &str = "RequestCancelled(uint256)";
/// The event of every accepted inference, of a request or not.
pub const INFERENCE_ACCEPTED: &str = "InferenceAccepted(address,uint256,bytes32,bytes32)";

const REQUEST_INFERENCE: &str = "requestInference(bytes32,uint256,bytes32,bytes,bytes)";
const FULFILL_INFERENCE: &str = "fulfillInference((address,uint256,uint256,bytes32,bytes32),bytes,bytes)";
const CANCEL_REQUEST: &str = "cancelRequest((address,uint256,uint256,bytes32,bytes32))";

/// Calldata of `requestInference(action, deadline, dataCommitment, input, provenance)` of a generated contract, for the
/// sender.
#[must_use]
pub fn request_inference(
    action: Word,
    deadline: Word,
    data_commitment: Word,
    input: &[u8],
    provenance: &[u8],
) -> Vec<u8> {
    let [action, deadline, data] = [action, deadline, data_commitment].map(Arg::Word);
    abi::call(REQUEST_INFERENCE, &[action, deadline, data, Arg::Bytes(input), Arg::Bytes(provenance)])
}

/// Calldata of `fulfillInference(request, output, proof)`, which anybody may send.
#[must_use]
pub fn fulfill_inference(request: &Request, submission: &Submission) -> Vec<u8> {
    // A struct whose members all fill one word lies in the head, as if its members were arguments.
    let mut arguments = Vec::from(members(request).map(Arg::Word));
    arguments.extend([Arg::Bytes(&submission.output), Arg::Bytes(&submission.blob)]);
    abi::call(FULFILL_INFERENCE, &arguments)
}

/// Calldata of `cancelRequest(request)`, which the subject alone may send.
#[must_use]
pub fn cancel_request(request: &Request) -> Vec<u8> {
    abi::call(CANCEL_REQUEST, &members(request).map(Arg::Word))
}

/// Calldata of the view `requestState(requestId)`; [`RequestState::decode`] reads the answer.
#[must_use]
pub fn request_state(id: Word) -> Vec<u8> {
    abi::call("requestState(uint256)", &[Arg::Word(id)])
}

/// Calldata of the view `requestCount()`.
#[must_use]
pub fn request_count() -> Vec<u8> {
    errors::selector("requestCount()").to_vec()
}

/// Calldata of `pause()`, which the owner alone may send.
#[must_use]
pub fn pause() -> Vec<u8> {
    errors::selector("pause()").to_vec()
}

/// Calldata of `unpause()`, which the owner alone may send.
#[must_use]
pub fn unpause() -> Vec<u8> {
    errors::selector("unpause()").to_vec()
}

/// Calldata of the view `paused()`.
#[must_use]
pub fn paused() -> Vec<u8> {
    errors::selector("paused()").to_vec()
}

fn members(request: &Request) -> [Word; 5] {
    let Request { subject, sequence, deadline, action, data_commitment } = *request;
    [address_word(&subject), sequence, deadline, action, data_commitment]
}

/// Where a request stands; it only ever moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestState {
    /// The contract knows no such request.
    None,
    /// It waits for a proof.
    Pending,
    /// A proof was taken.
    Fulfilled,
    /// Its subject has withdrawn it.
    Cancelled,
}

impl RequestState {
    /// Reads what `requestState` answered.
    ///
    /// # Errors
    /// [`AbiError::RequestState`] if it is not one of the four.
    pub fn decode(answer: &[u8]) -> Result<Self, AbiError> {
        match answer.split_last() {
            Some((state @ 0..=3, rest)) if rest.len() == 31 && rest.iter().all(|byte| *byte == 0) => {
                Ok([Self::None, Self::Pending, Self::Fulfilled, Self::Cancelled][usize::from(*state)])
            }
            _ => Err(AbiError::RequestState { answer: answer.to_vec() }),
        }
    }
}

/// Somebody asks for an inference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferenceRequested {
    /// The id, which is the hash of the request.
    pub id: Word,
    /// What is asked for.
    pub request: Request,
    /// The words of the input section where inputs are public; empty where they are committed.
    pub input: Vec<u8>,
}

impl InferenceRequested {
    /// Reads a log.
    ///
    /// # Errors
    /// [`AbiError::OtherEvent`], [`AbiError::LogTopics`] or [`AbiError::LogData`] if it is not a log of this
    /// event, [`AbiError::RequestId`] if its id is not that of its contents.
    pub fn decode(topics: &[Word], data: &[u8]) -> Result<Self, AbiError> {
        let log = Log { event: INFERENCE_REQUESTED, data };
        let [id, subject] = log.topics(topics)?;
        let subject = log.address(0, subject)?;
        let [sequence, deadline, action, data_commitment, offset] = log.head()?;
        let input = log.bytes(5, offset)?.to_vec();
        let request = Request { subject, sequence, deadline, action, data_commitment };
        let expected = request.id();
        if id != expected {
            return Err(AbiError::RequestId { actual: id, expected });
        }
        Ok(Self { id, request, input })
    }
}

/// A request was fulfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InferenceFulfilled {
    /// The request's id.
    pub id: Word,
    /// Who had asked.
    pub subject: [u8; 20],
    /// Who handed the proof in.
    pub fulfiller: [u8; 20],
}

impl InferenceFulfilled {
    /// Reads a log.
    ///
    /// # Errors
    /// [`AbiError::OtherEvent`], [`AbiError::LogTopics`] or [`AbiError::LogData`] if it is not a log of this
    /// event.
    pub fn decode(topics: &[Word], data: &[u8]) -> Result<Self, AbiError> {
        let log = Log { event: INFERENCE_FULFILLED, data };
        let [id, subject, fulfiller] = log.topics(topics)?;
        let [] = log.words()?;
        Ok(Self { id, subject: log.address(1, subject)?, fulfiller: log.address(2, fulfiller)? })
    }
}

/// A request was withdrawn by its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestCancelled {
    /// The request's id.
    pub id: Word,
}

impl RequestCancelled {
    /// Reads a log.
    ///
    /// # Errors
    /// [`AbiError::OtherEvent`], [`AbiError::LogTopics`] or [`AbiError::LogData`] if it is not a log of this
    /// event.
    pub fn decode(topics: &[Word], data: &[u8]) -> Result<Self, AbiError> {
        let log = Log { event: REQUEST_CANCELLED, data };
        let ([id], []) = (log.topics(topics)?, log.words()?);
        Ok(Self { id })
    }
}

/// A consumer took an inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InferenceAccepted {
    /// Whom it is about.
    pub subject: [u8; 20],
    /// The subject's nonce, or the id of the request.
    pub nonce: Word,
    /// What it was made for.
    pub action: Word,
    /// The commitment to its input.
    pub data_commitment: Word,
}

impl InferenceAccepted {
    /// Reads a log.
    ///
    /// # Errors
    /// [`AbiError::OtherEvent`], [`AbiError::LogTopics`] or [`AbiError::LogData`] if it is not a log of this
    /// event.
    pub fn decode(topics: &[Word], data: &[u8]) -> Result<Self, AbiError> {
        let log = Log { event: INFERENCE_ACCEPTED, data };
        let [subject] = log.topics(topics)?;
        let [nonce, action, data_commitment] = log.words()?;
        Ok(Self { subject: log.address(0, subject)?, nonce, action, data_commitment })
    }
}

#[cfg(test)]
mod tests;
