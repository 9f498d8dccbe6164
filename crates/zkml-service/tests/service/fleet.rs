//! A fleet: workers, the service and the database are killed again and again, and cut off from each other.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use zkml_deploy::Address;
use zkml_protocol::{Word, binding::Request};
use zkml_service::{
    DatabaseUrl, Fleet, Hands, Health, Job, Journal, LATEST, Lease, Metrics, Options, Owner, Part,
    ProveFailure, Proven, Prover, Queue, Service, Status, Worker, WorkerMetrics, migrate,
};

use crate::{
    scene::{Double, FAR, Scene, impatient},
    server::Server,
};

/// What tells this test that it is a process of its own: its part, the database, and for the service the node and the contract.
const CHILD: [&str; 4] =
    ["ZKML_FLEET_TEST_PART", "ZKML_FLEET_TEST_DATABASE", "ZKML_FLEET_TEST_NODE", "ZKML_FLEET_TEST_CONSUMER"];
/// Requests and kills of a longer run: `ZKML_CHAOS=1000,50`.
const LONGER: &str = "ZKML_CHAOS";
const WORKERS: usize = 4;
const LEASE: Duration = Duration::from_secs(2);
/// Longer than a lease.
const CUT: Duration = Duration::from_secs(5);

/// A fleet whose workers make the double's proofs. What is packed first may take so long.
#[derive(Default)]
struct FleetDouble {
    proofs: Double,
    first_takes: Option<Duration>,
    packed: AtomicU64,
}

impl Prover for FleetDouble {
    fn missing(&self, id: &Word, request: &Request, input: &[u8]) -> Option<String> {
        self.proofs.missing(id, request, input)
    }

    fn prove(&self, _: &Job) -> Result<Proven, ProveFailure> {
        Err(ProveFailure::Permanent("the fleet proves".to_owned()))
    }

    fn fleet(&self) -> Option<&dyn Fleet> {
        Some(self)
    }
}

impl Fleet for FleetDouble {
    fn backlog(&self) -> u64 {
        16
    }

    fn pack(&self, job: &Job) -> Result<Vec<Part>, ProveFailure> {
        if let Some(time) = self.first_takes.filter(|_| self.packed.fetch_add(1, Ordering::SeqCst) == 0) {
            thread::sleep(time);
        }
        let (program, sealed_for, job) = ("aa".repeat(32), String::new(), job.context.0.to_vec());
        Ok(vec![Part { part: 0, parts: 0, program, memory: 1, sealed_for, job }])
    }

    fn open(&self, job: &Job, result: &[u8]) -> Result<Proven, String> {
        if result != job.context.0 {
            return Err("it is bound to something else".to_owned());
        }
        self.proofs.prove(job).map_err(|failure| format!("{failure:?}"))
    }

    fn forget(&self, _: &Word) {}
}

/// A worker's work: it takes a while, and now and then it lies.
struct HandsDouble;

impl Hands for HandsDouble {
    fn warm(&self) -> Vec<String> {
        vec!["aa".repeat(32)]
    }

    fn work(&self, lease: &Lease, _: &[Vec<u8>]) -> Result<Vec<u8>, ProveFailure> {
        thread::sleep(Duration::from_millis(80));
        let lies = lease.attempts == 1 && lease.task % 97 == 0;
        Ok(if lies { vec![0; 32] } else { lease.job.clone() })
    }
}

