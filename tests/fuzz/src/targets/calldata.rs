//! What contracts and nodes send: proof blobs, logs, answers, reasons of reverts.

use crate::targets::proof::SAMPLES;
use std::sync::LazyLock;
use zkml_contracts::{
    AbiError,
    errors::describe,
    requests::{
        INFERENCE_ACCEPTED, INFERENCE_FULFILLED, INFERENCE_REQUESTED, InferenceAccepted, InferenceFulfilled,
        InferenceRequested, REQUEST_CANCELLED, RequestCancelled, RequestState, topic,
    },
};
use zkml_protocol::{
    Word, binding,
    envelope::{Envelope, Shape},
};

static SHAPES: LazyLock<Vec<Shape>> =
    LazyLock::new(|| SAMPLES.iter().filter_map(|sample| Shape::of(&sample.program).ok()).collect());

/// The first byte says which reader the others are for, and which sums are to be right.
pub(crate) fn calldata(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    match choice >> 6 {
        0 | 1 => envelope(*choice, data),
        2 => logs(*choice, data),
        _ => {
            let _ = (describe(data), RequestState::decode(data));
        }
    }
}

fn envelope(choice: u8, data: &[u8]) {
    let shape = &SHAPES[usize::from(choice & 7) % SHAPES.len()];
    let mut blob = data.to_vec();
    if choice & 8 != 0 && blob.len() >= 4 {
        blob[..4].copy_from_slice(&shape.selector());
    }
    if choice & 16 != 0 {
        blob.resize(shape.blob_length(), 0);
        let words: Vec<Word> =
            blob[68 + shape.proof_length..].as_chunks().0.iter().map(|word| Word(*word)).collect();
        blob[4..36].copy_from_slice(&binding::public_data_commitment(&words).0);
    }
    let Ok(envelope) = Envelope::decode(shape, &blob) else { return };
    assert_eq!(envelope.encode(), blob, "one statement, one blob");
    let model = shape.weights_are_committed.then_some(Word::ONE);
    let outputs = vec![Word::ONE; shape.outputs];
    let instances = envelope.instances(shape, model, &outputs).expect("lengths fit");
    let again = Envelope::new(shape, &instances, &envelope.proof).expect("lengths fit");
    assert_eq!(again, envelope, "the statement gives another blob");
}

/// Up to four topics, the first that of an event where `choice` says so, and the data.
fn logs(choice: u8, data: &[u8]) {
    let events = [INFERENCE_REQUESTED, INFERENCE_FULFILLED, REQUEST_CANCELLED, INFERENCE_ACCEPTED];
    let count = usize::from(choice & 7).min(5);
    let (words, rest) = data.as_chunks::<32>();
    let mut topics: Vec<Word> = words.iter().take(count).map(|word| Word(*word)).collect();
    let data = if words.len() > count { &data[32 * count..] } else { rest };
    if let (Some(first), true) = (topics.first_mut(), choice & 32 == 0) {
        *first = topic(events[usize::from(choice >> 3) & 3]);
    }
    // A request's id is a hash of it: the second time it is right.
    if let Err(AbiError::RequestId { expected, .. }) = InferenceRequested::decode(&topics, data) {
        topics[1] = expected;
        let asked = InferenceRequested::decode(&topics, data).expect("the id was all that was wrong");
        assert_eq!(asked.request.id(), expected);
    }
    let _ = InferenceFulfilled::decode(&topics, data);
    let _ = RequestCancelled::decode(&topics, data);
    let _ = InferenceAccepted::decode(&topics, data);
}
