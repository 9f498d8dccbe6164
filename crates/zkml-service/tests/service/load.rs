//! Many requests, and a process that is killed again and again.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::scene::{FAR, Scene};

/// What tells this test that it is the service's process: the node's URL, the contract and the journal.
const CHILD: [&str; 3] = ["ZKML_WATCH_TEST_URL", "ZKML_WATCH_TEST_CONSUMER", "ZKML_WATCH_TEST_JOURNAL"];
const REQUESTS: u64 = 200;
const KILLS: u64 = 3;

/// The process that serves is this very test, started again.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_requests_survive_three_kills() {
    if let [Some(url), Some(consumer), Some(journal)] = CHILD.map(|name| std::env::var(name).ok()) {
        return crate::scene::serve_as_child(&url, &consumer, &journal).await;
    }
    if crate::scene::on_postgres() {
        // Its process knows a file; `fleet` kills services that have a server.
        return;
    }
    let scene = Scene::new(&[]).await;
    // In several blocks, some of them while the service is at work.
    let mut ids = scene.ask(REQUESTS / 2, FAR).await;
    for kill in 1..=KILLS {
        let mut child = spawn(&scene);
        let enough = REQUESTS / 2 * kill / (KILLS + 1);
        wait_for_nonce(&scene, enough, &mut child).await;
        child.kill().unwrap();
        child.wait().unwrap();
        ids.extend(scene.ask(REQUESTS / 2 / KILLS, FAR).await);
    }
    ids.extend(scene.ask(REQUESTS - ids.len() as u64, FAR).await);
    let mut child = spawn(&scene);
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "nonce {}", scene.nonce().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let fulfilments = scene.fulfilments().await;
    assert_eq!(ids.len() as u64, REQUESTS);
    assert!(ids.iter().all(|id| fulfilments.get(id) == Some(&1)), "{fulfilments:?}");
    assert_eq!(scene.nonce().await, REQUESTS, "every transaction was of use");
    let summary = scene.serve(Scene::options()).await;
    assert_eq!(summary.requests, [("done".to_owned(), REQUESTS)]);
    assert_eq!(summary.sent, 0, "nothing was left");
}

fn spawn(scene: &Scene) -> Child {
    let values =
        [scene.node.url(), scene.consumer.to_string(), scene.journal_file().to_str().unwrap().to_owned()];
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "load::two_hundred_requests_survive_three_kills", "--nocapture"])
        .envs(CHILD.into_iter().zip(values))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn wait_for_nonce(scene: &Scene, nonce: u64, child: &mut Child) {
    let started = Instant::now();
    while scene.nonce().await < nonce {
        assert!(child.try_wait().unwrap().is_none(), "it has work to do");
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
