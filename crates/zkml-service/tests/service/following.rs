//! Requests from the event to the end, and reorganisations.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::json;
use zkml_contracts::requests::{cancel_request, fulfill_inference, pause, unpause};
use zkml_deploy::transaction::Limits;
use zkml_protocol::Word;
use zkml_service::{Closing, Event, Options, ProveFailure};

use crate::{
    anvil::{mine, revert, snapshot},
    proxy::{Act, Proxy},
    scene::{ASKER, FAR, STRANGER, Scene, ask_data, forget_journal, transact},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_fulfilled_once() {
    let scene = Scene::new(&[]).await;
    let ids = scene.ask(3, FAR).await;
    let summary = scene.serve(Scene::options()).await;
    assert_eq!((summary.proofs, summary.sent, summary.done, summary.abandoned), (3, 3, 3, 0));
    assert_eq!(summary.requests, [("done".to_owned(), 3)]);
    let fulfilments = scene.fulfilments().await;
    assert!(ids.iter().all(|id| fulfilments[id] == 1), "{fulfilments:?}");
    assert_eq!(scene.nonce().await, 3);
    // Nothing is done twice, not even by a service that reads everything again.
    scene.serve(Scene::options()).await;
    forget_journal(&scene.journal_file());
    scene.serve(Scene::options()).await;
    assert_eq!((scene.nonce().await, scene.prover.begun.load(Ordering::SeqCst)), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_later_is_served_too_and_shutdown_is_clean() {
    let scene = Scene::new(&[]).await;
    let running = scene.start(Scene::options());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let id = scene.ask(1, FAR).await[0];
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    // A proof that is being made is kept.
    scene.prover.takes.store(800, Ordering::SeqCst);
    let late = scene.ask(1, FAR).await[0];
    scene.wait("proving", |event| *event == Event::Proving { request: late }).await;
    let summary = running.stop().await;
    assert_eq!((summary.proofs, summary.sent), (2, 1));
    assert!(scene.entry(late).proof.is_some());
    scene.serve(Scene::options()).await;
    assert_eq!(scene.prover.begun.load(Ordering::SeqCst), 2, "the proof was not made again");
    assert_eq!(scene.fulfilments().await[&late], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_before_it_is_confirmed() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    let limits = Limits { confirmations: 3, ..Scene::options().limits };
    let running = scene.start(Options { limits, ..Scene::options() });
    scene.wait("fulfilled", |event| matches!(event, Event::Fulfilled { .. })).await;
    mine(&scene.rpc, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.count(|event| *event == Event::Done { request: id, earned: None }), 0);
    mine(&scene.rpc, 1).await;
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_a_reorganisation_takes_away_is_not_paid_for() {
    let scene = Scene::new(&[]).await;
    let before = snapshot(&scene.rpc).await;
    let id = scene.ask(1, FAR).await[0];
    scene.prover.takes.store(500, Ordering::SeqCst);
    let running = scene.start(Scene::options());
    scene.wait("proving", |event| matches!(event, Event::Proving { .. })).await;
    revert(&scene.rpc, before).await;
    mine(&scene.rpc, 3).await;
    scene.wait("reorganised", |event| matches!(event, Event::Reorganised { orphaned: 1, .. })).await;
    scene.wait("proven", |event| matches!(event, Event::Proven { .. })).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.nonce().await, 0);
    // It comes back as the same request, and its proof is still there.
    assert_eq!(scene.ask(1, FAR).await, [id]);
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    running.stop().await;
    assert_eq!((scene.nonce().await, scene.prover.begun.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fulfilment_that_a_reorganisation_takes_away_is_handed_in_again() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    let before = snapshot(&scene.rpc).await;
    let limits = Limits { confirmations: 4, ..Scene::options().limits };
    let running = scene.start(Options { limits, ..Scene::options() });
    scene.wait("mined", |event| matches!(event, Event::Mined { success: true, .. })).await;
    revert(&scene.rpc, before).await;
    mine(&scene.rpc, 2).await;
    scene.wait("reorganised", |event| matches!(event, Event::Reorganised { .. })).await;
    scene.forget_events();
    scene.wait("fulfilled", |event| matches!(event, Event::Fulfilled { .. })).await;
    mine(&scene.rpc, 4).await;
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    running.stop().await;
    assert_eq!(scene.fulfilments().await[&id], 1);
    let journal = scene.journal();
    assert_eq!(journal.offer_count().unwrap(), 1, "the same bytes were sent again");
    assert_eq!(scene.prover.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_withdrawn_while_it_is_proven_is_not_paid_for() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    scene.prover.takes.store(700, Ordering::SeqCst);
    let running = scene.start(Scene::options());
    scene.wait("proving", |event| matches!(event, Event::Proving { .. })).await;
    let request = request_of(id, &scene).await;
    scene.asker(&cancel_request(&request)).await;
    scene.wait("refused", |event| matches!(event, Event::Refused { .. })).await;
    scene.wait("proven", |event| matches!(event, Event::Proven { .. })).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.stop().await;
    let entry = scene.entry(id);
    assert_eq!((entry.status.as_str(), entry.reason.as_deref()), ("refused", Some("cancelled")));
    assert_eq!(scene.nonce().await, 0);
}

/// A transaction that would be mined after the deadline fails there, and is paid for.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_about_to_expire_is_not_begun() {
    let scene = Scene::new(&[]).await;
    let limits =
        zkml_deploy::transaction::Limits { block: Duration::from_secs(60), ..Scene::options().limits };
    let options = Options { limits, ..Scene::options() };
    let near = scene.ask(1, scene.rpc.now().await.unwrap() + 100).await[0];
    let later = scene.ask(1, scene.rpc.now().await.unwrap() + 1_000).await[0];
    let running = scene.start(options.clone());
    scene.wait("end", |event| *event == Event::Done { request: later, earned: None }).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.stop().await;
    assert_eq!((scene.prover.begun.load(Ordering::SeqCst), scene.nonce().await), (1, 1));
    // Nor is one handed in that was proven before.
    let running = scene.start(Options { max_pending: 0, ..Scene::options() });
    scene.wait("proof", |event| matches!(event, Event::Proven { request, .. } if *request == near)).await;
    running.stop().await;
    let running = scene.start(options.clone());
    tokio::time::sleep(Duration::from_millis(300)).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 1);
    scene.rpc.raw("evm_increaseTime", json!([200])).await.unwrap();
    mine(&scene.rpc, 1).await;
    scene.serve(options).await;
    assert_eq!(scene.entry(near).reason.as_deref(), Some("expired"));
    assert_eq!(scene.nonce().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_is_neither_proven_nor_paid_for() {
    let scene = Scene::new(&[]).await;
    let block = scene.rpc.block(alloy::eips::BlockNumberOrTag::Latest).await.unwrap().unwrap();
    let id = scene.ask(1, block.header.timestamp + 50).await[0];
    scene.rpc.raw("evm_increaseTime", serde_json::json!([100])).await.unwrap();
    mine(&scene.rpc, 1).await;
    scene.serve(Scene::options()).await;
    let entry = scene.entry(id);
    assert_eq!((entry.status.as_str(), entry.reason.as_deref()), ("refused", Some("expired")));
    assert!(matches!(entry.closed, Some((_, Closing::Expired))));
    assert_eq!((scene.nonce().await, scene.prover.begun.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_is_faster_costs_nothing() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    scene.prover.takes.store(700, Ordering::SeqCst);
    let running = scene.start(Scene::options());
    scene.wait("proving", |event| matches!(event, Event::Proving { .. })).await;
    fulfil_as_stranger(&scene, id).await;
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    scene.wait("proven", |event| matches!(event, Event::Proven { .. })).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn provers_may_fail_for_now_and_for_good() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    *scene.prover.failures.lock().unwrap() = vec![ProveFailure::Later("no input yet".to_owned()); 6];
    scene.serve(Scene::options()).await;
    assert_eq!(scene.fulfilments().await[&id], 1);
    assert_eq!(scene.count(|event| matches!(event, Event::Postponed { .. })), 6);
    let id = scene.ask(1, FAR).await[0];
    *scene.prover.failures.lock().unwrap() = vec![ProveFailure::Permanent("out of range".to_owned())];
    scene.serve(Scene::options()).await;
    let entry = scene.entry(id);
    assert_eq!((entry.status.as_str(), entry.reason.as_deref()), ("refused", Some("out of range")));
    scene.serve(Scene::options()).await;
    assert_eq!(scene.prover.begun.load(Ordering::SeqCst), 8, "it is not tried again");
}

/// The request of an id, from its event.
pub(crate) async fn request_of(id: Word, scene: &Scene) -> zkml_protocol::binding::Request {
    use zkml_contracts::requests::{INFERENCE_REQUESTED, InferenceRequested, topic};
    let topics = [zkml_deploy::B256::from(topic(INFERENCE_REQUESTED).0)];
    let head = scene.rpc.block_number().await.unwrap();
    let logs = scene.rpc.logs(scene.consumer, &topics, 0, head).await.unwrap();
    logs.iter()
        .map(|log| {
            let topics: Vec<Word> = log.topics().iter().map(|topic| Word(topic.0)).collect();
            InferenceRequested::decode(&topics, &log.data().data).unwrap()
        })
        .find(|event| event.id == id)
        .expect("it was made")
        .request
}

/// Somebody else fulfils a request.
pub(crate) async fn fulfil_as_stranger(scene: &Scene, id: Word) {
    transact(&scene.rpc, STRANGER, Some(scene.consumer), &fulfilment(scene, id).await).await;
}

/// Calldata that fulfils a request.
pub(crate) async fn fulfilment(scene: &Scene, id: Word) -> Vec<u8> {
    let request = request_of(id, scene).await;
    let context = request.context(31_337, scene.consumer.into_array()).digest();
    let blob = [&[1, 2, 3, 4], request.data_commitment.0.as_slice(), &context.0, &[0; 64]].concat();
    let submission = zkml_contracts::Submission { blob, output: vec![0; 32], input_commitment: Word::ZERO };
    fulfill_inference(&request, &submission)
}

/// The chain changes after the service has looked at the last block that it knows, and before it reads the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_in_the_middle_of_a_round_loses_nothing() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let before = snapshot(&scene.rpc).await;
    mine(&scene.rpc, 2).await;
    let known = scene.rpc.block_number().await.unwrap();
    let running = scene.start_at(&proxy.url(), Scene::options());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (rpc, consumer, swapped) = (scene.rpc.clone(), scene.consumer, AtomicBool::new(false));
    proxy.rule(move |method, params, _| {
        let next = method == "eth_getBlockByNumber" && params[0] == format!("{:#x}", known + 1);
        if next && !swapped.swap(true, Ordering::SeqCst) {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    revert(&rpc, before.clone()).await;
                    transact(&rpc, ASKER, Some(consumer), &ask_data(1, FAR)).await;
                    mine(&rpc, 3).await;
                });
            });
        }
        Act::Pass
    });
    mine(&scene.rpc, 1).await;
    scene.wait("the request of the other fork", |event| matches!(event, Event::Done { .. })).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_pause_does_not_use_up_the_patience_with_failures() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    scene.asker(&pause()).await;
    let running = scene.start(Scene::options());
    let paused =
        |event: &Event| matches!(event, Event::Postponed { reason, .. } if reason == "EnforcedPause()");
    let refused = |event: &Event| matches!(event, Event::Postponed { reason, .. } if reason.starts_with("unknown revert"));
    let started = std::time::Instant::now();
    while scene.count(paused) < 6 {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.refuse_proofs(true).await;
    scene.asker(&unpause()).await;
    scene.wait("a failure", refused).await;
    scene.refuse_proofs(false).await;
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    running.stop().await;
}
