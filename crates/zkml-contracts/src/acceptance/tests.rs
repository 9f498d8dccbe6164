use super::*;
use crate::{errors, library, requests::topic};
use zkml_protocol::keccak256;

const CHAIN: u64 = 31_337;
const CONSUMER: [u8; 20] = [0xcc; 20];

fn policy() -> Policy {
    Policy {
        paths: OPTIMISTIC | SAMPLED,
        required: 2,
        signatures: 3,
        challenge_window: 300,
        answer_window: 600,
        rate: 7,
        bond: Word::from_u64(8),
        deposit: Word::from_u64(9),
        asset: [1; 20],
        beneficiary: [2; 20],
        beacon: [3; 20],
        attestors: [4; 20],
    }
}

fn result(output: &[u8]) -> Posted {
    let [nonce, deadline, action, data_commitment, model_id] = [1, 2, 3, 4, 5].map(Word::from_u64);
    let output_hash = keccak256([output]);
    Posted {
        poster: [0xa1; 20],
        subject: [0xb2; 20],
        nonce,
        deadline,
        action,
        data_commitment,
        output_hash,
        model_id,
    }
}

/// A log of a posted result, as solc writes it.
fn log_of(output: &[u8]) -> (Vec<Word>, Vec<u8>) {
    let (result, policy) = (result(output), policy());
    let mut arguments = both(&result, &policy);
    arguments.push(Arg::Bytes(output));
    let parties = [result.subject, result.poster].map(|address| address_word(&address));
    let id = result.id(&policy, CHAIN, CONSUMER);
    (vec![topic(RESULT_POSTED), id, parties[0], parties[1]], abi::encode(&arguments))
}

fn read(topics: &[Word], data: &[u8]) -> Result<ResultEvent, AbiError> {
    ResultEvent::decode(topics, data, CHAIN, CONSUMER)
}

#[test]
fn words_go_there_and_back() {
    assert_eq!(Policy::of_words(policy().words()), Some(policy()));
    assert_eq!(Posted::of_words(result(&[1]).words()), Some(result(&[1])));
    for (word, byte) in [(0, 30), (1, 0), (2, 30), (3, 27), (4, 27), (5, 23), (8, 11), (11, 0)] {
        let mut words = policy().words();
        words[word].0[byte] = 1;
        assert_eq!(Policy::of_words(words), None, "word {word}");
    }
}

#[test]
fn a_posted_result_is_read_and_has_one_spelling() {
    for length in [0, 1, 32, 64] {
        let output = vec![7; length];
        let (topics, data) = log_of(&output);
        let expected = ResultEvent::Posted {
            id: result(&output).id(&policy(), CHAIN, CONSUMER),
            result: result(&output),
            policy: policy(),
            output,
        };
        assert_eq!(read(&topics, &data).unwrap(), expected);
    }
    let (topics, data) = log_of(&[7; 40]);
    for length in 0..data.len() {
        read(&topics, &data[..length]).unwrap_err();
    }
    for at in 0..data.len() {
        let mut flipped = data.clone();
        flipped[at] ^= 1;
        assert!(read(&topics, &flipped).is_err(), "byte {at}");
    }
    for number in 0..topics.len() {
        for at in 0..32 {
            let mut flipped = topics.clone();
            flipped[number].0[at] ^= 1;
            read(&flipped, &data).unwrap_err();
        }
    }
    // The id covers chain and contract.
    assert!(matches!(ResultEvent::decode(&topics, &data, 1, CONSUMER), Err(AbiError::ResultId { .. })));
    assert!(ResultEvent::decode(&topics, &data, CHAIN, [0; 20]).is_err());
}

#[test]
fn other_events_are_read() {
    let (id, who) = (Word::from_u64(6), address_word(&[0xd4; 20]));
    let words = |numbers: &[u64]| -> Vec<u8> {
        numbers.iter().flat_map(|number| Word::from_u64(*number).0).collect()
    };
    let challenged = [topic(RESULT_CHALLENGED), id, who];
    let expected = ResultEvent::Challenged { id, challenger: [0xd4; 20], until: 99 };
    assert_eq!(read(&challenged, &words(&[99])).unwrap(), expected);
    read(&challenged, &[0xff; 32]).unwrap_err();
    let drawn = [topic(RESULT_DRAWN), id];
    for (data, until) in [([1, 99], Some(99)), ([0, 0], None)] {
        assert_eq!(read(&drawn, &words(&data)).unwrap(), ResultEvent::Drawn { id, until });
    }
    read(&drawn, &words(&[2, 0])).unwrap_err();
    let lost = ResultEvent::Lost { id, challenger: [0xd4; 20] };
    assert_eq!(read(&[topic(RESULT_LOST), id, who], &[]).unwrap(), lost);
    for (event, expected) in [
        (RESULT_ATTESTED, ResultEvent::Attested { id }),
        (RESULT_PROVEN, ResultEvent::Proven { id }),
        (RESULT_ACCEPTED, ResultEvent::Accepted { id }),
        (RESULT_VOIDED, ResultEvent::Voided { id }),
    ] {
        let found = read(&[topic(event), id], &[]).unwrap();
        assert_eq!((found.id(), found), (id, expected));
        read(&[topic(event), id], &[0]).unwrap_err();
        read(&[topic(event)], &[]).unwrap_err();
    }
    read(&[], &[]).unwrap_err();
}

