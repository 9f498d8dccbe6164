use super::*;
use crate::library;

fn request() -> Request {
    let word = Word::from_u64;
    Request {
        subject: [0xa1; 20],
        sequence: word(2),
        deadline: word(3),
        action: word(4),
        data_commitment: word(5),
    }
}

/// A log of the request, as solc writes it.
fn requested(input: &[u8]) -> (Vec<Word>, Vec<u8>) {
    let request = request();
    let topics = vec![topic(INFERENCE_REQUESTED), request.id(), address_word(&request.subject)];
    let [_, sequence, deadline, action, data] = members(&request).map(Arg::Word);
    (topics, abi::encode(&[sequence, deadline, action, data, Arg::Bytes(input)]))
}

#[test]
fn a_log_of_a_request_is_read() {
    for length in [0, 1, 31, 32, 33, 64] {
        let input = vec![7; length];
        let (topics, data) = requested(&input);
        let expected = InferenceRequested { id: request().id(), request: request(), input };
        assert_eq!(InferenceRequested::decode(&topics, &data).unwrap(), expected);
    }
}

/// Whatever is cut off, appended or changed: either the log is refused, or it says something else than before.
#[test]
fn a_log_has_one_spelling() {
    let (topics, data) = requested(&[7; 40]);
    let good = InferenceRequested::decode(&topics, &data).unwrap();
    for length in 0..data.len() {
        InferenceRequested::decode(&topics, &data[..length]).unwrap_err();
    }
    for more in 1..65 {
        let longer = [data.clone(), vec![0; more]].concat();
        InferenceRequested::decode(&topics, &longer).unwrap_err();
    }
    for at in 0..data.len() {
        for bit in 0..8 {
            let mut flipped = data.clone();
            flipped[at] ^= 1 << bit;
            match InferenceRequested::decode(&topics, &flipped) {
                // The id does not cover the input, its commitment does: these are its length and its bytes.
                Ok(other) => assert!(other.input != good.input && (191..232).contains(&at), "byte {at}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    for topic in 0..topics.len() {
        for at in 0..32 {
            let mut flipped = topics.clone();
            flipped[topic].0[at] ^= 1;
            InferenceRequested::decode(&flipped, &data).unwrap_err();
        }
    }
}

#[test]
fn the_errors_of_logs_name_what_is_wrong() {
    let (topics, data) = requested(&[]);
    let decode = |topics: &[Word], data: &[u8]| InferenceRequested::decode(topics, data).unwrap_err();
    assert!(matches!(decode(&[], &data), AbiError::OtherEvent { topic: None, .. }));
    let other = topic(REQUEST_CANCELLED);
    assert!(
        matches!(decode(&[other], &data), AbiError::OtherEvent { topic: Some(found), .. } if found == other)
    );
    let error = decode(&topics[..2], &data);
    assert!(matches!(error, AbiError::LogTopics { actual: 2, expected: 3, .. }), "{error}");
    let mut dirty = topics.clone();
    dirty[2].0[0] = 1;
    assert!(matches!(decode(&dirty, &data), AbiError::LogData { word: 0, length: 192, .. }));
    let mut moved = topics.clone();
    moved[1] = Word::ONE;
    let error = decode(&moved, &data);
    assert!(matches!(error, AbiError::RequestId { actual: Word::ONE, .. }), "{error}");
    // A length that no machine can hold.
    let mut huge = data.clone();
    huge[160..192].fill(0xff);
    assert!(matches!(decode(&topics, &huge), AbiError::LogData { word: 5, .. }));
    huge[160..184].fill(0);
    assert!(matches!(decode(&topics, &huge), AbiError::LogData { word: 5, .. }));
}

#[test]
fn the_other_logs_are_read_and_have_one_spelling() {
    let (id, subject, fulfiller) = (request().id(), [0xa1; 20], [0xb2; 20]);
    let [first, second] = [subject, fulfiller].map(|address| address_word(&address));
    let topics = [topic(INFERENCE_FULFILLED), id, first, second];
    let expected = InferenceFulfilled { id, subject, fulfiller };
    assert_eq!(InferenceFulfilled::decode(&topics, &[]).unwrap(), expected);
    InferenceFulfilled::decode(&topics, &[0]).unwrap_err();
    InferenceFulfilled::decode(&topics[..3], &[]).unwrap_err();
    for topic in [2, 3] {
        let mut dirty = topics;
        dirty[topic].0[11] = 1;
        InferenceFulfilled::decode(&dirty, &[]).unwrap_err();
    }

    let topics = [topic(REQUEST_CANCELLED), id];
    assert_eq!(RequestCancelled::decode(&topics, &[]).unwrap(), RequestCancelled { id });
    RequestCancelled::decode(&topics, &[0; 32]).unwrap_err();
    RequestCancelled::decode(&topics[1..], &[]).unwrap_err();

    let topics = [topic(INFERENCE_ACCEPTED), first];
    let [nonce, action, data_commitment] = [6, 7, 8].map(Word::from_u64);
    let data: Vec<u8> = [nonce, action, data_commitment].iter().flat_map(|word| word.0).collect();
    let expected = InferenceAccepted { subject, nonce, action, data_commitment };
    assert_eq!(InferenceAccepted::decode(&topics, &data).unwrap(), expected);
    InferenceAccepted::decode(&topics, &data[..95]).unwrap_err();
    InferenceAccepted::decode(&topics, &[data, vec![0]].concat()).unwrap_err();
}

#[test]
fn states_are_the_contract_s() {
    let answer = |state: u64| RequestState::decode(&Word::from_u64(state).0);
    let states =
        [RequestState::None, RequestState::Pending, RequestState::Fulfilled, RequestState::Cancelled];
    for (number, state) in (0..).zip(states) {
        assert_eq!(answer(number).unwrap(), state);
    }
    answer(4).unwrap_err();
    answer(256).unwrap_err();
    for wrong in [&[][..], &[1], &[0; 31], &[0; 33]] {
        RequestState::decode(wrong).unwrap_err();
    }
    let interface = library::source("@zkml-chain/contracts/src/interfaces/IZKMLRequests.sol").unwrap();
    let declared = interface.split_once("enum RequestState {").unwrap().1.split_once('}').unwrap().0;
    let names: Vec<_> = declared.split(',').map(str::trim).collect();
    assert_eq!(names, states.map(|state| format!("{state:?}")));
}

#[test]
fn a_request_lies_in_the_head_of_a_call() {
    let submission = Submission { blob: vec![9; 33], output: vec![8; 32], input_commitment: Word::ZERO };
    let data = fulfill_inference(&request(), &submission);
    let word = |index: usize| Word(data[4 + 32 * index..][..32].try_into().unwrap());
    assert_eq!(std::array::from_fn(word), members(&request()));
    assert_eq!([word(5), word(6)], [7 * 32, 9 * 32].map(Word::from_u64), "offsets");
    assert_eq!([word(7), word(9)], [32, 33].map(Word::from_u64), "lengths");
    assert_eq!(data.len(), 4 + 12 * 32);
    let cancelled = cancel_request(&request());
    assert_eq!(cancelled[4..], data[4..][..5 * 32]);
}

/// Signatures of functions and events, against the text of the contracts.
#[test]
fn signatures_are_the_contracts() {
    let sources = ["interfaces/IZKMLRequests.sol", "ZKMLConsumer.sol"]
        .map(|file| library::source(&format!("{}{file}", library::PREFIX)).unwrap());
    let declared = |kind: &str, signature: &str| {
        let (name, types) = signature.split_once('(').unwrap();
        let types =
            types.strip_suffix(')').unwrap().replace("(address,uint256,uint256,bytes32,bytes32)", "Request");
        sources.iter().any(|source| {
            let start = format!("{kind} {name}(");
            source.split_once(&start).and_then(|(_, rest)| rest.split_once(')')).is_some_and(|(found, _)| {
                let words = found.split(',').filter_map(|argument| argument.split_whitespace().next());
                words.collect::<Vec<_>>().join(",") == types
            })
        })
    };
    for event in [INFERENCE_REQUESTED, INFERENCE_FULFILLED, REQUEST_CANCELLED, INFERENCE_ACCEPTED] {
        assert!(declared("event", event), "{event}");
    }
    for function in [FULFILL_INFERENCE, CANCEL_REQUEST, "requestState(uint256)", "requestCount()", "pause()"]
    {
        assert!(declared("function", function), "{function}");
    }
}
