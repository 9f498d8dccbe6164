//! Refusals before anything is spent, each by its own error.

use crate::{
    place::{CHALLENGER, CHALLENGERS_KEY, POSTER, Place, TREASURY, WINDOW},
    support::{Folder, check},
};
use std::fs;
use zkml_deploy::Address;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_spent_on_what_is_refused() {
    let place = Place::new(Folder::new()).await;
    let before = place.rpc.nonce(POSTER.parse().unwrap()).await.unwrap();
    policies(&place);
    let id = place.post("optimistic", &[]);
    let nobody = format!("0x{}", "11".repeat(32));
    for act in ["--finalise", "--prove", "--release"] {
        check(place.accept(&[act, &nobody]), 3, "no-such-result", &[&nobody, "--from-block"]);
        assert_eq!(place.accept(&[act, "0x12"]).code, 2);
    }
    check(place.challenge(&[&nobody, "--deposit", "1"]), 3, "no-such-result", &[&nobody]);
    assert_eq!(place.challenge(&[&id]).code, 2, "no limit was named");
    check(place.challenge(&[&id, "--deposit", "x"]), 2, "too-much-at-stake", &["0.1"]);
    check(place.challenge(&[&id, "--claim"]), 1, "wrong-state", &["posted"]);
    check(place.run(CHALLENGERS_KEY, "accept", &["--release", &id]), 1, "not-poster", &[POSTER]);
    other_inputs(&place, &id);
    damaged_record(&place, &id);
    // Its window is over by one second.
    place.wait(WINDOW + 1).await;
    check(place.challenge(&[&id, "--deposit", "1"]), 1, "window-closed", &["the time to demand the proof"]);
    // Its application never acts on it: the bond comes back all the same.
    place.wait(200_000).await;
    check(place.accept(&["--finalise", &id]), 1, "window-closed", &["the time to act on the output"]);
    assert_eq!(place.accepted(&["--release", &id])["result"]["state"], "void");
    assert_eq!(place.funds(POSTER).await, "0.3");
    let sent = place.rpc.nonce(POSTER.parse().unwrap()).await.unwrap() - before;
    assert_eq!(sent, 2, "the post and the release");
    assert_eq!(place.rpc.nonce(CHALLENGER.parse().unwrap()).await.unwrap(), 0);
    plain_consumer(&place);
}

fn policies(place: &Place) {
    let keys = place.keys.to_string();
    let optimistic = ["--policy", "optimistic", "--bond", "1", "--deposit", "1", "--beneficiary", TREASURY];
    let sampled = ["--policy", "sampled", "--bond", "1", "--beneficiary", TREASURY];
    let beacon = place.beacon.to_string();
    let cases: &[(&[&str], &[&str], &str)] = &[
        (&optimistic[..2], &["--deposit", "1", "--beneficiary", TREASURY], "zero-bond"),
        (&optimistic[..2], &["--bond", "0.0", "--deposit", "1", "--beneficiary", TREASURY], "zero-bond"),
        (&optimistic[..4], &["--beneficiary", TREASURY], "zero-deposit"),
        (&optimistic[..6], &[], "not-named"),
        (&optimistic[..6], &["--beneficiary", POSTER], "own-beneficiary"),
        (&optimistic, &["--challenge-window", "299"], "window"),
        (&optimistic, &["--answer-window", "2592001"], "window"),
        (&optimistic, &["--required", "2"], "required"),
        (&optimistic, &["--required", "0"], "required"),
        (&optimistic, &["--deadline", "1"], "deadline-too-soon"),
        (&sampled, &["--beacon", &beacon], "rate"),
        (&sampled, &["--beacon", &beacon, "--rate", "1.1"], "rate"),
        (&sampled, &["--rate", "0.1"], "not-named"),
        (&["--policy", "attested"], &[], "not-named"),
        (&["--policy", "attested", "--attestors", &keys], &["--beneficiary", POSTER], "own-beneficiary"),
        (&["--policy", "attested", "--attestors", &keys], &["--signatures", "17"], "signatures"),
        (&["--policy", "optimistic", "--bond", "1.2.3"], &[], "argument"),
    ];
    for (fixed, more, name) in cases {
        check(place.accept(&[fixed, *more].concat()), 2, name, &[]);
    }
    let window = place.accept(&[&optimistic[..], &["--answer-window", "299"]].concat());
    check(window, 2, "window", &["an answer window of 299 s"]);
    let nobody = format!("0x{}", "11".repeat(20));
    check(
        place.accept(&[&sampled[..], &["--rate", "0.1", "--beacon", &nobody]].concat()),
        5,
        "no-code",
        &[&nobody],
    );
    check(place.accept(&["--policy", "attested", "--attestors", &nobody]), 5, "no-code", &[&nobody]);
    idle_flags(place, &nobody);
    check(
        place.accept(&[&optimistic[..2], &["--bond", "1000000"], &optimistic[4..]].concat()),
        5,
        "insufficient-funds",
        &["1000000"],
    );
    check(place.accept(&[&optimistic[..], &["--from-deposit"]].concat()), 5, "unpaid", &["a bond of 1"]);
    for wrong in [&["--policy", "trusted"][..], &["--policy", "optimistic,proven"], &[]] {
        assert_eq!(place.accept(wrong).code, 2, "{wrong:?}");
    }
    assert_eq!(place.accept(&["--policy", "optimistic", "--finalise", &"0x11".repeat(32)]).code, 2);
}

