//! Transactions: gaps, fees, strangers, pauses, and money.

use std::time::Duration;

use serde_json::json;
use zkml_contracts::requests::{pause, unpause};
use zkml_deploy::{
    Address, U256,
    rpc::{FeeLimits, Fees},
    transaction::Limits,
};
use zkml_service::{Event, Options};

use crate::{
    anvil::{Anvil, mine, set_balance},
    following::fulfilment,
    proxy::{Act, Proxy},
    scene::{FAR, STRANGER, Scene, offer},
};

/// An account without code.
const NOBODY: Address = Address::repeat_byte(0x11);

fn limits() -> Limits {
    Scene::options().limits
}

/// Signs a transaction of the service's account, behind its back.
async fn behind_its_back(nonce: u64, fees: Fees) -> Vec<u8> {
    Scene::account().sign(31_337, NOBODY, &[1], nonce, 50_000, fees).await.unwrap().raw
}

async fn dear(scene: &Scene, times: u128) -> Fees {
    let now = scene.rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap();
    Fees { max: now.max * times, priority: now.priority.max(1) * times }
}

async fn automine(scene: &Scene, on: bool) {
    scene.rpc.raw("evm_setAutomine", json!([on])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_filled_first() {
    let scene = Scene::new(&[]).await;
    // Something of this account waits at nonce 1, and nothing is at nonce 0.
    let ahead = behind_its_back(1, dear(&scene, 1).await).await;
    scene.rpc.send(&ahead).await.unwrap();
    let ids = scene.ask(2, FAR).await;
    scene.serve(Scene::options()).await;
    let fulfilments = scene.fulfilments().await;
    assert!(ids.iter().all(|id| fulfilments[id] == 1), "{fulfilments:?}");
    assert_eq!(scene.nonce().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_pays_too_little_is_offered_for_more() {
    let scene = Scene::new(&[]).await;
    scene.ask(1, FAR).await;
    automine(&scene, false).await;
    let waiting = behind_its_back(0, dear(&scene, 3).await).await;
    scene.rpc.send(&waiting).await.unwrap();
    let running = scene.start(Scene::options());
    scene.wait("raise", |event| matches!(event, Event::Raised { nonce: 0, .. })).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    mine(&scene.rpc, 1).await;
    scene.wait("done", |event| matches!(event, Event::Done { .. })).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_waits_too_long_is_offered_for_more_up_to_the_limit() {
    let scene = Scene::new(&[]).await;
    scene.ask(2, FAR).await;
    automine(&scene, false).await;
    let most = dear(&scene, 2).await.max;
    let fees = FeeLimits { max: most, named: true, ..limits().fees };
    let limits = Limits { bump_after: Duration::from_millis(200), fees, ..limits() };
    let running = scene.start(Options { limits, ..Scene::options() });
    scene
        .wait("the highest fee", |event| matches!(event, Event::Raised { max_fee, .. } if *max_fee == most))
        .await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    mine(&scene.rpc, 1).await;
    scene.wait("done", |event| matches!(event, Event::Done { .. })).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 2);
    let raised: Vec<_> = scene.events.lock().unwrap().clone();
    for event in raised {
        if let Event::Raised { nonce, max_fee, .. } = event {
            assert!(max_fee <= most, "{max_fee} for nonce {nonce}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_contract_is_waited_for() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    scene.asker(&pause()).await;
    let running = scene.start(Scene::options());
    // More often than other failures are allowed.
    let started = std::time::Instant::now();
    let paused =
        |event: &Event| matches!(event, Event::Postponed { reason, .. } if reason == "EnforcedPause()");
    while scene.count(paused) < 6 {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(scene.nonce().await, 0);
    scene.asker(&unpause()).await;
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_the_contract_refuses_is_given_up_and_never_sent() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    scene.refuse_proofs(true).await;
    scene.serve(Scene::options()).await;
    assert_eq!(scene.entry(id).status, "refused");
    assert_eq!(scene.nonce().await, 0);
    assert_eq!(scene.count(|event| matches!(event, Event::Postponed { .. })), 3, "it is tried four times");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_useless_transaction_is_replaced_by_an_empty_one() {
    let scene = Scene::new(&[]).await;
    let ids = scene.ask(2, FAR).await;
    automine(&scene, false).await;
    let running = scene.start(Scene::options());
    let sent = |event: &Event| matches!(event, Event::Sent { .. });
    while scene.count(sent) < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // A stranger's fulfilment of the first request is mined before ours: it pays more, and the block has room for no other.
    let data = fulfilment(&scene, ids[0]).await;
    scene.rpc.raw("anvil_dropAllTransactions", json!([])).await.unwrap();
    offer(&scene.rpc, STRANGER, Some(scene.consumer), &data).await;
    mine(&scene.rpc, 1).await;
    scene.wait("replacement", |event| matches!(event, Event::Replaced { .. })).await;
    // The other one was lost, and is sent again in its turn.
    let started = std::time::Instant::now();
    while scene.count(|event| matches!(event, Event::Done { .. })) < 2 {
        assert!(started.elapsed() < Duration::from_secs(20));
        mine(&scene.rpc, 1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.stop().await;
    let fulfilments = scene.fulfilments().await;
    assert!(ids.iter().all(|id| fulfilments[id] == 1), "{fulfilments:?}");
    assert_eq!(scene.nonce().await, 2);
    assert_eq!(scene.count(|event| matches!(event, Event::Mined { success: false, .. })), 0, "none failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_a_stranger_uses_is_given_up() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    automine(&scene, false).await;
    let running = scene.start(Scene::options());
    scene.wait("sent", |event| matches!(event, Event::Sent { nonce: 0, .. })).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let thief = behind_its_back(0, dear(&scene, 50).await).await;
    scene.rpc.send(&thief).await.unwrap();
    mine(&scene.rpc, 1).await;
    scene.wait("stranger", |event| matches!(event, Event::NonceTaken { nonce: 0 })).await;
    automine(&scene, true).await;
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    running.stop().await;
    assert_eq!((scene.nonce().await, scene.fulfilments().await[&id]), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_money_waits_for_some() {
    let scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    set_balance(&scene.rpc, Scene::account().address(), U256::from(1)).await;
    let running = scene.start(Scene::options());
    scene.wait("warning", |event| matches!(event, Event::BalanceTooLow { .. })).await;
    set_balance(&scene.rpc, Scene::account().address(), U256::from(10).pow(U256::from(18))).await;
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_transactions_wait_than_allowed() {
    let scene = Scene::new(&[]).await;
    scene.ask(6, FAR).await;
    automine(&scene, false).await;
    let running = scene.start(Options { max_pending: 2, ..Scene::options() });
    scene.wait("sent", |event| matches!(event, Event::Sent { nonce: 1, .. })).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(scene.count(|event| matches!(event, Event::Sent { .. })), 2);
    automine(&scene, true).await;
    mine(&scene.rpc, 1).await;
    let started = std::time::Instant::now();
    while scene.count(|event| matches!(event, Event::Done { .. })) < 6 {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.stop().await;
    assert_eq!(scene.nonce().await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_the_chain_is_not_paid_for_again_and_again() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let id = scene.ask(1, FAR).await[0];
    // Too little gas, whatever the node says.
    proxy.rule(
        |method, _, _| {
            if method == "eth_estimateGas" { Act::Answer(json!("0x80e8")) } else { Act::Pass }
        },
    );
    let running = scene.start_at(&proxy.url(), Options { until_idle: true, ..Scene::options() });
    tokio::time::timeout(Duration::from_secs(30), running.task).await.unwrap().unwrap().unwrap();
    assert_eq!((scene.entry(id).status.as_str(), scene.nonce().await), ("refused", 2));
    assert_eq!(scene.count(|event| matches!(event, Event::Mined { success: false, .. })), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_the_node_has_something_against_keeps_no_other_waiting() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let ids = scene.ask(2, FAR).await;
    let bad = ids[0].to_string().trim_start_matches("0x").to_owned();
    proxy.rule(move |method, params, _| {
        if method == "eth_call" && params.to_string().contains(&bad) {
            return Act::Refuse(-32_000, "this one is too much for me");
        }
        Act::Pass
    });
    let running = scene.start_at(&proxy.url(), Scene::options());
    scene.wait("done", |event| *event == Event::Done { request: ids[1], earned: None }).await;
    assert!(scene.count(|event| matches!(event, Event::Postponed { .. })) > 0);
    running.stop().await;
    assert_eq!(scene.nonce().await, 1);
}