async fn work_as_child(name: String, database: &str) {
    let url = DatabaseUrl::parse(database).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let queue = loop {
        match Queue::connect(&url) {
            Ok(queue) => break queue,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    worker(queue, name).run(CancellationToken::new()).await.unwrap();
}

fn worker(queue: Queue, name: String) -> Worker {
    Worker {
        queue,
        name,
        memory: 10,
        hands: Arc::new(HandsDouble),
        lease: LEASE,
        poll: Duration::from_millis(50),
        grace: Duration::from_secs(1),
        until_drained: false,
        metrics: WorkerMetrics::new(10),
        observer: Arc::new(|_| {}),
    }
}

async fn serve_as_child(database: &str, node: &str, consumer: Address) {
    let owner = Owner { chain_id: 31_337, consumer, sender: Scene::account().address() };
    let url = DatabaseUrl::parse(database).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let journal = loop {
        match Journal::open_on(&url, &owner) {
            Ok(journal) => break journal,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let options = Scene::options();
    let service = Service {
        rpc: impatient(node),
        account: Scene::account(),
        consumer,
        journal,
        prover: Arc::new(FleetDouble::default()),
        metrics: Metrics::default(),
        health: Health::new(options.limits.poll),
        status: Status::default(),
        options: Options { retry: Scene::options().retry, ..options },
        observer: Arc::new(|_| {}),
    };
    service.run(CancellationToken::new()).await.unwrap();
}

/// A way to the database that can be cut: bytes are neither refused nor delivered.
struct Wire {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Wire {
    fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, cut) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let shared = Arc::clone(&cut);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                for (from, to) in [(&stream, &server), (&server, &stream)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let cut = Arc::clone(&shared);
                    thread::spawn(move || carry(from, to, &cut));
                }
            }
        });
        Self { port, cut }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while cut.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(10));
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// All that runs besides the node.
struct Parts {
    children: BTreeMap<String, Child>,
    wires: BTreeMap<String, Wire>,
    node: String,
    consumer: Address,
    database: String,
}

impl Parts {
    fn start(&mut self, part: &str) {
        let port = self.wires[part].port;
        let url = format!(
            "postgres://{}@127.0.0.1:{port}/{}",
            if part == "watch" { "postgres" } else { "zkml_worker" },
            self.database
        );
        let values = [part.to_owned(), url, self.node.clone(), self.consumer.to_string()];
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "fleet::a_fleet_survives_kills_and_a_partition",
                "--nocapture",
                "--include-ignored",
            ])
            .envs(CHILD.into_iter().zip(values))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.children.insert(part.to_owned(), child);
    }

    fn kill(&mut self, part: &str) {
        if let Some(mut child) = self.children.remove(part) {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        for name in self.children.keys().cloned().collect::<Vec<_>>() {
            self.kill(&name);
        }
    }
}