#[test]
fn a_status_is_read() {
    let answer = |numbers: [u64; 5]| -> Vec<u8> {
        numbers.iter().flat_map(|number| Word::from_u64(*number).0).collect()
    };
    let status = Status::decode(&answer([2, 5, 100, 200, 7])).unwrap();
    let expected = Status { state: State::Demanded, held: 5, since: 100, until: 200, round: 7 };
    assert_eq!(status, expected);
    // The window's last second is not over.
    assert_eq!([400, 401].map(|time| Status { held: 4, ..status }.held_at(&policy(), time)), [4, 5]);
    for wrong in [answer([7, 0, 0, 0, 0]), answer([1, 256, 0, 0, 0]), vec![0; 159], vec![0; 161], vec![]] {
        Status::decode(&wrong).unwrap_err();
    }
    let interface = library::source("@zkml-chain/contracts/src/interfaces/IZKMLAcceptance.sol").unwrap();
    let declared = interface.split_once("enum State {").unwrap().1.split_once('}').unwrap().0;
    let names = declared.lines().filter(|line| !line.contains("///")).collect::<String>();
    let names: Vec<_> = names.split(',').map(str::trim).collect();
    assert_eq!(names, State::ALL.map(|state| format!("{state:?}")));
}

#[test]
fn attestations_lie_behind_the_head() {
    let each = Attestation { key_id: Word::ONE, issued_at: 2, valid_until: 3, signature: vec![4; 65] };
    let data = attest(&result(&[]), &policy(), std::slice::from_ref(&each));
    let word = |index: usize| data[4 + 32 * index..][..32].to_vec();
    let numbers = |index| small(&word(index).try_into().unwrap()).unwrap();
    assert_eq!(word(20), Word::from_u64(21 * 32).0, "offset of the array");
    assert_eq!([21, 22, 23, 24, 25, 26, 27].map(numbers), [1, 32, 1, 2, 3, 128, 65]);
}

/// Signatures of structs, functions and events, against the text of the contracts.
#[test]
fn signatures_are_the_contracts() {
    let source = library::source("@zkml-chain/contracts/src/interfaces/IZKMLAcceptance.sol").unwrap();
    let members = |name: &str| {
        let body =
            source.split_once(&format!("struct {name} {{")).unwrap().1.split_once('}').unwrap().0.to_owned();
        let types = body.split(';').filter_map(|member| member.split_whitespace().next().map(str::to_owned));
        let types = types
            .map(|ty| if ty.starts_with("IZKML") { "address".to_owned() } else { ty })
            .collect::<Vec<_>>();
        format!("({})", types.join(","))
    };
    assert_eq!((members("Result"), members("AcceptancePolicy")), (RESULT.to_owned(), POLICY.to_owned()));
    assert_eq!(format!("{}[]", members("Attestation")), ATTESTATIONS);
    assert_eq!(members("Posting"), "(uint256,bytes32,bytes,bytes,Attestation[])");
    let arguments = |kind: &str, name: &str| {
        let (_, rest) = source.split_once(&format!("{kind} {name}(")).unwrap();
        let words = rest.split_once(')').unwrap().0.split(',').filter_map(|a| a.split_whitespace().next());
        words
            .map(|ty| match ty {
                "Result" => RESULT,
                "AcceptancePolicy" => POLICY,
                "Attestation[]" => ATTESTATIONS,
                other => other,
            })
            .collect::<Vec<_>>()
            .join(",")
    };
    for event in ResultEvent::ALL {
        let name = event.split_once('(').unwrap().0;
        assert_eq!(format!("{name}({})", arguments("event", name)), event);
    }
    let (result, policy) = (result(&[]), policy());
    for (name, data) in [
        ("challenge", challenge(&result, &policy)),
        ("draw", draw(&result, &policy)),
        ("attest", attest(&result, &policy, &[])),
        ("prove", prove(&result, &policy, &[], &[])),
        ("accept", accept(&result, &policy, &[])),
        ("claim", claim(&result, &policy)),
        ("release", release(&result, &policy)),
        ("statusOf", status_of(Word::ZERO)),
    ] {
        let signature = format!("{name}({})", arguments("function", name));
        assert_eq!(data[..4], errors::selector(&signature), "{signature}");
    }
    let contract = library::source("@zkml-chain/contracts/src/ZKMLAcceptance.sol").unwrap();
    assert!(contract.contains(ATTESTATION_TYPE) && contract.contains(RESULT_TYPE));
}
