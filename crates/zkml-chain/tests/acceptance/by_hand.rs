//! Every path by the commands `accept` and `challenge`.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{
    place::{AUDITOR, CHALLENGER, CHALLENGERS_KEY, POSTER, Place, TREASURY, WINDOW, coins, word},
    support::{Folder, check},
};
use serde_json::{Value, json};
use zkml_contracts::{acceptance as abi, errors::selector};
use zkml_deploy::U256;
use zkml_protocol::{Word, binding::address_word};

/// The contract that keeps hashes of blocks for longer (EIP-2935).
const HISTORY: &str = "0x0000F90827F1C53a10cb7A02335B175320002935";

#[tokio::test(flavor = "multi_thread")]
async fn every_path_by_hand() {
    let place = Place::new(Folder::new()).await;
    let first = unchallenged(&place).await;
    raised(&place, &first).await;
    answered(&place).await;
    silent(&place).await;
    sampled(&place).await;
    drawn_late(&place).await;
    of_blocks(&place).await;
    attested(&place).await;
    deprecated(&place).await;
}

/// Nobody asks, so it counts when the window is over.
async fn unchallenged(place: &Place) -> String {
    let id = place.post("optimistic", &[]);
    let report = place.folder.path(&format!("results/31337-{id}.json"));
    let record: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let data = record["result"]["dataCommitment"].as_str().unwrap();
    let kept = place.folder.path(&format!("results/{data}"));
    for name in ["input.json", "input.private.json"] {
        let mode = fs::metadata(kept.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let early = check(place.accept(&["--finalise", &id]), 1, "not-acceptable", &["can be demanded until"]);
    assert!(early.to_string().contains("have to hold"), "{early}");
    check(place.accept(&["--release", &id]), 1, "window-open", &["is open until"]);
    place.wait(WINDOW + 1).await;
    let report = place.accepted(&["--finalise", &id]);
    assert_eq!((&report["result"]["state"], report["call"].as_str()), (&json!("accepted"), Some("accept")));
    assert_eq!(place.funds(POSTER).await, "0.3");
    check(place.accept(&["--finalise", &id]), 1, "wrong-state", &["accepted"]);
    check(place.challenge(&[&id, "--deposit", "1"]), 1, "wrong-state", &["is over"]);
    id
}

/// One statement, whatever the path: also what has counted can be proven.
async fn raised(place: &Place, id: &str) {
    let report = place.accepted(&["--prove", id]);
    assert_eq!(report["result"]["state"], "accepted", "{report}");
    assert!(report["result"]["held"].as_array().unwrap().contains(&json!("proven")), "{report}");
    check(place.accept(&["--prove", id]), 1, "wrong-state", &["nothing left to prove"]);
    assert_eq!(place.funds(POSTER).await, "0.3", "the bond was back before");
}

/// A right result is challenged all the same, and proven: the deposit is the poster's.
async fn answered(place: &Place) {
    let id = place.post("optimistic", &["--from-deposit"]);
    assert_eq!(place.funds(POSTER).await, "0");
    let sample = place.folder.path("sample.json").display().to_string();
    check(
        place.challenge(&[&id, "--deposit", "0.1", "--input", &sample]),
        1,
        "right-result",
        &["--even-if-right", "0.1"],
    );
    check(place.challenge(&[&id, "--deposit", "0.09"]), 2, "too-much-at-stake", &["--deposit", "0.1 coins"]);
    let dry = place.challenged(&[&id, "--deposit", "0.1", "--dry-run"]);
    assert!(dry["right"].is_null() && dry["transaction"].is_null(), "{dry}");
    let report = place.challenged(&[&id, "--deposit", "0.1", "--input", &sample, "--even-if-right"]);
    assert_eq!((&report["result"]["state"], &report["right"]), (&json!("demanded"), &json!(true)));
    check(place.challenge(&[&id, "--deposit", "0.1"]), 1, "wrong-state", &["due already"]);
    check(place.challenge(&[&id, "--claim"]), 1, "window-open", &["the time for the proof"]);
    check(place.accept(&["--finalise", &id]), 1, "wrong-state", &["demanded"]);
    let report = place.accepted(&["--prove", &id]);
    assert_eq!(report["result"]["state"], "proven", "{report}");
    assert_eq!(place.funds(POSTER).await, "0.4", "bond and deposit");
    check(place.challenge(&[&id, "--claim"]), 1, "wrong-state", &["proven"]);
    assert_eq!(place.accepted(&["--finalise", &id])["result"]["state"], "accepted");
}

/// A false result: nobody can prove it, and the bond is lost.
async fn silent(place: &Place) {
    let like = place.post("optimistic", &["--from-deposit"]);
    let lie = place.lie(&like).await;
    let id = lie.id.to_string();
    let sample = place.folder.path("sample.json").display().to_string();
    let report = place.challenged(&[&id, "--deposit", "0.1", "--input", &sample]);
    assert_eq!(report["right"], false, "{report}");
    check(place.accept(&["--prove", &id]), 1, "wrong-result", &["no proof of it can be made"]);
    place.wait(WINDOW + 1).await;
    check(place.accept(&["--prove", &id]), 1, "window-closed", &["the time for the proof"]);
    let report = place.challenged(&[&id, "--claim"]);
    assert_eq!(report["result"]["state"], "lost", "{report}");
    assert_eq!([place.funds(CHALLENGER).await, place.funds(TREASURY).await], ["0.25", "0.15"]);
    check(place.challenge(&[&id, "--claim"]), 1, "wrong-state", &["lost", "once"]);
    check(place.accept(&["--finalise", &id]), 1, "wrong-state", &["lost"]);
    // What is theirs comes out by the command that takes rewards out.
    let before = place.rpc.balance(CHALLENGER.parse().unwrap()).await.unwrap();
    let run = place.run(CHALLENGERS_KEY, "rewards", &["--withdraw"]);
    assert_eq!(run.code, 0, "{run:?}");
    let after = place.rpc.balance(CHALLENGER.parse().unwrap()).await.unwrap();
    assert!(after > before + coins("0.24"), "{before} {after}");
    place.accepted(&["--finalise", &like]);
}

/// One is spared and counts, another is drawn and proven.
async fn sampled(place: &Place) {
    let spared = place.post("sampled", &[]);
    check(place.accept(&["--finalise", &spared]), 1, "not-acceptable", &["round 7 has not spared it"]);
    check(place.challenge(&[&spared, "--deposit", "1"]), 1, "no-such-path", &["not optimistic"]);
    check(place.accept(&["--draw", &spared]), 1, "round-waiting", &["round 7", "handed in"]);
    place.decide(&spared, false).await;
    let drawn = place.post("sampled", &[]);
    place.decide(&drawn, true).await;
    let report = place.accepted(&["--draw", &spared]);
    assert_eq!(
        (&report["result"]["state"], &report["result"]["held"]),
        (&json!("posted"), &json!(["sampled"]))
    );
    assert!(report["next"].as_str().unwrap().contains("--finalise"), "{report}");
    check(place.accept(&["--draw", &spared]), 1, "holds-already", &["drawn already"]);
    // Anybody draws.
    let posted = place.find(&drawn).await;
    let data = abi::draw(&posted.result, &posted.policy);
    place.send(CHALLENGER, place.consumer, &data, U256::ZERO).await;
    check(place.accept(&["--draw", &drawn]), 1, "wrong-state", &["demanded"]);
    assert_eq!([place.state(&spared).await, place.state(&drawn).await], ["posted", "demanded"]);
    assert_eq!(place.accepted(&["--finalise", &spared])["result"]["state"], "accepted");
    assert_eq!(place.accepted(&["--prove", &drawn])["result"]["state"], "proven");
}

/// Its deadline was over before it was drawn: no proof is needed for the bond to come back.
async fn drawn_late(place: &Place) {
    let id = place.post("sampled", &[]);
    let before = place.funds(POSTER).await;
    place.wait(200_000).await;
    let run = place.accept(&["--release", &id]);
    assert!(run.code == 1 && run.json().to_string().contains("StillExposed"), "{run:?}");
    place.decide(&id, false).await;
    let report = place.accepted(&["--draw", &id]);
    assert!(report["next"].as_str().unwrap().contains("--release"), "{report}");
    check(place.accept(&["--finalise", &id]), 1, "window-closed", &["the time to act on the output"]);
    assert_eq!(place.accepted(&["--release", &id])["result"]["state"], "void");
    let after = place.funds(POSTER).await;
    assert_eq!(coins(&after), coins(&before) + coins("0.3"));
    let no_path = place.post("optimistic", &["--from-deposit"]);
    check(place.accept(&["--draw", &no_path]), 1, "no-such-path", &["not sampled"]);
    place.wait(WINDOW + 1).await;
    place.accepted(&["--finalise", &no_path]);
}

/// A block whose header nobody hands in is missed long after all windows: the deadline is behind that, and the proof counts.
async fn of_blocks(place: &Place) {
    let blocks = place.blocks.to_string();
    let window = WINDOW.to_string();
    let terms = [
        &["--policy", "sampled", "--bond", "0.3", "--beneficiary", TREASURY, "--rate", "0.5"][..],
        &["--beacon", &blocks, "--answer-window", &window],
    ]
    .concat();
    let now = place.rpc.now().await.unwrap();
    let deadline = |report: &Value| report["result"]["deadline"].as_str().unwrap().parse::<u64>().unwrap();
    // On a chain that keeps its history, and then on one that does not, where fewer blocks have to be made.
    place.rpc.raw("anvil_setCode", json!([HISTORY, "0x00"])).await.unwrap();
    let kept = place.accepted(&[&terms[..], &["--dry-run"]].concat());
    assert!(deadline(&kept) > now + 8_191 + WINDOW, "{kept}");
    place.rpc.raw("anvil_setCode", json!([HISTORY, "0x"])).await.unwrap();
    // Later than the answer window, but not than the time in which the block can be shown.
    let early = (now + WINDOW + 60).to_string();
    let refused = check(
        place.accept(&[&terms[..], &["--deadline", &early]].concat()),
        2,
        "deadline-before-draw",
        &[&early, "is missed at about"],
    );
    let posted = place.accepted(&[&terms[..], &["--valid-for", "600"]].concat());
    let deadline = deadline(&posted);
    assert!((now + 256 + WINDOW..now + 8_191).contains(&deadline), "{posted}");
    let earliest = refused["message"].as_str().unwrap().split("until ").nth(1).unwrap();
    let earliest: u64 = earliest.split(';').next().unwrap().parse().unwrap();
    assert!((earliest..earliest + 700).contains(&deadline), "{refused} {posted}");
    let id = posted["result"]["id"].as_str().unwrap().to_owned();
    check(place.accept(&["--draw", &id]), 1, "round-waiting", &[&blocks]);
    // A block a second, and some more for the seconds that have passed without one.
    let missed = earliest - WINDOW - place.rpc.now().await.unwrap() + 120;
    place.rpc.raw("anvil_mine", json!([format!("{missed:#x}"), "0x1"])).await.unwrap();
    let report = place.accepted(&["--draw", &id]);
    assert_eq!(report["result"]["state"], "demanded", "missed, and due: {report}");
    assert!(report["next"].as_str().unwrap().contains("--prove"), "{report}");
    place.accepted(&["--prove", &id]);
    assert_eq!(place.accepted(&["--finalise", &id])["result"]["state"], "accepted");
}

/// Of a model that is out of use nothing can be proven: anybody gives bonds back, in the middle of a window.
async fn deprecated(place: &Place) {
    let id = place.post("optimistic", &["--from-deposit"]);
    check(place.run(CHALLENGERS_KEY, "accept", &["--release", &id]), 1, "not-poster", &[POSTER]);
    let before = place.funds(POSTER).await;
    let verifier = place.word(place.consumer, "ZKML_VERIFIER()").await;
    let verifier = zkml_deploy::Address::from_slice(&verifier.0[12..]);
    let registry = place.word(verifier, "registry()").await;
    let registry = zkml_deploy::Address::from_slice(&registry.0[12..]);
    let model = place.word(place.consumer, "modelId()").await;
    let data = [&selector("deprecateModel(uint256)")[..], &model.0].concat();
    place.send(POSTER, registry, &data, U256::ZERO).await;
    let run = place.run(CHALLENGERS_KEY, "accept", &["--release", &id]);
    assert_eq!((run.code, &run.json()["result"]["state"]), (0, &json!("void")), "{run:?}");
    assert_eq!(coins(&place.funds(POSTER).await), coins(&before) + coins("0.3"));
}

/// A registered key signs what the report says, in a wallet.
async fn attested(place: &Place) {
    let keys = place.keys.to_string();
    let terms = ["--policy", "attested", "--attestors", &keys, "--signatures", "1"];
    let deadline = (place.rpc.now().await.unwrap() + 80_000).to_string();
    let fixed = [&terms[..], &["--deadline", &deadline]].concat();
    let dry = place.accepted(&[&fixed[..], &["--dry-run"]].concat());
    let file = place.path("attestation.json");
    let account = address_word(&AUDITOR.parse::<zkml_deploy::Address>().unwrap().into_array());
    let key_id = zkml_protocol::keccak256([&Word::ONE.0[..], &account.0, &Word::ZERO.0]);
    let signature = place.rpc.raw("eth_signTypedData_v4", json!([AUDITOR, dry["toSign"]])).await.unwrap();
    let valid_until = dry["toSign"]["message"]["validUntil"].clone();
    let attestation = |key: Word, from: u64, until: &Value| json!({ "keyId": key, "issuedAt": from, "validUntil": until, "signature": signature });
    let write = |value: &Value| fs::write(&file, value.to_string()).unwrap();
    let with = [&fixed[..], &["--attestation", &file]].concat();
    write(&attestation(key_id, 0, &valid_until));
    check(place.accept(&with), 1, "attesting-key", &["UnknownKey"]);
    let register = |expiry: u64| {
        let words = [Word::ONE, account, Word::ZERO, Word::ONE, Word::ZERO, Word::from_u64(expiry)];
        let words = words.iter().flat_map(|word| word.0).collect::<Vec<u8>>();
        [&selector("register(uint8,bytes32,bytes32,bytes32,bytes32,uint40)")[..], &words].concat()
    };
    let expiry = place.rpc.now().await.unwrap() + 70_000;
    place.send(POSTER, place.keys, &register(expiry), U256::ZERO).await;
    // Another key's, other times than were signed, too late, twice, none.
    let other = place.rpc.raw("eth_signTypedData_v4", json!([CHALLENGER, dry["toSign"]])).await.unwrap();
    let mut foreign = attestation(key_id, 0, &valid_until);
    foreign["signature"] = other;
    for (value, code, name, words) in [
        (foreign, 1, "attesting-key", "WrongSignature"),
        (attestation(key_id, 1, &valid_until), 1, "attesting-key", "WrongSignature"),
        (attestation(key_id, 0, &json!(1)), 1, "attestation-time", "counts from 0 to 1"),
        (
            json!([attestation(key_id, 0, &valid_until), attestation(key_id, 0, &valid_until)]),
            2,
            "signatures",
            "2 signatures",
        ),
        (json!({ "keyId": key_id }), 3, "content", "issuedAt"),
    ] {
        write(&value);
        check(place.accept(&with), code, name, &[words]);
    }
    write(&attestation(key_id, 0, &valid_until));
    let report = place.accepted(&with);
    assert_eq!(report["result"]["state"], "accepted", "counts at once, without a bond: {report}");
    // Signed after it was posted.
    let posted = place.accepted(&terms);
    let id = posted["result"]["id"].as_str().unwrap().to_owned();
    check(place.accept(&["--attest", &id, "--attestation", &file]), 1, "attesting-key", &["WrongSignature"]);
    let signature = place.rpc.raw("eth_signTypedData_v4", json!([AUDITOR, posted["toSign"]])).await.unwrap();
    let until = &posted["toSign"]["message"]["validUntil"];
    write(&json!({ "keyId": key_id, "issuedAt": 0, "validUntil": until, "signature": signature }));
    place.accepted(&["--attest", &id, "--attestation", &file]);
    check(
        place.accept(&["--attest", &id, "--attestation", &file]),
        1,
        "holds-already",
        &["attested already"],
    );
    assert_eq!(place.accepted(&["--finalise", &id])["result"]["state"], "accepted");
    // A key that is revoked signs nothing any more.
    let third = place.accepted(&terms)["result"]["id"].as_str().unwrap().to_owned();
    let sign = place.accepted(&[&terms[..], &["--dry-run"]].concat());
    assert!(sign["toSign"].is_object());
    let revoke = [&selector("revoke(bytes32)")[..], &key_id.0].concat();
    place.send(POSTER, place.keys, &revoke, U256::ZERO).await;
    check(place.accept(&["--attest", &third, "--attestation", &file]), 1, "attesting-key", &["RevokedKey"]);
    let found = place.find(&third).await;
    assert_eq!(found.id, word(&third));
}