/// What the database itself saw: results of leases that count, each once.
const WITNESS: &str = "
CREATE TABLE witness (request BYTEA NOT NULL, token BIGINT NOT NULL, taken BOOLEAN NOT NULL);
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    IF NEW.state = 'done' AND (OLD.state <> 'leased' OR OLD.token <> NEW.token OR OLD.lease_until < zkml.now_ms() - 1000) THEN
        RAISE EXCEPTION 'a stale lease';
    END IF;
    IF NEW.state = 'done' THEN INSERT INTO public.witness VALUES (NEW.request, NEW.token, TRUE); END IF;
    IF OLD.state = 'done' AND NEW.state <> 'done' THEN
        UPDATE public.witness SET taken = FALSE WHERE token = OLD.token;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER witness BEFORE UPDATE ON zkml.tasks FOR EACH ROW EXECUTE FUNCTION witness();";

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_hangs_keeps_only_its_own_request_waiting() {
    let scene = Scene::new(&[]).await;
    let ids = scene.ask(5, FAR).await;
    let (journal, health) = (scene.journal(), Health::new(Scene::options().limits.poll));
    let (shutdown, hang) = (CancellationToken::new(), Duration::from_secs(8));
    let worker = worker(journal.queue(), "w".to_owned());
    let events = Arc::clone(&scene.events);
    let service = Service {
        rpc: impatient(&scene.node.url()),
        account: Scene::account(),
        consumer: scene.consumer,
        journal,
        prover: Arc::new(FleetDouble { first_takes: Some(hang), ..FleetDouble::default() }),
        metrics: Metrics::default(),
        health,
        status: Status::default(),
        options: Options { until_idle: true, ..Scene::options() },
        observer: Arc::new(move |event| events.lock().unwrap().push(event.clone())),
    };
    let started = Instant::now();
    let (working, serving) =
        (tokio::spawn(worker.run(shutdown.clone())), tokio::spawn(service.run(shutdown.clone())));
    while scene.fulfilments().await.len() < 4 {
        assert!(started.elapsed() < hang, "the others wait for it: {:?}", scene.fulfilments().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    serving.await.unwrap().unwrap();
    assert!(started.elapsed() >= hang, "it was not forgotten");
    let fulfilments = scene.fulfilments().await;
    assert!(ids.iter().all(|id| fulfilments.get(id) == Some(&1)), "{fulfilments:?}");
    shutdown.cancel();
    working.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
async fn a_fleet_survives_kills_and_a_partition() {
    match CHILD.map(|name| std::env::var(name).ok()) {
        [Some(part), Some(database), Some(node), Some(consumer)] if part == "watch" => {
            return serve_as_child(&database, &node, consumer.parse().unwrap()).await;
        }
        [Some(part), Some(database), ..] => return work_as_child(part, &database).await,
        _ => {}
    }
    let longer = std::env::var(LONGER).ok().and_then(|text| {
        let (requests, kills) = text.split_once(',')?;
        Some((requests.parse().ok()?, kills.parse().ok()?))
    });
    let (requests, kills): (u64, u64) = longer.unwrap_or((150, 10));
    let scene = Scene::new(&[]).await;
    let mut server = Server::start();
    let database = server.database();
    server.ask("CREATE ROLE zkml_worker LOGIN", "postgres");
    migrate(&DatabaseUrl::parse(&server.url(&database)).unwrap(), LATEST).unwrap();
    server.ask(WITNESS, &database);
    let names: Vec<String> =
        (0..WORKERS).map(|number| format!("worker{number}")).chain(["watch".to_owned()]).collect();
    let mut parts = Parts {
        children: BTreeMap::new(),
        wires: names.iter().map(|name| (name.clone(), Wire::to(server.port()))).collect(),
        node: scene.node.url(),
        consumer: scene.consumer,
        database: database.clone(),
    };
    names.iter().for_each(|name| parts.start(name));
    let (mut dice, mut ids, mut killed) = (Dice(18), Vec::new(), BTreeMap::<String, u64>::new());
    let (started, mut cut_at) = (Instant::now(), None);
    let limit = Duration::from_secs(60 + 6 * kills + requests / 3);
    for round in 0.. {
        if (ids.len() as u64) < requests {
            ids.extend(scene.ask((requests - ids.len() as u64).min(requests.div_ceil(kills)), FAR).await);
        }
        if round < kills {
            // Workers most often, as there are more of them.
            let victim = dice.roll(WORKERS as u64 + 2);
            match names.get(usize::try_from(victim).unwrap()) {
                Some(name) => {
                    parts.kill(name);
                    parts.start(name);
                    *killed.entry(name.clone()).or_default() += 1;
                }
                None => {
                    server.kill_and_start();
                    *killed.entry("database".to_owned()).or_default() += 1;
                }
            }
        }
        if round == kills / 2 {
            // Half of the fleet, and the service, are cut off for longer than a lease.
            for name in ["worker0", "worker1", "watch"] {
                parts.wires[name].cut.store(true, Ordering::SeqCst);
            }
            cut_at = Some(Instant::now());
        }
        if cut_at.is_some_and(|cut: Instant| cut.elapsed() > CUT) {
            parts.wires.values().for_each(|wire| wire.cut.store(false, Ordering::SeqCst));
        }
        tokio::time::sleep(Duration::from_millis(500 + dice.roll(500))).await;
        let done = scene.fulfilments().await.len() as u64;
        if round >= kills && done == requests && cut_at.is_some_and(|cut| cut.elapsed() > CUT) {
            break;
        }
        assert!(started.elapsed() < limit, "{done} of {requests} after {} s", started.elapsed().as_secs());
        for (name, child) in &mut parts.children {
            assert!(child.try_wait().unwrap().is_none(), "{name} ended by itself");
        }
    }
    let fulfilments = scene.fulfilments().await;
    assert_eq!(ids.len() as u64, requests);
    assert!(ids.iter().all(|id| fulfilments.get(id) == Some(&1)), "{fulfilments:?}");
    assert_eq!(scene.nonce().await, requests, "every transaction was of use");
    drop(parts);
    let number = |query: &str| server.ask(query, &database).parse::<u64>().unwrap();
    let taken = number("SELECT count(*) FROM witness WHERE taken");
    assert_eq!(
        (taken, number("SELECT count(DISTINCT request) FROM witness WHERE taken")),
        (requests, requests)
    );
    let lies = number("SELECT count(*) FROM witness WHERE NOT taken");
    assert_eq!(number("SELECT count(*) FROM zkml.tasks WHERE state <> 'done'"), 0, "nothing is left");
    eprintln!(
        "{requests} requests in {:.1} s, each fulfilled once; killed: {killed:?}; {lies} results refused; one partition of {} s",
        started.elapsed().as_secs_f64(),
        CUT.as_secs()
    );
}
