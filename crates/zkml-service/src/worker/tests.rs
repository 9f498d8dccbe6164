//! What becomes of a task when its worker is told to end, is late, or has hands that panic.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
};

use super::*;
use crate::{
    Journal,
    journal::tests::{Place, on_both},
    queue::NewTask,
};

/// Hands that take so many milliseconds, and panic when told so.
#[derive(Default)]
struct Slow {
    takes: AtomicU64,
    panics: Mutex<bool>,
}

impl Hands for Slow {
    fn warm(&self) -> Vec<String> {
        Vec::new()
    }

    fn work(&self, lease: &Lease, _: &[Vec<u8>]) -> Result<Vec<u8>, ProveFailure> {
        assert!(!*self.panics.lock().unwrap(), "hands that panic");
        sleep(Duration::from_millis(self.takes.load(Ordering::SeqCst)));
        Ok(lease.job.clone())
    }
}

struct Scene {
    journal: Journal,
    hands: Arc<Slow>,
    events: Arc<Mutex<Vec<WorkerEvent>>>,
    shutdown: CancellationToken,
}

impl Scene {
    fn new(place: &Place, takes: u64) -> Self {
        let mut journal = place.open();
        let request = journal.with_requests(1)[0];
        let task = NewTask {
            request,
            statement: request,
            part: 0,
            parts: 0,
            program: "aa".repeat(32),
            memory: 1,
            sealed_for: String::new(),
            job: b"job".to_vec(),
            deadline: i64::MAX,
            reward_rank: 0,
            most: 9,
        };
        journal.enqueue(&[task]).unwrap();
        let hands = Arc::new(Slow { takes: AtomicU64::new(takes), ..Slow::default() });
        Self { journal, hands, events: Arc::default(), shutdown: CancellationToken::new() }
    }

    fn worker(&self, lease: u64, grace: u64) -> Worker {
        let events = Arc::clone(&self.events);
        Worker {
            queue: self.journal.queue(),
            name: "w".to_owned(),
            memory: 1,
            hands: Arc::clone(&self.hands) as Arc<dyn Hands>,
            lease: Duration::from_millis(lease),
            poll: Duration::from_millis(5),
            grace: Duration::from_millis(grace),
            until_drained: false,
            metrics: WorkerMetrics::new(1),
            observer: Arc::new(move |event| events.lock().unwrap().push(event.clone())),
        }
    }

    /// Runs a worker, tells it to end so many milliseconds after it has taken a task, and waits for that.
    fn run(&self, worker: Worker, after: u64) -> WorkerSummary {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (shutdown, events) = (self.shutdown.child_token(), Arc::clone(&self.events));
        let before = events.lock().unwrap().len();
        let summary = runtime.block_on(async {
            let told = shutdown.clone();
            tokio::spawn(async move {
                while events.lock().unwrap().len() == before {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                tokio::time::sleep(Duration::from_millis(after)).await;
                told.cancel();
            });
            worker.run(shutdown).await.unwrap()
        });
        runtime.shutdown_background();
        summary
    }

    fn states(&self) -> Vec<(String, u64)> {
        self.journal.backlog().unwrap().states
    }
}

on_both! {
    what_is_begun_is_finished_within_the_grace,
    what_is_not_finished_goes_back_as_it_was,
    a_late_result_does_not_count_and_the_worker_goes_on,
    hands_that_panic_cost_an_attempt_and_nothing_else,
    a_lost_lease_does_not_outlast_the_grace,
}

fn a_lost_lease_does_not_outlast_the_grace(place: &Place) {
    let mut scene = Scene::new(place, 10_000);
    let (worker, shutdown) = (scene.worker(300, 100), scene.shutdown.clone());
    let running = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let summary = runtime.block_on(worker.run(shutdown)).unwrap();
        runtime.shutdown_background();
        summary
    });
    while scene.events.lock().unwrap().is_empty() {
        sleep(Duration::from_millis(5));
    }
    scene.journal.sql("UPDATE tasks SET token = 7, worker = 'other', lease_until = now_ms() + 60000");
    // A beat finds that out.
    sleep(Duration::from_millis(500));
    let told = Instant::now();
    scene.shutdown.cancel();
    let summary = running.join().unwrap();
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    assert_eq!((summary.leased, summary.lost), (1, 1));
}

