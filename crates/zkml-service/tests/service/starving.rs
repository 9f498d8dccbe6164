//! Requests that can never be proven, and one that can.

use std::time::{Duration, Instant};

use zkml_deploy::rpc::{Retry, Rpc};
use zkml_service::{Event, Options};

use crate::{
    proxy::{Act, Proxy},
    scene::{ASKER, FAR, STRANGER, Scene, ask_about_nothing, ask_data, ids, transact},
};

const JUNK: u64 = 2_000;
/// A block has room for so many.
const BATCH: u64 = 250;

async fn junk(rpc: &Rpc, scene: &Scene) {
    for _ in 0..JUNK / BATCH {
        transact(rpc, ASKER, Some(scene.consumer), &ask_about_nothing(BATCH)).await;
    }
}

/// With the pauses that a service has, and sixty milliseconds to its endpoint.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_requests_about_nothing_keep_nobody_waiting() {
    let scene = Scene::new(&["--gas-limit", "1000000000"]).await;
    junk(&scene.rpc, &scene).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    proxy.rule(|_, _, _| Act::Late(60));
    let retry = Retry { attempts: 5, pause: Duration::from_secs(1), longest: Duration::from_secs(60) };
    let running = scene.start_at(&proxy.url(), Options { jobs: 1, retry, ..Scene::options() });
    scene.wait("request that waits", |event| matches!(event, Event::Postponed { .. })).await;
    let receipt = transact(&scene.rpc, STRANGER, Some(scene.consumer), &ask_data(1, FAR)).await;
    let (honest, asked) = (ids(&receipt)[0], Instant::now());
    scene
        .wait("fulfilment", |event| matches!(event, Event::Fulfilled { request, .. } if *request == honest))
        .await;
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    println!("fulfilled after {took:?}, behind {JUNK} requests about nothing");
    let postponed = scene.count(|event| matches!(event, Event::Postponed { .. }));
    assert!(postponed as u64 <= JUNK, "each is said once: {postponed}");
    running.stop().await;
    assert_eq!(scene.prover.begun.load(std::sync::atomic::Ordering::SeqCst), 1, "the others were not tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_comes_is_given_up() {
    let scene = Scene::new(&[]).await;
    let receipt = transact(&scene.rpc, ASKER, Some(scene.consumer), &ask_about_nothing(2)).await;
    let options = Options { input_wait: Duration::from_millis(400), ..Scene::options() };
    let summary = scene.serve(options).await;
    assert_eq!(summary.requests, [("refused".to_owned(), 2)]);
    let reason = scene.entry(ids(&receipt)[0]).reason.unwrap();
    assert_eq!(reason, "its input did not come in time: its input is not there yet");
    assert_eq!(scene.count(|event| matches!(event, Event::Refused { .. })), 2);
}

/// One subject's many come after another's first.
#[tokio::test(flavor = "multi_thread")]
async fn subjects_take_turns() {
    let scene = Scene::new(&[]).await;
    scene.ask(20, FAR).await;
    let receipt = transact(&scene.rpc, STRANGER, Some(scene.consumer), &ask_data(1, FAR)).await;
    scene.serve(Options { jobs: 1, max_pending: 1, ..Scene::options() }).await;
    let events = scene.events.lock().unwrap();
    let order: Vec<_> = events
        .iter()
        .filter_map(|e| match e {
            Event::Proving { request } => Some(*request),
            _ => None,
        })
        .collect();
    let turn = order.iter().position(|id| *id == ids(&receipt)[0]).unwrap();
    assert!(turn < 3, "it was number {turn} of {}", order.len());
}
