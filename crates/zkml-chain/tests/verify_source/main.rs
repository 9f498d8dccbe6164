//! `verify-source` against a double of both services that really compiles, and a real node.

#[path = "../../../zkml-deploy/tests/anvil/mod.rs"]
mod anvil;
mod double;
mod scripts;
#[path = "../end_to_end/support.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod support;

use anvil::Anvil;
use double::{Double, KEY};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use support::{Folder, Run, check, done, zkml_env};
use tempfile::TempDir;
use zkml_deploy::{
    record::Record,
    rpc::{Retry, Rpc},
    source::{Kind, Patience, Secret, Service, Source, SourceError, Verdict},
};

/// Patience that suits a test.
const PATIENCE: Patience = Patience {
    pause: Duration::from_millis(10),
    timeout: Duration::from_millis(200),
    retry: Retry { attempts: 2, pause: Duration::from_millis(10), longest: Duration::from_millis(10) },
};

/// A model that is deployed on a node.
struct World {
    node: Anvil,
    folder: Folder,
    /// Records are in `deploy/deployments`.
    home: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl World {
    /// A model that is not deployed yet.
    fn new() -> Self {
        let (node, folder) = (Anvil::start(&[]), Folder::new());
        let home = tempfile::tempdir().unwrap();
        done(&["gen-verifier", "--dir", &folder.dir]);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self { node, folder, home, runtime: runtime.unwrap() }
    }

    fn deploy(&self, args: &[&str]) -> Value {
        let run = self.run("deploy", &[], args);
        assert_eq!(run.code, 0, "{run:?}");
        run.json()
    }

    fn records(&self) -> PathBuf {
        self.home.path().join("deploy/deployments")
    }

    fn record_path(&self) -> PathBuf {
        self.records().join("31337/credit_mlp.json")
    }

    /// Runs a subcommand on the model's folder, its records and its node.
    fn run(&self, command: &str, variables: &[(&str, &str)], args: &[&str]) -> Run {
        let (url, records) = (self.node.url(), self.records().display().to_string());
        let variables = [&[("ANVIL_RPC_URL", url.as_str())], variables].concat();
        let common =
            [command, "--json", "--dir", &self.folder.dir, "--chain", "anvil", "--deployments", &records];
        zkml_env(&variables, &[&common, args].concat())
    }

    /// Runs `verify-source` against a double.
    fn verify(&self, service: &str, double: &Double, variables: &[(&str, &str)], args: &[&str]) -> Run {
        let url = ["--service", service, "--url", &double.url, "--pause", "0.01"];
        self.run("verify-source", variables, &[&url, args].concat())
    }

    fn rpc(&self) -> Rpc {
        self.runtime.block_on(self.node.rpc())
    }

    fn record(&self) -> Record {
        let path = self.record_path();
        Record::parse(&path, &fs::read(&path).unwrap()).unwrap()
    }

    /// The compiler's input that `gen-verifier` saved for explorers.
    fn input(&self) -> Value {
        serde_json::from_slice(&self.folder.read("solidity/standard-input.json")).unwrap()
    }
}

/// The verdicts of a report.
fn verdicts(report: &Value) -> Vec<&str> {
    let contracts = report["contracts"].as_array().unwrap_or_else(|| panic!("{report}"));
    contracts.iter().map(|c| c["verdict"].as_str().unwrap()).collect()
}

#[test]
fn sources_are_compiled_again() {
    let world = World::new();
    world.deploy(&["--broadcast", "--test-key"]);
    sourcify(&world);
    etherscan(&world);
    other_sources(&world);
    other_code(&world);
    bad_services(&world);
    bad_input(&world);
}

fn sourcify(world: &World) {
    let double = Double::honest(world.rpc());
    let run = world.verify("sourcify", &double, &[], &["--only", "ZKMLRouter"]);
    assert_eq!((run.code, verdicts(&run.json())), (0, vec!["verified"]), "{run:?}");
    assert_eq!(double.asked("/v2/verify/job"), 3, "it was pending twice");
    let run = world.verify("sourcify", &double, &[], &[]);
    let all = ["verified", "verified", "already", "verified", "verified"];
    assert_eq!((run.code, verdicts(&run.json())), (0, all.to_vec()), "{run:?}");
    let run = world.verify("sourcify", &double, &[], &[]);
    assert_eq!((run.code, verdicts(&run.json())), (0, vec!["already"; 5]), "{run:?}");
}

fn etherscan(world: &World) {
    let double = Double::honest(world.rpc());
    let run = world.verify("etherscan", &double, &[], &[]);
    check(run, 2, "no-service-key", &["ETHERSCAN_API_KEY"]);
    let run = world.verify("etherscan", &double, &[("ETHERSCAN_API_KEY", "WRONG")], &[]);
    assert!(!format!("{run:?}").contains("WRONG"), "{run:?}");
    check(run, 2, "service-key", &["ETHERSCAN_API_KEY", "Invalid API Key ***"]);
    let key = [("ETHERSCAN_API_KEY", KEY), ("RUST_LOG", "trace")];
    let run = world.verify("etherscan", &double, &key, &[]);
    assert_eq!((run.code, verdicts(&run.json())), (0, vec!["verified"; 5]), "{}", run.stdout);
    let said = format!("{}{}", run.stdout, run.stderr);
    for part in [KEY, "KEY%2Fof", "KEY/of"] {
        assert!(!said.contains(part), "the key is in what the program says");
    }
    let run = world.verify("etherscan", &double, &key, &[]);
    assert_eq!((run.code, verdicts(&run.json())), (0, vec!["already"; 5]), "{}", run.stdout);
}

/// Asks a service about the router, with something changed.
fn ask(
    world: &World,
    kind: Kind,
    double: &Double,
    change: impl FnOnce(&mut Record, &mut Value),
) -> Result<Verdict, SourceError> {
    let (mut record, mut input) = (world.record(), world.input());
    change(&mut record, &mut input);
    let service = Service::new(kind, Some(&double.url), Secret::new(KEY), PATIENCE)?;
    let compiler = record.compiler.version.clone();
    let source =
        Source { chain_id: 31_337, contract: &record.contracts.router, input: &input, compiler: &compiler };
    world.runtime.block_on(service.verify(&source))
}

fn other_sources(world: &World) {
    for kind in [Kind::Sourcify, Kind::Etherscan] {
        let double = Double::honest(world.rpc());
        let changed = |verdict: Result<Verdict, SourceError>| match verdict.unwrap() {
            Verdict::Refused(why) => assert!(why.contains("the code on the chain is another"), "{why}"),
            other => panic!("{other:?}"),
        };
        changed(ask(world, kind, &double, |record, input| {
            let source = &mut input["sources"][&record.contracts.router.file]["content"];
            let text = source.as_str().unwrap().to_owned();
            assert!(text.contains("block.timestamp"));
            *source = text.replace("block.timestamp", "block.number").into();
        }));
        changed(ask(world, kind, &double, |_, input| input["settings"]["optimizer"]["runs"] = 1.into()));
        let honest = ask(world, kind, &double, |_, _| ());
        assert!(matches!(honest, Ok(Verdict::Verified(_))), "{honest:?}");
    }
    let double = Double::honest(world.rpc());
    let verdict = ask(world, Kind::Etherscan, &double, |record, _| {
        let arguments = &mut record.contracts.router.constructor_arguments;
        *arguments = arguments.replace("f39f", "f39e").replace("F39F", "f39e");
        assert!(arguments.contains("f39e"), "{arguments}");
    });
    assert!(matches!(verdict, Ok(Verdict::Refused(_))), "arguments are compared: {verdict:?}");
    let verdict = ask(world, Kind::Etherscan, &double, |record, _| record.contracts.router.salt = None);
    assert!(matches!(verdict, Ok(Verdict::Skipped(_))), "{verdict:?}");
}

/// What the service refuses ends the command with 1, after all contracts.
fn other_code(world: &World) {
    let rpc = world.rpc();
    let snapshot = world.runtime.block_on(anvil::snapshot(&rpc));
    let registry = world.record().contracts.registry.address;
    world.runtime.block_on(anvil::set_code(&rpc, registry, &[0x60, 0x00]));
    let double = Double::honest(rpc.clone());
    let run = world.verify("sourcify", &double, &[], &[]);
    let report = run.json()["report"].clone();
    let all = ["verified", "refused", "verified", "verified", "verified"];
    assert_eq!(verdicts(&report), all, "{run:?}");
    check(run, 1, "source-refused", &["ZKMLRegistry", "the code on the chain is another", "no_match"]);
    world.runtime.block_on(anvil::revert(&rpc, snapshot));
}

/// Whatever a service answers has a name, and nothing panics.
fn bad_services(world: &World) {
    let name = |kind, answers: &[(u16, &str)]| {
        let double = Double::scripted(answers);
        let verdict = ask(world, kind, &double, |_, _| ());
        verdict.map_or_else(|error| error.name().to_owned(), |verdict| format!("{verdict:?}"))
    };
    let taken = (202, r#"{"verificationId": "7"}"#);
    for (second, expected) in [
        ((200, r#"{"isJobCompleted": false}"#), "service-not-done"),
        ((200, r#"{"isJobCompleted": true}"#), "service-answer"),
        ((200, r#"{"isJobCompleted": "yes"}"#), "service-answer"),
        ((200, r#"{"isJobCompleted": true, "contract": {"match": 7}, "error": "x"}"#), "service-answer"),
        ((200, "{"), "service-answer"),
        ((404, r#"{"customCode": "not_found", "message": "no job"}"#), "service-status"),
        ((200, r#"{"isJobCompleted": true, "error": {"customCode": "already_verified"}}"#), "Already"),
        (
            (200, r#"{"isJobCompleted": true, "error": {"customCode": 3}}"#),
            "Refused(\"no reason (no reason)\")",
        ),
    ] {
        assert_eq!(name(Kind::Sourcify, &[taken, second]), expected, "{second:?}");
    }
    for first in [(200, "[]"), (200, ""), (202, r#"{"verificationId": 7}"#), (202, "\u{1b}[2J")] {
        assert_eq!(name(Kind::Sourcify, &[first]), "service-answer", "{first:?}");
        assert_eq!(name(Kind::Etherscan, &[first]), "service-answer", "{first:?}");
    }
    let taken = (200, r#"{"status": "1", "result": "guid"}"#);
    for (second, expected) in [
        ((200, r#"{"status": "0", "result": "Pending in queue"}"#), "service-not-done"),
        ((200, r#"{"status": "0", "result": "Already Verified"}"#), "Already"),
        ((200, r#"{"status": "0", "result": "Nothing I know"}"#), "service-answer"),
        ((200, r#"{"status": 0, "result": "Fail - Unable to verify"}"#), "service-answer"),
    ] {
        assert_eq!(name(Kind::Etherscan, &[taken, second]), expected, "{second:?}");
    }
    let unseen = (200, r#"{"status": "0", "result": "Unable to locate ContractCode at 0x01"}"#);
    let pass = (200, r#"{"status": "1", "result": "Pass - Verified"}"#);
    assert_eq!(name(Kind::Etherscan, &[unseen, unseen, taken, pass]), "Verified(\"Pass - Verified\")");
    assert_eq!(name(Kind::Sourcify, &[(502, "busy"), (409, "{}")]), "Already", "it is asked again");
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(name(Kind::Sourcify, &[(200, &long)]), "service-unreachable");
    let thief = Double::scripted(&[(200, r#"{"status": "1", "result": "guid"}"#)]);
    for kind in [Kind::Sourcify, Kind::Etherscan] {
        assert_eq!(name(kind, &[(307, &thief.url)]), "service-status", "the key would go along");
    }
    assert_eq!(thief.asked(""), 0);
    let elsewhere = Double::scripted(&[(500, r#"{"message": "out of order, KEY/of an+account"}"#)]);
    for kind in [Kind::Sourcify, Kind::Etherscan] {
        let error = ask(world, kind, &elsewhere, |_, _| ()).unwrap_err();
        assert!(matches!(&error, SourceError::Status { status: 500, .. }), "{error}");
        assert!(kind == Kind::Sourcify || error.to_string().contains("out of order, ***"), "{error}");
    }
}

fn bad_input(world: &World) {
    let double = Double::scripted(&[(500, "out of order")]);
    let run = world.verify("sourcify", &double, &[], &[]);
    check(run, 5, "service-status", &["HTTP 500", "out of order"]);
    let known = double.asked("");
    let run = world.verify("sourcify", &double, &[], &["--only", "Nobody"]);
    check(run, 2, "no-such-contract", &["Nobody", "ZKMLRegistry"]);
    let run = world.verify("sourcify", &double, &[], &["--consumer", "requests"]);
    check(run, 4, "other-record", &["contract"]);
    let run = world.verify("sourcify", &double, &[], &["--deployments", "/nowhere"]);
    assert_eq!(run.code, 2, "{run:?}");
    let run = world.run("verify-source", &[], &["--service", "sourcify", "--url", "ftp://x"]);
    check(run, 2, "service-url", &["--url"]);
    let run = world.run("verify-source", &[], &["--service", "sourcify", "--url", "http://127.0.0.1:1"]);
    check(run, 5, "service-unreachable", &["127.0.0.1:1", "attempts"]);

    let path = world.record_path();
    let good = fs::read_to_string(&path).unwrap();
    edited(&path, &good, |record| {
        record["contracts"]["router"]["initCodeHash"] = format!("0x{:064x}", 1).into()
    });
    check(world.verify("sourcify", &double, &[], &[]), 4, "other-record", &["creation code of ZKMLRouter"]);
    edited(&path, &good, |record| record["contracts"]["router"]["constructorArguments"] = "0xzz".into());
    check(world.verify("sourcify", &double, &[], &[]), 4, "other-record", &["creation code of ZKMLRouter"]);
    edited(&path, &good, |record| record["compiler"]["version"] = "0.8.36".into());
    check(world.verify("sourcify", &double, &[], &[]), 4, "other-record", &["compiler", "0.8.36"]);
    edited(&path, &good, |record| {
        for contract in record["contracts"].as_object_mut().unwrap().values_mut() {
            contract["status"] = "planned".into();
        }
    });
    check(world.verify("sourcify", &double, &[], &[]), 3, "not-deployed", &["31337"]);
    fs::remove_file(&path).unwrap();
    check(world.verify("sourcify", &double, &[], &[]), 3, "no-record", &["credit_mlp.json"]);
    assert_eq!(double.asked(""), known, "nothing was asked for bad input");
}

/// Writes a record with a change.
fn edited(path: &Path, good: &str, change: impl FnOnce(&mut Value)) {
    let mut record = serde_json::from_str(good).unwrap();
    change(&mut record);
    fs::write(path, record.to_string()).unwrap();
}