/// A flag that would do nothing is no flag to be silent about.
fn idle_flags(place: &Place, nobody: &str) {
    let id = "0x".to_owned() + &"11".repeat(32);
    for (words, flag) in [
        (&["--policy", "proven", "--bond", "1"][..], "--bond"),
        (&["--policy", "proven", "--challenge-window", "300"], "--challenge-window"),
        (&["--policy", "proven", "--attestation", "none.json"], "--attestation"),
        (&["--policy", "optimistic", "--bond", "1", "--rate", "0.1"], "--rate"),
        (&["--policy", "sampled", "--bond", "1", "--challenge-window", "300"], "--challenge-window"),
        (&["--policy", "optimistic", "--bond", "1", "--signatures", "2"], "--signatures"),
        (&["--finalise", &id, "--attestors", nobody], "--attestors"),
        (&["--release", &id, "--deadline", "7"], "--deadline"),
        (&["--draw", &id, "--input", "none.json"], "--input"),
        (&["--prove", &id, "--rate", "0.1"], "--rate"),
    ] {
        check(place.accept(words), 2, "usage", &[&format!("{flag} does nothing here")]);
    }
}

/// Whoever looks at another input learns nothing about the result.
fn other_inputs(place: &Place, id: &str) {
    let other = place.path("other.json");
    fs::copy(place.folder.path("sample.json"), &other).unwrap();
    // Other salts are another commitment.
    check(place.challenge(&[id, "--deposit", "1", "--input", &other]), 3, "other-input", &[id]);
    // The kept one is taken, and no other one instead of it without a word.
    check(place.accept(&["--prove", id, "--input", &other]), 2, "input-kept", &[id, "leave --input out"]);
    // So it is for whoever proves without what was kept.
    let kept = place.folder.path("results");
    let aside = place.folder.path("aside");
    fs::rename(&kept, &aside).unwrap();
    check(place.accept(&["--prove", id, "--input", &other]), 3, "other-input", &[id]);
    check(place.accept(&["--prove", id]), 3, "io", &["input.json"]);
    fs::remove_dir_all(&kept).ok();
    fs::rename(&aside, &kept).unwrap();
}

fn damaged_record(place: &Place, id: &str) {
    let path = place.folder.path(&format!("results/31337-{id}.json"));
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replace("\"paths\": 1", "\"paths\": 2")).unwrap();
    check(place.accept(&["--release", id]), 3, "content", &["hashes to the result"]);
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    check(place.accept(&["--release", id]), 3, "content", &["not a record of a result"]);
    fs::write(&path, whole).unwrap();
}

/// A consumer of proofs alone, and no contract.
fn plain_consumer(place: &Place) {
    let record = fs::read(place.path("deployments/31337/credit_mlp.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let plain: Address = record["contracts"]["consumer"]["address"].as_str().unwrap().parse().unwrap();
    let elsewhere = Place::consumer_at(place, plain);
    check(elsewhere, 2, "no-acceptance", &["does not inherit ZKMLAcceptance"]);
    check(Place::consumer_at(place, Address::repeat_byte(7)), 5, "no-code", &[]);
}

impl Place {
    /// Finalises something at another contract.
    fn consumer_at(&self, consumer: Address) -> crate::support::Run {
        let (consumer, id) = (consumer.to_string(), format!("0x{}", "11".repeat(32)));
        let words = ["accept", "--json", "--dir", &self.folder.dir, "--consumer", &consumer];
        let more = ["--chain", "anvil", "--test-key", "--finalise", &id];
        crate::support::zkml_env(&[("ANVIL_RPC_URL", &self.node.url())], &[&words[..], &more].concat())
    }
}
