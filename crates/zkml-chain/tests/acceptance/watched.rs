//! `watch --results`: what is posted gets on by itself, and no bond of a right result is lost.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use crate::{
    place::{CHALLENGER, CHALLENGERS_KEY, POSTER, POSTERS_KEY, Place, WINDOW},
    support::{Folder, check},
};
use serde_json::{Value, json};
use zkml_contracts::{acceptance::RESULT_PROVEN, requests::topic};
use zkml_deploy::B256;

impl Place {
    /// Watches until nothing is left to do; its lines.
    fn watched(&self, journal: &str, more: &[&str]) -> Vec<Value> {
        let journal = self.path(journal);
        let fixed =
            ["--results", "--journal", &journal, "--listen", "127.0.0.1:0", "--poll", "1", "--until-idle"];
        let run = self.run(POSTERS_KEY, "watch", &[&fixed[..], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn proofs(&self) -> usize {
        let last = self.rpc.block_number().await.unwrap();
        self.rpc.logs(self.consumer, &[B256::from(topic(RESULT_PROVEN).0)], 0, last).await.unwrap().len()
    }
}

fn has(lines: &[Value], event: &str) -> bool {
    lines.iter().any(|line| line["event"] == event)
}

/// A service in the background.
struct Service {
    child: Child,
    events: mpsc::Receiver<Value>,
    address: String,
}

impl Service {
    fn start(place: &Place) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_zkml-chain"))
            .args([
                "watch",
                "--json",
                "--results",
                "--finalise",
                "--chain",
                "anvil",
                "--test-key",
                "--poll",
                "1",
            ])
            .args(["--dir", &place.folder.dir, "--consumer", &place.consumer.to_string()])
            .args(["--journal", &place.path("journal"), "--listen", "127.0.0.1:0"])
            .env("ANVIL_RPC_URL", place.node.url())
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (told, events) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let lines = stdout.lines().map_while(Result::ok);
            lines.filter_map(|line| serde_json::from_str(&line).ok()).try_for_each(|line| told.send(line))
        });
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = stderr.find(|line| line.contains("status page")).expect("it says where");
        let address = line.split_once("http://").unwrap().1.trim().to_owned();
        std::thread::spawn(move || stderr.for_each(drop));
        Self { child, events, address }
    }

