//! The committed fixtures of the contracts' tests are what the repository gives today.

use std::{fs, path::Path};
use tempfile::TempDir;
use xtask::{
    error::Error,
    fixtures::{self, FixturesReport, Mode, Options, SCENARIOS},
};
use zkml_chain::show::Ui;

const REPO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const QUIET: Ui = Ui { json: false, quiet: true };

fn run(root: &Path, mode: Mode, only: Option<&str>) -> Result<FixturesReport, Error> {
    fixtures::run(&QUIET, &Options { root: root.to_owned(), mode, only: only.map(Into::into) })
}

#[test]
fn committed_fixtures_are_fresh() {
    let report = run(Path::new(REPO), Mode::Check, None).unwrap_or_else(|e| {
        panic!("{e}\n{}", e.way_out().unwrap_or_default());
    });
    assert!(report.made.is_empty() && report.fresh > 15, "{report:?}");
}

/// A repository with one small model and one proof.
fn small(scenarios: &str) -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    for file in ["score_a.onnx", "score_samples.json"] {
        let place = home.path().join("onnx").join(file);
        fs::create_dir_all(place.parent().expect("a folder")).expect("made");
        fs::copy(Path::new(REPO).join("contracts/test/fixtures/onnx").join(file), place).expect("copied");
    }
    let place = home.path().join(SCENARIOS);
    fs::create_dir_all(place.parent().expect("a folder")).expect("made");
    fs::write(place, scenarios).expect("written");
    home
}

const MODEL: &str = r#"{"name": "small", "onnx": "onnx/score_a.onnx", "samples": "onnx/score_samples.json"}"#;
const PROOF: &str = r#"{"name": "one", "model": "small", "input": "onnx/score_samples.json", "consumer": "C",
    "subject": "key:s", "nonce": 3, "deadline": "0xffffffffffffffffff", "action": "0x0000000000000000000000000000000000000000000000000000000000000007"}"#;

fn scenarios(models: &[&str], proofs: &[&str]) -> String {
    format!(r#"{{"models": [{}], "proofs": [{}]}}"#, models.join(","), proofs.join(","))
}

/// What is out of date, one line each.
fn stale(root: &Path) -> Vec<String> {
    match run(root, Mode::Check, None) {
        Err(Error::StaleFixtures { stale }) => stale,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_out_of_date_is_named_and_made_again() {
    let home = small(&scenarios(&[MODEL], &[PROOF]));
    let root = home.path();
    assert_eq!(stale(root).len(), 4, "nothing is there: facts, two contracts, a proof");
    let made = run(root, Mode::Refresh, None).expect("made");
    assert_eq!((made.made.len(), made.fresh), (4, 0), "{made:?}");
    assert_eq!(run(root, Mode::Check, None).expect("fresh").fresh, 4);

    let proof = root.join("contracts/test/fixtures/proofs/one.json");
    let good = fs::read_to_string(&proof).expect("a proof");
    let only = |text: String, why: &str| {
        assert_ne!(text, good, "{why}");
        fs::write(&proof, text).expect("written");
        let found = stale(root);
        assert!(found.len() == 1 && found[0].contains("one.json") && found[0].contains(why), "{found:?}");
    };
    // Each part that contracts read; the last character of the proof's first word changes a point.
    only(good.replace("\"nonce\": 3", "\"nonce\": 4"), "`nonce`");
    only(good.replace("\"chainId\": 31337", "\"chainId\": 1"), "`chainId`");
    only(good.replace("\"blob\": \"0x", "\"blob\": \"0x00"), "`blob`");
    let start = good.find("\"proof\": \"0x").expect("a proof") + 12;
    let blob = good.find("\"blob\": \"0x").expect("a blob") + 11 + 2 * 68;
    let mut forged = good.clone().into_bytes();
    for at in [start + 63, blob + 63] {
        forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
    }
    only(String::from_utf8(forged).expect("text"), "refused");
    only(good.replace("  \"model\"", "    \"model\""), "another way");
    only("{}".into(), "cannot be read");
    fs::write(&proof, &good).expect("written");

    let contract = root.join("contracts/test/generated/SmallVerifier.sol");
    fs::write(&contract, "// edited").expect("written");
    fs::write(root.join("contracts/test/fixtures/proofs/other.json"), "{}").expect("written");
    let found = stale(root);
    assert!(
        found.len() == 2 && found[0].contains("SmallVerifier.sol") && found[1].contains("no scenario"),
        "{found:?}"
    );
    run(root, Mode::Refresh, None).expect("made again");
    assert_eq!(fs::read_to_string(&proof).expect("a proof"), good, "a proof that holds is kept");
    assert!(!root.join("contracts/test/fixtures/proofs/other.json").exists());

    // Another index is another statement; --force makes even what is fresh.
    fs::write(
        root.join(SCENARIOS),
        scenarios(&[MODEL], &[&PROOF.replace("\"nonce\"", "\"index\": 1, \"nonce\"")]),
    )
    .expect("written");
    assert!(stale(root)[0].contains("`dataCommitment`"));
    fs::write(root.join(SCENARIOS), scenarios(&[MODEL], &[PROOF])).expect("written");
    assert_eq!(run(root, Mode::Force, Some("one")).expect("made").made.len(), 1);
    assert_ne!(fs::read_to_string(&proof).expect("a proof"), good, "proofs are randomised");
    run(root, Mode::Check, None).expect("fresh");
}

#[test]
fn scenarios_that_cannot_be_are_refused_by_name() {
    let refused = |models: &[&str], proofs: &[&str], words: &[&str]| {
        let home = small(&scenarios(models, proofs));
        let error = run(home.path(), Mode::Refresh, None).expect_err("refused");
        let text = format!(
            "{error}: {}",
            std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
        );
        words.iter().for_each(|word| assert!(text.contains(word), "`{word}` is not in {text}"));
        assert!(!home.path().join("contracts/test/generated").exists(), "nothing is written");
    };
    let like = r#"{"name": "like", "onnx": "onnx/score_a.onnx", "architecture_of": "small"}"#;
    refused(&[MODEL, MODEL], &[], &["fixture `small`", "two scenarios"]);
    refused(&[&MODEL.replace("small", "../up")], &[], &["`../up`", "lower-case"]);
    refused(&[MODEL, like], &[], &["fixture `like`", "not committed"]);
    refused(&[like, MODEL], &[], &["fixture `like`", "no model before it"]);
    refused(&[&MODEL.replace("samples\"", "inputs\"")], &[], &["scenarios.json"]);
    refused(&[MODEL], &[&PROOF.replace("\"small\"", "\"large\"")], &["fixture `one`", "no model `large`"]);
    refused(&[MODEL], &[&PROOF.replace("\"consumer\": \"C\",", "")], &["fixture `one`", "a bound proof has"]);
    refused(&[MODEL], &[&PROOF.replace("key:s", "0x12")], &["fixture `one`", "is no address"]);
    refused(
        &[MODEL],
        &[&PROOF.replace("\"nonce\": 3", "\"nonce\": 9007199254740993")],
        &["scenarios.json", "0x20000000000001"],
    );
    refused(
        &[MODEL],
        &[&PROOF.replace("\"consumer\"", "\"index\": 99, \"consumer\"")],
        &["fixture `one`", "no number 99"],
    );
    let home = small(&scenarios(&[MODEL], &[PROOF]));
    assert!(matches!(run(home.path(), Mode::Check, Some("two")), Err(Error::NoSuchFixture { .. })));
}
