//! A fleet as an operator runs it: a database, object storage, workers, and real proofs.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use zkml_contracts::requests::RequestState;
use zkml_protocol::Word;

use crate::{
    ASKER, Place, Service, file, get,
    server::Server,
    support::{Folder, Run, done, zkml_env},
    with_chain,
};

/// A worker in the background.
struct Hand {
    child: Child,
    log: PathBuf,
}

impl Hand {
    fn signal(&mut self) -> String {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A database and object storage, beside a deployed contract.
struct Fleet {
    place: Place,
    server: Server,
    database: String,
}

impl Fleet {
    async fn new(folder: Folder) -> Self {
        let (place, server) = (Place::new(folder).await, Server::start());
        let database = server.database();
        server.ask("CREATE ROLE zkml_worker LOGIN", "postgres");
        let fleet = Self { place, server, database };
        let refused = fleet.queue(&["status"]);
        assert!(refused.code != 0 && refused.stdout.contains("queue-version"), "{refused:?}");
        assert_eq!(fleet.queue(&["migrate"]).json(), json!({ "from": 0, "to": 3 }));
        fleet
    }

    fn objects(&self) -> String {
        format!("file://{}", self.place.path("objects"))
    }

    fn queue(&self, arguments: &[&str]) -> Run {
        let url = self.server.url(&self.database);
        zkml_env(&[("ZKML_DATABASE_URL", &url)], &[&["queue", "--json"], arguments].concat())
    }

    fn watch(&self, more: &[&str]) -> Service {
        let mut arguments = self.place.watch(&[
            "--chain",
            "anvil",
            "--test-key",
            "--queue",
            "postgres",
            "--objects",
            &self.objects(),
        ]);
        arguments.extend(more.iter().map(|&text| text.to_owned()));
        let url = self.server.url(&self.database);
        Service::run(&arguments, &[("ANVIL_RPC_URL", &self.place.node.url()), ("ZKML_DATABASE_URL", &url)])
    }

    fn worker(&self, name: &str, identity: Option<&str>) -> Hand {
        let log = PathBuf::from(self.place.path(&format!("{name}.log")));
        let cache = self.place.path(&format!("{name}.cache"));
        let objects = self.objects();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-chain"));
        command.args(["worker", "--json", "--name", name, "--objects", &objects, "--cache", &cache]);
        command.args(["--memory", "2GiB", "--listen", "127.0.0.1:0", "--poll", "50", "--lease", "5"]);
        command.args(identity.map(|file| ["--identity", file]).into_iter().flatten());
        let child = command
            .env("ZKML_DATABASE_URL", self.server.url_as("zkml_worker", &self.database))
            .stdout(fs::File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Hand { child, log }
    }

    /// Everything that the database and object storage hold, as text.
    fn all_that_is_stored(&self) -> Vec<u8> {
        let mut all = self.server.dump(&self.database);
        let mut folders = vec![PathBuf::from(self.place.path("objects"))];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.extend(fs::read(path).unwrap());
                }
            }
        }
        all
    }
}