    fn wait(&self, name: &str) -> Value {
        loop {
            let event =
                self.events.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|e| panic!("{name}: {e}"));
            if event["event"] == name {
                return event;
            }
        }
    }

    /// The page, once it has this in it: it is written at the end of a round.
    fn shows(&self, path: &str, text: &str) -> String {
        for _ in 0..100 {
            let page = self.get(path);
            if page.contains(text) {
                return page;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{text} is not in {}", self.get(path));
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_due_is_proven_in_time() {
    let place = Place::new(Folder::new()).await;
    killed_in_between(&place).await;
    drawn_and_spared(&place).await;
    false_and_lost(&place).await;
    posted_before_the_journal(&place).await;
    of_somebody_else(&place).await;
    with_a_damaged_record(&place).await;
    without_words_about_values(&place).await;
}

/// A challenge is answered by a service that is killed as soon as it has begun, and started again.
async fn killed_in_between(place: &Place) {
    let service = Service::start(place);
    let id = place.post("optimistic", &[]);
    assert_eq!(service.wait("posted")["result"], *id);
    let metrics = service.shows("/metrics", "zkml_watch_results{state=\"open\"} 1");
    assert!(metrics.contains("zkml_watch_at_stake_ether 0.3"), "{metrics}");
    place.challenged(&[&id, "--deposit", "0.1"]);
    let due = service.wait("due");
    assert_eq!((&due["result"], &due["challenger"]), (&json!(id), &json!(CHALLENGER.to_lowercase())));
    service.wait("proving");
    drop(service);
    let service = Service::start(place);
    assert_eq!(service.wait("fulfilled")["request"], *id);
    let ended = service.wait("ended");
    assert_eq!((&ended["result"], &ended["how"]), (&json!(id), &json!("accepted")));
    assert_eq!((place.state(&id).await, place.funds(POSTER).await), ("accepted", "0.4".to_owned()));
    assert_eq!(place.proofs().await, 1, "once");
    service.wait("done");
    let page = service.shows("/", "results that are open");
    assert!(page.contains("their bonds, in coins"), "{page}");
    // What nobody challenges counts when its window is over.
    let second = place.post("optimistic", &[]);
    assert_eq!(service.wait("posted")["result"], *second);
    place.wait(WINDOW + 1).await;
    assert_eq!(service.wait("ended")["result"], *second);
}

/// The service draws, proves what is drawn, and has both count.
async fn drawn_and_spared(place: &Place) {
    for (drawn, event) in [(true, "due"), (false, "spared")] {
        let id = place.post("sampled", &[]);
        assert!(!has(&place.watched("journal", &["--finalise"]), event), "its round is not decided");
        place.decide(&id, drawn).await;
        let lines = place.watched("journal", &["--finalise"]);
        assert!(has(&lines, event) && has(&lines, "ended"), "{lines:?}");
        assert_eq!(place.state(&id).await, "accepted");
    }
    assert_eq!(place.proofs().await, 2);
}

/// No proof of a false result can be made; its bond is lost, and people are told.
async fn false_and_lost(place: &Place) {
    let like = place.post("optimistic", &[]);
    let id = place.lie(&like).await.id.to_string();
    place.challenged(&[&id, "--deposit", "0.1"]);
    let lines = place.watched("journal", &[]);
    let refused = lines.iter().find(|line| line["event"] == "refused").unwrap();
    assert_eq!(refused["request"], *id);
    assert!(refused["reason"].as_str().unwrap().contains("no proof of it can be made"), "{refused}");
    place.wait(WINDOW + 1).await;
    place.challenged(&[&id, "--claim"]);
    let lines = place.watched("journal", &["--finalise"]);
    let lost = lines.iter().find(|line| line["event"] == "ended" && line["how"] == "lost").unwrap();
    assert_eq!(lost["result"], *id);
    assert_eq!(place.state(&like).await, "accepted");
}

/// A new journal begins behind what has happened: the folder's record and the contract say the rest.
async fn posted_before_the_journal(place: &Place) {
    let id = place.post("optimistic", &[]);
    place.challenged(&[&id, "--deposit", "0.1"]);
    let from = (place.rpc.block_number().await.unwrap() + 1).to_string();
    let lines = place.watched("another", &["--from-block", &from]);
    assert!(has(&lines, "proven"), "{lines:?}");
    assert_eq!(place.state(&id).await, "proven");
}

/// One record that cannot be read keeps no other result from being answered for, and people are told. What stays open is said at the end.
async fn with_a_damaged_record(place: &Place) {
    let damaged = place.post("optimistic", &[]);
    let whole = place.post("optimistic", &[]);
    let path = place.folder.path(&format!("results/31337-{damaged}.json"));
    let record = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &record[..record.len() / 2]).unwrap();
    let from = (place.rpc.block_number().await.unwrap() + 1).to_string();
    let journal = place.path("third");
    let run = place.run(
        POSTERS_KEY,
        "watch",
        &[
            "--results",
            "--journal",
            &journal,
            "--listen",
            "127.0.0.1:0",
            "--until-idle",
            "--from-block",
            &from,
        ],
    );
    assert!(run.code == 0 && run.stderr.contains(&damaged), "{run:?}");
    assert!(run.stderr.contains("nobody answers for a result whose record cannot be read"), "{run:?}");
    let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    let open = &last["summary"]["open"];
    // The other one is proven, and waits to count.
    assert_eq!((&open["results"], &open["bonds"]), (&json!(2), &json!("0.3")), "{last}");
    let deadline = place.find(&whole).await.result.deadline;
    assert_eq!(open["until"].as_u64().unwrap(), u64::from_be_bytes(deadline.0[24..].try_into().unwrap()));
    assert!(open["next"].as_str().unwrap().contains("watch --results"), "{last}");
    let service = Service::start(place);
    let health = service.shows("/healthz", "cannot be read");
    assert!(health.contains(&damaged), "{health}");
    drop(service);
    std::fs::write(&path, record).unwrap();
}

/// An input that cannot be used is named by its file: what is said to many says no value of it.
async fn without_words_about_values(place: &Place) {
    let service = Service::start(place);
    let id = place.post("optimistic", &[]);
    assert_eq!(service.wait("posted")["result"], *id);
    let data = place.find(&id).await.result.data_commitment;
    let kept = place.folder.path(&format!("results/{data}/input.json"));
    let whole = std::fs::read_to_string(&kept).unwrap();
    let mut spoilt: Value = serde_json::from_str(&whole).unwrap();
    let (_, values) = spoilt["inputs"].as_object_mut().unwrap().iter_mut().next().unwrap();
    *first_number(values) = json!(271_828_182);
    std::fs::write(&kept, spoilt.to_string()).unwrap();
    place.challenged(&[&id, "--deposit", "0.1"]);
    let postponed = service.wait("postponed");
    let reason = postponed["reason"].as_str().unwrap();
    assert!(reason.contains("input.json is no input that this model takes"), "{postponed}");
    assert!(!postponed.to_string().contains("2718"), "{postponed}");
    for path in ["/", "/healthz"] {
        assert!(!service.get(path).contains("2718"), "{path}");
    }
    std::fs::write(&kept, whole).unwrap();
    assert_eq!(service.wait("fulfilled")["request"], *id, "a file can be mended");
}

/// The first number in lists of lists.
fn first_number(value: &mut Value) -> &mut Value {
    if value.is_array() { first_number(&mut value[0]) } else { value }
}

/// Results of others are proven where they are named, and their inputs are there.
async fn of_somebody_else(place: &Place) {
    let id = place.post_by(CHALLENGERS_KEY, "optimistic", &[]);
    let run = place.run(POSTERS_KEY, "challenge", &[&id, "--deposit", "0.1"]);
    assert_eq!(run.code, 0, "{run:?}");
    let own = place.watched("journal", &[]);
    assert!(!own.iter().any(|line| line["event"] == "due" && line["result"] == *id), "not ours: {own:?}");
    let others = place.watched("others", &["--results-of", CHALLENGER]);
    assert!(has(&others, "proven"), "{others:?}");
    assert_eq!(place.state(&id).await, "proven");
    // Without --results it is a service of requests, which this contract does not take.
    let alone = place.run(POSTERS_KEY, "watch", &["--inputs", &place.path("inputs"), "--until-idle"]);
    check(alone, 2, "no-requests", &[]);
    assert_eq!(place.run(POSTERS_KEY, "watch", &["--finalise"]).code, 2);
}