fn what_is_begun_is_finished_within_the_grace(place: &Place) {
    let mut scene = Scene::new(place, 300);
    let summary = scene.run(scene.worker(10_000, 10_000), 100);
    assert_eq!(summary, WorkerSummary { leased: 1, done: 1, ..WorkerSummary::default() });
    assert_eq!(scene.journal.made(9).unwrap()[0].result, b"job");
}

fn what_is_not_finished_goes_back_as_it_was(place: &Place) {
    let scene = Scene::new(place, 2_000);
    let summary = scene.run(scene.worker(10_000, 50), 100);
    assert_eq!(summary, WorkerSummary { leased: 1, released: 1, ..WorkerSummary::default() });
    assert_eq!(scene.states(), [("ready".to_owned(), 1)]);
    scene.hands.takes.store(0, Ordering::SeqCst);
    let summary = scene.run(scene.worker(10_000, 50), 300);
    assert_eq!((summary.leased, summary.done), (1, 1), "the next one has it at once");
    let attempts = scene
        .events
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            WorkerEvent::Leased { attempts, .. } => Some(*attempts),
            _ => None,
        })
        .collect::<Vec<_>>();
    assert_eq!(attempts, [1, 1], "it does not count as one");
}

fn a_late_result_does_not_count_and_the_worker_goes_on(place: &Place) {
    let mut scene = Scene::new(place, 600);
    // Somebody takes the lease away while the proof is made, as a partition would.
    let queue = scene.journal.queue();
    let (worker, shutdown) = (scene.worker(300, 0), scene.shutdown.clone());
    let running = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(worker.run(shutdown)).unwrap()
    });
    let end = Instant::now() + Duration::from_secs(20);
    while scene.events.lock().unwrap().is_empty() {
        assert!(Instant::now() < end);
        sleep(Duration::from_millis(5));
    }
    scene.journal.sql("UPDATE tasks SET token = 7, worker = 'other', lease_until = now_ms() + 60000");
    while !scene.events.lock().unwrap().iter().any(|event| matches!(event, WorkerEvent::Lost { .. })) {
        assert!(Instant::now() < end, "{:?}", scene.events.lock().unwrap());
        sleep(Duration::from_millis(5));
    }
    assert!(scene.journal.made(9).unwrap().is_empty(), "its result is nobody's");
    scene.journal.sql("UPDATE tasks SET state = 'ready', token = NULL, lease_until = 0");
    scene.hands.takes.store(0, Ordering::SeqCst);
    while scene.journal.made(9).unwrap().is_empty() {
        assert!(Instant::now() < end);
        sleep(Duration::from_millis(5));
    }
    scene.shutdown.cancel();
    let summary = running.join().unwrap();
    assert_eq!((summary.leased, summary.lost, summary.done), (2, 1, 1));
    assert!(
        !queue
            .greet(&WorkerCard { name: "w".into(), memory: 1, warm: vec![], opens: String::new() })
            .unwrap()
    );
}

fn hands_that_panic_cost_an_attempt_and_nothing_else(place: &Place) {
    let scene = Scene::new(place, 0);
    *scene.hands.panics.lock().unwrap() = true;
    let summary = scene.run(scene.worker(10_000, 10_000), 200);
    assert_eq!((summary.leased, summary.failed, summary.done), (1, 1, 0));
    assert_eq!(scene.states(), [("ready".to_owned(), 1)]);
    let events = scene.events.lock().unwrap().clone();
    assert!(
        events.iter().any(
            |event| matches!(event, WorkerEvent::Failed { reason, .. } if reason == "the prover panicked")
        ),
        "{events:?}"
    );
}