/// Returns true if a text is there, as it is or in hexadecimal digits, as a dump has bytes.
fn holds(all: &[u8], text: &str) -> bool {
    let digits = hex::encode(text);
    [text, &digits].iter().any(|text| all.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
async fn sealed_inputs_are_proven_by_workers_and_seen_by_nobody_else() {
    let fleet = Fleet::new(Folder::new()).await;
    let place = &fleet.place;
    let identity = place.path("fleet.identity");
    let made = fleet.queue(&["identity", "--out", &identity]).json();
    assert_eq!(made["public"], format!("{identity}.pub"));
    // A model that commits to its inputs wants to know for whom they are sealed.
    let arguments = place.watch(&["--queue", "postgres", "--objects", &fleet.objects()]);
    let unsealed = with_chain(&place.node, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(unsealed.code == 2 && unsealed.stdout.contains("--seal-to"), "{unsealed:?}");
    for flag in [["--journal", "x"], ["--jobs", "2"]] {
        let more = [arguments.iter().map(String::as_str).collect::<Vec<_>>(), flag.to_vec()].concat();
        let refused = with_chain(&place.node, &more);
        // A line, as events are.
        let last: Value = serde_json::from_str(&refused.stdout).unwrap();
        assert_eq!((refused.code, &last["event"], refused.stdout.lines().count()), (2, &json!("error"), 1));
        assert!(last["error"]["message"].as_str().unwrap().contains(flag[0]), "{last}");
    }
    let sample = place.path("sample.json");
    fs::copy(place.folder.path("sample.json"), &sample).unwrap();
    let made = done(&["commit", "--dir", &place.folder.dir, "--input", &sample]);
    let commitment = made["commitments"][0]["commitment"].as_str().unwrap();
    let commitment = Word::from_hex(commitment.trim_start_matches("0x")).unwrap();
    let own = format!("inputs/{}", ASKER.to_lowercase());
    fs::create_dir_all(place.path(&own)).unwrap();
    fs::copy(&sample, place.path(&format!("{own}/{commitment}.json"))).unwrap();
    // Salts of another commitment to the same input, and then what belongs to neither.
    let other = place.path("other.json");
    fs::copy(&sample, &other).unwrap();
    done(&["commit", "--dir", &place.folder.dir, "--input", &other]);
    let private = place.path(&format!("{own}/{commitment}.private.json"));
    fs::copy(place.path("other.private.json"), &private).unwrap();
    let service = fleet.watch(&["--seal-to", &format!("{identity}.pub")]);
    let address = service.address();
    let id = place.ask(commitment, &[]).await.unwrap();
    let why = |event: &Value| event["reason"].as_str().unwrap().to_owned();
    let refused = why(&service.wait("postponed"));
    assert!(refused.contains("the input at hand opens"), "{refused}");
    let secret = file(place.path("sample.private.json"));
    let salt = secret["openings"][0]["salt"].as_str().unwrap().trim_start_matches("0x").to_owned();
    let mut mixed = secret.clone();
    mixed["openings"][0]["salt"] = file(place.path("other.private.json"))["openings"][0]["salt"].clone();
    fs::write(&private, mixed.to_string()).unwrap();
    loop {
        let refused = why(&service.wait("postponed"));
        if refused.contains("do not belong together") {
            break;
        }
        assert!(refused.contains("the input at hand opens"), "{refused}");
    }
    assert!(!PathBuf::from(place.path("objects/sealed")).exists(), "nothing of that is sealed");
    fs::copy(place.path("sample.private.json"), &private).unwrap();
    service.wait("proving");
    let stored = fleet.all_that_is_stored();
    assert!(!holds(&stored, &salt) && !holds(&stored, &salt.to_uppercase()), "the salt is in clear");
    // A worker with another key is not given it, and that is said where people look.
    let stranger = place.path("stranger.identity");
    fleet.queue(&["identity", "--out", &stranger]);
    let mut foreign = fleet.worker("foreign", Some(&stranger));
    let end = Instant::now() + Duration::from_secs(60);
    while fleet.queue(&["status"]).json()["unplaced"]["sealed"] != 1 {
        assert!(Instant::now() < end, "{:?}", fleet.queue(&["status"]));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    while !get(&address, "/metrics").contains("zkml_queue_unplaced 1") {
        assert!(Instant::now() < end, "{}", get(&address, "/metrics"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(get(&address, "/").contains("sealed for a key that no worker has"), "{}", get(&address, "/"));
    let log = foreign.signal();
    assert!(!log.contains(&salt) && !log.contains("\"event\":\"leased\""), "{log}");
    let mut worker = fleet.worker("good", Some(&identity));
    assert_eq!(service.wait("done")["request"], id.to_string());
    assert_eq!(place.state(id).await, RequestState::Fulfilled);
    let status = fleet.queue(&["status"]).json();
    assert_eq!((&status["states"], &status["workers"][1]["name"]), (&json!([]), &json!("good")));
    let metrics = get(&address, "/metrics");
    assert!(
        metrics.contains("zkml_queue_done_total 1") && metrics.contains("zkml_queue_workers 2"),
        "{metrics}"
    );
    assert!(get(&address, "/").contains("Tasks of the fleet"));
    // What was sealed goes once it is of no use any more.
    let sealed = PathBuf::from(place.path("objects/sealed"));
    let end = Instant::now() + Duration::from_secs(20);
    while fs::read_dir(&sealed).unwrap().count() > 0 {
        assert!(Instant::now() < end, "a sealed input stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = worker.signal();
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["event"], &last["done"], &last["lost"]),
        (&json!("ended"), &json!(1), &json!(0)),
        "{log}"
    );
    assert!(!log.contains(&salt) && !holds(&fleet.all_that_is_stored(), &salt));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
async fn damaged_objects_are_refused_and_tried_again() {
    let folder = Folder::new();
    let fleet = Fleet::new(folder).await;
    let place = &fleet.place;
    for (arguments, words) in [
        (vec!["publish", "--objects", "ftp://x"], "file, s3 and gs"),
        (vec!["publish", "--objects", "s3://key:secret@bucket"], "environment"),
        (vec!["publish", "--objects", "file://relative"], "absolute"),
        (vec!["publish"], "--objects URL"),
        (vec!["retry", "7"], "task 7 is not dead"),
        (vec!["drain", "nobody"], "there is no worker nobody"),
        (vec!["migrate", "--to", "9"], "version 9"),
    ] {
        let dir = ["--dir", &place.folder.dir];
        let run =
            fleet.queue(&if arguments[0] == "publish" { [&arguments[..], &dir].concat() } else { arguments });
        assert!(run.code != 0 && run.stdout.contains(words), "{words}: {run:?}");
        assert!(!format!("{run:?}").contains("secret@"), "{run:?}");
    }
    let none = zkml_env(&[], &["queue", "status"]);
    assert!(none.code != 0 && none.stderr.contains("ZKML_DATABASE_URL"), "{none:?}");
    let publish = ["publish", "--dir", &place.folder.dir, "--objects", &fleet.objects()];
    let first = fleet.queue(&publish).json();
    let again = fleet.queue(&publish).json();
    assert_eq!((&again["sent"], &again["program"]), (&json!(0), &first["program"]), "nothing is sent twice");
    // Whatever is changed in object storage is not believed.
    let list = place.path(&format!("objects/programs/{}", first["program"].as_str().unwrap()));
    fs::write(&list, b"{}").unwrap();
    let identity = place.path("fleet.identity");
    fleet.queue(&["identity", "--out", &identity]);
    let sample = place.path("sample.json");
    fs::copy(place.folder.path("sample.json"), &sample).unwrap();
    let service = fleet.watch(&["--seal-to", &format!("{identity}.pub")]);
    let asked = place.request(&["--input", &sample, "--share", &place.path("inputs")]);
    assert_eq!(asked.code, 0, "{asked:?}");
    service.wait("proving");
    // `watch` has published it again; now a file of it is changed.
    let files = fs::read_dir(place.path("objects/files")).unwrap().map(|entry| entry.unwrap().path());
    let key = files.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let whole = fs::read(&key).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&key, damaged).unwrap();
    let mut worker = fleet.worker("good", Some(&identity));
    let end = Instant::now() + Duration::from_secs(60);
    while !fs::read_to_string(&worker.log).unwrap().contains("SHA-256") {
        assert!(Instant::now() < end, "{}", fs::read_to_string(&worker.log).unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Publishing again mends it, and the task is tried again by itself.
    assert_eq!(fleet.queue(&publish).json()["sent"], json!(whole.len()));
    let end = Instant::now() + Duration::from_secs(60);
    while !fs::read_to_string(&worker.log).unwrap().contains("\"done\"") {
        let status = fleet.queue(&["status"]).stdout;
        assert!(Instant::now() < end, "{status} {}", fs::read_to_string(&worker.log).unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    service.wait("done");
    worker.signal();
}
