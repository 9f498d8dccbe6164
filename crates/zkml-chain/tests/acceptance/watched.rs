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
